#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Help, man page and completion say the same as the table of verbs."""
import os
import re
import subprocess
import sys

lamina = os.environ["LAMINA"]
pod = open(os.path.join(os.environ["G_TEST_SRCDIR"], "..", "man", "lamina.pod"), encoding="utf-8").read()
count = failed = 0


def ok(condition, name, detail=""):
    global count, failed
    count += 1
    if not condition:
        failed += 1
        print(f"# {detail}")
    print(f"{'ok' if condition else 'not ok'} {count} {name}")


def run(*words):
    done = subprocess.run([lamina, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def options_of(text):
    return set(re.findall(r"^\s+(?:-\w, )?--([a-z-]+)", text, re.M))


status, text, _ = run("--help")
ok(status == 0, "help exits 0")
verbs = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  +\S", text.split("Verbs:")[1].split("\n\n")[0], re.M)
ok("launch" in verbs and "catalog add" in verbs, "help lists verbs", repr(verbs))
global_options = options_of(text)
ok({"connect", "catalog", "state-dir", "json"} <= global_options, "help lists the global options")

pod_verbs = re.findall(r"^=head2 ([a-z]+(?: [a-z]+)?)\b", pod, re.M)
ok(sorted(pod_verbs) == sorted(verbs), "the man page has the same verbs", f"{sorted(pod_verbs)} {sorted(verbs)}")

sections = dict(re.findall(r"^=head2 ([a-z]+(?: [a-z]+)?)\b(.*?)(?=^=head[12])", pod, re.M | re.S))
pod_global = set(re.findall(r"B<--([a-z-]+)>", pod.split("=head1 OPTIONS OF EVERY VERB")[1].split("=head1")[0]
                            .replace("B<LIBVIRT", "")))
ok(pod_global == global_options, "the man page has the same global options", repr(pod_global ^ global_options))

for verb in verbs:
    words = verb.split()
    status, text, _ = run(*words, "--help")
    own = options_of(text) - global_options
    documented = set()
    for items in re.findall(r"^=item (.*)$", sections.get(verb, ""), re.M):
        documented |= set(re.findall(r"B<--([a-z-]+)>", items))
    if verb == "define":
        documented = {o for items in re.findall(r"^=item (.*)$", sections["launch"], re.M)
                      for o in re.findall(r"B<--([a-z-]+)>", items)} - {"wait", "transient"}
    ok(status == 0 and own == documented, f"man page and help agree on the options of {verb}", repr(own ^ documented))
    _, completed, _ = run("complete", *words, "--")
    ok({f"--{o}" for o in own | global_options} == set(completed.split()), f"completion agrees on the options of {verb}",
       completed)

_, completed, _ = run("complete", "")
ok(set(completed.split()) == {v.split()[0] for v in verbs}, "completion offers the verbs", completed)
_, completed, _ = run("complete", "catalog", "")
ok(set(completed.split()) == {v.split()[1] for v in verbs if v.startswith("catalog ")}, "completion offers second words",
   completed)

print(f"1..{count}")
sys.exit(failed != 0)
