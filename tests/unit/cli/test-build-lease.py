#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Layers that a launch or pull has just built, and that the cache is cleared of before it uses them. No guest is started."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from chainworld import Stopped  # noqa: E402
from stubworld import host, package, recipe  # noqa: E402
from tap import done_testing, ok  # noqa: E402

TEST = ("-c", "test:///default")
package("app", "1")
package("more", "2")
recipe("app", "debian", "app")
recipe("more", "app", "more")


def layers():
    return sorted(layer["name"] for layer in host.json("cache", "list")["files"] if layer["kind"] == "layer")


def clear(*words):
    return host.run("cache", "clear", *words, *TEST)


stopped = Stopped(host, "prepare-after-build", "pull", "--build", "more")
ok(stopped.has_stopped() and layers() == ["app", "debian", "more"], "two layers are built", layers())
done = clear()
ok(layers() == ["app", "debian", "more"], "cache clear keeps what was made here", done)
done = clear("--only-copies")
ok(layers() == ["app", "debian", "more"] and b"needed by a lamina process at work" in done[1], "also the only copies, while they are needed", done)
done = stopped.go_on()
ok(done[0] == 0 and layers() == ["app", "debian", "more"], "the pull has what it built", done)
clear("--only-copies")
ok(layers() == [], "afterwards they can be removed", layers())

# Removed between the end of a build and the lease
stopped = Stopped(host, "chain-before-lease", "pull", "--build", "app")
done = clear("--only-copies")
ok(stopped.has_stopped() and layers() == [], "what was built is removed", done)
done = stopped.go_on()
ok(done[0] == 0 and layers() == ["app", "debian"] and done[2].count("building app by") == 2, "it is built again", done)
ok(done[1].count("built app@1") == 1, "and told of once", done)
clear("--only-copies")

stopped = Stopped(host, "prepare-after-build", "define", "--build", *TEST, "web", "app")
clear("--only-copies")
done = stopped.go_on()
ok(done[0] == 0 and layers() == ["app", "debian"], "a machine is defined on it", done)
done_testing()
