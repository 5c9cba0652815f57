#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Random 4 KiB writes on an overlay as lamina makes it, against qemu-img's
# default overlay, on a layer that is full of data: how much faster, and how
# much of the space. Runs alternate; the medians count.
#   bench-overlay.sh [BUILD-DIRECTORY]
# BENCH_RUNS (5): runs of each kind. BENCH_WRITES (20000): writes in a run.
set -euo pipefail
build=${1:-$PWD}
runs=${BENCH_RUNS:-5}
writes=${BENCH_WRITES:-20000}
speed_bound=1.5
space_bound=0.15
size_mib=2048
# As many at once as a virtio-blk queue of QEMU holds.
depth=256

dir=$(mktemp -d "${TMPDIR:-/tmp}/lamina-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT

# The same places each time: the generator's seed is fixed.
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

for ((run = 0; run < runs; run++)); do
  for kind in default lamina; do
    rm -f "$dir/overlay.qcow2"
    "make_$kind"
    sync
    start=$(date +%s%N)
    qemu-io -f qcow2 "$dir/overlay.qcow2" <"$dir/commands" >/dev/null
    echo $((($(date +%s%N) - start) / 1000)) >>"$dir/$kind.us"
    du -k "$dir/overlay.qcow2" | cut -f 1 >>"$dir/$kind.kib"
  done
done

median () { sort -n "$1" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
awk -v du="$(median "$dir/default.us")" -v lu="$(median "$dir/lamina.us")" \
    -v dk="$(median "$dir/default.kib")" -v lk="$(median "$dir/lamina.kib")" \
    -v speed_bound=$speed_bound -v space_bound=$space_bound 'BEGIN {
  printf "  default %.2f s, %.0f MiB; lamina %.2f s, %.0f MiB\n", du / 1e6, dk / 1024, lu / 1e6, lk / 1024
  printf "overlay 4 KiB writes: speed-up %.2f (bound %s), space %.2f (bound %s)\n",
    du / lu, speed_bound, lk / dk, space_bound
  exit ! (du / lu >= speed_bound && lk / dk <= space_bound)
}'
