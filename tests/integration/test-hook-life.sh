# SPDX-License-Identifier: LGPL-2.1-or-later
# What happens in the life of machines whose domains virsh handles, with the hook:
# ephemeral disks, saved states, snapshots, new names, autostart, and starts that are
# interrupted while the hook waits for layers. The guests do not boot; "touch" stands
# for what they write.
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
state_of () { host_exec "$host" virsh domstate "$1" 2>/dev/null | head -n 1; }
# make NAME DIGIT [ELEMENT...]: defines a domain; sets uuid, dir, overlay
make () {
  local name=$1
  uuid=$2$2$2$2$2$2$2$2-2222-4333-8444-555555555555
  dir=$state/machines/$uuid
  overlay=$dir/overlay.qcow2
  domain_xml "$name" "$uuid" "<lamina:machine $lamina_ns><lamina:select>a</lamina:select><lamina:select>app=c</lamina:select>${3:-}</lamina:machine>" \
    "$overlay" >"$tmp/$name.xml"
  virsh define "$tmp/$name.xml"
}

# Ephemeral.
make brief 1 '<lamina:ephemeral/>'
virsh start brief
exits 0 'an ephemeral domain starts'
touch "$overlay"
stop brief
ok 'its overlay is thrown away when it stops' test ! -e "$overlay"
run host_lamina "$host" ps
like "$out" '^brief +shut off .* 0 B' 'ps does not miss it'
virsh start brief
exits 0 'it starts again'
is "$(stat -c %Y "$overlay")" 315532800 'with a new overlay'
touch "$overlay"
first=$(inode "$overlay")
virsh managedsave brief
exits 0 'virsh managedsave'
is "$(inode "$overlay")" "$first" 'keeps the overlay'
virsh start brief
exits 0 'it resumes'
is "$(inode "$overlay")" "$first" 'with the same overlay'
virsh save brief "$tmp/brief.saved"
ok 'virsh save does not keep it' test ! -e "$overlay"
virsh restore "$tmp/brief.saved"
ok 'so virsh restore is refused' [ "$status" -ne 0 ]
like "$err" 'lamina: brief cannot restore: it is ephemeral' 'and the message says why'
# A host that crashed leaves the overlay behind.
virsh start brief
touch "$overlay"
first=$(inode "$overlay")
cp -a "$overlay" "$tmp/kept"
stop brief
cp -a "$tmp/kept" "$overlay"
first=$(inode "$overlay")
virsh start brief
is "$(stat -c %Y "$overlay")" 315532800 'an overlay that a crash left is not used again'
virsh snapshot-create-as brief s1 --disk-only --no-metadata
exits 0 'a snapshot on top of the overlay'
touch "$overlay" "$dir/overlay.s1"
stop brief
ok 'then both files are kept' test -e "$overlay" -a -e "$dir/overlay.s1"
rm -f "$dir/overlay.s1"
virsh define "$tmp/brief.xml"
run host_lamina "$host" rm brief
exits 0 'rm removes an ephemeral machine'

# A snapshot outside of the machine's directory: the metadata does not name the overlay, but the disk lies on it.
make aside 8
virsh start aside
stop aside
virsh snapshot-create-as aside s1 --disk-only --no-metadata --diskspec "vda,file=$tmp/aside.s1"
exits 0 'a snapshot elsewhere'
virsh snapshot-create-as aside s2 --disk-only --no-metadata --diskspec "vda,file=$tmp/aside.s2"
exits 0 'and one on top of it'
run host_lamina "$host" ps
like "$out" '^aside +shut off' 'ps knows the machine'
qemu-img create -q -f qcow2 "$tmp/other.qcow2" 1M
sed "s|$overlay|$tmp/other.qcow2|" "$tmp/aside.xml" >"$tmp/other.xml"
virsh define "$tmp/other.xml"
run host_lamina "$host" rm aside
exits 1 'with a disk that does not lie on the overlay, rm refuses'
ok 'and keeps the disk' test -e "$overlay"
sed "s|$overlay|$tmp/aside.s2|" "$tmp/aside.xml" >"$tmp/other.xml"
virsh define "$tmp/other.xml"
run host_lamina "$host" rm aside
exits 0 'rm removes the machine whose disk is a snapshot elsewhere'
ok 'with its directory' test ! -e "$dir"

# Persistent, whatever the metadata says later.
make lasting 2
virsh start lasting
touch "$overlay"
first=$(inode "$overlay")
stop lasting
sed -i 's|<lamina:select>a|<lamina:ephemeral/>&|' "$tmp/lasting.xml"
virsh define "$tmp/lasting.xml"
virsh start lasting
exits 0 'a persistent machine whose metadata says later that it is ephemeral'
touch "$overlay"
stop lasting
is "$(inode "$overlay")" "$first" 'keeps its disk'
virsh start lasting
virsh managedsave lasting
virsh start lasting
exits 0 'virsh managedsave and start'
is "$(inode "$overlay")" "$first" 'with the same disk'
virsh reboot lasting
exits 0 'virsh reboot'
virsh snapshot-create-as lasting s1 --disk-only
exits 0 'a snapshot on top of the overlay'
stop lasting
unlock_layer "$(layer_file "$state" c)"; rm -f "$(layer_file "$state" c)"
virsh start lasting
exits 0 'it starts on the snapshot, and a missing layer is pulled'
ok 'the cache is intact' cache_is_intact "$state"
is "$(host_exec "$host" virsh -q domblklist lasting | awk '{ print $2 }')" "$dir/overlay.s1" 'its disk is the snapshot'
stop lasting

# A new name.
make old 3
virsh start old
stop old
virsh domrename old new
exits 0 'virsh domrename'
virsh start new
exits 0 'the domain starts under its new name'
run host_lamina "$host" ps
like "$out" '^new +running' 'ps knows it by that'
is "$(grep -c '^old ' <<<"$out")" 0 'and not by the old one'
is "$(host_lamina "$host" show new --json | json 'd["name"], d["uuid"]')" "('new', '$uuid')" 'so does show'
run host_lamina "$host" launch new a c
exits 0 'launch knows it too'
like "$out" '^new: exists already, nothing to do' 'by its new name'
stop new
unlock_layer "$(layer_file "$state" c)"; rm -f "$(layer_file "$state" c)"
run host_lamina "$host" pull --machine new
exits 0 'so does pull --machine'
ok 'which pulls its layer' test -s "$(layer_file "$state" c)"
run host_lamina "$host" launch new a c --json
exits 0 'launch starts it'
is "$(json 'd["name"], d["uuid"], d["started"]' <<<"$out")" "('new', '$uuid', True)" 'and says what it has started'
run host_lamina "$host" launch old a c
exits 1 'its old name is not launched again'
like "$err" 'renamed to new, by which launch starts it; "virsh domrename new old"' 'the message says what to do'
run host_lamina "$host" launch new a e --replace
exits 9 'it is not replaced under its new name'
like "$err" 'made of os=a@1.0 app=c@1.0; it is the machine old, .* "virsh domrename new old"' 'the message says why'
run host_lamina "$host" launch new a e
exits 9 'and no machine of other layers is launched'
ok 'it runs on' running new
run host_lamina "$host" rm new
exits 0 'and rm'
ok 'which removes it' test ! -e "$dir"
ok 'with its domain' eval '! defined new'

# Launched as ephemeral.
run host_lamina "$host" launch fast a c --ephemeral --memory 32
exits 0 'launch --ephemeral'
overlay=$(host_lamina "$host" show fast --json | json 'd["overlay"]')
is "$(host_lamina "$host" show fast --json | json 'd["ephemeral"]')" True 'show says so'
ok 'a launched machine has a disk' test -e "$overlay"
touch "$overlay"
stop fast
ok 'that is thrown away' test ! -e "$overlay"
run host_lamina "$host" launch fast a c
exits 0 'and launch starts it with another'
ok 'that is there' test -e "$overlay"
stop fast

# A server that is too slow, and libvirtd that ends while the hook waits.
serve_badly "$tiny"
make slow 4
overlay=$dir/overlay.qcow2
host_lamina "$host" catalog remove tiny >/dev/null
catalog_of "$bad_url/rate:400000/a.qcow2" "$(digest_of a)" "$(stat -c %s "$tiny/a.qcow2")" | sed 's/name: x/name: a/' >"$tmp/slow.yaml"
host_lamina "$host" catalog add slow "$tmp/slow.yaml" >/dev/null
sed -i 's|<lamina:select>app=c</lamina:select>||' "$tmp/slow.xml"
virsh define "$tmp/slow.xml"
unlock_layer "$(layer_file "$state" a)"; rm -f "$(layer_file "$state" a)"
printf '[lamina]\nhook-timeout = 1\n' >"$tmp/short.conf"
echo "LAMINA_CONFIG=$tmp/short.conf" >"$tmp/hook.env"
virsh start slow
ok 'a start ends when hook-timeout is over' [ "$status" -ne 0 ]
like "$err" 'lamina: slow cannot start: its layers could not be pulled within 1 s \(hook-timeout' 'and says so'
ok 'nothing of the machine exists' test ! -e "$dir"
part=$state/partial/sha256-$(<"$tiny/a.digest").part
ok 'what was transferred is kept' test -s "$part"
: >"$tmp/hook.env"
waiting () { host_exec "$host" pgrep -f '[h]ook prepare' >/dev/null; }
size=$(stat -c %s "$part")
virsh autostart slow
host_exec "$host" virsh -q start slow >"$tmp/slow.out" 2>&1 &
started=$!
ok 'another start waits for the layer' wait_for 20 eval 'waiting && [ "$(stat -c %s "$part")" -gt "$size" ]'
host_lamina "$host" --progress=json pull a >"$tmp/pull.out" 2>"$tmp/pull.err" &
watching=$!
ok 'lamina pull shows its progress' wait_for 20 grep -q '"other_process" *: *true' "$tmp/pull.err"
# Ctrl-C ends virsh only.
host_exec "$host" pkill -INT -x virsh
wait "$started"
ok 'virsh is interrupted; the hook goes on' waiting
# The hook ends with libvirtd. The next one autostarts the domain and continues.
hook_pid=$(host_exec "$host" pgrep -f '[h]ook prepare')
touch "$host/outlives-libvirtd"
host_exec "$host" pkill -KILL -x libvirtd
ok 'the hook ends with libvirtd' wait_for 20 eval '! host_exec "$host" ps -p "$hook_pid" >/dev/null'
wait "$watching"
ok 'lamina pull completes the transfer' cmp "$tiny/a.qcow2" "$(layer_file "$state" a)"
is "$(ls -A "$state/partial" | grep -c part)" 0 'nothing incomplete is left'
ok 'nothing of the machine exists' test ! -e "$dir"
# libvirtd starts domains only once after the host has started.
host_exec "$host" rm -f /run/libvirt/qemu/autostarted
host_exec "$host" libvirtd -d
ok 'when libvirtd starts again, it starts the domain' wait_for 60 running slow
ok 'which is a machine now' test -s "$overlay"
ok 'the cache is intact at the end' cache_is_intact "$state"
done_testing
