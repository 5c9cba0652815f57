# SPDX-License-Identifier: LGPL-2.1-or-later
# Two hosts and one server: a,c and then a,e on the first, b,f on the second.
# Each host fetches each file exactly once; machines share their common layers.
# About guests: skipped with sanitizers.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"

requests () { sort "$http_dir/access.log" | sed -n 's/^GET \/\([^ ]*\) 20[06] .*/\1/p' | grep -v catalog | xargs; }

new_host one
run host_lamina "$host" catalog add tiny "$http_url/catalog.yaml"
exits 0 'the first host adds the catalog'
run host_lamina "$host" launch ac a c --wait=120
exits 0 'a,c is launched'
is "$(requests)" 'a.qcow2 c.qcow2 initrd vmlinuz' 'each file was requested once'
is "$(markers_of ac)" 'a c ' 'its guest sees the layers a and c'

: >"$http_dir/access.log"
run host_lamina "$host" plan --json a e
exits 0 'a,e is planned'
is "$(json '[(l["name"], l["action"]) for l in d["layers"]]' <<<"$out")" "[('a', 'cached'), ('e', 'pull')]" \
  'the plan says that a is cached and e is not'
is "$(json 'd["bytes_to_pull"]' <<<"$out")" "$(stat -c %s "$tiny/e.qcow2")" 'the plan says how much is to be pulled'
run host_lamina "$host" launch ae a e --wait=120
exits 0 'a,e is launched'
is "$(requests)" 'e.qcow2' 'only e was fetched'
is "$(markers_of ae)" 'a e ' 'its guest sees the layers a and e'
ok 'both machines run' eval 'running ac && running ae'
is "$(host_exec "$host" qemu-img info -U --output=json "$(host_lamina "$host" show ac --json | json 'd["overlay"]')" |
  json 'd["full-backing-filename"]')" "$(layer_file "$host/lamina" c)" 'the overlay stands on c'
ok 'the cache is intact' cache_is_intact "$host/lamina"

first=$host
: >"$http_dir/access.log"
new_host two
run host_lamina "$host" catalog add tiny "$http_url/catalog.yaml"
exits 0 'the second host adds the catalog'
run host_lamina "$host" launch bf b f --wait=120
exits 0 'b,f is launched'
is "$(requests)" 'b.qcow2 f.qcow2 initrd vmlinuz' 'the second host fetched its own files, once each'
is "$(markers_of bf)" 'b f ' 'its guest sees the layers b and f'

host=$first
run host_lamina "$host" ps --json
is "$(json 'sorted(m["name"] for m in d["machines"])' <<<"$out")" "['ac', 'ae']" 'each host knows its own machines'
run host_lamina "$host" rm ac
exits 0 'a machine is removed'
ok 'its domain no longer exists' eval '! defined ac'
ok 'its layers are kept' test -f "$(layer_file "$host/lamina" c)"
ok 'the other machine still runs' running ae
run host_lamina "$host" cache list --json
exits 0 'the cache is listed'
done_testing
