# SPDX-License-Identifier: LGPL-2.1-or-later
# A process that transfers a file is killed while another one waits for it: the other
# one continues the transfer.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
new_host one
serve_badly "$tiny"
state=$host/lamina

# About 1 MB/s: the transfer of a lasts three to four seconds.
catalog_of "$bad_url/rate:1000000/a.qcow2" "$(digest_of a)" "$(stat -c %s "$tiny/a.qcow2")" >"$tmp/catalog.yaml"
cat >"$tmp/story" <<'END'
. "$3/host.sh"
arrives () { [ -n "$(find "$LAMINA_STATE_DIR/partial" -name '*.part' -size +64k)" ]; }
"$LAMINA" --catalog "$1" pull x >"$2/first" 2>&1 &
first=$!
wait_for 30 arrives
"$LAMINA" --catalog "$1" pull x --progress=json >"$2/second" 2>&1 &
second=$!
wait_for 30 grep -q other_process.*true "$2/second"
kill -KILL "$first"
wait "$first"
echo "first $?"
wait "$second"
echo "second $?"
END
run host_exec "$host" env LAMINA="$LAMINA" LAMINA_STATE_DIR="$state" bash "$tmp/story" "$tmp/catalog.yaml" "$tmp" "$host_lib"
is "$out" "$(printf 'first 137\nsecond 0')" 'the transferring process was killed, the waiting one succeeds'
diag "$(cat "$tmp/second")"
ok 'the layer is in the cache' cmp "$tiny/a.qcow2" "$(layer_file "$state" a)"
ok 'the cache is intact' cache_is_intact "$state"
is "$(wc -l <"$bad_log")" 2 'the server got two requests'
like "$(tail -n 1 "$bad_log")" 'bytes=[1-9][0-9]*-' 'the second one continued where the first had ended'
is "$(find "$state/partial" -name '*.part' 2>/dev/null | wc -l)" 0 'no .part file is left'

# Eight wait, the transferring process dies, one of them continues and seven go on waiting.
catalog_of "$bad_url/rate:1500000/b.qcow2" "$(digest_of b)" "$(stat -c %s "$tiny/b.qcow2")" >"$tmp/catalog.yaml"
: >"$bad_log"
cat >"$tmp/story" <<'END'
. "$3/host.sh"
"$LAMINA" --catalog "$1" pull x >/dev/null 2>&1 &
first=$!
arrives () { [ -n "$(find "$LAMINA_STATE_DIR/partial" -name '*.part' -size +64k)" ]; }
wait_for 30 arrives
others=
for i in 1 2 3 4 5 6 7 8; do "$LAMINA" --catalog "$1" pull x --progress=json >"$2/other$i" 2>&1 & others="$others $!"; done
for i in 1 2 3 4 5 6 7 8; do wait_for 30 grep -q other_process.*true "$2/other$i"; done
kill -KILL "$first"
wait "$first"
bad=0
for other in $others; do wait "$other" || bad=$((bad + 1)); done
echo "bad $bad"
END
run host_exec "$host" env LAMINA="$LAMINA" LAMINA_STATE_DIR="$state" bash "$tmp/story" "$tmp/catalog.yaml" "$tmp" "$host_lib"
is "$out" 'bad 0' 'all eight waiting processes succeed'
is "$(wc -l <"$bad_log")" 2 'only one of them sent another request'
done_testing
