#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parser and catalog.schema.json must agree on which files are valid: the catalogs
in tests/data/catalog, and copies of a full one in which each value in turn has each
wrong type, or is missing."""
import copy
import glob
import json
import os
import subprocess
import sys
import tempfile

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"1..0 # SKIP {missing.name} for Python is not installed")
    sys.exit(0)

SOURCE = os.environ["G_TEST_SRCDIR"]
VERDICT = os.path.join(os.environ["G_TEST_BUILDDIR"], "unit", "catalog", "catalog-verdict")
WRONG = [None, True, 7, -1, 2.5, "", "UPPER case", "x", [], [[]], ["x"], {}, {"x": 1}]
MISSING = object()


def parser_verdicts(paths):
    lines = []
    for i in range(0, len(paths), 500):
        out = subprocess.run([VERDICT, *paths[i:i + 500]], stdout=subprocess.PIPE, check=True, text=True).stdout
        lines += out.splitlines()
    assert len(lines) == len(paths), "one verdict for each file"
    return lines


def places(value, path=()):
    """Yields the paths of all values in a document, including the document itself."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], path + (key,))
    elif isinstance(value, list):
        for i in range(len(value)):
            yield from places(value[i], path + (i,))


def changed(document, path, value):
    document = copy.deepcopy(document)
    if not path:
        return value
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    if value is MISSING:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return document


def only_the_whole_shows(message):
    """Whether the error is about the catalog as a whole, which the schema cannot check."""
    return "which is not listed in" in message or "with the same digest" in message \
        or "is given twice" in message or "the same version" in message


def check_files(schema):
    paths = sorted(glob.glob(os.path.join(SOURCE, "data", "catalog", "*.*")))
    wrong = []
    for path, line in zip(paths, parser_verdicts(paths)):
        name = os.path.basename(path)
        kind = name.split("-")[0]
        with open(path, encoding="utf-8") as file:
            document = yaml.safe_load(file)
        if line.startswith("good") != (kind == "good"):
            wrong.append(f"the parser on {name}: {line}")
        if schema.is_valid(document) != (kind != "bad"):
            wrong.append(f"the schema on {name}: {'good' if kind == 'bad' else 'bad'}")
    return len(paths) > 30, wrong


def check_changes(schema, full, directory):
    cases = []
    for path in places(full):
        for value in WRONG + ([MISSING] if path else []):
            name = os.path.join(directory, f"{len(cases)}.json")
            document = changed(full, path, value)
            with open(name, "w", encoding="utf-8") as file:
                json.dump(document, file)
            cases.append((name, path, value, document))
    wrong = []
    for (name, path, value, document), line in zip(cases, parser_verdicts([c[0] for c in cases])):
        if line.startswith("good") != schema.is_valid(document) and not only_the_whole_shows(line):
            wrong.append(f"{'/'.join(map(str, path))} = {'missing' if value is MISSING else json.dumps(value)}: "
                         f"the parser says {line}; the schema says {'good' if schema.is_valid(document) else 'bad'}")
    return len(cases) > 500, wrong


def main():
    with open(os.path.join(SOURCE, "..", "src", "catalog", "catalog.schema.json"), encoding="utf-8") as file:
        text = json.load(file)
    jsonschema.Draft7Validator.check_schema(text)
    schema = jsonschema.Draft7Validator(text)
    with open(os.path.join(SOURCE, "data", "catalog", "good-full.yaml"), encoding="utf-8") as file:
        full = yaml.safe_load(file)
    print("1..2")
    with tempfile.TemporaryDirectory() as directory:
        results = [("files", *check_files(schema)), ("changes", *check_changes(schema, full, directory))]
    failed = False
    for number, (what, enough, wrong) in enumerate(results, 1):
        for line in wrong[:20]:
            print(f"# {line}")
        good = enough and not wrong
        failed |= not good
        print(f"{'ok' if good else 'not ok'} {number} /catalog-schema/{what}")
    return 1 if failed else 0


sys.exit(main())
