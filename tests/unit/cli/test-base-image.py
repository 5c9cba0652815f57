#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lamina import: published images become layers of the local catalog, whatever happens on the way."""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
lib = os.path.join(os.environ["G_TEST_SRCDIR"], "lib")
sys.path.insert(0, lib)
from chainworld import Host, Stopped
from tap import done_testing, lamina, ok, work

server_dir = os.path.join(work, "served")
os.makedirs(server_dir)
MIB = 1048576


def served(name):
    return os.path.join(server_dir, name)


def tool(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def image(name, seed):
    """Writes a raw disk of 16 MiB with a partition table and 3 MiB that do not compress."""
    with open(served(name), "wb") as file:
        file.truncate(16 * MIB)
        file.seek(510)
        file.write(b"\x55\xaa")
        file.seek(2 * MIB)
        file.write(b"".join(hashlib.sha512(b"%d %d" % (seed, i)).digest() for i in range(3 * MIB // 64)))


def hash_of(name, kind="sha256"):
    with open(served(name), "rb") as file:
        return hashlib.new(kind, file.read()).hexdigest()


image("raw.img", 1)
image("other.img", 2)
tool("qemu-img", "convert", "-O", "qcow2", served("raw.img"), served("plain.qcow2"))
tool("qemu-img", "convert", "-c", "-O", "qcow2", served("raw.img"), served("compressed.qcow2"))
shutil.copy(served("plain.qcow2"), served("snapshot.qcow2"))
tool("qemu-img", "snapshot", "-c", "one", served("snapshot.qcow2"))
shutil.copy(served("plain.qcow2"), served("bitmap.qcow2"))
tool("qemu-img", "bitmap", "--add", served("bitmap.qcow2"), "one")
FORMATS = {"xz": ["xz", "-k"], "gz": ["gzip", "-k"], "zst": ["zstd", "-q"], "bz2": ["bzip2", "-k"]}
for suffix, words in FORMATS.items():
    if shutil.which(words[0]):
        tool(*words, served("raw.img"))
names = sorted(os.listdir(server_dir))
with open(served("SHA256SUMS"), "w", encoding="utf-8") as sums:
    sums.write("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n")
    for number, name in enumerate(names):
        sums.write(f"{hash_of(name)} {' *'[number % 2]}{name}\n")
with open(served("SHA512SUMS"), "w", encoding="utf-8") as sums:
    sums.writelines(f"SHA512 ({name}) = {hash_of(name, 'sha512').upper()}\r\n" for name in names)
log = os.path.join(work, "log")
open(log, "w", encoding="utf-8").close()
server = subprocess.Popen([sys.executable, os.path.join(lib, "badserver.py"), server_dir, log], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True)
url = "http://127.0.0.1:" + server.stdout.readline().strip()


def requests():
    """Returns the requests since the last call as (path, range)."""
    with open(log, encoding="utf-8") as file:
        lines = [line.split() for line in file]
    with open(log, "w", encoding="utf-8"):
        pass
    return [(line[1], line[2]) for line in lines]


def left(host):
    return host.list("partial")


def listed(host, name):
    found = host.json("list")
    return [layer for layer in found.get("layers", []) if layer["name"] == name]


# What is made of every kind of file is the same layer
plain = hash_of("plain.qcow2")
for name in names:
    if name == "other.img":
        continue
    host = Host("from-" + name)
    found = host.json("import", served(name), "--as", "d@1", "--checksum", served("SHA256SUMS"))
    ok(found.get("action") == "imported" and found["digest"] == "sha256:" + plain and found["verified"]
       and found["virtual_size"] == 16 * MIB and found["source"] == "local", f"{name} is imported", found)
    text = " ".join(found.get("changes", []))
    expected = {"raw.img": "from raw", "compressed.qcow2": "compressed", "snapshot.qcow2": "1 internal snapshot", "plain.qcow2": "",
                "bitmap.qcow2": "bitmaps"}
    ok(expected.get(name, "unpacked") in text and (name != "plain.qcow2" or text == ""), "it says what was changed", text)
    ok(left(host) == set() and len(host.list("layers")) == 1, "nothing else is left", left(host))
    found = host.json("import", served(name), "--as", "d@1")
    ok(found.get("action") == "unchanged" and not found["verified"], "again: nothing is done", found)
plan = host.json("plan", "d")
ok(plan.get("bytes_to_pull") == 0 and plan["layers"][0]["urls"] == [], "it can be launched", plan)

# What the catalog says
host = Host("facts")
kernel = os.path.join(work, "vmlinuz")
with open(kernel, "wb") as file:
    file.write(b"K" * 100000)
facts = ["--group", "sys", "--arch", "aarch64", "--osinfo", "debian12", "--ready", "login:", "--memory", "512", "--disk", "3", "--summary",
         "A test", "--provides", "linux=6", "--kernel", kernel, "--cmdline", "root=/dev/vda1"]
found = host.json("import", served("plain.qcow2"), "--as", "d@1", *facts)
with open(os.path.join(host.dir, "catalogs", "local.catalog"), encoding="utf-8") as file:
    entry = json.load(file)["layers"][0]
ok(found.get("action") == "imported" and (entry["group"], entry["arch"], entry["osinfo"], entry["ready"], entry["summary"], entry["provides"])
   == ("sys", "aarch64", "debian12", "login:", "A test", ["linux=6"]), "the entry says what was given", entry)
ok(entry["resources"] == {"memory": "536870912B", "disk": "3221225472B"} and entry["boot"]["cmdline"] == "root=/dev/vda1"
   and entry["boot"]["kernel"]["size"] == 100000 and len(host.list("blobs")) == 1, "resources and kernel too", entry)
ok(work not in json.dumps(entry) and "plain.qcow2" in entry["origin"], "but not where it was", entry)
loud = Host("loud")
status, out, errors = loud.run("import", "FILE://" + served("plain.qcow2"), "--as", "d@1", "--json")
ok(status == 0 and json.loads(out)["origin"].endswith(" plain.qcow2") and "not compared" not in errors,
   "nor if its URL is written in capital letters, and a file of this host needs no checksum", (out, errors))
found = host.json("import", served("plain.qcow2"), "--as", "d@1", *facts)
ok(found.get("action") == "unchanged", "again: nothing is done", found)
found = host.json("import", served("plain.qcow2"), "--as", "d@1", *facts, "--provides", "more")
ok(found.get("action") == "updated" and len(host.list("layers")) == 1, "other facts change the entry only", found)


def entry_of(host):
    with open(os.path.join(host.dir, "catalogs", "local.catalog"), encoding="utf-8") as file:
        return json.load(file)["layers"][0]


def changed(old, new):
    return sorted(key for key in {*old, *new} if old.get(key) != new.get(key))


# What is not given stays as the catalog says
again = ["import", served("plain.qcow2"), "--as", "d@1"]
before = entry_of(host)
found = host.json(*again)
ok(found.get("action") == "unchanged" and found["group"] == "sys" and entry_of(host) == before, "without facts: the entry stays", found)
found = host.json(*again, "--checksum", "sha256:" + plain)
ok(found.get("action") == "unchanged" and entry_of(host) == before, "also if the checksum tells that it is the same", found)
status, out, errors = host.run(*again, "--summary", "Another")
ok(status == 0 and changed(before, entry_of(host)) == ["summary"] and b"summary: Another (before: A test)" in out,
   "one fact changes that only, and the output says which", (out, errors))
found = host.json(*again, "--cmdline", "root=/dev/vdb")
ok(found.get("changes") == ["cmdline: root=/dev/vdb (before: root=/dev/vda1)"] and entry_of(host)["boot"]["kernel"] == before["boot"]["kernel"],
   "the command line of the kernel that is there", found)
found = host.json(*again, "--ready", "", "--memory", "", "--provides", "")
ok(changed(before, entry_of(host)) == ["boot", "provides", "ready", "resources", "summary"] and len(found["changes"]) == 3
   and "ready: none (before: login:)" in found["changes"] and "provides: none (before: linux=6, more)" in found["changes"],
   "an empty one is removed", found)
found = host.json(*again, "--arch", "x86_64")
ok(found.get("changes") == ["arch: x86_64 (before: aarch64)"] and entry_of(host)["osinfo"] == "debian12", "another architecture", found)
host.run("cache", "clear", "--only-copies", "--connect", "test:///default")
ok(host.list("layers") == host.list("blobs") == set(), "the files are removed")
status, out, errors = host.run(*again)
ok(status == 2 and "--kernel" in errors and host.list("layers") == set(), "a kernel that is gone has to be given again", errors)
found = host.json(*again, "--kernel", kernel)
ok(found.get("action") == "imported" and found["changes"] == [] and entry_of(host)["boot"]["cmdline"] == "root=/dev/vdb",
   "the file is back, and so is what the catalog said", found)
found = host.json(*again, "--kernel", "")
ok("boot" not in entry_of(host) and len(found["changes"]) == 2, "without the kernel, its command line goes too", found)
ok(host.run(*again, "--cmdline", "x")[0] == 2, "and none can be given")

# A damaged file that was made here cannot be pulled; the message says so, and it stays listed
def spoil(host, kind):
    [name] = host.list(kind)
    path = os.path.join(host.dir, kind, name)
    subprocess.run(["chattr", "-f", "-i", path], check=False)
    os.chmod(path, 0o644)
    with open(path, "r+b") as file:
        file.seek(70000)
        file.write(b"wrong")
    os.chmod(path, 0o444)


host = Host("damaged")
test = ["--connect", "test:///default"]
host.run(*again, "--kernel", kernel, "--ready", "login:")
spoil(host, "layers")
MADE_HERE = "made on this host, so import or build it again"
status, out, errors = host.run("pull", "d")
ok(status == 5 and MADE_HERE in errors and "URL" in errors, "pull says that a damaged layer was made here", errors)
ok(len(host.list("layers")) == 1 and host.list("quarantine") == set() and len(listed(host, "d")) == 1, "it stays, and is listed")
status, out, errors = host.run("cache", "verify", *test)
ok(status == 10 and MADE_HERE.encode() in out, "so does cache verify", (out, errors))
status, out, errors = host.run("cache", "verify", "--repair", *test)
ok(status == 10 and b"it was made on this host, and no catalog has a URL for it; import or build it again" in out, "and --repair", (out, errors))
found = host.json(*again)
ok(found.get("action") == "imported" and host.run("cache", "verify", *test)[0] == 0 and len(host.list("quarantine")) == 1
   and entry_of(host)["ready"] == "login:", "another import replaces it", found)
spoil(host, "blobs")
status, out, errors = host.run("pull", "d")
ok(status == 5 and MADE_HERE in errors, "the same for a kernel", errors)
status, out, errors = host.run(*again)
ok(status == 2 and "--kernel again" in errors, "which has to be given again", errors)
found = host.json(*again, "--kernel", kernel)
ok(found.get("action") == "unchanged" and host.run("cache", "verify", *test)[0] == 0, "and then is good", found)

# Names
for name, expected in {"debian-12.qcow2": ("debian", "12"), "Alma-9.4-amd64.raw.xz": ("alma", "9.4"), "debian-12-generic-amd64.qcow2": None,
                       "noble-server-cloudimg-amd64.img": None, "disk.qcow2": None, "a-1-2.qcow2": None, "x-1.2_arm64.img": ("x", "1.2"),
                       "-1.img": None, "x-1..img": None}.items():
    host = Host("name-" + name)
    path = os.path.join(work, name)
    shutil.copy(served("raw.img.xz" if name.endswith("xz") else "plain.qcow2"), path)
    status, out, errors = host.run("import", path, "--json")
    got = (json.loads(out)["name"], json.loads(out)["version"]) if status == 0 else None
    ok(got == expected and (got is not None or (status == 2 and "--as" in errors)), f"the name of {name}", (got, errors))
    os.remove(path)
for words, what in (["--as", "d"], "a version is missing"), (["--as", "os=d@1"], "a group"), (["--as", "D@1"], "not a name"), \
        (["--as", "d@1", "--arch", "x/y"], "not an architecture"), (["--as", "d@1", "--checksum", "sha256:12"], "not a checksum"), \
        (["--as", "d@1", "--checksum", "sha512:" + 64 * "0"], "another length"), (["--as", "d@1", "--memory", "x"], "not a size"), \
        (["--as", "d@1", "--checksum", "md5:" + 32 * "0"], "an MD5 checksum"), (["--as", "d@1", "--checksum", 32 * "0"], "one without its kind"), \
        (["--as", "d@1", "--checksum", "SHA256:" + 64 * "0"], "its kind in capitals"), (["--as", "d@1", "--checksum", ""], "an empty checksum"), \
        (["--as", "d@1", "--ready", "a\nb"], "two lines"), (["--as", "d@1", "--cmdline", "x"], "no kernel"):
    host = Host("usage")
    status, out, errors = host.run("import", url + "/ok/raw.img", *words)
    ok(status == 2 and host.list("catalogs") == set(), f"usage: {what}", (status, errors))
for digits, kind in (64 * "a", "sha256"), (128 * "B", "sha512"):
    status, out, errors = host.run("import", url + "/ok/raw.img", "--as", "d@1", "--checksum", digits)
    ok(status == 2 and f"write {kind}:{digits}" in errors, f"usage: {kind} without its kind", (status, errors))
ok(requests() == [], "which is found before anything is downloaded")

# Checksums
for words, expected in (["--checksum", "sha256:" + hash_of("raw.img")], 0), (["--checksum", "sha512:" + hash_of("raw.img", "sha512")], 0), \
        (["--checksum", url + "/ok/SHA256SUMS"], 0), (["--checksum", url + "/ok/SHA512SUMS"], 0), (["--checksum", "sha256:" + 64 * "0"], 6), \
        (["--checksum", url + "/ok/missing"], 5), (["--checksum", url + "/ok/raw.img.sum"], 0), (["--checksum", url + "/ok/twice"], 6), \
        (["--checksum", url + "/ok/plain.qcow2"], 6):
    with open(served("raw.img.sum"), "w", encoding="utf-8") as sums:
        sums.write(hash_of("raw.img") + "\n")
    with open(served("twice"), "w", encoding="utf-8") as sums:
        sums.write(f"{hash_of('raw.img')}  raw.img\n{64 * '0'}  x/raw.img\n")
    host = Host("checksum")
    status, out, errors = host.run("import", url + "/ok/raw.img", "--as", "d@1", *words)
    ok(status == expected and len(host.list("layers")) == (expected == 0) and left(host) == set(), f"a checksum: {words[1]}", (status, errors))
    shutil.rmtree(host.dir, ignore_errors=True) if os.getuid() else subprocess.run(["sh", "-c", 'chattr -R -f -i "$1"; rm -rf "$1"', "-", host.dir],
                                                                                  stderr=subprocess.DEVNULL, check=False)
host = Host("again")
requests()
sum256 = ["--checksum", "sha256:" + hash_of("raw.img")]
host.run("import", url + "/ok/raw.img", "--as", "d@1", *sum256)
ok(len(requests()) == 2, "a download takes a question and a transfer")
found = host.json("import", url + "/ok/raw.img", "--as", "d@1", *sum256)
ok(found.get("action") == "unchanged" and requests() == [], "with a checksum, nothing is downloaded again", found)
found = host.json("import", url + "/ok/raw.img", "--as", "d@1", "--checksum", "sha512:" + hash_of("raw.img", "sha512"))
ok(found.get("action") == "unchanged" and found["origin"].endswith(url + "/ok/raw.img"), "or it is found to be the same", found)
status, out, errors = host.run("import", url + "/ok/raw.img", "--as", "d@1")
ok(status == 0 and b"is there already" in out and "--checksum" in errors, "without one, a warning says so", errors)
status, out, errors = host.run("import", served("raw.img"), "--as", "e@1")
ok(status == 9 and "as d@1" in errors and len(listed(host, "d")) == 1, "the same image under another name", errors)
host = Host("secret")
status, out, errors = host.run("import", url.replace("//", "//user:secret@") + "/ok/raw.img", "--as", "d@1", *sum256)
with open(os.path.join(host.dir, "catalogs", "local.catalog"), encoding="utf-8") as file:
    ok(status == 0 and "secret" not in file.read(), "a password does not get into the catalog", errors)
status, out, errors = host.run("import", served("other.img"), "--as", "d@1")
ok(status == 9 and "choose another version" in errors and left(host) == set(), "other content under the same name", errors)
ok(host.run("import", served("other.img"), "--as", "d@2")[0] == 0 and len(listed(host, "d")) == 2, "another version")

# A name that is in use is found before anything is downloaded
requests()
status, out, errors = host.run("import", url + "/ok/other.img", "--as", "d@1", "--checksum", "sha256:" + 64 * "1")
ok(status == 9 and "choose another version" in errors and requests() == [], "other content, if a checksum says so, is not downloaded", errors)
status, out, errors = host.run("import", url + "/ok/raw.img", "--as", "e@1", *sum256)
ok(status == 9 and "as d@1" in errors and requests() == [], "nor the same one under another name", errors)
with open(os.path.join(host.dir, "catalogs", "local.catalog"), "r+", encoding="utf-8") as file:
    made = json.load(file)
    made["layers"][0]["builds"][0]["parent"] = "sha256:" + 64 * "1"
    shutil.copy(file.name, file.name + ".good")
    file.seek(0)
    file.truncate()
    json.dump(made, file)
status, out, errors = host.run("import", url + "/ok/raw.img", "--as", "d@1")
ok(status == 9 and "no base" in errors and requests() == [], "nor what would have the name of a layer that is no base", errors)
os.replace(file.name + ".good", file.name)
found = host.json("import", url + "/ok/raw.img", "--as", "d@1", "--checksum", "sha512:" + hash_of("raw.img", "sha512"))
ok(found.get("action") == "unchanged", "a checksum of another kind does not say so", found)
entry = {"name": "c", "version": "1", "group": "os", "builds": [{"digest": "sha256:" + 64 * "1", "size": 1, "urls": [url + "/ok/raw.img"]}]}
with open(os.path.join(work, "first.json"), "w", encoding="utf-8") as file:
    json.dump({"lamina-catalog": 1, "groups": [{"name": "os"}], "layers": [entry]}, file)
host.run("catalog", "add", "first", file.name, "--priority", "160")
requests()
for words in [url + "/ok/raw.img", *sum256], [url + "/ok/raw.img"], [served("other.img")]:
    status, out, errors = host.run("import", *words, "--as", "c@2")
    ok(status == 2 and "the catalog first" in errors and "another name" in errors and requests() == [] and listed(host, "c")[0]["version"] == "1",
       "nor is what a catalog of higher priority would hide", (status, errors))
entry["name"], entry["version"], entry["origin"] = "e", "1", "sha256:" + hash_of("raw.img")
entry["builds"][0].update(digest="sha256:" + plain, size=os.path.getsize(served("plain.qcow2")))
with open(file.name, "w", encoding="utf-8") as file:
    json.dump({"lamina-catalog": 1, "groups": [{"name": "os"}], "layers": [entry]}, file)
host.run("catalog", "update")
found = host.json("import", url + "/ok/raw.img", "--as", "e@1", *sum256)
ok(found.get("action") == "unchanged" and found["source"] == "first" and requests() == [], "what that catalog has made of the same image is used", found)

# Bad servers
for path, expected in ("cut:1000000:3", 0), ("cutwhole:3000000", 5), ("noranges", 0), ("fail:503:2", 0), ("chunked", 0), ("status:404", 5), \
        ("every:1100000", 0), ("newcut:50", 0), ("before:100", 0), ("badrange", 0), ("length:-5", 6), ("newetag", 0), ("close", 5), ("encoded", 6):
    host = Host("server-" + path)
    status, out, errors = host.run("import", f"{url}/{path}/raw.img", "--as", "d@1", *sum256, LAMINA_TEST_NO_DELAY="1")
    ok(status == expected, f"a server: {path}", (status, errors))
host = Host("flip")
status, out, errors = host.run("import", f"{url}/flip/raw.img", "--as", "d@1", *sum256)
ok(status == 6 and left(host) == set() and "wrong checksum" in errors, "wrong bytes are not kept", errors)
for words, kept in (sum256, True), ([], True):
    host = Host(f"killed-{len(words)}")
    status, out, errors = host.run("import", f"{url}/rate:16000000/raw.img", "--as", "d@1", *words, LAMINA_TEST_FAULT="part-after-write=kill")
    requests()
    size = sum(os.path.getsize(os.path.join(host.dir, "partial", name)) for name in left(host))
    status, out, errors = host.run("import", f"{url}/rate:16000000/raw.img", "--as", "d@1", *words)
    ranges = [rng for _, rng in requests()]
    ok(status == 0 and size > 0 and f"bytes={size}-" in ranges, "a killed download is continued", (size, ranges, errors))
    ok(left(host) == set(), "nothing is left")

# Kills
for point in "part-before-write", "unpack-read", "unpack-after-write", "convert-before-run", "convert-after-run", "part-before-sync", \
        "part-after-sync", "part-after-publish", "local-before-save", "local-after-save", "file-before-rename":
    host = Host("kill-" + point)
    status, out, errors = host.run("import", url + "/ok/raw.img.xz", "--as", "d@1", LAMINA_TEST_FAULT=point + "=kill")
    ok(status == -9 and (listed(host, "d") == []) == (point != "local-after-save"), f"killed at {point}", (status, errors))
    requests()
    found = host.json("import", url + "/ok/raw.img.xz", "--as", "d@1")
    ok(found.get("action") in ("imported", "unchanged") and left(host) == set() and len(host.list("layers")) == 1, "the next one succeeds",
       (found, left(host)))
    whole = [rng for _, rng in requests()]
    ok(point.startswith("part-before-w") or point.startswith("local-a") or whole == ["-"], "without another transfer", whole)
for point in "unpack-read", "convert-before-run", "part-before-write":
    for action, expected in ("enospc", 8), ("eio", 1):
        host = Host(f"{action}-{point}")
        status, out, errors = host.run("import", url + "/ok/raw.img.xz", "--as", "d@1", LAMINA_TEST_FAULT=f"{point}={action}")
        ok(status == expected and host.list("layers") == set(), f"{action} at {point}", (status, errors))
host = Host("full")
for name in "raw.img", "raw.img.xz", "plain.qcow2":
    for source in served(name), url + "/ok/" + name:
        status, out, errors = host.run("import", source, "--as", "d@1", LAMINA_TEST_FREE="100000")
        ok(status == 8 and host.list("layers") == set() and left(host) == set(), f"no space for {name}", (status, errors, left(host)))
for first in ["import", url + "/rate:8000000/raw.img", "--as", "d@1"], ["import", served("raw.img.xz"), "--as", "d@1"]:
    host = Host(f"two-{first[1][-2:]}")
    env = {**os.environ, "LAMINA_STATE_DIR": host.dir}
    both = [subprocess.Popen([lamina, *first, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) for _ in range(2)]
    results = [process.communicate() for process in both]
    ok([process.returncode for process in both] == [0, 0], "two at once both succeed", results)
    ok(left(host) == set() and len(host.list("layers")) == 1, "and leave one layer", left(host))
# The first one has made the layer, and is slow to write it to the disk: the second one makes it too, and waits
host = Host("slow")
first = Stopped(host, "part-before-sync", "import", served("raw.img.xz"), "--as", "d@1")
second = subprocess.Popen([lamina, "import", served("raw.img.xz"), "--as", "d@1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "LAMINA_STATE_DIR": host.dir})
for line in second.stderr:
    if line.startswith("converting"):
        break
time.sleep(2)
result = first.go_on()
out, errors = second.communicate()
ok(result[0] == 0 and second.returncode == 0, "an import waits for one that publishes the same", (result, out, errors))
ok(left(host) == set() and len(host.list("layers")) == 1, "and leaves nothing of its own", left(host))

# Hostile and other files
for kind in "base-with-backing", "base-with-json", "data-file", "data-file-name-only", "encrypted-luks", "corrupt", "size-65t", "l1-over-limit", \
        "autoclear-2", "snapshots-many":
    path = os.path.join(work, "hostile.qcow2")
    tool(sys.executable, os.path.join(lib, "mkqcow2.py"), kind, path)
    host = Host("hostile-" + kind)
    status, out, errors = host.run("import", path, "--as", "d@1")
    ok(status == 6 and host.list("layers") == set() and left(host) == set(), f"hostile: {kind}", (status, errors))
for what, data in ("html", b"<!DOCTYPE html><title>404</title>" + bytes(1000)), ("nothing", b""), ("text", b"hello\n" * 100), \
        ("VMDK", b"KDMV" + bytes(2000)), ("zip", b"PK\x03\x04" + bytes(2000)), ("odd", bytes(510) + b"\x55\xaa" + bytes(100)), \
        ("cut.xz", open(served("raw.img.xz"), "rb").read()[:1000000]), ("not.gz", b"\x1f\x8b" + bytes(100)):
    path = os.path.join(work, "file")
    with open(path, "wb") as file:
        file.write(data)
    host = Host("other-" + what)
    status, out, errors = host.run("import", path, "--as", "d@1")
    ok(status == 6 and host.list("layers") == set() and left(host) == set(), f"not an image: {what}", (status, errors))
for name in "plain.qcow2", "compressed.qcow2", "raw.img":
    path = os.path.join(work, "latest.qcow2")
    os.symlink(served(name), path)
    host = Host("link-" + name)
    found = host.json("import", path, "--as", "d@1", "--checksum", "sha256:" + hash_of(name))
    ok(found.get("action") == "imported" and found["digest"] == "sha256:" + plain and found["origin"].endswith(" latest.qcow2"),
       f"a symbolic link to {name}", found)
    ok(os.path.islink(path) and os.path.isfile(served(name)) and left(host) == set(), "link and file stay", left(host))
    os.remove(path)
os.symlink("latest.qcow2", path)
status, out, errors = Host("loop").run("import", path, "--as", "d@1")
ok(status == 1 and "latest.qcow2: Too many levels" in errors, "a link to itself", errors)
ok(Host("dir").run("import", work, "--as", "d@1")[0] == 1, "a directory")
ok(Host("none").run("import", work + "/none", "--as", "d@1")[0] == 1, "a missing file")
ok(Host("ftp").run("import", "ftp://h.example/x-1.img", "--as", "d@1")[0] == 5, "a scheme that is not known")

# The local catalog as a source, and what is the only copy
host = Host("local")
host.run("import", served("raw.img"), "--as", "d@1")
found = host.json("catalog", "list")
ok([(one["name"], one["url"]) for one in found["sources"]] == [("local", None)], "it is listed", found)
ok(host.run("catalog", "add", "local", served("raw.img"))[0] == 2 and host.run("catalog", "remove", "local")[0] == 2,
   "users can neither add nor remove it")
ok(host.run("catalog", "update")[0] == 0, "there is nothing to update")
status, out, errors = host.run("doctor", "--json", "--connect", "test:///default")
ok(b"local lists the layers made on this host" in out, "doctor knows it", out)
test = ["--connect", "test:///default"]
status, out, errors = host.run("cache", "clear", *test)
ok(status == 0 and b"made on this host; --only-copies removes it" in out and len(host.list("layers")) == 1, "cache clear keeps what was made here", out)
status, out, errors = host.run("cache", "gc", "--max-size", "0", *test)
ok(status == 8 and "layers made on this host" in errors and len(host.list("layers")) == 1, "so does cache gc", errors)
found = host.json("cache", "clear", "--dry-run", "--only-copies", *test)
ok([(file["removed"], file["reason"].startswith("made on this host, and lost unless")) for file in found["files"]] == [(True, True)],
   "a dry run says what would be lost", found)
exported = os.path.join(work, "d.lamina")
ok(host.run("cache", "export", exported, "d")[0] == 0 and Host("taken").json("cache", "import", exported)["source"] == "imported",
   "another host does not take it for its own")
ok(host.run("cache", "import", exported, "--as", "local")[0] == 2, "not even if its user wants to")
with open(os.path.join(work, "mirror.json"), "w", encoding="utf-8") as file:
    json.dump({"lamina-catalog": 1, "groups": [{"name": "os"}], "layers": [{"name": "m", "version": "1", "group": "os", "builds": [
        {"digest": "sha256:" + plain, "size": os.path.getsize(served("plain.qcow2")), "urls": [url + "/ok/plain.qcow2"]}]}]}, file)
host.run("catalog", "add", "mirror", file.name)
for words in ["cache", "clear"], ["cache", "gc", "--max-size", "0"]:
    status, out, errors = host.run(*words, *test)
    ok(len(host.list("layers")) == 1, f"{words[1]} keeps it also if another catalog has a URL, which may be dead", (out, errors))
host.run("catalog", "remove", "mirror")
with open(os.path.join(host.dir, "catalogs", "local.catalog"), "r+b") as file:
    catalog = file.read()
    file.truncate(100)
status, out, errors = host.run("cache", "clear", "--only-copies", *test)
ok(status != 0 and len(host.list("layers")) == 1, "if the catalog cannot be read, nothing is removed", errors)
with open(file.name, "wb") as file:
    file.write(catalog)
status, out, errors = host.run("cache", "clear", "--only-copies", *test)
ok(status == 0 and host.list("layers") == set() and listed(host, "d") == [], "--only-copies removes it, and it is not available", errors)
ok(host.run("plan", "d")[0] == 3, "nor can it be launched")
found = host.json("import", served("raw.img"), "--as", "d@1")
ok(found.get("action") == "imported" and len(listed(host, "d")) == 1, "another import brings it back", found)
server.stdin.close()
server.wait()
done_testing()
