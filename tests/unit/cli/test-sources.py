#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Catalog sources that do not answer, locks held by others, and directories that cannot be
written: each wait ends, and an interrupted run changes nothing."""
import fcntl
import functools
import hashlib
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from tap import done_testing, lamina, ok, state, work

BOUND = 60  # seconds; longer means that it hangs


def environment(**more):
    return {**os.environ, "LAMINA_STATE_DIR": state, "LAMINA_TEST_NO_DELAY": "1", "XDG_CACHE_HOME": f"{work}/cache", **more}


def run(*words, **more):
    try:
        return subprocess.run([lamina, *words], capture_output=True, text=True, env=environment(**more), stdin=subprocess.DEVNULL,
                              timeout=BOUND)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, -1, "", "does not come to an end")


def start(*words):
    return subprocess.Popen([lamina, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
                            stdin=subprocess.DEVNULL)


def until(condition):
    end = time.monotonic() + BOUND
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def names():
    return sorted(source["name"] for source in json.loads(run("catalog", "list", "--json").stdout)["sources"])


def text(layers=1):
    return json.dumps({"lamina-catalog": 1, "name": "lab", "groups": [{"name": "os"}], "layers": [
        {"name": f"debian{i}", "version": "12", "group": "os", "summary": "x" * 200,
         "builds": [{"digest": "sha256:" + hashlib.sha256(b"%d" % i).hexdigest(), "size": 1, "urls": ["x"]}]} for i in range(layers)]})


def write(path, content):
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)


catalog = f"{work}/lab.json"
write(catalog, text())

# A source must be a regular file if it is a file.
ok(run("catalog", "add", "lab", catalog).returncode == 0, "a source")
for kind, make in (("a pipe", os.mkfifo), ("a directory", os.mkdir), ("a device", lambda path: os.symlink("/dev/zero", path))):
    os.rename(catalog, catalog + ".away")
    make(catalog)
    done = run("catalog", "update", "lab")
    ok(done.returncode == 5 and catalog in done.stderr, f"{kind} in place of a catalog is refused", done.stderr)
    ok(run("plan", "debian0").returncode == 0, "its copy is used")
    done = run("catalog", "add", "other", catalog)
    ok(done.returncode == 5 and names() == ["lab"], f"{kind} is not added", done.stderr)
    os.rmdir(catalog) if kind == "a directory" else os.unlink(catalog)
    os.rename(catalog + ".away", catalog)

# For a file that is not a catalog, the message says what it is and what to do.
for start_of, says in ((b"\x1f\x8b\x08", "gzip"), (b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"QFI\xfb\0\0\0\3", "qcow2"),
                       (b"\0" * 510 + b"\x55\xaa", "raw disk image"), (b"<!DOCTYPE html><title>No</title>", "HTML page")):
    with open(f"{work}/strange", "wb") as file:
        file.write(start_of + b" " * 2000)
    for words in (("catalog", "add", "strange", f"{work}/strange"), ("plan", "debian0", "--catalog", f"{work}/strange")):
        done = run(*words)
        ok(done.returncode == 5 and says in done.stderr and "not a catalog; " in done.stderr, f"{words[0]}: {says}", done.stderr)

for content, says in ((b"%PDF-1.7\n", "a PDF document"), ("{}".encode("utf-32"), "UTF-32"), (b"", "an empty file"), (b" \n\n", "an empty file")):
    with open(f"{work}/strange", "wb") as file:
        file.write(content)
    done = run("plan", "debian0", "--catalog", f"{work}/strange")
    ok(done.returncode == 5 and f"{says}, not a catalog; " in done.stderr, f"{content}: the message says what it is", done.stderr)
# So do the messages about other kinds of files.
with open(f"{work}/strange", "wb") as file:
    file.write(b"\x1f\x8b\x08" + b" " * 2000)
for words in (("launch", "-f", f"{work}/strange"), ("list", "--config", f"{work}/strange"),
              *(("launch", "w", "debian0", "--cloud-init", f"{key}={work}/strange") for key in ("meta-data", "network-config"))):
    done = run(*words)
    ok(done.returncode == 2 and f"{work}/strange: this is a gzip-compressed file, not a" in done.stderr, f"{words[-2:]} too", done.stderr)

# Locks held by another process.
write(catalog, text(2))
for number in (signal.SIGTERM, signal.SIGINT):
    for words in (("remove", "lab"), ("update", "lab"), ("add", "lab", catalog, "--priority", "7")):
        before = run("catalog", "list", "--json").stdout
        with open(f"{state}/catalogs/lab.lock", "w", encoding="utf-8") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            waiting = start("catalog", *words)
            ok("another lamina process that is changing the catalog source lab" in waiting.stderr.readline(),
               f"catalog {words[0]} says for whom it waits")
            waiting.send_signal(number)
            said = waiting.communicate(timeout=BOUND)[1]
        ok(waiting.returncode == 1 and said == "lamina: interrupted\n", f"catalog {words[0]}: {number.name} ends the wait for a lock", said)
        ok(run("catalog", "list", "--json").stdout == before and run("plan", "debian1").returncode == 3, "and nothing has changed")
with open(f"{state}/catalogs/lab.lock", "w", encoding="utf-8") as held:
    fcntl.flock(held, fcntl.LOCK_EX)
    waiting = start("catalog", "update", "lab")
    waiting.stderr.readline()
ok(waiting.wait(timeout=BOUND) == 0 and run("plan", "debian1").returncode == 0, "a waiting process continues when the lock is free")
waiting.communicate()

# A server that accepts the request and sends nothing.
with socket.create_server(("127.0.0.1", 0)) as listener:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/lab.json"
    hanging = start("catalog", "add", "lab2", url)
    connection, _ = listener.accept()
    with open(f"{state}/catalogs/lab2.lock", "w", encoding="utf-8") as free:
        fcntl.flock(free, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ok(True, "no lock is held during the wait for a server")
    ok(run("catalog", "add", "lab2", catalog).returncode == 0, "another process adds the same source meanwhile")
    body = text().encode()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    said = hanging.communicate(timeout=BOUND)[1]
    ok(hanging.returncode == 9 and "there is already" in said, "the second one reports that", said)
    connection.close()

    record = f"{state}/catalogs/lab2.json"
    content = json.load(open(record, encoding="utf-8"))
    write(record, json.dumps({**content, "url": url, "base_url": url}))
    hanging = start("catalog", "update", "lab2")
    connection, _ = listener.accept()
    ok(run("catalog", "remove", "lab2").returncode == 0, "a source can be removed during the wait for its server")
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    said = hanging.communicate(timeout=BOUND)[1]
    ok(hanging.returncode == 3 and names() == ["lab"], "and is not added again", said)
    connection.close()
    ok(not os.path.exists(f"{state}/catalogs/lab2.lock"), "nor is its lock")

# A busy server, with a state directory that cannot be written.
    for answer in (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", b""):
        listing = start("list", "--json", "--catalog", url, "--state-dir", "/proc/lamina")
        for reply in (answer, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body):
            connection, _ = listener.accept()
            connection.recv(4096)
            connection.sendall(reply)
            connection.close()
        out, said = listing.communicate(timeout=BOUND)
        ok(listing.returncode == 0 and "debian0" in out, f"tried again after {answer[9:12].decode() or 'a lost connection'}", said)

# The index of a large file.
large = f"{work}/large.json"
write(large, text(2000))


def indexes(directory):
    return os.listdir(directory) if os.path.isdir(directory) else []


def plan(name, **more):
    return run("plan", name, "--catalog", large, **more).returncode


own = f"{state}/catalogs/files"
ok(until(lambda: plan("debian1999") == 0 and indexes(own)), "a large catalog gets an index")
index = f"{own}/{indexes(own)[0]}"
ok(os.stat(index).st_mode & 0o777 == 0o600 and os.stat(own).st_mode & 0o777 == 0o700, "which is accessible to its owner only")
ok(plan("debian1999") == 0, "and is used")
whole = open(index, "rb").read()
for damage in (b"", os.urandom(4096), whole[:-1], whole[:5000] + b"\0" * 100 + whole[5100:]):
    with open(index, "wb") as file:
        file.write(damage)
    ok(plan("debian1999") == 0, f"a damaged one ({len(damage)} bytes) is not used")
write(large, text(1999))
ok(plan("debian1999") == 3, "nor is one for another state of the file")
os.chmod(own, 0o777)
ok(until(lambda: plan("debian1998") == 0 and indexes(f"{work}/cache/lamina/catalogs")), "nor one in a directory that others can write")
ok(plan("debian1998", LAMINA_STATE_DIR="/proc/lamina") == 0, "an index does not need a state directory")

# Files that a killed run was writing are removed by the next one.
def list_incomplete():
    return [os.path.join(at, name) for at in (state, f"{work}/cache") for at, _, files in os.walk(at) for name in files
            if ".lamina-tmp." in name]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


os.chmod(own, 0o700)
remote = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=work))
threading.Thread(target=remote.serve_forever, daemon=True).start()
by_url = ("--catalog", f"http://127.0.0.1:{remote.server_address[1]}/lab.json")
run("catalog", "add", "lab3", catalog)
for words, undo in ((("plan", "debian0"), f"{state}/catalogs/lab3.index"), (("plan", "debian0", "--catalog", large), index),
                    (("plan", "debian0", *by_url), None), (("catalog", "update", "lab3"), None)):
    if undo is not None and os.path.exists(undo):
        os.unlink(undo)
    done = run(*words, LAMINA_TEST_FAULT="file-before-rename=kill")
    ok(done.returncode == -signal.SIGKILL and len(list_incomplete()) == 1, f"{' '.join(words)} is killed while it writes", list_incomplete())
    ok(run(*words).returncode == 0 and list_incomplete() == [], "the next run succeeds and leaves nothing incomplete", list_incomplete())
run("catalog", "add", "lab4", catalog, LAMINA_TEST_FAULT="file-before-rename=kill")
ok(len(list_incomplete()) == 1, "a source is not added by a killed run")
ok(run("plan", "debian0").returncode == 0 and list_incomplete() == [], "any other run removes it", list_incomplete())
remote.shutdown()

done_testing()
