# SPDX-License-Identifier: LGPL-2.1-or-later
# A machine is kept if somebody else uses its files: a clone by virt-clone, a domain
# with its disk, a snapshot. A record alone does not allow to change a domain.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
state=$host/lamina
host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
host_lamina "$host" launch m a c >/dev/null
uuid=$(host_exec "$host" virsh domuuid m | head -n 1)
dir=$state/machines/$uuid

kept () { # DESC REGEX
  local before
  before=$(ls -i "$dir")
  run host_lamina "$host" rm m
  exits 1 "$1: rm refuses"
  like "$err" "$2" "$1: the message says why"
  run host_lamina "$host" launch m a e --replace
  exits 1 "$1: --replace refuses"
  is "$(ls -i "$dir")" "$before" "$1: nothing has changed"
}

disk () { echo "<disk type='file'><driver name='qemu' type='qcow2'/><source file='$1'/><target dev='vda' bus='virtio'/></disk>"; }
other () { # DEVICES
  cat <<END
<domain type='qemu'><name>other</name><memory unit='MiB'>64</memory><os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices>$1</devices></domain>
END
}

# An overlay over the machine's disk, in a domain that is shut off, then running.
qemu-img create -q -f qcow2 -F qcow2 -b "$dir/overlay.qcow2" "$tmp/child.qcow2"
chmod 0666 "$tmp/child.qcow2"
other "$(disk "$tmp/child.qcow2")" >"$tmp/other.xml"
host_exec "$host" virsh -q destroy m
host_exec "$host" virsh -q define "$tmp/other.xml"
kept 'a domain on top of its disk' 'the domain other .*overlay.qcow2'
host_exec "$host" virsh -q undefine other
other "$(disk "$dir/overlay.qcow2")" >"$tmp/other.xml"
host_exec "$host" virsh -q create "$tmp/other.xml"
kept 'a transient domain that runs from its disk' 'the domain other .*overlay.qcow2'
host_exec "$host" virsh -q destroy other

# The same on a block device, which the host knows by a symbolic link, as a logical volume.
truncate -s 16M "$tmp/child.qcow2"
if device=$(losetup --find --show "$tmp/child.qcow2" 2>/dev/null); then
  extra_cleanup () { losetup --detach "$device"; }
  host_exec "$host" mknod /dev/volume b "0x$(stat -c %t "$device")" "0x$(stat -c %T "$device")"
  host_exec "$host" mkdir /dev/group
  host_exec "$host" ln -s ../volume /dev/group/volume
  other "<disk type='block'><driver name='qemu' type='qcow2'/><source dev='/dev/group/volume'/><target dev='vda' bus='virtio'/></disk>" \
    >"$tmp/other.xml"
  host_exec "$host" virsh -q define "$tmp/other.xml"
  kept 'a block device on top of its disk' 'the domain other .*overlay.qcow2'
  host_lamina "$host" pull a e >/dev/null 2>&1
  qemu-img create -q -f qcow2 -F qcow2 -b "$(layer_file "$state" e)" "$device"
  run host_lamina "$host" cache gc --max-size 1B
  exits 8 'cache gc with a layer below a block device: it cannot all be removed'
  ok 'the layer stays' test -e "$(layer_file "$state" e)"
  run host_lamina "$host" cache show e
  like "$out" 'used by +domain other \(shut off' 'cache show says who uses it'
  # A node without a device has no image.
  host_exec "$host" rm /dev/volume
  host_exec "$host" mknod /dev/volume b 255 0
  run host_lamina "$host" cache gc --max-size 1B
  exits 8 'cache gc with a node that has no device'
  ok 'the layer is removed' test ! -e "$(layer_file "$state" e)"
  host_exec "$host" virsh -q undefine other
else
  ok 'a block device on top of a disk # SKIP no loop device' true
fi

# An external snapshot and virt-clone create files next to the disk.
host_exec "$host" virsh -q snapshot-create-as m snap --disk-only --no-metadata
kept 'an external snapshot' 'lamina did not create overlay.snap'
run host_exec "$host" virsh dumpxml m
sed 's/overlay\.snap/overlay.qcow2/' <<<"$out" >"$tmp/m.xml"
host_exec "$host" virsh -q define "$tmp/m.xml"
rm "$dir/overlay.snap"
if command -v virt-clone >/dev/null; then
  run host_exec "$host" virt-clone --original m --auto-clone
  exits 0 'virt-clone creates a clone'
  ok 'in the directory of the machine' eval 'ls "$dir" | grep -q clone'
  kept 'a clone' 'the domain m-clone'
  run host_exec "$host" virsh -q undefine m-clone
  kept "the clone's disk" 'lamina did not create .*clone'
  rm "$dir"/*clone*
else
  ok 'virt-clone makes a clone # SKIP not installed' true
fi

# A record with the UUID of another domain.
other "" >"$tmp/other.xml"
host_exec "$host" virsh -q define "$tmp/other.xml"
host_exec "$host" virsh -q start other
victim=$(host_exec "$host" virsh domuuid other | head -n 1)
mkdir "$state/machines/$victim"
sed "s/$uuid/$victim/g; s/\"name\" *: *\"m\"/\"name\": \"other\"/" "$dir/record.json" >"$state/machines/$victim/record.json"
for verb in 'rm other' 'launch other a c' 'launch other a e --replace' 'define other a c'; do
  run host_lamina "$host" $verb
  exits 1 "$verb with a planted record: refused"
  like "$err" 'metadata does not refer to' 'the message says why'
  ok 'the domain is running' running other
done
rm -r "$state/machines/$victim"
host_exec "$host" virsh -q destroy other
host_exec "$host" virsh -q undefine other

run host_lamina "$host" rm m
exits 0 'once nobody uses it, it can be removed'
is "$(machines_in "$state")" 0 'nothing is left of it'
done_testing
