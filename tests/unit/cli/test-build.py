#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lamina build with recipes, files and package indexes that are wrong or hostile: what is said, and that nothing is left.
A stub stands in for the guest."""
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
lib = os.path.join(os.environ["G_TEST_SRCDIR"], "lib")
sys.path.insert(0, lib)
from chainworld import Host
from tap import done_testing, ok, work

os.environ["LAMINA_APPLIANCE_PROGRAM"] = os.path.join(lib, "stub-appliance")
os.environ["STUB_STATUS"] = os.path.join(work, "status")
os.environ["STUB_COMMANDS"] = "run"
host = Host("host")
SHA256 = "SHA256: " + "0" * 64 + "\n"


def path(name):
    return os.path.join(work, name)


def write(name, text):
    with open(path(name), "w", encoding="utf-8") as file:
        file.write(text)


def recipe(*lines, name="app", group="app", on="base"):
    write("app.yaml", "\n".join([f"lamina-recipe: 1\nname: {name}\ngroup: {group}\non: {on}\nversion: 1", *lines, ""]))


def build(expected, message, what):
    """Builds the recipe, and compares the exit status and the message."""
    status, out, errors = host.run("build", path("app.yaml"))
    ok(status == expected and re.search(message, errors), what, (status, out, errors))
    left = host.list("partial")
    ok(not left, "  nothing is left", left)


def installed(*names, state="installed"):
    return "".join(f"Package: {name}\nStatus: install ok {state}\nArchitecture: amd64\nVersion: 1\n\n" for name in names)


write("status", installed("dpkg", "liar"))
with open(path("base.raw"), "wb") as file:
    file.truncate(4 * 1048576)
    file.seek(510)
    file.write(b"\x55\xaa")
imported = host.run("import", path("base.raw"), "--as", "base@1")
ok(imported[0] == 0, "a base is imported", imported)

# ---- what the recipe says

recipe('commands: "true"', group="os")
build(2, "the group os allows one layer", "a layer that could not be selected because of its group is not built")
recipe('commands: "true"')
build(0, "", "a layer is built")
recipe('commands: "true"', on="app")
build(2, "a layer app would stand on one of the same name", "but not on itself")

# ---- what happens at the end

for point, action, expected in ("publish-before-rename", "enospc", 8), ("publish-after-rename", "eio", 1), ("build-after-publish", "eio", 1):
    recipe(f"commands: 'true {point}'", name=point, group=point)
    os.environ["LAMINA_TEST_FAULT"] = f"{point}={action}"
    build(expected, "fault point", f"{action} at {point}")
    del os.environ["LAMINA_TEST_FAULT"]
    build(0, "", "  then it is built")

# ---- files

os.makedirs(path("tree"))
recipe("files: [{from: tree, to: /srv/tree}]", name="files", group="files")
with open(os.path.join(os.fsencode(path("tree")), b"\xff"), "wb"):
    pass
build(1, "not UTF-8", "a name that is not UTF-8")
shutil.rmtree(path("tree"))

# ---- package indexes

for what, lines in [("a path", "Package: ../evil\nVersion: 1\n"), ("words of a shell", "Package: a';b\nVersion: 1\n"),
                    ("a version with blanks", "Package: evil\nVersion: 1 2\n"), ("an architecture", "Package: evil\nVersion: 1\nArchitecture: ../x\n")]:
    write("Packages", lines + "Provides: wanted\nFilename: x.deb\nSize: 1\n" + SHA256)
    recipe("packages: wanted", "repositories: Packages", name="names", group="names")
    build(5, "package index is not valid: no package can be called", f"a strange name in an index: {what}")
write("Packages", "Package: wanted\nVersion: 1\nFilename: x.deb\nSize: 1\n" + SHA256 + "Depends: " + "a, " * 400000 + "a\n")
build(5, "longer than 1 MiB", "an index with a line that is too long")
# ---- what the parent has

write("status", installed("dpkg"))
recipe('commands: "true"', name="lie", group="lie")
build(3, "liar=1, which base has according to the catalogs, is not there", "packages of the parent that only the catalog knows")
write("status", installed("dpkg", "liar") + installed(*(f"p{i}" for i in range(1000)), state="unpacked"))
recipe('commands: "true"', name="half", group="half")
build(3, r"not completely installed: p0=1, (p\d+=1, ){19}\.\.\.\n$", "many packages that are not completely installed")
write("status", installed("dpkg", "liar") + "X: y\n" * (64 * 1048576 // 5))
with open(path("other.raw"), "wb") as file:
    file.truncate(8 * 1048576)
    file.seek(510)
    file.write(b"\x55\xaa")
host.run("import", path("other.raw"), "--as", "other@1")
recipe('commands: "true"', name="large", group="large", on="other")
build(6, "larger than 64 MiB", "a list of packages that is too large is not cut off")
# ---- a start by virsh that builds

UUID = "11111111-2222-4333-8444-555555555555"
write("status", installed("dpkg", "liar"))
recipe("commands: sleep 5", name="slow", group="slow")
os.makedirs(path("recipes"))
os.rename(path("app.yaml"), path("recipes/slow.yaml"))
write("lamina.conf", "[lamina]\nbuild = yes\nhook-timeout = 1\n")
write("domain.xml", f"""<domain type='qemu'><name>own</name><uuid>{UUID}</uuid><metadata>
<lamina:machine xmlns:lamina='urn:lamina:domain:1' version='1'><lamina:select>base</lamina:select><lamina:select>slow</lamina:select>
</lamina:machine></metadata><devices><disk type='file'><driver name='qemu' type='qcow2'/>
<source file='{os.path.join(host.dir, "machines", UUID, "overlay.qcow2")}'/><target dev='vda'/></disk></devices></domain>""")
with open(path("domain.xml"), encoding="utf-8") as file:
    status, _, errors = host.run("hook", "prepare", stdin=file, LAMINA_CONFIG=path("lamina.conf"), LAMINA_RECIPE_DIR=path("recipes"))
ok(status == 4 and "hook-timeout" in errors and "begins anew" in errors, "gives up in time, and says that the build begins anew", (status, errors))
ok(not host.list("partial") and not host.list("machines"), "  nothing is left")
done_testing()
