#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Compares ways to divide the packages of Debian's server roles into layers (bytes stored,
# moved and not asked for), and the time that loading Debian's main index and grouping take
# with that of libsolv alone.
#   bench-group.sh [BUILD-DIRECTORY]
# BENCH_RUNS (default 7): number of timed runs. BENCH_PACKAGES: a package index to use
# instead of the largest one of apt, not compressed.
set -euo pipefail
build=${1:-$PWD}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/lamina-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
index=${BENCH_PACKAGES:-}
if [ -z "$index" ]; then
  largest=$(apt-get indextargets --format '$(FILENAME)' 'Created-By: Packages' 'Codename: bookworm' 2>/dev/null | xargs -r ls -S 2>/dev/null | head -n 1)
  [ -n "$largest" ] || { echo 'apt has no package index of Debian 12'; exit 77; }
  index=$dir/Packages
  /usr/lib/apt/apt-helper cat-file "$largest" >"$index"
fi
"$build/tests/bench/bench-group" "$here/../../data/roles/debian-12.yaml" "${BENCH_RUNS:-7}" "$index"
