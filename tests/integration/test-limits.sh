# SPDX-License-Identifier: LGPL-2.1-or-later
# Limits on descriptors, processes and file sizes, and a file system that is really full:
# exit status and message are right, nothing wrong is published, no data is discarded,
# nothing incomplete is left, and without the limit the same command succeeds.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
command -v prlimit >/dev/null || skip_all 'needs prlimit'
tiny
serve "$tiny"
mkdir "$tmp/small"
mount -t tmpfs -o size=8M,mode=0755 tmpfs "$tmp/small" || skip_all 'no tmpfs'
extra_cleanup () { umount "$tmp/small" 2>/dev/null || umount -l "$tmp/small"; }
new_host one
printf '#cloud-config\n' >"$tmp/user-data"
define=(define m a c --cloud-init "user-data=$tmp/user-data")

# The output goes through a pipe, to which the limit on file sizes does not apply.
as_root () { host_exec "$host" prlimit "$@" 2>&1 | cat; return "${PIPESTATUS[0]}"; }
as_user () { host_user "$host" prlimit "$@" 2>&1 | cat; return "${PIPESTATUS[0]}"; }
limited () { # WHO PRLIMIT-OPTION LAMINA-WORD...
  # Without the leak checker, because the limits apply to it too.
  ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 run "$1" "$2" "$LAMINA" --state-dir "$state" "${@:3}"
  err=$out
}

names='a.qcow2 c.qcow2 vmlinuz initrd'
kept_in () { # FILE-OF-TINY: prints how many bytes of it are in the state directory
  local hex
  hex=$(sha256sum <"$tiny/$1" | cut -d' ' -f1)
  stat -c %s "$state/partial/sha256-$hex.part" "$state/layers/sha256-$hex.qcow2" "$state/blobs/sha256-$hex" 2>/dev/null | head -n 1
}
list_incomplete () { find "$state" -name '*.lamina-tmp.*'; }

# pull_with WHO OPTION STATUS LIMIT: also checks that complete files are not requested again.
pull_with () {
  local name whole=
  remove_tree "$state"/{layers,blobs,partial,verified}
  : >"$http_dir/access.log"
  limited "$1" "$2" pull a c
  exits "$3" "pull with $2"
  like "$err" "$4" "$2: the message names the limit"
  ok "$2: the cache is intact" cache_is_intact "$state"
  for name in $names; do
    [ "$(kept_in $name)" != "$(stat -c %s "$tiny/$name")" ] || whole+="$name "
  done
  : >"$http_dir/access.log"
  limited "$1" --core=0 pull a c
  exits 0 "$2: without the limit it succeeds"
  for name in $whole; do
    is "$(http_count "$http_dir" "$name")" 0 "$2: $name, which was complete, is not requested again"
  done
  ok "$2: the cache is intact in the end" cache_is_intact "$state"
}

# define_with WHO OPTION STATUS LIMIT
define_with () {
  limited "$1" "$2" "${define[@]}"
  exits "$3" "define with $2"
  like "$err" "$4" "$2: the message names the limit"
  is "$(machines_in "$state")" 0 "$2: no machine is left"
  is "$(list_incomplete)" '' "$2: nothing incomplete is left"
  ok "$2: the cache is intact" cache_is_intact "$state"
  limited "$1" --core=0 "${define[@]}"
  exits 0 "$2: without the limit it succeeds"
  limited "$1" --core=0 rm m
  exits 0 "$2: the machine is removed"
}

state=$host/lamina
run host_lamina "$host" catalog add tiny "$http_url/catalog.yaml"
exits 0 'a catalog is added'
# Too few descriptors to begin; to connect; to open the files. With enough to begin,
# define succeeds.
for files in 4 20 25; do pull_with as_root --nofile=$files 1 'ulimit -n'; done
define_with as_root --nofile=4 1 "ulimit -n"
limited as_root --nofile=20 list
exits 0 'list succeeds with 20 descriptors'
limited as_root --nofile=4 list
exits 1 'but not with 4'
pull_with as_root --fsize=5000000 8 'ulimit -f'
for bytes in 100 1000000; do define_with as_root --fsize=$bytes 8 'ulimit -f'; done

# The limit on processes does not apply to root. The user has no session libvirtd at
# first, so libvirt has to start one, which counts as well.
state=$host/home/.local/share/lamina
limited as_user --core=0 catalog add tiny "$http_url/catalog.yaml"
exits 0 'an unprivileged user adds a catalog'
pull_with as_user --nproc=1 1 'ulimit -u'
define_with as_user --nproc=1 7 'libvirt at qemu:///session.*Resource temporarily unavailable'
define_with as_user --nproc=1 1 'ulimit -u'

# A layer without a kernel, so that qemu-img is the first to run out of space.
state=$tmp/small/lamina
catalog_of "file://$tiny/a.qcow2" "$(digest_of a)" "$(stat -c %s "$tiny/a.qcow2")" >"$tmp/one.yaml"
define=(--catalog "$tmp/one.yaml" define m x --cloud-init "user-data=$tmp/user-data")
limited as_root --core=0 --catalog "$tmp/one.yaml" pull x
exits 0 'a base on a small file system'
dd if=/dev/zero of="$tmp/small/filler" bs=1K count=$(($(df --output=avail -k "$tmp/small" | tail -n 1) - 300)) 2>/dev/null
limited as_root --core=0 "${define[@]}"
exits 8 "define with 300 KiB left"
like "$err" 'qemu-img.*No space left on device' 'the message says that qemu-img ran out of space'
is "$(machines_in "$state") $(list_incomplete)" '0 ' 'nothing is left'
ok 'nothing is defined' eval '! defined m'
ok 'the cache is intact' cache_is_intact "$state"
rm "$tmp/small/filler"
limited as_root --core=0 "${define[@]}"
exits 0 'with enough space it succeeds'
limited as_root --core=0 rm m
define_with as_root --fsize=100000 8 'qemu-img.*ulimit -f'
done_testing
