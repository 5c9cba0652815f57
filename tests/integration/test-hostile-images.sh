# SPDX-License-Identifier: LGPL-2.1-or-later
# qcow2 files that want something else than to be a layer: right digest, right
# size, refused all the same, and nothing of theirs stays.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
new_host one
state=$tmp/state
parent=$(cat "$tiny/a.digest")
mkdir "$tmp/images"
/usr/bin/python3 "$host_lib/mkqcow2.py" --all "$tmp/images" --parent "$parent" --size 67108864

entry () { # KIND base|child
  local file=$tmp/images/$1 relation= group=os
  [ "$2" = base ] || { relation="parent: \"sha256:$parent\", "; group=app; }
  cat <<END
lamina-catalog: 1
name: hostile
groups: [{name: os, required: true}, {name: app}]
layers:
  - name: a
    version: "1"
    group: os
    arch: x86_64
    builds: [{digest: "sha256:$parent", size: $(stat -c %s "$tiny/a.qcow2"), urls: ["file://$tiny/a.qcow2"]}]
  - name: h
    version: "1"
    group: $group
    builds:
      - {${relation}digest: "sha256:$(sha256sum <"$file" | cut -d' ' -f1)", size: $(stat -c %s "$file"), urls: ["file://$file"]}
END
}

while read -r kind relation why; do
  entry "$kind" "$relation" >"$tmp/catalog.yaml"
  if [ "$relation" = base ]; then selections=h; else selections='a h'; fi
  rm -rf "$state"
  run host_lamina "$host" --state-dir "$state" --catalog "$tmp/catalog.yaml" pull $selections
  hex=$(sha256sum <"$tmp/images/$kind" | cut -d' ' -f1)
  file=$state/layers/sha256-$hex.qcow2
  if [ "$kind" = empty ]; then
    exits 5 "$kind cannot even be said in a catalog"
  elif [ "$why" = good ]; then
    exits 0 "$kind is taken"
  else
    exits 6 "$kind is refused ($why)"
    ok "$kind is not in the cache" test ! -e "$file"
    ok "$kind leaves no bytes" eval '[ -z "$(find "$state/partial" -name "*$hex*.part" 2>/dev/null)" ]'
  fi
done < <(/usr/bin/python3 "$host_lib/mkqcow2.py" --list)

# A child with a smaller disk than its parent's, whose data would be cut off.
/usr/bin/python3 "$host_lib/mkqcow2.py" --all "$tmp/images" --parent "$parent" --size 33554432
kind=$(/usr/bin/python3 "$host_lib/mkqcow2.py" --list | awk '$2 == "child" && $3 == "good" { print $1; exit }')
entry "$kind" child >"$tmp/catalog.yaml"
for first in '' a; do
  rm -rf "$state"
  [ -z "$first" ] || host_lamina "$host" --state-dir "$state" --catalog "$tmp/catalog.yaml" pull a >/dev/null 2>&1
  run host_lamina "$host" --state-dir "$state" --catalog "$tmp/catalog.yaml" pull a h
  exits 6 "a child that is smaller than its parent is refused (cached before: ${first:-none})"
  like "$err" 'layer h: .*33554432 bytes.* parent has [0-9]+' 'it says why'
  is "$(ls "$state/layers")" "sha256-$parent.qcow2" 'it is not in the cache, its parent is'
  is "$(find "$state/partial" -name '*.part')" '' 'and leaves no bytes'
done
/usr/bin/python3 "$host_lib/mkqcow2.py" --all "$tmp/images" --parent "$parent" --size 67108864

# Taken once as a base, then declared by another catalog as a child: the bytes
# are cached and prove that catalog wrong, so no chain can be made with them.
good=$(/usr/bin/python3 "$host_lib/mkqcow2.py" --list | awk '$2 == "base" && $3 == "good" { print $1; exit }')
rm -rf "$state"
entry "$good" base >"$tmp/catalog.yaml"
run host_lamina "$host" --state-dir "$state" --catalog "$tmp/catalog.yaml" pull h
exits 0 "$good is taken as a base"
entry "$good" child >"$tmp/catalog.yaml"
run host_lamina "$host" --state-dir "$state" --catalog "$tmp/catalog.yaml" launch m a h
exits 3 'the same bytes are not taken as a child'
ok 'no domain is left' eval '! defined m'
ok 'the store is sound' store_is_sound "$state"
done_testing
