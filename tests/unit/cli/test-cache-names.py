#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""cache list: names from catalogs and records, shortened digests, and what a word stands for."""
import hashlib
import json
import os
import subprocess
import sys
import uuid

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from tap import done_testing, lamina, ok, state, work


def run(*words):
    done = subprocess.run([lamina, "cache", "list", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "LAMINA_STATE_DIR": state})
    return done.returncode, done.stdout, done.stderr


def files(*words):
    status, text, errors = run("--json", *words)
    ok(status == 0, f"cache list {' '.join(words)}", errors)
    return {file["digest"][7:]: file for file in json.loads(text)["files"]} if status == 0 else {}


def cache(digest, size, noted=None, suffix=".qcow2"):
    """Creates a file of @size bytes with the name of @digest; nothing reads what is in it."""
    directory = "layers" if suffix else "blobs"
    for name in directory, "verified":
        os.makedirs(os.path.join(state, name), mode=0o755, exist_ok=True)
    path = os.path.join(state, directory, f"sha256-{digest}{suffix}")
    with open(path, "wb") as file:
        file.truncate(size)
    os.chmod(path, 0o444)
    found = os.stat(path)
    note = os.path.join(state, "verified", f"sha256-{digest}{suffix}")
    with open(note, "w", encoding="ascii") as file:
        file.write("%020d %020d %020d %020d %020d\n" % (size if noted is None else noted, found.st_mtime_ns, found.st_ino,
                                                     found.st_dev, found.st_ctime_ns))


def hexes(text):
    return hashlib.sha256(text.encode()).hexdigest()


base, kernel, initrd, old, strange, two = (hexes(word) for word in ("base", "kernel", "initrd", "old", "strange", "two"))
one = two[:20] + ("0" if two[20] != "0" else "1") + two[21:]
blob = {"size": 100, "urls": ["x"]}
catalog = {"lamina-catalog": 1, "groups": [{"name": "os"}, {"name": "web"}, {"name": "db"}], "layers": [
    {"name": "debian", "version": "12", "group": "os",
     "boot": {"kernel": {"digest": "sha256:" + kernel, **blob}, "initrd": {"digest": "sha256:" + initrd, **blob}},
     "builds": [{"digest": "sha256:" + base, **blob}]},
    {"name": "nginx", "version": "1.22", "group": "web", "builds": [{"parent": "sha256:" + base, "digest": "sha256:" + one, **blob}]},
    {"name": "nginx", "version": "1.24", "group": "web", "builds": [{"parent": "sha256:" + base, "digest": "sha256:" + two, **blob}]},
    {"name": "cafe", "version": "1", "group": "db", "builds": [
        {"parent": "sha256:" + base, "digest": "sha256:" + hexes("cafe"), **blob}]},
]}
catalog_file = os.path.join(work, "catalog.json")
with open(catalog_file, "w", encoding="utf-8") as out:
    json.dump(catalog, out)
done = subprocess.run([lamina, "catalog", "add", "lab", catalog_file], env={**os.environ, "LAMINA_STATE_DIR": state},
                      capture_output=True, text=True)
ok(done.returncode == 0 and done.stderr == "", "a catalog is added", done.stderr)

for digest in base, one, two:
    cache(digest, 100)
cache(old, 100)
cache(strange, 70, noted=100)
cache(kernel, 100, suffix="")
cache(initrd, 60, noted=100, suffix="")
cafe = "cafe" + hexes("x")[4:]
cache(cafe, 100)
cache(hexes("cafe"), 100)

machine = str(uuid.uuid4())
os.makedirs(os.path.join(state, "machines", machine), mode=0o711)
os.chmod(os.path.join(state, "machines"), 0o711)
record = {"lamina-record": 1, "name": "m", "uuid": machine, "uri": "test:///default", "state": "complete", "layers": [
    {"name": "mysql", "version": "5.7", "group": "db", "source": "gone", "digest": "sha256:" + old, "size": 100,
     "urls": [], "path": "/nowhere"}], "publish": []}
with open(os.path.join(state, "machines", machine, "record.json"), "w", encoding="utf-8") as out:
    json.dump(record, out)
os.chmod(out.name, 0o600)

found = files()
ok(set(found) == {base, one, two, old, strange, kernel, initrd, cafe, hexes("cafe")}, "every file is listed", found)
named = {digest: (file["name"], file["version"], file["group"], file["part"], file["source"], file["listed"])
         for digest, file in found.items()}
ok(named[base] == ("debian", "12", "os", None, "lab", True), "a layer has the name in the catalog", named[base])
ok(named[two] == ("nginx", "1.24", "web", None, "lab", True), "so has another version", named[two])
ok(named[kernel] == ("debian", "12", "os", "kernel", "lab", True), "a kernel has that of its layer", named[kernel])
ok(named[initrd] == ("debian", "12", "os", "initrd", "lab", True), "so has an initrd", named[initrd])
ok(named[old] == ("mysql", "5.7", "db", None, "gone", False), "a layer that no catalog lists has that in a record", named[old])
ok(named[strange] == (None, None, None, None, None, False), "a layer that nobody knows has none", named[strange])
ok({digest for digest, file in found.items() if file["damaged"]} == {strange, initrd}, "truncated files are marked", found)

status, text, errors = run()
rows = {line.split()[3]: line.split() for line in text.splitlines()[1:-1]}
ok(status == 0 and errors == "", "the table is printed without a warning", errors)
ok(two[:21] in rows and one[:21] in rows, "digests are as long as needed to tell them apart", text)
ok(rows[two[:21]][:3] == ["layer", "nginx", "1.24"] and "lab" in rows[two[:21]], "a row has kind, name and version", text)
ok(rows[kernel[:21]][:2] == ["kernel", "debian"], "the kind of a kernel is shown", text)
ok(rows[old[:21]][:3] == ["layer", "mysql", "5.7"] and "gone" not in rows[old[:21]], "no catalog knows the recorded layer", text)
ok(rows[strange[:21]][1:3] == ["-", "-"] and rows[strange[:21]][-1] == "damaged", "the damaged one is marked", text)
status, text, errors = run("--no-trunc")
ok(all("sha256:" + digest in text for digest in found), "--no-trunc shows whole digests", text)

# Words
ok(set(files("nginx")) == {one, two}, "a name stands for all versions")
ok(set(files("nginx@1.24")) == {two}, "a name with a version for one")
ok(set(files("os=debian")) == {base}, "a name with a group, but not for the kernel")
ok(set(files("mysql")) == {old}, "a name in a record")
ok(set(files(kernel[:4], strange[:6])) == {kernel, strange}, "the beginnings of digests")
ok(set(files("sha256:" + kernel[:5])) == {kernel}, "with the name of the hash")
ok(set(files("cafe")) == {cafe, hexes("cafe")}, "a word that is both a name and the beginning of a digest")
ok(set(files("sha256:" + cafe)) == {cafe} and set(files(cafe)) == {cafe}, "a whole digest")
for word in "apache", "nginx@9", "os=nginx", kernel[:3], "sha256:" + hexes("missing"), "", "\x1b[2J", "nginx@":
    status, text, errors = run(word)
    ok(status == 3 and text == "" and "no cached file" in errors and "\x1b" not in errors, f"{word!r} stands for nothing", errors)

shown = {}
for digest in strange, base:
    done = subprocess.run([lamina, "cache", "show", digest, "--json"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                          env={**os.environ, "LAMINA_STATE_DIR": state, "LIBVIRT_DEFAULT_URI": "test:///default"})
    shown[digest] = json.loads(done.stdout or "{}")
    listed = files(digest)[digest]
    ok(listed.items() <= shown[digest].items(), "cache show says all that cache list says", f"{listed}\n{done.stdout}{done.stderr}")
ok(shown[strange]["damaged"] and not shown[base]["damaged"], "also that a file is damaged", shown)

os.remove(os.path.join(state, "catalogs", "lab.json"))
named = files()
ok(named[old]["name"] == "mysql" and named[two]["name"] is None and not named[two]["damaged"] and named[strange]["damaged"],
   "without the catalog only the recorded name is left", named)
done_testing()
