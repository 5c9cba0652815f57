# SPDX-License-Identifier: LGPL-2.1-or-later
# lamina is killed at each fault point and run again: then everything is as if
# it had not been killed.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one

# The fault points that each scenario must reach; it is a failure if it does not.
launch_points='part-reserve part-before-write part-after-write part-before-sync part-after-sync publish-before-rename
  publish-after-rename part-after-publish file-write record-before-write record-after-write overlay-before-publish
  seed-before-publish launch-before-define launch-after-define launch-before-start launch-after-start
  launch-before-commit'
replace_points='replace-before-undefine replace-after-undefine'
rm_points='remove-before-undefine remove-after-undefine erase-before-record'
while read -r point; do
  [[ " $launch_points $replace_points $rm_points " =~ [[:space:]]$point[[:space:]] ]] \
    || ok "the fault point $point is in a test" grep -rqw --exclude=test-faults.sh -e "$point" "$top/tests"
done < <(grep -rhoE --include='*.c' 'lm_fault_point \("[a-z0-9-]+"' "$top/src" | sed 's/.*"\(.*\)"/\1/' | sort -u)

printf '#cloud-config\n' >"$tmp/user-data"
number=0
for point in $launch_points; do
  for action in kill enospc; do
    number=$((number + 1))
    state=$tmp/state$number
    name=m$number
    host_lamina "$host" --state-dir "$state" catalog add tiny "$http_url/catalog.yaml" >/dev/null
    export LAMINA_TEST_FAULT=$point=$action
    run host_lamina "$host" --state-dir "$state" launch "$name" a c --cloud-init "user-data=$tmp/user-data"
    unset LAMINA_TEST_FAULT
    if [ "$action" = kill ]; then exits 137 "$point: killed"; else exits 8 "$point: no space"; fi
    ok "$point=$action: the cache is intact immediately" cache_is_intact "$state"
    [ "$action" = kill ] || ok "$point=$action: no domain is left" eval '! defined "$name"'
    run host_lamina "$host" --state-dir "$state" launch "$name" a c --cloud-init "user-data=$tmp/user-data"
    exits 0 "$point=$action: the next launch succeeds"
    ok "$point=$action: it runs" running "$name"
    is "$(cd "$state/layers" && ls | xargs)" \
      "$(for n in a c; do echo "sha256-$(cat "$tiny/$n.digest").qcow2"; done | sort | xargs)" "$point=$action: both layers are there"
    is "$(machines_in "$state")" 1 "$point=$action: one machine is in the state directory"
    is "$(find "$state/partial" -name '*.part' 2>/dev/null | wc -l)" 0 "$point=$action: no part is left"
    ok "$point=$action: the cache is intact" cache_is_intact "$state"
    run host_lamina "$host" --state-dir "$state" rm "$name"
    exits 0 "$point=$action: removed"
    remove_tree "$state"
  done
done

# --replace fails for lack of space at one of its own fault points: the old machine is unchanged.
state=$tmp/replace
host_lamina "$host" --state-dir "$state" catalog add tiny "$http_url/catalog.yaml" >/dev/null
host_lamina "$host" --state-dir "$state" launch old a c >/dev/null
first=$(host_exec "$host" virsh domuuid old)
for point in $replace_points; do
  for action in enospc kill; do
    export LAMINA_TEST_FAULT=$point=$action
    run host_lamina "$host" --state-dir "$state" launch old a e --replace
    unset LAMINA_TEST_FAULT
    if [ "$action" = kill ]; then exits 137 "$point: killed"; else exits 8 "$point: no space"; fi
    run host_lamina "$host" --state-dir "$state" launch old a c
    exits 0 "$point=$action: the old machine is launched"
    is "$(host_exec "$host" virsh domuuid old)" "$first" "$point=$action: it is the same one"
    is "$(machines_in "$state")" 1 "$point=$action: nothing of the new one is left"
  done
done
host_lamina "$host" --state-dir "$state" rm old >/dev/null
# rm is killed and run again.
state=$tmp/rm
host_lamina "$host" --state-dir "$state" catalog add tiny "$http_url/catalog.yaml" >/dev/null
for point in $rm_points; do
  host_lamina "$host" --state-dir "$state" launch gone a c >/dev/null
  export LAMINA_TEST_FAULT=$point=kill
  run host_lamina "$host" --state-dir "$state" rm gone
  unset LAMINA_TEST_FAULT
  exits 137 "rm is killed at $point"
  run host_lamina "$host" --state-dir "$state" launch gone a c
  exits 0 "$point: the name can be used again"
  run host_lamina "$host" --state-dir "$state" rm gone
  exits 0 "$point: removed"
  is "$(machines_in "$state")" 0 "$point: nothing is left"
done
done_testing
