# SPDX-License-Identifier: LGPL-2.1-or-later
# A server that allows one connection a client is asked for one file at a time.
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
  ok "$name is right" cmp "$tiny/$name.qcow2" "$(layer_file "$state" $name)"
done
refused=$(awk '$3 == 503' "$http_dir/access.log" | wc -l)
ok "it refused at least one and not many ($refused)" eval '[ "$refused" -ge 1 ] && [ "$refused" -le 8 ]'
done_testing
