#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fetching from a server with faults, by one and by many processes (TAP)."""
import fcntl
import gzip
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("G_TEST_SRCDIR", os.path.join(os.path.dirname(__file__), "..", "..")), "lib"))
from fetchworld import FETCH_REAL, DEADLINE, SIZE, File, list_partial, main, size_of, unlock, wait_for


def test_plain(w):
    files = [w.file(), w.file(size=0), w.file(size=1), w.file(size=3000000)]
    state = w.state()
    assert w.run(state, *[f.spec("ok") for f in files]).startswith("ok 4 ")
    assert all(f.good(state) for f in files) and not list_partial(state)
    before = len(w.requests(""))
    assert w.run(state, *[f.spec("ok") for f in files]) == "ok 0 0"
    assert len(w.requests("")) == before


def test_same_file_twice(w):
    f, state = w.file(), w.state()
    assert w.run(state, f.spec("ok"), f.spec("ok")).startswith("ok 1 ")
    assert len(w.requests(f.name)) == 1


def test_file_url(w):
    f, state = w.file(size=3000000), w.state()
    url = "file://" + os.path.join(w.www, f.name)
    assert w.run(state, f.spec(url)) == "ok 1 3000000"
    assert f.good(state)
    other = w.file()
    assert w.run(state, other.spec("file:///nonexistent/x")).startswith("error source")
    assert w.run(state, other.spec("file://" + w.www)).startswith("error source")
    os.mkfifo(os.path.join(w.www, "fifo"))
    assert w.run(state, other.spec("file://" + w.www + "/fifo")).startswith("error source")
    assert w.run(state, other.spec(url)).startswith("error source")
    assert w.run(state, other.spec("file://" + w.www + "/" + other.name, size=SIZE + 1)).startswith("error source")


def test_recovers(w):
    for behaviour, requests in [("fail:500:2", 3), ("fail:503:4", 5), ("fail:408:1", 2), ("fail:429:2:30", 3),
                                ("chunked", 1), ("noranges", 1), ("newetag", 1),
                                ("cut:100000:3", 4), ("cut:0:1", 2), ("flip:0", 1)]:
        f, state = w.file(), w.state()
        result = w.run(state, f.spec(behaviour))
        assert result.startswith("ok 1 "), (behaviour, result)
        assert f.good(state) and not list_partial(state), behaviour
        assert len(w.requests(f.name)) == requests, (behaviour, w.requests(f.name))


def test_resume_in_one_run(w):
    """After an interruption only the rest is requested: the second request has a range."""
    f, state = w.file(), w.state()
    assert w.run(state, f.spec("cut:123456:1")) == "ok 1 %d" % SIZE
    assert len(w.requests("bytes=123456-")) == 1


def test_gives_up(w):
    for behaviour, code, requests in [("status:404", "source", 1), ("status:403", "source", 1),
                                      ("status:500", "source", 5), ("length:5", "source", 1),
                                      ("length:-5", "source", 1), ("endless", "source", 1), ("loop", "source", 11),
                                      ("tofile", "source", 1), ("close", "source", None),
                                      ("garbage", "source", None), ("chunkshort", "source", 5),
                                      ("flip", "digest", 1), ("biglength:99999999999", "source", 1)]:
        f, state = w.file(), w.state()
        result = w.run(state, f.spec(behaviour))
        assert result.startswith("error " + code + " file f0: "), (behaviour, result)
        assert not os.path.exists(f.final(state)), behaviour
        assert requests is None or len(w.requests(f.name)) == requests, (behaviour, w.requests(f.name))


def test_progress_forgives(w):
    """Failures do not add up as long as there is progress; the same bytes again are none."""
    f, state = w.file(size=15000000), w.state()
    assert w.run(state, f.spec("every:2000000")) == "ok 1 15000000"
    assert len(w.requests(f.name)) == 8
    g = w.file(size=5000000)
    assert w.run(w.state(), g.spec("cutwhole:3000000")).startswith("error source")
    assert len(w.requests(g.name)) == 5


def test_bad_urls(w):
    f, state = w.file(), w.state()
    for url in ["ftp://h/x", "gopher://h/x", "json://x", "scp://h/x"]:
        assert w.run(state, f.spec(url)).startswith("error source")
    assert w.run(state, " ".join(f.spec().split())).startswith("error source file f0: no URL")
    assert not list_partial(state)


def test_no_size(w):
    """As in a record or in the metadata of a domain that somebody has changed."""
    f = w.file()
    state = w.state()
    assert w.run(state, f.spec("ok").replace(" %d " % SIZE, " 0 ")).startswith("error source file f0: its size is not known")
    assert w.run(state, f.spec("ok")).startswith("ok 1 ")


def test_wrong_digest(w):
    f, state = w.file(), w.state()
    bad = bytearray(f.data)
    bad[SIZE // 2] ^= 1
    result = w.run(state, f.spec("flip"))
    assert "expected sha256:" + f.hex in result and "got sha256:" + hashlib.sha256(bad).hexdigest() in result
    assert not list_partial(state) and not os.listdir(os.path.join(state, "blobs"))
    # The URL is given up, but another may have the right file.
    assert w.run(state, f.spec("flip", "status:404", "ok")).startswith("ok 1 ")
    assert len(w.requests("/flip/" + f.name)) == 2
    # This error takes precedence over that of a URL without the file.
    g = w.file()
    assert w.run(w.state(), g.spec("flip", "status:404")).startswith("error digest")


def test_mirrors(w):
    f, state = w.file(), w.state()
    assert w.run(state, f.spec("http://127.0.0.1:1/x", "status:500", "cut:300000:99", "ok")) == "ok 1 %d" % SIZE
    assert len(w.requests("/status:500/" + f.name)) == 1
    assert len(w.requests("/ok/%s bytes=300000-" % f.name)) == 1
    # If two mirrors fail now and then, neither is given up too soon.
    g = w.file()
    assert w.run(state, g.spec("fail:503:3", "fail:503:3")) == "ok 1 %d" % SIZE


def test_mirror_with_other_bytes(w):
    """Data from a bad mirror at the beginning must not count against a good one."""
    f, state = w.file(), w.state()
    w.run(state, f.spec("cut:400000:9"))
    assert size_of(f.part(state)) == 400000
    with open(f.part(state), "r+b") as part:
        part.write(b"wrong")
    result = w.run(state, f.spec("ok"))
    assert result == "ok 1 %d" % (SIZE - 400000 + SIZE), result
    assert f.good(state)


def test_range_answers(w):
    for behaviour in ["noranges", "badrange", "otherbytes", "newetag", "ignoreifrange", "ok"]:
        f, state = w.file(), w.state()
        assert w.run(state, f.spec("cut:350000:9")).startswith("error source")
        assert size_of(f.part(state)) == 350000, behaviour
        result = w.run(state, f.spec(behaviour))
        assert result.startswith("ok 1 "), (behaviour, result)
        assert f.good(state) and not list_partial(state), behaviour
        assert len(w.requests("/%s/%s bytes=350000-" % (behaviour, f.name))) == 1


def test_changing_validators(w):
    """Several servers with one name, each with its own ETag, and interrupted responses:
    received data is kept, and each byte is transferred once."""
    for behaviour, requests in [("newcut:30", 4), ("newcut:10", 10), ("newcut:60", 2), ("ignoreifrange", 1)]:
        f, state = w.file(), w.state()
        assert w.run(state, f.spec(behaviour)) == "ok 1 %d" % SIZE, behaviour
        assert f.good(state) and not list_partial(state)
        assert len(w.requests(f.name)) == requests, (behaviour, w.requests(f.name))


def test_range_that_begins_before(w):
    """Data that was received before is skipped."""
    for before in 1, 999, 350000, 999999:
        f, state = w.file(), w.state()
        assert w.run(state, f.spec("cut:350000:9")).startswith("error source")
        assert w.run(state, f.spec("before:%d" % before)) == "ok 1 %d" % (SIZE - 350000 + min(before, 350000))
        assert f.good(state) and len(w.requests("/before:%d/%s" % (before, f.name))) == 1


def test_from_zero_once(w):
    """A wrong digest of data from several responses: one more attempt from the beginning."""
    f, state = w.file(), w.state()
    assert w.run(state, f.spec("cut:350000:9")).startswith("error source")
    with open(f.part(state), "r+b") as part:
        part.write(b"wrong")
    assert w.run(state, f.spec("flip")).startswith("error digest")
    asked = [line.split()[2] for line in w.requests("/flip/")]
    assert asked == ["bytes=350000-", "-"], asked


def test_one_at_a_time(w):
    """A server that allows one connection per client: one file after the other, none fails."""
    for behaviour in "one:503", "one:429:1", "one:503:date", "one:0":
        files, state = [w.file(size=50000) for _ in range(4)], w.state()
        result = w.run(state, *[f.spec(behaviour) for f in files], LAMINA_TEST_NO_DELAY=None)
        assert result == "ok 4 200000", (behaviour, result)
        assert all(f.good(state) for f in files) and not list_partial(state)
        refused = [line for f in files for line in w.requests(f.name) if not line.endswith(" 200\n")]
        assert 1 <= len(refused) <= 6, refused


def test_two_processes_one_at_a_time(w):
    for behaviour in "one:503", "one:0":
        state = w.state()
        both = [[w.file(size=50000) for _ in range(3)] for _ in range(2)]
        children = [w.start(state, *[f.spec(behaviour) for f in files], LAMINA_TEST_NO_DELAY=None) for files in both]
        for files, child in zip(both, children):
            assert child.communicate(timeout=DEADLINE)[0].splitlines()[-1] == "ok 3 150000", behaviour
            assert all(f.good(state) for f in files)
            refused = [line for f in files for line in w.requests(f.name) if not line.endswith(" 200\n")]
            assert len(refused) <= 20, refused
        assert not list_partial(state)


def test_refused_while_another_is_served(w):
    """Refusals do not count while the server is sending to another process."""
    state, slow = w.state(), w.file()
    holder = w.start(state, slow.spec("rate:100000"))  # 7 s
    wait_for(lambda: size_of(slow.part(state)) > 0, "the holder's bytes")
    for behaviour in "fail:503:12", "fail:429:12":
        f = w.file()
        lines = w.start(state, f.spec(behaviour), options=["--progress"]).communicate(timeout=DEADLINE)[0].splitlines()
        assert lines[-1] == "ok 1 %d" % SIZE, lines[-1]
        assert any(" server-busy " in line for line in lines)
        assert len(w.requests(f.name)) == 13
    assert holder.poll() is None
    holder.kill()


def test_wait_for_busy_server_is_limited(w):
    """The server sends to another process, and always refuses this one."""
    state, slow = w.state(), w.file()
    holder = w.start(state, slow.spec("rate:100000"))  # 7 s
    wait_for(lambda: size_of(slow.part(state)) > 0, "the holder's bytes")
    for code in "503", "429":
        f, began = w.file(), time.monotonic()
        assert w.run(state, f.spec("status:" + code), options=["--busy", "1"]).startswith("error source")
        assert 1 <= time.monotonic() - began < 5
    # Another server, and one that sends to no other process, are not waited for.
    began = time.monotonic()
    assert w.run(state, f.spec(f.url("status:503").replace("127.0.0.1", "localhost"))).startswith("error source")
    assert w.run(w.state(), f.spec("status:503")).startswith("error source")
    assert w.run(state, f.spec("status:500")).startswith("error source")
    assert time.monotonic() - began < 5 and holder.poll() is None
    assert len(w.requests("/status:503/" + f.name)) == 10 and len(w.requests("/status:500/" + f.name)) == 5
    holder.kill()


def test_one_at_a_time_with_mirror(w):
    """A server that refuses is not waited for if a mirror has the file."""
    files, state = [w.file(size=50000) for _ in range(4)], w.state()
    specs = [f.spec("one:503", f.url("ok").replace("127.0.0.1", "localhost")) for f in files]
    assert w.run(state, *specs) == "ok 4 200000"
    assert all(len(w.requests(f.name)) <= 2 for f in files)


def test_says_what_it_is(w):
    for behaviour, text in [("encoded", "Content-Encoding: gzip"), ("as:gzip", "gzip"), ("as:xz", "xz"), ("as:zstd", "zstd"),
                            ("as:bzip2", "bzip2"), ("as:html", "HTML"), ("as:raw", "raw disk image")]:
        f = w.file(size=50000)
        result = w.run(w.state(), f.spec(behaviour))
        assert result.startswith("error source") and text in result, (behaviour, result)
    f = w.file(size=50000)
    for wrapper, text in [(gzip.compress, "gzip"), (lambda data: b"<html>" + data, "HTML")]:
        with open(os.path.join(w.www, f.name), "wb") as out:
            out.write(wrapper(f.data)[:len(f.data)].ljust(len(f.data)))
        result = w.run(w.state(), f.spec("ok"))
        assert result.startswith("error digest") and text in result, result
    layer = File(w, "layer.gz", gzip.compress(random.randbytes(50000)), kind="layer")
    result = w.run(w.state(), layer.spec("ok"), program=FETCH_REAL)
    assert result.startswith("error refused") and "gzip" in result, result
    # With Content-Encoding, but with the right digest.
    good = File(w, "initrd.gz", gzip.compress(random.randbytes(50000), mtime=0))
    with open(os.path.join(w.www, good.name), "wb") as out:
        out.write(gzip.decompress(good.data))
    state = w.state()
    assert w.run(state, good.spec("encoded0")).startswith("ok 1 ") and open(good.final(state), "rb").read() == good.data


def test_resume_at_random_bytes(w):
    f = w.file()
    for _ in range(6):
        state, at = w.state(), random.randrange(1, SIZE)
        assert w.run(state, f.spec("cut:%d:99" % at)).startswith("error source")
        assert size_of(f.part(state)) == at
        assert w.run(state, f.spec("ok")) == "ok 1 %d" % (SIZE - at)
        assert f.good(state)


def test_stall(w):
    f, state = w.file(), w.state()
    assert w.run(state, f.spec("stall:200000:1"), options=["--stall", "1"]) == "ok 1 %d" % SIZE
    assert len(w.requests("bytes=200000-")) == 1


def test_cancel(w):
    f, state = w.file(), w.state()
    result = w.run(state, f.spec("drip:20000:20"), options=["--cancel-at", "200000"])
    assert result.startswith("error cancelled"), result
    have = size_of(f.part(state))
    assert have >= 200000 and list_partial(state) == [os.path.basename(f.part(state))]
    assert w.run(state, f.spec("ok")) == "ok 1 %d" % (SIZE - have)


def test_few_descriptors(w):
    """A lack of resources says nothing about the layer, and its data is kept."""
    if not shutil.which("qemu-img"):
        return "qemu-img is not installed"
    image = os.path.join(w.dir, "image.qcow2")
    subprocess.run(["qemu-img", "create", "-f", "qcow2", image, "64M"], check=True, stdout=subprocess.DEVNULL)
    with open(image, "rb") as file:
        layer = File(w, "image", file.read(), kind="layer")
    state = w.state()
    assert w.run(state, w.file().spec("ok")).startswith("ok 1 ")
    url = "file://" + os.path.join(w.www, layer.name)
    results = []
    for most in range(6, 34):
        results.append(w.run(state, layer.spec(url if most % 2 else "ok"),
                             program=["prlimit", "--nofile=%d" % most, FETCH_REAL]))
        if results[-1].startswith("ok 1 "):
            unlock(layer.final(state))
            os.unlink(layer.final(state))
            continue
        assert results[-1].startswith("error failed "), (most, results[-1])
    assert results[-1].startswith("ok 1 "), results
    assert sum(result.startswith("ok ") for result in results) < len(results), results
    return None


def test_no_space(w):
    f, g, state = w.file(), w.file(), w.state()
    result = w.run(state, f.spec("ok"), LAMINA_TEST_FREE=str(SIZE - 1))
    assert result.startswith("error no-space") and " free, but " in result, result
    assert not os.path.exists(f.final(state)) and not list_partial(state)
    assert w.run(state, f.spec("ok"), g.spec("ok"), LAMINA_TEST_FREE=str(SIZE)).startswith("ok 2")
    for fault in "part-reserve", "part-before-write", "part-before-sync":
        f, state = w.file(), w.state()
        assert w.run(state, f.spec("ok"), LAMINA_TEST_FAULT=fault + "=enospc").startswith("error no-space"), fault
        assert not os.path.exists(f.final(state))
        assert w.run(state, f.spec("ok")).startswith("ok 1 "), fault


def test_killed_at_each_fault_point(w):
    """Killed at each fault point, the next run succeeds."""
    for fault in ["part-reserve", "part-before-write", "part-after-write", "part-before-sync", "part-after-sync",
                  "publish-before-rename", "publish-after-rename", "part-after-publish"]:
        f, state = w.file(), w.state()
        result = w.run(state, f.spec("ok"), LAMINA_TEST_FAULT=fault + "=kill")
        assert result == "died -9", (fault, result)
        assert not os.path.exists(f.final(state)) or f.good(state)
        result = w.run(state, f.spec("ok"))
        assert result.startswith("ok "), (fault, result)
        assert f.good(state), fault


def test_sees_holder_and_takes_over(w):
    f, state = w.file(), w.state()
    holder = w.start(state, f.spec("drip:20000:40"))
    wait_for(lambda: size_of(f.part(state)) > 60000, "the holder's bytes")
    waiter = w.start(state, f.spec("ok"), options=["--progress"])
    seen = 0
    while seen < 60000:
        line = waiter.stdout.readline().split()
        if len(line) > 4 and line[4] == "other-process":
            seen = int(line[2])
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    have = size_of(f.part(state))
    out = waiter.communicate(timeout=DEADLINE)[0].splitlines()
    assert out[-1] == "ok 1 %d" % (SIZE - have), (out[-1], have)
    assert f.good(state) and not list_partial(state)
    assert len(w.requests("/ok/%s bytes=%d-" % (f.name, have))) == 1


def test_busy(w):
    f, state = w.file(), w.state()
    holder = w.start(state, f.spec("drip:20000:50"))
    wait_for(lambda: size_of(f.part(state)) > 0, "the holder's bytes")
    holder.send_signal(signal.SIGSTOP)
    result = w.run(state, f.spec("ok"), options=["--busy", "1"])
    holder.send_signal(signal.SIGCONT)
    assert result.startswith("error busy"), result
    assert not w.requests("/ok/" + f.name)


def seconds_until_locked(path):
    """Returns how long it takes to get the exclusive lock, at most two seconds; releases it."""
    begin = time.monotonic()
    with open(path, "ab") as lock:
        while time.monotonic() < begin + 2:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.005)
    return time.monotonic() - begin


def test_cache_lock(w):
    """The exclusive lock of the cache can be acquired within a second during a pull."""
    slow, stopped, state = w.file(), w.file(), w.state()
    cached = [w.file(size=20000) for _ in range(3)]
    assert w.run(state, *[f.spec("ok") for f in cached]).startswith("ok 3 ")
    children = [w.start(state, slow.spec("drip:20000:60")), w.start(state, stopped.spec("drip:20000:20"))]
    wait_for(lambda: size_of(slow.part(state)) > 0 and size_of(stopped.part(state)) > 0, "the first bytes")
    children[1].send_signal(signal.SIGSTOP)
    waits = []
    for _ in range(20):
        children.append(w.start(state, w.file(size=60000).spec("drip:20000:20"), *[f.spec("ok") for f in cached]))
        waits.append(seconds_until_locked(os.path.join(state, "lock")))
        assert waits[-1] < 1, waits
    assert children[0].poll() is None
    children[1].send_signal(signal.SIGCONT)
    for child in children:
        assert child.communicate(timeout=DEADLINE)[0].splitlines()[-1].startswith("ok 1 ")


def test_damaged(w):
    """A truncated or overwritten file of the cache is pulled again, and is kept elsewhere."""
    f, state = w.file(), w.state()
    assert w.run(state, f.spec("ok")).startswith("ok 1 ")
    assert w.run(state, f.spec("ok")) == "ok 0 0"
    for cut in (0, 1000, SIZE - 1, SIZE + 1, None):
        unlock(f.final(state))
        os.chmod(f.final(state), 0o644)
        with open(f.final(state), "r+b") as file:
            if cut is None:
                file.write(b"x")
            else:
                file.truncate(cut)
        opened = os.stat(f.final(state)).st_ino
        assert w.run(state, f.spec("ok")) == "ok 1 %d" % SIZE, cut
        assert f.good(state) and not list_partial(state)
        aside = sorted(os.listdir(os.path.join(state, "quarantine")))
        assert os.stat(os.path.join(state, "quarantine", aside[-1])).st_ino == opened
    # If it cannot be pulled, the damaged file is kept, and counts as damaged.
    unlock(f.final(state))
    os.truncate(f.final(state), 1000)
    assert w.run(state, f.spec("404")).startswith("error source"), cut
    assert size_of(f.final(state)) == 1000


def test_single_flight(w):
    """Twenty processes with overlapping sets of files in any order: one GET request per file."""
    files = [w.file(size=100000) for _ in range(6)]
    state = w.state()
    children = []
    for _ in range(20):
        some = random.sample(files, 4)
        children.append(w.start(state, *[f.spec("drip:30000:20") for f in some], options=["--transfers", "2"]))
    moved = 0
    for child in children:
        result = child.communicate(timeout=DEADLINE)[0].splitlines()[-1]
        assert result.startswith("ok "), result
        moved += int(result.split()[1])
    used = [f for f in files if os.path.exists(f.final(state))]
    assert moved == len(used)
    for f in used:
        assert f.good(state)
        assert len(w.requests(f.name)) == 1
    assert not list_partial(state)


def test_more_files_than_slots(w):
    files = [w.file(size=20000) for _ in range(30)]
    state = w.state()
    assert w.run(state, *[f.spec("ok") for f in files], options=["--transfers", "3"]) == "ok 30 600000"
    assert all(f.good(state) for f in files)


def test_progress(w):
    f, state = w.file(), w.state()
    child = w.start(state, f.spec("drip:50000:30"), options=["--progress"])
    lines = [line.split() for line in child.communicate(timeout=DEADLINE)[0].splitlines()]
    assert lines.pop()[0] == "ok"
    done = [int(line[2]) for line in lines]
    assert done == sorted(done) and done[-1] == SIZE and lines[-1][1] == "done"
    assert any(0 < n < SIZE for n in done)
    assert {line[1] for line in lines} >= {"transferring", "done"}


if __name__ == "__main__":
    sys.exit(main(globals()))
