# SPDX-License-Identifier: LGPL-2.1-or-later
# Domains on a real libvirtd in every state keep the layers that they need: machines and
# domains that lamina did not make; what nobody needs goes.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
state=$host/lamina
host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
virsh () { host_exec "$host" virsh -q "$@" >/dev/null; }
layers () { (cd "$state/layers" && ls | xargs); }
path_of () { echo "$state/layers/sha256-$(cat "$tiny/$1.digest").qcow2"; }
names () { for n in "$@"; do echo "sha256-$(cat "$tiny/$n.digest").qcow2"; done | sort | xargs; }

# kept REASON NAME...: the layers with those names stay, because of REASON, although the cache is too large.
kept () {
  local reason=$1
  shift
  run host_lamina "$host" cache gc --dry-run --max-size 1B
  for name in "$@"; do
    like "$out" "layer +$name 1[^ ]* \(.*kept: .*$reason" "$name stays: $reason"
  done
  run host_lamina "$host" cache gc --max-size 1B
  exits 8 "$reason: the limit cannot be reached"
  like "$err" 'cannot be freed; needed by ' 'the message says who needs the rest'
  is "$(layers)" "$(names "$@")" "$reason: exactly these are left"
}

disk () { echo "<disk type='file'><driver name='qemu' type='qcow2'/><source file='$1'/><target dev='vda' bus='virtio'/></disk>"; }
overlay () { # FILE LAYER
  qemu-img create -q -f qcow2 -F qcow2 -b "$(path_of "$2")" "$1"
  chmod 0666 "$1"
}

host_lamina "$host" pull a c e >/dev/null 2>&1
host_lamina "$host" pull a e >/dev/null 2>&1
host_lamina "$host" define off a c >/dev/null 2>&1
kept 'machine off \(shut off\)' a c
virsh snapshot-create-as off snap
kept 'machine off \(shut off, 1 snapshot\)' a c
virsh snapshot-delete off snap
virsh domrename off renamed
kept 'machine renamed \(shut off\)' a c
run host_lamina "$host" cache show a
like "$out" 'used by +machine renamed \(shut off\)' 'show knows the new name'
run host_lamina "$host" cache du
like "$out" '^renamed +shut off' 'so does du'
virsh undefine renamed
kept 'machine off \(no domain\)' a c
run host_lamina "$host" cache gc --dry-run --orphans --max-size 1B
exits 0 'without the machine whose domain is gone, the limit can be reached'
like "$out" 'machine +off +[1-9].* removed: its domain is gone' 'its size is shown'
run host_lamina "$host" cache gc --dry-run --orphans --json
own=$(echo $(($(stat -c '%b * 512 +' "$state"/machines/*-*/*) 0)))
is "$(json '[d["freed"], sum(f["size"] for f in d["files"] if f["kind"] == "machine")]' <<<"$out")" "[$own, $own]" 'and counts as freed'
is "$(json 'd["occupied"]' <<<"$out")" "$(host_lamina "$host" cache gc --dry-run --json | json 'd["occupied"]')" 'but not as part of the cache'
export LAMINA_TEST_FAULT=collect-before-orphan=kill
run host_lamina "$host" cache gc --orphans
unset LAMINA_TEST_FAULT
exits 137 'killed before the machine is removed'
is "$(machines_in "$state")" 1 'it is still there'
run host_lamina "$host" cache gc --orphans --max-size 1B
exits 0 'the machine whose domain is gone is removed'
is "$(machines_in "$state")" 0 'with its disk'
is "$(layers)" '' 'and its layers'

run host_lamina "$host" launch busy a e
exits 0 'the layers are pulled again'
kept 'machine busy \(running\)' a e
virsh snapshot-create-as busy ext --disk-only --no-metadata --diskspec vda,file="$state/machines/later.qcow2"
kept 'machine busy \(running\)' a e
virsh managedsave busy
kept 'machine busy \(saved\)' a e
run host_lamina "$host" cache show a
like "$out" 'used by +machine busy \(saved\)' 'show says who uses a layer'
run host_lamina "$host" cache du
like "$out" 'busy +saved' 'du lists the machine'
run host_lamina "$host" ps
like "$out" 'busy +saved' 'so does ps'
is "$(host_lamina "$host" show busy --json | json 'd["state"]')" saved 'and show'
virsh managedsave-remove busy
rm "$state/machines/later.qcow2"
virsh undefine busy
host_lamina "$host" rm busy >/dev/null 2>&1
run host_lamina "$host" cache gc --max-size 1B
exits 0 'once it is removed, nobody needs the layers'
is "$(layers)" '' 'all are removed'

# Domains that lamina did not make
host_lamina "$host" pull a c >/dev/null 2>&1
overlay "$tmp/foreign.qcow2" c
qemu-img create -q -f qcow2 -F qcow2 -b "$tmp/foreign.qcow2" "$tmp/top.qcow2"
chmod 0666 "$tmp/top.qcow2"
if command -v virt-install >/dev/null; then
  run host_exec "$host" virt-install --import --name foreign --memory 64 --virt-type qemu --osinfo detect=off,require=off \
    --disk "path=$tmp/top.qcow2,bus=virtio" --network none --graphics none --noautoconsole
  exits 0 'virt-install makes a domain on top of a layer'
  kept 'domain foreign \(running, on qemu:///system\)' a c
  virsh destroy foreign
  kept 'domain foreign \(shut off, on qemu:///system\)' a c
  virsh undefine foreign
else
  ok 'virt-install makes a domain # SKIP not installed' true
fi
cat >"$tmp/passing.xml" <<END
<domain type='qemu'><name>passing</name><memory unit='MiB'>64</memory><os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices>$(disk "$tmp/top.qcow2")</devices></domain>
END
virsh create "$tmp/passing.xml"
kept 'domain passing \(running, transient, on qemu:///system\)' a c
virsh destroy passing

# libvirtd does not answer
run host_lamina "$host" -c qemu+unix:///system?socket="$tmp/none" cache gc --max-size 1B
exits 7 'libvirt cannot be asked'
is "$(layers)" "$(names a c)" 'so nothing is removed'

# A pull makes room, and the next one does without what it removed.
host_lamina "$host" pull a e >/dev/null 2>&1
size=$(host_lamina "$host" cache gc --json --dry-run | json 'd["occupied"]')
host_lamina "$host" cache gc --max-size $((size - 1))B >/dev/null
printf '[lamina]\nmax-size = %sB\n' $((size - 1)) >"$tmp/lamina.conf"
for name in c e c; do
  run host_lamina "$host" --config "$tmp/lamina.conf" launch "m$name" a "$name"
  exits 0 "launch with $name makes room"
  host_lamina "$host" rm "m$name" >/dev/null
done
host_lamina "$host" launch mc a c >/dev/null 2>&1
run host_lamina "$host" --config "$tmp/lamina.conf" launch me a e
exits 8 'there is no room beside a machine'
like "$err" 'max-size is .*needed by .*machine mc \(running\)' 'the message says who needs it'
host_lamina "$host" rm mc >/dev/null
done_testing
