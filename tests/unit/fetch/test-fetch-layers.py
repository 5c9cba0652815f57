#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fetching layers, which are vetted before they are published (TAP)."""
import os
import random
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("G_TEST_SRCDIR", os.path.join(os.path.dirname(__file__), "..", "..")), "lib"))
from fetchworld import DEADLINE, FETCH_REAL, SIZE, File, list_partial, main, size_of, wait_for


def test_layers(w):
    base = w.file(kind="layer")
    child = File(w, "child", b"PARENT sha256:%s\n" % base.hex.encode() + random.randbytes(1000), kind="layer",
                 parent="sha256:" + base.hex)
    state = w.state()
    assert w.run(state, base.spec("ok"), child.spec("ok")).startswith("ok 2 ")
    assert base.good(state) and child.good(state)


def test_refused(w):
    hostile = File(w, "hostile", b"HOSTILE" + random.randbytes(5000), kind="layer")
    orphan = File(w, "orphan", b"PARENT sha256:%s\n" % (b"0" * 64), kind="layer", parent="sha256:" + "1" * 64)
    for f in hostile, orphan:
        state = w.state()
        assert w.run(state, f.spec("ok", "ok")).startswith("error refused layer f0: ")
        assert not os.listdir(os.path.join(state, "layers")) and not list_partial(state)
        # Refused whatever the server does, because the digest is right.
        assert len(w.requests(f.name)) == 1


def family(w, disk, child_disk):
    """Returns a base and a layer on it, whose disks have so many bytes."""
    base = File(w, "base%d" % disk, b"DISK %d\n" % disk + random.randbytes(SIZE), kind="layer")
    child = File(w, "child%d" % child_disk, b"PARENT sha256:%s DISK %d\n" % (base.hex.encode(), child_disk) +
                 random.randbytes(1000), kind="layer", parent="sha256:" + base.hex)
    return base, child


def test_smaller_than_parent(w):
    base, child = family(w, 64, 32)
    for order, options in (((base, child), []), ((child, base), []), ((child, base), ["--transfers", "1"])):
        for behaviour in "ok", "rate:2000000":  # the child arrives long before its parent
            state = w.state()
            specs = [f.spec(behaviour if f is base else "ok") for f in order]
            result = w.run(state, *specs, options=options)
            assert result.startswith("error refused layer ") and "smaller" in result, result
            assert base.good(state) and not os.path.exists(child.final(state)) and not list_partial(state)
    state = w.state()
    assert w.run(state, base.spec("ok")).startswith("ok 1 ")
    assert w.run(state, child.spec("ok")).startswith("error refused layer f0: ")
    assert os.listdir(os.path.join(state, "layers")) == [os.path.basename(base.final(state))] and not list_partial(state)


def test_waits_for_parent(w):
    base, child = family(w, 64, 64)
    for options in [], ["--transfers", "1"]:
        state = w.state()
        assert w.run(state, child.spec("ok"), base.spec("rate:2000000"), options=options).startswith("ok 2 ")
        assert base.good(state) and child.good(state) and not list_partial(state)
    # Without its parent it is neither published nor discarded.
    state = w.state()
    assert w.run(state, child.spec("ok"), base.spec("rate:600000"), options=["--cancel-at", "500000"]).startswith("error cancelled")
    assert size_of(child.part(state)) == len(child.data), list_partial(state)
    assert not os.listdir(os.path.join(state, "layers"))
    asked, have = len(w.requests(child.name)), size_of(base.part(state))
    assert w.run(state, child.spec("ok"), base.spec("ok")) == "ok 2 %d" % (len(base.data) - have)
    assert len(w.requests(child.name)) == asked


def test_long_chain(w):
    """Layers that wait for a slow base keep neither threads nor descriptors."""
    chain = [File(w, "chain", b"DISK 64\n" + random.randbytes(SIZE), kind="layer")]
    for i in range(40):
        chain.append(File(w, "chain%d" % i, b"PARENT sha256:%s DISK 64\n" % chain[-1].hex.encode() + random.randbytes(1000),
                          kind="layer", parent="sha256:" + chain[-1].hex))
    state = w.state()
    child = w.start(state, *[f.spec("ok" if f is not chain[0] else "rate:600000") for f in chain], options=["--transfers", "4"])
    most = {"task": 0, "fd": 0}
    while child.poll() is None:
        for name in most:
            try:
                most[name] = max(most[name], len(os.listdir("/proc/%d/%s" % (child.pid, name))))
            except FileNotFoundError:
                pass
        time.sleep(0.01)
    assert child.stdout.read().splitlines()[-1].startswith("ok 41 ")
    assert all(f.good(state) for f in chain) and not list_partial(state)
    # Two threads for each transfer, and two that publish.
    assert most["task"] <= 1 + 2 * 4 + 2 and most["fd"] <= 40, most


def test_waits_for_holder_that_waits_for_parent(w):
    base, child = family(w, 64, 64)
    state = w.state()
    holder = w.start(state, child.spec("ok"), base.spec("rate:200000"))  # 3.5 s
    wait_for(lambda: size_of(child.part(state)) == len(child.data), "the child")
    assert w.run(state, child.spec("ok"), base.spec("ok"), options=["--busy", "1"]) == "ok 0 0"
    assert holder.wait(DEADLINE) == 0 and base.good(state) and child.good(state)
    assert len(w.requests(child.name)) == 1 and len(w.requests(base.name)) == 1


def test_real_images(w):
    if not shutil.which("qemu-img"):
        return "qemu-img is not installed"
    base = os.path.join(w.dir, "base.qcow2")
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(["qemu-img", "create", "-f", "qcow2", base, "64M"], **quiet)
    with open(base, "rb") as file:
        one = File(w, "base", file.read(), kind="layer")
    name = "sha256-%s.qcow2" % one.hex
    os.rename(base, os.path.join(w.dir, name))
    for backing, size in (name, "64M"), ("/etc/passwd", "64M"), (name, "32M"):
        subprocess.run(["qemu-img", "create", "-f", "qcow2", "-u", "-b", backing, "-F", "qcow2", "top.qcow2", size],
                       cwd=w.dir, **quiet)
        with open(os.path.join(w.dir, "top.qcow2"), "rb") as file:
            two = File(w, "top", file.read(), kind="layer", parent="sha256:" + one.hex)
        state = w.state()
        result = w.run(state, one.spec("ok"), two.spec("ok"), program=FETCH_REAL)
        if (backing, size) == (name, "64M"):
            assert result.startswith("ok 2 "), result
        else:
            assert result.startswith("error refused layer f1: "), result
            assert not os.path.exists(two.final(state)) and not os.path.exists(two.part(state))
    # The digest is right, but the file is not a layer: the message has the URL and says what it is.
    for content, says in (bytes(1 << 20), "zeros"), (b"not found", "text, \"not found\""), (b'{"error": 404}', "JSON"), (b"%PDF-1", "PDF"):
        wrong = File(w, "wrong", content, kind="layer")
        result = w.run(w.state(), wrong.spec("ok"), program=FETCH_REAL)
        assert result.startswith("error refused layer f0: http://") and says in result and ".part" not in result, result
    return None


if __name__ == "__main__":
    sys.exit(main(globals()))
