# SPDX-License-Identifier: LGPL-2.1-or-later
# A server that allows one connection per client: files are transferred one at a time.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
http_context='limit_conn_zone $binary_remote_addr zone=one:1m; limit_conn_log_level info;'
serve "$tiny" '' 'location = /catalog.yaml { } location / { limit_conn one 1; limit_rate 4m; }'
new_host one
state=$host/lamina

run host_lamina "$host" catalog add tiny "$http_url/catalog.yaml"
exits 0 'its catalog is added'
run host_lamina "$host" pull a c
diag "$(awk '{ print $2, $3 }' "$http_dir/access.log" | xargs)"
exits 0 'its two layers, a kernel and an initial ramdisk are pulled'
for name in a c; do
  ok "$name is correct" cmp "$tiny/$name.qcow2" "$(layer_file "$state" $name)"
done
refused=$(awk '$3 == 503' "$http_dir/access.log" | wc -l)
ok "the server refused at least one request, but not many ($refused)" eval '[ "$refused" -ge 1 ] && [ "$refused" -le 8 ]'

# Two processes at the same time: each waits while the server sends to the other.
remove_tree "$state"/{layers,blobs,verified,partial}
: >"$http_dir/access.log"
host_lamina "$host" pull a c >"$tmp/first" 2>&1 &
first=$!
wait_for 10 eval 'find "$state/partial" -name "*.part" -size +0 | grep -q .' || diag 'no first byte'
run host_lamina "$host" pull b f --progress=lines
exits 0 'a second process, with other layers, succeeds'
like "$err" 'is waiting because its server is busy with another lamina process' 'it prints that it is waiting'
status=0
wait "$first" || status=$?
err=$(cat "$tmp/first")
exits 0 'the first one succeeds as well'
for name in a b c f; do
  ok "$name is correct" cmp "$tiny/$name.qcow2" "$(layer_file "$state" $name)"
done
refused=$(awk '$3 == 503' "$http_dir/access.log" | wc -l)
ok "the server refused only a few requests ($refused)" eval '[ "$refused" -ge 1 ] && [ "$refused" -le 30 ]'
done_testing
