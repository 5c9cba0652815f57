# SPDX-License-Identifier: LGPL-2.1-or-later
# As root on qemu:///system: QEMU runs as its own user, reads the layers, and
# never owns or changes them.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
state=$host/lamina
host_lamina "$host" catalog add tiny "http://me:w0rd-pass@${http_url#http://}/catalog.yaml" >/dev/null
run host_lamina "$host" pull a c
exits 0 'the layers are pulled'
look () { stat -c '%n %U:%G %a %s %Y' "$state"/layers/* | sed "s#$state##"; }
before=$(look)
is "$(look | awk '{ print $2, $3 }' | sort -u)" 'root:root 444' 'before: root:root 0444'
run host_lamina "$host" launch m a c --wait=120
exits 0 'a machine is launched on qemu:///system'
is "$(look)" "$before" 'while it runs: the same'
qemu=$(host_exec "$host" pgrep -f 'guest=m,')
is "$(host_exec "$host" ps -o user= -p "$qemu" | cut -c1-8)" 'libvirt-' 'QEMU runs as its own user'
xml=$(host_exec "$host" virsh dumpxml --inactive m)
is "$(grep -c "relabel='no'" <<<"$xml")" 2 'every layer has relabel=no'
is "$(xmllint --xpath 'count(//disk[@device="disk"]//backingStore[format])' - <<<"$xml")" 2 'the chain is explicit, with formats'
is "$(xmllint --xpath 'string(/domain/@type)' - <<<"$xml")" qemu 'without KVM it is emulated'
like "$xml" '<lamina:url>http://127' 'the metadata say where the layers came from'
is "$(grep -c w0rd-pass <<<"$xml")" 0 'but not by which password'
is "$(grep -rl w0rd-pass "$state" | sed "s|.*/||" | sort | xargs)" 'record.json tiny.index tiny.json' 'which the source and the machine'"'"'s record keep'
is "$(host_user "$host" grep -rls w0rd-pass "$state")" '' 'and nobody else reads'
chmod 0644 "$state/lock" # as other versions made it
run host_lamina "$host" pull a e
exits 0 'another layer is pulled while it runs'
before=$(look)
locks=$(find "$state" -name '*lock')
like "$locks" 'lamina/lock' 'there are lock files'
for lock in $locks; do
  ok "a plain user cannot hold up root by ${lock#"$state/"}" eval '! host_user "$host" flock --nonblock "$lock" true 2>/dev/null'
done
run host_user "$host" env LAMINA_STATE_DIR="$state" "$LAMINA" cache list --json
is "$(json 'len(d["files"])' <<<"$out")" "$(find "$state"/layers "$state"/blobs -name 'sha256-*' | wc -l)" 'but sees what is cached'
run host_exec "$host" virsh -q destroy m
is "$(look)" "$before" 'after it was stopped: the same'
run host_exec "$host" virsh -q start m
exits 0 'libvirt starts it again'
is "$(look)" "$before" 'and again: the same'
overlay=$(host_lamina "$host" show m --json | json 'd["overlay"]')
ok 'the overlay is there' test -f "$overlay"
run host_lamina "$host" rm m
exits 0 'rm removes it'
ok 'no domain' eval '! defined m'
ok 'no overlay' test ! -e "$overlay"
is "$(machines_in "$state")" 0 'no directory of a machine'
is "$(look)" "$before" 'after rm: the layers are as before'
run host_lamina "$host" rm m
exits 3 'what is not there cannot be removed'

# QEMU's user must be able to get to the disk; who stands in the way is said.
mkdir -m 0700 "$tmp/closed"
run host_lamina "$host" --state-dir "$tmp/closed/state" launch shut a c --catalog "$tiny/catalog.yaml"
exits 1 'a state directory that QEMU cannot reach is refused'
like "$err" "cannot access $tmp/closed; " 'is said, with the directory in the way'
is "$(find "$tmp/closed/state/layers" -name 'sha256-*' 2>/dev/null | wc -l)" 0 'and nothing was pulled for it'
ok 'and nothing is left' eval '! defined shut'
chown libvirt-qemu "$tmp/closed"
run host_lamina "$host" --state-dir "$tmp/closed/state" define shut a c --catalog "$tiny/catalog.yaml"
exits 0 'a directory of its own QEMU can pass'
run host_lamina "$host" --state-dir "$tmp/closed/state" rm shut
exits 0 'and it is removed'

# So are ports that only root may listen on: QEMU is not root.
for port in 80 443 1023; do
  run host_lamina "$host" launch low a c --publish "$port:80"
  exits 2 "port $port is refused, though lamina is root"
  like "$err" "^lamina: --publish: port $port is for root only" 'and why'
  run host_lamina "$host" define low a c --publish "$port:80"
  exits 2 'also by define'
  is "$(machines_in "$state")" 0 'before anything was made'
done
run host_lamina "$host" launch low a c --publish 1024:80
exits 0 'port 1024 is not'
run host_lamina "$host" rm low
exits 0 'and the machine goes'

# A shipped template for each way of booting is valid libvirt XML.
for template in "$top"/xml-templates/*.xml; do
  name=$(basename "$template" .xml)
  run host_lamina "$host" define "t-$name" a c --template "$name"
  if [ "$status" -eq 0 ]; then
    host_exec "$host" virsh dumpxml --inactive "t-$name" >"$tmp/domain.xml"
    run host_exec "$host" virt-xml-validate "$tmp/domain.xml" domain
    exits 0 "template $name makes valid XML"
    run host_lamina "$host" rm "t-$name"
    exits 0 "template $name: removed, with what libvirt keeps of it"
  else
    exits 2 "template $name does not suit a machine with a kernel, and says so"
  fi
done
done_testing
