# SPDX-License-Identifier: LGPL-2.1-or-later
# Killed at each fault point and run again: all is well, and the store is as if
# nothing had happened.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
points=$(grep -rhoE --include='*.c' 'lm_fault_point \("[a-z0-9-]+"' "$top/src" | sed 's/.*"\(.*\)"/\1/' | sort -u)
[ -n "$points" ] || { echo 'Bail out! no fault points in the sources'; exit 1; }

printf '#cloud-config\n' >"$tmp/user-data"
reached=0
number=0
for point in $points; do
  for action in kill enospc; do
    number=$((number + 1))
    state=$tmp/state$number
    name=m$number
    host_lamina "$host" --state-dir "$state" catalog add tiny "$http_url/catalog.yaml" >/dev/null
    export LAMINA_TEST_FAULT=$point=$action
    run host_lamina "$host" --state-dir "$state" launch "$name" a c --cloud-init "user-data=$tmp/user-data"
    unset LAMINA_TEST_FAULT
    case $action:$status in
      kill:137|enospc:8) reached=$((reached + 1)) ;;
      *:0)
        ok "$point=$action is not on the way of a launch" true
        host_lamina "$host" --state-dir "$state" rm "$name" >/dev/null 2>&1
        rm -rf "$state"
        continue ;;
      *) exits 8 "$point=$action has a status that means something" ;;
    esac
    ok "$point=$action: the store is sound at once" store_is_sound "$state"
    [ "$action" = kill ] || ok "$point=$action: no domain is left" eval '! defined "$name"'
    run host_lamina "$host" --state-dir "$state" launch "$name" a c --cloud-init "user-data=$tmp/user-data"
    exits 0 "$point=$action: launched when run again"
    ok "$point=$action: it runs" running "$name"
    is "$(cd "$state/layers" && ls | xargs)" \
      "$(for n in a c; do echo "sha256-$(cat "$tiny/$n.digest").qcow2"; done | sort | xargs)" "$point=$action: both layers are there"
    is "$(machines_in "$state")" 1 "$point=$action: one machine is in the state directory"
    is "$(find "$state/partial" -name '*.part' 2>/dev/null | wc -l)" 0 "$point=$action: no part is left"
    ok "$point=$action: the store is sound" store_is_sound "$state"
    run host_lamina "$host" --state-dir "$state" rm "$name"
    exits 0 "$point=$action: removed"
    rm -rf "$state"
  done
done
ok 'most of the points were reached' test "$reached" -ge 10

# rm killed and run again.
state=$tmp/rm
host_lamina "$host" --state-dir "$state" catalog add tiny "$http_url/catalog.yaml" >/dev/null
for point in erase-before-record; do
  host_lamina "$host" --state-dir "$state" launch gone a c >/dev/null
  export LAMINA_TEST_FAULT=$point=kill
  run host_lamina "$host" --state-dir "$state" rm gone
  unset LAMINA_TEST_FAULT
  exits 137 "rm is killed at $point"
  run host_lamina "$host" --state-dir "$state" rm gone
  run host_lamina "$host" --state-dir "$state" launch gone a c
  exits 0 "$point: the name can be used again"
  run host_lamina "$host" --state-dir "$state" rm gone
  exits 0 "$point: removed"
  is "$(machines_in "$state")" 0 "$point: nothing is left"
done
done_testing
