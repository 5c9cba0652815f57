#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lamina graph and lamina group: package indexes from files, a server and rpm-md
repositories; tables, JSON and Graphviz; and exit statuses."""
import bz2
import functools
import gzip
import hashlib
import http.server
import json
import lzma
import os
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from tap import done_testing, lamina, ok, work  # noqa: E402

INDEX = """Package: a
Version: 1.0-1
Architecture: amd64
Depends: b, c
Installed-Size: 2048
Size: 1000

Package: b
Version: 2
Installed-Size: 1024
Size: 500

Package: c
Version: 3
Depends: d, e
Installed-Size: 1024

Package: d
Version: 1

Package: e
Version: 1

Package: f
Version: 1
Depends: g

Package: g
Version: 1
Depends: f

Package: h
Version: 1
Conflicts: a
"""
RPM = """<?xml version="1.0"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="2">
<package type="rpm"><name>web</name><arch>noarch</arch><version epoch="0" ver="2.4" rel="1"/>
<checksum type="sha256" pkgid="YES">{0}</checksum><size package="700" installed="3000" archive="1"/><location href="web.rpm"/>
<format><rpm:provides><rpm:entry name="web" flags="EQ" epoch="0" ver="2.4" rel="1"/></rpm:provides>
<rpm:requires><rpm:entry name="rpmlib(CompressedFileNames)" flags="LE" epoch="0" ver="3.0.4" rel="1"/>
<rpm:entry name="library"/></rpm:requires></format></package>
<package type="rpm"><name>lib</name><arch>noarch</arch><version epoch="0" ver="1" rel="1"/>
<checksum type="sha256" pkgid="YES">{1}</checksum><size package="300" installed="2000" archive="1"/><location href="lib.rpm"/>
<format><rpm:provides><rpm:entry name="lib" flags="EQ" epoch="0" ver="1" rel="1"/><rpm:entry name="library"/></rpm:provides></format></package>
</metadata>
""".format("1" * 64, "2" * 64)


def run(*args):
    return subprocess.run([lamina, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def write(name, data):
    path = os.path.join(work, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    return path


def rpm_repository(name, digest=None):
    packed = gzip.compress(RPM.encode())
    write(f"{name}/repodata/primary.xml.gz", packed)
    repomd = f"""<repomd xmlns="http://linux.duke.edu/metadata/repo"><data type="filelists"/><data type="primary">
<checksum type="sha256">{digest or hashlib.sha256(packed).hexdigest()}</checksum><location href="repodata/primary.xml.gz"/></data></repomd>"""
    write(f"{name}/repodata/repomd.xml", repomd.encode())
    return os.path.join(work, name)


def graph(place, *args):
    return run("graph", "--packages", place, *args)


plain = write("Packages", INDEX.encode())
result = graph(plain, "a", "c", "f")
rows = {line.split()[0]: line.split() for line in result.stdout.splitlines()[1:4]}
counts = {"a": ["1.0-1", "2", "4", "0", "0"], "c": ["3", "2", "2", "0", "1"], "f": ["1", "1", "1", "1", "1"]}
ok(result.returncode == 0 and {name: row[1:6] for name, row in rows.items()} == counts, "the table counts as the reference example says", result)
ok("  direct: b, c\n" in result.stdout and "  mutual: g\n" in result.stdout, "lists name what is needed and what is mutual", result.stdout)

document = json.loads(graph(plain, "--json", "a").stdout)["packages"][0]
ok(document["direct"] == ["b", "c"] and document["transitive"] == ["b", "c", "d", "e"] and document["needed_by"] == []
   and document["installed_size"] == 2 << 20 and document["total_installed_size"] == 4 << 20
   and document["download_size"] == 1000 and document["total_download_size"] == 1500, "JSON has lists and sizes", document)
dot = graph(plain, "--dot", "a", "f").stdout
ok(dot.startswith("digraph") and '"a" -> "b"' in dot and dot.count("cluster_") == 2, "the graph for Graphviz boxes mutual groups", dot)

for name, data in (("gz", gzip.compress(INDEX.encode())), ("xz", lzma.compress(INDEX.encode())), ("bz2", bz2.compress(INDEX.encode()))):
    result = graph(write(f"Packages.{name}", data), "a")
    ok(result.returncode == 0 and "1.0-1" in result.stdout, f"an index compressed as {name} is read", result)

repository = rpm_repository("rpm")
for place in (repository, os.path.join(repository, "repodata", "repomd.xml")):
    result = graph(place, "--json", "web")
    package = json.loads(result.stdout or "{}").get("packages", [{}])[0]
    ok(package.get("transitive") == ["lib"] and package.get("total_download_size") == 1000 and package.get("total_installed_size") == 5000,
       "an rpm-md repository is read", result)
result = graph(rpm_repository("changed", "0" * 64), "web")
ok(result.returncode == 6 and "digest" in result.stderr, "an rpm-md index with another digest is refused", result)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=work))
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_address[1]}"
result = graph(f"{base}/Packages.xz", "a")
ok(result.returncode == 0 and "1.0-1" in result.stdout, "an index is read from a server", result)
result = graph(f"{base}/rpm/", "web")
ok(result.returncode == 0 and "2.4" in result.stdout, "an rpm-md repository is read from a server", result)
result = graph(f"{base}/nothing", "a")
ok(result.returncode == 5 and "nothing" in result.stderr, "an index that is not there: status 5", result)
write("planted/repodata/repomd.xml", b"""<repomd xmlns="http://linux.duke.edu/metadata/repo"><data type="primary">
<checksum type="sha256">%s</checksum><location href="file:///etc/passwd"/></data></repomd>""" % (b"0" * 64))
result = graph(f"{base}/planted/", "web")
ok(result.returncode == 5 and "local files" in result.stderr, "a repository on a server cannot name a local file", result)
server.shutdown()
result = graph(os.path.dirname(os.path.dirname(write("broken/repodata/repomd.xml", b"<repomd"))), "web")
ok(result.returncode == 5 and "repomd.xml" in result.stderr, "a damaged repomd.xml: status 5", result)
result = graph(write("latin1", b"Package: a\nVersion: 1\xff\n"), "--json", "a")
ok(json.loads(result.stdout)["packages"][0]["version"].startswith("1"), "JSON is UTF-8 whatever the index has", result)
result = subprocess.run([lamina, "graph", "a"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                        env={**os.environ, "PATH": os.path.join(work, "nothing")})
ok(result.returncode == 5 and "--packages" in result.stderr, "without apt: give an index", result)

for args, status, words in (
        (("a", "nginx"), 3, "nginx"),
        (("a", "h"), 3, "conflicts"),
        (("--dot", "--json", "a"), 2, "--dot"),
        ((), 2, "")):
    result = graph(plain, *args)
    ok(result.returncode == status and words in result.stderr and not result.stdout, f"graph {' '.join(args)}: status {status}", result)
result = graph(write("page.html", b"<html><body>404</body></html>"), "a")
ok(result.returncode == 5 and "not an index" in result.stderr, "a web page instead of an index: status 5", result)
result = graph(write("half.gz", gzip.compress(INDEX.encode())[:60]), "a")
ok(result.returncode == 6 and "half.gz cannot be unpacked" in result.stderr, "a truncated index: status 6", result)

roles = write("roles.yaml", b"""base: [b]
roles:
- {name: one, weight: 3, packages: [c, f]}
- {name: two, packages: [a]}
""")
result = run("group", roles, "--packages", plain)
ok(result.returncode == 0 and "base" in result.stdout and "whole images" in result.stdout, "group prints layers", result)
document = json.loads(run("group", roles, "--packages", plain, "--json").stdout)
held = {layer["name"]: {package["name"] for package in layer["packages"]} for layer in document["layers"]}
for role, wanted in (("one", set("bcdefg")), ("two", set("abcde"))):
    chain = next(entry["chain"] for entry in document["roles"] if entry["name"] == role)
    parents = [next(layer["parent"] for layer in document["layers"] if layer["name"] == name) for name in chain]
    ok(wanted <= set().union(*(held[name] for name in chain)) and parents == [None, *chain[:-1]], f"the chain of {role} has its packages", document)
ok(document["bytes_stored"] == sum(layer["installed_size"] for layer in document["layers"]), "the sum of the layers is what is stored", document)
result = run("group", roles, "--packages", plain, "--move", "a=base", "--json")
ok(result.returncode == 0 and json.loads(result.stdout)["bytes_not_asked_for_per_launch_change"] > 0,
   "moving a package costs what others did not ask for", result)
for args, status, words in (
        ((roles, "--move", "a"), 2, "PACKAGE=LAYER"),
        ((roles, "--move", "zzz=base"), 3, "zzz"),
        ((roles, "--move", "a=zzz"), 3, "zzz"),
        ((roles, "--max-layers", "1"), 2, "max-layers"),
        ((os.path.join(work, "none.yaml"),), 1, "none.yaml"),
        ((write("bad.yaml", b"roles:\n- {name: x}\n"),), 2, "bad.yaml:2"),
        ((write("unknown.yaml", b"roles:\n- {name: x, packages: [nginx]}\n"),), 3, "role x")):
    result = run("group", *args, "--packages", plain)
    ok(result.returncode == status and words in result.stderr, f"group {' '.join(args[1:]) or os.path.basename(args[0])}: status {status}", result)
done_testing()
