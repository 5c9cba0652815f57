#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Help, manual pages and completion agree with the table of verbs; everything else that
users can name (files, keys, JSON members, exit statuses) is documented."""
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from tap import done_testing, lamina, ok, state, work

top = os.path.join(os.environ["G_TEST_SRCDIR"], "..")


def run(*words):
    env = {**os.environ, "LAMINA_STATE_DIR": state}
    done = subprocess.run([lamina, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, env=env)
    return done.returncode, done.stdout, done.stderr


def read(*path):
    with open(os.path.join(top, *path), encoding="utf-8") as file:
        return file.read()


def sources(*patterns):
    return "".join(read(path) for pattern in patterns for path in sorted(glob.glob(os.path.join(top, "src", pattern))))


def options_of(text):
    return set(re.findall(r"^\s+(?:-\w, )?--([a-z-]+)", text, re.M))


def section(page, title):
    return re.search(rf"^=head1 {title}\n(.*?)(?=^=head1|\Z)", page, re.M | re.S).group(1)


def items(text):
    return re.findall(r"^=item (.*)$", text, re.M)


def plain(text):
    return re.sub(r"[BCFI]<+ ?([^<>]*?) ?>+", r"\1", text)


pages = {os.path.basename(path)[:-len(".pod")]: read("man", os.path.basename(path)) for path in glob.glob(f"{top}/man/*.pod")}
overview = pages["lamina.1"]
verb_pages = {name: page for name, page in pages.items() if name.endswith(".1")}

# Pages
for name, page in sorted(pages.items()):
    stem, number = name.rsplit(".", 1)
    ok(f"\n{stem} - " in section(page, "NAME"), f"{name} has the right NAME")
    named = set(re.findall(r"\b(lamina[a-z.-]*)\((\d)\)", page))
    ok({f"{n}.{s}" for n, s in named} <= set(pages), f"{name} refers only to pages that exist", named)
    checker = shutil.which("podchecker")
    if checker:
        done = subprocess.run([checker, "-warnings", f"{top}/man/{name}.pod"], capture_output=True, text=True)
        ok(done.returncode == 0 and "WARNING" not in done.stderr, f"{name} is valid POD", done.stderr)
ok(set(re.findall(r"%D%/([a-z.-]+\.\d)", read("man", "local.am"))) == set(pages), "all pages are installed")
named = {f"{n}.{s}" for n, s in re.findall(r"\b(lamina[a-z.-]*)\((\d)\)", overview)}
ok(named | {"lamina.1"} == set(pages), "lamina(1) refers to all pages", named ^ set(pages))

# Verbs
status, text, _ = run("--help")
ok(status == 0, "help exits 0")
verbs = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  +\S", text.split("Verbs:")[1].split("\n\n")[0], re.M)
ok("launch" in verbs and "catalog add" in verbs, "help lists verbs", repr(verbs))
global_options = options_of(text)
ok({"connect", "catalog", "state-dir", "json"} <= global_options, "help lists the global options")
documented = set(re.findall(r"B<--([a-z-]+)>", "\n".join(items(section(overview, "GLOBAL OPTIONS")))))
ok(documented == global_options, "lamina(1) has the same global options", documented ^ global_options)
described = [verb for page in verb_pages.values() for verb in re.findall(r"^=head2 ([a-z]+(?: [a-z]+)?)\b", page, re.M)]
ok(sorted(described) == sorted(verbs), "the pages describe each verb once", f"{sorted(described)} {sorted(verbs)}")


def verb_section(page, verb):
    match = re.search(rf"^=head2 {verb}(?: ([^\n]*))?\n(.*?)(?=^=head[12])", page, re.M | re.S)
    return (match.group(1) or "", match.group(2)) if match else ("", "")


for verb in verbs:
    status, text, _ = run(*verb.split(), "--help")
    own = options_of(text) - global_options
    found = re.search(r"^See (lamina[a-z-]*)\(1\)\.$", text, re.M)
    name = f"{found.group(1)}.1" if found else ""
    page = pages.get(name, "")
    synopsis, body = verb_section(page, verb)
    ok(status == 0 and body != "", f"the help of {verb} has the page that describes it", text)
    usage = re.search(r"^Usage: lamina [a-z ]+ \[OPTIONS\](.*)$", text, re.M).group(1).strip()
    ok(synopsis == usage, f"{name} and the help agree on the words of {verb}", f"{synopsis}\n{usage}")
    words = plain(section(page, "SYNOPSIS")) if page else ""
    ok(name == "lamina.1" or re.search(rf"\b{verb}\b", words), f"{verb} is in the synopsis of {name}", words)
    documented = set(re.findall(r"B<--([a-z-]+)>", "\n".join(items(body))))
    if verb == "define":
        launch = verb_section(page, "launch")[1]
        documented = set(re.findall(r"B<--([a-z-]+)>", "\n".join(items(launch)))) - {"wait", "transient"}
    if verb == "xml":
        documented = set(re.findall(r"B<--([a-z-]+)>", "\n".join(items(verb_section(page, "launch")[1]))))
        documented -= {"wait", "transient", "autostart", "cloud-init", "replace", "build"}
    ok(own == documented, f"{name} and the help agree on the options of {verb}", own ^ documented)
    _, completed, _ = run("complete", *verb.split(), "--")
    ok({f"--{o}" for o in own | global_options} == set(completed.split()), f"completion agrees on the options of {verb}", completed)

_, completed, _ = run("complete", "")
ok(set(completed.split()) == {v.split()[0] for v in verbs}, "completion offers the verbs", completed)
for group in sorted({v.split()[0] for v in verbs if " " in v}):
    _, completed, _ = run("complete", group, "")
    ok(set(completed.split()) == {v.split()[1] for v in verbs if v.startswith(group + " ")}, f"completion offers second words of {group}", completed)

# Exit statuses
numbers = set(re.findall(r"LM_STATUS_\w+ = (\d+)", read("src", "cli", "status.h")))
ok(set(re.findall(r"^=item B<(\d+)>", section(overview, "EXIT STATUS"), re.M)) == numbers, "lamina(1) lists all exit statuses", numbers)
_, text, _ = run("--help")
ok(set(re.findall(r"(?:[:,]\s+|\n)(\d+) ", text[text.index("Exit status"):])) == numbers, "so does the help", text)

# Settings
settings = read("src", "cli", "settings.c")
keys = set(re.findall(r'"([a-z-]+)"', re.search(r"known_keys\[\] = \{(.*?)\}", settings, re.S).group(1)))
documented = set(re.findall(r"^=item B<([a-z-]+)>", section(pages["lamina.conf.5"], "KEYS"), re.M))
ok(documented == keys, "lamina.conf(5) describes all keys", documented ^ keys)
variables = set(re.findall(r'"(LAMINA_[A-Z_]+|LIBVIRT_[A-Z_]+)"', settings)) - {
    "LAMINA_TEMPLATE_DIR", "LAMINA_RECIPE_DIR", "LAMINA_HOOK_PROGRAM", "LAMINA_APPLIANCE_PROGRAM"}
documented = set(re.findall(r"B<(L[A-Z_]+)>", section(overview, "ENVIRONMENT")))
ok(documented == variables | {"LAMINA_TRACE"}, "lamina(1) describes all variables", documented ^ variables)

# Templates
xml = read("src", "domain", "xml.c")
places = set(re.findall(r'values, \(gpointer\) "([A-Z_]+)"', xml)) | set(re.findall(r'strcmp \(name, "([a-z]+)"\) == 0', xml))
documented = set(re.findall(r"@([A-Z_]+)@", pages["lamina-template.5"])) | set(re.findall(r"<\?lamina ([a-z]+)\?>", pages["lamina-template.5"]))
ok(len(places) > 10 and places <= documented, "lamina-template(5) describes all placeholders", places - documented)

# JSON
keys = set(re.findall(r'(?:lm_json_add_\w+|json_builder_set_member_name) \(\w+, "([^"]+)"',
                      sources("cli/*.c", "ops/*.c", "plan/*.c")))
documented = set()
for page in verb_pages.values():
    if "\n=head1 JSON\n" in page:
        documented |= set(re.findall(r"C<([a-z_]+)>", section(page, "JSON"))) | set(re.findall(r'"([a-z_]+)":', section(page, "JSON")))
progress = set(re.findall(r"C<([a-z_]+)>", overview))
ok(keys <= documented | progress, "the pages describe all members of the JSON output", sorted(keys - documented - progress))

# Files
listed = items(section(pages["lamina-cache.5"], "FILES"))
names = [name for item in listed for name in re.findall(r"F<((?:[^<>]|I<[A-Z]+>)*)>", item)]
places = {"DIGEST": "[0-9a-f]{64}", "UUID": "[0-9a-f-]{36}", "NAME": "[A-Za-z0-9._+-]+"}
patterns = [re.compile("".join(places.get(part, re.escape(part)) for part in re.split(r"I<([A-Z]+)>", name)) + r"(\.\w{6})?") for name in names]
base = hashlib.sha256(b"base").hexdigest()
catalog = os.path.join(work, "lab.yaml")
with open(catalog, "w", encoding="utf-8") as file:
    file.write(f"lamina-catalog: 1\nname: lab\ngroups: [{{name: os}}]\nlayers:\n"
               f"- {{name: x, version: '1', group: os, builds: [{{digest: 'sha256:{base}', size: 10, urls: [x]}}]}}\n")
for words in (("catalog", "add", "lab", catalog), ("pull", "x"), ("launch", "m", "x", "-c", "test:///default")):
    run(*words)
made = [os.path.relpath(os.path.join(directory, name), state) for directory, _, files in os.walk(state) for name in files]
ok(len(made) > 3, "files are created", made)
unknown = [name for name in made if not any(pattern.fullmatch(name) for pattern in patterns)]
ok(unknown == [], "lamina-cache(5) describes all of them", "\n".join(unknown))
literals = set(re.findall(r'"([a-z-]+\.(?:json|qcow2|iso|fd|log|db))"', sources("cache/*.c", "machine/*.c", "source/*.c")))
literals |= set(re.findall(r'"(\.[a-z][a-z0-9]+)"', sources("cache/*.c", "machine/*.c", "source/*.c")))
missing = [name for name in sorted(literals) if not any(known.endswith(name) for known in names)]
ok(len(literals) > 8 and missing == [], "and all names in the sources", "\n".join(missing))

done_testing()
