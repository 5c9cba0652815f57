# SPDX-License-Identifier: LGPL-2.1-or-later
# A file with a wrong digest: exit status 6, the message has both digests, and nothing
# is kept; if a mirror has the right file, it is used.
# About input: in run-tests only with sanitizers, which find more.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
new_host one
mkdir "$tmp/www"
cp "$tiny/a.qcow2" "$tmp/www/good.qcow2"
cp "$tiny/a.qcow2" "$tmp/www/bad.qcow2"
printf 'x' | dd of="$tmp/www/bad.qcow2" conv=notrunc bs=1 seek=2000000 2>/dev/null
serve "$tmp/www"
state=$host/lamina
size=$(stat -c %s "$tiny/a.qcow2")
bad_hex=$(sha256sum <"$tmp/www/bad.qcow2" | cut -d' ' -f1)

catalog_of "$http_url/bad.qcow2" "$(digest_of a)" "$size" >"$tmp/catalog.yaml"
run host_lamina "$host" --catalog "$tmp/catalog.yaml" pull x
exits 6 'a wrong digest is refused'
like "$err" "$(cat "$tiny/a.digest")" 'the message has the expected digest'
like "$err" "$bad_hex" 'the message has the digest of the file'
is "$(find "$state" -type f -size +1M | wc -l)" 0 'the data is not kept'
is "$(http_count "$http_dir" bad.qcow2)" 1 'the URL is not used again'

catalog_of "$http_url/bad.qcow2" "$(digest_of a)" "$size" "$http_url/good.qcow2" >"$tmp/catalog.yaml"
run host_lamina "$host" --catalog "$tmp/catalog.yaml" pull x
exits 0 'a mirror has the right file'
ok 'it is in the cache' cmp "$tiny/a.qcow2" "$(layer_file "$state" a)"

run host_lamina "$host" --state-dir "$tmp/b" --catalog "$tmp/catalog.yaml" launch m x
exits 0 'a machine whose disk boots by itself is launched'
catalog_of "file://$tmp/www/bad.qcow2" "$(digest_of a)" "$size" >"$tmp/catalog.yaml"
run host_lamina "$host" --state-dir "$tmp/c" --catalog "$tmp/catalog.yaml" launch m2 x
exits 6 'a wrong file: is refused by launch'
ok 'no domain is left' eval '! defined m2'
is "$(machines_in "$tmp/c")" 0 'no machine is left in the state directory'

# A wrong size in the catalog.
catalog_of "$http_url/good.qcow2" "$(digest_of a)" "$((size - 1))" >"$tmp/catalog.yaml"
run host_lamina "$host" --state-dir "$tmp/d" --catalog "$tmp/catalog.yaml" pull x
ok 'a file that is larger than declared is refused' eval '[ "$status" -eq 5 ] || [ "$status" -eq 6 ]'
is "$(find "$tmp/d" -type f -size +1M | wc -l)" 0 'and its data is not kept'
done_testing
