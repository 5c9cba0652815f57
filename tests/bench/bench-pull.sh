#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# "lamina pull" with an empty cache over loopback, of one large layer and of a chain of
# eight, compared with the slowest of three other measurements: a download to /dev/null
# by curl, writing the same amount with fsync by dd, and OpenSSL's SHA-256 of it. The
# eight are also pulled to a tmpfs, where writing is not a limit. Runs alternate; the
# medians are compared. Peak memory is the largest of all runs, including qemu-img.
#   bench-pull.sh [BUILD-DIRECTORY]
# BENCH_RUNS (default 5): number of runs of each kind. BENCH_MIB (default 1024): size of
# the large layer.
set -euo pipefail
build=${1:-$PWD}
lamina=${LAMINA:-$build/lamina}
runs=${BENCH_RUNS:-5}
mib=${BENCH_MIB:-1024}
ratio_bound=1.15
memory_bound=64

for tool in nginx curl openssl qemu-img python3; do
  if ! command -v $tool >/dev/null; then
    echo "pull: skipped, $tool is not installed"
    exit 77
  fi
done

dir=$(mktemp -d "${TMPDIR:-/tmp}/lamina-bench.XXXXXX")
server=
fast=
state=$dir/state
finish () {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  chattr -R -f -i "$dir" ${fast:+"$fast"} 2>/dev/null || true
  rm -rf "$dir" ${fast:+"$fast"}
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
export XDG_CONFIG_HOME="$dir/config" no_proxy='*'

# make_layer NAME MIB PARENT-HEX|- : creates a qcow2 file full of data that cannot be
# compressed; sets $hex. The backing file name is set without opening the parent.
make_layer () {
  head -c $(($2 * 1024 * 1024)) /dev/urandom >"$dir/raw"
  qemu-img convert -f raw -O qcow2 "$dir/raw" "$dir/www/$1.qcow2"
  rm "$dir/raw"
  if [ "$3" != - ]; then
    qemu-img rebase -u -f qcow2 -F qcow2 -b "sha256-$3.qcow2" "$dir/www/$1.qcow2"
  fi
  hex=$(openssl dgst -sha256 -r "$dir/www/$1.qcow2" | cut -d ' ' -f 1)
}

# entry NAME REQUIRES PARENT-HEX|- : prints the layer's lines of the catalog
entry () {
  local parent=
  [ "$3" = - ] || parent="parent: \"sha256:$3\", "
  cat <<E
  - name: $1
    version: "1"
    group: os
    requires: [$2]
    builds:
      - {${parent}digest: "sha256:$hex", size: $(stat -c %s "$dir/www/$1.qcow2"), urls: [$1.qcow2]}
E
}

mkdir "$dir/www"
catalog=$dir/www/catalog.yaml
printf 'lamina-catalog: 1\nname: bench\ngroups:\n  - {name: os, title: Bench, multiple: true}\nlayers:\n' >"$catalog"
make_layer big "$mib" -
entry big '' - >>"$catalog"
parent=- before=
for i in 1 2 3 4 5 6 7 8; do
  make_layer part$i $((mib / 8)) $parent
  entry part$i "$before" $parent >>"$catalog"
  parent=$hex before=part$i
done

port=$(python3 -c 'import socket; s = socket.socket (); s.bind (("127.0.0.1", 0)); print (s.getsockname ()[1])')
cat >"$dir/nginx.conf" <<E
daemon off;
worker_processes 1;
pid $dir/nginx.pid;
error_log $dir/nginx.log;
events {}
http {
  access_log off;
  sendfile on;
  client_body_temp_path $dir/body;
  proxy_temp_path $dir/proxy;
  fastcgi_temp_path $dir/fastcgi;
  uwsgi_temp_path $dir/uwsgi;
  scgi_temp_path $dir/scgi;
  server { listen 127.0.0.1:$port; root $dir/www; }
}
E
chmod 755 "$dir"
nginx -e "$dir/nginx.log" -c "$dir/nginx.conf" &
server=$!
url=http://127.0.0.1:$port
for i in $(seq 100); do
  curl -sf -o /dev/null "$url/catalog.yaml" && break
  sleep 0.05
done

# measure FILE COMMAND...: runs the command and appends "SECONDS PEAK-KIB" to FILE.
measure () {
  python3 - "$@" <<'E'
import os, sys, time
start = time.monotonic ()
pid = os.fork ()
if pid == 0:
    os.dup2 (os.open (os.devnull, os.O_WRONLY), 1)
    os.execvp (sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4 (pid, 0)
with open (sys.argv[1], "a") as out:
    print ("%.4f %d" % (time.monotonic () - start, usage.ru_maxrss), file=out)
sys.exit (os.waitstatus_to_exitcode (status) != 0)
E
}

median () { sort -n "$1" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }

# compare LABEL NAME...: prints one line with the result; returns 1 if a bound is missed
compare () {
  local label=$1 name files=() urls=()
  shift
  for name; do
    files+=("$dir/www/$name.qcow2")
    urls+=(-o /dev/null "$url/$name.qcow2")
  done
  rm -f "$dir"/*.times
  cat "${files[@]}" >/dev/null
  for ((run = 0; run < runs; run++)); do
    sync
    measure "$dir/curl.times" curl -sfZ --no-progress-meter "${urls[@]}" 2>/dev/null
    if [ -n "$fast" ]; then
      echo 0 >>"$dir/dd.times"
    else
      measure "$dir/dd.times" dd if=/dev/zero of="$dir/written" bs=1M count="$mib" conv=fsync status=none
      rm "$dir/written"
    fi
    sync
    measure "$dir/openssl.times" openssl dgst -sha256 "${files[@]}"
    measure "$dir/pull.times" "$lamina" --state-dir "$state" pull --catalog "$url/catalog.yaml" "$@" 2>"$dir/pull.log" || {
      cat "$dir/pull.log" >&2
      exit 1
    }
    test "$(ls "$state/layers" | wc -l)" = $#
    chattr -R -f -i "$state" 2>/dev/null || true
    rm -rf "$state"
  done
  awk -v label="$label" -v ratio_bound=$ratio_bound -v memory_bound=$memory_bound \
      -v curl="$(median "$dir/curl.times")" -v dd="$(median "$dir/dd.times")" \
      -v openssl="$(median "$dir/openssl.times")" -v pull="$(median "$dir/pull.times")" \
      -v kib="$(cut -d ' ' -f 2 "$dir/pull.times" | sort -n | tail -1)" 'BEGIN {
    slowest = curl > dd ? curl : dd
    slowest = slowest > openssl ? slowest : openssl
    printf "  curl %.2f s, dd %.2f s, openssl %.2f s; lamina pull %.2f s\n", curl, dd, openssl, pull
    printf "%s: ratio %.2f (bound %.2f), peak %.0f MiB (bound %d MiB)\n", label, pull / slowest, ratio_bound, kib / 1024, memory_bound
    exit ! (pull / slowest <= ratio_bound && kib / 1024 <= memory_bound)
  }'
}

gib=$(awk -v mib="$mib" 'BEGIN { if (mib % 1024 == 0) printf "%d GiB", mib / 1024; else printf "%d MiB", mib }')
status=0
compare "pull $gib" big || status=1
compare "pull 8 x $((mib / 8)) MiB" part1 part2 part3 part4 part5 part6 part7 part8 || status=1
if [ "$(stat -f -c %T /dev/shm)" = tmpfs ] && [ "$(df --output=avail -k /dev/shm | tail -n 1)" -gt $((mib * 1280)) ]; then
  fast=$(mktemp -d /dev/shm/lamina-bench.XXXXXX)
  state=$fast/state
  compare "pull 8 x $((mib / 8)) MiB on tmpfs" part1 part2 part3 part4 part5 part6 part7 part8 || status=1
fi
exit $status
