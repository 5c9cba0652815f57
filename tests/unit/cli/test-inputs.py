#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files that a user gives: with a byte order mark, and as pipes."""
import hashlib
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from tap import done_testing, lamina, ok, state, work

TEST = ("-c", "test:///default")


def run(*words, pipe=None):
    """If @pipe is given, the word PIPE is replaced by the path of a pipe with that text."""
    env = {**os.environ, "LAMINA_STATE_DIR": state}
    if pipe is None:
        return subprocess.run([lamina, *words], capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL)
    end, begin = os.pipe()
    os.write(begin, pipe.encode())
    os.close(begin)
    words = [word.replace("PIPE", f"/dev/fd/{end}") for word in words]
    done = subprocess.run([lamina, *words], capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL, pass_fds=(end,))
    os.close(end)
    return done


def path(name, text):
    full = os.path.join(work, name)
    with open(full, "w", encoding="utf-8") as file:
        file.write(text)
    return full


digest = "sha256:" + hashlib.sha256(b"debian").hexdigest()
CATALOG = json.dumps({"lamina-catalog": 1, "name": "lab", "groups": [{"name": "os"}], "layers": [
    {"name": "debian", "version": "12", "group": "os", "builds": [{"digest": digest, "size": 6, "urls": ["debian.qcow2"]}]}]})
CONFIG = f"[lamina]\nstate-dir = {work}/configured\nvirt-type = xen\n"
SPEC = "name: web1\nselections: [nowhere]\n"
TEMPLATE = "<domain><name>x</name>\n<broken></domain>\n"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43 + " me\n"
MARK = "\ufeff"

# Each text is given as a file with a byte order mark and as a pipe with and without one: (verb
# and words with FILE, the text, the exit status and a part of the message if it was read).
good = path("lab.json", CATALOG)
CASES = (
    ("a catalog", ("plan", "debian", "--catalog", "FILE"), CATALOG, 0, ""),
    ("a catalog to add", ("catalog", "add", "lab", "FILE"), CATALOG, 0, ""),
    ("a configuration", ("list", "--config", "FILE"), CONFIG, 2, "\"xen\" is not valid"),
    ("a specification", ("launch", "-f", "FILE", "--catalog", good, *TEST), SPEC, 3, "nowhere"),
    ("a key file", ("define", "web1", "nowhere", "--cloud-init", "ssh-key=FILE", "--catalog", good, *TEST), KEY, 3, "nowhere"),
)
for name, words, text, status, says in CASES:
    marked = path("marked", MARK + text)
    for how, done in (("with a byte order mark", run(*[word.replace("FILE", marked) for word in words])),
                      ("from a pipe", run(*[word.replace("FILE", "PIPE") for word in words], pipe=text)),
                      ("from a pipe, with a byte order mark", run(*[word.replace("FILE", "PIPE") for word in words], pipe=MARK + text))):
        if words[:2] == ("catalog", "add") and "pipe" in how:
            continue  # a source is fetched again later
        ok(done.returncode == status and says in done.stderr, f"{name} {how}", f"{done.returncode}\n{done.stdout}\n{done.stderr}")
run("catalog", "remove", "lab")

done_testing()
