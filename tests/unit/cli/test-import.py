#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""cache import: what good archives do, and that hostile ones do nothing."""
import copy
import glob
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from chainworld import Host, base, build, child, digest, kernel, layer, origin, other
from tap import done_testing, lamina, ok, work

sender = origin()
web, db = os.path.join(work, "web.lamina"), os.path.join(work, "db.lamina")
for path, name in (web, "nginx"), (db, "mysql"):
    status, _, errors = sender.run("cache", "export", path, "debian", name)
    ok(status == 0, f"{name} is exported", errors)
with open(web, "rb") as file:
    good = file.read()


def name_of(data, kind="layers"):
    return f"{kind}/sha256-{digest(data)[7:]}" + (".qcow2" if kind == "layers" else "")


WEB = {os.path.basename(name) for name in (name_of(base), name_of(child), name_of(kernel, "blobs"))}

# Good archives
host = Host("host")
found = host.json("cache", "import", web)
ok({file["action"] for file in found.get("files", [])} == {"imported"} and found["source"] == "lab" and found["source_change"] == "added"
   and host.cached() == WEB and host.list("partial") == set(), "an archive is imported", found)
plan = host.json("plan", "debian", "nginx")
ok(plan.get("bytes_to_pull") == 0 and plan["cmdline"] == "root=/dev/vda", "a launch needs nothing else", plan)
found = host.json("cache", "import", web)
ok({file["action"] for file in found["files"]} == {"cached"} and found["source_change"] == "unchanged", "again: nothing happens", found)
found = host.json("cache", "import", db)
ok(sorted(file["action"] for file in found["files"]) == ["cached", "cached", "imported"] and found["source_change"] == "changed",
   "another one adds to the source", found)
ok(host.json("plan", "debian", "nginx", "mysql").get("status") == 3, "which lists both, but no chain of both")
for name in "nginx", "mysql":
    plan = host.json("plan", "debian", name)
    ok(plan.get("bytes_to_pull") == 0, f"{name} can still be launched", plan)
found = host.json("cache", "import", web)
ok(found["source_change"] == "unchanged", "the first one again changes nothing", found)

# What it contains
shown = {name: host.json("cache", "show", name, LIBVIRT_DEFAULT_URI="test:///default") for name in ("debian", "nginx", "mysql")}
packages = {name: [one[key] for key in ("packages", "added", "removed")] for name, one in shown.items()}
ok(packages["debian"] == [["bash=5.2.15-2+b7", "libc6=2.36-9+deb12u10", "nano=7.2-1"], None, None], "cache show lists the packages of a base", packages)
ok(packages["nginx"] == [["bash=5.2.15-2+b7", "libc6=2.36-9+deb12u11", "nginx=1.24-1"], ["libc6=2.36-9+deb12u11", "nginx=1.24-1"], ["nano"]],
   "those of a child with its parent's, and what it changes", packages)
ok(packages["mysql"] == [None, None, None], "none where they are not recorded", packages)
for name, expected in ("debian", "packages   3\n"), ("nginx", "packages   3 (2 added or changed, 1 removed)\n"), ("mysql", None):
    text = host.run("cache", "show", name, LIBVIRT_DEFAULT_URI="test:///default")[1].decode()
    ok(expected in text if expected else "parent" in text and "packages" not in text, f"people get their number for {name}", text)

status, out, errors = host.run("catalog", "update")
ok(status == 0 and b"unchanged" in out, "catalog update has nothing to do", (out, errors))
found = host.json("catalog", "list")
ok([source["imported"] for source in found["sources"]] == [True], "catalog list says that it was imported", found)
status, out, errors = host.run("doctor", "--json", "--connect", "test:///default")
ok(b"lab was imported" in out, "doctor does not try to reach it", out)
found = host.json("cache", "import", web, "--as", "usb")
ok(found["source"] == "usb" and found["source_change"] == "added", "--as gives the source a name", found)
os.remove(os.path.join(host.dir, "catalogs", "usb.catalog"))
status, out, errors = host.run("catalog", "update", "usb")
ok(status == 5 and "import it again" in errors, "if its copy is missing, catalog update says so", errors)
status, out, errors = host.run("cache", "import", web, "--as", "usb")
ok(status == 0, "and another import restores it", errors)
with open(os.path.join(host.dir, "catalogs", "usb.catalog"), "w", encoding="utf-8") as file:
    file.write("damaged")
status, out, errors = host.run("cache", "import", web, "--as", "usb")
ok(status == 0 and host.json("plan", "debian", "nginx").get("bytes_to_pull") == 0, "also if it is damaged", errors)
status, out, errors = host.run("cache", "import", web, "--as", "../usb")
ok(status == 2 and out == b"", "which must be a name", errors)
found = sender.json("cache", "import", web)
ok(found["source_change"] == "listed", "a source that was added and lists the layers is not changed", found)
elsewhere = Host("elsewhere")
with open(os.path.join(work, "empty.json"), "w", encoding="utf-8") as file:
    json.dump({"lamina-catalog": 1, "layers": []}, file)
elsewhere.run("catalog", "add", "lab", file.name)
status, out, errors = elsewhere.run("cache", "import", web)
ok(status == 9 and elsewhere.cached() == set() and "choose another name" in errors, "one that does not is in the way", errors)
piped = Host("piped")
with open(web, "rb") as file:
    status, out, errors = piped.run("cache", "import", "-", stdin=file)
ok(status == 0 and piped.cached() == WEB, "- is standard input", errors)
piped = Host("pipe")
with subprocess.Popen(["cat", web], stdout=subprocess.PIPE) as cat:
    status, out, errors = piped.run("cache", "import", "-", stdin=cat.stdout)
ok(status == 0 and piped.cached() == WEB and cat.returncode == 0, "which may be a pipe", errors)
status, out, errors = Host("missing").run("cache", "import", os.path.join(work, "missing"))
ok(status == 1, "a missing file", errors)

# Interrupted
for point in "part-after-write", "part-before-sync", "part-after-sync", "part-after-publish", "publish-before-rename", "file-before-rename":
    host = Host(f"killed-{point}")
    status, out, errors = host.run("cache", "import", web, LAMINA_TEST_FAULT=f"{point}=kill")
    ok(status == -9 and host.list("catalogs") - {name for name in host.list("catalogs") if "tmp" in name} == set(),
       f"killed at {point}: no source", errors)
    status, out, errors = host.run("cache", "import", web)
    ok(status == 0 and host.cached() == WEB and host.list("partial") == set(), "the next import completes it", errors)
host = Host("kept")
status, out, errors = host.run("cache", "import", web)
os.remove(host.file(name_of(kernel, "blobs")))
part = os.path.join(host.dir, "partial", f"sha256-{digest(kernel)[7:]}.part")
for left, expected, what in (kernel[:-1], 1, "is continued"), (kernel, 0, "need not be written again"):
    with open(part, "wb") as file:
        file.write(left)
    inode = os.stat(part).st_ino
    status, out, errors = host.run("cache", "import", web, LAMINA_TEST_FAULT="part-before-write=eio")
    ok(status == expected, f"what an earlier run left {what}", errors)
ok(os.stat(os.path.join(host.dir, name_of(kernel, "blobs"))).st_ino == inode, "it becomes the file")
for name, left in ("right", kernel[:2000000]), ("wrong in the middle", kernel[:1000000] + b"x" + kernel[1000001:2000000]), \
        ("too long", kernel + b"x"), ("complete", kernel), ("wrong at the end", kernel[:-1] + b"x"):
    host = Host("left " + name)
    status, out, errors = host.run("cache", "import", db, LAMINA_TEST_FAULT="part-after-write=kill")
    with open(os.path.join(host.dir, "partial", f"sha256-{digest(kernel)[7:]}.part"), "wb") as file:
        file.write(left)
    status, out, errors = host.run("cache", "import", web)
    ok(status == 0 and host.cached() == WEB, f"what an earlier run left is {name}", errors)
host = Host("unreadable")
for action, expected in ("eio", 1), ("kill", -9):
    status, out, errors = host.run("cache", "import", web, LAMINA_TEST_FAULT=f"tar-read={action}")
    ok(status == expected and host.list("catalogs") == set(), f"reading fails: {action}", (status, errors))
status, out, errors = host.run("cache", "import", web)
ok(status == 0 and host.cached() == WEB, "it succeeds the next time", errors)
host = Host("full")
status, out, errors = host.run("cache", "import", web, LAMINA_TEST_FREE="100000")
ok(status == 8 and host.cached() == set() and host.list("catalogs") == set(), "too little space: nothing happens", errors)
host.run("cache", "import", web)
found = host.json("cache", "import", db, LAMINA_TEST_FREE=str(len(other)))
ok(found.get("source") == "lab", "what is cached needs no space", found)
host = Host("limited")
host.run("cache", "import", db)
config = os.path.join(work, "limited.conf")
with open(config, "w", encoding="utf-8") as file:
    file.write(f"[lamina]\nmax-size = {len(base) + len(child) + len(kernel) + 200000}B\n")
status, out, errors = host.run("cache", "import", web, "--config", config, "--connect", "test:///default")
ok(status == 0 and host.cached() == WEB, "room is made by removing what nobody needs", (errors, host.cached()))
with open(config, "w", encoding="utf-8") as file:
    file.write(f"[lamina]\nmax-size = {len(base) + 1000}B\n")
status, out, errors = host.run("cache", "import", db, "--config", config, "--connect", "test:///default")
ok(status == 8 and host.cached() == WEB, "but not if that does not suffice", (errors, host.cached()))


# Hostile archives
def pack(entries, **options):
    """Returns an archive of (name, bytes) or (TarInfo, bytes)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, **options) as archive:
        for name, data in entries:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if info.isreg() or not isinstance(name, tarfile.TarInfo):
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


with tarfile.open(web) as archive:
    listing = json.load(archive.extractfile("catalog.json"))


def catalog(change=None):
    changed = copy.deepcopy(listing)
    if change:
        change(changed)
    return "catalog.json", json.dumps(changed).encode()


def special(name, kind, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, 0
    return info, b""


def base_only(data):
    """The catalog of one base, whatever it is."""
    return catalog(lambda c: c.update(layers=[{"name": "debian", "version": "1", "group": "os", "builds": [build(data, "x")]}]))


def rewrite_size(archive, text):
    """Changes the size in the second header."""
    start = 512 + -(-len(catalog()[1]) // 512) * 512
    header = bytearray(archive[start:start + 512])
    header[124:136] = text
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return archive[:start] + bytes(header) + archive[start + 512:]


B, C, K = (name_of(base), base), (name_of(child), child), (name_of(kernel, "blobs"), kernel)
ok(Host("packed").json("cache", "import", "/dev/stdin").get("status") == 6, "an empty file is no archive")
evil = layer("good-v3-child", "sha256:" + 64 * "e")
loose = os.path.join(work, "loose.lamina")
outside = os.path.join(work, "outside")
sparse = tarfile.TarInfo(B[0])
sparse.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 40), "GNU.sparse.name": B[0]}
hostile = {
    "random bytes": os.urandom(20000),
    "a compressed archive": gzip.compress(good),
    "a qcow2 image": base,
    "no catalog": pack([B, C, K]),
    "the catalog at the end": pack([B, C, K, catalog()]),
    "two catalogs": pack([catalog(), catalog(), B, C, K]),
    "a catalog that is not one": pack([("catalog.json", b"hello"), B, C, K]),
    "an empty catalog": pack([("catalog.json", b""), B, C, K]),
    "a catalog without layers": pack([catalog(lambda c: c.update(layers=[]))]),
    "a catalog that nests deeply": pack([("catalog.json", b"[" * 100000), B, C, K]),
    "a catalog that is too large": pack([("catalog.json", b" " * (17 << 20) + catalog()[1]), B, C, K]),
    "a catalog of local files": pack([catalog(lambda c: c["layers"][0]["builds"][0].update(urls=["file:///etc/shadow"])), B, C, K]),
    "a catalog with too many files": pack([catalog(lambda c: c["layers"][1].update(builds=[
        {"digest": digest(b"%d" % i), "size": 1, "urls": ["x"]} for i in range(1001)]))]),
    "a name with ..": pack([catalog(), ("../outside", b"x"), B, C, K]),
    "a name that leaves layers": pack([catalog(), ("layers/../../outside", b"x"), B, C, K]),
    "an absolute name": pack([catalog(), (outside, b"x"), B, C, K]),
    "a name with ./": pack([catalog(), ("./" + B[0], base), C, K]),
    "another name": pack([catalog(), B, C, K, ("extra", b"x")]),
    "a name with control characters": pack([catalog(), ("\x1b[2J\n", b"x")]),
    "a name that is not UTF-8": pack([catalog(), ("\udcff\udcfe", b"x")]),
    "a layer among the blobs": pack([catalog(), (name_of(base, "blobs"), base), C, K]),
    "a symbolic link": pack([catalog(), special(B[0], tarfile.SYMTYPE, "/etc/passwd"), C, K]),
    "a symbolic link for the directory": pack([catalog(), special("layers", tarfile.SYMTYPE, work), B, C, K]),
    "a hard link": pack([catalog(), special(B[0], tarfile.LNKTYPE, "catalog.json"), C, K]),
    "a hard link to the host": pack([catalog(), special(B[0], tarfile.LNKTYPE, "/etc/passwd"), C, K]),
    "a device": pack([catalog(), special(B[0], tarfile.CHRTYPE), C, K]),
    "a FIFO": pack([catalog(), special(B[0], tarfile.FIFOTYPE), C, K]),
    "a directory": pack([catalog(), special("layers", tarfile.DIRTYPE), B, C, K]),
    "a file twice": pack([catalog(), B, B, C, K]),
    "a missing file": pack([catalog(), B, C]),
    "a missing base": pack([catalog(), C, K]),
    "a child before its parent": pack([catalog(), C, B, K]),
    "wrong contents": pack([catalog(), (B[0], base[:-1] + b"x"), C, K]),
    "wrong contents of a blob": pack([catalog(), B, C, (K[0], kernel[:-1] + b"x")]),
    "two files exchanged": pack([catalog(), (B[0], child), (C[0], base), K]),
    "a size that the catalog does not have": pack([catalog(), (B[0], base + b"x"), C, K]),
    "a catalog with another size": pack([catalog(lambda c: c["layers"][0]["builds"][0].update(size=len(base) + 512)), B, C, K]),
    "a catalog with a huge size": pack([catalog(lambda c: c["layers"][0]["builds"][0].update(size=1 << 44)), B, C, K]),
    "a header with a huge size": rewrite_size(pack([catalog(), B, C, K]), b"77777777777\0"),
    "a header with an endless size": rewrite_size(pack([catalog(), B, C, K]), b"\x80" + b"\x7f" + b"\xff" * 10),
    "a header with a negative size": rewrite_size(pack([catalog(), B, C, K]), b"\xff" * 12),
    "a sparse file": pack([catalog(), (sparse, b"1\n0\n512\n".ljust(512, b"\0") + b"x" * 512), C, K]),
    "endless headers": pack([catalog()])[:-tarfile.RECORDSIZE] + pack([(special("x", b"g")[0], b"")])[:512] * 10000,
    "another parent than declared": pack([catalog(lambda c: c["layers"][1]["builds"].__setitem__(
        0, build(evil, "x", digest(base)))), B, (name_of(evil), evil), K]),
    "a base with a backing file": pack([base_only(child), C]),
    "a layer that is not an image": pack([base_only(kernel), (name_of(kernel), kernel)]),
}
for kind in "data-file", "size-max":
    bad = layer(kind)
    hostile[f"a hostile image: {kind}"] = pack([base_only(bad), (name_of(bad), bad)])
# Why each is refused, where something else would refuse it too.
says = {
    "a compressed archive": "gzip", "a catalog that is too large": "larger than", "a catalog with too many files": "more than 1000",
    "a catalog of local files": "local file", "a name with ..": "not a file that its catalog lists",
    "a symbolic link": "not a regular file", "a symbolic link for the directory": "not a regular file",
    "a hard link": "not a regular file", "a hard link to the host": "not a regular file", "a device": "not a regular file",
    "a FIFO": "not a regular file", "a directory": "not a regular file", "a file twice": "twice", "a missing file": "kernel is missing",
    "a child before its parent": "parent", "a missing base": "parent", "wrong contents": "wrong digest",
    "a size that the catalog does not have": "bytes instead of", "a catalog with another size": "bytes instead of",
    "a header with a huge size": "bytes instead of", "a sparse file": "sparse file", "endless headers": "special headers",
    "another parent than declared": "not its declared parent", "a base with a backing file": "declared as a base",
}
for cut in 1, 511, 512, 1000, 5000, len(base), 10000 + len(base), len(good) - len(kernel) // 2, len(good) - 3000000 % 512 - 1600:
    hostile[f"only {cut} bytes"] = good[:cut]
ok(set(says) <= set(hostile), "each reason belongs to an archive", set(says) - set(hostile))
for number, (what, data) in enumerate(hostile.items()):
    host = Host(f"hostile-{number}")
    with open(loose, "wb") as file:
        file.write(data)
    status, out, errors = host.run("cache", "import", loose)
    expected = 8 if what == "a catalog with a huge size" else 6
    good_files = host.cached() <= WEB and says.get(what, "") in errors
    ok(status == expected and out == b"" and "\x1b" not in errors and len(errors.splitlines()[-1]) < 1000
       and good_files and host.list("catalogs") == set() and not os.path.exists(outside), f"{what} is refused", (status, errors))
    left = host.list("partial")
    ok(not left or what.startswith("only") or "header" in what, f"{what} leaves nothing", left)
host = Host("hostile-pipe")
with open(loose, "wb") as file:
    file.write(good[:len(good) // 2])
with subprocess.Popen(["cat", loose], stdout=subprocess.PIPE) as cat:
    status, out, errors = host.run("cache", "import", "-", stdin=cat.stdout)
ok(status == 6 and host.list("catalogs") == set(), "half an archive from a pipe", errors)
before = host.cached()
status, out, errors = host.run("cache", "import", web)
ok(status == 0 and before < WEB and host.cached() == WEB, "the whole one continues it", errors)
status, out, errors = Host("x").run("cache", "import", work)
ok(status in (1, 6), "a directory", errors)


def finish(process):
    """Returns what the process printed, which is killed if it does not end."""
    try:
        return process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()


# Several at once
def start(directory, *words, **environment):
    return subprocess.Popen([lamina, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
                            env={**os.environ, "LAMINA_STATE_DIR": directory, **environment})


for end, what in (signal.SIGCONT, "goes on"), (signal.SIGKILL, "dies"):
    host = Host(f"together-{what}")
    first = start(host.dir, "cache", "import", web, "--as", "first", LAMINA_TEST_FAULT="part-before-sync=stop")
    os.waitpid(first.pid, os.WUNTRACED)
    second = start(host.dir, "cache", "import", web, "--as", "second", "--json", LAMINA_TRACE="cache")
    try:
        second.wait(timeout=0.5)
    except subprocess.TimeoutExpired:
        pass
    waits = second.poll() is None
    stopped = True
    while stopped:
        os.kill(first.pid, end)
        stopped = os.WIFSTOPPED(os.waitpid(first.pid, os.WUNTRACED)[1])
    out, errors = finish(second)
    first.communicate()
    actions = {file["action"] for file in json.loads(out)["files"]} if second.returncode == 0 else errors
    ok(waits and second.returncode == 0 and host.cached() == WEB and host.list("partial") == set(),
       f"an import waits for another one, which {what}", (waits, actions))
    ok(("cached" in actions) == (end == signal.SIGCONT), "and does what the other one has not done", actions)

# An interrupt ends the wait for a pipe.
reading, writing = os.pipe()
waiting = subprocess.Popen([lamina, "cache", "import", "-"], stdin=reading, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env={**os.environ, "LAMINA_STATE_DIR": os.path.join(work, "waiting")})
os.close(reading)
os.write(writing, good[:100])
waiting.terminate()
_, errors = finish(waiting)
os.close(writing)
ok(waiting.returncode in (1, -15), "an interrupt ends it", errors)
fifo = os.path.join(work, "fifo")
os.mkfifo(fifo)
waiting = start(os.path.join(work, "waiting"), "cache", "import", fifo)
with open(fifo, "wb") as file:
    file.write(good)
_, errors = finish(waiting)
ok(waiting.returncode == 0, "a FIFO can be imported", errors)
waiting = start(os.path.join(work, "waiting"), "cache", "import", fifo)
end = time.monotonic() + 20
while not any(os.path.realpath(entry) == fifo for entry in glob.glob(f"/proc/{waiting.pid}/fd/*")) and time.monotonic() < end:
    time.sleep(0.01)
waiting.terminate()
_, errors = finish(waiting)
ok(waiting.returncode in (1, -15) and time.monotonic() < end, "an interrupt ends the wait for its writer", errors)
done_testing()
