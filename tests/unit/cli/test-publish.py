#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lamina publish: what is in the directory, and that its readers never meet a missing file."""
import atexit
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from chainworld import Host, base, base_contents, build, child, child_contents, digest, kernel, layer, origin, other
from tap import done_testing, lamina, ok, skip, work


def name_of(data, kind="layers"):
    return f"{kind}/sha256-{digest(data)[7:]}" + (".qcow2" if kind == "layers" else "")


def files_in(web):
    return {os.path.relpath(os.path.join(top, name), web) for top, _, names in os.walk(web) for name in names}


def catalog_of(web):
    with open(os.path.join(web, "catalog.json"), encoding="utf-8") as file:
        return json.load(file)


def is_whole(web):
    """Whether each file that the catalog names is there, with the right content; also if there is none."""
    if not os.path.exists(os.path.join(web, "catalog.json")):
        return True
    for entry in catalog_of(web)["layers"]:
        for blob in [*entry["builds"], *(entry.get("boot", {}).get(part) for part in ("kernel", "initrd") if part in entry.get("boot", {}))]:
            assert len(blob["urls"]) == 1 and "/" not in blob["urls"][0].replace("/", "", 1), blob
            with open(os.path.join(web, blob["urls"][0]), "rb") as file:
                data = file.read()
            if digest(data) != blob["digest"] or len(data) != blob["size"]:
                return False
    return True


host = origin()
host.run("pull", "debian", "nginx")
web = os.path.join(work, "web")
status, out, errors = host.run("publish", web)
ok(status == 3 and not os.path.exists(web) and "made no layers" in errors, "without names: what this host made, which is nothing", errors)
found = host.json("publish", web, "nginx")
ok([(file["name"], file["kind"]) for file in found.get("files", [])] == [("kernel", "blob"), ("debian", "layer"), ("nginx", "layer")]
   and found["layers"] == 2 and found["changed"] and all(file["action"] in ("copied", "cloned", "linked") for file in found["files"]),
   "a layer is published with its parents and their kernel", found)
ok(files_in(web) == {"catalog.json", name_of(base), name_of(child), name_of(kernel, "blobs")}, "nothing else is there", files_in(web))
ok(is_whole(web) and all(os.stat(os.path.join(web, name)).st_mode & 0o444 == 0o444 for name in files_in(web)), "everybody can read it")
text = json.dumps(catalog_of(web))
ok("secret" not in text and work not in text and "mirror.example" not in text, "the URLs are relative", text)
entry = [one for one in catalog_of(web)["layers"] if one["name"] == "debian"][0]
ok((entry["ready"], entry["osinfo"], entry["boot"]["cmdline"], entry["provides"]) == ("login:", "http://debian.org/debian/12", "root=/dev/vda", ["linux = 6"]),
   "the entries are complete", entry)
ok([contents.items() <= one["builds"][0].items() for contents, one in zip((base_contents, child_contents), catalog_of(web)["layers"])] == [True, True],
   "also about their contents", catalog_of(web))
before = {name: os.stat(os.path.join(web, name)).st_ino for name in files_in(web)}
found = host.json("publish", web, "nginx@1.24")
ok(not found.get("changed") and {file["action"] for file in found["files"]} == {"there"}
   and before == {name: os.stat(os.path.join(web, name)).st_ino for name in files_in(web)}, "again: nothing happens", found)
host.run("pull", "debian", "mysql")
found = host.json("publish", web, "mysql")
ok(found.get("layers") == 3 and is_whole(web) and name_of(other) in files_in(web), "another one is merged", found)
for words, expected in (["perl"], 3), (["nginx@9"], 3), (["web=mysql"], 3), (["Not a name"], 2), (["--prune=x"], 2):
    ok(host.run("publish", web, *words)[0] == expected, f"publish {words[0]} ends with {expected}")
status, out, errors = host.run("publish", os.path.join(work, "no", "parent"), "nginx")
ok(status == 1, "the parent of the directory must exist", errors)

# Another host uses it
second = Host("second")
found = second.json("catalog", "add", "web", os.path.join(web, "catalog.json"))
found = second.json("pull", "debian", "nginx")
ok(found.get("pulled", {}).get("files") == 3, "another host pulls from it", found)

# What is missing or damaged
host.run("pull", "debian", "nginx")
path = host.file(name_of(child))
shutil.move(path, path + ".away")
status, out, errors = host.run("publish", os.path.join(work, "missing"), "nginx")
ok(status == 3 and "pull it first" in errors and not os.path.exists(os.path.join(work, "missing")), "a file that is not cached", errors)
with open(path, "wb") as file:
    file.write(child[:-1] + bytes([child[-1] ^ 1]))
status, out, errors = host.run("publish", os.path.join(work, "damaged"), "nginx")
ok(status == 6 and "damaged" in errors and not os.path.exists(os.path.join(work, "damaged")), "a damaged one is refused", errors)
os.remove(host.file(name_of(child)))
shutil.move(path + ".away", path)
os.chmod(os.path.join(web, name_of(child)), 0o644)
if os.stat(path).st_ino != os.stat(os.path.join(web, name_of(child))).st_ino:
    with open(os.path.join(web, name_of(child)), "r+b") as file:
        file.write(b"x")
    status, out, errors = host.run("publish", web, "nginx")
    ok(status == 6 and "remove it" in errors, "a file in the directory with other content", errors)
    os.remove(os.path.join(web, name_of(child)))
    ok(host.run("publish", web, "nginx")[0] == 0 and is_whole(web), "which is written again once it is removed")

# The same name and version with other content, unused files, and the time of grace
maker = Host("maker")
image = os.path.join(work, "image.qcow2")
for size in 8388608, 16777216:
    with open(image, "wb") as file:
        file.write(layer("good-v3", size=size))
    maker.run("import", image, "--as", f"d@{size}")
own = os.path.join(work, "own")
found = maker.json("publish", own)
ok(found.get("layers") == 2 and is_whole(own), "without names: what this host made", found)
local = os.path.join(maker.dir, "catalogs", "local.catalog")
with open(local, encoding="utf-8") as file:
    changed = file.read().replace("8388608", "x").replace("16777216", "8388608").replace('"x"', '"16777216"')
with open(local, "w", encoding="utf-8") as file:
    file.write(changed)
status, out, errors = maker.run("publish", own, "d@8388608")
ok(status == 9 and "another version" in errors and is_whole(own), "other content under a published name", errors)
found = maker.json("publish", own, "--force")
ok(found.get("changed") and found["layers"] == 2 and is_whole(own), "--force replaces it", found)
with open(os.path.join(own, "catalog.json"), encoding="utf-8") as file:
    catalog = json.load(file)
gone = catalog["layers"].pop()["builds"][0]["urls"][0]
with open(os.path.join(own, "catalog.json"), "w", encoding="utf-8") as file:
    json.dump(catalog, file)
left = catalog["layers"][0]["version"]
found = maker.json("publish", own, f"d@{left}", "--prune")
ok(found["removed"] == [] and gone in files_in(own), "an unused file stays for a time of grace", found)
note = os.path.join(own, ".lamina-unused")
with open(note, encoding="utf-8") as file:
    line = file.read()
ok(line.endswith(f" {gone}\n") and abs(int(line.split()[0]) - time.time()) < 60, "which is noted", line)
with open(note, "w", encoding="utf-8") as file:
    file.write(f"{int(time.time()) - 6 * 86400} {gone}\nnonsense\n99999999999 blobs/x\n")
ok(maker.json("publish", own, f"d@{left}", "--prune")["removed"] == [], "after six days too")
ok(maker.json("publish", own, f"d@{left}")["removed"] == [] and maker.json("publish", own, f"d@{left}", "--prune=8")["removed"] == [], "only --prune removes")
open(os.path.join(own, "layers", "README"), "w", encoding="utf-8").close()
found = maker.json("publish", own, f"d@{left}", "--prune=5")
ok(found["removed"] == [gone] and gone not in files_in(own) and not os.path.exists(note) and "layers/README" in files_in(own),
   "then --prune removes it, and nothing that is not lamina's", (found, files_in(own)))
ok(is_whole(own), "the catalog is whole")

# A catalog of somebody else
foreign = os.path.join(work, "foreign")
os.makedirs(foreign)
for content, expected in (json.dumps({"lamina-catalog": 1, "groups": [{"name": "os"}], "layers": [
        {"name": "x", "version": "1", "group": "os", "builds": [build(base, "x.qcow2")]}]}), 9), ("nonsense", 9), ("{}", 9), (
        json.dumps({"lamina-catalog": 1, "groups": [{"name": "os"}], "layers": [
            {"name": "x", "version": "1", "group": "os", "builds": [build(base, "https://mirror.example/x.qcow2")]}]}), 9), (
        "# a note\nlamina-catalog: 1\ngroups: [{name: os}]\nlayers: []\n", 9):
    with open(os.path.join(foreign, "catalog.json"), "w", encoding="utf-8") as file:
        file.write(content)
    status, out, errors = host.run("publish", foreign, "nginx")
    with open(os.path.join(foreign, "catalog.json"), encoding="utf-8") as file:
        ok(status == expected and file.read() == content and os.listdir(foreign) == ["catalog.json"],
           "a catalog that lamina did not write stays, and nothing is added", (status, errors, os.listdir(foreign)))
planted, target = os.path.join(work, "planted"), os.path.join(work, "target")
os.makedirs(planted)
os.makedirs(target)
os.symlink(target, os.path.join(planted, "layers"))
status, out, errors = host.run("publish", planted, "nginx")
ok(status == 1 and "symbolic link" in errors and os.listdir(target) == [] and os.listdir(planted) == ["layers"], "a symbolic link is not followed",
   (status, errors))

# Replacing, which must not take away what others stand on
web = os.path.join(work, "replaced")
host.run("publish", web, "nginx")
for entry, say in ({"name": "debian", "version": "12"}, "with other content"), ({"name": "renamed", "version": "1"}, "is published already, as"):
    catalog = catalog_of(web)
    mine = [one for one in catalog["layers"] if one["name"] == "debian"][0]
    if entry["name"] == "renamed":
        mine["name"] = "before"
    else:
        mine["builds"][0].update(digest=digest(other), size=len(other), urls=[name_of(other)])
    with open(os.path.join(web, "catalog.json"), "w", encoding="utf-8") as file:
        json.dump(catalog, file)
    status, out, errors = host.run("publish", web, "debian")
    ok(status == 9 and say in errors and catalog_of(web) == catalog, f"publish refuses what is there {say}", (status, errors))
    os.remove(os.path.join(web, "catalog.json"))
    host.run("publish", web, "nginx")
catalog = catalog_of(web)
catalog["layers"] = [one for one in catalog["layers"] if one["name"] != "debian"]
with open(os.path.join(web, "catalog.json"), "w", encoding="utf-8") as file:
    json.dump(catalog, file)
before = files_in(web)
maker.run("pull", "debian")
status, out, errors = maker.run("publish", web, "--force", "--prune=0")
ok(status == 9 and "would not be published" in errors and files_in(web) == before, "a layer without its parent is refused, and nothing is pruned",
   (status, errors))

before = host.cached()
status, out, errors = host.run("publish", host.dir, "nginx", "--prune=0")
ok(status == 9 and "state directory" in errors and host.cached() == before and not os.path.exists(os.path.join(host.dir, "catalog.json")),
   "a state directory is left alone", errors)

# Kills and failures
for point in "publish-file-before-rename", "publish-before-catalog", "publish-after-catalog", "file-before-rename", "publish-before-rename":
    web = os.path.join(work, "kill-" + point)
    status, out, errors = host.run("publish", web, "debian")
    status, out, errors = host.run("publish", web, "nginx", "mysql", LAMINA_TEST_FAULT=point + "=kill")
    ok(is_whole(web), f"killed at {point}: the catalog is whole", (status, errors))
    status, out, errors = host.run("publish", web, "nginx", "mysql")
    ok(status == 0 and is_whole(web) and len(catalog_of(web)["layers"]) == 3, "the next one completes it", errors)
    ok(files_in(web) == {"catalog.json", name_of(base), name_of(child), name_of(other), name_of(kernel, "blobs")}, "nothing else is left", files_in(web))
for point in "publish-file-before-rename", "publish-before-catalog":
    for action, expected in ("enospc", 8), ("eio", 1):
        web = os.path.join(work, f"{action}-{point}")
        status, out, errors = host.run("publish", web, "nginx", LAMINA_TEST_FAULT=f"{point}={action}")
        linked = status == 0 and point == "publish-file-before-rename"
        ok(linked or (status == expected and "catalog.json" not in files_in(web)), f"{action} at {point}", (status, errors))
# Space, and progress. Immutable files and those of another file system are copied.
place = work
if not any(file["action"] == "copied" for file in host.json("publish", os.path.join(work, "how"), "nginx")["files"]):
    place = tempfile.mkdtemp(dir="/dev/shm") if os.path.isdir("/dev/shm") and os.stat("/dev/shm").st_dev != os.stat(work).st_dev else None
    place is None or atexit.register(shutil.rmtree, place, True)
web = os.path.join(place or work, "space")
status, out, errors = host.run("publish", web, "nginx", LAMINA_TEST_FREE="10000")
ok(status == 8 and "has 9.8 KiB free, but " in errors and web in errors and not os.path.exists(web), "no space: nothing is there", (status, errors))
if place is None:
    skip("space for copies, and their progress", "files are shared, and /dev/shm is no other file system")
else:
    needed = len(base) + len(child) + len(kernel)
    status, out, errors = host.run("publish", web, "nginx", LAMINA_TEST_FREE=str(needed))
    ok(status == 8 and not os.path.exists(web), "all copies have to fit, and the catalog", (status, errors))
    status, out, errors = host.run("publish", web, "debian", LAMINA_TEST_FREE=str(needed))
    ok(status == 0 and is_whole(web) and "copying debian (256.0 KiB)" in errors and "copied kernel" in errors, "fewer do; it says what is copied",
       (status, errors))
    before = files_in(web)
    status, out, errors = host.run("publish", web, "nginx", LAMINA_TEST_FREE="10000")
    ok(status == 8 and files_in(web) == before, "what is there stays as it is", (status, errors))
    status, out, errors = host.run("publish", web, "nginx", LAMINA_TEST_FREE=str(len(child) + 100000))
    ok(status == 0 and is_whole(web) and "debian" not in errors, "what is there already needs no space", (status, errors))
    web = os.path.join(place, "full")
    status, out, errors = host.run("publish", web, "nginx", LAMINA_TEST_FAULT="publish-before-write=enospc")
    ok(status == 8 and "no space is left for " + web in errors and "publish again" in errors and files_in(web) == set(),
       "the file system becomes full: nothing half-made is there", (status, errors, files_in(web)))
    status, out, errors = host.run("publish", web, "nginx", "--progress=json")
    events = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
    events = [event for event in events if event["event"] == "publish"]
    ok(events and events[-1]["done"] == events[-1]["total"] == needed and [file["state"] for file in events[-1]["files"]] == 3 * ["done"]
       and sorted(event["done"] for event in events) == [event["done"] for event in events], "progress for programs", events)
    subprocess.run(["rm", "-rf", web], check=True)

web = os.path.join(work, "two")
env = {**os.environ, "LAMINA_STATE_DIR": host.dir}
both = [subprocess.Popen([lamina, "publish", web, name], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env) for name in ("nginx", "mysql")]
results = [process.communicate() for process in both]
ok([process.returncode for process in both] == [0, 0] and len(catalog_of(web)["layers"]) == 3 and is_whole(web), "two at once lose nothing", results)
done_testing()
