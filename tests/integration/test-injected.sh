# SPDX-License-Identifier: LGPL-2.1-or-later
# Killed at random instants, and with errors injected into random system calls:
# the store stays sound, nothing is lost, the next run succeeds and leaves
# nothing half-made. LAMINA_TEST_SEED (1), a number or "random", chooses the
# cases; LAMINA_TEST_CASES (4) is how many each use case gets of either kind.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
command -v strace >/dev/null || skip_all 'needs strace'
tiny
serve "$tiny"
new_host one
seed=${LAMINA_TEST_SEED:-1}
[ "$seed" != random ] || seed=$(($(date +%s) % 32768))
cases=${LAMINA_TEST_CASES:-4}
RANDOM=$seed
diag "LAMINA_TEST_SEED=$seed"
export LAMINA_TEST_NO_DELAY=1

# ERROR and the system calls that give it.
injections=(
  'EIO read,pread64' 'EIO pwrite64,write' 'EIO fsync,fdatasync' 'EIO renameat2,rename,renameat' 'EIO getdents64' 'EIO openat'
  'ENOSPC pwrite64,write' 'ENOSPC fallocate,ftruncate' 'ENOSPC mkdir,mkdirat,renameat2'
  'EMFILE openat' 'EMFILE socket,pipe2' 'EAGAIN clone,clone3,vfork' 'EAGAIN flock,fcntl'
)
state=$tmp/state
uuid () { host_exec "$host" virsh domuuid m 2>/dev/null | head -n 1; }
lamina () { host_lamina "$host" --state-dir "$state" "$@"; }
half_made () { find "$state" -name '*.part' -o -name '*.[A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9]'; }

# prepare USE-CASE: the state that it starts from; sets words.
prepare () {
  lamina rm m --ignore-missing >/dev/null 2>&1
  rm -rf "$state"
  lamina catalog add tiny "$http_url/catalog.yaml" >/dev/null
  old=
  case $1 in
    pull) words=(pull a c) ;;
    launch) words=(launch m a c) ;;
    update) words=(catalog update) ;;
    replace) lamina launch m a c >/dev/null 2>&1; words=(launch m a e --replace) ;;
    rm) lamina launch m a c >/dev/null 2>&1; words=(rm m) ;;
  esac
  case $1 in replace|rm) old=$(uuid); overlay=$state/machines/$old/overlay.qcow2 ;; esac
}

# Whether the source and its copy are there, and the old machine's disk is, or need not be.
nothing_lost () {
  [ -s "$state/catalogs/tiny.json" ] && [ -s "$state/catalogs/tiny.catalog" ] || return 1
  case $1 in
    replace) [ -e "$overlay" ] || { [ "$(uuid)" != "$old" ] && running m; } ;;
    rm) [ -e "$overlay" ] || ! defined m ;;
  esac
}

# status_fits DESC ERROR: for what was not killed.
status_fits () {
  case $2:$status in
    *:0|ENOSPC:8) true ;;
    *:127) grep -q 'error while loading shared libraries' <<<"$err" ;; # before main()
    ENOSPC:7) grep -q 'libvirt at' <<<"$err" ;; # a socket, which never says so by itself
    ENOSPC:*) ! grep -qi 'no space' <<<"$err" ;;
    *:6) false ;;
    *) [ "$status" -lt 9 ] && [ -n "$err" ] ;;
  esac
}

# check USE-CASE DESC ERROR: after the run; then once more, undisturbed.
check () {
  local desc=$2
  [ "$3" = KILL ] || ok "$desc: status $status" status_fits "$desc" "$3"
  [ -z "$err" ] || diag "$(head -c 300 <<<"$err")"
  ok "$desc: the store is sound" store_is_sound "$state"
  ok "$desc: nothing is lost" nothing_lost "$1"
  if [ "$1" = rm ]; then words+=(--ignore-missing); fi
  run lamina "${words[@]}"
  exits 0 "$desc: the next run succeeds"
  is "$(half_made)" '' "$desc: and leaves nothing half-made"
  case $1 in
    launch|replace) is "$(machines_in "$state")" 1 "$desc: one machine" ; ok "$desc: it runs" running m ;;
    rm) is "$(machines_in "$state")" 0 "$desc: no machine" ;;
  esac
}

for use in pull launch update replace rm; do
  prepare "$use"
  before=$(date +%s%3N)
  run lamina "${words[@]}"
  exits 0 "$use: undisturbed"
  lasts=$(($(date +%s%3N) - before))
  for ((i = 0; i < cases; i++)); do
    prepare "$use"
    ms=$((RANDOM % lasts + 5))
    run host_exec "$host" timeout -s KILL "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))" "$LAMINA" --state-dir "$state" "${words[@]}"
    check "$use" "$use killed after $ms ms" KILL

    prepare "$use"
    read -r error calls <<<"${injections[RANDOM % ${#injections[@]}]}"
    number=$((RANDOM % 40 + 1))
    # The leak checker does not work under strace, and would decide the status.
    ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 \
      run host_exec "$host" strace -f -qq -o /dev/null -e trace="$calls" -e inject="$calls:error=$error:when=$number" \
      "$LAMINA" --state-dir "$state" "${words[@]}"
    check "$use" "$use with $error of $calls number $number" "$error"
  done
done
lamina rm m --ignore-missing >/dev/null 2>&1

# A cached file that cannot be read just now is not said to be missing.
prepare pull
lamina pull a c >/dev/null 2>&1
file=$(layer_file "$state" a)
for words in 'plan a c' 'plan a c --json' list 'list --json' 'pull a c' 'plan c a'; do
  [ "$words" != 'plan c a' ] || rm -r "$state/verified" # then all of it is read
  ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 \
    run host_exec "$host" strace -f -qq -o /dev/null -P "$file" -P "${file##*/}" -e trace=openat -e inject=openat:error=EIO \
    "$LAMINA" --state-dir "$state" $words
  exits 1 "$words with a layer that cannot be read fails"
  like "$err" "$file.*Input/output error" "$words: it says so"
  is "$out" '' "$words: and nothing else"
done

# Nor is a source, without which others may answer.
for file in "$state/catalogs/tiny.json" "$state/catalogs/tiny.catalog"; do
  for words in 'plan a c' list 'pull a c'; do
    rm -f "$state"/catalogs/*.index
    ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 \
      run host_exec "$host" strace -f -qq -o /dev/null -P "${file##*/}" -e trace=openat -e inject=openat:error=EIO \
      "$LAMINA" --state-dir "$state" $words
    exits 1 "$words fails if ${file##*/} cannot be read"
    like "$err" "$file.*Input/output error" 'and says so'
  done
done
done_testing
