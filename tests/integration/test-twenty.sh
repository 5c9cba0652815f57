# SPDX-License-Identifier: LGPL-2.1-or-later
# Twenty processes launch from one missing chain at once: one transfer of each
# file, twenty machines.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
run host_lamina "$host" catalog add tiny "$http_url/catalog.yaml"

pids=()
for i in $(seq 20); do
  host_lamina "$host" launch "m$i" a c g --memory 96MiB >"$tmp/out.$i" 2>&1 &
  pids+=($!)
done
bad=0
for i in $(seq 20); do
  wait "${pids[i - 1]}" || { bad=$((bad + 1)); diag "m$i: $(cat "$tmp/out.$i")"; }
done
is "$bad" 0 'all twenty launches succeed'
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
ok 'the store is sound' store_is_sound "$host/lamina"
is "$(find "$host/lamina/layers" -name "sha256-*" | wc -l)" 3 'three layers are in the cache'
done_testing
