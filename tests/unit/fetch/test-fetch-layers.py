#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fetch of layers: what is vetted before it is published (TAP)."""
import os
import random
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("G_TEST_SRCDIR", os.path.join(os.path.dirname(__file__), "..", "..")), "lib"))
from fetchworld import FETCH_REAL, File, litter, main


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
        assert not os.listdir(os.path.join(state, "layers")) and not litter(state)
        # The right bytes are refused wherever they come from.
        assert len(w.requests(f.name)) == 1


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
    for backing in name, "/etc/passwd":
        subprocess.run(["qemu-img", "create", "-f", "qcow2", "-u", "-b", backing, "-F", "qcow2", "top.qcow2", "64M"],
                       cwd=w.dir, **quiet)
        with open(os.path.join(w.dir, "top.qcow2"), "rb") as file:
            two = File(w, "top", file.read(), kind="layer", parent="sha256:" + one.hex)
        state = w.state()
        result = w.run(state, one.spec("ok"), two.spec("ok"), program=FETCH_REAL)
        if backing == name:
            assert result.startswith("ok 2 "), result
        else:
            assert result.startswith("error refused layer f1: "), result
            assert not os.path.exists(two.final(state)) and not os.path.exists(two.part(state))
    return None


if __name__ == "__main__":
    sys.exit(main(globals()))
