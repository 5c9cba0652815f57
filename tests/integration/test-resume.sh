# SPDX-License-Identifier: LGPL-2.1-or-later
# A transfer that is interrupted at a random byte continues there.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
new_host one
serve_badly "$tiny"
state=$host/lamina
size=$(stat -c %s "$tiny/a.qcow2")
export LAMINA_TEST_NO_DELAY=1

for round in 1 2 3; do
  offset=$(((RANDOM * 32768 + RANDOM) % (size - 2) + 1))
  catalog_of "$bad_url/cut:$offset:1/a.qcow2" "$(digest_of a)" "$size" >"$tmp/catalog.yaml"
  serve_badly "$tiny"
  catalog_of "$bad_url/cut:$offset:1/a.qcow2" "$(digest_of a)" "$size" >"$tmp/catalog.yaml"
  run host_lamina "$host" --state-dir "$tmp/state$round" --catalog "$tmp/catalog.yaml" pull x
  exits 0 "round $round: interrupted at byte $offset, the pull succeeds"
  ok "round $round: the layer is correct" cmp "$tiny/a.qcow2" "$(layer_file "$tmp/state$round" a)"
  like "$(tail -n 1 "$bad_log")" "bytes=$offset-"  "round $round: it continued there"
done

# A process is killed, a later one continues.
catalog_of "$bad_url/rate:1000000/a.qcow2" "$(digest_of a)" "$size" >"$tmp/catalog.yaml"
: >"$bad_log"
run host_exec "$host" timeout -s KILL 1.7 "$LAMINA" --catalog "$tmp/catalog.yaml" pull x
exits 137 'a pull is killed'
ok 'nothing has the final name' test ! -e "$(layer_file "$state" a)"
ok 'its .part file is kept' eval '[ "$(find "$state/partial" -name "*.part" -size +100k | wc -l)" -eq 1 ]'
run host_lamina "$host" --catalog "$tmp/catalog.yaml" pull x
exits 0 'the next pull succeeds'
like "$(tail -n 1 "$bad_log")" 'bytes=[1-9][0-9]*-' 'and continues the .part file'
ok 'the layer is correct' cmp "$tiny/a.qcow2" "$(layer_file "$state" a)"

# A .part file with wrong data must not become a layer, nor make the pull fail.
serve_badly "$tiny"
catalog_of "$bad_url/rate:1000000/b.qcow2" "$(digest_of b)" "$(stat -c %s "$tiny/b.qcow2")" >"$tmp/catalog.yaml"
run host_exec "$host" timeout -s KILL 1.7 "$LAMINA" --catalog "$tmp/catalog.yaml" pull x
part=$(find "$state/partial" -name '*.part')
printf 'rubbish' | dd of="$part" conv=notrunc bs=1 seek=5000 2>/dev/null
catalog_of "$bad_url/ok/b.qcow2" "$(digest_of b)" "$(stat -c %s "$tiny/b.qcow2")" >"$tmp/catalog.yaml"
run host_lamina "$host" --catalog "$tmp/catalog.yaml" pull x
diag "after a spoilt part: status $status, $err"
ok 'a damaged .part file does not become a layer' cache_is_intact "$state"
run host_lamina "$host" --catalog "$tmp/catalog.yaml" pull x
exits 0 'the layer can be pulled then'
ok 'the layer is correct' cmp "$tiny/b.qcow2" "$(layer_file "$state" b)"
done_testing
