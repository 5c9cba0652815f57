# SPDX-License-Identifier: LGPL-2.1-or-later
# qcow2 files that are not acceptable layers are refused although digest and size are
# right, and nothing of them is kept.
# About input: in run-tests only with sanitizers, which find more.
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
  remove_tree "$state"
  run host_lamina "$host" --state-dir "$state" --catalog "$tmp/catalog.yaml" pull $selections
  hex=$(sha256sum <"$tmp/images/$kind" | cut -d' ' -f1)
  file=$state/layers/sha256-$hex.qcow2
  if [ "$kind" = empty ]; then
    exits 5 "$kind cannot be listed in a catalog"
  elif [ "$why" = good ]; then
    exits 0 "$kind is accepted"
  else
    exits 6 "$kind is refused ($why)"
    ok "$kind is not in the cache" test ! -e "$file"
    ok "$kind: no data is left" eval '[ -z "$(find "$state/partial" -name "*$hex*.part" 2>/dev/null)" ]'
  fi
done < <(/usr/bin/python3 "$host_lib/mkqcow2.py" --list)

# A child with a smaller disk than its parent, whose data would be lost.
/usr/bin/python3 "$host_lib/mkqcow2.py" --all "$tmp/images" --parent "$parent" --size 33554432
kind=$(/usr/bin/python3 "$host_lib/mkqcow2.py" --list | awk '$2 == "child" && $3 == "good" { print $1; exit }')
entry "$kind" child >"$tmp/catalog.yaml"
for first in '' a; do
  remove_tree "$state"
  [ -z "$first" ] || host_lamina "$host" --state-dir "$state" --catalog "$tmp/catalog.yaml" pull a >/dev/null 2>&1
  run host_lamina "$host" --state-dir "$state" --catalog "$tmp/catalog.yaml" pull a h
  exits 6 "a child that is smaller than its parent is refused (cached before: ${first:-none})"
  like "$err" 'layer h: .*33554432 bytes.* parent has [0-9]+' 'the message says why'
  is "$(ls "$state/layers")" "sha256-$parent.qcow2" 'only the parent is in the cache'
  is "$(find "$state/partial" -name '*.part')" '' 'no data of the child is left'
done
/usr/bin/python3 "$host_lib/mkqcow2.py" --all "$tmp/images" --parent "$parent" --size 67108864

# Accepted as a base, then declared as a child by another catalog: the cached file
# proves that catalog wrong, so there is no chain with it.
good=$(/usr/bin/python3 "$host_lib/mkqcow2.py" --list | awk '$2 == "base" && $3 == "good" { print $1; exit }')
remove_tree "$state"
entry "$good" base >"$tmp/catalog.yaml"
run host_lamina "$host" --state-dir "$state" --catalog "$tmp/catalog.yaml" pull h
exits 0 "$good is accepted as a base"
entry "$good" child >"$tmp/catalog.yaml"
run host_lamina "$host" --state-dir "$state" --catalog "$tmp/catalog.yaml" launch m a h
exits 3 'the same file is not accepted as a child'
ok 'no domain is left' eval '! defined m'
ok 'the cache is intact' cache_is_intact "$state"
done_testing
