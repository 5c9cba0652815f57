#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""outdated: newer versions of the layers of machines, and what creating them again would pull."""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import uuid

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from tap import done_testing, lamina, ok, state, work


def run(*words):
    done = subprocess.run([lamina, "outdated", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "LAMINA_STATE_DIR": state, "LIBVIRT_DEFAULT_URI": "test:///nowhere"})
    return done.returncode, done.stdout, done.stderr


def machines(*words):
    status, text, errors = run("--json", *words)
    ok(status == 0, f"outdated {' '.join(words)}", errors)
    return {machine["name"]: machine for machine in json.loads(text)["machines"]} if status == 0 else {}


def digest(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def entry(name, version, group, parents=(), **more):
    """A layer with one build for each of @parents; the digest of each is that of "NAME VERSION on PARENT"."""
    builds = [{"digest": digest(f"{name} {version} on {parent}"), "size": 1000, "urls": ["x"],
               **({"parent": digest(parent)} if parent else {})} for parent in parents or [""]]
    return {"name": name, "version": version, "group": group, "builds": builds, **more}


OLD, NEW, NEXT = "debian 12 on ", "debian 12.1 on ", "debian 13 on "
layers = [
    entry("debian", "12", "os"), entry("debian", "12.1", "os"), entry("debian", "13", "os"), entry("debian", "14~rc1", "os"),
    entry("nginx", "1.22", "web", [OLD, NEW], requires=["debian < 13"]), entry("nginx", "1.24", "web", [OLD, NEW], requires=["debian < 13"]),
    entry("nginx", "1.26", "web", [NEXT], requires=["debian >= 13"]), entry("nginx", "9", "other", [NEXT]),
    entry("mysql", "8", "db", [OLD]), entry("tool", "2", "web", arch="sparc64"), entry("tool", "1", "web"),
]
groups = [{"name": "os", "required": True}, *({"name": name} for name in ("web", "db", "other"))]


def write(name, value, mode=0o644):
    with open(os.path.join(work, name), "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.chmod(file.name, mode)
    return file.name


def source(verb, *words):
    done = subprocess.run([lamina, "catalog", verb, *words], env={**os.environ, "LAMINA_STATE_DIR": state}, capture_output=True, text=True)
    ok(done.returncode == 0, f"catalog {verb}", done.stderr)


def machine(name, requested, *chain, state_name="complete"):
    identity = str(uuid.uuid4())
    directory = os.path.join(state, "machines", identity)
    os.makedirs(directory, mode=0o711)
    os.chmod(os.path.join(state, "machines"), 0o711)
    made = [{"name": layer, "version": version, "group": group, "source": "lab", "digest": digest(f"{layer} {version} on {parent}"),
             "size": 1000, "urls": [], "path": "/nowhere"} for layer, version, group, parent in chain]
    write(os.path.join(directory, "record.json"),
          {"lamina-record": 1, "name": name, "uuid": identity, "uri": "test:///default", "state": state_name, "requested": requested,
           "resolved": [], "layers": made, "publish": []}, 0o600)
    return directory


source("add", "lab", write("lab.json", {"lamina-catalog": 1, "groups": groups, "layers": layers}))
BASE = ("debian", "12", "os", "")
machine("free", ["debian", "web=nginx"], BASE, ("nginx", "1.22", "web", OLD))
machine("pinned", ["debian@12", "nginx@1.22"], BASE, ("nginx", "1.22", "web", OLD))
machine("half", ["debian@12", "nginx"], BASE, ("nginx", "1.22", "web", OLD))
machine("current", ["debian@12", "mysql"], ("debian", "13", "os", ""))
machine("gone", ["debian", "redis"], BASE, ("redis", "7", "db", OLD))
machine("ahead", ["debian"], ("debian", "13.5", "os", ""))
machine("foreign", ["debian", "tool"], ("debian", "13", "os", ""), ("tool", "1", "web", NEXT))
machine("removed", ["debian"], BASE, state_name="removing")


def snapshot():
    return {os.path.join(top, name): os.lstat(os.path.join(top, name)).st_mtime_ns
            for top, _, names in os.walk(state) for name in names}


run()
before = snapshot()
found = machines()
ok(set(found) == {"free", "pinned", "half", "current", "gone", "ahead", "foreign"}, "all complete machines are listed", found)
rows = {name: {layer["name"]: (layer["version"], layer["wanted"], layer["newest"], layer["outdated"]) for layer in one["layers"]}
        for name, one in found.items()}
ok(rows["free"] == {"debian": ("12", "13", "13", True), "nginx": ("1.22", "1.26", "1.26", True)}, "selections without versions", rows["free"])
ok(found["free"]["bytes_to_pull"] == 2000 and found["free"]["outdated"] is True, "both would be pulled", found["free"])
ok(rows["pinned"] == {"debian": ("12", "12", "13", True), "nginx": ("1.22", "1.22", "1.26", True)},
   "selections with versions want these, and the newest are shown", rows["pinned"])
ok(rows["half"] == {"debian": ("12", "12", "13", True), "nginx": ("1.22", "1.24", "1.26", True)},
   "what is wanted fits the other selections", rows["half"])
ok(rows["current"] == {"debian": ("13", "12", "13", False)} and found["current"]["outdated"] is False, "nothing newer", rows["current"])
ok(rows["gone"]["redis"] == ("7", None, None, False) and "redis" in found["gone"]["problem"] and "bytes_to_pull" not in found["gone"],
   "a layer that no catalog lists", found["gone"])
ok(rows["gone"]["debian"] == ("12", None, "13", True), "others of that machine are compared nevertheless", rows["gone"])
ok(rows["ahead"]["debian"] == ("13.5", "13", "13", False), "an older one is not newer", rows["ahead"])
ok(rows["foreign"]["tool"][2] == "1", "other architectures do not count", rows["foreign"])
ok(snapshot() == before, "nothing was changed", set(snapshot().items()) ^ set(before.items()))

status, text, errors = run()
lines = [line.split() for line in text.splitlines()]
ok(status == 0 and lines[0] == ["MACHINE", "LAYER", "VERSION", "WANTED", "NEWEST", "TO", "PULL"], "there is a table", text + errors)
ok(["free", "debian", "12", "13", "13", "2.0", "KiB"] in lines and ["free", "nginx", "1.22", "1.26", "1.26"] in lines,
   "the first row of a machine has what it would pull", text)
ok(["gone", "redis", "7", "?", "unknown"] in lines, "unknown layers are in it", text)
ok(not {"current", "ahead"} & {line[0] for line in lines}, "but no machine that is not outdated", text)
ok("gone cannot be created again" in errors and "foreign cannot" in errors and errors.count("warning") == 2,
   "there is a warning about what cannot be created again", errors)
ok(set(machines("free", "half")) == {"free", "half"}, "machines can be named")
status, text, errors = run("current")
ok(status == 0 and text == "none of 1 machine is outdated\n", "one that is not outdated", text)
status, text, errors = run("free", "missing")
ok(status == 3 and text == "" and "missing" in errors, "one that does not exist", errors)

lost = machine("lost", ["debian"], BASE)
with open(os.path.join(lost, "record.json"), "r+", encoding="utf-8") as record:
    record.truncate(9)
status, text, errors = run()
ok(status == 1 and "free" in text and lost in errors and "1 record could not be read" in errors,
   "a record that cannot be read is a failure, after what can be said", (status, text, errors))
status, text, errors = run("--json")
ok(status == 1 and json.loads(text)["unreadable"] == 1 and len(json.loads(text)["machines"]) == 7, "also as JSON", (status, text))
status, text, errors = run("current")
ok(status == 0 and text == "none of 1 machine is outdated; others could not be read\n", "not for machines that are named", text)
shutil.rmtree(lost)

source("remove", "lab")
found = machines()
ok(all(layer["newest"] is None and layer["wanted"] is None and not layer["outdated"] for one in found.values() for layer in one["layers"]),
   "without a catalog everything is unknown", found)
status, text, errors = run("free")
ok(status == 0 and text.count("unknown") == 2, "and shown so", text)
done_testing()
