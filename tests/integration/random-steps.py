#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random steps of lamina and of libvirt's users on one host; run by test-random-steps.sh.

    random-steps.py make DIRECTORY
    random-steps.py SEED STEPS STATE-DIR HOOK WORK-DIR

The first form makes layers and their catalog, the second takes the steps. After each: the
cached files have the contents that their names say and belong to root, no layer that something
needs is gone, no machine has lost its disk unless the step was to remove it, the hook would
let each domain start, and if the cache was to become smaller, it did, or the message says who
needs the rest. Prints TAP, and the last steps before a failure."""
import collections
import os
import random
import re
import subprocess
import sys
import threading
import time
import uuid as uuids

import libvirt

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from randomworld import DOMAIN, METADATA, NAMES, SELECTIONS, Failed, World, check, list_dir, make_catalog

KIB = 1024
LIMITS = (0, 256 * KIB, 1024 * KIB, 2048 * KIB, 4096 * KIB, 1 << 40)
# Also a refusal because a domain that is no machine, or a machine of other layers, has the name.
MADE = (0, 1, 7, 9)
POINTS = {"define": ("launch-before-define", "launch-after-define", "launch-before-commit", "record-before-write", "record-after-write",
                     "overlay-before-publish", "file-write", "file-before-rename", "part-after-write", "part-before-sync",
                     "part-after-publish", "part-reserve", "publish-before-rename", "publish-after-rename", "flag-before-note",
                     "database-before-commit"),
          "replace": ("replace-before-undefine", "replace-after-undefine", "replace-before-remove", "launch-before-define",
                      "launch-after-define", "erase-before-record", "remove-before-undefine", "remove-after-undefine"),
          "rm": ("remove-before-undefine", "remove-after-undefine", "erase-before-record", "record-before-write"),
          "gc": ("collect-before-remove", "collect-after-remove", "collect-before-orphan", "cache-after-unlink", "flag-after-lift"),
          "hook": ("adopt-before-overlay", "adopt-before-record", "overlay-before-publish", "part-after-write", "publish-after-rename")}


def domain_in(world, active):
    found = sorted((domain for domain, _, is_active in world.domains().values() if is_active == active), key=lambda d: d.name())
    return world.rng.choice(found) if found else None


def free_name(world):
    free = sorted(set(NAMES) - {domain.name() for domain, _, _ in world.domains().values()})
    return world.rng.choice(free) if free else None


# ---- the steps: each returns False if there is nothing that it could be done with

def step_define(world):
    name = world.rng.choice(NAMES)
    world.run("define", name, *world.rng.choice(SELECTIONS), statuses=MADE if world.named(name) else (0,))


def step_launch(world):
    name = world.rng.choice(NAMES)
    there = world.named(name)
    status, _, _ = world.run("launch", name, *world.rng.choice(SELECTIONS), statuses=MADE if there else (0,))
    domain = world.virt.lookupByName(name) if status == 0 else None
    check(domain is None or domain.isActive(), f"launch did not start {name}")
    if domain is not None and domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING:
        domain.suspend()  # it has nothing to do


def step_replace(world):
    name = world.rng.choice(NAMES)
    world.removable = world.named(name)
    world.run("define", name, *world.rng.choice(SELECTIONS), "--replace", statuses=MADE if world.removable else (0,))


def step_hand(world):
    """Somebody writes a domain that only names its layers."""
    name = free_name(world)
    if name is None:
        return False
    uuid = str(uuids.UUID(int=world.rng.getrandbits(128), version=4))
    select = "".join(f"<lamina:select>{word}</lamina:select>" for word in world.rng.choice(SELECTIONS))
    xml = DOMAIN.format(name=name, uuid=uuid, metadata=METADATA.format(select), disk=world.overlay(uuid))
    return world.call(f"virsh define of {name} with {select}", world.virt.defineXML, xml)


def step_foreign(world):
    """Somebody makes a domain on top of a layer without lamina; only libvirt knows that it needs the layer."""
    name = free_name(world)
    tops = sorted(digest for digest in world.layers() if world.with_parents({digest}) <= world.layers())
    if name is None or not tops or len(world.foreign) >= 3:
        return False
    uuid = str(uuids.UUID(int=world.rng.getrandbits(128), version=4))
    path = os.path.join(world.work, f"foreign-{uuid}.qcow2")
    layer = os.path.join(world.state, "layers", f"sha256-{world.rng.choice(tops)}.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", layer, path], check=True)
    world.foreign.add(uuid)
    xml = DOMAIN.format(name=name, uuid=uuid, metadata="", disk=path)
    return world.call(f"virsh define of {name} on {layer}", world.virt.defineXML, xml)


def step_start(world):
    domain = world.rng.choice(world.startable() or [None])
    return domain is not None and world.start(domain)


def step_destroy(world):
    domain = domain_in(world, True)
    return domain is not None and world.call(f"virsh destroy {domain.name()}", domain.destroy)


def step_save(world):
    domain = domain_in(world, True)
    return domain is not None and world.call(f"virsh managedsave {domain.name()}", domain.managedSave, 0)


def step_snapshot(world):
    domain = domain_in(world, world.rng.random() < 0.5)
    if domain is None or domain.hasManagedSaveImage() or len(world.snapshots) > 20:
        return False
    uuid = domain.UUIDString()
    if not (uuid in world.foreign or os.path.exists(world.overlay(uuid))) or world.missing(uuid):
        return False
    path = os.path.join(world.work, f"snapshot-{world.rng.getrandbits(32):x}.qcow2")
    xml = f"<domainsnapshot><disks><disk name='vda' snapshot='external'><source file='{path}'/></disk></disks></domainsnapshot>"
    flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA
    world.call(f"virsh snapshot-create {domain.name()} {path}", domain.snapshotCreateXML, xml, flags)
    world.snapshots[path] = uuid
    return True


def step_undefine(world):
    domain = domain_in(world, False)
    flags = libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
    if domain is None:
        return False
    world.foreign.discard(domain.UUIDString())
    return world.call(f"virsh undefine {domain.name()}", domain.undefineFlags, flags)


def step_rename(world):
    domain, new = domain_in(world, False), free_name(world)
    if domain is None or new is None or domain.hasManagedSaveImage():
        return False
    return world.call(f"virsh domrename {domain.name()} {new}", domain.rename, new)


def step_rm(world):
    name = world.rng.choice(NAMES)
    world.removable = world.named(name)
    machines = world.removable & set(world.machines())
    several = len(machines & set(world.domains())) > 1
    status, _, err = world.run("rm", name, "--ignore-missing", statuses=(1,) if several else (0,))
    check(status == 0 or "two machines are called" in err, f"rm {name} refused: {err}")
    left = machines & set(world.machines())
    check(left == (machines if status else set()), f"rm {name} left {left}")


def step_pull(world):
    world.run("pull", *world.rng.choice(SELECTIONS))


def step_pin(world):
    if not world.layers():
        return False
    digest = world.rng.choice(sorted(world.layers()))
    world.run("cache", "pin", f"sha256:{digest}")
    world.pinned.add(digest)
    return True


def step_unpin(world):
    if not world.pinned:
        return False
    digest = world.rng.choice(sorted(world.pinned))
    world.run("cache", "unpin", f"sha256:{digest}")
    world.pinned.remove(digest)
    return True


def check_reason(world, err):
    """The message about a limit that cannot be reached names machines, domains and pins that are there."""
    found = re.search("needed by (.*)", err)
    check(found is not None, f"no reason is given: {err}")
    names = {record["name"] for record in world.machines().values()} | {domain.name() for domain, _, _ in world.domains().values()}
    for name in re.findall(r"(?:machine|domain) (\S+) \(", found[1]):
        check(name in names, f"there is no {name}: {err}")
    check("pinned" not in found[1] or world.pinned, f"nothing is pinned: {err}")
    check(re.search("machine|domain|pinned|disk", found[1]), f"this is no reason: {err}")


def step_gc(world, *options):
    limit = world.rng.choice(LIMITS)
    status, _, err = world.run("cache", "gc", f"--max-size={limit}B", *options, statuses=(0, 8))
    occupied, layers = world.occupied(), world.layers()
    if status == 0:
        check(occupied <= limit, f"gc succeeded with {occupied} bytes, more than {limit}")
    else:
        check(occupied > limit, f"gc failed although {occupied} bytes fit: {err}")
        after = world.examine()
        free = layers - world.with_parents(after["needed"] | {layer["digest"][7:] for record in after["machines"].values()
                                                              for layer in record["layers"]})
        check(not free, f"gc left layers that nothing needs: {free}")
        check_reason(world, err)
    for digest in world.before["layers"] - layers:
        child = world.before["children"].get(digest)
        check(child not in layers, f"gc removed {digest} and left {child}, which is built on it")
    names = {record["name"] for record in world.machines().values()} | {domain.name() for domain, _, _ in world.domains().values()}
    locks = {name[:-5] for name in list_dir(world.state, "machines") if name.endswith(".lock")} - names
    check(not locks, f"gc left the locks of {locks}")


def step_gc_orphans(world):
    orphans = set(world.machines()) - set(world.domains())
    world.removable = orphans
    step_gc(world, "--orphans")
    left = orphans & {uuid for uuid, record in world.machines().items() if record["state"] == "complete"}
    check(not left, f"gc left machines without a domain: {left}")


def step_tight(world):
    """A pull has to make room."""
    limit = world.rng.choice(LIMITS[2:5])
    config = os.path.join(world.work, "tight.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"[lamina]\nmax-size = {limit}B\n")
    name = world.rng.choice(NAMES)
    words = world.rng.choice((["pull"], ["define", name]))
    statuses = (0, 8) if words[0] == "pull" or not world.named(name) else (*MADE, 8)
    status, _, err = world.run(*words, *world.rng.choice(SELECTIONS), "--config", config, statuses=statuses, LIMIT=str(limit))
    if status == 8:
        check("max-size is" in err, f"the limit is not given: {err}")
        if world.machines() or world.pinned:
            check("needed by" in err, f"no reason is given: {err}")
    elif status == 0 and world.layers() - world.before["layers"]:
        check(world.occupied() <= limit, f"{world.occupied()} bytes are in the cache, more than {limit}")


def step_evict(world):
    """Somebody deletes a layer that no running domain uses."""
    busy = set()
    for uuid, (domain, xml, active) in world.domains().items():
        if active or domain.hasManagedSaveImage():
            busy |= world.with_parents(world.needed({}, {uuid: (domain, xml, active)}))
    free = sorted(world.layers() - busy)
    if not free:
        return False
    digest = world.rng.choice(free)
    path = os.path.join(world.state, "layers", f"sha256-{digest}.qcow2")
    world.log.append(f"rm {path}")
    # Those below a layer that is not there are not known from its header.
    world.excused |= world.with_parents({digest}) & {digest}
    subprocess.run(["chattr", "-i", path], check=False, stderr=subprocess.DEVNULL)
    os.unlink(path)
    return True


def step_forget(world):
    """Somebody deletes the database: pins are lost, nothing else."""
    for name in list_dir(world.state):
        if name.startswith("lamina.db"):
            os.unlink(os.path.join(world.state, name))
    world.log.append("rm lamina.db*")
    world.pinned.clear()


def step_air_gap(world):
    """A chain is written to an archive, or comes back from it."""
    path = os.path.join(world.work, "chain.lamina")
    if os.path.exists(path):
        world.run("cache", "import", path)
        os.unlink(path)
    else:
        world.run("cache", "export", path, *world.rng.choice(SELECTIONS))


def some_command(world, name):
    """A command about the machine @name, and the kind of its fault points."""
    selection = world.rng.choice(SELECTIONS)
    kind = world.rng.choice(("define", "define", "replace", "rm", "gc"))
    if kind in ("replace", "rm"):
        world.removable = world.removable | world.named(name)
    words = {"define": ["define", name, *selection], "replace": ["define", name, *selection, "--replace"],
             "rm": ["rm", name, "--ignore-missing"], "gc": ["cache", "gc", f"--max-size={world.rng.choice(LIMITS)}B"]}[kind]
    if kind == "gc" and world.rng.random() < 0.5:
        words.append("--orphans")
        world.removable = world.removable | (set(world.machines()) - set(world.domains()))
    return words, kind


def step_kill(world):
    """A process is killed at a certain place."""
    words, kind = some_command(world, world.rng.choice(NAMES))
    world.run(*words, statuses=(*MADE, 8, -9), LAMINA_TEST_FAULT=f"{world.rng.choice(POINTS[kind])}=kill")


def step_kill_hook(world):
    """The hook, which would pull or create, is killed."""
    domain = world.rng.choice(world.startable() or [None])
    if domain is None:
        return False
    process = world.begin([domain.name(), "prepare", "begin", "-"], program=world.hook, stdin=subprocess.PIPE,
                          LAMINA_TEST_FAULT=f"{world.rng.choice(POINTS['hook'])}=kill")
    world.finish(process, (0, -9), domain.XMLDesc())
    return True


def step_kill_any(world):
    """A process is killed at any moment."""
    words, _ = some_command(world, world.rng.choice(NAMES))
    process = world.begin(words)
    time.sleep(world.rng.uniform(0, 0.12))
    process.kill()
    world.finish(process, (*MADE, 8, -9))


def start_aside(world, domain, failures):
    try:
        world.start(domain)
    except Failed as failure:
        failures.append(failure)


def step_together(world):
    """Three processes work at once, one of which may be killed, while virsh starts a domain."""
    names = world.rng.sample(NAMES, 3)
    # A machine whose domain was renamed may also be called by its old name.
    busy = set().union(*(world.named(name) for name in names))
    others = [domain for domain in world.startable() if domain.name() not in names and domain.UUIDString() not in busy]
    commands = [some_command(world, names[0])[0], some_command(world, names[1])[0],
                world.rng.choice((["cache", "gc", "--max-size=0"], ["pull", *world.rng.choice(SELECTIONS)]))]
    failures = []
    thread = None
    if others and world.rng.random() < 0.4:
        thread = threading.Thread(target=start_aside, args=(world, world.rng.choice(others), failures))
        thread.start()
    processes = [world.begin(words) for words in commands]
    victim = world.rng.choice(processes) if world.rng.random() < 0.4 else None
    if victim is not None:
        time.sleep(world.rng.uniform(0, 0.08))
        victim.kill()
    try:
        for process in processes:
            world.finish(process, (*MADE, 4, 8, -9) if process is victim else (*MADE, 4, 8))
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.communicate()
        if thread is not None:
            thread.join()
    for failure in failures:
        raise failure


STEPS = {step_define: 12, step_launch: 2, step_replace: 4, step_hand: 5, step_foreign: 3, step_start: 4, step_destroy: 5, step_save: 1.5, step_snapshot: 3,
         step_undefine: 6, step_rename: 5, step_rm: 7, step_pull: 4, step_pin: 4, step_unpin: 4, step_gc: 8, step_gc_orphans: 3,
         step_tight: 5, step_evict: 4, step_forget: 2, step_air_gap: 2, step_kill: 8, step_kill_hook: 3, step_kill_any: 3, step_together: 5}


def finish_all(world):
    """Everything that is there starts, and can be removed; then the cache can be emptied."""
    for domain in world.startable():
        world.start(domain)
    for domain in [domain for uuid, (domain, _, _) in world.domains().items() if uuid in world.foreign]:
        if domain.isActive():
            domain.destroy()
        domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)
    # A name may stand for a renamed domain first, and then for what was killed while it was removed; or for two machines
    # with domains, one of which has another name then.
    for name, statuses in [*((name, (0, 1)) for name in NAMES), *((name, (0,)) for name in NAMES)]:
        world.run("rm", name, "--ignore-missing", statuses=statuses)
    world.run("cache", "gc", "--orphans", "--max-size=1TiB")
    for digest in world.pinned:
        world.run("cache", "unpin", f"sha256:{digest}")
    world.pinned.clear()
    world.run("cache", "gc", "--max-size=0")
    left = [name for directory in ("layers", "blobs", "partial", "machines", "verified") for name in list_dir(world.state, directory)
            if not name.endswith("lock")]
    check(not left and not world.domains(), f"something is left in the end: {left}")


def take_steps(world, steps, done, took):
    world.before = world.examine()
    while sum(done.values()) < steps:
        step = world.rng.choices(list(STEPS), STEPS.values())[0]
        world.removable = set()
        world.log.append(f"-- {sum(done.values()) + 1}: {step.__name__[5:]}")
        began = time.monotonic()
        if step(world) is False:
            world.log.pop()
            continue
        world.before = world.verify()
        took[step] += time.monotonic() - began
        done[step] += 1
    finish_all(world)


def main():
    if sys.argv[1] == "make":
        make_catalog(sys.argv[2])
        return 0
    seed, steps, state, hook, work = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]
    world = World(state, os.environ["LAMINA"], hook, work, random.Random(seed))
    libvirt.registerErrorHandler(lambda *_: None, None)
    done, took, failure = collections.Counter(), collections.Counter(), None
    try:
        take_steps(world, steps, done, took)
    except (Failed, libvirt.libvirtError, subprocess.TimeoutExpired) as error:
        failure = error
    for step in STEPS:
        print(f"# {done[step]} times {step.__name__[5:]}: {took[step]:.1f} s")
    if failure is not None:
        for line in [*world.log, *str(failure).splitlines(), *world.describe()]:
            print(f"# {line}")
    print(f"{'ok' if failure is None else 'not ok'} 1 - {sum(done.values())} random steps with the seed {seed}")
    missing = [step.__name__[5:] for step in STEPS if steps >= 1000 and not done[step]]
    print(f"{'not ok' if missing or not world.kills else 'ok'} 2 - each kind of step was taken {missing}, {world.kills} processes were killed")
    print("1..2")
    return failure is not None


sys.exit(main())
