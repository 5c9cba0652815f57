# SPDX-License-Identifier: LGPL-2.1-or-later
# A layer rots on the disk under a running machine: "cache verify" tells, and repairs it from a
# web server, also in the sandbox of its systemd unit; "cache clear" then keeps what machines need.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
mkdir "$tmp/www"
ln -s "$tiny"/* "$tmp/www/"
rm "$tmp/www/c.qcow2"
cp "$tiny/c.qcow2" "$tmp/www/"
serve "$tmp/www"
new_host one
state=$host/lamina
: >"$tmp/probe"
flag=$(chattr +i "$tmp/probe" 2>/dev/null && echo i || echo -)
unlock_layer "$tmp/probe"

host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
run host_lamina "$host" launch busy a c
exits 0 'a machine is launched'
host_lamina "$host" pull a e >/dev/null 2>&1

# rot NAME: changes the layer, and makes the note fit, because nothing else tells of rot.
rot () {
  local file note
  file=$(layer_file "$state" "$1")
  note=$state/verified/${file##*/}
  unlock_layer "$file"
  touch -r "$file" "$tmp/times"
  printf rotten | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") - 6)) conv=notrunc,fsync status=none
  touch -r "$tmp/times" "$file"
  [ "$flag" = - ] || chattr +i "$file"
  /usr/bin/python3 -c 'import os, sys
s = os.stat(sys.argv[1])
print(*(f"{n:020}" for n in (s.st_size, s.st_mtime_ns, s.st_ino, s.st_dev, s.st_ctime_ns)))' "$file" >"$note"
}
look () { stat -c '%U:%G %a' "$state"/layers/* | sort -u; }
flags () { lsattr "$state"/layers/* 2>/dev/null | cut -c5 | sort -u; }
aside () { find "$state/quarantine" -type f 2>/dev/null | wc -l; }

run host_lamina "$host" cache verify
exits 0 'everything is in order'
rot c
run host_lamina "$host" pull a c
like "$out" 'nothing to pull' 'nobody notices that a layer rots'
run host_lamina "$host" cache verify
exits 10 'cache verify does'
like "$out" 'layer +c 1[^ ]* .*damaged: its contents do not match its digest; used by machine busy \(running\)' 'it says who uses the layer'
is "$(grep -cE 'layer +[ae] .* ok$' <<<"$out")" 2 'the others are in order'
ok 'the machine goes on' running busy

# The web server cannot be reached, lies, and tells the truth.
rm "$tmp/www/c.qcow2"
run host_lamina "$host" cache verify --repair
exits 10 'the layer is gone from the server'
like "$out" 'it cannot be pulled again: .*; used by machine busy \(running\)' 'the reason is given'
ok 'the damaged layer stays in its place' test -e "$(layer_file "$state" c)"
head -c "$(stat -c %s "$tiny/c.qcow2")" /dev/zero >"$tmp/www/c.qcow2"
run host_lamina "$host" cache verify --repair
exits 10 'the server lies'
ok 'the damaged layer still stays' test -e "$(layer_file "$state" c)"
is "$(aside)" 0 'nothing was set aside'
cp "$tiny/c.qcow2" "$tmp/www/"

# In the sandbox of the unit, as far as it can be had without systemd: file systems are
# read-only apart from the state directory, and there are no other capabilities.
unit=$top/data/systemd/lamina-verify.service.in
words=$(sed -n 's/^ExecStart=[^ ]* //p' "$unit")
capabilities=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr A-Z a-z | sed 's/cap_/+/g; s/ /,/g')
cat >"$tmp/sandbox" <<'END'
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
findmnt -rno TARGET | while read -r target; do
  case $target in "$1" | /proc* | /dev* | /sys*) ;; *) mount -o remount,bind,ro "$target" 2>/dev/null || true ;; esac
done
mount -o remount,bind,rw "$1"
shift
! touch "$TMPDIR/written" 2>/dev/null || { echo 'the sandbox does not hold' >&2; exit 99; }
exec setpriv --no-new-privs --bounding-set "-all,$1" --inh-caps -all "${@:2}"
END
[ "$flag" = - ] || unlock_layer "$(layer_file "$state" e)"
chown nobody "$(layer_file "$state" e)"
run host_exec "$host" unshare --mount bash "$tmp/sandbox" "$state" "$capabilities" "$LAMINA" --state-dir "$state" $words
exits 0 'the command of the unit repairs it in its sandbox'
like "$out" 'layer +c .*repaired: .*moved to .*/quarantine/.*still read by machine busy \(running\)' 'what it did, and who has to be restarted'
like "$out" 'layer +e .*repaired: it belonged to another user' 'also the owner of another layer'
is "$err" '' 'without progress'
is "$(look) $(flags)" "root:root 444 $([ "$flag" = i ] && echo i || flags)" 'owner, mode and flag are right'
ok 'the cache is intact' cache_is_intact "$state"
is "$(aside)" 1 'the damaged layer is in the quarantine'
ok 'the machine goes on' running busy
host_exec "$host" virsh -q destroy busy >/dev/null
run host_lamina "$host" launch busy a c
exits 0 'it starts from the repaired layer'
ok 'and runs' running busy

# After a report, the next start pulls the layer by itself.
host_exec "$host" virsh -q destroy busy >/dev/null
rot c
run host_lamina "$host" cache verify
exits 10 'it rots again'
run host_lamina "$host" launch busy a c
exits 0 'the machine starts all the same'
like "$err" 'c is damaged in the cache and is pulled again' 'because the start does not trust the layer any more'
ok 'the cache is intact' cache_is_intact "$state"

# Killed while it pulls, and continued
rot c
LAMINA_TEST_FAULT=part-after-write=kill run host_lamina "$host" cache verify --repair
exits 137 'killed while it pulls'
ok 'the damaged layer is in its place' test -e "$(layer_file "$state" c)"
run host_lamina "$host" cache verify --repair
exits 0 'the next one continues'
ok 'the cache is intact' cache_is_intact "$state"

# A disk that reports an error: a loop device whose file ends too early. The host does not see the mount.
truncate -s 96M "$tmp/disk"
if mkfs.ext4 -q -b 4096 "$tmp/disk" 2>/dev/null && loop=$(losetup -f --show "$tmp/disk" 2>/dev/null); then
  mkdir "$tmp/mnt"
  extra_cleanup () { umount "$tmp/mnt" 2>/dev/null; losetup -d "$loop"; }
  mount "$loop" "$tmp/mnt"
  "$LAMINA" -c test:///default --state-dir "$tmp/mnt/state" pull a --catalog "$tiny/catalog.yaml" >/dev/null 2>&1
  sync -f "$tmp/mnt/state"
  last=$(filefrag -e "$(layer_file "$tmp/mnt/state" a)" | sed -n 's/.*\.\. *[0-9]*: *[0-9]*\.\. *\([0-9]*\):.*/\1/p' | tail -n 1)
  truncate -s $((last * 4096)) "$tmp/disk"
  run "$LAMINA" -c test:///default --state-dir "$tmp/mnt/state" cache verify --repair --catalog "$tiny/catalog.yaml"
  like "$out" 'layer +a .*repaired: the disk cannot read it; it was moved' 'a layer that the disk cannot read is repaired'
  truncate -s 96M "$tmp/disk"
  ok 'the cache is intact' cache_is_intact "$tmp/mnt/state"
  chattr -R -f -i "$tmp/mnt/state"
else
  ok 'a disk that reports an error # SKIP no loop device' true
fi

# Without libvirt
rot c
run host_lamina "$host" -c "qemu+unix:///system?socket=$tmp/none" cache verify --repair
exits 0 'without libvirt it is repaired as well'
ok 'the cache is intact' cache_is_intact "$state"

run host_lamina "$host" cache clear
exits 0 'clear'
like "$out" 'layer +c .*kept: machine busy \(running\)' 'keeps what a machine needs'
like "$out" 'layer +a .*kept: machine busy \(running\)' 'with what that was built on'
like "$out" 'layer +e .*removed: ' 'and removes the rest'
is "$(cd "$state/layers" && ls | xargs)" "$(for n in a c; do basename "$(layer_file "$state" $n)"; done | sort | xargs)" 'as it says'
is "$(aside)" 0 'the quarantine is empty'
ok 'the machine goes on' running busy
host_lamina "$host" rm busy >/dev/null
run host_lamina "$host" cache clear
exits 0 'clear without machines'
is "$(find "$state/layers" "$state/blobs" "$state/partial" -name 'sha256*')" '' 'nothing is left'
ok 'the directory can be removed' rm -rf "$state/layers"
done_testing
