# SPDX-License-Identifier: LGPL-2.1-or-later
# lamina is killed at random times, or errors are injected into random system calls
# (into one call, or into it and all later ones): the cache stays intact, nothing is
# lost, and the next run succeeds and leaves nothing incomplete. LAMINA_TEST_SEED
# (default 1), a number or "random", selects the cases; LAMINA_TEST_CASES (default 2)
# is the number of cases of each kind for each use case.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
command -v strace >/dev/null || skip_all 'needs strace'
tiny
serve "$tiny"
new_host one
seed=${LAMINA_TEST_SEED:-1}
[ "$seed" != random ] || seed=$(($(date +%s) % 32768))
cases=${LAMINA_TEST_CASES:-2}
RANDOM=$seed
diag "LAMINA_TEST_SEED=$seed"
export LAMINA_TEST_NO_DELAY=1

# ERROR and the system calls that return it: for a single call, and for all later ones,
# as if the whole file system failed.
injections=(
  'EIO read,pread64' 'EIO pwrite64,write' 'EIO fsync,fdatasync' 'EIO renameat2,rename,renameat' 'EIO getdents64' 'EIO openat'
  'ENOSPC pwrite64,write' 'ENOSPC fallocate,ftruncate' 'ENOSPC mkdir,mkdirat,renameat2'
  'EMFILE openat' 'EMFILE socket,pipe2' 'EAGAIN clone,clone3,vfork' 'EAGAIN flock,fcntl'
)
lasting=(
  'EROFS rename,renameat,renameat2,unlink,unlinkat,rmdir' 'EROFS mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir'
  'EIO fsync,fdatasync' 'EIO rename,renameat,renameat2' 'ENOSPC pwrite64,mkdir,mkdirat,rename,renameat,renameat2' 'EIO unlink,unlinkat,rmdir'
)
state=$tmp/state
uuid () { host_exec "$host" virsh domuuid m 2>/dev/null | head -n 1; }
lamina () { host_lamina "$host" --state-dir "$state" "$@"; }
# list_incomplete USE-CASE: lists incomplete files; the data of a pull that is not
# continued is kept.
list_incomplete () {
  [ "$1" = back ] || find "$state" -name '*.part'
  find "$state" -name '*.lamina-tmp.*'
}

# Without the leak checker, which does not work under strace and would change the status.
traced () {
  ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 \
    host_exec "$host" strace -f -qq "$@" "$LAMINA" --state-dir "$state" "${words[@]}"
}

# positions CALLS: prints the numbers that CALLS had in the run without faults; strace
# counts the calls of each thread separately. Calls of the main thread before the check
# of descriptors 0 to 2, with which main() begins, are left out.
positions () {
  awk -v calls=",$1," '
    NR == 1 { main = $1 }
    { name = $2; if (!sub (/\(.*/, "", name)) next }
    index (calls, "," name ",") { number = ++count[$1, name]; if (begun) seen[number] = 1; else if (number > before) before = number }
    $1 == main && $2 == "fcntl(2," { begun = 1 }
    END { for (number in seen) if (number + 0 > before) print number }' "$tmp/survey" | sort -n
}

# choose INJECTION...: selects one of them that occurs in the run without faults; sets
# error, calls, number.
choose () {
  local at=()
  while [ "${#at[@]}" -eq 0 ]; do
    read -r error calls <<<"${@:RANDOM % $# + 1:1}"
    mapfile -t at < <(positions "$calls")
  done
  number=${at[RANDOM % ${#at[@]}]}
}

# prepare USE-CASE: creates the state from which it starts; sets words.
prepare () {
  lamina rm m --ignore-missing >/dev/null 2>&1
  remove_tree "$state"
  lamina catalog add tiny "$http_url/catalog.yaml" >/dev/null
  old=
  case $1 in
    pull) words=(pull a c) ;;
    launch) words=(launch m a c) ;;
    update) words=(catalog update) ;;
    replace|back) lamina launch m a c >/dev/null 2>&1; words=(launch m a e --replace) ;;
    rm) lamina launch m a c >/dev/null 2>&1; words=(rm m) ;;
  esac
  case $1 in replace|back|rm) old=$(uuid); overlay=$state/machines/$old/overlay.qcow2 ;; esac
}

# Whether the source and its copy exist, and the old machine's disk exists if it must.
nothing_lost () {
  [ -s "$state/catalogs/tiny.json" ] && [ -s "$state/catalogs/tiny.catalog" ] || return 1
  case $1 in
    replace|back) [ -e "$overlay" ] || { [ "$(uuid)" != "$old" ] && running m; } ;;
    rm) [ -e "$overlay" ] || ! defined m ;;
  esac
}

# status_fits DESC ERROR: whether the exit status is right for the injected error.
status_fits () {
  case $2:$status in
    *:0|ENOSPC:8) true ;;
    *:127) grep -q 'error while loading shared libraries' <<<"$err" ;; # before main()
    ENOSPC:7) grep -q 'libvirt at' <<<"$err" ;; # for a socket, which never returns it by itself
    ENOSPC:*) ! grep -qi 'no space' <<<"$err" ;;
    *:6) false ;;
    *) [ "$status" -lt 9 ] && [ -n "$err" ] ;;
  esac
}

# check USE-CASE DESC ERROR: checks the result of the run, then that of another one
# without faults.
check () {
  local desc=$2
  [ "$3" = KILL ] || ok "$desc: status $status" status_fits "$desc" "$3"
  [ -z "$err" ] || diag "$(head -c 300 <<<"$err")"
  ok "$desc: the cache is intact" cache_is_intact "$state"
  ok "$desc: nothing is lost" nothing_lost "$1"
  case $1 in
    rm) words+=(--ignore-missing) ;;
    # The guests have written to their disks, and the user wants the old machine.
    back) touch "$state"/machines/*/overlay.qcow2; words=(launch m a c) ;;
  esac
  run lamina "${words[@]}"
  if [ "$1:$status" = back:9 ]; then
    like "$err" 'm exists already, made of .*app=e' "$desc: the next run finds the new machine"
  else
    exits 0 "$desc: the next run succeeds"
  fi
  ok "$desc: the next run loses nothing" nothing_lost "$1"
  is "$(list_incomplete "$1")" '' "$desc: and leaves nothing incomplete"
  case $1 in
    launch|replace) is "$(machines_in "$state")" 1 "$desc: one machine" ;;&
    launch|replace|back) ok "$desc: it runs" running m ;;
    rm) is "$(machines_in "$state")" 0 "$desc: no machine" ;;
  esac
}

# inject USE-CASE once|lasting: injects one of the errors into one of the calls of the
# run without faults. Threads share their work differently each time; if the call does
# not occur, another one is selected.
inject () {
  local desc tries
  for tries in 1 2 3; do
    case $2 in
      once) choose "${injections[@]}"; desc="$1 with $error of $calls number $number" ;;
      lasting) choose "${lasting[@]}"; desc="$1 with $error of $calls from number $number on"; number+=+ ;;
    esac
    prepare "$1"
    run traced -o "$tmp/injected" -e trace="$calls" -e inject="$calls:error=$error:when=$number"
    ! grep -q '(INJECTED)$' "$tmp/injected" || break
  done
  ok "$desc: something was injected" grep -q '(INJECTED)$' "$tmp/injected"
  check "$1" "$desc" "$error"
}

for use in pull launch update replace back rm; do
  prepare "$use"
  all=$(printf '%s\n' "${injections[@]}" "${lasting[@]}" | sed 's/^[^ ]* //' | tr , '\n' | sort -u | paste -sd,)
  before=$(date +%s%3N)
  run traced -o "$tmp/survey" -e trace="$all"
  exits 0 "$use: without faults"
  lasts=$(($(date +%s%3N) - before))
  for ((i = 0; i < cases; i++)); do
    prepare "$use"
    ms=$((RANDOM % lasts + 5))
    run host_exec "$host" timeout -s KILL "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))" "$LAMINA" --state-dir "$state" "${words[@]}"
    check "$use" "$use killed after $ms ms" KILL

    inject "$use" once
    inject "$use" lasting
  done
done
lamina rm m --ignore-missing >/dev/null 2>&1

# A cached file that cannot be read now is not reported as missing.
prepare pull
lamina pull a c >/dev/null 2>&1
file=$(layer_file "$state" a)
for verb in 'plan a c' 'plan a c --json' list 'list --json' 'pull a c' 'plan c a'; do
  read -ra words <<<"$verb"
  [ "$verb" != 'plan c a' ] || rm -r "$state/verified" # then the whole file is read
  run traced -o "$tmp/injected" -P "$file" -P "${file##*/}" -e trace=openat -e inject=openat:error=EIO
  exits 1 "$verb with a layer that cannot be read fails"
  like "$err" "$file.*Input/output error" "$verb: the message says why"
  is "$out" '' "$verb: nothing is printed"
done

# Nor is a catalog source that cannot be read now, because the others alone may give
# another result.
for file in "$state/catalogs/tiny.json" "$state/catalogs/tiny.catalog"; do
  for verb in 'plan a c' list 'pull a c'; do
    read -ra words <<<"$verb"
    rm -f "$state"/catalogs/*.index
    run traced -o "$tmp/injected" -P "${file##*/}" -e trace=openat -e inject=openat:error=EIO
    exits 1 "$verb fails if ${file##*/} cannot be read"
    like "$err" "$file.*Input/output error" 'and the message says why'
  done
done
done_testing
