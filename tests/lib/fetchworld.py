# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shared by the tests of fetch: a server with faults, its files, and the program that
fetches them."""
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

SRC = os.environ.get("G_TEST_SRCDIR", os.path.join(os.path.dirname(__file__), ".."))
BUILD = os.environ.get("G_TEST_BUILDDIR", os.path.join(os.path.dirname(__file__), ".."))
FETCH = os.path.join(BUILD, "unit", "fetch", "fetch-one")
FETCH_REAL = os.path.join(BUILD, "unit", "fetch", "fetch-real")
SIZE = 700000
DEADLINE = 60


class File:
    """One content-addressed file on the server."""

    def __init__(self, world, name, data, kind="blob", parent="-"):
        self.world, self.name, self.data, self.kind, self.parent = world, name, data, kind, parent
        self.hex = hashlib.sha256(data).hexdigest()
        with open(os.path.join(world.www, name), "wb") as out:
            out.write(data)

    def url(self, behaviour):
        return "http://127.0.0.1:%d/%s/%s" % (self.world.port, behaviour, self.name)

    def spec(self, *behaviours, size=None):
        urls = [b if "://" in b else self.url(b) for b in behaviours]
        return " ".join([self.kind, "sha256:" + self.hex, str(size or len(self.data)), self.parent] + urls)

    def final(self, state):
        name = ("layers/sha256-%s.qcow2" if self.kind == "layer" else "blobs/sha256-%s") % self.hex
        return os.path.join(state, name)

    def part(self, state):
        return os.path.join(state, "partial", "sha256-%s.part" % self.hex)

    def good(self, state):
        path = self.final(state)
        with open(path, "rb") as file:
            return file.read() == self.data and os.stat(path).st_mode & 0o777 == 0o444


class World:
    """A server, its directory, and any number of state directories."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="lm-fetch-")
        self.www = os.path.join(self.dir, "www")
        self.log = os.path.join(self.dir, "log")
        os.mkdir(self.www)
        self.server = subprocess.Popen([sys.executable, os.path.join(SRC, "lib", "badserver.py"), self.www, self.log],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.server.stdout.readline())
        self.states = 0
        self.children = []
        self.env = dict(os.environ, LAMINA_TEST_NO_DELAY="1", no_proxy="*")
        random.seed(int(os.environ.get("LAMINA_SEED", "1")))

    def close(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()
            child.stdout.close()
        self.server.stdin.close()
        self.server.wait()
        self.server.stdout.close()
        unlock(self.dir)
        shutil.rmtree(self.dir)

    def file(self, size=SIZE, **kind):
        self.states += 1
        return File(self, "f%d" % self.states, random.randbytes(size), **kind)

    def state(self):
        self.states += 1
        return os.path.join(self.dir, "state%d" % self.states)

    def start(self, state, *specs, options=(), program=FETCH, **env):
        program = [program] if isinstance(program, str) else program
        env = {name: value for name, value in {**self.env, **env}.items() if value is not None}
        child = subprocess.Popen([*program, *options, state, *specs], stdout=subprocess.PIPE, text=True, env=env)
        self.children.append(child)
        return child

    def run(self, state, *specs, **more):
        child = self.start(state, *specs, **more)
        out = child.communicate(timeout=DEADLINE)[0]
        return out.splitlines()[-1] if out else "died %d" % child.returncode

    def requests(self, text):
        try:
            with open(self.log, encoding="ascii") as log:
                return [line for line in log if text in line]
        except FileNotFoundError:
            return []


def unlock(path):
    """Lifts the immutable flag of the file @path, or of all files below the directory @path."""
    subprocess.run(["chattr", "-R", "-f", "-i", path], stderr=subprocess.DEVNULL, check=False)


def list_partial(state):
    """Returns the names in partial/ except the lock table."""
    return sorted(set(os.listdir(os.path.join(state, "partial"))) - {"lock"})


def wait_for(condition, what):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited too long for " + what)
        time.sleep(0.01)


def size_of(path):
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def main(functions):
    """Runs those of @functions (globals()) that are called test_*, each in a World of its own."""
    tests = [(name[5:], test) for name, test in functions.items() if name.startswith("test_")]
    if len(sys.argv) > 1:
        tests = [(name, test) for name, test in tests if name in sys.argv[1:]]
    print("1..%d" % len(tests), flush=True)
    failures = 0
    for number, (name, test) in enumerate(tests, 1):
        world = World()
        began = time.monotonic()
        try:
            skip = test(world)
            print("ok %d %s%s" % (number, name, " # SKIP " + skip if skip else ""), flush=True)
        except Exception as error:  # of any kind; the other tests are run nevertheless
            failures += 1
            frame = error.__traceback__
            while frame.tb_next and frame.tb_next.tb_frame.f_code.co_filename == sys.argv[0]:
                frame = frame.tb_next
            print("not ok %d %s # line %d: %s %s" % (number, name, frame.tb_lineno, type(error).__name__,
                                                     str(error).replace("\n", " ")), flush=True)
        finally:
            world.close()
        print("# %s: %.1f s" % (name, time.monotonic() - began), flush=True)
    return 1 if failures else 0
