#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The bash completion file, called as bash calls it.
set -u
functions=/usr/share/bash-completion/bash_completion
if [ ! -e "$functions" ]; then
  echo '1..0 # SKIP bash-completion is not installed'
  exit 0
fi
. "$functions"
. "$G_TEST_SRCDIR/../src/cli/completion/lamina"
export LAMINA_STATE_DIR=$TMPDIR/state
count=0 failed=0

# complete_line LINE: sets COMPREPLY for a cursor at the end of LINE.
complete_line () {
  set -- "$LAMINA${1#lamina}"
  COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_KEY=9 COMPREPLY=()
  # bash breaks words at "=" and ":" too.
  mapfile -t COMP_WORDS < <(printf '%s' "$1" | sed -E 's/[[:space:]]+/\n/g; s/([=:])/\n\1\n/g' | sed '/^$/{$!d}')
  case $1 in *' ') COMP_WORDS+=('') ;; esac
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  compopt () { :; }
  _lamina
}

expect () { # LINE WORD...: checks that each WORD is among the candidates
  local line=$1 word good=ok
  shift
  complete_line "$line"
  for word in "$@"; do
    printf '%s\n' "${COMPREPLY[@]}" | grep -qxF -- "$word" || { good='not ok'; echo "# \"$line\" gives: ${COMPREPLY[*]}"; }
  done
  count=$((count + 1))
  [ "$good" = ok ] || failed=$((failed + 1))
  echo "$good $count complete \"$line\""
}

cat >"$TMPDIR/lab.yaml" <<'YAML'
lamina-catalog: 1
name: lab
groups: [{name: os}]
layers:
  - name: debian
    version: "12"
    group: os
    builds: [{digest: "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", size: 3, urls: [d.qcow2]}]
YAML
"$LAMINA" catalog add lab "$TMPDIR/lab.yaml" || exit 1
expect 'lamina ' launch rm catalog
expect 'lamina la' launch
expect 'lamina catalog ' add list update remove
expect 'lamina catalog remove ' lab
expect 'lamina launch --mem' --memory
expect 'lamina launch web1 deb' debian
expect 'lamina plan os=' debian
expect "lamina --config $TMPDIR/la" "$TMPDIR/lab.yaml"
expect 'lamina launch --template direct' direct-kernel
expect 'lamina --progress=' auto json lines none
expect 'lamina launch --virt-type=q' qemu
expect 'lamina launch --graphics ' none vnc spice
expect 'lamina launch --network b' bridge=
expect 'lamina launch --cloud-init ' user-data= ssh-key=
expect "lamina launch --cloud-init user-data=$TMPDIR/la" "$TMPDIR/lab.yaml"
expect "lamina launch --file=$TMPDIR/la" "$TMPDIR/lab.yaml"
echo "1..$count"
[ "$failed" -eq 0 ]
