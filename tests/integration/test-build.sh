# SPDX-License-Identifier: LGPL-2.1-or-later
# lamina build: a small system with busybox and dpkg as the parent, and a repository of small
# packages on a server. The real appliance installs packages; what is about this host alone has a
# stub instead, which takes no time.
# About guests: skipped with sanitizers.
. "$(dirname "$0")/../lib/integration.sh"
[ -x "${LAMINA_APPLIANCE_PROGRAM:-}" ] || skip_all 'lamina was built without libguestfs'
for kernel in /boot/vmlinuz-*; do [ -r "$kernel" ] || skip_all 'no kernel in /boot'; done
command -v supermin >/dev/null || skip_all 'no supermin'
export LAMINA_STATE_DIR=$tmp/state LAMINA_VIRT_TYPE=qemu
lamina () { "$LAMINA" --progress=none "$@"; }

# ---- the parent

root=$tmp/root
mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,etc,dev,proc,sys,tmp,var/log,var/cache,var/lib/dpkg/{info,updates,triggers}}
cp /bin/busybox "$root/bin/"
for name in cat tail id dd diff rm mv cp ls mkdir chmod echo sed env sleep touch; do ln -s busybox "$root/bin/$name"; done
ln -s ../bin/busybox "$root/sbin/start-stop-daemon"
ln -s dash "$root/bin/sh"
for program in /bin/dash /usr/bin/{dpkg,dpkg-deb,dpkg-split,dpkg-query} /bin/tar /sbin/ldconfig; do
  cp "$program" "$root/$program"
  for library in $(ldd "$program" 2>/dev/null | grep -o '/[^ ]*'); do
    mkdir -p "$root/$(dirname "$library")"
    cp -L "$library" "$root/$library"
  done
done
echo ID=tiny >"$root/etc/os-release"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
arch=$(dpkg --print-architecture)
record () {
  printf 'Package: %s\nStatus: install ok installed\nMaintainer: nobody\nArchitecture: %s\nVersion: %s\nDescription: x\n\n' "$@"
}
{ record base-files "$arch" 1; record dpkg "$arch" 1.21; } >"$root/var/lib/dpkg/status"
touch "$root/var/lib/dpkg/available"
make_parent () { # make_parent NAME@VERSION FILE
  rm -f "$tmp/base.raw"
  truncate -s 64M "$tmp/base.raw"
  mke2fs -q -F -t ext4 -J size=4 -E root_owner=0:0 -d "$root" "$tmp/base.raw"
  run lamina import "$tmp/base.raw" --as "$1"
  exits 0 "the parent $1 is imported"
}
make_parent base@1

# ---- the packages

. "$host_lib/packages.sh"
package hello 1:2.0-1 'Depends: helper (>= 1)' 'echo configured >/usr/share/hello/state'
package helper 1.5
package broken 1 '' 'echo the reason is here; exit 3'
package rival 1 'Conflicts: helper'
package other 1
write_index
serve "$site"

recipe () { # recipe NAME [LINE...]
  { printf 'lamina-recipe: 1\nname: %s\ngroup: %s\non: base\nrepositories: %s/Packages\n' "$1" "$1" "$http_url"; printf '%s\n' "${@:2}"; } >"$tmp/$1.yaml"
}
# content LAYER-DIGEST PATH: what the file has on the disk of the layer
content () {
  qemu-img convert -q -f qcow2 -O raw "$LAMINA_STATE_DIR/layers/sha256-${1#sha256:}.qcow2" "$tmp/disk.raw" && debugfs -R "cat $2" "$tmp/disk.raw" 2>/dev/null
}
layer () { json 'd["layers"][0]["'"$1"'"]' <<<"$out"; }
left () { find "$LAMINA_STATE_DIR/partial" -mindepth 1 ! -name lock; }

# ---- building

mkdir "$tmp/tree"
echo nested >"$tmp/tree/file"
plain_url=$http_url http_url=${http_url/:\/\//:\/\/user:secret@}
recipe hello 'packages: hello' 'files:' '  - {from: tree, to: /srv/tree}' '  - {to: /etc/hello.conf, mode: "0600", content: "a = 1\n"}' \
  'commands: cat /srv/tree/file /etc/hello.conf >/srv/seen'
http_url=$plain_url
run lamina build --json "$tmp/hello.yaml"
exits 0 'a recipe is built'
digest=$(layer digest)
is "$(layer packages)" "['hello=1:2.0-1', 'helper=1.5']" 'the layer has the package and what it needs'
is "$(layer version)" 2.0-1 'its version is that of the package, without the epoch'
is "$(layer chain)" "['base@1']" 'it stands on the parent'
is "$(content "$digest" /usr/share/hello/state)" configured 'the script of the package ran in the guest'
is "$(content "$digest" /srv/seen)" "nested
a = 1" 'files are there, and a command of the recipe saw them'
is "$(content "$digest" /etc/machine-id)" '' 'the id of the machine is removed'
is "$(content "$digest" /var/lib/dpkg/status | grep -c '^Package: hel')" 2 'dpkg of the guest knows the packages'
is "$(debugfs -R 'ls /var/cache' "$tmp/disk.raw" 2>/dev/null | grep -c lamina)" 0 'the copied packages are removed'
ok 'the file system is clean' e2fsck -fn "$tmp/disk.raw"
is "$(dumpe2fs -h "$tmp/disk.raw" 2>/dev/null | grep -c '^Filesystem features:.* has_journal')" 1 'and has its journal'
ok 'the layer is small' test "$(stat -c %s "$LAMINA_STATE_DIR/layers/sha256-${digest#sha256:}.qcow2")" -lt 1000000
is "$(left)" '' 'nothing is left'
is "$(json '[p["name"] for p in d["locks"][0]["packages"]]' <"$tmp/hello.lock.json")" "['hello', 'helper']" 'the lock file names the packages'
is "$(grep -c secret "$tmp/hello.lock.json")" 0 'but not the password of the repository'
is "$(http_count "$http_dir" hello.deb)" 1 'each was fetched once'

mv "$site/Packages" "$tmp/Packages"
run lamina build --json "$tmp/hello.yaml"
is "$status $(layer action) $(layer locked) $(layer digest)" "0 unchanged True $digest" 'again: nothing is done, without an index'
mv "$tmp/Packages" "$site/Packages"

# ---- what fails

kill_one () { # what a build that is killed leaves
  "$LAMINA" --progress=none build "$tmp/broken.yaml" >"$tmp/killed" 2>&1 </dev/null &
  killed=$!
  ok 'the appliance of a build starts' wait_for 120 eval '[ "$(appliance)" -gt 0 ]'
  kill -9 "$killed"
  ok 'its QEMU ends when lamina is killed' wait_for 10 eval '[ "$(appliance)" -eq 0 ]'
}
appliance () { pgrep -f "qemu.*$LAMINA_STATE_DIR" | wc -l; }
recipe broken 'packages: broken'
kill_one
# A device that is not KVM's, in a mount namespace. Where there is none, it does not work either.
run unshare -m bash -c '[ ! -e /dev/kvm ] || mount --bind /dev/null /dev/kvm; LAMINA_VIRT_TYPE=kvm exec "$0" --progress=none build "$1"' \
  "$LAMINA" "$tmp/broken.yaml"
exits 1 'KVM that was asked for and does not work is an error'
like "$err" "virt-type=qemu" 'which says how to emulate instead'
run lamina build "$tmp/broken.yaml"
exits 1 'a package whose script fails'
like "$err" 'the reason is here' 'its own output is shown'
is "$(left)" '' 'nothing is left of it, and of the killed one'
export LAMINA_APPLIANCE_PROGRAM=$host_lib/stub-appliance STUB_STATUS=$root/var/lib/dpkg/status STUB_COMMANDS=run
recipe command 'packages: other' 'commands: echo this is why; false'
run lamina build "$tmp/command.yaml"
exits 1 'a command that fails'
like "$err" 'this is why' 'its own output is shown'
like "$err" "$tmp/command.yaml" 'behind the path of the recipe'
recipe rival 'packages: [rival, hello]'
run lamina build "$tmp/rival.yaml"
exits 3 'packages that conflict'
like "$err" 'rival' 'the packages are named'
run lamina build --on hello "$tmp/rival.yaml"
exits 3 'or that conflict with the parent'
like "$err" 'helper' 'that has them'
recipe missing 'packages: nowhere'
run lamina build "$tmp/missing.yaml"
exits 3 'a package that does not exist'
run lamina list --json
is "$(json 'sorted(l["name"] for l in d["layers"])' <<<"$out")" "['base', 'hello']" 'nothing of that is listed'

# ---- the lock file

recipe piped 'packages: other'
run lamina build --json <(cat "$tmp/piped.yaml")
exits 0 'a recipe that is a pipe is built'
is "$(layer lock_file)" None 'there can be no lock file beside it'
run lamina build "$tmp/piped.yaml"
touch -d 2001-01-01 "$tmp/piped.lock.json"
run lamina build --json "$tmp/piped.yaml"
is "$(layer locked) $(date -r "$tmp/piped.lock.json" +%Y)" 'True 2001' 'a lock file that says the same already is not written again'

recipe fixed 'version: 1' 'commands: true'
run lamina build "$tmp/fixed.yaml"
exits 0 'a recipe that says its version is built'
recipe fixed 'version: 1' 'commands: echo'
run env LAMINA_APPLIANCE_PROGRAM=/nonexistent "$LAMINA" build "$tmp/fixed.yaml"
exits 9 'another content of that version is refused before anything is built'
like "$err" 'fixed.yaml: fixed@1 is there already, but different' 'the message says what is in the way'

# ---- killed, and twice at once

recipe other 'packages: other' "commands: 'echo >>$tmp/runs; sleep 1'"
run env LAMINA_TEST_FAULT=build-after-publish=kill "$LAMINA" --progress=none build "$tmp/other.yaml"
exits 137 'a build that is killed after its layer is published, and before it is listed'
is "$(find "$LAMINA_STATE_DIR/partial" -mindepth 1 ! -name lock ! -name '*.part')" '' 'leaves no directory'
"$LAMINA" build --json "$tmp/other.yaml" >"$tmp/one" 2>"$tmp/one.err" </dev/null &
one=$!
run "$LAMINA" build --json "$tmp/other.yaml"
second="$status $(layer digest)"
wait "$one"
is "$? $(json 'd["layers"][0]["digest"]' <"$tmp/one")" "$second" 'two builds of the same layer give the same'
is "$(printf '%s\n' "$(json 'd["layers"][0]["action"]' <"$tmp/one")" "$(layer action)" | sort | xargs)" 'built unchanged' 'one of them built it'
is "$(wc -l <"$tmp/runs")" 2 'the other waited, once after the kill'
is "$(cat "$tmp/one.err" <(echo "$err") | grep -c 'waiting for another lamina process that builds other')" 1 'and said so once'
is "$(http_count "$http_dir" other.deb)" 1 'its package was fetched once, before the kill'
is "$(left)" '' 'nothing is left of the killed one'

# ---- a parent that changed

unset STUB_COMMANDS
echo changed >"$root/etc/issue"
make_parent base@2
package=$LAMINA_STATE_DIR/blobs/sha256-$(sha256sum <"$site/hello.deb" | cut -d' ' -f1)
unlock_layer "$package"
rm "$package"
run lamina build --json "$tmp/hello.yaml"
exits 0 'it is built on the newer parent'
is "$(layer chain) $(layer locked)" "['base@2'] True" 'with the locked packages, because the parent has the same ones'
is "$(grep -c 'GET /hello.deb 200 .* user$' "$http_dir/access.log")" 2 'which are fetched with the password of the repository again'
ok 'it is another layer' test "$(layer digest)" != "$digest"
run lamina build --json --on base@1 "$tmp/hello.yaml"
is "$(layer action) $(layer digest)" "unchanged $digest" 'that on the older parent is still there'
done_testing
