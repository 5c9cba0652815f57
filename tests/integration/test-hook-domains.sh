# SPDX-License-Identifier: LGPL-2.1-or-later
# Domains that lamina did not create: printed by "lamina xml", or written by hand with
# selections in the metadata. The hook makes machines of them when they start.
. "$(dirname "$0")/../lib/integration.sh"
. "$(dirname "$0")/../lib/hook.sh"
need_hosts
tiny
serve "$tiny"
install_hook one
new_host one
state=$host/lamina
host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
stop () { host_exec "$host" virsh -q destroy "$1" >/dev/null 2>&1; }
inode () { stat -c %i "$1" 2>/dev/null; }

# lamina xml
host_lamina "$host" plan a c >/dev/null # also writes the index of the catalog
before=$(find "$state" | sort)
run host_lamina "$host" xml web a c --disk size=1 --memory 96
exits 0 'lamina xml'
is "$(find "$state" | sort)" "$before" 'it creates nothing'
echo "$out" >"$tmp/web.xml"
like "$out" '<lamina:select>c</lamina:select>' 'the metadata has the selections'
like "$out" "<lamina:layer digest=\"$(digest_of c)\"" 'and the exact chain'
virsh define "$tmp/web.xml"
exits 0 'virsh define takes it'
virsh start web
exits 0 'virsh start'
uuid=$(host_exec "$host" virsh domuuid web | head -n 1)
is "$(qemu-img info -U --output=json "$state/machines/$uuid/overlay.qcow2" | json 'd["virtual-size"]')" 1073741824 'the disk has the size that was given'
run host_lamina "$host" ps
like "$out" '^web +running +a 1.0 \+ c 1.0' 'ps lists the machine'
run host_lamina "$host" launch web c a
exits 0 'launch knows it by its selections'
like "$out" 'nothing to do' 'and has nothing to do'
ok 'the guest has all layers' wait_for 60 eval '[ "$(markers_of web)" = "a c " ]'
ok 'the cache is intact' cache_is_intact "$state"
stop web
run host_lamina "$host" rm web
exits 0 'rm removes it'
ok 'with its directory' test ! -e "$state/machines/$uuid"

# Written by hand: no backing chain, so libvirt gives the layers to the user of QEMU.
hand=11111111-2222-4333-8444-555555555555
dir=$state/machines/$hand
select="<lamina:machine $lamina_ns><lamina:select>os=a</lamina:select><lamina:select>c</lamina:select></lamina:machine>"
boot="<kernel>$dir/kernel</kernel><initrd>$dir/initrd</initrd>"
domain_xml hand "$hand" "$select" "$dir/overlay.qcow2" "$boot" >"$tmp/hand.xml"
unlock_layer "$state"/layers/* "$state"/blobs/*
rm -f "$state"/layers/* "$state"/blobs/*
: >"$http_dir/access.log"
virsh define "$tmp/hand.xml"
virsh start hand
exits 0 'a domain written by hand starts'
is "$(http_count "$http_dir" c.qcow2)" 1 'its layers are pulled'
is "$(host_lamina "$host" show hand --json | json 'tuple(d["selections"] + [l["name"] for l in d["layers"]])')" \
  "('os=a@1.0', 'app=c@1.0', 'a', 'c')" 'show knows the machine'
ok 'it has its own kernel' cmp "$tiny/vmlinuz" "$dir/kernel"
is "$(stat -c %U "$state"/layers/* | sort -u)" root 'the layers belong to root while it runs'
ok 'and are intact' cache_is_intact "$state"
stop hand
overlay=$(inode "$dir/overlay.qcow2")
rm -f "$dir/initrd"
virsh start hand
exits 0 'it starts again'
is "$(inode "$dir/overlay.qcow2")" "$overlay" 'with the same overlay'
is "$(http_count "$http_dir" c.qcow2)" 1 'and nothing is pulled'
ok 'the missing initrd is copied again' cmp "$tiny/initrd" "$dir/initrd"
stop hand
host_exec "$host" virsh -q undefine hand >/dev/null
run host_lamina "$host" ps
like "$out" '^hand +no domain' 'after virsh undefine, ps shows it without a domain'
virsh define "$tmp/hand.xml"
virsh start hand
exits 0 'and the same XML makes it start again'
is "$(inode "$dir/overlay.qcow2")" "$overlay" 'with its disk'
stop hand

# refuse DESC MESSAGE NAME XML: the hook refuses the start of the domain and creates nothing.
refuse () {
  local machines
  machines=$(ls "$state/machines")
  hook "$3" prepare begin - <"$4"
  ok "$1: the start is refused" [ "$status" -ne 0 ]
  is "$out" '' "$1: nothing is printed to standard output"
  like "$err" "^lamina: .* cannot start: .*$2" "$1: the message says why"
  is "$(wc -l <<<"$err")" 1 "$1: in one line"
  is "$(ls "$state/machines")" "$machines" "$1: nothing is created"
}
other=99999999-2222-4333-8444-555555555555
lie () { domain_xml "$1" "$other" "$select" "$2" "${3:-}" >"$tmp/lie.xml"; }
lie o "$dir/overlay.qcow2"
refuse "another machine's disk" "directory of another machine" o "$tmp/lie.xml"
lie o "$state/machines/$other/../$hand/overlay.qcow2"
refuse 'that disk through ".."' "must be $state/machines/$other/overlay.qcow2|directory of another machine" o "$tmp/lie.xml"
ln -s "$dir/overlay.qcow2" "$tmp/link.qcow2"
lie o "$tmp/link.qcow2"
refuse 'a symbolic link to it' 'directory of another machine' o "$tmp/lie.xml"
ln -s "$dir" "$tmp/link"
lie o "$tmp/link/overlay.qcow2"
refuse 'a symbolic link to its directory' 'directory of another machine' o "$tmp/lie.xml"
lie o "$tmp/own.qcow2"
refuse 'a disk elsewhere' "must be $state/machines/$other/overlay.qcow2" o "$tmp/lie.xml"
lie o "$tmp/machines/$other/overlay.qcow2"
refuse 'a disk in another state directory' "must be $state/machines/$other/overlay.qcow2" o "$tmp/lie.xml"
lie o "$state/machines/$other/other.qcow2"
refuse 'another name for the disk' "must be $state/machines/$other/overlay.qcow2" o "$tmp/lie.xml"
ln -s "$hand" "$state/machines/$other"
lie o "$state/machines/$other/overlay.qcow2"
refuse 'a directory that is a symbolic link' 'symbolic link|another machine|must be' o "$tmp/lie.xml"
rm "$state/machines/$other"
lie 'a b' "$state/machines/$other/overlay.qcow2"
refuse 'a name that no machine can have' 'machine name' 'a b' "$tmp/lie.xml"
lie o "$state/machines/$other/overlay.qcow2"
sed -i 's/os=a</os=nothing</' "$tmp/lie.xml"
refuse 'an unknown layer' 'nothing' o "$tmp/lie.xml"
lie o "$state/machines/$other/overlay.qcow2"
sed -i 's/<lamina:select>[^/]*\/lamina:select>//g' "$tmp/lie.xml"
refuse 'no selection' '<lamina:select>' o "$tmp/lie.xml"
# A migration that fails after the hook has created the disk: the rest can be removed.
lie gone "$state/machines/$other/overlay.qcow2"
hook gone migrate begin - <"$tmp/lie.xml"
is "$status" 0 'migrate begin: succeeds'
ok 'it creates the overlay' test -e "$state/machines/$other/overlay.qcow2"
run host_lamina "$host" rm gone
exits 0 'rm removes what a failed migration leaves'
ok 'nothing of it remains' test ! -e "$state/machines/$other"
# What virt-clone does: a new name and UUID, a copy of the disk, the same metadata.
host_exec "$host" virsh dumpxml hand >"$tmp/now.xml"
sed "s/<name>hand</<name>copy</; s/<uuid>$hand</<uuid>$other</; s|overlay.qcow2|overlay-clone.qcow2|" "$tmp/now.xml" >"$tmp/copy.xml"
refuse 'a clone in the directory of its origin' 'virsh metadata copy urn:lamina:domain:1 --remove' copy "$tmp/copy.xml"
sed "s/<uuid>[^<]*</<uuid>$other</; s|file=\"[^\"]*overlay.qcow2\"|file=\"$tmp/copy.qcow2\"|" "$tmp/web.xml" >"$tmp/copy.xml"
refuse 'a clone with a disk of its own' 'virsh metadata web urn:lamina:domain:1 --remove' web "$tmp/copy.xml"
host_lamina "$host" --state-dir "$tmp/elsewhere" xml o a c --catalog "$http_url/catalog.yaml" 2>/dev/null >"$tmp/lie.xml"
refuse 'XML for another state directory' "written for the state directory $tmp/elsewhere, but the one in use is $state" o "$tmp/lie.xml"
# The metadata of a machine that has a disk must not change.
sed 's/<lamina:select>c</<lamina:select>e</' "$tmp/hand.xml" >"$tmp/changed.xml"
refuse 'other selections' 'selects other layers.*\((c os=a|os=a c|.*app=c.*)\); change the metadata back, .* "lamina rm hand"' hand "$tmp/changed.xml"
is "$(inode "$dir/overlay.qcow2")" "$overlay" 'the overlay is still the same'
sed 's/<lamina:select>os=a</<lamina:select>a</' "$tmp/hand.xml" >"$tmp/same.xml"
hook hand prepare begin - <"$tmp/hand.xml"
is "$status $err" '0 ' 'the machine itself can start'

# A copy can start once its metadata is removed, as the message says.
sed "s/<uuid>[^<]*</<uuid>$other</; s|overlay.qcow2|overlay-clone.qcow2|; s/<name>hand/<name>copy/; s/ id='[0-9]*'//" "$tmp/hand.xml" |
  sed 's/<kernel>.*<\/initrd>//' >"$tmp/copy.xml"
cp "$dir/overlay.qcow2" "$dir/overlay-clone.qcow2"
virsh define "$tmp/copy.xml"
virsh start copy
ok 'virsh start refuses the clone' [ "$status" -ne 0 ]
virsh metadata copy urn:lamina:domain:1 --remove --config
exits 0 'virsh removes its metadata'
virsh start copy
exits 0 'then it starts'
stop copy
virsh undefine copy
rm -f "$dir/overlay-clone.qcow2"

# Killed at any point, the hook continues at the next start.
host_exec "$host" virsh -q undefine hand >/dev/null
host_lamina "$host" rm hand >/dev/null
for point in adopt-before-record record-before-write record-after-write adopt-before-overlay overlay-before-publish; do
  LAMINA_TEST_FAULT=$point=kill hook hand prepare begin - <"$tmp/hand.xml"
  is "$status" 137 "killed at $point"
  ok "killed at $point: there is no overlay" test ! -e "$dir/overlay.qcow2"
  hook hand prepare begin - <"$tmp/hand.xml"
  is "$status $err" '0 ' "then prepared ($point)"
  ok "with an overlay ($point)" test -s "$dir/overlay.qcow2"
  is "$(ls -A "$dir" | xargs)" 'initrd kernel overlay.qcow2 record.json' "and nothing else ($point)"
  [ "$point" = overlay-before-publish ] || rm -r "$dir"
done
ok 'the cache is intact at the end' cache_is_intact "$state"
run host_lamina "$host" rm hand
exits 0 'the machine can be removed'
is "$(ls -A "$state/machines" | grep -v lock)" '' 'nothing is left of it'

# The cache is full: what the message says makes room.
unlock_layer "$(layer_file "$state" c)"
rm "$(layer_file "$state" c)"
host_lamina "$host" pull a e >/dev/null
printf '[lamina]\nmax-size = %sB\n' "$(host_lamina "$host" cache gc --dry-run --json | json 'd["occupied"] + 1000')" >"$tmp/full.conf"
echo "LAMINA_CONFIG=$tmp/full.conf" >"$tmp/hook.env"
virsh define "$tmp/hand.xml"
virsh start hand
ok 'there is no room for a layer' [ "$status" -ne 0 ]
like "$err" 'max-size .* while libvirt waits for the start; "lamina pull os=a c" makes room' 'the message says how to make it'
run host_lamina "$host" --config "$tmp/full.conf" pull os=a c
exits 0 'that pulls the layer'
ok 'another one was removed' test ! -e "$(layer_file "$state" e)"
virsh start hand
exits 0 'now it starts'
stop hand

# Firmware, whose variables libvirt stores where it likes or where the XML says.
uefi () { # NAME UUID NVRAM
  domain_xml "$1" "$2" "$select" "$state/machines/$2/overlay.qcow2" |
    sed "s|<os>.*</os>|<os firmware='efi'><type arch='x86_64' machine='q35'>hvm</type>$3</os><features><acpi/></features>|" >"$tmp/$1.xml"
  virsh define "$tmp/$1.xml"
  virsh start "$1"
  exits 0 "a domain with UEFI starts${3:+, with its variables in the directory of the machine}"
  ok 'it has a disk' test -s "$state/machines/$2/overlay.qcow2"
  stop "$1"
  run host_lamina "$host" rm "$1"
  exits 0 'rm removes it'
  ok 'with its directory' test ! -e "$state/machines/$2"
  is "$(ls "$host/lib-libvirt/qemu/nvram")" '' 'and its variables'
}
if ls /usr/share/qemu/firmware/*.json >/dev/null 2>&1; then
  uefi efi "$other" ''
  uefi efi "$other" "<nvram>$state/machines/$other/nvram.fd</nvram>"
fi

# The libvirtd of a user: the hook runs as that user, with the user's state directory.
echo 'unset LAMINA_STATE_DIR' >"$tmp/hook.env"
chmod 0666 "$tmp/operations"
as_user () { run host_user "$host" "$@"; }
as_user "$LAMINA" catalog add tiny "$http_url/catalog.yaml"
as_user "$LAMINA" xml own a c --memory 32
echo "$out" >"$tmp/own.xml"
as_user virsh -q define "$tmp/own.xml"
as_user virsh -q start own
exits 0 'a domain on qemu:///session starts'
as_user "$LAMINA" ps
like "$out" '^own +running +a 1.0 \+ c 1.0' 'it is a machine of the user'
noted_by () { host_user "$host" /usr/bin/python3 -c '
import sqlite3
print(*sqlite3.connect("/run/home/.local/share/lamina/lamina.db").execute("SELECT user, name FROM history").fetchall())' 2>/dev/null; }
ok 'the start is noted with the name of the user' wait_for 20 eval '[ "$(noted_by)" = "('"'laminauser', 'own'"')" ]'
as_user virsh -q destroy own
as_user "$LAMINA" rm own
exits 0 'rm removes it'
done_testing
