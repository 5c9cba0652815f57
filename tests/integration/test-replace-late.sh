# SPDX-License-Identifier: LGPL-2.1-or-later
# Changes while --replace pulls layers and creates disks are noticed before the old
# machine is stopped: then it is not changed, and nothing of the new one is left.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
state=$host/lamina
host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
host_lamina "$host" pull a c e >/dev/null 2>&1
virsh () { host_exec "$host" virsh -q "$@"; }
uuid () { virsh domuuid "$1" 2>/dev/null | head -n 1; }

# begin [ARGS...]: launches the old machine, and its replacement up to the last checks.
begin () {
  run host_lamina "$host" launch m a c
  exits 0 'the old machine is launched'
  old=$(uuid m)
  overlay=$state/machines/$old/overlay.qcow2
  inode=$(stat -c %i "$overlay")
  stop_at overlay-before-publish launch m a e --replace "$@"
}
# refused STATUS REGEX DESC [NAME]
refused () {
  local id
  id=$(virsh domid "${4:-m}")
  go_on
  exits "$1" "$3: the replacement is refused"
  like "$err" "$2" "$3: the message says why"
  is "$(uuid "${4:-m}")" "$old" "$3: the old machine exists"
  is "$(virsh domid "${4:-m}")" "$id" "$3: it was neither stopped nor started"
  is "$(stat -c %i "$overlay")" "$inode" "$3: it has its disk"
  is "$(machines_in "$state")" 1 "$3: nothing of the new one is left"
  is "$(json 'd["state"]' <"$state/machines/$old/record.json")" complete "$3: its record is complete"
}

begin
virsh managedsave m
refused 1 'has a saved state' 'a saved state'
is "$(virsh dominfo m | sed -n 's/^Managed save: *//p')" yes 'a saved state: it is kept'
begin
virsh dumpxml --inactive m >"$tmp/m.xml"
virsh snapshot-create-as m s1 --disk-only
refused 1 'overlay\.s1|saved state, snapshots' 'an external snapshot'
ok 'an external snapshot: the old machine still runs' running m
is "$(virsh snapshot-list m --name | xargs)" s1 'an external snapshot: it is kept'
virsh snapshot-delete m s1 --metadata
virsh destroy m
virsh define "$tmp/m.xml"
rm "$state/machines/$old/overlay.s1"

begin
virsh destroy m
virsh domrename m m2
refused 1 'renamed to m2' 'another name' m2
virsh domrename m2 m

port=$(free_port)
begin --publish "$port:80"
hold_port "$port"
refused 4 "port $port of 127.0.0.1 is in use" 'a port that was taken'
release_port
ok 'a port that was taken: the old machine still runs' running m
begin
cp "$overlay" "$state/machines/$old/copy.qcow2"
refused 1 'did not create copy.qcow2' 'a file beside the disk'
rm "$state/machines/$old/copy.qcow2"

# A transient machine that had stopped, so that --replace was not needed, is started again.
host_lamina "$host" rm m >/dev/null
host_lamina "$host" launch m a c --transient >/dev/null 2>&1
old=$(uuid m)
overlay=$state/machines/$old/overlay.qcow2
inode=$(stat -c %i "$overlay")
virsh dumpxml m >"$tmp/m.xml"
virsh destroy m
stop_at overlay-before-publish launch m a e
virsh create "$tmp/m.xml"
refused 1 'has been created again' 'a transient one that was started'
ok 'a transient one that was started: it still runs' running m
host_lamina "$host" rm m >/dev/null
done_testing
