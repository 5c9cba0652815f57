#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Writes of 4 KiB to an overlay as lamina creates it, compared with qemu-img's default
# overlay, over a layer that is full of data: time and disk space. Runs alternate; the
# medians are compared. Two ways of writing:
#   random     pseudo-random positions, by qemu-io, 256 writes at a time: with fewer,
#              most of the time would be spent in qemu-io
#   scattered  by "qemu-img bench", 64 writes at a time (its default), in steps near the
#              golden ratio of the size: each position once, far from the previous one
#   bench-overlay.sh [BUILD-DIRECTORY]
# BENCH_RUNS (default 5): number of runs of each kind. BENCH_WRITES (default 20000):
# number of writes in a run.
set -euo pipefail
build=${1:-$PWD}
runs=${BENCH_RUNS:-5}
writes=${BENCH_WRITES:-20000}
speed_bound=1.5
space_bound=0.15
size_mib=2048
depth=256
step=$((324863 * 4096))

dir=$(mktemp -d "${TMPDIR:-/tmp}/lamina-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT

# The same positions each time, because the seed is fixed.
awk -v writes="$writes" -v blocks=$((size_mib * 256)) -v depth="$depth" 'BEGIN {
  srand (1)
  for (i = 1; i <= writes; i++) {
    printf "aio_write -q %d 4k\n", int (rand () * blocks) * 4096
    if (i % depth == 0) print "aio_flush"
  }
  print "aio_flush"
}' >"$dir/commands"

qemu-img create -q -f qcow2 "$dir/base.qcow2" ${size_mib}M
qemu-io -f qcow2 -c "write -q -P 90 0 $((size_mib / 2))M" -c "write -q -P 91 $((size_mib / 2))M $((size_mib / 2))M" \
  "$dir/base.qcow2" >/dev/null

make_default () { qemu-img create -q -f qcow2 -F qcow2 -b "$dir/base.qcow2" "$dir/overlay.qcow2"; }
make_lamina () { "$build/tests/bench/bench-make-overlay" "$dir/base.qcow2" "$dir/overlay.qcow2"; }

# These print how many seconds writing took.
write_random () {
  local start
  start=$(date +%s%N)
  qemu-io -f qcow2 "$dir/overlay.qcow2" <"$dir/commands" >/dev/null
  echo $(($(date +%s%N) - start)) | awk '{ print $1 / 1e9 }'
}
write_scattered () {
  qemu-img bench -w -f qcow2 -d 64 -c "$writes" -s 4096 -S "$step" "$dir/overlay.qcow2" |
    awk '/^Run completed in/ { print $4; found = 1 } END { exit !found }'
}

for ((run = 0; run < runs; run++)); do
  for way in random scattered; do
    for kind in default lamina; do
      rm -f "$dir/overlay.qcow2"
      "make_$kind"
      sync
      "write_$way" >>"$dir/$way-$kind.s"
      du -k "$dir/overlay.qcow2" | cut -f 1 >>"$dir/$way-$kind.kib"
    done
  done
done

median () { sort -n "$1" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
status=0
for way in random scattered; do
  awk -v way=$way -v ds="$(median "$dir/$way-default.s")" -v ls="$(median "$dir/$way-lamina.s")" \
      -v dk="$(median "$dir/$way-default.kib")" -v lk="$(median "$dir/$way-lamina.kib")" \
      -v speed_bound=$speed_bound -v space_bound=$space_bound 'BEGIN {
    printf "  default %.2f s, %.0f MiB; lamina %.2f s, %.0f MiB\n", ds, dk / 1024, ls, lk / 1024
    printf "overlay, %s 4 KiB writes: speed-up %.2f (bound %s), space %.2f (bound %s)\n",
      way, ds / ls, speed_bound, lk / dk, space_bound
    exit ! (ds / ls >= speed_bound && lk / dk <= space_bound)
  }' || status=1
done
exit $status
