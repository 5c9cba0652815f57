#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A state directory on a file system that is mounted read-only: what only reads works, and
the rest says why it does not. In a mount namespace."""
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from chainworld import origin
from tap import done_testing, lamina, ok, work

host = origin()
environment = {"LIBVIRT_DEFAULT_URI": "test:///default"}
for words in ("pull", "debian", "nginx"), ("pull", "debian", "mysql"), ("cache", "pin", "mysql"), ("define", "web", "debian", "nginx"):
    status, _, errors = host.run(*words, **environment)
    ok(status == 0, " ".join(words), errors)
mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
isolated = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c", mount, host.dir]


def run(*words):
    done = subprocess.run([*isolated, lamina, *words], capture_output=True, stdin=subprocess.DEVNULL, text=True, check=False,
                          env={**os.environ, **environment, "LAMINA_STATE_DIR": host.dir})
    return done.returncode, done.stdout, done.stderr


if subprocess.run([*isolated, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
    print("ok 5 # SKIP mounts are not permitted\n1..5")
    sys.exit(0)
for words, expected in (("cache list", "nginx"), ("cache show nginx", "machine web"), ("cache du", "web"), ("cache gc --dry-run", "kept: pinned"),
                        ("cache verify --repair", "4 ok"), ("plan debian nginx", "to pull: 0 B"), ("outdated", "none of 1 machine"),
                        ("pull debian nginx", "nothing to pull"), ("pull --machine web", "nothing to pull"),
                        (f"cache export --no-pull {work}/archive debian nginx", "exported 3 files")):
    status, out, errors = run(*words.split())
    ok(status == 0 and expected in out, words, (out, errors))
for words in "cache unpin mysql", "launch web debian nginx", f"cache import {work}/archive --as other":
    status, out, errors = run(*words.split())
    ok(status == 1 and ("Read-only" in errors or "readonly" in errors), words, (out, errors))
status, out, errors = run("doctor", "--offline", "--json")
found = [entry["what"] for entry in json.loads(out)["diagnoses"] if entry["check"] == "state-dir" and entry["level"] == "error"]
ok(status == 1 and len(found) == 1 and "read-only" in found[0], "doctor says so", out)
done_testing()
