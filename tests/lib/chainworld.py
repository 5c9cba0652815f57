# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host with a catalog of small layers, for the tests of export and import."""
import hashlib
import json
import os
import signal
import subprocess
import sys
import time

from tap import lamina, work

_make = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mkqcow2.py")


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer(kind, parent=None, size=4194304):
    """Returns the bytes of a layer of one of the kinds of mkqcow2.py."""
    path = os.path.join(work, "made.qcow2")
    options = ["--parent", parent[len("sha256:"):]] if parent else []
    subprocess.run([sys.executable, _make, kind, path, "--size", str(size), *options], check=True, stdout=subprocess.DEVNULL)
    with open(path, "rb") as file:
        return file.read()


base = layer("good-v3")
child = layer("good-v3-child", digest(base))
other = layer("good-v3-child", digest(base), 8388608)
kernel = b"K" * 3000000
files = {"base.qcow2": base, "child.qcow2": child, "other.qcow2": other, "kernel": kernel}


def build(data, name, parent=None, urls=()):
    return {"digest": digest(data), "size": len(data), "urls": [name, *urls], **({"parent": parent} if parent else {})}


# What the builds record about their contents
base_contents = {"packages": ["bash=5.2.15-2+b7", "libc6=2.36-9+deb12u10", "nano=7.2-1"]}
child_contents = {"packages": ["libc6=2.36-9+deb12u11", "nginx=1.24-1"], "removed": ["nano"], "lock": "sha256:" + "5" * 64}
catalog = {
    "lamina-catalog": 1, "name": "lab",
    "groups": [{"name": "os", "required": True}, {"name": "web", "title": "Web"}, {"name": "db"}, {"name": "unused"}],
    "layers": [
        {"name": "debian", "version": "12", "group": "os", "ready": "login:", "summary": "Debian", "arch": "x86_64",
         "osinfo": "http://debian.org/debian/12", "resources": {"memory": "512MiB", "disk": "1GiB"}, "provides": ["linux = 6"],
         "boot": {"kernel": build(kernel, "kernel"), "cmdline": "root=/dev/vda"},
         "builds": [{**build(base, "base.qcow2", urls=["https://user:secret@mirror.example/b", "https://mirror.example/b?token=secret",
                                                       "https://mirror.example/b"]), **base_contents}]},
        {"name": "nginx", "version": "1.24", "group": "web", "requires": ["debian >= 12"], "conflicts": ["apache"],
         "builds": [{**build(child, "child.qcow2", digest(base)), **child_contents}]},
        {"name": "mysql", "version": "8", "group": "db", "requires": ["debian"],
         "builds": [build(other, "other.qcow2", digest(base))]},
    ],
}


class Host:
    """A state directory below the test's directory."""

    def __init__(self, name):
        self.dir = os.path.join(work, name)

    def run(self, *words, stdin=subprocess.DEVNULL, **environment):
        """Runs lamina; returns its exit status, output (bytes) and messages."""
        env = {**os.environ, "LAMINA_STATE_DIR": self.dir, **environment}
        done = subprocess.run([lamina, *words], capture_output=True, stdin=stdin, env=env)
        return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")

    def json(self, *words, **environment):
        status, out, errors = self.run(*words, "--json", **environment)
        return json.loads(out) if status == 0 else {"status": status, "errors": errors}

    def file(self, name):
        """Returns the path of a file of the cache, which the test may change or remove now."""
        path = os.path.join(self.dir, name)
        subprocess.run(["chattr", "-f", "-i", path], stderr=subprocess.DEVNULL, check=False)
        return path

    def list(self, *parts):
        """Returns the names in a directory of the state directory; without lock files."""
        path = os.path.join(self.dir, *parts)
        return {name for name in os.listdir(path) if not name.endswith("lock")} if os.path.isdir(path) else set()

    def cached(self):
        return self.list("layers") | self.list("blobs")


class Stopped:
    """A lamina that stops at a fault point."""

    def __init__(self, host, point, *words):
        env = {**os.environ, "LAMINA_STATE_DIR": host.dir, "LAMINA_TEST_FAULT": point + "=stop"}
        self.process = subprocess.Popen([lamina, *words], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        deadline = time.monotonic() + 60
        while not self.has_stopped() and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)

    def has_stopped(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] == "T"

    def go_on(self):
        """Returns exit status, output and messages."""
        while self.process.poll() is None:
            if self.has_stopped():
                self.process.send_signal(signal.SIGCONT)
            try:
                self.process.wait(0.1)
            except subprocess.TimeoutExpired:
                pass
        out, errors = self.process.communicate()
        return self.process.returncode, out, errors


def origin():
    """Returns a host that has the catalog as the source "lab"."""
    directory = os.path.join(work, "origin-files")
    os.makedirs(directory, exist_ok=True)
    for name, data in files.items():
        with open(os.path.join(directory, name), "wb") as file:
            file.write(data)
    with open(os.path.join(directory, "lab.json"), "w", encoding="utf-8") as file:
        json.dump(catalog, file)
    host = Host("origin")
    status, _, errors = host.run("catalog", "add", "lab", os.path.join(directory, "lab.json"))
    assert status == 0, errors
    return host
