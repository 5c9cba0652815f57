# SPDX-License-Identifier: LGPL-2.1-or-later
# Cached layers stay root's own, also under a domain that lamina did not write and that
# says nothing about its backing chain: by the immutable flag, or else lamina takes them
# back, the hook at the start and every lamina later.
. "$(dirname "$0")/../lib/integration.sh"
. "$(dirname "$0")/../lib/hook.sh"
need_hosts
: >"$tmp/probe"
chattr +i "$tmp/probe" 2>/dev/null || skip_all 'needs a file system with the immutable flag'
tiny
# A file system without the flag, of which df would say that it has no space.
mkdir "$tmp/flagless"
mount -t ramfs none "$tmp/flagless"
chmod 0755 "$tmp/flagless"
extra_cleanup () { umount "$tmp/flagless"; }
install_hook one
new_host one

look () { stat -c '%U:%G %a' "$1"/layers/* | sort -u; }
flags () { lsattr "$1"/layers/* 2>/dev/null | cut -c5 | sort -u; }
pull () { host_lamina "$host" --state-dir "$1" "${@:2}" pull a c --catalog "$tiny/catalog.yaml"; }

# start_by_hand STATE: starts the domain "hand" on an overlay over the layer c, as somebody
# writes it who has never heard of backing chains.
start_by_hand () {
  qemu-img create -q -f qcow2 -F qcow2 -b "$(layer_file "$1" c)" "$1/hand.qcow2"
  cat >"$tmp/hand.xml" <<END
<domain type='qemu'><name>hand</name><memory unit='MiB'>64</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='$1/hand.qcow2'/>
<target dev='vda' bus='virtio'/></disk></devices></domain>
END
  run host_exec "$host" virsh -q create "$tmp/hand.xml"
  exits 0 'a domain without a backing chain in its XML starts'
}
stop_by_hand () { host_exec "$host" virsh -q destroy hand; rm -f "$1/hand.qcow2"; }

state=$tmp/state
run pull "$state"
exits 0 'layers are pulled'
is "$(look "$state")" 'root:root 444' 'the layers are root:root 0444'
start_by_hand "$state"
is "$(look "$state") $(flags "$state")" 'root:root 444 i' 'while it runs, the layers are root:root 0444 and immutable'
ok 'QEMU runs as another user' eval '[ "$(host_exec "$host" ps -o user= -p "$(host_exec "$host" pgrep -f guest=hand,)" | cut -c1-8)" = libvirt- ]'
run host_exec "$host" virsh blockcommit hand vda --wait
ok 'it cannot commit its disk to the layer' test "$status" -ne 0
stop_by_hand "$state"
is "$(look "$state") $(flags "$state")" 'root:root 444 i' 'and after it was stopped'
ok 'they are intact' cache_is_intact "$state"
ok 'they cannot be removed by hand' eval '! rm -rf "$state/layers" 2>/dev/null'

# Layers without the flag, as an older version left them, get it.
printf '[lamina]\nimmutable = no\n' >"$tmp/no.conf"
state=$tmp/old
run pull "$state" --config "$tmp/no.conf"
exits 0 'layers are pulled with immutable = no'
is "$(flags "$state")" - 'they are not immutable'
start_by_hand "$state"
like "$(look "$state")" 'libvirt-qemu' 'libvirt gives them away'
stop_by_hand "$state"
run pull "$state"
exits 0 'the next lamina finds them'
like "$out" 'nothing to pull' 'and has nothing to pull'
is "$(look "$state") $(flags "$state")" 'root:root 444 i' 'it has taken them back, and they are immutable'
start_by_hand "$state"
is "$(look "$state") $(flags "$state")" 'root:root 444 i' 'now libvirt leaves them alone'
stop_by_hand "$state"

# Without the flag they are taken back each time, and read once.
state=$tmp/flagless/state
export LAMINA_TEST_FREE=1000000000
run pull "$state"
exits 0 'layers are pulled to a file system without the flag'
touch -d '1 hour ago' "$state"/layers/* # the result of reading a file that was changed just now is not kept
run pull "$state"
is "$(look "$state") $(flags "$state")" 'root:root 444 ' 'they are root:root 0444'
# What plan finds out within two seconds after libvirt's change is not kept for later runs.
is_past () { [ "$(($(date +%s) - $(stat -c %Z "$(layer_file "$state" c)")))" -gt 2 ]; }
start_by_hand "$state"
like "$(look "$state")" 'libvirt-qemu' 'libvirt gives them away'
wait_for 10 is_past
LAMINA_TRACE=cache run pull "$state"
exits 0 'lamina finds them while the domain runs'
is "$(look "$state")" 'root:root 444' 'and takes them back'
is "$(grep -c 'reading it' <<<"$err")" 2 'each of the two was read once'
LAMINA_TRACE=cache run pull "$state"
is "$(grep -c 'reading it' <<<"$err")" 0 'and not again'
ok 'the domain runs on' running hand
stop_by_hand "$state"
is "$(look "$state")" 'root:root 444' 'they are still root:root 0444 after it was stopped'

# The hook takes them back while the domain starts, if that refers to lamina.
printf '%s\n' "LAMINA_STATE_DIR=$state" "LAMINA_TEST_FREE=$LAMINA_TEST_FREE" >"$tmp/hook.env"
host_lamina "$host" --state-dir "$state" catalog add tiny "$tiny/catalog.yaml" >/dev/null
uuid=11111111-2222-4333-8444-555555555555
domain_xml own "$uuid" "<lamina:machine $lamina_ns><lamina:select>a</lamina:select><lamina:select>c</lamina:select></lamina:machine>" \
  "$state/machines/$uuid/overlay.qcow2" >"$tmp/own.xml"
virsh define "$tmp/own.xml"
virsh start own
exits 0 'a domain written by hand, with selections, starts'
is "$(look "$state")" 'root:root 444' 'the layers are root:root 0444 as soon as it runs'
ok 'libvirt had given them away' eval '[ "$(stat -c %Z "$(layer_file "$state" c)")" -ge "$(stat -c %Y "$tmp/own.xml")" ]'
is "$(host_exec "$host" virsh -q domblklist own | awk '{ print $2 }')" "$state/machines/$uuid/overlay.qcow2" 'it runs on its overlay'
host_exec "$host" virsh -q destroy own
is "$(look "$state")" 'root:root 444' 'and after it was stopped'
# A label of another device looks as if the XML had one for each layer.
: >"$tmp/cd.iso"
cd="<disk type='file' device='cdrom'><source file='$tmp/cd.iso'><seclabel model='dac' relabel='no'/></source><target dev='sda' bus='sata'/></disk>"
sed -i "s,</devices>,$cd&," "$tmp/own.xml"
virsh define "$tmp/own.xml"
virsh start own
exits 0 'it starts with a device that is not to be labelled'
is_roots () { [ "$(look "$state")" = 'root:root 444' ]; }
ok 'the layers are taken back nevertheless' wait_for 20 is_roots
host_exec "$host" virsh -q destroy own
unset LAMINA_TEST_FREE
ok 'they are intact' cache_is_intact "$state"
done_testing
