#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""hook prepare, without libvirt: a domain whose metadata lists its chain gets the layers by the
URLs of the catalogs, never by those in the metadata, which may be written by others."""
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from tap import done_testing, lamina, ok, state, work

UUID = "11111111-2222-4333-8444-555555555555"
layer = os.path.join(work, "a.qcow2")
secret = os.path.join(work, "secret")
overlay = os.path.join(state, "machines", UUID, "overlay.qcow2")
environment = {**os.environ, "LAMINA_STATE_DIR": state}


def lamina_run(*words, stdin=subprocess.DEVNULL):
    return subprocess.run([lamina, *words], capture_output=True, text=True, stdin=stdin, env=environment)


def prepare(url):
    chain = f"<lamina:layer name='a' version='1' group='os' digest='sha256:{digest}' size='{size}'><lamina:url>{url}</lamina:url></lamina:layer>"
    with open(os.path.join(work, "domain.xml"), "w+", encoding="utf-8") as file:
        file.write(f"""<domain type='qemu'><name>own</name><uuid>{UUID}</uuid><metadata>
      <lamina:machine xmlns:lamina='urn:lamina:domain:1' version='1'><lamina:selection>os=a@1</lamina:selection>{chain}</lamina:machine></metadata>
      <devices><disk type='file'><source file='{overlay}'/></disk></devices></domain>""")
        file.seek(0)
        return lamina_run("hook", "prepare", stdin=file)


subprocess.run([sys.executable, os.path.join(os.environ["G_TEST_SRCDIR"], "lib", "mkqcow2.py"), "good-v3", layer], check=True)
digest = subprocess.run(["sha256sum", layer], capture_output=True, text=True, check=True).stdout.split()[0]
size = os.path.getsize(layer)
with open(secret, "w", encoding="utf-8") as out:
    out.write("the password of root\n".ljust(size))
for url in "file://" + secret, secret:
    done = prepare(url)
    ok(done.returncode == 5 and "no URL is known" in done.stderr, f"{url} is not used", f"{done.returncode}: {done.stderr}")
    ok("password" not in done.stderr and secret not in done.stderr, "and not shown", done.stderr)
ok(not os.path.exists(overlay), "there is no disk")
catalog = os.path.join(work, "catalog.json")
with open(catalog, "w", encoding="utf-8") as out:
    json.dump({"lamina-catalog": 1, "groups": [{"name": "os"}],
               "layers": [{"name": "a", "version": "1", "group": "os",
                           "builds": [{"digest": "sha256:" + digest, "size": size, "urls": [layer]}]}]}, out)
lamina_run("catalog", "add", "lab", catalog)
done = prepare("file://" + secret)
ok(done.returncode == 0 and os.path.exists(overlay), "a catalog knows where it is", done.stderr)
done_testing()
