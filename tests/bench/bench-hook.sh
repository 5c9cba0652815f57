#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the libvirt hook costs:
#   - for a domain that is none of lamina's, compared with a shell script that does
#     nothing: both as libvirt runs them, at "prepare begin", with the domain's XML
#   - virsh start of a machine with a chain of six layers, all there, compared with the
#     same on a host without a hook, and on one whose hook is a shell script that does
#     nothing, which shows what libvirt itself needs to run a hook; QEMU starts paused
# Runs alternate; the medians are compared. Needs root.
#   bench-hook.sh [BUILD-DIRECTORY]
# LAMINA: the program (default BUILD-DIRECTORY/lamina). BENCH_RUNS (default 15): number
# of starts; the hook alone is run twenty times as often.
set -euo pipefail
build=$(cd "${1:-$PWD}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/host.sh
source "$here/../lib/host.sh"
export LAMINA=${LAMINA:-$build/lamina}
runs=${BENCH_RUNS:-15}
script_bound=2.0 start_bound=1.10
missing=$(host_missing)
[ -z "$missing" ] || { echo "bench hook: skipped: $missing"; exit 77; }

dir=$(mktemp -d "${TMPDIR:-/tmp}/lamina-bench.XXXXXX")
chmod 0755 "$dir"
trap 'for name in with without empty; do host_stop "$dir/$name" || :; done; chattr -R -f -i "$dir" 2>/dev/null || :; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP

# A chain of six layers, and its catalog
mkdir "$dir/layers"
parent=
{
  echo 'lamina-catalog: 1'
  echo 'groups: [{name: all, multiple: true}]'
  echo 'layers:'
  for n in 1 2 3 4 5 6; do
    file=$dir/layers/l$n.qcow2
    qemu-img create -q -f qcow2 "$file" 1M
    [ -z "$parent" ] || qemu-img rebase -u -f qcow2 -F qcow2 -b "sha256-$parent.qcow2" "$file"
    digest=$(sha256sum "$file" | cut -d ' ' -f 1)
    echo "  - {name: l$n, version: \"1\", group: all, requires: [$([ "$n" -eq 1 ] || echo "l$((n - 1))")], builds: [{" \
      "${parent:+parent: \"sha256:$parent\",} digest: \"sha256:$digest\", size: $(stat -c %s "$file"), urls: [\"$file\"]}]}"
    parent=$digest
  done
} >"$dir/catalog.yaml"

# The hook as "lamina hook install" writes it, but for its path. libvirtd looks for it
# when it starts.
hooks=$dir/with/etc-libvirt/hooks/qemu.d
mkdir -p "$hooks"
cat >"$hooks/lamina" <<END
#!/bin/sh
# Created by "lamina hook install"; "lamina hook remove" removes it.
hook='$build/plugin/qemu-hook'
[ -x "\$hook" ] || exit 0
trap 'exit 0' EXIT
[ -z "\$BASH_VERSION" ] || shopt -s execfail
exec "\$hook" "\$@"
END
empty=$dir/empty/etc-libvirt/hooks/qemu.d/empty
mkdir -p "${empty%/*}"
printf '#!/bin/sh\nexit 0\n' >"$empty"
chmod 0755 "$hooks/lamina" "$empty"

for name in with without empty; do
  host_start "$dir/$name"
  host_lamina "$dir/$name" define bench l6 --catalog "$dir/catalog.yaml" --memory 64 --network none >/dev/null 2>&1
done

# A domain that lamina did not make
cat >"$dir/foreign.xml" <<END
<domain type='qemu'><name>foreign</name><memory unit='MiB'>64</memory><os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><disk type='file'><driver name='qemu' type='qcow2'/><source file='$dir/layers/l1.qcow2'/><target dev='vda' bus='virtio'/></disk>
<interface type='user'><model type='virtio'/></interface><console type='pty'/></devices></domain>
END
host_exec "$dir/without" virsh -q define "$dir/foreign.xml" >/dev/null
host_exec "$dir/without" virsh dumpxml foreign >"$dir/foreign.xml"

python3 - "$hooks/lamina" "$empty" "$dir/foreign.xml" $((20 * runs)) $script_bound <<'END' || missed=yes
import os
import statistics
import sys
import time
hook, empty, xml, runs, bound = sys.argv[1:]


def run(program):
    start = time.perf_counter()
    pid = os.posix_spawn(program, [program, "foreign", "prepare", "begin", "-"], {"LC_ALL": "C", "PATH": os.environ["PATH"]},
                         file_actions=[(os.POSIX_SPAWN_OPEN, 0, xml, os.O_RDONLY, 0)])
    if os.waitpid(pid, 0)[1] != 0:
        sys.exit(f"{program} failed")
    return time.perf_counter() - start


times = {hook: [], empty: []}
for _ in range(int(runs)):
    for program, taken in times.items():
        taken.append(run(program))
hooked, alone = (1000 * statistics.median(taken) for taken in times.values())
print(f"hook for another domain {hooked:.2f} ms, empty script {alone:.2f} ms: {hooked / alone:.2f} times, at most {float(bound):.2f}")
sys.exit(hooked > float(bound) * alone)
END

# Run by one shell in each host, so that entering the host is not measured: a line of
# input starts the machine once, and prints the time.
cat >"$dir/inside" <<'END'
while read -r _; do
  start=$(date +%s%N)
  virsh -q start --paused bench >&2 || exit 1
  end=$(date +%s%N)
  virsh -q destroy bench >&2
  echo $((end - start))
done
END
declare -A to from
for name in with without empty; do
  mkfifo "$dir/$name.in" "$dir/$name.out"
  host_exec "$dir/$name" bash "$dir/inside" <"$dir/$name.in" >"$dir/$name.out" &
  exec {input}>"$dir/$name.in" {output}<"$dir/$name.out"
  to[$name]=$input from[$name]=$output
done
for ((run = -1; run < runs; run++)); do
  for name in with without empty; do
    echo go >&"${to[$name]}" && read -r taken <&"${from[$name]}"
    # The first start of each is not counted.
    [ "$run" -lt 0 ] || echo "$taken" >>"$dir/$name.times"
  done
done
for name in with without empty; do
  input=${to[$name]}
  exec {input}>&-
done
wait -n && wait -n && wait -n # the shells
median () { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int ((NR + 1) / 2)] / 1e6 }'; }
awk -v with="$(median "$dir/with.times")" -v without="$(median "$dir/without.times")" \
  -v empty="$(median "$dir/empty.times")" -v bound=$start_bound 'BEGIN {
  printf "virsh start with the hook %.0f ms, without %.0f ms: %.2f times, at most %.2f\n", with, without, with / without, bound
  printf "  with an empty hook %.0f ms: %.2f times\n", empty, empty / without
  exit !(with <= bound * without)
}' || missed=yes
[ -z "${missed:-}" ]
