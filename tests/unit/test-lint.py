#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks the tree against the rules of HACKING. Works in a git tree and in an unpacked
tarball. Prints TAP: first that each rule finds the violations planted for it, then that
the tree has none."""
import os
import re
import subprocess
import sys

# Which module may include which. A new directory needs a line here and in HACKING.
MAY_INCLUDE = {
    "base": set(),
    "io": {"base"},
    "catalog": {"base"},
    "virt": {"base"},
    "appliance": {"base"},
    "cache": {"base"},
    "plan": {"base", "catalog"},
    "store": {"base", "io"},
    "image": {"base", "io"},
    "domain": {"base", "io"},
    "fetch": {"base", "io", "cache", "image", "store"},
    "source": {"base", "io", "catalog", "store"},
    "machine": {"base", "io", "cache", "image", "domain"},
    "plugin": {"base", "io", "cache", "image", "domain", "machine"},
    "users": {"base", "io", "cache", "image", "domain", "machine", "virt"},
    "build": {"base", "io", "catalog", "plan", "cache", "store", "image", "fetch", "source"},
    "ops": {"base", "io", "catalog", "plan", "domain", "cache", "store", "image", "fetch", "source", "machine", "virt", "users", "build"},
}
MAY_INCLUDE["doctor"] = MAY_INCLUDE["ops"] | {"ops"}
MAY_INCLUDE["upkeep"] = MAY_INCLUDE["ops"] | {"ops"}
MAY_INCLUDE["author"] = MAY_INCLUDE["ops"] | {"ops"}
MAY_INCLUDE["cli"] = MAY_INCLUDE["doctor"] | {"doctor", "upkeep", "author"}
# Libraries that may be used in one place only: pattern of the header, pattern of the files.
OWNED_HEADERS = [
    (r"curl/", r"src/io/http[^/]*$"),
    (r"libvirt/", r"src/virt/|tests/"),
    (r"libxml/", r"src/io/xml[^/]*$"),
    (r"yaml\.h$", r"(src/base/yaml|tests/bench/bench-plan)[^/]*$"),
    (r"archive(_entry)?\.h", r"src/io/(tar|unpack)[^/]*$|tests/unit/io/test-unpack\.c$"),
    (r"solv/", r"src/(plan|catalog)/|src/build/package[a-z-]*\.[ch]$|tests/bench/bench-group\.c$"),
    (r"sqlite3\.h$", r"src/cache/|tests/"),
    (r"guestfs\.h$", r"src/appliance/"),
    (r"gnutls/", r"src/(base/hasher|io/http-tls)\.c$"),
    (r"nettle/", r"plugin/hasher\.c$"),
]
# Calls that are not allowed: pattern, files in which they are allowed, what to do instead.
BANNED_CALLS = [
    (r"system|popen|g_spawn_\w+|g_subprocess_\w+|posix_spawnp?|v?fork|exec[vl]\w*",
     r"src/io/run\.c$|plugin/qemu-(hook|prepare)\.c$|src/appliance/guard\.c$|tests/",
     "io/run starts processes"),
    (r"v?sprintf|strcpy|strcat|stpcpy|gets|strtok|alloca|g_alloca|g_newa", None, "use GLib's bounded or allocating calls"),
    (r"tmpnam|tempnam|mktemp", None, "use mkstemp or g_dir_make_tmp"),
    (r"g_checksum_\w+|g_compute_checksum_\w+", None, "base/hasher hashes"),
    (r"g_file_set_contents\w*|g_file_replace_contents\w*", r"src/base/file\.c$|tests/",
     "use lm_file_write() or lm_file_write_unsynced()"),
    (r"g_getenv|getenv|secure_getenv", r"src/base/(trace|testenv)\.c$|src/cli/|tests/",
     "configuration is passed in"),
    (r"g_print|g_printerr|printf|puts|perror", r"src/cli/|tests/", "only cli prints"),
    (r"g_mapped_file_\w+|mmap", r"src/base/kvm\.c$|tests/", "use lm_fd_read_bytes(): an I/O error in a mapping is SIGBUS"),
    (r"atoi|atol|atoll", r"tests/", "use g_ascii_string_to_unsigned"),
    (r"v?f?s?scanf", r"tests/", "use g_ascii_string_to_unsigned: G_GINT64_FORMAT reads leading zeros as octal"),
]
MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 60
MAX_MODULE_SHARE = 0.18
MAX_LINE = 160  # the style is 120; a longer line than this is never necessary
# Exceptions to the two lengths: path or "path:function", and why.
LONG_ALLOWED = {}

# Functions in headers that no other file of the program calls, and why.
UNUSED_ALLOWED = {
    "lm_recipe_parse": "the pure half of lm_recipe_load(), for tests",
    "lm_overlay_argv": "the pure half of lm_overlay_create(), for tests",
    "lm_seed_argv": "the pure half of lm_seed_write(), for tests",
    "lm_seed_render": "the pure half of lm_seed_write(), for tests",
}

CODE_DIRS = ("src", "tests", "plugin", "examples")
SKIPPED_DIRS = {".git", "autom4te.cache", ".deps", "__pycache__"}
SKIPPED_SUFFIXES = (".o", ".a", ".log", ".trs", ".pyc", ".gcda", ".gcno", ".xz")

# Paths of one particular machine: home and mount directories, fixed names in /tmp.
MACHINE_PATH = re.compile(r"(?<![\w.$\"'{}/-])/(?:(?:home|work|Users|mnt|media)/\w|tmp/\w)")


def strip(text):
    """Returns C without comments and the contents of literals; line numbers are kept."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)

    def blank(match):
        found = match.group(0)
        return ('""' if found[0] in "\"'" else " ") + "\n" * found.count("\n")
    return pattern.sub(blank, text)


def numbered(text):
    return enumerate(text.split("\n"), 1)


def is_c(path):
    return path.endswith((".c", ".h"))


def is_code(path):
    return path.startswith(tuple(d + "/" for d in CODE_DIRS)) and path.endswith((".c", ".h", ".py", ".sh"))


# Each rule: (path, text) -> violations as (line, what).

def rule_layering(path, text):
    match = re.match(r"(?:src/)?([^/]+)/", path) if path.startswith(("src/", "plugin/")) else None
    if not match or not is_c(path):
        return
    own = match.group(1)
    if own not in MAY_INCLUDE:
        yield 1, "directory src/%s is in no rule; add it to MAY_INCLUDE and HACKING" % own
        return
    for number, line in numbered(text):
        found = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if not found or found.group(1) == "config.h":
            continue
        other = found.group(1).split("/")[0]
        if "/" not in found.group(1):
            yield number, "\"%s\": include it by its directory" % found.group(1)
        elif other != own and other not in MAY_INCLUDE[own]:
            yield number, "%s must not include %s" % (own, found.group(1))


def rule_libraries(path, text):
    if not is_c(path):
        return
    for number, line in numbered(text):
        found = re.match(r"\s*#\s*include\s*<([^>]+)>", line)
        for header, owner in OWNED_HEADERS:
            if found and re.match(header, found.group(1)) and not re.match(owner, path):
                yield number, "<%s> is not to be included here" % found.group(1)


def rule_calls(path, text):
    if not is_c(path):
        return
    for number, line in numbered(strip(text)):
        for names, allowed, instead in BANNED_CALLS:
            found = re.search(r"(?<![\w.>])(%s)\s*\(" % names, line)
            if found and not (allowed and re.match(allowed, path)):
                yield number, "%s(): %s" % (found.group(1), instead)
        if re.search(r"\bgoto\b", line):
            yield number, "goto"


def rule_headers(path, text):
    if path.startswith("src/") and path.endswith(".h") and "\n#pragma once\n" not in text:
        yield 1, "no #pragma once"


def rule_license(path, text):
    if is_code(path) and "SPDX-License-Identifier: LGPL-2.1-or-later" not in "\n".join(text.split("\n")[:3]):
        yield 1, "no SPDX line"


def rule_test_seams(path, text):
    if path.startswith("src/") and is_c(path) and path not in ("src/base/testenv.c", "src/base/testenv.h"):
        for number, line in numbered(text):
            if "getenv" in line and "LAMINA_TEST_" in line:
                yield number, "only base/testenv reads LAMINA_TEST_*"


def rule_layout(path, text):
    for number, line in numbered(text):
        if line != line.rstrip():
            yield number, "blank at the end of the line"
        if is_c(path) and "\t" in line:
            yield number, "tab"
        if is_code(path) and len(line) > MAX_LINE:
            yield number, "%d columns, at most %d" % (len(line), MAX_LINE)
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield text.count("\n"), "the file does not end with one newline"


def functions(text):
    """(name, first line, lines) of each function in a C text of this style."""
    lines = strip(text).split("\n")
    start = None
    for index, line in enumerate(lines):
        if line == "{":
            start = index
        elif line.startswith("}") and start is not None:
            if line == "}":
                before = " ".join(lines[max(0, start - 6):start])
                names = re.findall(r"(\w+) \(", before)
                yield (names[-1] if names else "?"), start + 1, index - start + 1
            start = None


def rule_length(path, text):
    most = MAX_FILE_LINES
    if is_code(path) and text.count("\n") > most and path not in LONG_ALLOWED:
        yield 1, "%d lines, at most %d" % (text.count("\n"), most)
    if is_c(path):
        for name, line, count in functions(text):
            if count > MAX_FUNCTION_LINES and "%s:%s" % (path, name) not in LONG_ALLOWED:
                yield line, "%s() has %d lines, at most %d" % (name, count, MAX_FUNCTION_LINES)


def rule_unfinished(path, text):
    for number, line in numbered(text):
        found = re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line)
        if found and path != "tests/unit/test-lint.py":
            yield number, found.group(1)


def rule_machine_paths(path, text):
    for number, line in numbered(text):
        found = MACHINE_PATH.search(line)
        if found:
            yield number, "a path of a machine: %s" % line[found.start():found.start() + 30]


def unused_functions(texts, allowed):
    """Violations in the whole tree: functions that a header in src/ declares and that are
    named in no .c file of src/ or plugin/ except the one that defines them. A name that occurs more
    than once in headers is used by a macro. Also exceptions that are not needed."""
    sources = {path: strip(text) for path, text in texts if path.startswith(("src/", "plugin/")) and is_c(path)}
    declared, mentions, users = {}, {}, {}
    for path, text in sources.items():
        defined = set(re.findall(r"^(lm_\w+) \(", text, re.M))
        for number, line in numbered(text):
            for name in re.findall(r"\blm_\w+", line):
                if path.endswith(".h"):
                    mentions[name] = mentions.get(name, 0) + 1
                    if re.search(r"\b%s \(" % name, line):
                        declared.setdefault(name, (path, number))
                elif name not in defined:
                    users.setdefault(name, path)
    for name, (path, number) in declared.items():
        if mentions[name] == 1 and name not in users and name not in allowed:
            yield path, number, "%s() has no caller in another file: make it static, or remove it" % name
    for name in allowed:
        if name not in declared or name in users:
            yield "tests/unit/test-lint.py", 1, "%s() needs no exception" % name


def circles(texts):
    """Violations in the whole tree: .c files of src/ that call each other in a circle."""
    sources = {path: strip(text) for path, text in texts if path.startswith("src/") and path.endswith(".c")}
    owners = {}
    for path, text in sources.items():
        for name in re.findall(r"^(lm_\w+) \(", text, re.M):
            owners.setdefault(name, path)
    calls = {path: {owners[name] for name in re.findall(r"\blm_\w+", text) if name in owners} - {path}
             for path, text in sources.items()}

    def reachable(start):
        found, todo = set(), list(calls[start])
        while todo:
            path = todo.pop()
            if path not in found:
                found.add(path)
                todo.extend(calls[path])
        return found
    for path in sources:
        if path in reachable(path):
            back = sorted(other for other in calls[path] if path in reachable(other))
            yield path, 1, "calls %s, and is called from there: a circle" % ", ".join(back)


CIRCLE_CASES = [
    ([("src/a/x.c", "void\nlm_x (void)\n{\n  lm_y ();\n}\n"), ("src/a/y.c", "void\nlm_y (void)\n{\n  lm_x ();\n}\n")], 2),
    ([("src/a/x.c", "void\nlm_x (void)\n{\n  lm_y ();\n}\n"), ("src/a/y.c", "void\nlm_y (void)\n{\n  lm_z ();\n}\n"),
      ("src/a/z.c", "void\nlm_z (void)\n{\n  lm_x ();\n}\n")], 3),
    ([("src/a/x.c", "void\nlm_x (void)\n{\n  lm_x ();\n  lm_y ();\n}\n"),
      ("src/a/y.c", "void\nlm_y (void)\n{\n  /* lm_x () */\n}\n")], 0),
]


def module_shares(texts, most):
    """Violations in the whole tree: modules with more than @most of all lines of src/."""
    lines = {}
    for path, text in texts:
        if path.startswith("src/") and is_c(path):
            module = path.split("/")[1]
            lines[module] = lines.get(module, 0) + text.count("\n")
    for module, count in sorted(lines.items()):
        if count > most * sum(lines.values()):
            yield "src/" + module, 1, "%d of %d lines: split it" % (count, sum(lines.values()))


SHARE_CASES = [
    ([("src/a/x.c", "x\n" * 19), ("src/b/x.c", "x\n" * 81)], 0.2, 1),
    ([("src/a/x.c", "x\n" * 50), ("src/b/x.c", "x\n" * 50)], 0.5, 0),
]

# Examples: (texts, allowed) and the number of violations.
UNUSED_CASES = [
    ([("src/base/x.h", "void lm_x_do (int a);\n"), ("src/base/x.c", "void\nlm_x_do (int a)\n{\n  lm_x_do (1);\n}\n"),
      ("tests/x.c", "lm_x_do (1);\n"), ("src/io/y.c", "/* lm_x_do (1) */\n")], {}, 1),
    ([("src/base/x.h", "void lm_x_do (int a);\n"), ("src/io/y.c", "f (lm_x_do);\n")], {}, 0),
    ([("src/base/x.h", "void lm_x_do (int a);\n#define X lm_x_do (1)\n")], {}, 0),
    ([("src/base/x.h", "void lm_x_do (int a);\n")], {"lm_x_do": "why"}, 0),
    ([("src/base/x.h", "void lm_x_do (int a);\n"), ("src/io/y.c", "  lm_x_do (1);\n")], {"lm_x_do": "why"}, 1),
]


def undistributed(texts):
    """Files that no list of automake contains, so that they would be missing in the tarball."""
    lists = "".join(text for path, text in texts if path.endswith(".am") or path == "configure.ac")
    for path, _text in texts:
        name = os.path.basename(path)
        if name.startswith(".") or path in ("Makefile.am", "configure.ac") or path.startswith("tests/data/"):
            continue
        if name not in lists and (not name.endswith((".c", ".pod")) or os.path.splitext(name)[0] not in lists):
            yield path, 1, "it is not in the tarball; add it to a local.am"


# Files, number of violations
DIST_CASES = [
    ([("tests/local.am", "TESTS += %D%/test-a %D%/test-b.sh\n"), ("Makefile.am", "include tests/local.am\n"),
      ("tests/test-a.c", ""), ("tests/test-b.sh", ""), ("tests/.keep", "")], 0),
    ([("tests/local.am", "TESTS += %D%/test-a.sh\n"), ("Makefile.am", "include tests/local.am\n"),
      ("tests/test-a-late.sh", ""), ("tests/test-b.sh", "")], 2),
]

# The rules, each with violations that it must find.
RULES = [
    ("layering", rule_layering, [
        ("src/base/x.c", '#include "io/run.h"\n'), ("src/image/x.c", '#include "machine/chain.h"\n'),
        ("src/plan/x.h", '#include "io/xml.h"\n'), ("src/new/x.c", "\n"), ("src/io/x.c", '#include "run.h"\n')]),
    ("libraries", rule_libraries, [
        ("src/store/x.c", "#include <curl/curl.h>\n"), ("src/ops/x.c", "#  include <libvirt/libvirt.h>\n")]),
    ("calls", rule_calls, [
        ("src/image/x.c", 'a ();\n  g_spawn_sync (NULL);\n'), ("src/cli/x.c", "x = system(y);\n"),
        ("src/cli/x.c", "execvp (y);\n"), ("src/base/x.c", "sprintf (a);\n"), ("src/ops/x.c", "goto out;\n"),
        ("src/cache/x.c", "g_checksum_new (G);\n"), ("src/cache/x.c", "g_file_set_contents (p);\n"),
        ("src/source/x.c", "g_mapped_file_new (p);\n"), ("src/ops/x.c", 'g_printerr ("x");\n'), ("src/io/x.c", 'a = g_getenv ("X");\n')]),
    ("headers", rule_headers, [("src/base/x.h", "/* x */\n")]),
    ("license", rule_license, [("src/base/x.c", "#include <x>\n"), ("tests/x.sh", "#!/bin/sh\n\n\n\n")]),
    ("test-seams", rule_test_seams, [("src/ops/x.c", 'g_getenv ("LAMINA_TEST_X");\n')]),
    ("layout", rule_layout, [
        ("src/base/x.c", "x; \n"), ("src/base/x.c", "\tx;\n"), ("tests/x.py", "x" * 161 + "\n"), ("NEWS", "x"),
        ("NEWS", "x\n\n")]),
    ("length", rule_length, [
        ("src/base/x.c", "x\n" * 601), ("tests/x.py", "x\n" * 601),
        ("src/base/x.c", "void\nf (int a)\n{\n" + "  x;\n" * 60 + "}\n")]),
    ("unfinished", rule_unfinished, [("HACKING", "TO" "DO: more\n")]),
    ("machine-paths", rule_machine_paths, [
        ("README", "see " + "/".join(["", "home", "me", "x"]) + "\n"), ("x.sh", "cd " + "/".join(["", "tmp", "b"]) + "\n")]),
]
# Texts in which no rule may find a violation.
SOUND = [
    ("src/base/x.c", '/* SPDX-License-Identifier: LGPL-2.1-or-later */\n#include "config.h"\n#include "base/error.h"\n'
                     '/* system (x) */\nconst char *s = "popen (x) goto";\nx->system (y);\nmy_system (z);\n'),
    ("src/base/x.h", "/* SPDX-License-Identifier: LGPL-2.1-or-later */\n#pragma once\n"),
    ("src/io/run.c", "/* SPDX-License-Identifier: LGPL-2.1-or-later */\npid = vfork ();\n"),
    ("README", 'dir=$(mktemp -d "${TMPDIR:-/tmp}/x.XXXX")\n'),
]


def list_files(top):
    """Returns the paths below @top: files that git tracks or would track; in a tarball, files that are not built."""
    if os.path.exists(os.path.join(top, ".git")):
        # "safe.directory", because the tree may belong to another user.
        git = subprocess.run(["git", "-c", "safe.directory=*", "-C", top, "ls-files", "-z", "--cached", "--others",
                              "--exclude-standard"], stdout=subprocess.PIPE, check=False)
        if git.returncode == 0:
            return [name for name in git.stdout.decode().split("\0") if name]
    found = []
    for base in CODE_DIRS + ("man", "xml-templates", "README", "HACKING", "NEWS", "quickstart", "run-tests",
                             "configure.ac", "Makefile.am"):
        path = os.path.join(top, base)
        if os.path.isfile(path):
            found.append(base)
        for directory, dirs, files in os.walk(path):
            dirs[:] = [name for name in dirs if name not in SKIPPED_DIRS]
            found += [os.path.relpath(os.path.join(directory, name), top) for name in files]
    return found


def read_texts(top):
    texts = []
    for path in sorted(list_files(top)):
        full = os.path.join(top, path)
        if path.endswith(SKIPPED_SUFFIXES) or "/corpus/" in path or os.path.islink(full) or not os.path.isfile(full):
            continue
        with open(full, "rb") as file:
            data = file.read()
        if b"\0" not in data and path != "COPYING":
            texts.append((path, data.decode("utf-8", "replace")))
    return texts


def main():
    top = os.path.join(os.environ["G_TEST_SRCDIR"], "..") if "G_TEST_SRCDIR" in os.environ \
        else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    texts = read_texts(top)
    results = []
    for name, rule, violations in RULES:
        missed = [path + ": " + text[:60] for path, text in violations if not list(rule(path, text))]
        false = ["%s:%d: %s" % (path, line, what) for path, text in SOUND for line, what in rule(path, text)]
        results.append(("the rule %s works" % name, missed + false))
        results.append((name, ["%s:%d: %s" % (path, line, what) for path, text in texts
                               for line, what in rule(path, text)]))
    results.append(("the rule unused works", ["case %d" % number for number, (case, allowed, count) in enumerate(UNUSED_CASES)
                                              if len(list(unused_functions(case, allowed))) != count]))
    results.append(("unused", ["%s:%d: %s" % violation for violation in unused_functions(texts, UNUSED_ALLOWED)]))
    results.append(("the rule circles works", ["case %d" % number for number, (case, count) in enumerate(CIRCLE_CASES)
                                               if len(list(circles(case))) != count]))
    results.append(("circles", ["%s:%d: %s" % violation for violation in circles(texts)]))
    results.append(("the rule shares works", ["case %d" % number for number, (case, most, count) in enumerate(SHARE_CASES)
                                              if len(list(module_shares(case, most))) != count]))
    results.append(("shares", ["%s:%d: %s" % violation for violation in module_shares(texts, MAX_MODULE_SHARE)]))
    results.append(("the rule undistributed works", ["case %d" % number for number, (case, count) in enumerate(DIST_CASES)
                                                     if len(list(undistributed(case))) != count]))
    results.append(("undistributed", ["%s:%d: %s" % violation for violation in undistributed(texts)]))
    results.append(("there is something to check", [] if len(texts) > 50 else ["%d files in %s" % (len(texts), top)]))
    print("1..%d" % len(results))
    for number, (name, violations) in enumerate(results, 1):
        for violation in violations:
            print("# " + violation)
        print("%s %d - %s" % ("not ok" if violations else "ok", number, name))
    return 1 if any(violations for _name, violations in results) else 0


if __name__ == "__main__":
    sys.exit(main())
