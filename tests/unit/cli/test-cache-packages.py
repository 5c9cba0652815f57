#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packages that a build has fetched: what they are called in the cache, and when they go. No guest is started."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from chainworld import base, digest  # noqa: E402
from stubworld import debs as files, host, package, recipe  # noqa: E402
from tap import done_testing, ok  # noqa: E402

package("app", "1:3.1-2", "Depends: helper\n")
package("helper", "1.5")
done = host.run("build", recipe("app", "debian", "app"))
ok(done[0] == 0, "a layer is built of packages", done)
listed = {one["digest"]: one for one in host.json("cache", "list")["files"]}
ok([[listed[files[name]][key] for key in ("kind", "name", "version", "part", "source", "listed")] for name in ("app", "helper")]
   == [["package", "app", "1:3.1-2", None, None, False], ["package", "helper", "1.5", None, None, False]],
   "they are listed with their names and versions", listed)
ok({one["kind"] for one in listed.values() if one["digest"] not in files.values()} == {"layer", "blob"}, "other files are none", listed)
table = host.run("cache", "list")[1].decode().splitlines()
ok(any(line.split()[:3] == ["package", "app", "1:3.1-2"] for line in table), "for people too", table)
shown = host.json("cache", "show", files["helper"][7:19])
ok((shown["kind"], shown["name"], shown["version"]) == ("package", "helper", "1.5") and shown["used"], "cache show knows one, and its last use", shown)

GC = ("cache", "gc", "--max-size", "0", "-c", "test:///default")
done = host.run(*GC, "--dry-run", "--json")
plan = {one["digest"]: one for one in json.loads(done[1])["files"] if "digest" in one}
ok(plan[files["app"]]["kind"] == "package" and plan[files["app"]]["removed"] and "package app 1:3.1-2" in plan[files["app"]]["name"]
   and "not used since" in plan[files["app"]]["reason"], "cache gc removes them by name, because no machine needs them", plan)
made = [one for one in plan.values() if one["kind"] == "layer"]
ok(not any(one["removed"] for one in made) and len(made) == 2, "but not the layer that was built of them", made)

host.run("cache", "pin", files["app"][7:])
done = host.run(*GC)
left = {one["digest"] for one in host.json("cache", "list")["files"]}
ok(files["helper"] not in left and files["app"] in left and digest(base) in left, "a pinned one stays", done)
os.unlink(os.path.join(host.dir, "lamina.db"))
for name in ("lamina.db-wal", "lamina.db-shm"):
    if os.path.exists(os.path.join(host.dir, name)):
        os.unlink(os.path.join(host.dir, name))
listed = {one["digest"]: one for one in host.json("cache", "list")["files"]}
ok(listed[files["app"]]["kind"] == "blob" and listed[files["app"]]["name"] is None, "without the database its name is lost", listed)
done_testing()
