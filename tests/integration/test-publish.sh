# SPDX-License-Identifier: LGPL-2.1-or-later
# The commands that README gives under "Publish your own layers", one by one: from a published
# image, over a directory and a web server, to a guest on a second host.
# About guests: skipped with sanitizers.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
for file in /usr/bin/syslinux /usr/bin/mcopy /usr/lib/systemd/boot/efi/systemd-bootx64.efi; do
  [ -e "$file" ] || skip_all "needs $file"
done
tiny disk

# What a publisher offers: a compressed image, and a list of checksums.
mkdir "$tmp/images"
qemu-img convert -c -O qcow2 "$tiny/disk.qcow2" "$tmp/images/debian-12.qcow2"
(cd "$tmp/images" && sha512sum debian-12.qcow2 >SHA512SUMS)
serve "$tmp/images"
site=$tmp/site
port=$(free_port)
web_server=
extra_cleanup () { [ -z "$web_server" ] || kill "$web_server" 2>/dev/null; }

mapfile -t commands < <(sed -n '/^Publish your own layers/,/^With virsh alone/s/^    //p' "$top/README" |
  sed "s|https://example.org|$http_url|g; s|/srv/layers|$site|; s|first.example|127.0.0.1|; s|8000|$port|; s|login:|LAMINA-READY|")
is "${#commands[@]}" 5 'README has five commands'
# Runs the command $1 on the host; sets status, out, err.
run_command () {
  local words
  read -ra words <<<"$1"
  [ "${words[0]}" = lamina ] || { run false; return; }
  run host_lamina "$host" "${words[@]:1}"
}

new_host first
run_command "${commands[0]}"
exits 0 'the image is imported'
like "$out" 'clusters were compressed' 'it says that it was converted'
run host_lamina "$host" catalog list --json
is "$(json '[(s["name"], s["url"]) for s in d["sources"]]' <<<"$out")" "[('local', None)]" 'the local catalog lists it'
run_command "${commands[0]}"
like "$out" 'is there already' 'again: nothing is done'
is "$(http_count "$http_dir" debian-12.qcow2)" 2 'the image was downloaded once, after a question'
run_command "${commands[1]}"
exits 0 'it is published'
is "$(cd "$site" && find . -type f | wc -l)" 2 'there is a catalog and one layer'
read -ra words <<<"${commands[2]}"
setpriv --pdeathsig TERM "${words[@]}" >"$tmp/web.log" 2>&1 </dev/null &
web_server=$!
ok 'a web server serves the directory' wait_for 10 curl -fsS -o /dev/null "http://127.0.0.1:$port/catalog.json"
run host_lamina "$host" launch own debian --wait=120
exits 0 'the first host launches it'
is "$(markers_of own)" 'disk ' 'its guest runs'
ok 'the layer still belongs to root' test "$(stat -c %U "$host"/lamina/layers/*)" = root
run host_lamina "$host" cache clear --json
is "$(json '[f["reason"] for f in d["files"]]' <<<"$out")" "['machine own (running)']" 'its layer stays'
run host_lamina "$host" rm own
run host_lamina "$host" cache clear --json
like "$out" 'made on this host' 'also without the machine'

first=$host
new_host second
run_command "${commands[3]}"
exits 0 'the second host adds the catalog'
run_command "${commands[4]}"
exits 0 'it launches from it'
is "$(markers_of web1)" 'disk ' 'its guest runs'
is "$(ls "$host/lamina/layers")" "$(ls "$first/lamina/layers")" 'it has the same layer'
ok 'its cache is intact' cache_is_intact "$host/lamina"
run host_lamina "$host" rm web1
run host_lamina "$host" cache clear --json
is "$(json '[f["removed"] for f in d["files"]]' <<<"$out")" '[True]' 'there the layer was not made'

# A layer with a kernel, without a catalog of its own.
host=$first
run host_lamina "$host" import "$tiny/a.qcow2" --as tiny@1 --ready LAMINA-READY --kernel "$tiny/vmlinuz" --initrd "$tiny/initrd" \
  --cmdline "$(sed -n 's/^      cmdline: //p' "$tiny/catalog.yaml" | head -n 1)"
exits 0 'a base with a kernel is imported'
run host_lamina "$host" publish "$site"
exits 0 'it is published too'
is "$(ls "$site/blobs" | wc -l)" 2 'with kernel and initrd'
host=$tmp/second
run host_lamina "$host" catalog update own
exits 0 'the second host updates the catalog'
run host_lamina "$host" launch t1 tiny --wait=120
exits 0 'it launches that as well'
is "$(markers_of t1)" 'a ' 'its guest runs'
done_testing
