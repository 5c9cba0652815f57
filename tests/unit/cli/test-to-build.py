#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What nobody has built, but what there are recipes for: plan says what building it takes, other verbs
say how to, and nothing is built unless that is asked for."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from chainworld import origin  # noqa: E402
from tap import done_testing, ok, skip, work  # noqa: E402

INDEX = """Package: app
Version: 1:3.1-2
Architecture: all
Depends: libc6, helper
Filename: app.deb
Size: 3000
SHA256: {0}

Package: helper
Version: 1
Architecture: all
Filename: helper.deb
Size: 500
SHA256: {1}

Package: more
Version: 7
Architecture: all
Depends: helper
Filename: more.deb
Size: 40
SHA256: {2}
""".format("1" * 64, "2" * 64, "3" * 64)

host = origin()
recipes = os.path.join(work, "recipes")
os.mkdir(recipes)
config = os.path.join(work, "lamina.conf")


def write(name, text):
    with open(os.path.join(recipes, name), "w", encoding="utf-8") as file:
        file.write(text)


def recipe(name, *lines):
    write(name + ".yaml", "\n".join([f"lamina-recipe: 1\nname: {name}\ngroup: {name}", *lines, ""]))


def configure(*lines):
    with open(config, "w", encoding="utf-8") as file:
        file.write("\n".join(["[lamina]", *lines, ""]))
    os.environ["LAMINA_CONFIG"] = config


def layers_of(plan):
    return [(one["name"], one["version"], one["action"]) for one in plan.get("layers", [])]


write("Packages", INDEX)
recipe("app", "on: debian", "packages: app", "repositories: Packages")
recipe("more", "on: app", "packages: more", "repositories: Packages")
recipe("mysql", "on: debian", "packages: app", "repositories: Packages")
recipe("odd", "on: debian", "packages: missing", "repositories: Packages")
before = host.run("plan", "app")
ok(before[0] == 3 and "recipe" not in before[2], "without recipes a plan fails as before", before)
os.environ["LAMINA_RECIPE_DIR"] = recipes

plan = host.json("plan", "debian", "app", "more")
ok(layers_of(plan) == [("debian", "12", "pull"), ("app", "3.1-2", "build"), ("more", "7", "build")] and plan["to_build"] == 2,
   "a plan says what is to be built, in which version", plan)
build = plan.get("layers", [{}])[1:]
ok([one.get("estimate") for one in build] == [{"packages": 2, "bytes_to_fetch": 3500}, {"packages": 1, "bytes_to_fetch": 40}],
   "and what that takes, given what is below", build)
ok(build[0].get("recipe") == os.path.join(recipes, "app.yaml") and "digest" not in build[0], "it names the recipe, and no digest", build)
status, out, errors = host.run("plan", "more")
ok(errors.count("reading package indexes") == 1, "the same package indexes are read once", errors)
ok(status == 0 and b"build" in out and b"to build, with --build: 2 layers of 3 packages, of which 3.5 KiB are to be fetched" in out,
   "for people too", out)
plan = host.json("plan", "nginx", "mysql", "app")
ok(layers_of(plan)[:2] == [("debian", "12", "pull"), ("nginx", "1.24", "pull")] and [one[2] for one in layers_of(plan)[2:]] == ["build", "build"],
   "it is built on the chain that is nearest to it", plan)
ok(not os.path.exists(os.path.join(recipes, "app.lock.json")), "no lock file is written")
plan = host.json("plan", "nginx")
ok(layers_of(plan) == [("debian", "12", "pull"), ("nginx", "1.24", "pull")] and plan["to_build"] == 0, "a chain that is ready is used", plan)

status, out, errors = host.run("plan", "--json", "odd")
ok(status == 0 and b'"estimate" : null' in out and "cannot be estimated" in errors and "missing" in errors,
   "what cannot be estimated is still planned, with the reason", errors)
for verb in (["pull", "nginx", "app"], ["launch", "-c", "test:///default", "x", "nginx", "app"], ["xml", "-c", "test:///default", "x", "nginx", "app"]):
    status, out, errors = host.run(*verb)
    ok(status == 3 and "nobody has built app yet" in errors and '"lamina pull --build ' in errors,
       f"{verb[0]} builds nothing unasked, and says how to", errors)
status, out, errors = host.run("pull", "mysql", "nginx")
ok(status == 3 and "mysql 8 is built only on debian 12" in errors and "recipes (mysql)" in errors, "the reason stays in the message", errors)

status, out, errors = host.run("plan", "app@9")
ok(status == 3 and "leave the version out" in errors, "a version that a recipe does not promise cannot be selected", errors)
status, out, errors = host.run("plan", "apq")
ok(status == 3 and 'did you mean "app"' in errors, "names of recipes are suggested", errors)

listed = host.json("list")
ok([(one["name"], one["version"], one["recipe"]) for one in listed["recipes"]]
   == [(name, None, os.path.join(recipes, name + ".yaml")) for name in ("app", "more", "odd")]
   and "app" not in [one["name"] for one in listed["layers"]], "list has the recipes of what no catalog lists", listed["recipes"])
status, out, errors = host.run("list")
ok(status == 0 and out.decode().splitlines()[-1].endswith("recipes: app, more, odd"), "for people too", out)

# The author of a recipe is told the same of what it stands on.
write("top.yaml", "lamina-recipe: 1\nname: top\nversion: '1'\ngroup: top\non: [app, more]\ncommands: 'true'\n")
top = os.path.join(recipes, "top.yaml")
status, out, errors = host.run("build", top)
ok(status == 3 and f"{top}: nobody has built app, more yet" in errors and '"lamina pull --build app more"' in errors,
   "build says how to build what the recipe stands on", errors)
status, out, errors = host.run("build", "app")
ok(status == 2 and os.path.join(recipes, "app.yaml") in errors and '"lamina pull --build app"' in errors,
   "a name instead of a file gets the path of the recipe", errors)
if os.geteuid() == 0:
    skip("a lock file that cannot be written is noticed before anything is built", "root writes everywhere")
else:
    os.chmod(recipes, 0o555)
    status, out, errors = host.run("build", os.path.join(recipes, "app.yaml"))
    ok(status == 1 and "app.lock.json cannot be written" in errors,
       "a lock file that cannot be written is noticed before anything is built", errors)
    os.chmod(recipes, 0o755)
for wanted, said in (("app=9", "no package app=9 "), ("app >= 2:1", "no package app >= 2:1 "), ("apq", "no package apq ")):
    write("version.yaml", f"lamina-recipe: 1\nname: v\ngroup: v\non: debian\npackages: ['{wanted}']\nrepositories: Packages\n")
    status, out, errors = host.run("build", os.path.join(recipes, "version.yaml"))
    ok(status == 3 and said in errors and errors.rstrip().endswith("available: 1:3.1-2") == (wanted != "apq"),
       f"{wanted}: the versions that there are are named", errors)
os.unlink(os.path.join(recipes, "version.yaml"))

write("broken.yaml", "lamina-recipe: 1\n")
status, out, errors = host.run("plan", "app")
ok(status == 0 and "broken.yaml" in errors and "left out" in errors, "a recipe that is wrong hides no other", errors)
status, out, errors = host.run("plan", "nginx")
ok(status == 0 and "broken" not in errors, "and is not even read if a chain is ready", errors)
os.unlink(os.path.join(recipes, "broken.yaml"))

# Asked for: by the option, or by the configuration. The appliance is not there.
os.environ["LAMINA_APPLIANCE_PROGRAM"] = "/nonexistent/appliance"
status, out, errors = host.run("pull", "--build", "app")
ok(status not in (0, 3) and "building app by" in errors, "--build builds", errors)
configure("build = yes")
status, out, errors = host.run("pull", "app")
ok(status not in (0, 3) and "building app by" in errors, 'so does "build = yes"', errors)
status, out, errors = host.run("build", top)
ok(status not in (0, 3) and "building app by" in errors, "also what a recipe stands on", errors)
configure("build = maybe")
ok(host.run("plan", "app")[0] == 2, "another value is refused")
own = os.path.join(work, "own")
os.mkdir(own)
with open(os.path.join(own, "app.yaml"), "w", encoding="utf-8") as file:
    file.write("lamina-recipe: 1\nname: app\nversion: '5'\ngroup: app\non: debian\ncommands: 'true'\n")
configure(f"recipes = {own} /nonexistent")
ok(layers_of(host.json("plan", "app"))[1:] == [("app", "5", "build")], "recipes in the configuration come first")
ok(layers_of(host.json("plan", "app@5"))[1:] == [("app", "5", "build")], "a version that it promises can be selected")
done_testing()
