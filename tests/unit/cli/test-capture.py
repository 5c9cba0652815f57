#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lamina capture: what it does on this host around the appliance, for which a stub stands in. No guest is started. The
test driver of libvirt has the machine only if a file says so."""
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from chainworld import Stopped, digest  # noqa: E402
from stubworld import host, write_status  # noqa: E402
from tap import done_testing, ok, work  # noqa: E402

node = os.path.join(work, "node.xml")
TEST = ("-c", "test://" + node)


def write_node(*domains):
    with open(node, "w", encoding="utf-8") as file:
        file.write(f"<node>{''.join(domains)}</node>")


def domain(machine, state):
    """state: as in libvirt's test driver, 1 running, 3 paused, 5 shut off"""
    return f"""<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>{machine["name"]}</name>
<uuid>{machine["uuid"]}</uuid><memory>65536</memory><os><type>hvm</type></os>
<metadata><lamina:machine xmlns:lamina='urn:lamina:domain:1'/></metadata>
<devices><disk type='file'><driver name='qemu' type='qcow2'/><source file='{machine["overlay"]}'/><target dev='vda'/></disk></devices>
<test:runstate>{state}</test:runstate></domain>"""


def capture(*words):
    return host.run("capture", "web", *words, *TEST)


def layers():
    return sorted((layer["name"], layer["version"]) for layer in host.json("list")["layers"] if layer["source"] == "local")


def disk():
    with open(machine["overlay"], "rb") as file:
        return digest(file.read())


write_node()
done = host.run("define", "web", "debian", *TEST)
ok(done[0] == 0, "a machine is defined", done)
machine = host.json("show", "web", *TEST)
write_status(["bash=5.2.15-2+b7", "libc6=2.36-9+deb12u11", "nginx=1.24-1"])
before = disk()

# What is refused, before anything is read
for state, word in (1, "running"), (3, "paused"):
    write_node(domain(machine, state))
    done = capture("--as", "tool@1")
    ok(done[0] == 4 and f"web is {word}" in done[2] and "shut it down first" in done[2], f"a machine that is {word} is refused", done)
write_node(domain(machine, 5))
for words, status, says in (["--as", "tool"], 2, "NAME@VERSION"), ([], 2, "--as"), (["--as", "debian@13"], 2, "would stand on one of the same name"), \
        (["--as", "tool@1", "--group", "os"], 2, "the group os allows one layer"), (["--as", "tool@1", "--group", "A B"], 2, "not the name of a group"):
    done = capture(*words)
    ok(done[0] == status and says in done[2], f"refused: {' '.join(words)}", done)
done = host.run("capture", "nobody", "--as", "tool@1", *TEST)
ok(done[0] == 3 and "nobody" in done[2], "a machine that does not exist", done)
with open(os.path.join(work, "first.json"), "w", encoding="utf-8") as file:
    json.dump({"lamina-catalog": 1, "groups": [{"name": "tool"}], "layers": [{"name": "hidden", "version": "1", "group": "tool", "builds": [
        {"digest": "sha256:" + 64 * "1", "size": 1, "urls": ["http://127.0.0.1:1/x"]}]}]}, file)
host.run("catalog", "add", "first", file.name, "--priority", "200")
done = capture("--as", "hidden@2")
ok(done[0] == 2 and "the catalog first" in done[2], "a name that a catalog of higher priority has", done)
ok(layers() == [] and host.list("partial") == set() and disk() == before, "nothing was made, and the disk is as before", layers())

# Success
done = capture("--as", "tool@1", "--json", "--summary", "made by hand")
made = json.loads(done[1]) if done[0] == 0 else {}
ok(done[0] == 0 and made["action"] == "captured" and made["chain"] == ["debian@12"] and made["group"] == "tool" and made["scrubbed"],
   "a machine is captured", done)
ok(made["packages"] == ["dpkg=1", "libc6=2.36-9+deb12u11", "nginx=1.24-1"] and made["removed"] == ["nano"], "with the packages that it adds and removes",
   made)
ok(layers() == [("tool", "1")] and host.list("partial") == set() and disk() == before, "the disk is as before, and nothing else is left")
done = host.json("plan", "tool")
ok([layer["action"] for layer in done["layers"]] == ["cached", "cached"], "it can be launched", done)
made = capture("--as", "tool@1", "--json")
ok(json.loads(made[1])["action"] == "unchanged", "again: nothing is done", made)
made = capture("--as", "tool@1", "--summary", "another")
ok(b"what the catalog says about it was updated" in made[1], "the entry can be changed", made)
made = capture("--as", "nginx@9", "--no-scrub", "--json")
ok(made[0] == 0 and not json.loads(made[1])["scrubbed"] and "machine's identity" not in made[2], "as it is", made)
ok(json.loads(made[1])["group"] == "web", "it is in the group of the other layers of its name", made)

# Meanwhile
stopped = Stopped(host, "capture-before-check", "capture", "web", "--as", "tool@2", *TEST)
ok(stopped.has_stopped(), "a capture has read the disk")
os.utime(machine["overlay"])
done = stopped.go_on()
ok(done[0] == 4 and "somebody wrote to" in done[2] and len(layers()) == 2 and host.list("partial") == set(), "somebody writes to it: nothing is kept",
   done)
subprocess.run(["qemu-io", "-c", "write -P 7 64k 4k", machine["overlay"]], check=True, stdout=subprocess.DEVNULL)
done = capture("--as", "tool@1")
ok(done[0] == 9 and "choose another version" in done[2], "another content under the same name", done)
done = capture("--as", "tool@2", "--json")
ok(done[0] == 0 and layers() == [("nginx", "9"), ("tool", "1"), ("tool", "2")], "another version", done)

# What the appliance says
os.environ["LAMINA_APPLIANCE_PROGRAM"] = "/bin/false"
done = capture("--as", "tool@3")
ok(done[0] == 1 and len(layers()) == 3 and host.list("partial") == set(), "an appliance that fails leaves nothing", done)
os.unlink(machine["overlay"])
done = capture("--as", "tool@3")
ok(done[0] == 3 and "has no disk" in done[2], "a machine without its disk", done)
done_testing()
