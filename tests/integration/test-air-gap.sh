# SPDX-License-Identifier: LGPL-2.1-or-later
# A chain goes from a host with a catalog server to one that has no network at all, in a
# file and through a pipe, and is launched there.
# About guests: skipped with sanitizers.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"

new_host one
first=$host
host_lamina "$first" catalog add tiny "$http_url/catalog.yaml" >/dev/null
run host_lamina "$first" cache export "$tmp/ac.lamina" a c --json
exits 0 'the first host exports a,c'
is "$(json '[f["name"] for f in d["files"]], d["pulled"]["files"]' <<<"$out")" "(['a', 'c', 'kernel', 'initrd'], 4)" \
  'pulling what it needs for that'
is "$(tar tf "$tmp/ac.lamina" | head -n 1)" catalog.json 'tar can list the archive'
run host_lamina "$first" cache export "$tmp/again.lamina" a c
ok 'the same chain gives the same bytes' cmp "$tmp/ac.lamina" "$tmp/again.lamina"

new_host two --net
second=$host
run host_exec "$second" curl -sS --max-time 5 "$http_url/catalog.yaml"
ok 'the second host does not reach the server' test "$status" != 0
run host_lamina "$second" cache import "$tmp/ac.lamina" --json
exits 0 'it imports the archive'
is "$(json 'd["source"], d["source_change"], [f["action"] for f in d["files"]]' <<<"$out")" \
  "('tiny', 'added', ['imported', 'imported', 'imported', 'imported'])" 'with a catalog source of the same name'
ok 'its cache is intact' cache_is_intact "$second/lamina"
run host_lamina "$second" launch ac a c --wait=120
exits 0 'a,c is launched there'
is "$(markers_of ac)" 'a c ' 'its guest sees both layers'
ok 'its layers still belong to root' test "$(stat -c %U "$(layer_file "$second/lamina" a)")" = root

# Through a pipe, from a machine instead of selections.
run host_lamina "$first" launch ae a e --wait=120
exits 0 'the first host launches a,e'
host_lamina "$first" cache export - --machine ae 2>"$tmp/export.err" | host_lamina "$second" cache import - --json >"$tmp/import.json"
is "${PIPESTATUS[*]}" '0 0' 'its chain goes through a pipe'
is "$(json 'd["source_change"], sorted((f["name"], f["action"]) for f in d["files"])' <"$tmp/import.json")" \
  "('changed', [('a', 'cached'), ('e', 'imported'), ('initrd', 'cached'), ('kernel', 'cached')])" 'which has only e to import'
host=$second
run host_lamina "$second" launch ae a e --wait=120
exits 0 'a,e is launched on the second host'
is "$(markers_of ae)" 'a e ' 'its guest sees both layers'
run host_lamina "$second" catalog update
exits 0 'an imported catalog has nothing to update'
run host_lamina "$second" cache list
like "$out" 'layer +e +' 'the imported layers have names'
run host_lamina "$second" outdated --json
is "$(json '[(m["name"], m["outdated"], m["bytes_to_pull"]) for m in d["machines"]]' <<<"$out")" \
  "[('ac', False, 0), ('ae', False, 0)]" 'no machine is outdated, and nothing would be pulled'
run host_lamina "$second" rm ac ae
exits 0 'the machines are removed'

# Not enough space, then an interruption: nothing half-made.
unlock_layer "$(layer_file "$second/lamina" e)"
rm "$(layer_file "$second/lamina" e)"
run host_exec "$second" env LAMINA_TEST_FREE=1000 "$LAMINA" cache import "$tmp/ac.lamina"
exits 0 'what is cached needs no space'
host_lamina "$first" cache export "$tmp/ae.lamina" a e >/dev/null
run host_exec "$second" env LAMINA_TEST_FREE=1000 "$LAMINA" cache import "$tmp/ae.lamina"
exits 8 'a missing layer does'
run host_exec "$second" env LAMINA_TEST_FAULT=part-before-sync=kill "$LAMINA" cache import "$tmp/ae.lamina"
ok 'a run is killed' test "$status" != 0
ok 'e is not there' test ! -e "$(layer_file "$second/lamina" e)"
run host_lamina "$second" cache import "$tmp/ae.lamina"
exits 0 'the next one imports it'
ok 'the cache is intact' cache_is_intact "$second/lamina"
is "$(ls "$second/lamina/partial" | grep -v lock)" '' 'and nothing is left beside it'
done_testing
