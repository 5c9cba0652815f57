# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host of chainworld.py with an appliance that starts no guest (stub-appliance), packages, and recipes of them."""
import os
import shutil
import subprocess
import sys

from chainworld import catalog, digest, origin
from tap import done_testing, skip, work

library = os.path.dirname(os.path.abspath(__file__))
debs = {} # name: digest of the file
_index = ""

if shutil.which("dpkg-deb") is None or shutil.which("qemu-io") is None:
    skip(os.path.basename(sys.argv[0]), "no dpkg-deb or no qemu-io")
    done_testing()


def package(name, version, fields=""):
    """Makes a package, and lists it in the index that recipes use."""
    global _index
    tree = os.path.join(work, "tree", name)
    os.makedirs(os.path.join(tree, "DEBIAN"))
    control = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody\nDescription: x\n{fields}"
    with open(os.path.join(tree, "DEBIAN", "control"), "w", encoding="utf-8") as file:
        file.write(control)
    path = os.path.join(work, "site", name + ".deb")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, path], check=True, stdout=subprocess.DEVNULL)
    with open(path, "rb") as file:
        data = file.read()
    debs[name] = digest(data)
    _index += f"{control}Filename: ./{name}.deb\nSize: {len(data)}\nSHA256: {digest(data)[7:]}\n\n"
    with open(os.path.join(work, "site", "Packages"), "w", encoding="utf-8") as file:
        file.write(_index)


def recipe(name, on, packages):
    """Returns the path of a recipe, in the directory of LAMINA_RECIPE_DIR."""
    path = os.path.join(work, "recipes", name + ".yaml")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"lamina-recipe: 1\nname: {name}\ngroup: {name}\non: {on}\npackages: {packages}\nrepositories: {work}/site/Packages\n")
    return path


def write_status(packages):
    """Says what packages guests have, as NAME=VERSION, besides dpkg and those that are copied."""
    with open(os.environ["STUB_STATUS"], "w", encoding="utf-8") as file:
        for word in ["dpkg=1", *packages]:
            name, version = word.split("=")
            file.write(f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nStatus: install ok installed\n\n")


os.environ["LAMINA_APPLIANCE_PROGRAM"] = os.path.join(library, "stub-appliance")
os.environ["STUB_STATUS"] = os.path.join(work, "status")
os.environ["LAMINA_RECIPE_DIR"] = os.path.join(work, "recipes")
write_status(catalog["layers"][0]["builds"][0]["packages"])
host = origin()
