#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""cache verify and cache clear: what they find, repair, remove and keep; sources that lie or
are gone; kills at each fault point. libvirt's test driver reads its domains from a file."""
import glob
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from tap import done_testing, lamina, ok, skip, state, work

mkqcow2 = os.path.join(os.environ["G_TEST_SRCDIR"], "lib", "mkqcow2.py")
node = os.path.join(work, "node.xml")
environment = {**os.environ, "LAMINA_STATE_DIR": state, "LIBVIRT_DEFAULT_URI": "test://" + node, "LAMINA_TEST_NO_DELAY": "1"}


def run(*words, fault=None, status=0):
    extra = {"LAMINA_TEST_FAULT": fault} if fault else {}
    done = subprocess.run([lamina, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, env={**environment, **extra})
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
    with open(path, "r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(name.encode() * 300000)
    return sha256(path)


def entry(name, digest, parent=None):
    build = {"digest": "sha256:" + digest, "size": os.path.getsize(os.path.join(work, name)), "urls": [os.path.join(work, name)]}
    if parent:
        build["parent"] = "sha256:" + parent
    return {"name": name, "version": "1.0", "group": "app" if parent else "os", "builds": [build]}


def path_of(name):
    if name == "kernel":
        return os.path.join(state, "blobs", f"sha256-{digests[name]}")
    return os.path.join(state, "layers", f"sha256-{digests[name]}.qcow2")


def note_of(name):
    return os.path.join(state, "verified", os.path.basename(path_of(name)))


def unlock(path):
    subprocess.run(["chattr", "-f", "-i", path], check=False)


def is_immutable(path):
    done = subprocess.run(["lsattr", path], capture_output=True, text=True, check=False)
    return done.returncode == 0 and "i" in done.stdout.split()[0]


def rot(name, offset=-5, data=b"wrong"):
    """Changes the contents on the disk, as a failing disk does: nothing else shows it."""
    path = path_of(name)
    before = os.stat(path)
    unlock(path)
    os.chmod(path, 0o644)
    with open(path, "r+b") as file:
        file.seek(offset % before.st_size)
        file.write(data)
        os.fsync(file.fileno())
    os.chmod(path, 0o444)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    subprocess.run(["chattr", "-f", "+i", path], check=False)
    # The time of the inode cannot be restored, so the note gets the one that it has now.
    now = os.stat(path)
    with open(note_of(name), "w", encoding="ascii") as file:
        file.write(" ".join(f"{number:020}" for number in (now.st_size, now.st_mtime_ns, now.st_ino, now.st_dev, now.st_ctime_ns)) + "\n")


def is_good(name):
    return os.path.exists(path_of(name)) and sha256(path_of(name)) == digests[name]


def quarantine():
    return sorted(glob.glob(os.path.join(state, "quarantine", "*")))


def remove_when_stopped(name, point, *words):
    """Runs lamina, and removes the layer when it stops at the fault point. Returns its output and status."""
    with subprocess.Popen([lamina, *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env={**environment, "LAMINA_TEST_FAULT": point + "=stop"}) as child:
        while True:
            _, status = os.waitpid(child.pid, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                child.returncode = os.waitstatus_to_exitcode(status)
                return child.stdout.read(), child.returncode
            for path in (path_of(name), note_of(name)):
                if os.path.exists(path):
                    unlock(path)
                    os.unlink(path)
            os.kill(child.pid, signal.SIGCONT)


def stale_notes():
    files = {name for kind in ("layers", "blobs") for name in os.listdir(os.path.join(state, kind))}
    return sorted(set(os.listdir(os.path.join(state, "verified"))) - files)


def lines_of(text):
    return {line.split()[1]: line for line in text.splitlines() if line.startswith(("layer", "blob"))}


define()
digests = {"a": layer("a")}
for child in "ce":
    digests[child] = layer(child, digests["a"])
catalog = os.path.join(work, "catalog.json")
with open(catalog, "w", encoding="utf-8") as out:
    json.dump({"lamina-catalog": 1, "groups": [{"name": "os"}, {"name": "app"}],
               "layers": [entry("a", digests["a"]), entry("c", digests["c"], digests["a"]), entry("e", digests["e"], digests["a"])]}, out)
text, _ = run("cache", "verify")
ok("0 of 0 files" in text, "an empty cache is in order", text)
run("catalog", "add", "lab", catalog)
run("pull", "a", "c")
with_flag = is_immutable(path_of("a"))

# Nothing is wrong
text, errors = run("cache", "verify")
ok(all(line.endswith(" ok") for line in lines_of(text).values()) and len(lines_of(text)) == 2, "both are in order", text)
ok(errors.count("read ") == 2 and "verified " not in errors, "progress names each file, and does not say that it is good", errors)
_, errors = run("cache", "verify", "--progress=json")
events = [json.loads(line) for line in errors.splitlines()]
ok(events[-1]["event"] == "verify" and events[-1]["done"] == events[-1]["total"] > 0 and len(events[0]["files"]) == 1, "as JSON", errors)
_, errors = run("cache", "verify", "--progress=none")
ok(errors == "", "or not at all", errors)
run("cache", "verify", "--rate", "fast", status=2)
config = os.path.join(work, "lamina.conf")
with open(config, "w", encoding="utf-8") as out:
    out.write("[lamina]\nverify-rate = fast\n")
_, errors = run("--config", config, "cache", "verify", status=2)
ok("verify-rate" in errors, "the message names the key", errors)

# The rate holds, by the option and by the setting.
size = os.path.getsize(path_of("a")) + os.path.getsize(path_of("c"))
with open(config, "w", encoding="utf-8") as out:
    out.write(f"[lamina]\nverify-rate = {size}B\n")
for words in (("--rate", f"{size}B"), ("--config", config)):
    begin = time.monotonic()
    run("cache", "verify", *words)
    elapsed = time.monotonic() - begin
    ok(0.6 < elapsed < 10, f"{words[0]}: as many bytes as there are per second take about a second", elapsed)

# What guests read stays in memory, and nothing else comes to it.
on_tmpfs = subprocess.run(["stat", "-f", "-c", "%T", state], capture_output=True, text=True, check=True).stdout.strip() == "tmpfs"
if on_tmpfs:
    skip("the page cache is left alone", "a file on tmpfs is in memory anyway")
elif shutil.which("fincore") and with_flag:
    def cached_bytes():
        return subprocess.run(["fincore", "-b", "-n", "-r", "-o", "RES", path_of("c")], capture_output=True, text=True, check=True).stdout.strip()
    with open(path_of("c"), "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    before = cached_bytes()
    run("cache", "verify")
    ok(before == cached_bytes() == "0", "the page cache is left alone", cached_bytes())

# It is interrupted
process = subprocess.Popen([lamina, "cache", "verify", "--rate", "64KiB", "--progress=json"], env=environment, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
for line in process.stderr:
    if json.loads(line)["done"] > 0:
        break
idle = []
for thread in os.listdir(f"/proc/{process.pid}/task"):
    with open(f"/proc/{process.pid}/task/{thread}/stat", encoding="ascii") as file:
        nice = file.read().rsplit(")", 1)[1].split()[16]
    if nice == "19":
        idle.append(subprocess.run(["ionice", "-p", thread], capture_output=True, text=True, check=False).stdout.strip())
ok(idle == ["idle"], "one thread reads, when nobody else wants to", idle)
begin = time.monotonic()
process.send_signal(signal.SIGINT)
text, errors = process.communicate()
ok(process.returncode == 1 and time.monotonic() - begin < 5, "an interrupted verification ends soon", f"{process.returncode} {errors}")
ok("0 of 2 files verified" in text, "it says how far it came", text)

# Damaged on the disk, and nothing shows it
rot("c")
define(path_of("c"))
text, _ = run("pull", "a", "c")
ok("nothing to pull" in text, "nobody notices", text)
text, errors = run("cache", "verify", status=10)
ok("damaged: its contents do not match its digest; used by domain vm0 (running, on test:///" in lines_of(text)["c"], "c is damaged", text)
ok(lines_of(text)["a"].endswith(" ok"), "a is not", text)
ok('run "lamina cache verify --repair"' in errors, "the message says what to do", errors)
ok(os.path.exists(path_of("c")) and quarantine() == [], "it stays where it is")
ok(not os.path.exists(note_of("c")), "but nobody trusts it any more")
text, _ = run("cache", "verify", "--json", status=10)
files = {file["name"]: file for file in json.loads(text)["files"]}
ok(files["c"]["result"] == "damaged" and files["c"]["damaged"] and files["c"]["users"][0]["name"] == "vm0", "the same in JSON", text)
ok(files["a"]["result"] == "ok" and files["a"]["flaws"] == [] and json.loads(text)["complete"], "and what is in order", text)

# Repaired
text, errors = run("cache", "verify", "--repair")
ok("repaired: its contents do not match its digest; it was moved to " + state in lines_of(text)["c"], "it is repaired", text)
ok("until shut off and started again, still read by domain vm0 (running" in lines_of(text)["c"], "who must be restarted", text)
ok("pulled c" in errors, "progress shows the pull", errors)
ok(is_good("c") and len(quarantine()) == 1 and sha256(quarantine()[0]) != digests["c"], "the damaged one is in the quarantine", quarantine())
ok(quarantine()[0] in text, "the message says where", text)
ok(not with_flag or (is_immutable(path_of("c")) and not is_immutable(quarantine()[0])), "the flags are right")
run("cache", "verify")
text, _ = run("cache", "du")
ok("damaged " in text, "du counts the damaged file", text)
text, _ = run("cache", "du", "--json")
ok(json.loads(text)["damaged"] > 0, "also in JSON", text)

# Base and child at the same time. The base claims a larger disk, so the child would be refused first.
rot("a", 24, bytes([0, 0, 1, 0, 0, 0, 0, 0]))
rot("c")
text, _ = run("cache", "verify", "--repair", "--json")
ok(is_good("a") and is_good("c") and [file["result"] for file in json.loads(text)["files"]] == ["repaired"] * 2, "both are repaired", text)
ok(all(os.path.dirname(file["quarantine"]) == os.path.join(state, "quarantine") for file in json.loads(text)["files"]), "and where they are", text)

# A source that lies, and one that is gone
source = os.path.join(work, "c")
shutil.copyfile(source, source + ".right")
wrong = sha256(path_of("c"))
rot("c")
wrong = sha256(path_of("c"))
with open(source, "r+b") as out:
    out.write(b"lies")
count = len(quarantine())
text, errors = run("cache", "verify", "--repair", status=10)
ok("damaged: " in lines_of(text)["c"] and "cannot be pulled again" in lines_of(text)["c"], "a source that lies", text)
ok(os.path.exists(path_of("c")) and sha256(path_of("c")) == wrong and len(quarantine()) == count, "the damaged file stays in its place")
ok("could not be repaired" in errors, "the message does not advise to repair it", errors)
os.unlink(source)
text, _ = run("cache", "verify", "--repair", status=10)
ok("cannot be pulled again" in lines_of(text)["c"] and "used by domain vm0" in lines_of(text)["c"], "a source that is gone", text)
ok(os.path.exists(path_of("c")) and sha256(path_of("c")) == wrong and len(quarantine()) == count, "the damaged file still stays")
run("catalog", "remove", "lab")
text, _ = run("cache", "verify", "--repair", status=10)
ok("neither a catalog nor the record of a machine" in text, "nobody knows it", text)
shutil.copyfile(source + ".right", source)
run("catalog", "add", "lab", catalog)
run("cache", "verify", "--repair")
ok(is_good("c"), "once the source is back, it is repaired")

# A record knows where it came from
run("define", "web", "a", "c")
run("catalog", "remove", "lab")
rot("c")
run("cache", "verify", "--repair")
ok(is_good("c"), "the record of a machine suffices")
run("rm", "web")
run("catalog", "add", "lab", catalog)

# Owner, mode and flag
unlock(path_of("c"))
os.chmod(path_of("c"), 0o664)
if os.geteuid() == 0:
    os.chown(path_of("c"), 12345, 12345)
text, _ = run("cache", "verify", status=10)
ok("exposed: " in lines_of(text)["c"] and "its mode was not 0444" in lines_of(text)["c"], "it could be changed by others", text)
ok(stat.S_IMODE(os.stat(path_of("c")).st_mode) == 0o664, "without --repair that stays so")
text, _ = run("cache", "verify", "--repair", "--json")
flaws = next(file["flaws"] for file in json.loads(text)["files"] if file["name"] == "c")
ok("mode" in flaws and ("owner" in flaws) == (os.geteuid() == 0) and ("immutable" in flaws) == with_flag, "what was wrong", text)
now = os.stat(path_of("c"))
ok(stat.S_IMODE(now.st_mode) == 0o444 and now.st_uid == os.geteuid() and is_immutable(path_of("c")) == with_flag, "all is repaired", now)
text, _ = run("cache", "verify")
ok(lines_of(text)["c"].endswith(" ok"), "and in order then", text)
if with_flag:
    unlock(path_of("c"))
    os.chmod(path_of("c"), 0o600)
    subprocess.run(["chattr", "+i", path_of("c")], check=True)
    run("cache", "verify", "--repair")
    ok(stat.S_IMODE(os.stat(path_of("c")).st_mode) == 0o444 and is_immutable(path_of("c")), "also of an immutable file")

# Something that cannot be read is not taken for damaged.
text, _ = run("cache", "verify", "--repair", fault="verify-after-read=eio", status=1)
ok(text.count("not checked: ") == 2 and is_good("c"), "a failure of lamina's own is not damage", text)

# Killed at each point, then once more
points = ["scrub-before-note", "repair-before-pull", "part-after-sync", "publish-before-rename", "publish-after-rename",
          "part-after-publish", "repair-after-pull"] + (["flag-after-lift"] if with_flag else [])
for point in points:
    rot("c")
    run("cache", "verify", "--repair", fault=point + "=kill", status=-9)
    there = os.path.exists(path_of("c"))
    ok(there or point == "publish-before-rename", f"{point}: the file does not vanish before another has arrived")
    run("cache", "verify", "--repair")
    if not there:
        # It has, and only its name is missing; that needs no source.
        os.rename(source, source + ".away")
        run("pull", "a", "c")
        os.rename(source + ".away", source)
    ok(is_good("c") and is_immutable(path_of("c")) == with_flag, f"{point}: it is repaired")
    ok(glob.glob(os.path.join(state, "partial", "*.part")) == [], f"{point}: no part is left")
    run("cache", "verify")
rot("c")
text, _ = run("cache", "verify", "--repair", fault="repair-before-pull=enospc", status=10)
ok("cannot be pulled again: " in text and os.path.exists(path_of("c")), "no space: it stays", text)
run("cache", "verify", "--repair")

# A kernel
kernel = os.path.join(work, "kernel")
with open(kernel, "wb") as out:
    out.write(b"K" * 100000)
digests["kernel"] = sha256(kernel)
with open(catalog, encoding="utf-8") as file:
    document = json.load(file)
document["layers"][0]["boot"] = {"kernel": {"digest": "sha256:" + digests["kernel"], "size": 100000, "urls": [kernel]}, "cmdline": "x"}
with open(catalog, "w", encoding="utf-8") as out:
    json.dump(document, out)
run("catalog", "update")
run("pull", "a", "c")
rot("kernel")
text, _ = run("cache", "verify", status=10)
ok("kernel of a 1.0" in text and text.count("damaged: ") == 1, "a kernel is damaged", text)
run("cache", "verify", "--repair")
ok(is_good("kernel"), "and repaired")

# Two at the same time
rot("c")
both = [subprocess.Popen([lamina, "cache", "verify", "--repair"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)]
results = [(process.communicate()[0], process.returncode) for process in both]
ok([status for _, status in results] == [0, 0] and is_good("c"), "two can repair it at the same time", results)

# A file that is removed while it is read; it is old, so that its note would be written.
run("pull", "a", "e")
unlock(path_of("e"))
os.utime(path_of("e"), (1, 1))
define(path_of("c"))
text, status = remove_when_stopped("e", "verify-after-read", "cache", "verify")
ok(status == 0 and "removed meanwhile" in lines_of(text)["e"], "a file that is removed meanwhile", text)
ok(stale_notes() == [], "leaves no note", stale_notes())
run("pull", "a", "e")
rot("e")
text, status = remove_when_stopped("e", "repair-before-pull", "cache", "verify", "--repair")
ok(status == 0 and "removed meanwhile" in lines_of(text)["e"] and not os.path.exists(path_of("e")), "nor is it pulled again", text)

# Notes without a file
run("pull", "a", "e")
run("cache", "gc", "--max-size", "1B", fault="cache-after-unlink=kill", status=-9)
ok(len(stale_notes()) == 1, "a killed collection leaves a note", stale_notes())
notes = os.path.join(state, "verified")
others = set(os.listdir(notes)) - set(stale_notes())
run("cache", "gc")
ok(os.path.exists(note_of("c")) and set(os.listdir(notes)) == others, "the next one removes it, and no other", os.listdir(notes))

# The quarantine counts, and its oldest files go before any good one.
run("pull", "a", "e")
for _ in range(2):
    rot("c")
    run("cache", "verify", "--repair")
text, _ = run("cache", "gc", "--json")
occupied, before = json.loads(text)["occupied"], quarantine()
ok(occupied >= sum(os.stat(file).st_blocks * 512 for file in before), "gc counts the quarantine", text)
ok(len(before) == 2, "two are there", before)
text, _ = run("cache", "gc", "--json", "--max-size", f"{occupied - 1}B")
ok(len(quarantine()) == 1 and is_good("e"), "it makes room first", text)
ok([file["kind"] for file in json.loads(text)["files"] if file["removed"]] == ["damaged"], "and nothing else goes", text)
ok(json.loads(text)["occupied"] < occupied, "which is the size then", text)
ok(min(before, key=lambda path: path.rsplit(".", 1)[1]) not in quarantine(), "it was the oldest", quarantine())

# clear
part = os.path.join(state, "partial", "sha256-" + "0" * 64 + ".part")
with open(part, "wb") as out:
    out.write(b"x" * 10000)
text, _ = run("cache", "clear", "--dry-run")
ok("kept: domain vm0 (running" in lines_of(text)["c"] and "kept: domain vm0" in lines_of(text)["a"], "what a domain needs would stay", text)
ok("removed: " in lines_of(text)["e"] and "damaged" in text and part in text, "the rest would go", text)
ok(os.path.exists(path_of("e")) and os.path.exists(part) and quarantine() != [], "a dry run removes nothing")
text, _ = run("cache", "clear")
ok("kept: domain vm0 (running" in lines_of(text)["c"] and "kept: domain vm0" in lines_of(text)["a"], "what a domain needs stays", text)
ok(not os.path.exists(path_of("e")) and not os.path.exists(part) and quarantine() == [], "the rest is gone", quarantine())
ok(is_good("a") and is_good("c"), "what stays is intact")
os.unlink(node)
_, errors = run("cache", "clear", status=7)
ok(is_good("a") and is_good("c") and "node.xml" in errors, "nothing is removed if libvirt cannot be asked", errors)
define()
run("cache", "pin", "a")
text, _ = run("cache", "clear", "--json")
files = {file["name"].split()[0]: file for file in json.loads(text)["files"]}
ok(files["a"]["reason"] == "pinned" and not files["a"]["removed"] and files["c"]["removed"], "a pinned layer stays", text)
run("cache", "unpin", "a")
run("cache", "clear")
left = [name for kind in ("layers", "blobs", "verified", "quarantine") for name in os.listdir(os.path.join(state, kind))]
ok(left == [] and glob.glob(os.path.join(state, "partial", "*.part")) == [], "everything is gone in the end", left)
done_testing()
