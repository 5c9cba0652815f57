# SPDX-License-Identifier: LGPL-2.1-or-later
# The file system is too small: exit status 8 before anything is transferred, and
# nothing is left.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
truncate -s 12M "$tmp/disk"
mke2fs -q -t ext4 -m 0 "$tmp/disk" || skip_all 'no mke2fs'
mkdir "$tmp/small"
mount -o loop "$tmp/disk" "$tmp/small" || skip_all 'no loop devices'
extra_cleanup () { umount "$tmp/small" 2>/dev/null || umount -l "$tmp/small"; }
chmod 0755 "$tmp/small"
new_host one
state=$tmp/small/lamina
host_lamina "$host" --state-dir "$state" catalog add tiny "$http_url/catalog.yaml" >/dev/null

run host_lamina "$host" --state-dir "$state" launch m a c
exits 8 'a launch fails if the files do not fit'
like "$err" ' free, but .* needed|space' 'the message says that there is not enough space'
is "$(http_count "$http_dir" vmlinuz)" 0 'the file that does not fit was not requested'
ok 'nothing is defined' eval '! defined m'
is "$(machines_in "$state")" 0 'no machine is left in the state directory'
ok 'the cache is intact' cache_is_intact "$state"

# The file system becomes full during the transfer, because somebody else writes to it.
remove_tree "$state"
host_lamina "$host" --state-dir "$state" catalog add tiny "$http_url/catalog.yaml" >/dev/null
export LAMINA_TEST_FREE=1000000000
dd if=/dev/zero of="$tmp/small/filler" bs=1M count=8 2>/dev/null
run host_lamina "$host" --state-dir "$state" pull a c
unset LAMINA_TEST_FREE
exits 8 'exit status 8 if the disk becomes full'
ok 'the cache is intact' cache_is_intact "$state"
rm "$tmp/small/filler"
catalog_of "$http_url/a.qcow2" "$(digest_of a)" "$(stat -c %s "$tiny/a.qcow2")" >"$tmp/catalog.yaml"
run host_lamina "$host" --state-dir "$tmp/small/other" --catalog "$tmp/catalog.yaml" pull x
exits 0 'with enough space again the launch succeeds'

# No file can be created, and later not one byte is left, and there is no database yet: what
# nobody needs can be removed.
rm -f "$tmp/small/other"/lamina.db*
mkdir "$tmp/small/many"
(cd "$tmp/small/many" && seq 10000 | xargs touch 2>/dev/null)
run host_lamina "$host" --state-dir "$tmp/small/other" cache gc --max-size 1024GiB
exits 0 'a collection without a free inode'
run host_lamina "$host" --state-dir "$tmp/small/other" doctor --offline
like "$out" 'error +space +no file can be created' 'doctor says so'
ok 'there was none' eval '! touch "$tmp/small/another" 2>/dev/null'
rm -r "$tmp/small/many"
dd if=/dev/zero of="$tmp/small/filler" bs=1k 2>/dev/null
run host_lamina "$host" --state-dir "$tmp/small/other" cache clear
exits 0 'a full disk can be cleared'
is "$(ls "$tmp/small/other/layers")" '' 'all layers are gone'
done_testing
