#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""cache export: what is in the archive, the same bytes each time, and nothing half-made."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import uuid

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from chainworld import Host, base, base_contents, build, child, child_contents, digest, kernel, layer, origin
from tap import done_testing, lamina, ok, work

host = origin()
target = os.path.join(work, "web.lamina")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def names_beside_target():
    return {name for name in os.listdir(work) if name.startswith("web.lamina")}


def blob_name(data):
    return "blobs/sha256-" + digest(data)[7:]


def layer_name(data):
    return "layers/sha256-" + digest(data)[7:] + ".qcow2"


# What is in it
status, out, errors = host.run("cache", "export", target, "nginx", "debian", "--no-pull")
ok(status == 3 and "not in the cache" in errors and not names_beside_target(), "--no-pull needs cached files", errors)
status, out, errors = host.run("cache", "export", target, "nginx", "debian")
ok(status == 0 and b"exported 3 files" in out, "a chain is pulled and exported", errors)
with tarfile.open(target) as archive:
    entries = archive.getmembers()
    text = archive.extractfile("catalog.json").read()
    contents = {entry.name: archive.extractfile(entry).read() for entry in entries}
ok([entry.name for entry in entries] == ["catalog.json", layer_name(base), layer_name(child), blob_name(kernel)],
   "the catalog comes first, then the layers, base first", [entry.name for entry in entries])
ok(contents[layer_name(base)] == base and contents[layer_name(child)] == child and contents[blob_name(kernel)] == kernel,
   "the files have their contents")
ok(all((entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname, entry.mode) == (0, 0, 0, "", "", 0o444) and entry.isreg()
       for entry in entries), "nothing in it depends on the host")
catalog = json.loads(text)
ok(catalog["name"] == "lab" and [group["name"] for group in catalog["groups"]] == ["os", "web"]
   and catalog["groups"][0]["required"] is True, "only the groups of the layers are in the catalog", text)
debian, nginx = catalog["layers"]
ok(debian["boot"]["cmdline"] == "root=/dev/vda" and debian["ready"] == "login:" and debian["provides"] == ["linux = 6"]
   and debian["resources"] == {"memory": "536870912B", "disk": "1073741824B"} and debian["arch"] == "x86_64",
   "everything about a layer is kept", text)
ok(nginx["requires"] == ["debian >= 12"] and nginx["conflicts"] == ["apache"] and nginx["builds"][0]["parent"] == digest(base),
   "so are its relations", text)
ok(base_contents.items() <= debian["builds"][0].items() and child_contents.items() <= nginx["builds"][0].items(),
   "and what is in them", text)
ok(debian["builds"][0]["urls"] == ["https://mirror.example/b", layer_name(base)], "only public URLs are in it", text)
ok(b"secret" not in read(target) and work.encode() not in read(target), "no password and no path is in it")
unpacked = os.path.join(work, "unpacked")
with tarfile.open(target) as archive:
    archive.extractall(unpacked)
fresh = Host("unpacked-state")
status, out, errors = fresh.run("pull", "nginx", "debian", "--catalog", os.path.join(unpacked, "catalog.json"))
ok(status == 0 and errors.count("warning") == 0, "unpacked, it is a catalog with its files", errors)

# The same again
again = os.path.join(work, "again.lamina")
found = host.json("cache", "export", again, "debian", "nginx")
ok(read(again) == read(target), "the same files give the same bytes")
ok(found["source"] == "lab" and found["bytes"] == len(base) + len(child) + len(kernel) and found["pulled"]["files"] == 0
   and [file["name"] for file in found["files"]] == ["debian", "nginx", "kernel"], "JSON says what is in it", found)
status, out, errors = host.run("cache", "export", "-", "nginx", "debian")
ok(status == 0 and out == read(target), "- is standard output", errors)
status, out, errors = host.run("cache", "export", "-", "nginx", "debian", "--json")
ok(status == 2 and out == b"", "which cannot be JSON as well", errors)
status, out, errors = host.run("cache", "export", target, "mysql", "debian")
ok(status == 9 and read(target) == read(again), "an existing file is not replaced", errors)
status, out, errors = host.run("cache", "export", target, "mysql", "debian", "--force")
ok(status == 0 and read(target) != read(again) and names_beside_target() == {"web.lamina"}, "unless it is forced", errors)
link = os.path.join(work, "web.lamina-link")
os.symlink(again, link)
status, out, errors = host.run("cache", "export", link, "mysql", "debian", "--force")
ok(status == 1 and "regular file" in errors and os.path.islink(link), "a symbolic link is not replaced", errors)
os.remove(link)
for words, what in (["nginx", "--machine", "m"], "selections and a machine"), ([], "neither"):
    status, out, errors = host.run("cache", "export", os.path.join(work, "x"), *words)
    ok(status == 2 and out == b"", f"{what}: usage", errors)
status, out, errors = host.run("cache", "export", os.path.join(work, "x"), "apache")
ok(status == 3 and not os.path.exists(os.path.join(work, "x")), "an unknown layer", errors)
status, out, errors = host.run("cache", "export", os.path.join(work, "missing", "x"), "debian")
ok(status == 1 and "missing" in errors, "a directory that does not exist", errors)
fresh = Host("fresh")
shutil.copytree(os.path.join(host.dir, "catalogs"), os.path.join(fresh.dir, "catalogs"))
for name, expected in (os.path.join(work, "missing", "x"), 1), (os.path.join(work, "missing", ""), 2), ("", 2):
    status, out, errors = fresh.run("cache", "export", name, "debian")
    ok(status == expected and not fresh.cached(), f"{name}: nothing is pulled for it", (status, errors))

# Failures
os.remove(target)
status, out, errors = host.run("cache", "export", target, "nginx", "debian", LAMINA_TEST_FAULT="tar-write=enospc")
ok(status == 8 and "web.lamina" in errors and not names_beside_target(), "a full disk leaves nothing", errors)
status, out, errors = host.run("cache", "export", target, "nginx", "debian", LAMINA_TEST_FAULT="output-before-rename=kill")
ok(status == -9 and not os.path.exists(target) and len(names_beside_target()) == 1, "a killed run leaves a temporary file")
status, out, errors = host.run("cache", "export", target, "nginx", "debian")
ok(status == 0 and names_beside_target() == {"web.lamina"} and read(target) == read(again), "which the next one removes", errors)
os.remove(target)
cached = host.file(blob_name(kernel))
run = subprocess.Popen([lamina, "cache", "export", target, "nginx", "debian"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                       env={**os.environ, "LAMINA_STATE_DIR": host.dir, "LAMINA_TEST_FAULT": "tar-write=stop"})
_, ended = os.waitpid(run.pid, os.WUNTRACED)
subprocess.run(["chattr", "-f", "-i", cached], stderr=subprocess.DEVNULL, check=False)
os.chmod(cached, 0o644)
with open(cached, "r+b") as file:
    file.seek(2900000)
    file.write(b"x")
while os.WIFSTOPPED(ended):
    os.kill(run.pid, signal.SIGCONT)
    _, ended = os.waitpid(run.pid, os.WUNTRACED)
errors = run.stderr.read()
ok(os.waitstatus_to_exitcode(ended) == 6 and "do not match its digest" in errors and not names_beside_target(),
   "a file that is changed meanwhile is not exported", errors)
status, out, errors = host.run("cache", "export", target, "nginx", "debian")
ok(status == 0 and read(target) == read(again), "the next time it is pulled again", errors)

# A layer with another kernel than the one below it
own, own_kernel = layer("good-v3-child", digest(base), 16777216), b"another kernel"
for name, data in ("own.qcow2", own), ("own-kernel", own_kernel):
    with open(os.path.join(work, name), "wb") as file:
        file.write(data)
with open(os.path.join(work, "own.json"), "w", encoding="utf-8") as file:
    json.dump({"lamina-catalog": 1, "groups": [{"name": "boot"}], "layers": [
        {"name": "own", "version": "1", "group": "boot", "boot": {"kernel": build(own_kernel, "own-kernel")},
         "builds": [build(own, "own.qcow2", digest(base))]}]}, file)
status, out, errors = host.run("cache", "export", target, "own", "debian", "--force", "--catalog", file.name)
with tarfile.open(target) as archive:
    names = archive.getnames()
    catalog = json.load(archive.extractfile("catalog.json"))
ok(names == ["catalog.json", layer_name(base), layer_name(own), blob_name(own_kernel)], "only the kernel that is used is exported", names)
ok("kernel" not in catalog["layers"][0]["boot"] and catalog["layers"][0]["boot"]["cmdline"] == "root=/dev/vda"
   and "name" not in catalog, "the other one is not in the catalog either", catalog)

# Machines
machine = str(uuid.uuid4())
os.makedirs(os.path.join(host.dir, "machines", machine), mode=0o711)
os.chmod(os.path.join(host.dir, "machines"), 0o711)


def layers(*named):
    return [{"name": name, "version": version, "group": group, "source": "lab", "digest": digest(data), "size": len(data),
             "urls": ["file://" + os.path.join(work, "origin-files", file)], "path": "/nowhere"}
            for name, version, group, file, data in named]


record = {"lamina-record": 1, "name": "m", "uuid": machine, "uri": "test:///default", "state": "complete", "publish": [],
          "layers": layers(("debian", "12", "os", "base.qcow2", base), ("nginx", "1.24", "web", "child.qcow2", child)),
          "kernel": {"digest": digest(kernel), "size": len(kernel), "urls": []}}
with open(os.path.join(host.dir, "machines", machine, "record.json"), "w", encoding="utf-8") as out_file:
    json.dump(record, out_file)
os.chmod(out_file.name, 0o600)
status, out, errors = host.run("cache", "export", target, "--machine", "m", "--force")
ok(status == 0 and errors.count("warning") == 0 and read(target) == read(again), "a machine has the same chain", errors)
status, out, errors = host.run("cache", "export", target, "--machine", "n", "--force")
ok(status == 3, "an unknown machine", errors)
os.remove(os.path.join(host.dir, "catalogs", "lab.json"))
status, out, errors = host.run("cache", "export", target, "--machine", "m", "--force")
ok(status == 0 and "no catalog lists nginx 1.24 any more" in errors and "command line is not known" in errors,
   "what no catalog lists any more comes from the record", errors)
with tarfile.open(target) as archive:
    catalog = json.load(archive.extractfile("catalog.json"))
ok([(entry["name"], entry["version"], entry["group"]) for entry in catalog["layers"]]
   == [("debian", "12", "os"), ("nginx", "1.24", "web")] and catalog["layers"][0]["boot"]["kernel"]["digest"] == digest(kernel),
   "with name, version, group and kernel", catalog)
done_testing()
