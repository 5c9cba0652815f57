#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A layer of nginx on Debian: the size of its file compared with the installed size of its
# packages, and the time of "lamina build" compared with that of virt-customize, which installs the same
# packages, already fetched, in an overlay on the same image. The time of lamina includes
# choosing the packages from the indexes of apt. Runs alternate; the medians are compared.
#   bench-build.sh [BUILD-DIRECTORY]
# BENCH_RUNS (default 3): number of runs of each. LAMINA_VIRT_TYPE (default qemu): kvm, where it works.
# LAMINA_TEST_CACHE: the Debian layer is kept there. Needs root.
set -euo pipefail
build=$(cd "${1:-$PWD}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
runs=${BENCH_RUNS:-3}
export LAMINA_APPLIANCE_PROGRAM=$build/lamina-appliance LAMINA_VIRT_TYPE=${LAMINA_VIRT_TYPE:-qemu}
for program in virt-customize mmdebstrap dpkg-deb qemu-img python3; do
  command -v "$program" >/dev/null || { echo "bench build: skipped: needs $program"; exit 77; }
done
[ -x "$LAMINA_APPLIANCE_PROGRAM" ] || { echo 'bench build: skipped: lamina was built without libguestfs'; exit 77; }
state=${LAMINA_TEST_CACHE:-/var/cache/lamina-tests}/bench
mkdir -p "$state"
dir=$(mktemp -d "$state/run.XXXXXX")
trap 'chattr -R -f -i "$dir" || :; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP
keep () { "$build/lamina" --state-dir "$state/state" --progress=none "$@"; }
lamina () { "$build/lamina" --state-dir "$dir/state" --catalog "$state/web/catalog.json" --progress=none "$@"; }
field () { python3 -c 'import json, sys; layer = json.load(sys.stdin)["layers"][0]; print(eval(sys.argv[1]))' "$1"; }

cp "$here/../../data/recipes/debian.yaml" "$state/"
base=$(keep build --json "$state/debian.yaml" | field 'layer["digest"][7:]')
keep publish "$state/web" >/dev/null
recipe () { printf 'lamina-recipe: 1\nname: nginx\nversion: "%s"\ngroup: web\non: debian\npackages: nginx\n' "$1" >"$dir/nginx.yaml"; }

# ---- size; also fetches the packages

recipe 0
lamina build --json "$dir/nginx.yaml" >"$dir/built"
python3 - "$dir/nginx.lock.json" "$dir/state" "$dir" <<'END'
import json, shutil, sys
lock, state, out = sys.argv[1:]
for package in json.load(open(lock))["locks"][0]["packages"]:
    shutil.copy(f"{state}/blobs/sha256-{package['digest'][7:]}", f"{out}/{package['name']}.deb")
END
installed=0
for package in "$dir"/*.deb; do installed=$((installed + $(dpkg-deb -f "$package" Installed-Size) * 1024)); done
size=$(field 'layer["size"]' <"$dir/built")
echo "bench build: nginx, $(ls "$dir"/*.deb | wc -l) packages: $size bytes, $installed installed, ratio $(awk "BEGIN { printf \"%.2f\", $size / $installed }")"

# ---- time

export LIBGUESTFS_BACKEND=direct
[ "$LAMINA_VIRT_TYPE" = kvm ] || export LIBGUESTFS_BACKEND_SETTINGS=force_tcg
seconds () {
  local began=$EPOCHREALTIME
  "$@" >/dev/null 2>"$dir/err" || { cat "$dir/err" >&2; exit 1; }
  echo "$EPOCHREALTIME $began" | awk '{ printf "%.1f\n", $1 - $2 }'
}
customize () {
  qemu-img create -q -f qcow2 -F qcow2 -b "$dir/state/layers/sha256-$base.qcow2" "$dir/overlay.qcow2"
  virt-customize -q -a "$dir/overlay.qcow2" --mkdir /packages "${copies[@]}" \
    --run-command 'DEBIAN_FRONTEND=noninteractive apt-get -q -y install /packages/*.deb && rm -r /packages'
}
copies=()
for package in "$dir"/*.deb; do copies+=(--copy-in "$package:/packages"); done
for ((i = 1; i <= runs; i++)); do
  recipe "$i"
  seconds lamina build "$dir/nginx.yaml" >>"$dir/lamina"
  seconds customize >>"$dir/customize"
done
median () { sort -n "$1" | sed -n "$(((runs + 1) / 2))p"; }
echo "bench build: lamina $(median "$dir/lamina") s, virt-customize $(median "$dir/customize") s," \
  "ratio $(awk "BEGIN { printf \"%.2f\", $(median "$dir/lamina") / $(median "$dir/customize") }"), $runs runs"
