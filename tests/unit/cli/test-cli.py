#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line without network, libvirt or root: exit status, messages, JSON."""
import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from tap import done_testing, lamina, ok, state, work

# A program started in the background may ignore SIGINT, and its children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def run(*words, **environment):
    env = {**os.environ, "LAMINA_STATE_DIR": state, **environment}
    done = subprocess.run([lamina, *words], capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL)
    return done


def expect(status, name, *words, says=None, **environment):
    done = run(*words, **environment)
    good = done.returncode == status
    if status != 0:
        good = good and done.stderr.count("\n") >= 1 and done.stderr.splitlines()[-1].startswith("lamina: ") and done.stdout == ""
    if says is not None:
        good = good and says in done.stderr
    ok(good, name, f"{done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def path(name, text):
    full = os.path.join(work, name)
    with open(full, "w", encoding="utf-8") as file:
        file.write(text)
    return full


def digest(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


CATALOG = f"""
lamina-catalog: 1
name: lab
groups:
  - {{name: os, required: true}}
  - {{name: web}}
layers:
  - name: debian
    version: "12.11"
    group: os
    builds: [{{digest: "{digest('debian')}", size: 1000, urls: [debian.qcow2]}}]
  - name: nginx
    version: "1.22.1"
    group: web
    requires: ["debian >= 12"]
    builds: [{{parent: "{digest('debian')}", digest: "{digest('nginx')}", size: 100, urls: [nginx.qcow2]}}]
  - name: lighttpd
    version: "1.4"
    group: web
    requires: [debian]
    builds: [{{parent: "{digest('debian')}", digest: "{digest('lighttpd')}", size: 100, urls: [lighttpd.qcow2]}}]
"""

# Usage
expect(2, "no verb", says="no verb given")
expect(2, "unknown verb", "lunch", says="unknown verb: lunch")
expect(2, "half a verb", "catalog", says="second word")
expect(2, "half a verb and an option", "cache", "--json", says="second word")
expect(2, "an unknown second word", "cache", "lsit", says='unknown verb: cache lsit; did you mean "cache list"?')
expect(2, "and another one", "cache", "xyzzy", says='unknown verb: cache xyzzy; "lamina help cache"')
expect(2, "a misspelt verb", "lsit", says='unknown verb: lsit; did you mean "list"?')
expect(2, "help on one", "help", "lsit", says='unknown verb: lsit; did you mean "list"?')
expect(2, "a verb of virsh", "start", "web1", says='unknown verb: start; use "virsh start NAME"')
expect(2, "a misspelt option", "plan", "--jsno", "x", says='--jsno: unknown option; did you mean "--json"?')
expect(2, "unknown option", "plan", "--no-such", "x", says="--no-such")
expect(2, "option without its value", "plan", "x", "--catalog")
expect(2, "too few words", "plan", says="usage: lamina plan SELECTION...")
expect(2, "too many words", "show", "a", "b")
expect(2, "terminal control characters are not passed on", "\033[2J", says="?[2J")
for code in (0x7f, 0x85, 0x9b, 0x61c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069):
    expect(2, f"nor is U+{code:04X}", f"lu{chr(code)}nch", says="unknown verb: lu?nch")
for word in ("lünch", "l\u200dnch", "l\u4e2dnch"):
    expect(2, f"but {word} is", word, says=f"unknown verb: {word}")
expect(2, "progress of an unknown kind", "plan", "debian", "--progress=loud", says="--progress=loud")
said = run("--version").stdout.splitlines()
ok(said[0].startswith("lamina ") and "libvirt" in said[1], "version", said)
ok(re.fullmatch(r"features:( [+-](guestfs|man|bash-completion|sanitizers|coverage|fuzzing)){6}", said[2]), "and the features", said)
for words in (("rm", "w"), ("define", "w", "a"), ("catalog", "remove", "w"), ("list",), ("help", "list"), ("rm",)):
    for first, *others in (words[:n] + ("--version",) + words[n:] for n in range(len(words) + 1) if words[:n] != ("catalog",)):
        done = run(first, *others)
        ok(done.stdout.splitlines() == said and done.returncode == 0, f"{' '.join((first, *others))} prints only the version", done)
ok("Usage: lamina launch" in run("launch", "--help").stdout, "help of a verb")
ok("Usage: lamina launch" in run("help", "launch").stdout, "help verb")
for words in (("help", "catalog"), ("catalog", "--help")):
    ok("catalog update" in run(*words).stdout, f"{' '.join(words)} lists the verbs of catalog")

# Names and values
for name in ("", "-x", "../x", "a/b", "a b", "x" * 65, "a\nb", ".", "é"):
    expect(2, f"hostile machine name {name[:8]!r}", "launch", "--", name, "debian")
for selection in ("", "=x", "os=", "a@", "../x", "a b", "A", "x" * 200, "os=web=x", "x@1@2", "$(id)"):
    expect(2, f"hostile selection {selection[:8]!r}", "plan", "--", selection)
for option in ("--memory=0", "--memory=lots", "--memory=-1", "--vcpus=0", "--vcpus=x", "--disk=8", "--disk=size=", "--disk=size=1B",
               "--disk=path=/etc/passwd", "--publish=80", "--publish=0:80", "--publish=1.2.3.4.5:80:80", "--publish=70000:80",
               "--network=bridge=a b", "--network=user,hostfwd=x", "--network=network=a,bridge=b", "--graphics=vnc,listen=x y", "--cpu=a b", "--virt-type=xen",
               "--cloud-init=user-data", "--cloud-init=x=/dev/null", "--wait=0", "--wait=x"):
    expect(2, f"hostile value {option}", "launch", option, "web1", "debian")
for option in ("--disk=size=1,size=2", "--graphics=vnc,port=5900,port=5901", "--graphics=vnc,listen=::1,listen=::1", "--graphics=vnc,type=spice",
               "--network=user,model=e1000,model=virtio", "--network=bridge=a,mac=52:54:00:00:00:01,mac=52:54:00:00:00:02"):
    expect(2, f"a key that is repeated: {option}", "launch", option, "web1", "debian", *("-c", "test:///default"), says="twice")
for words, says in ((("launch", "--publish", "[::1]:8080:80", "w", "a"), "IPv6 cannot"), (("launch", "--publish", "8080:80:90", "w", "a"), "[ADDR:]PORT"),
                    (("launch", "--publish", "8080:80", "--publish", "0.0.0.0:8080:81", "w", "a"), "on 127.0.0.1 and on 0.0.0.0"),
                    (("launch", "--publish", "8080:80", "--publish", "8080:81", "w", "a"), "twice, on 127.0.0.1\n"),
                    (("define", "--wait", "w", "a"), "--wait: unknown option\n"), (("list", "--json=x"), "--json=x: this option takes no value\n"),
                    (("define", "ü", "a"), 'machine name "ü"'), (("define", "w", "ü"), '"ü" is not a selection'),
                    (("define", "w", "a" * 99 + "ü"), '"' + "a" * 99 + '" is not'), (("catalog", "add", "ü", "x"), '"ü" is not a valid name')):
    expect(2, f"it is told plainly: {says!r}", *words, says=says)
expect(2, "an option that is repeated", "launch", "-f", "a", "-f", "b", says="twice")
expect(2, "two cards with one address", "launch", "--network=user,mac=52:54:00:00:00:0a", "--network", "default,mac=52:54:00:00:00:0A", "web1",
       "debian", says="52:54:00:00:00:0a")
expect(2, "a cloud-init file that is not there", "launch", "--cloud-init", "user-data=/nonexistent", "web1", "debian",
       says="/nonexistent")
key = path("key", "-----BEGIN OPENSSH PRIVATE KEY-----\n")
expect(2, "a private key is not put on a disk", "launch", "--cloud-init", f"ssh-key={key}", "web1", "debian", says="private key")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJnV9B0Cp+Y3obRVCZkTtxizI0l9D5kO5FjH6vhCM96N"
for name, text, says in (("k-notfound.pub", "Not Found", "k-notfound.pub:1"), ("k-html.pub", f"{KEY}\n<!DOCTYPE html>\n", "k-html.pub:2"),
                         ("k-half.pub", KEY[:-4], "k-half.pub:1"), ("k-empty.pub", "\n", "k-empty.pub: contains no key")):
    expect(2, f"{name} is not taken for keys", "launch", "--cloud-init", f"ssh-key={path(name, text)}", "web1", "debian", says=says)
for key, text, says in (("user-data", "#cloud-config\n- a\n", "user-data.bad"), ("user-data", "#cloud-config\na: [\n", "user-data.bad:3"),
                        ("meta-data", "Not Found", "meta-data.bad"), ("network-config", "a: b: c\n", "network-config.bad:1")):
    expect(2, f"{key} that is of no use", "launch", "--cloud-init", f"{key}={path(key + '.bad', text)}", "web1", "debian", says=says)
for key, text, warns in (("user-data", "hostname: a\n", True), ("user-data", "#cloud-config\nhostname: a\n", False),
                         ("user-data", "\ufeff#cloud-config\r\nhostname: a\r\n", False), ("ssh-key", f"\ufeff{KEY} me\r\n", False),
                         ("network-config", "ethernets: {}\n", True), ("network-config", "version: 2\n", False), ("meta-data", "", False)):
    done = expect(3, f"{key} {text!r}", "launch", "--cloud-init", f"{key}={path('input', text)}", "web1", "debian", "-c", "test:///default")
    ok(("lamina: warning: " in done.stderr) == warns, "there is a warning" if warns else "there is no warning", done.stderr)

# Settings
expect(2, "configuration file that is not there", "cache", "list", "--config", "/nonexistent", says="/nonexistent")
bad = path("bad.conf", "[lamina]\nvirt-type = xen\n")
expect(2, "wrong value in the configuration", "cache", "list", "--config", bad, says="xen")
expect(2, "settings without a group", "cache", "list", "--config", path("bare.conf", "max-size = 1GiB\n"), says="[lamina]")
odd = path("odd.conf", "[lamina]\ncolour = red\n")
done = run("cache", "list", "--config", odd)
ok(done.returncode == 0 and "colour" in done.stderr, "unknown key in the configuration is a warning", done.stderr)
odd = path("group.conf", f"[general]\nstate-dir = {work}/nowhere\n")
done = run("cache", "list", "--config", odd)
ok(done.returncode == 0 and "[general]" in done.stderr, "unknown group in the configuration is a warning", done.stderr)
expect(0, "an empty LAMINA_CONFIG is none", "cache", "list", LAMINA_CONFIG="")
elsewhere = path("dir.conf", f"[lamina]\nstate-dir = {work}/from-file\n")
small = path("small.yaml", CATALOG)
done = run("catalog", "add", "s", small, "--config", elsewhere, LAMINA_STATE_DIR="")
ok(os.path.isdir(f"{work}/from-file/catalogs"), "state directory from the configuration", done.stderr)
run("catalog", "add", "s", small, "--state-dir", f"{work}/from-option", "--config", elsewhere)
ok(os.path.isdir(f"{work}/from-option/catalogs"), "state directory from the option")
expect(2, "an empty --state-dir is none", "list", "--state-dir", "", says="--state-dir")
for value in ("rel", "~/lamina"):
    odd = path("odd.conf", f"[lamina]\nstate-dir = {value}\n")
    expect(2, f"state-dir = {value} in the configuration", "list", "--config", odd, says="odd.conf")
odd = path("odd.conf", "[lamina]\ntransfers = many\n")
expect(2, "a wrong number in the configuration", "list", "--config", odd, says="odd.conf")
odd = path("odd.conf", "[lamina]\nimmutable = maybe\n")
expect(2, "immutable is yes or no", "list", "--config", odd, says="immutable")
for text, line, what in (("[lamina]\n# a comment\ntransfers = x\nhistory = yes\n", 3, "transfers"), ("[lamina]\nhistory = no\n\nnonsense\n", 4, "nonsense"),
                         ("history = no\n", 1, "[lamina]"), ("[lamina]\nvirt-type = xen\n", 2, "xen"), (None, None, "not/there")):
    odd = path("odd.conf", text) if text else f"{work}/not/there"
    where = f"{odd}:{line}: " if line else odd
    expect(2, f"{what}: the message names the line", "list", "--config", odd, says=where)
    done = run("doctor", "--offline", "--json", "--config", odd, "--connect", "test:///default")
    found = json.loads(done.stdout)["diagnoses"] if done.stdout else []
    settings = [entry for entry in found if entry["check"] == "settings"]
    ok(done.returncode == 1 and len(settings) == 1 and settings[0]["level"] == "error" and where in settings[0]["what"]
       and what in settings[0]["what"] and {"libvirt", "cache", "sources"} <= {entry["check"] for entry in found},
       f"{what}: doctor reports it and checks the rest", (done, settings))
done = run("doctor", "--offline", "--connect", "test:///default", "--config", path("odd.conf", "[lamina]\ncolour = red\n"))
ok(re.search(f"^warning +settings +{work}/odd.conf:2: unknown key \"colour\" is ignored$", done.stdout, re.M) and "colour" not in done.stderr,
   "doctor lists an unknown key", done)
for words in (["cache", "list"], ["list"], ["plan", "nginx"]):
    done = run(*words, "--catalog", small, "--state-dir", f"{work}/not-there")
    ok(not os.path.exists(f"{work}/not-there"), f"{words[0]} does not create a state directory", done.stderr)

# Catalogs
catalog = path("lab.yaml", CATALOG)
expect(3, "plan without catalogs", "plan", "debian")
expect(0, "add a catalog", "catalog", "add", "lab", catalog)
expect(0, "adding it again changes nothing", "catalog", "add", "lab", catalog)
expect(9, "another catalog of the same name", "catalog", "add", "lab", path("other.yaml", CATALOG), says="remove it first")
expect(2, "hostile name of a source", "catalog", "add", "../lab", catalog)
expect(5, "catalog that is not there", "catalog", "add", "gone", "/nonexistent.yaml", says="/nonexistent.yaml")
expect(5, "--catalog of a file that is not there", "plan", "x", "--catalog", "/nonexistent.yaml", says="/nonexistent.yaml")
done = expect(5, "--catalog of a server that is not there", "plan", "x", "--catalog", "http://127.0.0.1:1/x", LAMINA_TEST_NO_DELAY="1")
ok(done.stderr.count("catalog source") == 1, "the message says that once", done.stderr)
expect(5, "catalog of a wrong scheme", "catalog", "add", "gone", "ftp://localhost/x", says="ftp")
done = expect(5, "catalog with a mistake", "catalog", "add", "bad", path("bad.yaml", "lamina-catalog: 1\nlayers: 5\n"), says="bad.yaml:2")
sources = json.loads(run("catalog", "list", "--json").stdout)["sources"]
ok([s["name"] for s in sources] == ["lab"], "only the valid one is kept", sources)
expect(3, "remove a source that is not there", "catalog", "remove", "gone")
added = json.loads(run("catalog", "add", "second", catalog, "--priority", "7", "--json").stdout)
ok((added["name"], added["priority"], added["url"]) == ("second", 7, f"file://{catalog}"), "catalog add as JSON", added)
ok(type(added["fetched"]) is int and abs(added["fetched"] - time.time()) < 600, "times are seconds since 1970", added)
rows = [line.split() for line in run("list").stdout.splitlines()]
ok(rows[0][-1] == "SOURCE" and {row[-1] for row in rows[1:]} == {"lab"},
   "list: which of several catalogs a layer is from", rows)
updated = json.loads(run("catalog", "update", "--json", "lab", "lab").stdout)
ok(len(updated["sources"]) == 1, "a source that is given twice is updated once", updated)
updated = json.loads(run("catalog", "update", "--json").stdout)
ok(updated == {"sources": [{"name": "lab", "changed": False}, {"name": "second", "changed": False}]},
   "catalog update as JSON; a file that is the same is no change", updated)
done = expect(3, "catalog remove: one of three is not there", "catalog", "remove", "nope", "second", "second", says="1 of 2")
ok("SOURCE" not in run("list").stdout, "list: not if there is only one")
ok("nope" in done.stderr.splitlines()[0] and "second" not in run("catalog", "list").stdout, "the other one is removed", done.stderr)
run("catalog", "add", "second", catalog)
done = run("catalog", "remove", "second", "nope", "--json")
ok(done.returncode == 3 and json.loads(done.stdout) == {"removed": ["second"], "missing": ["nope"], "failed": []}, "catalog remove as JSON", done)
done = expect(5, "--catalog that is not there", "plan", "debian", "--catalog", "/nonexistent.yaml", says="/nonexistent.yaml")
done = expect(5, "--catalog that is dead", "plan", "debian", "--catalog", "http://127.0.0.1:1/x", says="http://127.0.0.1:1/x")
ok(done.stderr.count("catalog source") == 1, "the message has the source once", done.stderr)

# Plan
plan = json.loads(run("plan", "--json", "web=nginx", "debian").stdout)
ok([l["name"] for l in plan["layers"]] == ["debian", "nginx"], "plan lists the base first", plan)
ok(plan["layers"][0]["parent"] is None and plan["layers"][1]["parent"] == digest("debian"), "plan shows parents")
ok(plan["arch"] == os.uname().machine, "layers without an architecture fit this host", plan["arch"])
ok(plan["bytes_to_pull"] == 1100 and plan["layers"][0]["action"] == "pull", "plan has the number of bytes to pull")
ok(plan["layers"][1]["url"] == f"file://{work}/nginx.qcow2", "URLs are relative to the catalog", plan["layers"][1])
ok(json.loads(run("plan", "--json", "nginx").stdout)["layers"] == plan["layers"], "required layers are included")
expect(3, "unknown layer", "plan", "nginz", says="nginx")
expect(3, "wrong group", "plan", "os=nginx")
expect(3, "two of one group", "plan", "nginx", "lighttpd", says="web")
expect(3, "unknown version", "plan", "nginx@9")
ok("nginx" in run("plan", "nginx").stdout, "plan as a table")
os.makedirs(f"{state}/layers", exist_ok=True)

# The last good copy
os.rename(catalog, catalog + ".away")
done = run("catalog", "update")
ok(done.returncode == 5 and "last good copy" in done.stderr, "missing source: update fails", done.stderr)
ok(run("plan", "nginx").returncode == 0, "missing source: plan succeeds")
with open(catalog, "w", encoding="utf-8") as file:
    file.write("lamina-catalog: 1\nlayers: [")
ok(run("catalog", "update").returncode == 5 and run("plan", "nginx").returncode == 0, "invalid source: the copy is kept")
with open(catalog, "w", encoding="utf-8") as file:
    file.write(CATALOG.replace("1.22.1", "1.24.0"))
ok("lab: updated" in run("catalog", "update", "lab").stdout, "update")
ok("1.24.0" in run("plan", "nginx").stdout, "the new catalog is used")
for damage in (b"", b"\0" * 100, os.urandom(4096)):
    with open(f"{state}/catalogs/lab.index", "wb") as file:
        file.write(damage)
    ok("1.24.0" in run("plan", "nginx").stdout, f"a damaged index of a catalog ({len(damage)} bytes) is written again")
with open(f"{state}/catalogs/lab.json", "w", encoding="utf-8") as file:
    file.write("{")
done = run("catalog", "list")
ok(done.returncode == 0 and "lab.json" in done.stderr, "a damaged record is a warning", done.stderr)
expect(5, "a damaged record is not updated", "catalog", "update")
ok(run("catalog", "remove", "lab").returncode == 0, "a damaged source can be removed")
expect(3, "without it nothing is known", "plan", "nginx")
ok(run("plan", "nginx", "--catalog", catalog).returncode == 0, "--catalog FILE")
listing = json.loads(run("list", "--json", "--catalog", catalog).stdout)
ok({l["name"] for l in listing["layers"]} == {"debian", "nginx", "lighttpd"}, "list as JSON", listing)
ok("nginx" in run("list", "--catalog", catalog).stdout, "list as a table")
ok(json.loads(run("cache", "list", "--json").stdout) == {"files": []}, "empty cache as JSON")
done = run("xml", "m", "nginx", "--json", "--catalog", catalog, "--virt-type", "qemu", "--network", "none")
ok(done.returncode == 0 and json.loads(done.stdout)["xml"].startswith("<domain"), "xml as JSON", done.stderr)
ok(done.stderr == "", "without a complaint of a library", done.stderr)

summary = path("summary.yaml", CATALOG.replace("group: os\n", "group: os\n    summary: \"a \\u202Eb\\u2028c\\u2066\"\n"))
done = run("list", "--catalog", summary)
ok(not any(c in done.stdout + done.stderr for c in "\u202e\u2028\u2066"), "nor from a catalog", done.stdout + done.stderr)

# Pulling files that do not exist or have a wrong digest
expect(5, "pull: no such file", "pull", "debian", "--catalog", catalog, says="debian")
path("debian.qcow2", "x" * 1000)
done = expect(6, "pull: wrong digest", "pull", "debian", "--catalog", catalog, says=digest("debian"))
ok(digest("x" * 1000) in done.stderr, "the message has both digests", done.stderr)
left = [f for d in ("layers", "blobs", "partial") for f in os.listdir(f"{state}/{d}") if f.endswith((".qcow2", ".part"))]
ok(left == [], "the wrong data is not kept", left)

# Specification files
spec = path("web1.yaml", "name: web1\nselections: {os: debian}\nmemory: 1GiB\nnetwork: [user]\nlunch: yes\n")
expect(2, "unknown key in a specification", "launch", "-f", spec, says="web1.yaml:5")
spec = path("web1.yaml", "name: web1\nmemroy: 1GiB\n")
expect(2, "a misspelt one", "launch", "-f", spec, says='did you mean "memory"?')
spec = path("web2.yaml", "name: web1\nmemory: 1GiB\n")
expect(2, "specification without selections", "launch", "-f", spec)
spec = path("web3.yaml", "name: web1\nselections: [debian]\nautostart: perhaps\n")
expect(2, "wrong type in a specification", "launch", "-f", spec, says="web3.yaml:3")
spec = path("web4.yaml", "name: ../x\nselections: [debian]\n")
expect(2, "hostile name in a specification", "launch", "-f", spec)

for number, (text, line, says) in enumerate((
        ("memory: lots", 3, "lots"), ("memory: {size: 1GiB}", 3, "mapping"), ("vcpus: 0", 3, "from 1 to"), ("cpu: a b", 3, "cpu"),
        ("virt-type: xen", 3, "xen"), ("disk: {path: x}", 3, "path"), ("disk:\n  size: []", 4, "single value"),
        ("network:\n- user\n- {network: a/b}", 5, "a/b"), ("network: [[user]]", 3, "list"), ("network: {bridge: a, network: b}", 3, "one network"),
        ("graphics: {port: 80}", 3, "port"), ("graphics: sdl", 3, "sdl"), ("graphics: {type: vnc, password: x}", 3, "password"),
        ("publish: ['80']", 3, "GUESTPORT"), ("cloud-init: {x: /dev/null}", 3, '"x"'), ("transient: [true]", 3, "not a list"),
        ("autostart: {on: true}", 3, "true or false"), ("wait: 0", 3, "from 1 to"), ("replace: true", 3, "replace"), ("json: true", 3, "json"),
        ("network: ['user,mac=52:54:00:00:00:01', {mac: '52:54:00:00:00:01'}]", 0, "52:54:00:00:00:01"),
        ("network: [none, user]", 0, "none"), ("autostart: true\ntransient: true", 0, "cannot be combined"))):
    name = f"bad{number}.yaml"
    spec = path(name, f"name: web1\nselections: [nginx]\n{text}\n")
    done = expect(2, f"a mistake in a specification: {text!r}", "launch", "-f", spec, "-c", "test:///default", says=says)
    ok(line == 0 or f"{name}:{line}: " in done.stderr, "the message has the line", done.stderr)
good = ("memory: 1GiB", "memory: 128", "vcpus: 2", "cpu: max", "disk: {size: 8GiB}", "disk: size=8", "network: default", "network: none",
        "network: [user, {bridge: br0, model: e1000, mac: '52:54:00:00:00:01'}, 'network=lab,model=rtl8139', {model: e1000e}]",
        "graphics: 'vnc,port=5901'", "graphics: {type: spice, listen: '::1', port: 5900}", "wait: 5", "wait: false", "autostart: true")
for text in good:
    spec = path("good.yaml", f"name: web1\nselections: [nginx]\n{text}\n")
    expect(3, f"a specification: {text}", "launch", "-f", spec, "-c", "test:///default", says="nginx")
for text, status, says in (("{web: [nginx]}", 3, '"nginx"'), ("{web: [nginx, {a: b}]}", 2, "bad-list.yaml:2: expected the name"),
                           ("{web: [nginx, 'a b']}", 2, "bad-list.yaml:2: "), ("{web: []}", 2, "at least one selection"),
                           ("[[nginx]]", 2, "bad-list.yaml:2: expected the name")):
    spec = path("bad-list.yaml", f"name: web1\nselections: {text}\n")
    expect(status, f"selections: {text}", "launch", "-f", spec, "-c", "test:///default", says=says)
options = re.findall(r"^ +(?:-\w, )?--([a-z-]+)( |$|\[)", run("launch", "--help").stdout.split("Options:")[1].split("Global options")[0], re.M)
ok(len(options) > 12, "launch has options", options)
for option, value in options:
    done = run("launch", "web1", "nginx", f"--{option}" + ("=x" if value else ""), "-c", "test:///default")
    ok(done.returncode in (2, 3), f"--{option} becomes part of the request", done)
    spec = path("one.json", json.dumps({"name": "web1", "selections": ["nginx"], option: "x"}))
    done = run("launch", "-f", spec, "-c", "test:///default")
    ok(done.returncode in (2, 3), f"or {option} in a specification", done)
every = sorted({name for verb in ("launch", "define", "rm", "catalog add")
                for name in re.findall(r"--([a-z-]+)", run(*verb.split(), "--help").stdout)})
ok({"catalog", "connect", "version", "priority", "wait"} <= set(every), "lamina has options", every)
for option in every:
    for value in ("x", True, ["x"], {"x": "y"}, [], {}):
        spec = path("every.json", json.dumps({"name": "web1", "selections": ["nginx"], option: value}))
        for verb in ("launch", "define"):
            done = run(verb, "-f", spec, "-c", "test:///default")
            taken = option in dict(options) and option not in ("file", "replace")
            good = done.returncode in (2, 3) if taken else f'"{option}" is not an option that can be given in a file' in done.stderr
            ok(good, f"{verb}: {option}: {value!r} in a specification is {'accepted or has an error' if taken else 'refused'}", done)
os.makedirs(f"{work}/a,b", exist_ok=True)
comma = path("a,b/c,d.yaml", "#cloud-config\n{}\n")
spec = path("comma.yaml", json.dumps({"name": "web1", "selections": ["nginx"], "cloud-init": [{"user-data": comma}]}))
expect(3, "a path with a comma in a specification", "launch", "-f", spec, "-c", "test:///default", says="nginx")
given = "user-data=" + comma.replace(",", ",,")
expect(3, "and on the command line", "launch", "web1", "nginx", "--cloud-init", given, "-c", "test:///default", says="nginx")
expect(2, "where one comma ends the value", "launch", "web1", "nginx", "--cloud-init", f"user-data={comma}", says="KEY=VALUE")
spec = path("over.yaml", "name: ../x\nselections: [../x]\nmemory: lots\nwait: soon\n")
expect(3, "the command line wins over the file", "launch", "web1", "nginx", "--memory", "64", "--wait=5", "-f", spec, "-c", "test:///default",
       says="nginx")

spec = path("web5.yaml", "name: web1\nselections: [nginx]\nwait: true\n")
expect(3, "wait: true in a specification", "launch", "-f", spec, "-c", "test:///default", says="nginx")
spec = path("web6.json", json.dumps({"name": "web1", "selections": {"web": "nginx"}, "wait": False, "autostart": True}))
expect(3, "a specification in JSON", "launch", "-f", spec, "-c", "test:///default", says="nginx")

# Machines, on libvirt's test driver
test = ("-c", "test:///default")
expect(3, "rm: no such machine", "rm", "gone", *test, says="gone")
done = expect(3, "rm: several that are not there", "rm", "gone", "lost", *test, says="2 of 2")
ok("gone" in done.stderr and "lost" in done.stderr, "the message has each of them", done.stderr)
done = expect(3, "one that is named twice", "rm", "gone", "gone", *test, says="gone")
ok(" of " not in done.stderr, "is one", done.stderr)
done = run("rm", "--ignore-missing", "--json", "gone", "lost", "gone", *test)
ok(json.loads(done.stdout) == {"removed": [], "missing": ["gone", "lost"], "failed": []}, "rm as JSON", done.stderr)
done = run("rm", "--json", "gone", "lost", *test)
ok(done.returncode == 3 and json.loads(done.stdout)["missing"] == ["gone", "lost"], "also when it fails", done)
ok(not [f for f in os.listdir(f"{state}/machines") if f.endswith(".lock")], "no lock is left of machines that do not exist")
ok(json.loads(run("ps", "--json", *test).stdout) == {"machines": []}, "ps as JSON")
spec = path("web7.yaml", "name: web1\nselections: [nginx]\nwait: soon\n")
expect(2, "wait: soon in a specification", "launch", "-f", spec, "-c", "test:///default")

# Published ports
expect(2, "the same port twice", "launch", "web1", "debian", "--publish", "8080:80", "--publish", "0.0.0.0:8080:81", *test, says="8080")
with socket.socket() as holder:
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    holder.listen()
    port = holder.getsockname()[1]
    words = ("web1", "debian", "--catalog", catalog, *test, "--publish")
    for publish in (f"{port}:80", f"0.0.0.0:{port}:80"):
        done = expect(4, f"a port in use: {publish.replace(str(port), 'N')}", "launch", *words, publish, says=f"port {port} of")
        ok("pull" not in done.stderr, "it is refused before anything is pulled", done.stderr)
    expect(4, "nor may a transient machine have it", "launch", "--transient", *words, f"{port}:80", says=str(port))
    expect(6, "define does not look at ports", "define", *words, f"{port}:80")
    client = socket.create_connection(("127.0.0.1", port))
    connection, _ = holder.accept()
    connection.close()
    client.close()
expect(6, "a connection that is over does not hold the port", "launch", *words, f"{port}:80")
expect(2, "an address that is not this host's", "launch", *words, "192.0.2.1:80:80", says="192.0.2.1 is not an address")
expect(6, "a port for which another user may be needed is left to QEMU", "launch", *words, "1:1")
ok(not os.listdir(f"{state}/machines"), "nothing is left of them", os.listdir(f"{state}/machines"))

# Standard output that cannot be written
for words in (["--help"], ["--version"], ["launch", "--help"], ["list", "--catalog", catalog], ["list", "--json", "--catalog", catalog]):
    with open("/dev/full", "w") as full:
        done = subprocess.run([lamina, *words], stdout=full, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "LAMINA_STATE_DIR": state})
    ok(done.returncode == 8 and "standard output" in done.stderr, f"{' '.join(words[:2])}: a full device is an error", done)
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", lamina, *words], stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "LAMINA_STATE_DIR": state})
    ok(done.returncode == 1 and "standard output" in done.stderr, f"{' '.join(words[:2])}: closed output is an error", done)
with open(f"{work}/big.yaml", "w", encoding="utf-8") as file:
    file.write(CATALOG)
    for i in range(300):
        file.write(f"  - {{name: extra{i}, version: '1', group: web, builds: "
                   f"[{{parent: '{digest('debian')}', digest: '{digest(str(i))}', size: 1, urls: [x]}}]}}\n")
for output, status in ((">&-", 1), (">/dev/full", 8)):
    done = subprocess.run(["sh", "-c", f'exec "$@" {output}', "sh", lamina, "list", "--catalog", f"{work}/big.yaml"],
                          stderr=subprocess.PIPE, text=True, env={**os.environ, "LAMINA_STATE_DIR": state})
    ok(done.returncode == status and "standard output" in done.stderr, f"{output}: a long list fails as well", done)
leaked = [f for f in os.listdir(state) if os.path.isfile(f"{state}/{f}") and os.path.getsize(f"{state}/{f}") > 0]
ok(leaked == [], "and is not written to a file of the state directory", leaked)

# A server that hangs delays only its own catalog.
os.makedirs(f"{work}/served", exist_ok=True)
good = path("served/good.yaml", open(f"{work}/big.yaml").read())
server = subprocess.Popen([sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", f"{work}/served", "0"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
url = f"http://127.0.0.1:{server.stdout.readline().split()[5]}/good.yaml"
expect(0, "a catalog by its URL", "list", "--catalog", url)
silent = socket.create_server(("127.0.0.1", 0))
hanging = subprocess.Popen([lamina, "list", "--catalog", f"http://127.0.0.1:{silent.getsockname()[1]}/x.yaml"],
                           stderr=subprocess.DEVNULL, env={**os.environ, "LAMINA_STATE_DIR": state})
connection = silent.accept()
expect(0, "while another's server says nothing", "list", "--catalog", url)
ok(hanging.poll() is None, "lamina goes on waiting")
hanging.terminate()
ok(hanging.wait() == 1, "until interrupted", hanging.returncode)
server.terminate()
server.wait()
server.stdout.close()
connection[0].close()
silent.close()
locks = [f for f in os.listdir(f"{state}/catalogs/urls") if f.endswith(".lock")]
ok(len(locks) == 1, "no lock is left of a catalog that was never fetched", locks)


def wait_until_open(process, file):
    """Until @process has opened @file, or has ended."""
    while process.poll() is None:
        with contextlib.suppress(OSError):
            if any(os.path.realpath(f"/proc/{process.pid}/fd/{fd}") == file for fd in os.listdir(f"/proc/{process.pid}/fd")):
                return
        time.sleep(0.01)


# Waiting for a pipe ends.
os.mkfifo(f"{work}/pipe")
for words in (["list", "--catalog", f"{work}/pipe"], ["define", "-f", f"{work}/pipe"],
              ["define", "n", "debian", "--cloud-init", f"user-data={work}/pipe"]):
    stuck = subprocess.Popen([lamina, *words], stderr=subprocess.PIPE, text=True, env={**os.environ, "LAMINA_STATE_DIR": state})
    wait_until_open(stuck, os.path.realpath(f"{work}/pipe"))
    stuck.send_signal(signal.SIGINT)
    said = stuck.communicate()[1]
    ok(stuck.returncode == 1 and "interrupted" in said, f"{words[0]} waits for a pipe until interrupted", said)

# Each also ends without an interrupt. All are started at the same time, because each waits. A template is read
# after the layers have been pulled.
env = {**os.environ, "LAMINA_STATE_DIR": state, "LAMINA_TEST_NO_DELAY": "1"}
waiting = [(words, subprocess.Popen([lamina, *words, *test], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=env))
           for words in (["list", "--catalog", f"{work}/pipe"], ["define", "-f", f"{work}/pipe"],
                         ["list", "--config", f"{work}/pipe"], ["list", "--catalog", f"file://{work}/pipe"],
                         *(["define", "n", "debian", "--cloud-init", f"{key}={work}/pipe"]
                           for key in ("user-data", "meta-data", "network-config", "ssh-key")))]
for words, process in waiting:
    said = process.communicate(timeout=60)[1]
    says = "not a regular file" if "file:" in words[-1] else "no data has arrived"
    ok(process.returncode in (2, 5) and says in said and f"{work}/pipe" in said, f"{' '.join(words)} comes to an end", said)

done_testing()
