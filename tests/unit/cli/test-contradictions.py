#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Catalogs with wrong statements about cached files: warnings name them, and the files are used."""
import hashlib
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from tap import done_testing, lamina, ok, state, work

make = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib/mkqcow2.py")]


def run(*words):
    return subprocess.run([lamina, *words, "--json"], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "LAMINA_STATE_DIR": state})


def cache(kind, *options):
    """Puts a layer into the cache. Returns its digest and size."""
    made = os.path.join(work, "made.qcow2")
    subprocess.run([*make, kind, made, *options], check=True, stdout=subprocess.DEVNULL)
    with open(made, "rb") as file:
        data = file.read()
    digest = hashlib.sha256(data).hexdigest()
    os.makedirs(os.path.join(state, "layers"), mode=0o755, exist_ok=True)
    os.rename(made, os.path.join(state, "layers", f"sha256-{digest}.qcow2"))
    os.chmod(os.path.join(state, "layers", f"sha256-{digest}.qcow2"), 0o444)
    return "sha256:" + digest, len(data)


def catalog(name, builds):
    """Returns a catalog with layers named by the keys of @builds: (digest, size, parent)."""
    layers = [{"name": layer, "version": "1", "group": "g", "builds": [
        {"digest": digest, "size": size, "urls": ["x.qcow2"], **({"parent": parent} if parent else {})}]}
              for layer, (digest, size, parent) in builds.items()]
    full = os.path.join(work, name)
    with open(full, "w", encoding="utf-8") as file:
        json.dump({"lamina-catalog": 1, "groups": [{"name": "g", "multiple": True}], "layers": layers}, file)
    return full


base, base_size = cache("good-v3", "--size", "4194304")
child, child_size = cache("good-v3-child", "--size", "4194304", "--parent", base[len("sha256:"):])
elsewhere = "sha256:" + 64 * "e"
good = {"os": (base, base_size, None), "app": (child, child_size, base)}
right = catalog("right.json", good)

plan = run("plan", "os", "app", "--catalog", right)
ok(plan.returncode == 0 and plan.stderr == "", "a correct catalog", plan.stderr)
expected = json.loads(plan.stdout)["layers"] if plan.returncode == 0 else []
ok([item["action"] for item in expected] == ["cached", "cached"], "everything is cached", plan.stdout)

for name, builds in {
        "size of a child": {**good, "app": (child, child_size + 1, base)},
        "size of a base": {**good, "os": (base, 1, None)},
        "parent": {**good, "app": (child, child_size, elsewhere), "other": (elsewhere, 5, None)},
        "base that is a child": {**good, "app": (child, child_size, None)},
        "child that is a base": {**good, "os": (base, base_size, elsewhere), "other": (elsewhere, 5, None)},
        "size and parent": {**good, "app": (child, 5, elsewhere), "other": (elsewhere, 5, None)}}.items():
    wrong = catalog("wrong.json", builds)
    for which, names in {"alone": [wrong], "first": [wrong, right], "second": [right, wrong]}.items():
        options = [word for one in names for word in ("--catalog", one)]
        plan = run("plan", "os", "app", *options)
        got = json.loads(plan.stdout)["layers"] if plan.returncode == 0 else []
        same = [(a["digest"], a["size"], a["parent"], a["action"]) for a in got] \
            == [(a["digest"], a["size"], a["parent"], a["action"]) for a in expected]
        ok(same, f"{name}, {which}: the properties of the cached files are used", f"{plan.returncode} {plan.stdout}{plan.stderr}")
        lines = plan.stderr.splitlines()
        ok(len(lines) == 1 and "wrong.json" in lines[0] and "is wrong about the layer" in lines[0] and "right.json" not in lines[0],
           f"{name}, {which}: the catalog is named", plan.stderr)
        done = run("list", *options)
        cached = {layer["name"]: layer["cached"] for layer in json.loads(done.stdout)["layers"]}
        ok(cached.get("app") and cached.get("os"), f"{name}, {which}: listed as cached", done.stdout)

# A damaged file proves nothing.
with open(os.path.join(state, "layers", f"sha256-{child[len('sha256:'):]}.qcow2"), "rb") as file:
    data = file.read()
os.unlink(file.name)
with open(file.name, "wb") as file:
    file.write(data[:-512])
plan = run("plan", "os", "app", "--catalog", right)
ok(plan.returncode == 0 and plan.stderr == "", "there is no warning because of a truncated file", plan.stderr)
ok(plan.returncode == 0 and json.loads(plan.stdout)["layers"][1]["size"] == child_size, "its size is not used", plan.stdout)

done_testing()
