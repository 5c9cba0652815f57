# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host of random-steps.py: its catalog, what is on it, and what must be true of it.

Nothing here asks lamina: what is needed is read from libvirt, from the records and
from the headers of the disks."""
import collections
import hashlib
import json
import os
import re
import struct
import subprocess

import libvirt

NAMES = [f"m{i}" for i in range(6)]
# NAME: (parent, its group, KiB of data); a layer that has several parents has several builds.
LAYERS = {"a": (None, "os", 768), "b": (None, "os", 512), "c": ("ab", "app", 256), "e": ("a", "app", 512), "f": ("b", "app", 256),
          "g": ("c", "extra", 128), "d": ("g", "extra", 64), "h": ("e", "extra", 256)}
SELECTIONS = (["a"], ["a", "c"], ["os=a", "e"], ["a", "c", "g"], ["a", "c", "g", "d"], ["a", "e", "h"], ["b"], ["b", "f"], ["b", "app=c"])
METADATA = "<lamina:machine xmlns:lamina='urn:lamina:domain:1'>{}</lamina:machine>"
DOMAIN = """<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid><metadata>{metadata}</metadata>
<memory unit='MiB'>32</memory><os><type arch='x86_64'>hvm</type></os>
<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{disk}'/><target dev='vda' bus='virtio'/></disk></devices>
</domain>"""
LAYER_FILE = re.compile(r"sha256-([0-9a-f]{64})\.qcow2")


class Failed(Exception):
    """Something that must be true is not; the text says what."""


def check(condition, what):
    if not condition:
        raise Failed(what)


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def list_dir(*parts):
    try:
        return os.listdir(os.path.join(*parts))
    except (FileNotFoundError, NotADirectoryError):
        return []


def backing_name(path):
    """The name of the backing file in the header of a qcow2 file; None if it has none or is none."""
    try:
        with open(path, "rb") as file:
            magic, _, offset, size = struct.unpack(">4sIQI", file.read(20))
            file.seek(offset)
            return file.read(size).decode() if magic == b"QFI\xfb" and offset > 0 else None
    except (OSError, struct.error):
        return None


# ---- what the host pulls

def make_kernel(path, text):
    """What QEMU takes for a kernel that can have an initrd; nobody runs it."""
    data = bytearray(text.encode() * 64).ljust(16384, b"\0")
    data[0x1F1], data[0x202:0x208], data[0x22C:0x230] = 4, b"HdrS\x0c\x02", b"\xff\xff\xff\x7f"
    with open(path, "wb") as file:
        file.write(data)


def make_layer(directory, number, parent, kib):
    """Makes a layer; returns its digest."""
    path = os.path.join(directory, "new.qcow2")
    backing = ["-b", f"sha256-{parent}.qcow2", "-F", "qcow2"] if parent else ["-o", "size=16M"]
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, "new.qcow2"], check=True, cwd=directory)
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", f"write -P {number} {number * 512}k {kib}k", "new.qcow2"], check=True,
                   cwd=directory, stdout=subprocess.DEVNULL)
    digest = sha256(path)
    os.rename(path, os.path.join(directory, f"sha256-{digest}.qcow2"))
    return digest


def describe_file(directory, name, **more):
    path = os.path.join(directory, name)
    return {"digest": f"sha256:{sha256(path)}", "size": os.path.getsize(path), "urls": [name], **more}


def make_catalog(directory):
    """Makes the layers and their catalog; returns {(name, digest of the parent): digest}."""
    made, layers = {}, []
    make_kernel(os.path.join(directory, "kernel"), "kernel")
    make_kernel(os.path.join(directory, "initrd"), "initrd")
    for number, (name, (parents, group, kib)) in enumerate(LAYERS.items(), 1):
        above = [digest for (parent, _), digest in made.items() if parent in (parents or "")] or [None]
        builds = []
        for parent in above:
            digest = made[name, parent] = make_layer(directory, number, parent, kib)
            builds.append(describe_file(directory, f"sha256-{digest}.qcow2", **({"parent": f"sha256:{parent}"} if parent else {})))
        layer = {"name": name, "version": "1.0", "group": group, "builds": builds}
        if parents is None:
            layer.update(arch="x86_64", resources={"memory": "32MiB"})
        elif len(parents) == 1:
            layer["requires"] = [parents]
        if name == "a":
            layer["boot"] = {"kernel": describe_file(directory, "kernel"), "initrd": describe_file(directory, "initrd"), "cmdline": "x"}
        layers.append(layer)
    groups = [{"name": "os", "required": True}, {"name": "app"}, {"name": "extra", "multiple": True}]
    with open(os.path.join(directory, "catalog.yaml"), "w", encoding="utf-8") as file:
        json.dump({"lamina-catalog": 1, "name": "random", "groups": groups, "layers": layers}, file)
    return made


class World:
    """The host: its domains, the files below the state directory, and what the steps noted about them."""

    def __init__(self, state, lamina, hook, work, rng):
        self.state, self.lamina, self.hook, self.work, self.rng = state, lamina, hook, work, rng
        self.virt = libvirt.open("qemu:///system")
        self.known = {}          # path: identity of a file whose digest was verified
        self.prepared = {}       # UUID: what the domain was like when the hook last let it start
        self.pinned = set()
        self.excused = set()     # digests of layers that a step took away
        self.foreign = set()     # UUIDs of domains that lamina has nothing to do with
        self.snapshots = {}      # path of an external snapshot: UUID of its domain
        self.before = None       # examine() before the step
        self.removable = set()   # UUIDs of machines that the current step may remove
        self.log = collections.deque(maxlen=60)
        self.kills = 0

    # ---- what is there

    def files(self, directory):
        return {name: os.path.join(self.state, directory, name) for name in list_dir(self.state, directory) if "sha256-" in name}

    def layers(self):
        return {match[1] for match in map(LAYER_FILE.fullmatch, list_dir(self.state, "layers")) if match}

    def machines(self):
        """{UUID: record} of all machines with a record."""
        found = {}
        for uuid in list_dir(self.state, "machines"):
            try:
                with open(os.path.join(self.state, "machines", uuid, "record.json"), encoding="utf-8") as file:
                    found[uuid] = json.load(file)
            except (FileNotFoundError, NotADirectoryError):
                continue
        return found

    def domains(self):
        """{UUID: (domain, its XML, whether it is active)}; of an active domain also what the next start would use."""
        found = {}
        for domain in self.virt.listAllDomains():
            try:
                active = bool(domain.isActive())
                inactive = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE) if active else ""
                found[domain.UUIDString()] = (domain, domain.XMLDesc() + inactive, active)
            except libvirt.libvirtError:  # what a killed run began has just ended
                continue
        return found

    def overlay(self, uuid):
        return os.path.join(self.state, "machines", uuid, "overlay.qcow2")

    def disks(self):
        """{path: inode} of the disks of machines and of their snapshots."""
        paths = [self.overlay(uuid) for uuid in list_dir(self.state, "machines")]
        paths += self.snapshots
        return {path: os.stat(path).st_ino for path in paths if os.path.exists(path)}

    def needed(self, machines, domains):
        """Digests of the layers that machines, domains and their disks need; of a chain at least its top."""
        needed = set()
        for record in machines.values():
            if record["state"] == "complete":
                needed |= {layer["digest"].removeprefix("sha256:") for layer in record["layers"]}
        paths = set()
        for uuid, (_, xml, _) in domains.items():
            if uuid not in machines or machines[uuid]["state"] == "complete":
                needed |= set(LAYER_FILE.findall(xml))
                paths |= set(re.findall(r"<source file='([^']+)'", xml))
        while paths:
            name = backing_name(paths.pop())
            needed |= set(LAYER_FILE.findall(name or ""))
            if name is not None and not LAYER_FILE.search(name):
                paths.add(name)
        return needed

    def parent_of(self, digest):
        match = LAYER_FILE.fullmatch(backing_name(os.path.join(self.state, "layers", f"sha256-{digest}.qcow2")) or "")
        return match and match[1]

    def missing(self, uuid, domains=None):
        """The layers that the domain needs but are not there; those below one that is not there are not known."""
        domains = domains or self.domains()
        return self.with_parents(self.needed({}, {uuid: domains[uuid]})) - self.layers()

    def with_parents(self, digests):
        found = set()
        for digest in digests:
            while digest and digest not in found:
                found.add(digest)
                digest = self.parent_of(digest)
        return found

    def occupied(self):
        """Bytes that the files of the cache and the transfers occupy."""
        paths = [path for directory in ("layers", "blobs", "partial", "quarantine") for path in self.files(directory).values()]
        return sum(os.stat(path).st_blocks * 512 for path in paths if os.path.exists(path))

    def examine(self):
        machines, domains = self.machines(), self.domains()
        layers = self.layers()
        # What a killed run left may be removed by any later one.
        incomplete = {uuid for uuid, record in machines.items() if record["state"] != "complete"}
        return {"machines": machines, "domains": domains, "layers": layers, "incomplete": incomplete, "disks": self.disks(),
                "needed": self.needed(machines, domains) | self.pinned, "children": {self.parent_of(digest): digest for digest in layers}}

    def named(self, name):
        """The UUIDs of what this name means to lamina: a renamed domain, or the machines of that name; and any other domain."""
        machines = self.machines()
        domains = {uuid for uuid, (domain, _, _) in self.domains().items() if domain.name() == name}
        renamed = {uuid for uuid in domains if uuid in machines and machines[uuid]["name"] != name}
        records = {uuid for uuid, record in machines.items() if record["name"] == name}
        if domains - set(machines):
            records -= set(self.domains())
        return renamed or domains | records

    def startable(self, now=None):
        """The domains that are shut off and must start: not those that a killed run left, nor those whose layers a
        step took away and for which nobody pulls them."""
        machines, domains = (now["machines"], now["domains"]) if now else (self.machines(), self.domains())
        return sorted((domain for uuid, (domain, _, active) in domains.items()
                       if not active and machines.get(uuid, {"state": "complete"})["state"] == "complete"
                       and (uuid not in self.foreign or not self.missing(uuid, domains))),
                      key=lambda domain: domain.name())

    def describe(self):
        """Lines about what is there, for a failure."""
        domains = self.domains()
        return [*(f"machine {uuid} {record['name']}: {record['state']}" for uuid, record in self.machines().items()),
                *(f"domain {uuid} {domain.name()}: {'active' if active else 'shut off'}" for uuid, (domain, _, active) in domains.items()),
                *(f"layer {digest}" for digest in sorted(self.layers())), *(f"pinned {digest}" for digest in sorted(self.pinned))]

    # ---- doing something

    def environment(self, more):
        return {**os.environ, "LAMINA_STATE_DIR": self.state, "LAMINA_TEST_NO_DELAY": "1", "LAMINA_TEST_PROGRAM": self.lamina, **more}

    def begin(self, words, program=None, stdin=subprocess.DEVNULL, **environment):
        self.log.append(" ".join(words) + "".join(f" {k}={v}" for k, v in environment.items()))
        return subprocess.Popen([program or self.lamina, *words], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.environment(environment))

    def finish(self, process, statuses, text=None):
        out, err = process.communicate(text, timeout=120)
        words, status = " ".join(process.args[1:]), process.returncode
        self.kills += status == -9
        self.log.append(f"  {status} {err.strip().splitlines()[-1] if err.strip() else ''}")
        check(status in statuses, f"{words}: status {status}\n{err}")
        check(status <= 0 or "lamina: " in err, f"{words}: no message\n{err}")
        check("Sanitizer" not in err and "CRITICAL" not in err, f"{words}: {err}")
        return status, out, err

    def run(self, *words, statuses=(0,), **environment):
        return self.finish(self.begin(words, **environment), statuses)

    def call(self, what, function, *arguments):
        """A step of somebody who uses libvirt."""
        self.log.append(what)
        try:
            return function(*arguments)
        except libvirt.libvirtError as error:
            raise Failed(f"{what}: {error}") from error

    def start(self, domain):
        self.call(f"virsh start {domain.name()}", domain.createWithFlags, libvirt.VIR_DOMAIN_START_PAUSED)

    # ---- what must be true after each step

    def verify(self):
        after = self.examine()
        self.verify_contents()
        self.verify_disks(after)
        self.verify_needed(after)
        prepared = [self.verify_start(domain, after) for domain in self.startable(after)]
        return self.examine() if any(prepared) else after

    def verify_contents(self):
        for directory in ("layers", "blobs"):
            for name, path in self.files(directory).items():
                status = os.stat(path)
                check(status.st_mode & 0o7777 == 0o444 and status.st_uid == 0, f"{path}: mode {status.st_mode:o}, owner {status.st_uid}")
                identity = (status.st_ino, status.st_size, status.st_mtime_ns)
                if self.known.get(path) != identity:
                    check(sha256(path) == name[7:71], f"{path} has other contents")
                    self.known[path] = identity

    def verify_disks(self, after):
        may_go = self.removable | self.before["incomplete"]
        for path, inode in self.before["disks"].items():
            uuid = self.snapshots.get(path) or path.split("/")[-2]
            check(uuid in may_go or after["disks"].get(path) == inode, f"the disk {path} is gone, or is another one")

    def verify_needed(self, after):
        self.excused -= after["layers"]
        lost = self.with_parents(after["needed"]) - after["layers"] - self.excused
        check(not lost, f"layers that are needed are gone: {sorted(lost)}")

    def verify_start(self, domain, after):
        """Lets the hook decide whether the domain can start, unless nothing has changed since it last did. It need
        not do so at once if layers must be pulled, because that would undo what steps did to the cache. Returns whether
        it created anything."""
        uuid = domain.UUIDString()
        if uuid in self.foreign:  # its layers are there, and it has its disk
            return False
        xml = after["domains"][uuid][1]
        overlay = after["disks"].get(self.overlay(uuid))
        missing = self.with_parents(set(LAYER_FILE.findall(xml)) | {layer["digest"][7:] for layer in
                                                                      after["machines"].get(uuid, {"layers": []})["layers"]}) - after["layers"]
        now = (xml, overlay, frozenset(missing))
        if self.prepared.get(uuid) == now or ((missing or overlay is None) and self.rng.random() < 0.7):
            return False
        process = subprocess.run([self.hook, domain.name(), "prepare", "begin", "-"], input=xml, text=True, check=False,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        check(process.returncode == 0 and process.stdout == "", f"the hook refuses {domain.name()}: {process.stderr}{process.stdout}")
        if missing or overlay is None:
            self.log.append(f"the hook prepared {domain.name()}")
            check(os.path.exists(self.overlay(uuid)), f"the hook made no disk for {domain.name()}")
            check(not missing - self.layers(), f"the hook did not pull {missing}")
        self.prepared[uuid] = now
        return bool(missing) or overlay is None
