# SPDX-License-Identifier: LGPL-2.1-or-later
# virsh migrate between two libvirtd: the hook of the destination pulls the layers and
# creates the overlay, so that libvirt needs to copy only what the guest wrote. The guests
# do not boot; a pattern in the overlay stands for what they write.
. "$(dirname "$0")/../lib/integration.sh"
. "$(dirname "$0")/../lib/hook.sh"
need_hosts
tiny
serve "$tiny"
# Both hosts have the state directory under the same path, which is a directory of their
# own. libvirt tells hosts apart by their UUIDs.
state=/var/lib/libvirt/lamina
for name in two one; do
  install_hook "$name"
  echo "host_uuid = \"$(cat /proc/sys/kernel/random/uuid)\"" >"$tmp/$name/libvirtd.conf"
  new_host "$name"
  host_lamina "$host" --state-dir "$state" catalog add tiny "$http_url/catalog.yaml" >/dev/null
done
echo "LAMINA_STATE_DIR=$state" >"$tmp/hook.env"
one=$tmp/one two=$tmp/two
lamina_on () { host_exec "$1" "$LAMINA" --state-dir "$state" "${@:2}"; }
state_on () { host_exec "$1" virsh domstate "$2" 2>/dev/null | head -n 1; }
layers_on () { ls "$1/lib-libvirt/lamina/layers" 2>/dev/null | wc -l; }
write_on () { host_exec "$1" qemu-io -f qcow2 -c "write -P $3 1M 64k" "$2" >/dev/null; }
reads_on () {
  run host_exec "$1" qemu-io -r -U -f qcow2 -c "read -P $3 1M 64k" "$2"
  grep -q '^read 65536/65536' <<<"$out" && ! grep -q 'verification failed' <<<"$out"
}

# migrate NAME OPTION...: by a client that can reach both.
uri_of () { echo "qemu+unix:///system?socket=/proc/$(<"$1/init.pid")/root/run/libvirt/libvirt-sock"; }
migrate () {
  : >"$tmp/operations"
  run command virsh -c "$(uri_of "$one")" -q migrate "$1" "$(uri_of "$two")" --persistent "${@:2}"
}
migrate_live () {
  migrate "$1" --live --copy-storage-inc --migrateuri "tcp://127.0.0.1:$(free_port)" --disks-port "$(free_port)"
}

run lamina_on "$one" define m a c --memory 32
exits 0 'a machine is defined'
overlay=$(lamina_on "$one" show m --json | json 'd["overlay"]')
write_on "$one" "$overlay" 0x5a
virsh start m
exits 0 'and started'
http_stop "$http_dir"
migrate_live m
ok 'it does not migrate to a host that cannot pull its layers' [ "$status" -ne 0 ]
like "$err" 'lamina: m cannot (start|migrate): layer ' 'the message says why'
is "$(state_on "$one" m) $(state_on "$two" m)" 'running ' 'the guest runs on where it was'
is "$(ls "$two/lib-libvirt/lamina/machines" 2>/dev/null | grep -vc lock)" 0 'and nothing of it is left on the other host'

serve "$tiny"
for item in one two; do
  lamina_on "$tmp/$item" catalog remove tiny >/dev/null
  lamina_on "$tmp/$item" catalog add tiny "$http_url/catalog.yaml" >/dev/null
done
migrate_live m
exits 0 'virsh migrate --live --copy-storage-inc'
is "$(head -n 2 "$tmp/operations")" $'m migrate begin -\nm prepare begin -' 'libvirt called the hook of the destination'
is "$(http_count "$http_dir" c.qcow2) $(layers_on "$two")" '1 2' 'which pulled the layers'
is "$(state_on "$one" m) $(state_on "$two" m)" 'shut off running' 'the guest runs there'
run lamina_on "$two" ps
like "$out" '^m +running +a 1.0 \+ c 1.0' 'ps lists it there'
host_exec "$two" virsh -q destroy m
ok 'its disk has what was written' reads_on "$two" "$overlay" 0x5a
is "$(host_exec "$two" qemu-img info --output=json "$overlay" | json 'd["backing-filename"].split("/")[-1]')" \
  "sha256-$(<"$tiny/c.digest").qcow2" 'and stands on the layers'
run lamina_on "$one" rm m
exits 0 'rm removes it from the first host'
host_exec "$two" virsh -q start m
is "$(state_on "$two" m)" running 'it starts on the second'
ok 'with its disk' reads_on "$two" "$overlay" 0x5a

# Offline: only the definition goes.
run lamina_on "$one" define still a e --memory 32
overlay=$(lamina_on "$one" show still --json | json 'd["overlay"]')
write_on "$one" "$overlay" 0x6b
migrate still --offline
exits 0 'virsh migrate --offline'
is "$(http_count "$http_dir" e.qcow2) $(layers_on "$two")" '2 3' 'each host pulled the layer'
ok 'the disk is a new one' eval '! reads_on "$two" "$overlay" 0x6b'
cp "$one/lib-libvirt/${overlay#/var/lib/libvirt/}" "$two/lib-libvirt/${overlay#/var/lib/libvirt/}"
host_exec "$two" virsh -q start still
is "$(state_on "$two" still)" running 'it starts'
ok 'with the disk that was copied' reads_on "$two" "$overlay" 0x6b

# An ephemeral machine would lose its disk.
run lamina_on "$one" launch brief a c --ephemeral --memory 32
exits 0 'an ephemeral machine is launched'
migrate_live brief
ok 'it does not migrate' [ "$status" -ne 0 ]
like "$err" 'lamina: brief cannot migrate: it is ephemeral' 'the message says why'
is "$(state_on "$one" brief) $(state_on "$two" brief)" 'running ' 'it runs on'
done_testing
