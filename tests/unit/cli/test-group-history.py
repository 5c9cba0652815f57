#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lamina group --history: what was launched on this host becomes roles, as often as it was launched."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from chainworld import origin  # noqa: E402
from tap import done_testing, ok, work  # noqa: E402

PACKAGES = {"bash": "libc6", "libc6": "", "nano": "libc6", "nginx": "libc6", "server": "libc6", "wanted": "needed", "needed": ""}

host = origin()
recipes = os.path.join(work, "recipes")
os.mkdir(recipes)
index = os.path.join(work, "Packages")
with open(index, "w", encoding="utf-8") as file:
    for name, depends in PACKAGES.items():
        file.write(f"Package: {name}\nVersion: 1\nInstalled-Size: 100\n" + (f"Depends: {depends}\n" if depends else "") + "\n")
os.environ["LAMINA_RECIPE_DIR"] = recipes


def launch(name, *selections):
    status, _, errors = host.run("launch", "-c", "test:///default", name, *selections)
    assert status == 0, errors


def group(*words):
    found = host.json("group", "--packages", index, *words)
    packages = {layer["name"]: [package["name"] for package in layer["packages"]] for layer in found.get("layers", [])}
    return {role["name"]: sorted(sum((packages[layer] for layer in role["chain"]), [])) for role in found.get("roles", [])}, found


status, _, errors = host.run("group", "--packages", index)
ok(status == 2 and "--history" in errors, "without a file, and without --history, there are no roles", errors)
status, _, errors = host.run("group", "--packages", index, "--history")
ok(status == 3 and "no launch" in errors, "a host on which nothing was launched has no history", errors)

launch("one", "debian", "nginx")
launch("two", "nginx")
launch("three", "nginx")
launch("four", "debian", "mysql")
roles, found = group("--history")
ok(roles == {"debian+nginx": ["bash", "libc6", "nano", "nginx"], "nginx": ["bash", "libc6", "nano", "nginx"]},
   "each set of layers is a role, with the packages that the catalog records", found)
status, _, errors = host.run("group", "--packages", index, "--history")
ok(status == 0 and "launches of debian+mysql are left out" in errors, "one of which nobody knows the packages is left out", errors)

with open(os.path.join(recipes, "mysql.yaml"), "w", encoding="utf-8") as file:
    file.write("lamina-recipe: 1\nname: mysql\ngroup: db\non: debian\npackages: ['server >= 1', wanted]\n")
roles, found = group("--history")
ok({"server", "wanted", "needed", "bash"} <= set(roles.get("debian+mysql", [])), "what its recipe names is known", found)


def shares_of(name):
    return [round(layer["share"], 4) for layer in found["layers"] if any(package["name"] == name for package in layer["packages"])]


ok(shares_of("server") == [0.25], "one launch of four weighs a quarter", found["layers"])

file = os.path.join(work, "roles.yaml")
with open(file, "w", encoding="utf-8") as out:
    out.write("roles:\n  - {name: nginx, weight: 4, packages: [server]}\n")
roles, found = group("--history", file)
ok(set(roles) == {"debian+mysql", "debian+nginx", "nginx", "nginx-2"}, "a file of roles is added, and keeps its names", roles)
ok(shares_of("wanted") == [0.125], "its weights count as launches", found["layers"])
done_testing()
