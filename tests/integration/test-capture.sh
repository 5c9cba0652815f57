# SPDX-License-Identifier: LGPL-2.1-or-later
# capture, flatten and diff, with the real appliance: a machine whose disk is changed without booting it, because
# that is faster.
# About guests: skipped with sanitizers.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
[ -x "${LAMINA_APPLIANCE_PROGRAM:-}" ] || skip_all 'lamina was built without libguestfs'
for kernel in /boot/vmlinuz-*; do [ -r "$kernel" ] || skip_all 'no kernel in /boot'; done
command -v supermin >/dev/null || skip_all 'no supermin'
new_host one
state=$host/lamina
lamina () { host_exec "$host" env LAMINA_APPLIANCE_PROGRAM="$LAMINA_APPLIANCE_PROGRAM" "$LAMINA" --progress=none "$@"; }
left () { find "$state/partial" -mindepth 1 ! -name lock; }
layers () { lamina list --json | json 'sorted(l["name"] for l in d["layers"])'; }

# ---- a base, and a machine on it

root=$tmp/root
mkdir -p "$root"/{bin,etc/ssh,dev,proc,root,sys,srv,var/log,var/lib/dpkg}
cp /bin/busybox "$root/bin/"
ln -s busybox "$root/bin/sh"
echo ID=tiny >"$root/etc/os-release"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
echo old >"$root/srv/changed"
echo old >"$root/srv/removed"
echo same >"$root/srv/touched"
touch -d @1700000000 "$root/srv/touched" # debugfs knows only whole seconds
record () {
  printf 'Package: %s\nVersion: %s\nStatus: install ok installed\nMaintainer: nobody\nArchitecture: '"$(dpkg --print-architecture)"'\nDescription: x\n\n' "$@"
}
{ record dpkg 1; record gone 1; record library 1.0; } >"$root/var/lib/dpkg/status"
truncate -s 32M "$tmp/base.raw"
mke2fs -q -F -t ext4 -J size=4 -E root_owner=0:0 -d "$root" "$tmp/base.raw"
kernels=(/boot/vmlinuz-*)
run lamina import "$tmp/base.raw" --as base@1 --kernel "${kernels[0]}" --cmdline 'root=/dev/vda'
exits 0 'a base is imported'
run lamina define vm base --memory 64MiB
exits 0 'and a machine defined on it'
overlay=$(lamina show vm --json | json 'd["overlay"]')

# change OVERLAY BACKING COMMAND...: does commands of debugfs on the disk OVERLAY over BACKING
change () {
  local disk=$1 backing=$2
  shift 2
  qemu-img convert -q -f qcow2 -O raw "$disk" "$tmp/disk.raw"
  printf '%s\n' "$@" >"$tmp/commands"
  debugfs -w -f "$tmp/commands" "$tmp/disk.raw" >/dev/null 2>&1
  qemu-img create -q -f qcow2 -F raw -b "$tmp/disk.raw" "$tmp/disk.qcow2"
  qemu-img rebase -q -f qcow2 -F qcow2 -b "$backing" "$tmp/disk.qcow2"
  cat "$tmp/disk.qcow2" >"$disk"
}
# content IMAGE PATH: what the file has on the disk of the image
content () { qemu-img convert -q -f qcow2 -O raw "$1" "$tmp/disk.raw" && debugfs -R "cat $2" "$tmp/disk.raw" 2>/dev/null; }
layer_of () { echo "$state/layers/sha256-${1#sha256:}.qcow2"; }

base=$(qemu-img info --output=json "$overlay" | json 'd["backing-filename"]')
echo new >"$tmp/new"
echo 'longer than before' >"$tmp/changed"
echo same >"$tmp/same"
{ record dpkg 1; record hello 2.0-1; record library 1.1; } >"$tmp/status"
change "$overlay" "$base" "write $tmp/new /srv/added" 'rm /srv/removed' 'rm /srv/changed' "write $tmp/changed /srv/changed" \
  'rm /srv/touched' "write $tmp/same /srv/touched" "write $tmp/new /etc/ssh/ssh_host_x_key" "write $tmp/new /root/.bash_history" \
  'rm /var/lib/dpkg/status' "write $tmp/status /var/lib/dpkg/status" 'sif /srv mode 040700'

# ---- a machine that is not shut off

host_exec "$host" virsh -q start vm
run lamina capture vm --as web@1
exits 4 'a machine that runs is not captured'
like "$err" 'vm is running.*shut it down first' 'the message says what to do'
host_exec "$host" virsh -q suspend vm
run lamina flatten --machine vm --output "$tmp/flat"
exits 4 'nor one that is paused flattened'
like "$err" 'vm is paused' 'the message says so'
host_exec "$host" virsh -q destroy vm
is "$(ls "$tmp" | grep -c flat)" 0 'nothing was written'
run lamina capture vm --as base@2
exits 2 'a layer cannot have the name of one that it stands on'
run lamina capture vm --as web@1 --group os
exits 2 'nor be of a group that allows one'

# ---- a disk that says that it stands on that of another machine

qemu-img create -q -f qcow2 -F qcow2 -b "$base" "$tmp/other.qcow2"
qemu-img rebase -q -u -f qcow2 -F qcow2 -b "$tmp/other.qcow2" "$overlay"
run lamina capture vm --as web@1
exits 6 'the disk of another machine is not read'
like "$err" 'not a layer' 'the message says so'
qemu-img rebase -q -u -f qcow2 -F qcow2 -b "$base" "$overlay"

# ---- capture

before=$(sha256sum <"$overlay")
run lamina capture vm --as web@1 --json --summary 'made by hand'
exits 0 'a machine is captured'
digest=$(json 'd["digest"]' <<<"$out")
layer=$(layer_of "$digest")
is "$(json 'd["chain"]' <<<"$out")" "['base@1']" 'it stands on the base'
is "$(json 'd["packages"], d["removed"]' <<<"$out")" "(['hello=2.0-1', 'library=1.1'], ['gone'])" 'the packages are listed'
is "$(sha256sum <"$overlay")" "$before" 'the disk of the machine is as before'
is "$(left)" '' 'nothing else is left'
is "$(content "$layer" /srv/added)$(content "$layer" /srv/changed)" "newlonger than before" 'the layer has what was changed'
is "$(content "$layer" /etc/machine-id)" '' 'but not the id of the machine'
is "$(debugfs -R 'ls -p /etc/ssh' "$tmp/disk.raw" 2>/dev/null | grep -c key)" 0 'nor its keys'
ok 'the file system is clean' e2fsck -fn "$tmp/disk.raw"
ok 'the layer is small' test "$(stat -c %s "$layer")" -lt 1000000
is "$(qemu-img info -U --output=json "$layer" | json 'd["backing-filename"]')" "$(basename "$base")" 'its parent is the base, not the overlay'
run lamina capture vm --as web@1 --json
is "$status $(json 'd["action"], d["digest"]' <<<"$out")" "0 ('unchanged', '$digest')" 'again: nothing is done'
run lamina capture vm --as web@1 --json --summary ''
is "$status $(json 'd["action"], d["digest"]' <<<"$out")" "0 ('updated', '$digest')" 'what the catalog says can be changed'
run lamina define vm2 web
exits 0 'another machine is made of the layer'
is "$(lamina show vm2 --json | json '[l["name"] for l in d["layers"]]')" "['base', 'web']" 'its chain has both'

# ---- somebody starts it meanwhile

printf '#!/bin/sh\necho '"'"'{"event":"done"}'"'"'\n' >"$tmp/stub"
chmod 0755 "$tmp/stub"
export LAMINA_TEST_FAULT=capture-before-check=stop
LAMINA_APPLIANCE_PROGRAM=$tmp/stub lamina capture vm --as web@2 >"$tmp/stopped" 2>&1 </dev/null &
job=$!
unset LAMINA_TEST_FAULT
ok 'a capture has read the disk' wait_for 60 _find_stopped
host_exec "$host" virsh -q start vm
go_on
is "$status" 4 'a machine that was started meanwhile is not captured'
host_exec "$host" virsh -q destroy vm
is "$(left)$(layers)" "['base', 'web']" 'nothing is left of it'
printf '#!/bin/sh\nvirsh -q start vm\necho the reason >&2\nexit 1\n' >"$tmp/starter"
chmod 0755 "$tmp/starter"
for verb in 'capture vm --as web@2' 'diff --machine vm'; do
  LAMINA_APPLIANCE_PROGRAM=$tmp/starter run lamina $verb
  exits 4 "${verb%% *}: nor one that is started before its disk is read"
  like "$err" 'vm is running' 'the message says so, whatever else went wrong'
  host_exec "$host" virsh -q destroy vm
done
cat >"$tmp/stub" <<'EOF'
#!/bin/sh
sleep 1
disk=$(sed -n 's/.*"disk" *: *"\([^"]*\)".*/\1/p' "$1")
qemu-io -f qcow2 -c "write -P $(($$ % 255 + 1)) 8M 4k" "$disk" >/dev/null
echo '{"event":"done"}'
EOF
LAMINA_APPLIANCE_PROGRAM=$tmp/stub lamina capture vm --as twice@1 --json >"$tmp/twice" 2>&1 </dev/null &
one=$!
LAMINA_APPLIANCE_PROGRAM=$tmp/stub run lamina capture vm --as twice@1 --json
wait "$one"
is "$? $status $(json 'd["digest"]' <"$tmp/twice")" "0 0 $(json 'd["digest"]' <<<"$out")" 'a machine is captured twice at once: both find the same layer'

# ---- an external snapshot, and meanwhile what a layer changes

lamina diff web >"$tmp/difference" 2>&1 </dev/null &
difference=$!

host_exec "$host" virsh -q snapshot-create-as vm one --disk-only --no-metadata --diskspec vda,file="$tmp/snapshot.qcow2"
echo later >"$tmp/later"
change "$tmp/snapshot.qcow2" "$overlay" "write $tmp/later /srv/later"
run lamina capture vm --as web@1
exits 9 'the same name and version with other content is refused'
run lamina capture vm --as raw@1 --no-scrub --json
exits 0 'a machine is captured as it is'
layer=$(layer_of "$(json 'd["digest"]' <<<"$out")")
is "$(content "$layer" /srv/later)$(content "$layer" /etc/ssh/ssh_host_x_key)" laternew 'from the snapshot, and with its keys'

# ---- diff

run lamina diff --packages web
exits 0 'the packages of a layer are compared'
is "$out" "D gone=1
A hello=2.0-1
C library=1.1 (before: 1.0)" 'without the appliance'
wait "$difference"
is "$?" 0 'the files too'
is "$(grep ' /srv' "$tmp/difference")" "C /srv
A /srv/added
C /srv/changed
D /srv/removed
C /srv/touched" 'they are listed'
is "$(grep -c ' /bin' "$tmp/difference")" 0 'others are not'

# ---- flatten

run lamina flatten web --output "$tmp/flat.qcow2" --json
exits 0 'a chain is flattened'
is "$(content "$tmp/flat.qcow2" /srv/added)" new 'the image has the content'
is "$(qemu-img info --output=json "$tmp/flat.qcow2" | json 'd.get("backing-filename")')" None 'and stands alone'
is "$(json 'd["kernel"].split("/")[-2], d["cmdline"]' <<<"$out")" "('blobs', 'root=/dev/vda')" 'what it needs to boot is said'
run lamina flatten web --output "$tmp/flat.qcow2"
exits 9 'a file that exists is not replaced'
run lamina flatten --machine vm --output "$tmp/flat.raw" --format raw --boot-files
exits 0 'a machine is flattened, to a raw image'
is "$(debugfs -R 'cat /srv/later' "$tmp/flat.raw" 2>/dev/null)" later 'with what the snapshot has'
ok 'the kernel is beside it' cmp "${kernels[0]}" "$tmp/flat.raw.kernel"
ok 'it is sparse' test "$(stat -c %b "$tmp/flat.raw")" -lt $((16 * 2048))
export LAMINA_TEST_FAULT=flatten-after-write=kill
run lamina flatten web --output "$tmp/killed.img"
unset LAMINA_TEST_FAULT
exits 137 'a run is killed'
is "$(ls "$tmp" | grep -c '^killed.img$')" 0 'there is no file'
run lamina flatten web --output "$tmp/killed.img"
is "$status $(ls "$tmp" | grep '^killed')" '0 killed.img' 'the next run writes it, and removes what was left'
export LAMINA_TEST_FAULT=flatten-after-write=stop
lamina flatten --machine vm --output "$tmp/written" >"$tmp/stopped" 2>&1 </dev/null &
job=$!
unset LAMINA_TEST_FAULT
ok 'a machine is being flattened' wait_for 60 _find_stopped
touch "$tmp/snapshot.qcow2"
go_on
is "$status $(ls "$tmp" | grep -c '^written')" '4 0' 'somebody wrote to its disk: nothing is kept'
mkdir "$tmp/small"
host_exec "$host" mount -t tmpfs -o size=1m tmpfs "$tmp/small"
run lamina flatten web --output "$tmp/small/flat.raw" --format raw
exits 8 'an image that does not fit is not begun'
is "$(host_exec "$host" ls -A "$tmp/small")" '' 'nothing is left of it'
host_exec "$host" umount "$tmp/small"
done_testing
