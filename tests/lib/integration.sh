# SPDX-License-Identifier: LGPL-2.1-or-later
# Functions for integration tests; sourced by tests/integration/test-*.sh.
# Prints TAP on standard output. run-all sets LAMINA (the program), LAMINA_TEST_CACHE
# (a directory for what tests create once and keep) and a TMPDIR that is removed
# afterwards.
#   run CMD...               sets status, out, err
#   ok DESC CMD...           passes if CMD succeeds
#   is GOT WANT DESC         like TEXT REGEX DESC       exits WANT DESC
#   new_host NAME [--net]    starts the host $tmp/NAME with host_start; sets host
#   serve DIR [CERT [DIRECTIVE...]]
#                            serves DIR with http_start; sets http_url, http_dir
#   serve_badly DIR          serves DIR with badserver.py; sets bad_url, bad_log
#   hold_port PORT           listens on PORT until release_port
#   stop_at POINT ARGS...    runs lamina ARGS in the background until it stops at the
#                            fault point POINT; sets job, pid; output in $tmp/stopped
#   go_on                    continues it and waits for its end; sets status, err
#   tiny                     creates the tiny guests; sets tiny (their directory)
#   json EXPRESSION          reads JSON on standard input as d, prints EXPRESSION
#   unlock_layer FILE...     lets the test change or remove cached files, which are immutable
#   remove_tree DIR...       removes directories with cached files
#   done_testing

. "$(dirname "${BASH_SOURCE[0]}")/host.sh"
set -u
top=$(cd "$host_lib/../.." && pwd)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/lamina-it.XXXXXX")
export LAMINA_RECIPE_DIR=$tmp/no-recipes # not those of a lamina that is installed
chmod 0755 "$tmp"
test_number=0
test_failures=0
hosts=()
servers=()
bad_pid=
holder=
job=

at_end () {
  local item
  for item in "${hosts[@]}"; do host_stop "$item"; done
  for item in "${servers[@]}"; do http_stop "$item"; done
  serve_badly_stop
  release_port
  if declare -F extra_cleanup >/dev/null; then extra_cleanup; fi
  remove_tree "$tmp"
}
trap at_end EXIT
trap 'exit 1' INT TERM HUP

# Where there is no such flag, there is nothing to lift.
unlock_layer () { chattr -f -i -- "$@" 2>/dev/null || true; }
remove_tree () {
  chattr -R -f -i -- "$@" 2>/dev/null
  rm -rf --one-file-system -- "$@"
}

skip_all () { echo "1..0 # SKIP $1"; exit 0; }
done_testing () { echo "1..$test_number"; [ "$test_failures" -eq 0 ]; exit; }
diag () { sed 's/^/# /' <<<"$*"; }

_result () {
  test_number=$((test_number + 1))
  if [ "$1" -eq 0 ]; then
    echo "ok $test_number - $2"
    return 0
  fi
  test_failures=$((test_failures + 1))
  echo "not ok $test_number - $2"
  return 1
}

ok () {
  local desc=$1
  shift
  if "$@"; then _result 0 "$desc"; else _result 1 "$desc"; diag "failed: $*"; fi
}

is () {
  if [ "$1" = "$2" ]; then _result 0 "$3"; return; fi
  _result 1 "$3"
  diag "got: $1"
  diag "want: $2"
}

like () {
  if grep -qE -- "$2" <<<"$1"; then _result 0 "$3"; return; fi
  _result 1 "$3"
  diag "got: $1"
  diag "want something like: $2"
}

run () {
  status=0
  "$@" >"$tmp/.out" 2>"$tmp/.err" </dev/null || status=$?
  out=$(<"$tmp/.out")
  err=$(<"$tmp/.err")
}

exits () {
  if [ "$status" -eq "$1" ]; then _result 0 "$2"; return; fi
  _result 1 "$2"
  diag "exit status $status, want $1"
  diag "out: $out"
  diag "err: $err"
}

# Skips the whole test if hosts cannot be started here.
need_hosts () {
  local why
  why=$(host_missing)
  [ -z "$why" ] || skip_all "$why"
  [ -x "${LAMINA:-}" ] || { echo 'Bail out! LAMINA is not the path of a program'; exit 1; }
}

new_host () {
  host=$tmp/$1
  hosts+=("$host")
  host_start "$host" "${@:2}" || { echo "Bail out! cannot start the host $1"; exit 1; }
}

serve () {
  local dir=$tmp/http${#servers[@]}
  servers+=("$dir")
  http_start "$dir" "$@" || { echo 'Bail out! cannot start the web server'; exit 1; }
  http_dir=$dir
}

serve_badly () {
  serve_badly_stop
  bad_log=$tmp/bad.log
  : >"$bad_log"
  rm -f "$tmp/.bad.in" "$tmp/.bad.port"
  mkfifo "$tmp/.bad.in"
  /usr/bin/python3 "$host_lib/badserver.py" "$1" "$bad_log" <"$tmp/.bad.in" >"$tmp/.bad.port" 2>/dev/null &
  bad_pid=$!
  exec 8>"$tmp/.bad.in"
  wait_for 10 test -s "$tmp/.bad.port" || { echo 'Bail out! cannot start badserver.py'; exit 1; }
  bad_url=http://127.0.0.1:$(head -n 1 "$tmp/.bad.port")
}

serve_badly_stop () {
  [ -n "$bad_pid" ] || return 0
  exec 8>&-
  kill "$bad_pid" 2>/dev/null
  wait "$bad_pid" 2>/dev/null
  bad_pid=
}

hold_port () {
  : >"$tmp/held"
  /usr/bin/python3 -c 'import signal, socket, sys
s = socket.socket(); s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(); print("held", flush=True); signal.pause()' "$1" >"$tmp/held" &
  holder=$!
  wait_for 10 test -s "$tmp/held" || { echo "Bail out! cannot listen on port $1"; exit 1; }
}

release_port () {
  [ -n "$holder" ] || return 0
  kill "$holder" 2>/dev/null
  wait "$holder" 2>/dev/null
  holder=
}

# Prints the child processes of $1 and their descendants.
descendants () {
  local child
  for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
    echo "$child"
    descendants "$child"
  done
}
is_stopped () { grep -qs '^State:.T' "/proc/$1/status"; }

_find_stopped () {
  local process
  for process in $(descendants "$job"); do
    [ "$(readlink "/proc/$process/exe")" = "$(readlink -f "$LAMINA")" ] && is_stopped "$process" || continue
    pid=$process
    return 0
  done
  return 1
}

stop_at () {
  local point=$1
  shift
  LAMINA_TEST_FAULT=$point=stop host_lamina "$host" "$@" >"$tmp/stopped" 2>&1 </dev/null &
  job=$!
  ok "lamina $1 stops at $point" wait_for 60 _find_stopped
}

# Processes that entered the host stop with it; a fault point that is reached twice
# stops lamina twice. Only stopped processes get SIGCONT, because to others it would
# cancel the stop that LeakSanitizer waits for.
go_on () {
  local process
  while kill -0 "$job" 2>/dev/null; do
    for process in $(descendants "$job"); do ! is_stopped "$process" || kill -CONT "$process" 2>/dev/null; done
    sleep 0.1
  done
  status=0
  wait "$job" || status=$?
  out= err=$(cat "$tmp/stopped")
}

tiny () {
  # The name depends on the script, because another version may create other guests.
  tiny=$LAMINA_TEST_CACHE/tiny-$(sha256sum <"$host_lib/tiny-guest" | cut -c1-16)
  "$host_lib/tiny-guest" "$tiny" "$@" || { echo 'Bail out! cannot create the tiny guests'; exit 1; }
}

json () {
  /usr/bin/python3 -c '
import json, sys
try:
    d = json.load(sys.stdin)
    print(eval(sys.argv[1]))
except Exception as error:
    print(f"(no value: {type(error).__name__}: {error})")' "$1"
}

digest_of () { echo "sha256:$(<"$tiny/$1.digest")"; }
layer_file () { echo "$1/layers/sha256-$(<"$tiny/$2.digest").qcow2"; } # STATE-DIR NAME

console_of () { host_lamina "$host" show "$1" --json | json 'd["console_log"]'; }
# Prints the markers that the guest of machine $1 found, as "A C ".
markers_of () { cat "$(console_of "$1")" 2>/dev/null | tr -d '\r' | sed -n 's/^LAMINA-LAYER \([^ ]*\) .*/\1/p' | tr '\n' ' '; }
running () { [ "$(host_exec "$host" virsh domstate "$1" 2>/dev/null | head -n 1)" = running ]; }
defined () { host_exec "$host" virsh -q dominfo "$1" >/dev/null 2>&1; }

# Whether each file in the cache of the state directory $1 has the digest in its name,
# and mode 0444.
cache_is_intact () {
  local state=$1 file name hex
  for file in "$state"/layers/* "$state"/blobs/*; do
    [ -e "$file" ] || continue
    name=${file##*/}
    hex=${name#sha256-}
    hex=${hex%.qcow2}
    [ "$(sha256sum <"$file" | cut -d' ' -f1)" = "$hex" ] || { diag "$file does not have the digest in its name"; return 1; }
    [ "$(stat -c %a "$file")" = 444 ] || { diag "$file has mode $(stat -c %a "$file")"; return 1; }
  done
}

# Prints the number of machines in the state directory $1.
machines_in () { find "$1/machines" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | wc -l; }

# Prints a catalog with one base: catalog_of URLS DIGEST SIZE [MIRROR...]
catalog_of () {
  local urls=$1 digest=$2 size=$3 mirror
  shift 3
  for mirror in "$@"; do urls="$urls, \"$mirror\""; done
  cat <<END
lamina-catalog: 1
name: one
groups: [{name: os, required: true}]
layers:
  - name: x
    version: "1"
    group: os
    builds:
      - {digest: "$digest", size: $size, urls: [$urls]}
END
}
