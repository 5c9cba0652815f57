# SPDX-License-Identifier: LGPL-2.1-or-later
# Twenty processes launch from the same missing chain at the same time: each file is
# transferred once, and there are twenty machines. A pull of more than a minute goes on
# meanwhile, and the exclusive lock of the cache can always be acquired within a second.
# Then twenty at the same time, several times, from cached layers.
# About guests: skipped with sanitizers.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
run host_lamina "$host" catalog add tiny "$http_url/catalog.yaml"

state=$host/lamina
serve_badly "$tiny"
size=$(stat -c %s "$tiny/b.qcow2")
catalog_of "$bad_url/rate:$((size / 70))/b.qcow2" "$(digest_of b)" "$size" >"$tmp/slow.yaml"
"$LAMINA" --state-dir "$state" --catalog "$tmp/slow.yaml" pull x >"$tmp/slow.out" 2>&1 &
slow=$!
slow_begins () { grep -q 'GET /rate:.*/b.qcow2' "$bad_log"; }
ok 'a pull of more than a minute begins' wait_for 20 slow_begins

pids=()
for i in $(seq 20); do
  host_lamina "$host" launch "m$i" a c g --memory 96MiB >"$tmp/out.$i" 2>&1 &
  pids+=($!)
done
# Takes the exclusive lock again and again, until the last launch has ended.
(
  while [ ! -e "$tmp/launched" ]; do
    flock --exclusive --timeout 1 "$state/lock" true && echo in || echo late
    sleep 0.1
  done
) >"$tmp/locked" &
locker=$!
bad=0
for i in $(seq 20); do
  wait "${pids[i - 1]}" || { bad=$((bad + 1)); diag "m$i: $(cat "$tmp/out.$i")"; }
done
is "$bad" 0 'all twenty launches succeed'
ok 'the slow pull still goes on' kill -0 "$slow"
: >"$tmp/launched"
wait "$locker"
diag "the cache was locked $(grep -c in "$tmp/locked") times"
is "$(grep -c late "$tmp/locked")" 0 'the exclusive lock is always acquired within a second'
ok 'and was acquired many times' [ "$(grep -c in "$tmp/locked")" -ge 10 ]
kill -TERM "$slow"
wait "$slow"
like "$(cat "$tmp/slow.out")" interrupted "the slow pull can be interrupted"
for file in a.qcow2 c.qcow2 g.qcow2 vmlinuz initrd; do
  is "$(http_count "$http_dir" "$file")" 1 "$file was transferred once"
done
is "$(host_exec "$host" virsh -q list --state-running | wc -l)" 20 'twenty domains run'
all_up () { [ "$(cat "$host"/lamina/machines/*/*.log | grep -c '^LAMINA-READY')" -eq 20 ]; }
ok 'all twenty guests come up' wait_for 300 all_up
for log in "$host"/lamina/machines/*/*.log; do
  grep -q '^LAMINA-READY' "$log" || diag "$log: $(tail -n 20 "$log")"
done
is "$(cat "$host"/lamina/machines/*/*.log | grep -c '^LAMINA-LAYER g ')" 20 'and each sees the topmost layer'
ok 'the cache is intact' cache_is_intact "$host/lamina"
is "$(find "$host/lamina/layers" -name "sha256-*" | wc -l)" 3 'three layers are in the cache'

bad=0
for round in 1 2 3 4; do
  pids=()
  for i in $(seq 20); do
    host_lamina "$host" define "d$round-$i" a c g --memory 96MiB >"$tmp/out.$i" 2>&1 &
    pids+=($!)
  done
  for i in $(seq 20); do
    wait "${pids[i - 1]}" || { bad=$((bad + 1)); diag "d$round-$i: $(cat "$tmp/out.$i")"; }
  done
done
is "$bad" 0 'eighty machines are defined, twenty at once'
is "$(find "$host/lamina/machines" -mindepth 1 -maxdepth 1 -type d | wc -l)" 100 'each has its directory, and nothing else is left'
done_testing
