#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lamina wait, with machines whose domains libvirt's test driver has, in the state that a file says, and consoles
that are files."""
import json
import os
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from chainworld import origin  # noqa: E402
from tap import done_testing, lamina, ok, work  # noqa: E402

RUNNING, PAUSED, SHUT_OFF = 1, 3, 5
host = origin()
node = os.path.join(work, "node.xml")
TEST = ("-c", "test://" + node)
states = {}


def write_node(**changed):
    """Sets the states of machines; None: the domain does not exist."""
    states.update(changed)
    with open(node, "w", encoding="utf-8") as file:
        file.write("<node>")
        for name, state in states.items():
            if state is not None:
                machine = machines[name]
                file.write(f"<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>{name}</name>"
                           f"<uuid>{machine['uuid']}</uuid><memory>65536</memory><os><type>hvm</type></os>"
                           f"<test:runstate>{state}</test:runstate></domain>")
        file.write("</node>")


def console(name, text):
    with open(machines[name]["console_log"], "a", encoding="utf-8") as file:
        file.write(text)


def wait(*words):
    return host.run("wait", *words, *TEST)


machines = {}
write_node()
for name in "web", "db":
    status, _, errors = host.run("define", name, "debian", *TEST)
    ok(status == 0, f"{name} is defined", errors)
    machines[name] = host.json("show", name, *TEST)

write_node(web=RUNNING, db=RUNNING)
console("web", "Debian GNU/Linux 12 web ttyS0\n\nweb login: ")
done = wait("web")
ok(done[0] == 0 and done[1].startswith(b"web: ready after "), "a machine that is up", done)
done = wait("db", "--timeout", "1")
ok(done[0] == 4 and "db: time ran out" in done[2], "one that is not", done)
done = wait("db", "web", "--timeout", "1")
ok(done[0] == 4 and b"web: ready" in done[1] and "warning: db: time ran out" in done[2] and "1 of 2 machines" in done[2],
   "of two, the other is waited for", done)
status, out, errors = wait("web", "db", "--timeout", "1", "--json")
result = json.loads(out)
ok(status == 4 and result["for"] == "ready" and [(m["name"], m["reached"]) for m in result["machines"]] == [("web", True), ("db", False)]
   and "time ran out" in result["machines"][1]["error"] and result["machines"][0]["error"] is None, "as JSON", result)
later = threading.Timer(1.5, console, ("db", "db login: "))
later.start()
done = wait("db", "--timeout", "60")
later.join()
ok(done[0] == 0 and b"db: ready" in done[1], "one becomes ready meanwhile", done)

for words, says in (["web"], "still running; stop it with \"virsh shutdown web\""), (["db", "--json"], "still running"):
    done = wait(*words, "--for", "stopped", "--timeout", "1")
    ok(done[0] == 4 and says in done[2], "one that does not stop", done)
write_node(web=PAUSED)
done = wait("web")
ok(done[0] == 4 and "web is paused" in done[2] and "virsh resume web" in done[2], "a paused one does not become ready", done)
done = wait("web", "--for", "stopped", "--timeout", "1")
ok(done[0] == 4, "nor is it stopped", done)
write_node(web=SHUT_OFF, db=None)
done = wait("web")
ok(done[0] == 4 and "web is shut off" in done[2] and "virsh start web" in done[2], "one that is shut off does not become ready", done)
done = wait("web", "db", "--for=stopped")
ok(done[0] == 0 and done[1].startswith(b"web: stopped after 0.") and b"db: stopped" in done[1], "both are stopped, one without a domain", done)
done = wait("db")
ok(done[0] != 0 and b"ready" not in done[1], "without a domain a machine is not ready", done)
done = wait("nobody", "--for", "stopped")
ok(done[0] == 3 and "nobody" in done[2], "a machine that does not exist", done)
for words in (["--for", "port=22", "web"], ["--for", "", "web"], ["--timeout", "-1", "web"], ["--timeout", "1s", "web"], []):
    ok(wait(*words)[0] == 2, f"{words} is a wrong use")

record = os.path.join(host.dir, "machines", machines["web"]["uuid"], "record.json")
with open(record, encoding="utf-8") as file:
    text = json.load(file)
del text["ready"]
with open(record, "w", encoding="utf-8") as file:
    json.dump(text, file)
write_node(web=RUNNING)
done = wait("web")
ok(done[0] == 2 and "does not say how its console shows" in done[2], "a machine of which nobody can tell", done)

write_node(db=RUNNING)
environment = {**os.environ, "LAMINA_STATE_DIR": host.dir}
with subprocess.Popen([lamina, "wait", "db", "--for", "stopped", *TEST], stderr=subprocess.PIPE, env=environment, text=True) as process:
    while "waiting until db" not in process.stderr.readline():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    errors = process.stderr.read()
ok(process.returncode != 0 and "db keeps running" in errors and "interrupted" in errors, "Ctrl-C ends the wait only", errors)
done_testing()
