#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A launch with all layers cached, without waiting for the guest to boot, compared
# with other ways to create the same machine:
#   shell         qemu-img create + virsh define + virsh start
#   virt-install  --import, with a backing store
#   virsh start   alone, of the same domain with an existing disk: the part of each
#                 that libvirt and QEMU need
#   asking        likewise, with libvirt's queries for each property of the CPU, which
#                 lamina's XML avoids (domain/xml.c)
# Runs on a test host, whose /dev has no kvm. All use the same memory, devices and
# --osinfo, which virt-install requires. Runs alternate; the medians are compared.
# Needs root.
#   bench-launch.sh [BUILD-DIRECTORY]
# LAMINA: the program (default BUILD-DIRECTORY/lamina). BENCH_RUNS (default 7): number
# of runs of each.
set -euo pipefail
build=$(cd "${1:-$PWD}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/host.sh
source "$here/../lib/host.sh"
LAMINA=${LAMINA:-$build/lamina}
runs=${BENCH_RUNS:-7}
missing=$(host_missing)
command -v virt-install >/dev/null || missing='needs virt-install'
[ -z "$missing" ] || { echo "bench launch: skipped: $missing"; exit 77; }

# QEMU's user must be able to reach the disks.
dir=$(mktemp -d "${TMPDIR:-/tmp}/lamina-bench.XXXXXX")
chmod 0755 "$dir"
trap 'host_stop "$dir/host" || :; chattr -R -f -i "$dir" 2>/dev/null || :; rm -rf "$dir"' EXIT # "||": errexit must not end the trap
trap 'exit 1' INT TERM HUP
bash "$here/../lib/tiny-guest" "$dir/tiny"
host_start "$dir/host"

# Everything that is measured is run by one shell in the test host, so that entering the
# host is not measured.
cat >"$dir/inside" <<'END'
set -euo pipefail
dir=$1 LAMINA=$2 runs=$3
state=$dir/state
lamina=("$LAMINA" --state-dir "$state")
launch=(launch --catalog "$dir/tiny/catalog.yaml" --virt-type qemu --memory 96 --vcpus 1 --osinfo debian11)
mkdir -m 0755 "$dir/disks"

# A first launch fills the cache, and its domain XML is used for "shell".
"${lamina[@]}" "${launch[@]}" model a c >/dev/null
virsh dumpxml --inactive model >"$dir/model.xml"
overlay=$(sed -n "/<disk /,/<\/disk>/ s/.*<source file='\([^']*\)'.*/\1/p" "$dir/model.xml" | head -n 1)
top=$(qemu-img info -f qcow2 --output=json "$overlay" -U | sed -n 's/.*"full-backing-filename": "\(.*\)".*/\1/p' | head -n 1)
# The copies of kernel and initrd in it are removed with the machine.
sed -i -e "s|<kernel>.*</kernel>|<kernel>$dir/tiny/vmlinuz</kernel>|" -e "s|<initrd>.*</initrd>|<initrd>$dir/tiny/initrd</initrd>|" "$dir/model.xml"
kernel=$dir/tiny/vmlinuz
initrd=$dir/tiny/initrd
cmdline=$(sed -n 's|.*<cmdline>\(.*\)</cmdline>.*|\1|p' "$dir/model.xml" | head -n 1)
gib=$(qemu-img info -f qcow2 --output=json "$top" | awk -F '[:,]' '/"virtual-size"/ { print $2 / 1024 ^ 3; exit }')
[ -n "$top" ] && [ -n "$gib" ]
"${lamina[@]}" rm model >/dev/null

prepare_shell () {
  sed -e "s|<name>model</name>|<name>bench</name>|" -e "s|<uuid>.*</uuid>|<uuid>$(cat /proc/sys/kernel/random/uuid)</uuid>|" \
    -e "s|$overlay|$dir/disks/overlay.qcow2|g" -e "s|file='[^']*\.log'|file='$dir/disks/console.log'|" "$dir/model.xml" >"$dir/bench.xml"
}
run_shell () {
  qemu-img create -q -f qcow2 -F qcow2 -b "$top" "$dir/disks/overlay.qcow2"
  virsh -q define "$dir/bench.xml"
  virsh -q start bench
}
clean_shell () {
  virsh -q destroy bench
  virsh -q undefine bench
  rm -f "$dir"/disks/*
}

prepare_start () {
  prepare_shell
  qemu-img create -q -f qcow2 -F qcow2 -b "$top" "$dir/disks/overlay.qcow2"
  virsh -q define "$dir/bench.xml"
}
run_start () { virsh -q start bench; }
clean_start () { clean_shell; }

prepare_asking () {
  prepare_shell
  sed -i '/<qemu:capabilities>/,/<\/qemu:capabilities>/d' "$dir/bench.xml"
  qemu-img create -q -f qcow2 -F qcow2 -b "$top" "$dir/disks/overlay.qcow2"
  virsh -q define "$dir/bench.xml"
}
run_asking () { virsh -q start bench; }
clean_asking () { clean_shell; }

prepare_virt_install () { :; }
run_virt_install () {
  virt-install --quiet --import --name bench --virt-type qemu --machine q35 --memory 96 --vcpus 1 --osinfo debian11 \
    --disk "path=$dir/disks/overlay.qcow2,format=qcow2,size=$gib,backing_store=$top,backing_format=qcow2,bus=virtio" \
    --boot "kernel=$kernel,initrd=$initrd,kernel_args=$cmdline" --network user,model=virtio --graphics none \
    --serial "pty,log.file=$dir/disks/console.log" --noautoconsole >/dev/null
}
clean_virt_install () { clean_shell; }

prepare_lamina () { :; }
run_lamina () { "${lamina[@]}" "${launch[@]}" bench a c >/dev/null; }
clean_lamina () { "${lamina[@]}" rm bench >/dev/null; }

# The first round is not counted.
for ((run = 0; run <= runs; run++)); do
  for kind in shell start asking virt_install lamina; do
    "prepare_$kind"
    sync
    start=$(date +%s%N)
    "run_$kind"
    end=$(date +%s%N)
    [ "$(virsh domstate bench | head -n 1)" = running ]
    [ "$run" -eq 0 ] || echo $(((end - start) / 1000)) >>"$dir/$kind.us"
    "clean_$kind"
  done
done
END
host_exec "$dir/host" bash "$dir/inside" "$dir" "$LAMINA" "$runs"

median () { sort -n "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
awk -v lamina="$(median "$dir/lamina.us")" -v shell="$(median "$dir/shell.us")" -v install="$(median "$dir/virt_install.us")" \
    -v start="$(median "$dir/start.us")" -v asking="$(median "$dir/asking.us")" 'BEGIN {
  printf "  lamina launch %.3f s, shell %.3f s, virt-install %.3f s\n", lamina / 1e6, shell / 1e6, install / 1e6
  printf "  virsh start alone %.3f s, %.2f of virt-install\n", start / 1e6, start / install
  printf "  and %.3f s where libvirt asks for the properties of the CPU\n", asking / 1e6
  printf "launch vs shell: %.2f (bound 1.05)\n", lamina / shell
  printf "launch vs virt-install: %.2f (bound 0.30)\n", lamina / install
  printf "launch vs virsh start: %.2f (bound 1.15)\n", lamina / start
  exit ! (lamina / shell <= 1.05 && lamina / install <= 0.30 && lamina / start <= 1.15)
}'
