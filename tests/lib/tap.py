# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shared by the Python tests of the command line: TAP, the path of the program, and a
state directory for it."""
import os
import sys

lamina = os.environ["LAMINA"]
work = os.environ["TMPDIR"]
state = os.path.join(work, "state")
_count = _failed = 0


def ok(condition, name, detail=""):
    """Prints one result, and @detail if the test failed."""
    global _count, _failed
    _count += 1
    if not condition:
        _failed += 1
        for line in str(detail).splitlines():
            print(f"# {line}")
    print(f"{'ok' if condition else 'not ok'} {_count} {name}", flush=True)


def skip(name, reason):
    """Reports a check that means nothing here."""
    global _count
    _count += 1
    print(f"ok {_count} {name} # SKIP {reason}", flush=True)


def done_testing():
    """Prints the plan and ends the program."""
    print(f"1..{_count}")
    sys.exit(_failed != 0)
