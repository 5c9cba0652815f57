# SPDX-License-Identifier: LGPL-2.1-or-later
# Each fault of a server ends with the layer in the cache or with the right exit status.
# About input: in run-tests only with sanitizers, which find more.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
new_host one
serve_badly "$tiny"
export LAMINA_TEST_NO_DELAY=1
hex=$(cat "$tiny/a.digest")

# A file of moderate size, as the base of a catalog.
size=$(stat -c %s "$tiny/a.qcow2")
half=$((size / 2))
number=0
# expect STATUS BEHAVIOUR [DESC]
expect () {
  number=$((number + 1))
  local state=$tmp/state$number
  catalog_of "$bad_url/$2/a.qcow2" "sha256:$hex" "$size" >"$tmp/catalog.yaml"
  run host_lamina "$host" --state-dir "$state" --catalog "$tmp/catalog.yaml" pull x
  exits "$1" "$2: exit status $1"
  if [ "$1" -eq 0 ]; then
    ok "$2: the layer is correct" cmp "$tiny/a.qcow2" "$(layer_file "$state" a)"
  else
    ok "$2: there is no layer" test ! -e "$(layer_file "$state" a)"
    like "$err" '[a-z]' "$2: there is an error message"
  fi
  remove_tree "$state"
}

expect 0 ok
expect 0 fail:500:2
expect 0 fail:503:1:0
expect 0 fail:408:1
expect 0 "cut:$half:2"
expect 0 chunked
expect 0 noranges
expect 0 newetag
expect 6 flip:1
expect 5 status:404
expect 5 status:403
expect 5 status:500
expect 5 loop
expect 5 tofile
expect 5 close
expect 5 garbage

# A good mirror after a bad one.
for behaviour in status:404 status:500 flip "length:-100" close garbage loop endless "biglength:99999999"; do
  number=$((number + 1))
  catalog_of "$bad_url/$behaviour/a.qcow2" "sha256:$hex" "$size" "$bad_url/ok/a.qcow2" >"$tmp/catalog.yaml"
  run host_lamina "$host" --state-dir "$tmp/state$number" --catalog "$tmp/catalog.yaml" pull x
  exits 0 "$behaviour: the next mirror is used"
  ok "$behaviour: the layer is correct" cmp "$tiny/a.qcow2" "$(layer_file "$tmp/state$number" a)"
  remove_tree "$tmp/state$number"
done

# Wrong data without another mirror is refused and not kept.
for behaviour in flip otherbytes endless "biglength:99999999"; do
  number=$((number + 1))
  catalog_of "$bad_url/$behaviour/a.qcow2" "sha256:$hex" "$size" >"$tmp/catalog.yaml"
  run host_lamina "$host" --state-dir "$tmp/state$number" --catalog "$tmp/catalog.yaml" pull x
  case $behaviour in
    flip) exits 6 "$behaviour is refused" ;;
    otherbytes) exits 0 "$behaviour has no effect on a request for the whole file" ;;
    *) ok "$behaviour fails" eval '[ "$status" -eq 5 ] || [ "$status" -eq 6 ]' ;;
  esac
  [ "$behaviour" = otherbytes ] || ok "$behaviour: no data beyond the declared size is kept" \
    eval '[ "$(find "$tmp/state$number" -type f -size +"$((size / 1024 + 1))"k | wc -l)" -eq 0 ]'
  remove_tree "$tmp/state$number"
done
# A catalog that is redirected: its relative URLs are tried relative to the given URL
# and relative to the URL after the redirect.
mkdir -p "$tmp/www/given" "$tmp/www/led"
cp "$tiny/catalog.yaml" "$tiny/a.qcow2" "$tiny/c.qcow2" "$tmp/www/led"
cp "$tiny/a.qcow2" "$tiny/vmlinuz" "$tiny/initrd" "$tmp/www/given"
serve "$tmp/www" '' 'location = /given/catalog.yaml { return 302 http://127.0.0.1:$server_port/led/catalog.yaml; }'
for url in "$http_url/given/catalog.yaml" "${http_url/127.0.0.1/localhost}/given/catalog.yaml"; do
  : >"$http_dir/access.log"
  run host_lamina "$host" --state-dir "$tmp/redirected" --catalog "$url" pull a c
  exits 0 'a redirected catalog: files next to both URLs are pulled'
  for name in a c; do
    ok "$name is correct" cmp "$tiny/$name.qcow2" "$(layer_file "$tmp/redirected" $name)"
  done
  is "$(http_count "$http_dir" given/a.qcow2) $(http_count "$http_dir" led/a.qcow2)" '1 0' 'the given URL is tried first'
  remove_tree "$tmp/redirected"
done
done_testing
