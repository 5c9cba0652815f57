# SPDX-License-Identifier: LGPL-2.1-or-later
# --replace loses nothing unless the new machine was created: if it fails or is killed
# at any step, the old machine with its disk is kept.
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
is "$err" '' 'and no warning'
run host_lamina "$host" launch m a c --memory 200MiB --replace
exits 0 'other options do not change that'
like "$err" 'same selections, so --replace does not replace it' 'but there is a warning'
ok 'the machine is the same' is_as_before

fails () { # DESC ARGS...
  local desc=$1
  shift
  run host_lamina "$host" launch m a e --replace "$@"
  ok "$desc: it fails" test "$status" -ne 0
  ok "$desc: the old machine is unchanged" is_as_before
  ok "$desc: it runs" running m
  is "$(machines_in "$state")" 1 "$desc: nothing of the new one is left"
}
echo '<domain type="qemu"><name>x</name><nonsense/></domain>' >"$tmp/nonsense.xml"
fails 'a template that libvirt refuses' --template "$tmp/nonsense.xml"
# The old machine is not stopped if it is known before that the new one cannot start.
id=$(host_exec "$host" virsh domid m)
fails 'a network that does not exist' --network network=nowhere
fails 'a bridge that does not exist' --network bridge=nowhere
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
      ok "$point: the old machine is unchanged" is_as_before ;;
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
  ok "$point: it is unchanged" is_as_before
  ok "$point: it runs" running m
  is "$(machines_in "$state")" 1 "$point: nothing of the new one is left"
done

# Nor does a refused launch lose anything, or one whose port was taken in the meantime.
export LAMINA_TEST_FAULT=launch-before-start=kill
run host_lamina "$host" launch m a e --replace
exits 137 'killed before the start'
unset LAMINA_TEST_FAULT
run host_lamina "$host" launch m nonsense
exits 3 'a launch of a layer that does not exist'
ok 'the old machine is unchanged' is_as_before
ok 'it runs' running m

# Killed when the new machine runs: it has the name now, and the old machine's disk is
# removed when the new one is launched.
export LAMINA_TEST_FAULT=launch-after-start=kill
run host_lamina "$host" launch m a e --replace
unset LAMINA_TEST_FAULT
exits 137 'killed after the start'
run host_lamina "$host" launch m a c
exits 9 'the old one cannot be launched any more'
is "$(stat -c %i "$overlay")" "$inode" 'its disk still exists'
run host_lamina "$host" launch m a e --wait=120
exits 0 'the new machine can be launched'
ok 'it is a different machine' test "$(uuid)" != "$first"
is "$(markers_of m)" 'a e ' 'with the other layers'
is "$(machines_in "$state")" 1 'nothing of the old one is left'

# rm after a kill removes both.
export LAMINA_TEST_FAULT=replace-after-undefine=kill
run host_lamina "$host" launch m a c --replace
unset LAMINA_TEST_FAULT
run host_lamina "$host" rm m
exits 0 'rm after a killed replacement'
is "$(machines_in "$state")" 0 'no machine is left'
ok 'no domain is left' eval '! defined m'
is "$(locks)" 0 'no lock is left'

# A machine whose domain was undefined, and a transient one.
host_lamina "$host" define m a c >/dev/null
host_exec "$host" virsh -q undefine m
run host_lamina "$host" launch m a c
exits 1 'a disk without a domain is not removed'
like "$err" 'no longer exists, but its disk does.*rm m' 'the message says that and what to do'
export LAMINA_TEST_FAULT=launch-before-define=eio
run host_lamina "$host" launch m a c --replace
unset LAMINA_TEST_FAULT
ok 'a failed replacement of it' test "$status" -ne 0
is "$(machines_in "$state")" 1 'keeps the disk'
run host_lamina "$host" launch m a c --replace --transient
exits 0 'it is replaced by a transient machine'
first=$(uuid)
export LAMINA_TEST_FAULT=launch-before-commit=eio
run host_lamina "$host" launch m a e --replace
unset LAMINA_TEST_FAULT
exits 1 'a failed replacement of that'
is "$(uuid)" "$first" 'keeps it'
ok 'it runs' running m
run host_lamina "$host" launch m a e --replace
exits 0 'a successful replacement'
ok 'replaces it' eval '[ "$(uuid)" != "$first" ] && running m'
is "$(machines_in "$state")" 1 'and leaves nothing of the old machine'
done_testing
