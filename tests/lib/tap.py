# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the Python tests of the command line share: TAP, and the program with a state
directory of its own."""
import os
import sys

lamina = os.environ["LAMINA"]
work = os.environ["TMPDIR"]
state = os.path.join(work, "state")
_count = _failed = 0


def ok(condition, name, detail=""):
    """One result; @detail is shown if it is bad."""
    global _count, _failed
    _count += 1
    if not condition:
        _failed += 1
        for line in str(detail).splitlines():
            print(f"# {line}")
    print(f"{'ok' if condition else 'not ok'} {_count} {name}", flush=True)


def done_testing():
    """Prints the plan and ends the program."""
    print(f"1..{_count}")
    sys.exit(_failed != 0)
