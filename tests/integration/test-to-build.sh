# SPDX-License-Identifier: LGPL-2.1-or-later
# launch --build: layers that nobody has built are built once, however many launches need them, and
# found by the next launch, here and elsewhere. The appliance has a stub, and libvirt its test driver.
. "$(dirname "$0")/../lib/integration.sh"
command -v qemu-io >/dev/null || skip_all 'needs qemu-io'
command -v dpkg-deb >/dev/null || skip_all 'needs dpkg-deb'
. "$host_lib/packages.sh"
export LAMINA_STATE_DIR=$tmp/state LAMINA_RECIPE_DIR=$tmp/recipes LIBVIRT_DEFAULT_URI=test:///default
export LAMINA_TEMPLATE_DIR=$top/xml-templates LAMINA_APPLIANCE_PROGRAM=$host_lib/stub-appliance STUB_STATUS=$tmp/status STUB_COMMANDS=run
lamina () { "$LAMINA" --progress=none "$@"; }
mkdir "$tmp/recipes"
printf 'Package: %s\nStatus: install ok installed\nArchitecture: %s\nVersion: 1\n\n' base-files all dpkg "$(dpkg --print-architecture)" >"$STUB_STATUS"
package hello 1:2.0-1 'Depends: helper (>= 1)'
package helper 1.5
package other 1
package rival 1 'Conflicts: helper'
write_index
recipe () { # recipe NAME [LINE...]
  { printf 'lamina-recipe: 1\nname: %s\ngroup: %s\nrepositories: %s/Packages\n' "$1" "$1" "$site"; printf '%s\n' "${@:2}"; } >"$tmp/recipes/$1.yaml"
}
recipe hello 'on: base' 'packages: hello' 'commands: sleep 1'
recipe other 'on: base' 'packages: other'
recipe rival 'on: base' 'packages: rival'
truncate -s 8M "$tmp/base.raw"
mke2fs -q -F -t ext4 "$tmp/base.raw"
run lamina import "$tmp/base.raw" --as base@1
exits 0 'a base is imported'
actions () { json '[(l["name"], l["version"], l["action"]) for l in d["layers"]]' <<<"$out"; }

# ---- at the same time

run lamina plan --json base hello other
is "$(actions)" "[('base', '1', 'cached'), ('hello', None, 'build'), ('other', None, 'build')]" \
  'of a base that nobody has looked into, the plan has no estimate'
lamina launch --json one base hello other --build >"$tmp/one" 2>"$tmp/one.err" </dev/null &
one=$!
run lamina launch --json two other base hello --build
two=$status
wait "$one"
is "$? $two" '0 0' 'two launches that need the same layers'
is "$(json 'sorted(l["digest"] for l in d["layers"])' <"$tmp/one")" "$(json 'sorted(l["digest"] for l in d["layers"])' <<<"$out")" 'get the same'
is "$(json 'len(d["layers"])' <<<"$out")" 3 'of three layers'
is "$( (json '"\n".join(l["name"] for l in d["built"])' <"$tmp/one"; json '"\n".join(l["name"] for l in d["built"])' <<<"$out") | grep . | sort | xargs)" \
  'hello other' 'each of which was built once'
run lamina plan --json base hello other
is "$(actions)" "[('base', '1', 'cached'), ('hello', '2.0-1', 'cached'), ('other', '1', 'cached')]" 'the next launch finds them'
run lamina launch --json three hello other --build
is "$status $(json 'd["built"]' <<<"$out")" '0 []' 'and builds nothing'
is "$(ls "$tmp/recipes")" "$(printf '%s\n' hello.yaml other.yaml rival.yaml)" 'no lock file is beside the recipes'

# ---- elsewhere

run lamina publish "$tmp/web" hello other
exits 0 'they are published'
serve "$tmp/web"
run lamina --state-dir "$tmp/elsewhere" --catalog "$http_url/catalog.json" pull hello other --build --json
is "$status $(json '(d["pulled"]["files"], d["built"])' <<<"$out")" '0 (3, [])' 'another host pulls them'

# ---- what fails

run lamina launch four hello rival --build
exits 3 'packages that conflict'
like "$err" helper 'the one that is in the way is named'
run lamina ps --json
is "$(json 'sorted(m["name"] for m in d["machines"])' <<<"$out")" "['one', 'three', 'two']" 'there is no machine of it'
is "$(find "$LAMINA_STATE_DIR/partial" -mindepth 1 ! -name lock)" '' 'and nothing half-made'

mkdir "$tmp/high"
printf '%s\n' 'lamina-catalog: 1' 'name: high' 'groups: [{name: rival}]' 'layers:' '  - {name: rival, version: "1", group: rival,' \
  '     builds: [{digest: "sha256:'"$(printf '%064d' 1)"'", size: 1, urls: [x]}]}' >"$tmp/high/catalog.yaml"
run lamina catalog add --priority 200 high "$tmp/high/catalog.yaml"
run lamina build "$tmp/recipes/rival.yaml"
exits 2 'a layer that a catalog of higher priority would hide is not built'
like "$err" 'catalog high' 'the message names it'
run lamina launch five base rival --build
exits 2 'nor for a launch'
run lamina capture one --as rival@2
exits 2 'and a capture under such a name is refused, before it is made'
like "$err" 'catalog high' 'for the same reason'
lamina catalog remove high >/dev/null

# ---- the same version of other packages

recipe hello 'on: base' 'packages: hello' 'commands: sleep 1'
run lamina build --json "$tmp/recipes/hello.yaml"
is "$status $(json '(d["layers"][0]["action"], d["layers"][0]["version"])' <<<"$out")" "0 ('unchanged', '2.0-1')" 'the layer is there'
recipe hello 'on: base' 'packages: hello' 'commands: sleep 1' 'summary: greets'
run lamina build --json "$tmp/recipes/hello.yaml"
is "$(json '(d["layers"][0]["action"], d["layers"][0]["version"])' <<<"$out")" "('updated', '2.0-1')" \
  'the catalog follows a recipe of which only the description changed'
run lamina list --json
is "$(json '[l["summary"] for l in d["layers"] if l["name"] == "hello"]' <<<"$out")" "['greets']" 'and says so'
package helper 1.6
write_index
run lamina build --json --update "$tmp/recipes/hello.yaml"
is "$status $(json '(d["layers"][0]["action"], d["layers"][0]["version"])' <<<"$out")" "0 ('built', '2.0-1+b2')" \
  'with a newer package that it needs, it has a version of its own'
run lamina build --json "$tmp/recipes/hello.yaml"
is "$(json '(d["layers"][0]["action"], d["layers"][0]["version"])' <<<"$out")" "('unchanged', '2.0-1+b2')" 'and is found by that'
run lamina plan --json base hello@2.0-1
is "$(actions)" "[('base', '1', 'cached'), ('hello', '2.0-1', 'cached')]" 'the older one stays'
run lamina plan --json base hello
is "$(actions)" "[('base', '1', 'cached'), ('hello', '2.0-1+b2', 'cached')]" 'the newer one is preferred'
recipe hello 'on: base' 'packages: hello' 'version: "2.0-1"'
run lamina build "$tmp/recipes/hello.yaml"
exits 9 'a recipe that insists on a version that is taken is refused'
for machine in one two three; do lamina rm "$machine" >/dev/null; done
done_testing
