#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# How long a catalog of 100,000 layers takes to load, from its text (YAML,
# JSON) and from its index, and a resolve-and-plan over it; each against
# a bare scan of the text by libyaml. Medians.
#   bench-plan.sh [BUILD-DIRECTORY]
# BENCH_RUNS (7): loads of each kind. BENCH_LAYERS (100000).
set -euo pipefail
build=${1:-$PWD}
dir=$(mktemp -d "${TMPDIR:-/tmp}/lamina-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
"$build/tests/bench/bench-plan" "$dir" "${BENCH_LAYERS:-100000}" "${BENCH_RUNS:-7}"
