#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""cache gc, show, du, pin and unpin: output, exit statuses, and kills at each fault point.
libvirt's test driver reads its domains from a file."""
import glob
import json
import os
import re
import sqlite3
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from tap import done_testing, lamina, ok, state, work

mkqcow2 = os.path.join(os.environ["G_TEST_SRCDIR"], "lib", "mkqcow2.py")
node = os.path.join(work, "node.xml")
uri = "test://" + node


def run(*words, fault=None, status=0):
    environment = {**os.environ, "LAMINA_STATE_DIR": state, "LIBVIRT_DEFAULT_URI": uri}
    if fault:
        environment["LAMINA_TEST_FAULT"] = fault
    done = subprocess.run([lamina, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment)
    ok(done.returncode == status, f"lamina {' '.join(words)} ends with {status}", f"{done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def define(*paths):
    """Makes a domain for each path, which is its disk."""
    domains = "".join(
        f"<domain type='test'><name>vm{number}</name><uuid>00000000-0000-4000-8000-00000000000{number}</uuid>"
        f"<memory>8192</memory><os><type arch='i686'>hvm</type></os><devices><disk type='file'><source file='{path}'/>"
        "<target dev='vda' bus='virtio'/></disk></devices></domain>" for number, path in enumerate(paths))
    with open(node, "w", encoding="utf-8") as file:
        file.write(f"<node>{domains}</node>")


def sha256(path):
    return subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]


def layer(name, parent=None):
    path = os.path.join(work, name)
    words = ["good-v3-child", path, "--parent", parent] if parent else ["good-v3", path]
    subprocess.run([sys.executable, mkqcow2, *words], check=True)
    # Layers that differ, and all occupy space.
    with open(path, "r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(name.encode() * 65536)
    return sha256(path)


def entry(name, digest, parent=None):
    build = {"digest": "sha256:" + digest, "size": os.path.getsize(os.path.join(work, name)), "urls": [os.path.join(work, name)]}
    if parent:
        build["parent"] = "sha256:" + parent
    return {"name": name, "version": "1.0", "group": "app" if parent else "os", "builds": [build]}


def cached():
    names = {path: name for name, path in digests.items()}
    return "".join(sorted(names[file[7:71]] for file in os.listdir(os.path.join(state, "layers"))))


def pull(*names):
    for name in names:
        run("pull", "a", name)


def path_of(name):
    return os.path.join(state, "layers", f"sha256-{digests[name]}.qcow2")


define()
run("cache", "gc", "--dry-run", "--min-free", "1KiB")
ok(not os.path.exists(state), "a dry run without a state directory creates none")
digests = {"a": layer("a")}
for child in "ce":
    digests[child] = layer(child, digests["a"])
catalog = os.path.join(work, "catalog.json")
with open(catalog, "w", encoding="utf-8") as out:
    json.dump({"lamina-catalog": 1, "groups": [{"name": "os"}, {"name": "app"}],
               "layers": [entry("a", digests["a"]), entry("c", digests["c"], digests["a"]), entry("e", digests["e"], digests["a"])]}, out)
run("catalog", "add", "lab", catalog)
pull("c", "e")

# Why each file stays or goes
define(path_of("c"))
text, _ = run("cache", "gc", "--dry-run", "--max-size", "1B", status=8)
lines = {line.split()[1]: line for line in text.splitlines() if line.startswith("layer")}
for name in "ac":
    ok("kept: domain vm0 (running, on test:///" in lines[name], f"{name} is kept for the domain", text)
ok("removed: not used since it was pulled on 20" in lines["e"], "e would be removed", text)
ok(cached() == "ace", "a dry run removes nothing", cached())
text, _ = run("cache", "gc", "--dry-run")
ok(text.count("kept:") == 3 and "not needed, but there is room" in text, "without a limit everything is kept", text)
text, errors = run("cache", "gc", "--max-size", "1B", status=8)
ok(cached() == "ac" and "e 1.0 (" in text and "removed: " in text, "e is removed", text)
ok("cannot be freed; needed by domain vm0 (running" in errors, "the message says who needs the rest", errors)
together = subprocess.run([lamina, "-c", uri, "cache", "gc", "--max-size", "1B"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "LAMINA_STATE_DIR": state}, stdin=subprocess.DEVNULL, check=False).stdout.splitlines()
ok(together[0].startswith("KIND") and together[-1].startswith("lamina: "), "in a log, it follows the result", together)
text, _ = run("cache", "gc", "--json", "--max-size", "1GiB")
document = json.loads(text)
ok(document["freed"] == 0 and document["missing"] == 0 and document["max_size"] == 1 << 30, "the totals in JSON", text)
ok([file["users"][0]["name"] for file in document["files"]] == ["vm0", "vm0"], "the users in JSON", text)
run("cache", "gc", "--max-size", "much", status=2)

# show and du
text, _ = run("cache", "show", "c")
ok(digests["c"] in text and "used by    domain vm0 (running, on" in text and "parent     a 1.0 (" in text, "show of a child", text)
text, _ = run("cache", "show", "--json", digests["a"][:10])
document = json.loads(text)
ok(document["children"] == ["sha256:" + digests["c"]] and document["name"] == "a" and document["users"][0]["kind"] == "domain",
   "show of the base", text)
text, _ = run("cache", "du", "--json")
document = json.loads(text)
ok(document["used"] > 0 and document["unused"] == 0 and document["machines"] == [], "du", text)
run("cache", "du")
run("cache", "show", "nothing", status=3)

# Pins
define()
text, _ = run("cache", "pin", "c")
ok("is now pinned" in text, "pinned", text)
text, _ = run("cache", "pin", "sha256:" + digests["c"])
ok("was already pinned" in text, "pinned again", text)
run("cache", "pin", "a", "nothing", status=3)
text, _ = run("cache", "list")
ok(re.search(r"^layer +c .* pinned$", text, re.M) and text.count("pinned") == 1, "the list shows the pin", text)
text, _ = run("cache", "list", "--json")
ok([(file["name"], file["pinned"]) for file in json.loads(text)["files"] if file["pinned"]] == [("c", True)], "also as JSON", text)
text, errors = run("cache", "gc", "--max-size", "1B", status=8)
held = re.search(r"([0-9.]+ .iB) cannot be freed; needed by pinned files: ([0-9.]+ .iB)", errors)
ok(cached() == "ac" and held and held[1] == held[2], "a pinned layer and its parent stay", errors)
text, _ = run("cache", "unpin", "--json", "c")
ok(json.loads(text)["files"][0]["changed"] is True, "unpinned", text)
run("cache", "pin", "c")
lost = os.path.join(state, "layers", f"sha256-{digests['c']}.qcow2")
subprocess.run(["chattr", "-f", "-i", lost], stderr=subprocess.DEVNULL, check=False)
os.rename(lost, lost + ".aside")
run("cache", "pin", "c", status=3)
text, _ = run("cache", "unpin", "c")
ok("c 1" in text and "is now unpinned" in text, "a file that is gone is unpinned by its name", text)
run("cache", "unpin", "sha256:" + digests["c"], status=3)
os.rename(lost + ".aside", lost)

# The libvirt connection cannot be opened
os.unlink(node)
_, errors = run("cache", "gc", "--max-size", "1B", status=7)
ok(cached() == "ac" and "node.xml" in errors, "nothing is removed if libvirt cannot be asked", errors)
text, _ = run("cache", "gc")
ok(cached() == "ac", "without a limit, that is no error", text)
define()

# Killed at each point, then once more: what is needed is there, and the rest goes.
for point in "collect-before-remove", "cache-after-unlink", "collect-after-remove":
    pull("c", "e")
    define(path_of("c"))
    run("cache", "gc", "--max-size", "1B", fault=point + "=kill", status=-9)
    ok(os.path.exists(path_of("a")) and os.path.exists(path_of("c")), f"{point}: what is used is there")
    run("cache", "gc", "--max-size", "1B", status=8)
    ok(cached() == "ac", f"{point}: the rest goes", cached())
define()

# Two collections and pulls at the same time
environment = {**os.environ, "LAMINA_STATE_DIR": state, "LIBVIRT_DEFAULT_URI": uri}
for _ in range(3):
    pull("c")
    both = [subprocess.Popen([lamina, *words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for words in (("cache", "gc", "--max-size", "1B"), ("cache", "gc", "--max-size", "1B"), ("pull", "a", "e"))]
    results = [(process.communicate()[1], process.returncode) for process in both]
    ok(results[2][1] == 0, "the pull succeeds", results)
    ok(all(status in (0, 8) for _, status in results), "the collections find room, or say who is at work", results)
    run("cache", "gc", "--max-size", "1B")
    ok(cached() == "", "everything is removed in the end", cached())

# A pull makes room for itself; the database was deleted.
pull("c", "e")
for name in os.listdir(state):
    if name.startswith("lamina.db"):
        os.unlink(os.path.join(state, name))
config = os.path.join(work, "lamina.conf")
text, _ = run("cache", "gc", "--json", "--dry-run")
occupied = json.loads(text)["occupied"]
run("cache", "gc", "--max-size", f"{occupied - 1}B")
ok(len(cached()) == 2 and "a" in cached(), "one of two leaves is removed", cached())
other = "c" if "e" in cached() else "e"
with open(config, "w", encoding="utf-8") as out:
    out.write(f"[lamina]\nmax-size = {occupied - 1}B\n")
run("--config", config, "pull", "a", other)
ok(cached() == "".join(sorted("a" + other)), "the other one made room", cached())
with open(config, "w", encoding="utf-8") as out:
    out.write("[lamina]\nmax-size = 400KB\n")
_, errors = run("--config", config, "pull", "a", "c" if other == "e" else "e", status=8)
ok("max-size is" in errors and "lamina processes at work" in errors, "there is no room beside the base", errors)
ok(cached() == "".join(sorted("a" + other)), "nothing is removed in vain", cached())
with open(config, "w", encoding="utf-8") as out:
    out.write("[lamina]\nmax-size = nothing\n")
run("--config", config, "cache", "list", status=2)

# A table is damaged, which nothing reads when the database is opened.
for table in "pin", "use":
    pull("c")
    run("cache", "pin", "c")
    path = os.path.join(state, "lamina.db")
    database = sqlite3.connect(path)
    page = database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    size = database.execute("PRAGMA page_size").fetchone()[0]
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with open(path, "r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"U" * size)
    _, errors = run("cache", "gc", "--max-size", "1B")
    ok("pins and history are lost" in errors and cached() == "", f"{table}: it is set aside, and the collection goes on", errors)
database = sqlite3.connect(path)
ok(database.execute("PRAGMA integrity_check").fetchone() == ("ok",), "the database is intact")
# A record, which may come from the metadata of a domain, gives sizes of which no file is, or larger ones.
with open(config, "w", encoding="utf-8") as out:
    out.write(f"[lamina]\nmax-size = {occupied * 2}B\n")
run("define", "m", "a", "e", "--config", config)
record, = glob.glob(os.path.join(state, "machines", "*", "record.json"))
pull("c")
for name in "ae":
    subprocess.run(["chattr", "-f", "-i", path_of(name)], stderr=subprocess.DEVNULL, check=False)
    os.unlink(path_of(name))
with open(record, encoding="utf-8") as file:
    text = json.load(file)
for size, status, says in (2 ** 44, 8, "32.0 TiB more are needed"), (2 ** 63 - 1, 1, "its size is not a number from 0 to 17592186044416"):
    for blob in text["layers"]:
        blob["size"] = size
    with open(record, "w", encoding="utf-8") as out:
        json.dump(text, out)
    _, errors = run("--config", config, "pull", "--machine", "m", status=status)
    ok(says in errors and cached() == "c", f"{size}: no room is made for so much, and nothing is removed", (errors, cached()))
done_testing()
