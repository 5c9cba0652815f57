# SPDX-License-Identifier: LGPL-2.1-or-later
# If all files are cached, nothing needs the network or a catalog server that answers.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
run host_lamina "$host" launch before a c --wait=120
exits 0 'a machine is launched while the server runs'
http_stop "$http_dir"

run host_lamina "$host" launch after a c --wait=120
exits 0 'another one is launched when it does not'
is "$(markers_of after)" 'a c ' 'with both layers'
run host_lamina "$host" plan a c
exits 0 'a plan is made'
run host_lamina "$host" list
exits 0 'the layers are listed'
run host_lamina "$host" catalog update
ok 'an update reports that the server does not answer' test -n "$err"
run host_lamina "$host" plan a c
exits 0 'the last good copy is used afterwards'
run host_lamina "$host" plan a e
exits 0 'layers that are not cached can be planned'
run host_lamina "$host" pull a e
exits 5 'pulling them fails with exit status 5'

host_exec "$host" virsh -q destroy before >/dev/null
run host_exec "$host" virsh -q start before
exits 0 'virsh starts a machine that was shut off'
host_exec "$host" virsh -q destroy before >/dev/null
run host_lamina "$host" launch before a c
exits 0 'lamina starts it too'
ok 'it runs' running before
host_lamina "$host" rm before after >/dev/null

# URLs with a token: the record of a machine keeps it, and no output shows it.
cp -r "$tiny" "$tmp/guarded"
sed -i 's/\(urls: \[[a-z.0-9]*\)\]/\1?token=word]/' "$tmp/guarded/catalog.yaml"
serve "$tmp/guarded" '' 'if ($request_uri !~ "(catalog.yaml|token=word)$") { return 403; }'
host_lamina "$host" catalog remove tiny >/dev/null
host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
remove_tree "$host/lamina/layers" "$host/lamina/blobs"
host_lamina "$host" launch m a c >/dev/null
dir=$host/lamina/machines/$(host_exec "$host" virsh domuuid m | head -n 1)
ok 'the record contains the token' grep -q token=word "$dir/record.json"
is "$(stat -c %a "$dir/record.json")" 600 'only its owner can read it'
said=$(host_lamina "$host" show m; host_lamina "$host" show --json m; host_lamina "$host" ps --json
       host_exec "$host" virsh dumpxml m)
is "$(grep -c 'token=\|word' <<<"$said")" 0 'no output contains it'
host_exec "$host" virsh -q destroy m
host_lamina "$host" catalog remove tiny >/dev/null
remove_tree "$host/lamina/layers" "$host/lamina/blobs"
: >"$tmp/empty"
mv -f "$tmp/empty" "$dir/kernel"
rm "$dir/initrd"
run host_lamina "$host" launch m a c --wait=120
exits 0 'layers, kernel and initrd are fetched again with it, without a catalog'
like "$err" 'the kernel of m was missing or damaged' 'a warning reports the kernel'
is "$(grep -c 'word' <<<"$out$err")" 0 'but not the token'
is "$(markers_of m)" 'a c ' 'the guest has both layers'
host_lamina "$host" rm m >/dev/null
done_testing
