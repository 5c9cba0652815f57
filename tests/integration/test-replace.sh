# SPDX-License-Identifier: LGPL-2.1-or-later
# --replace loses nothing unless the new machine came to be: failed or killed at
# any step, the old one is there with its disk.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
state=$host/lamina
host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
host_lamina "$host" pull a c e >/dev/null 2>&1
uuid () { host_exec "$host" virsh domuuid m 2>/dev/null | head -n 1; }
autostarts () { host_exec "$host" virsh dominfo m | grep -q '^Autostart: *enable'; }
locks () { find "$state/machines" -name '*.lock' | wc -l; }

run host_lamina "$host" launch m a c --autostart
exits 0 'launched'
first=$(uuid)
overlay=$state/machines/$first/overlay.qcow2
inode=$(stat -c %i "$overlay")
is_as_before () { [ "$(uuid)" = "$first" ] && [ "$(stat -c %i "$overlay")" = "$inode" ] && autostarts; }

run host_lamina "$host" launch m a c --replace
exits 0 'with the same selections there is nothing to replace'
is "$err" '' 'which is no reason to warn'
run host_lamina "$host" launch m a c --memory 200MiB --replace
exits 0 'other options do not change that'
like "$err" 'same selections, so --replace does not replace it' 'but a warning says so'
ok 'the machine is the same' is_as_before

fails () { # DESC ARGS...
  local desc=$1
  shift
  run host_lamina "$host" launch m a e --replace "$@"
  ok "$desc: it fails" test "$status" -ne 0
  ok "$desc: the old machine is as before" is_as_before
  ok "$desc: it runs" running m
  is "$(machines_in "$state")" 1 "$desc: nothing of the new one is left"
}
echo '<domain type="qemu"><name>x</name><nonsense/></domain>' >"$tmp/nonsense.xml"
fails 'a template that makes no machine' --template "$tmp/nonsense.xml"
# What can be known before is no reason to stop it.
id=$(host_exec "$host" virsh domid m)
fails 'a network that is not there' --network network=nowhere
fails 'a bridge that is not there' --network bridge=nowhere
port=$(free_port)
hold_port "$port"
fails 'a port in use' --publish "$port:80"
is "$(host_exec "$host" virsh domid m)" "$id" 'the old machine was not stopped for these'
for point in record-before-write overlay-before-publish replace-before-undefine replace-after-undefine \
  launch-before-define launch-after-define launch-before-start launch-after-start launch-before-commit; do
  export LAMINA_TEST_FAULT=$point=eio
  case $point in
    record-before-write) # the old one's record cannot be written either
      run host_lamina "$host" launch m a e --replace
      ok "$point: it fails" test "$status" -ne 0
      ok "$point: the old machine is as before" is_as_before ;;
    *) fails "$point fails" ;;
  esac
  unset LAMINA_TEST_FAULT
done

for point in record-after-write overlay-before-publish replace-before-undefine replace-after-undefine \
  launch-before-define launch-after-define launch-before-start; do
  export LAMINA_TEST_FAULT=$point=kill
  run host_lamina "$host" launch m a e --replace
  unset LAMINA_TEST_FAULT
  exits 137 "$point: killed"
  run host_lamina "$host" launch m a c
  exits 0 "$point: the old machine can be launched"
  ok "$point: it is as before" is_as_before
  ok "$point: it runs" running m
  is "$(machines_in "$state")" 1 "$point: nothing of the new one is left"
done

# A launch that is refused loses nothing either, nor one whose port was taken meanwhile.
export LAMINA_TEST_FAULT=launch-before-start=kill
run host_lamina "$host" launch m a e --replace
exits 137 'killed before the start'
unset LAMINA_TEST_FAULT
run host_lamina "$host" launch m nonsense
exits 3 'a launch of what there is not'
ok 'the old machine is as before' is_as_before
ok 'it runs' running m

# Killed when the new one runs: it is the machine now, and the old one's disk goes
# when that is launched.
export LAMINA_TEST_FAULT=launch-after-start=kill
run host_lamina "$host" launch m a e --replace
unset LAMINA_TEST_FAULT
exits 137 'killed after the start'
run host_lamina "$host" launch m a c
exits 1 'the old one is another machine now'
is "$(stat -c %i "$overlay")" "$inode" 'and its disk is there'
run host_lamina "$host" launch m a e --wait=120
exits 0 'the new machine can be launched'
ok 'it is another' test "$(uuid)" != "$first"
is "$(markers_of m)" 'a e ' 'made of the other layers'
is "$(machines_in "$state")" 1 'nothing of the old one is left'

# rm after a kill takes both away.
export LAMINA_TEST_FAULT=replace-after-undefine=kill
run host_lamina "$host" launch m a c --replace
unset LAMINA_TEST_FAULT
run host_lamina "$host" rm m
exits 0 'rm after a killed replacement'
is "$(machines_in "$state")" 0 'nothing is left'
ok 'no domain either' eval '! defined m'
is "$(locks)" 0 'nor a lock'

# A domain that somebody undefined, and a transient one.
host_lamina "$host" define m a c >/dev/null
host_exec "$host" virsh -q undefine m
run host_lamina "$host" launch m a c
exits 1 'a disk without its domain is not thrown away'
like "$err" 'no longer exists, but its disk does.*rm m' 'it says so, and what to do'
export LAMINA_TEST_FAULT=launch-before-define=eio
run host_lamina "$host" launch m a c --replace
unset LAMINA_TEST_FAULT
ok 'a failed replacement of it' test "$status" -ne 0
is "$(machines_in "$state")" 1 'leaves the disk'
run host_lamina "$host" launch m a c --replace --transient
exits 0 'replaced by a transient one'
first=$(uuid)
export LAMINA_TEST_FAULT=launch-before-commit=eio
run host_lamina "$host" launch m a e --replace
unset LAMINA_TEST_FAULT
exits 1 'a failed replacement of that'
is "$(uuid)" "$first" 'leaves it'
ok 'running' running m
run host_lamina "$host" launch m a e --replace
exits 0 'and a good one'
ok 'replaces it' eval '[ "$(uuid)" != "$first" ] && running m'
is "$(machines_in "$state")" 1 'wholly'
done_testing
