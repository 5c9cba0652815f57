#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The time to load a catalog of 100,000 layers, from its text (YAML, JSON) and from its
# index, and the time to resolve and plan with it, each compared with a scan of the
# text by libyaml alone. Medians.
#   bench-plan.sh [BUILD-DIRECTORY]
# BENCH_RUNS (default 7): number of runs of each kind. BENCH_LAYERS (default 100000):
# number of layers.
set -euo pipefail
build=${1:-$PWD}
dir=$(mktemp -d "${TMPDIR:-/tmp}/lamina-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
"$build/tests/bench/bench-plan" "$dir" "${BENCH_LAYERS:-100000}" "${BENCH_RUNS:-7}"
