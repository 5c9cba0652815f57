# SPDX-License-Identifier: LGPL-2.1-or-later
# Few descriptors, few processes, small files, a file system that is really full: the
# exit status says so, the message says what, nothing wrong is published, no bytes are
# thrown away, nothing half-made stays, and without the limit the same succeeds.
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

# What is printed goes through a pipe, where the limit on files does not count.
as_root () { host_exec "$host" prlimit "$@" 2>&1 | cat; return "${PIPESTATUS[0]}"; }
as_user () { host_user "$host" prlimit "$@" 2>&1 | cat; return "${PIPESTATUS[0]}"; }
limited () { # WHO PRLIMIT-OPTION LAMINA-WORD...
  # The leak checker needs what is limited.
  ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 run "$1" "$2" "$LAMINA" --state-dir "$state" "${@:3}"
  err=$out
}

names='a.qcow2 c.qcow2 vmlinuz initrd'
kept_in () { # FILE-OF-TINY: bytes of it in the state directory
  local hex
  hex=$(sha256sum <"$tiny/$1" | cut -d' ' -f1)
  stat -c %s "$state/partial/sha256-$hex.part" "$state/layers/sha256-$hex.qcow2" "$state/blobs/sha256-$hex" 2>/dev/null | head -n 1
}
half_made () { find "$state" -name '*.tmp.*' -o -name '*.new' -o -name '*.lamina-tmp.*'; }

# pull_with WHO OPTION STATUS LIMIT: what arrived in full is not asked for again.
pull_with () {
  local name whole=
  rm -rf "$state"/{layers,blobs,partial,verified}
  : >"$http_dir/access.log"
  limited "$1" "$2" pull a c
  exits "$3" "pull with $2"
  like "$err" "$4" "$2: it says which limit"
  ok "$2: the store is sound" store_is_sound "$state"
  for name in $names; do
    [ "$(kept_in $name)" != "$(stat -c %s "$tiny/$name")" ] || whole+="$name "
  done
  : >"$http_dir/access.log"
  limited "$1" --core=0 pull a c
  exits 0 "$2: without it the same succeeds"
  for name in $whole; do
    is "$(http_count "$http_dir" "$name")" 0 "$2: $name, which was here, is not asked for again"
  done
  ok "$2: and all is right" store_is_sound "$state"
}

# define_with WHO OPTION STATUS LIMIT
define_with () {
  limited "$1" "$2" "${define[@]}"
  exits "$3" "define with $2"
  like "$err" "$4" "$2: it says which limit"
  is "$(machines_in "$state")" 0 "$2: no machine is left"
  is "$(half_made)" '' "$2: nothing half-made is left"
  ok "$2: the store is sound" store_is_sound "$state"
  limited "$1" --core=0 "${define[@]}"
  exits 0 "$2: without it the same succeeds"
  limited "$1" --core=0 rm m
  exits 0 "$2: and is removed"
}

state=$host/lamina
run host_lamina "$host" catalog add tiny "$http_url/catalog.yaml"
exits 0 'a catalog'
# Too few to begin; to connect; to open what arrived. What can begin can define.
for files in 4 20 25; do pull_with as_root --nofile=$files 1 'ulimit -n'; done
define_with as_root --nofile=4 1 "ulimit -n"
limited as_root --nofile=20 list
exits 0 'list needs fewer'
limited as_root --nofile=4 list
exits 1 'but not as few as it likes'
pull_with as_root --fsize=5000000 8 'ulimit -f'
for bytes in 100 1000000; do define_with as_root --fsize=$bytes 8 'ulimit -f'; done

# Root may start any number of processes. The libvirtd of the user's session counts; as
# long as there is none, libvirt would have to start it.
state=$host/home/.local/share/lamina
limited as_user --core=0 catalog add tiny "$http_url/catalog.yaml"
exits 0 'a catalog of a plain user'
pull_with as_user --nproc=1 1 'ulimit -u'
define_with as_user --nproc=1 7 'libvirt at qemu:///session.*Resource temporarily unavailable'
define_with as_user --nproc=1 1 'ulimit -u'

# A disk without kernel, so that the first to meet the end of the space is qemu-img.
state=$tmp/small/lamina
catalog_of "file://$tiny/a.qcow2" "$(digest_of a)" "$(stat -c %s "$tiny/a.qcow2")" >"$tmp/one.yaml"
define=(--catalog "$tmp/one.yaml" define m x --cloud-init "user-data=$tmp/user-data")
limited as_root --core=0 --catalog "$tmp/one.yaml" pull x
exits 0 'a base on a small file system'
dd if=/dev/zero of="$tmp/small/filler" bs=1K count=$(($(df --output=avail -k "$tmp/small" | tail -n 1) - 300)) 2>/dev/null
limited as_root --core=0 "${define[@]}"
exits 8 "define with 300 KiB left"
like "$err" 'qemu-img.*No space left on device' 'it says that space lacks, and whom'
is "$(machines_in "$state") $(half_made)" '0 ' 'nothing is left'
ok 'nothing is defined' eval '! defined m'
ok 'the store is sound' store_is_sound "$state"
rm "$tmp/small/filler"
limited as_root --core=0 "${define[@]}"
exits 0 'with space the same succeeds'
limited as_root --core=0 rm m
define_with as_root --fsize=100000 8 'qemu-img.*ulimit -f'
done_testing
