#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# "lamina cache gc --dry-run" with 10,000 layers and 1,000 domains, each with an overlay
# on a chain of six, compared with listing the domains with their XML through libvirt
# plus one stat of each file; and "lamina cache list" with "ls -l" of the layers. Runs
# alternate; the medians are compared.
#   bench-gc.sh [BUILD-DIRECTORY]
# LAMINA: the program (default BUILD-DIRECTORY/lamina). BENCH_RUNS (default 5), BENCH_LAYERS (10000), BENCH_DOMAINS (1000)
set -euo pipefail
build=$(cd "${1:-$PWD}" && pwd)
export LAMINA=${LAMINA:-$build/lamina}
runs=${BENCH_RUNS:-5}
export BENCH_LAYERS=${BENCH_LAYERS:-10000} BENCH_DOMAINS=${BENCH_DOMAINS:-1000}
bound=1.5 list_bound=3
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/host.sh"
[ "$(id -u)" -eq 0 ] && command -v libvirtd >/dev/null || { echo 'needs root and libvirtd'; exit 77; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/lamina-bench.XXXXXX")
chmod 0755 "$dir"
host=$dir/host
at_end () {
  host_stop "$host" || true
  chattr -R -f -i "$state/layers" 2>/dev/null || true
  rm -rf --one-file-system "$dir"
}
trap at_end EXIT
mkdir "$host"
state=$host/lamina
host_start "$host"

python3 - "$here/../lib" "$state" "$dir" <<'END'
import hashlib
import json
import os
import sys
import uuid
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import mkqcow2
state, work = sys.argv[2:]
layers, machines = os.path.join(state, "layers"), os.path.join(state, "machines")
for path in layers, machines:
    os.makedirs(path, mode=0o755)


def write(path, kind, parent, size=1 << 20):
    with open(path, "wb") as out:
        out.write(mkqcow2.make(kind, parent, size)[:4096])
    os.truncate(path, 4 * 65536)


digests = []
for number in range(int(os.environ["BENCH_LAYERS"])):
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    child = number % 6 != 0
    write(os.path.join(layers, f"sha256-{digest}.qcow2"), "good-v3-child" if child else "good-v3", digests[-1] if child else None)
    os.chmod(os.path.join(layers, f"sha256-{digest}.qcow2"), 0o444)
    digests.append(digest)


def backing(chain):
    if not chain:
        return "<backingStore/>"
    return (f"<backingStore type='file'><format type='qcow2'/><source file='{layers}/sha256-{chain[0]}.qcow2'>"
            f"<seclabel model='dac' relabel='no'/></source>{backing(chain[1:])}</backingStore>")


builds = []
for number, digest in enumerate(digests):
    build = {"digest": "sha256:" + digest, "size": 4 * 65536, "urls": ["https://example.org/x"]}
    if number % 6:
        build["parent"] = "sha256:" + digests[number - 1]
    builds.append({"name": f"l{number}", "version": "1.0", "group": f"g{number % 6}", "builds": [build]})
with open(os.path.join(work, "catalog.json"), "w", encoding="utf-8") as out:
    json.dump({"lamina-catalog": 1, "groups": [{"name": f"g{n}"} for n in range(6)], "layers": builds}, out)

with open(os.path.join(work, "commands"), "w", encoding="utf-8") as commands:
    for number in range(int(os.environ["BENCH_DOMAINS"])):
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))
        os.mkdir(os.path.join(machines, name), 0o755)
        chain = digests[6 * number:6 * number + 6][::-1]
        overlay = os.path.join(machines, name, "overlay.qcow2")
        write(overlay, "good-v3-child", chain[0])
        record = {"lamina-record": 1, "name": f"m{number}", "uuid": name, "uri": "qemu:///system", "state": "complete",
                  "created": 1700000000, "requested": ["l0"], "resolved": ["g0=l0@1.0"], "disk": 1 << 20,
                  "layers": [{"name": "l", "version": "1.0", "digest": "sha256:" + digest, "size": 4 * 65536, "urls": [],
                              "path": f"{layers}/sha256-{digest}.qcow2"}
                             for digest in chain[::-1]]}
        with open(os.path.join(machines, name, "record.json"), "w", encoding="utf-8") as out:
            json.dump(record, out)
        os.chmod(os.path.join(machines, name, "record.json"), 0o600)
        xml = os.path.join(work, f"{number}.xml")
        with open(xml, "w", encoding="utf-8") as out:
            out.write(f"<domain type='qemu'><name>m{number}</name><uuid>{name}</uuid><memory unit='MiB'>64</memory>"
                      "<os><type arch='x86_64' machine='q35'>hvm</type></os><devices><disk type='file'>"
                      f"<driver name='qemu' type='qcow2'/><source file='{overlay}'/>{backing(chain)}"
                      "<target dev='vda' bus='virtio'/></disk><console type='pty'/></devices></domain>")
        commands.write(f"define {xml}\n")
END
host_exec "$host" virsh -q <"$dir/commands" >/dev/null

host_lamina "$host" catalog add lab "$dir/catalog.json" >/dev/null

timed () { # FILE CMD...
  local start file=$1
  shift
  start=$(date +%s%N)
  "$@" >"$dir/out"
  echo $(($(date +%s%N) - start)) >>"$dir/$file"
}
median () { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int ((NR + 1) / 2)] / 1e6 }'; }
timed warm host_lamina "$host" cache list
timed warm host_lamina "$host" cache gc --dry-run
for ((run = 0; run < runs; run++)); do
  timed list host_exec "$host" "$build/tests/bench/bench-gc" qemu:///system "$state/layers"
  timed gc host_lamina "$host" cache gc --dry-run
  timed ls host_exec "$host" ls -l "$state/layers"
  timed cache host_lamina "$host" cache list
done
compare () { # WHAT A WHAT B BOUND: whether B is at most BOUND times A
  awk -v one="$1" -v a="$2" -v other="$3" -v b="$4" -v bound="$5" 'BEGIN {
    printf "%s %.0f ms, %s %.0f ms: %.2f times, at most %.2f\n", one, a, other, b, b / a, bound
    exit !(b <= bound * a)
  }'
}
status=0
compare 'list and stat' "$(median "$dir/list")" 'gc --dry-run' "$(median "$dir/gc")" $bound || status=1
compare 'ls -l' "$(median "$dir/ls")" 'cache list' "$(median "$dir/cache")" $list_bound || status=1
exit $status
