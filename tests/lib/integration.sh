# SPDX-License-Identifier: LGPL-2.1-or-later
# The frame of an integration test; sourced by tests/integration/test-*.sh.
# TAP on standard output. run-all sets LAMINA (the program), LAMINA_TEST_CACHE
# (what tests make once and keep) and a TMPDIR that is removed afterwards.
#   run CMD...               sets status, out, err
#   ok DESC CMD...           passes if CMD succeeds
#   is GOT WANT DESC         like TEXT REGEX DESC       exits WANT DESC
#   new_host NAME [--net]    starts the host $tmp/NAME, as host_start does; sets host
#   serve DIR [CERT [DIRECTIVE...]]
#                            serves DIR, as http_start does; sets http_url, http_dir
#   serve_badly DIR          the same by badserver.py; requests in $bad_log
#   hold_port PORT           listens there until release_port
#   stop_at POINT ARGS...    runs lamina ARGS in the background until it stops at the
#                            fault point POINT; sets job, pid; output in $tmp/stopped
#   go_on                    lets it go on to its end; sets status
#   tiny                     makes the tiny guests; sets tiny (their directory)
#   json EXPRESSION          reads JSON on standard input as d, prints EXPRESSION
#   done_testing

. "$(dirname "${BASH_SOURCE[0]}")/host.sh"
set -u
top=$(cd "$host_lib/../.." && pwd)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/lamina-it.XXXXXX")
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
  rm -rf --one-file-system "$tmp"
}
trap at_end EXIT
trap 'exit 1' INT TERM HUP

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
  out=$(cat "$tmp/.out")
  err=$(cat "$tmp/.err")
}

exits () {
  if [ "$status" -eq "$1" ]; then _result 0 "$2"; return; fi
  _result 1 "$2"
  diag "exit status $status, want $1"
  diag "out: $out"
  diag "err: $err"
}

# Skips the whole test where hosts cannot be had or lamina is not built.
need_hosts () {
  local why
  why=$(host_missing)
  [ -z "$why" ] || skip_all "$why"
  [ -x "${LAMINA:-}" ] || { echo 'Bail out! LAMINA names no program'; exit 1; }
}

new_host () {
  host=$tmp/$1
  hosts+=("$host")
  host_start "$host" "${@:2}" || { echo "Bail out! no host $1"; exit 1; }
}

serve () {
  local dir=$tmp/http${#servers[@]}
  servers+=("$dir")
  http_start "$dir" "$@" || { echo 'Bail out! no web server'; exit 1; }
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
  wait_for 10 test -s "$tmp/.bad.port" || { echo 'Bail out! no bad server'; exit 1; }
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

# The processes that $1 started, and those that they did.
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

# What entered the host stops with it; a point that is passed twice stops twice.
# Only what is stopped: SIGCONT takes away the stop that LeakSanitizer waits for.
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
  # Another version of the sources may make others meanwhile.
  tiny=$LAMINA_TEST_CACHE/tiny-$(sha256sum <"$host_lib/tiny-guest" | cut -c1-16)
  "$host_lib/tiny-guest" "$tiny" "$@" || { echo 'Bail out! no tiny guests'; exit 1; }
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

digest_of () { echo "sha256:$(cat "$tiny/$1.digest")"; }
layer_file () { echo "$1/layers/sha256-$(cat "$tiny/$2.digest").qcow2"; } # STATE-DIR NAME

console_of () { host_lamina "$host" show "$1" --json | json 'd["console_log"]'; }
# The markers that machine $1 found, as "A C ".
markers_of () { cat "$(console_of "$1")" 2>/dev/null | tr -d '\r' | sed -n 's/^LAMINA-LAYER \([^ ]*\) .*/\1/p' | tr '\n' ' '; }
running () { [ "$(host_exec "$host" virsh domstate "$1" 2>/dev/null | head -n 1)" = running ]; }
defined () { host_exec "$host" virsh -q dominfo "$1" >/dev/null 2>&1; }

# A state directory in which nothing is half-made: every layer is what its name
# says and 0444, nothing but locks and parts outside the final names.
store_is_sound () {
  local state=$1 file name hex
  for file in "$state"/layers/* "$state"/blobs/*; do
    [ -e "$file" ] || continue
    name=${file##*/}
    hex=${name#sha256-}
    hex=${hex%.qcow2}
    [ "$(sha256sum <"$file" | cut -d' ' -f1)" = "$hex" ] || { diag "$file is not what its name says"; return 1; }
    [ "$(stat -c %a "$file")" = 444 ] || { diag "$file has mode $(stat -c %a "$file")"; return 1; }
  done
}

# What is left of machines in the state directory $1.
machines_in () { find "$1/machines" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | wc -l; }

# A catalog of one base whose file is as given: catalog_of FILE-URL DIGEST SIZE [MIRROR...]
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
