#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""catalog check: all that is wrong with a catalog, with lines, in one go."""
import glob
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
source = os.environ["G_TEST_SRCDIR"]
lib = os.path.join(source, "lib")
sys.path.insert(0, lib)
from chainworld import Host, base, catalog, digest, files
from tap import done_testing, ok, work

host = Host("host")


def check(text, *words):
    """Returns the exit status, and the problems as (line, severity, text)."""
    path = os.path.join(work, "catalog.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text if isinstance(text, str) else json.dumps(text))
    status, out, errors = host.run("catalog", "check", path, "--json", *words)
    found = json.loads(out) if out else {"problems": []}
    assert not out or found["errors"] == sum(one["severity"] == "error" for one in found["problems"]), found
    return status, [(one["line"], one["severity"], one["text"]) for one in found["problems"]], errors


def d(number):
    return f"sha256:{number:064x}"


BAD = f"""lamina-catalog: 1
colour: red
groups:
  - {{name: os, required: true}}
  - {{name: os}}
  - {{title: nameless}}
  - {{name: web}}
  - {{name: lonely, required: true}}
layers:
  - name: number
    version: 12
    group: os
    builds: [{{digest: "{d(1)}", size: 0, urls: [a]}}]
  - name: base
    version: "1"
    group: os
    colour: blue
    builds:
      - {{digest: "{d(2)}", size: 5, urls: [a]}}
      - {{digest: "sha256:000", size: 5, urls: [a]}}
      - nonsense
  - name: base
    version: "1"
    group: oss
    builds:
      - {{digest: "{d(2)}", size: 5, urls: []}}
  - name: web
    version: "1"
    group: web
    group: web
    requires: [base, "nope >= 3", "base >= 2", 7]
    builds:
      - {{parent: "{d(9)}", digest: "{d(3)}", size: 99999999999999999, urls: ["ftp://x/y"]}}
  - name: circle
    version: "1"
    group: web
    builds:
      - {{parent: "{d(5)}", digest: "{d(4)}", size: 1, urls: [x]}}
      - {{parent: "{d(4)}", digest: "{d(5)}", size: 1, urls: [x]}}
  - name: above
    version: "1"
    group: web
    builds: [{{parent: "{d(4)}", digest: "{d(6)}", size: 1, urls: [x]}}]
  - name: conflicting
    version: "1"
    group: web
    requires: [circle]
    conflicts: [base]
    builds: [{{parent: "{d(2)}", digest: "{d(7)}", size: 1, urls: [x]}}]
  - name: conflicting
    version: "2"
    group: web
    builds: [{{parent: "{d(7)}", digest: "{d(8)}", size: 1, urls: [x]}}]
"""
WANT = [(0, "warning", "lonely"), (2, "warning", "unknown key"), (5, "error", "given twice"), (6, "error", 'must have "name"'),
        (11, "error", "put it in quotes"), (13, "error", "number of bytes"), (17, "warning", "unknown key"), (20, "error", "not a digest"),
        (21, "error", "expected a build"), (22, "error", "same version of the layer"), (22, "error", "not listed in"),
        (26, "error", "at least one URL"), (26, "error", "same digest"), (27, "error", "base >= 2"), (27, "error", "nope >= 3"),
        (30, "error", "given twice"), (31, "error", "put it in quotes"), (33, "error", "not a usable URL"), (33, "error", "number of bytes"),
        (33, "error", "no layer has the parent"), (38, "error", "circle"), (44, "error", "stands on a layer that meets"),
        (49, "error", "conflicts"), (53, "error", "another version of it")]
status, found, errors = check(BAD)
ok(status == 1 and f"{sum(one[1] == 'error' for one in WANT)} errors" in errors, "a bad catalog ends with 1", errors)
for line, severity, text in WANT:
    ok(any(one[:2] == (line, severity) and text in one[2] for one in found), f"line {line}: {text}", found)
ok(len(found) == len(WANT), "and nothing else is said", [one for one in found if not any(one[:2] == want[:2] and want[2] in one[2] for want in WANT)])
status, out, errors = host.run("catalog", "check", os.path.join(work, "catalog.yaml"))
ok(status == 1 and len(out.splitlines()) == len(WANT) and b"catalog.yaml:13: expected" in out, "people get lines", out)

# It agrees with the parser
for path in sorted(glob.glob(os.path.join(source, "data", "catalog", "*"))):
    added = Host("added").run("catalog", "add", "x", path)[0] == 0
    status, out, errors = host.run("catalog", "check", path, "--json")
    found = [one["text"] for one in json.loads(out)["problems"] if one["severity"] == "error"] if out else [errors]
    allowed = ("no layer has the parent", "no layer meets", "stands on")
    good = (found == []) == (status == 0) and (found != [] if not added else all(any(word in text for word in allowed) for text in found))
    ok(good, f"{os.path.basename(path)}: {'good' if added else 'bad'}", (status, found))
    Host("added").run("catalog", "remove", "x")
for text, what in ("", "nothing"), ("x: [", "not YAML"), ("{", "not JSON"), ("<!DOCTYPE html>", "a page"), ("[]", "a list"):
    status, found, errors = check(text)
    ok(status in (1, 5) and (found or errors), what, (status, found, errors))
ok(host.run("catalog", "check", os.path.join(work, "none"))[0] == 5, "a missing file")
ok(host.list("catalogs") == set(), "nothing is added")

# Parents and requirements in other catalogs
child = {"lamina-catalog": 1, "groups": [{"name": "web"}], "layers": [
    {"name": "c", "version": "1", "group": "web", "requires": ["debian >= 12"],
     "builds": [{"parent": digest(base), "digest": d(1), "size": 1, "urls": ["c"]}]}]}
other = os.path.join(work, "other.json")
with open(other, "w", encoding="utf-8") as file:
    json.dump(catalog, file)
status, found, errors = check(child)
ok(status == 1 and len(found) == 2, "a parent and a requirement that nobody has", found)
status, found, errors = check(child, "--catalog", other)
ok(status == 0 and found == [], "unless another catalog has them", found)

# What builds record about their contents
records = json.loads(json.dumps(catalog))
del records["layers"][0]["builds"][0]["packages"]
records["layers"][1]["builds"][0].update(packages=["a=1", "b=1", "b:i386=1"], removed=["b", "c"])
status, found, errors = check(json.dumps(records, indent=1))
ok(status == 0 and len(found) == 2 and all(one[1] == "warning" for one in found) and "removes what it also lists, b=1" in found[1][2] + found[0][2]
   and "its parent in line" in found[0][2] + found[1][2], "a list that is of no use, and one that contradicts itself", found)
records["layers"][2]["builds"][0]["removed"] = ["b"]
status, found, errors = check(json.dumps(records, indent=1))
ok(status == 1 and [one for one in found if one[1] == "error" and 'of "mysql" with "removed" must have' in one[2] and one[0] > 50],
   "an error has a line", found)

# Online
served = os.path.join(work, "served")
os.makedirs(served)
for name, data in files.items():
    with open(os.path.join(served, name), "wb") as file:
        file.write(data)
server = subprocess.Popen([sys.executable, os.path.join(lib, "badserver.py"), served, os.path.join(work, "log")], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True)
url = "http://127.0.0.1:" + server.stdout.readline().strip()
local = json.loads(json.dumps(catalog))
for entry in local["layers"]:
    for blob in [*entry["builds"], *([entry["boot"]["kernel"]] if "boot" in entry else [])]:
        blob["urls"] = [f"{url}/ok/{blob['urls'][0]}"]
status, found, errors = check(local, "--online")
ok(status == 0 and found == [], "all files are there", found)
with open(os.path.join(work, "log"), encoding="utf-8") as file:
    ok(len(file.readlines()) == 4, "each was asked for once")
local["layers"][0]["builds"][0]["size"] += 1
local["layers"][1]["builds"][0]["urls"].append(url + "/ok/missing")
local["layers"][0]["boot"]["kernel"]["urls"] = [url + "/chunked/kernel"]
status, found, errors = check(local, "--online")
ok(status == 1 and sorted(("404" in text, "bytes, not" in text) for _, _, text in found) == [(False, True), (True, False)],
   "a wrong size and a missing file", found)
ok(check(local)[0] == 0, "without --online, nobody is asked")
for name in files:
    os.link(os.path.join(served, name), os.path.join(work, name))
status, found, errors = check({**catalog, "layers": [catalog["layers"][1], catalog["layers"][2]]}, "--online", "--catalog", other)
ok(status == 0, "a relative URL of a catalog in a file is a file", (found, errors))
server.stdin.close()
server.wait()
done_testing()
