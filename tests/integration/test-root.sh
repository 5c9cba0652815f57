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
is "$(look | awk '{ print $2, $3 }' | sort -u)" 'root:root 444' 'the layers are root:root 0444'
run host_lamina "$host" launch m a c --wait=120
exits 0 'a machine is launched on qemu:///system'
is "$(look)" "$before" 'the layers are unchanged while it runs'
qemu=$(host_exec "$host" pgrep -f 'guest=m,')
is "$(host_exec "$host" ps -o user= -p "$qemu" | cut -c1-8)" 'libvirt-' 'QEMU runs as its own user'
xml=$(host_exec "$host" virsh dumpxml --inactive m)
is "$(grep -c "relabel='no'" <<<"$xml")" 2 'each layer has relabel=no'
is "$(xmllint --xpath 'count(//disk[@device="disk"]//backingStore[format])' - <<<"$xml")" 2 'the chain is written out, with formats'
is "$(xmllint --xpath 'string(/domain/@type)' - <<<"$xml")" qemu 'without KVM it is emulated'
like "$xml" '<lamina:url>http://127' 'the metadata has the URLs of the layers'
is "$(grep -c w0rd-pass <<<"$xml")" 0 'but not the password'
is "$(grep -rl w0rd-pass "$state" | sed "s|.*/||" | sort | xargs)" 'record.json tiny.index tiny.json' 'which the records of the source and the machine contain'
is "$(host_user "$host" grep -rls w0rd-pass "$state")" '' 'and other users cannot read'
chmod 0644 "$state/lock" # as an older version created it
run host_lamina "$host" pull a e
exits 0 'another layer is pulled while it runs'
before=$(look)
locks=$(find "$state" -name '*lock')
like "$locks" 'lamina/lock' 'there are lock files'
for lock in $locks; do
  ok "an unprivileged user cannot block root with ${lock#"$state/"}" eval '! host_user "$host" flock --nonblock "$lock" true 2>/dev/null'
done
run host_user "$host" env LAMINA_STATE_DIR="$state" "$LAMINA" cache list --json
is "$(json 'len(d["files"])' <<<"$out")" "$(find "$state"/layers "$state"/blobs -name 'sha256-*' | wc -l)" 'but can list the cache'
other () { host_user "$host" env LAMINA_STATE_DIR="$state" "$LAMINA" -c qemu:///system "$@"; }
host_lamina "$host" cache pin e >/dev/null
run other cache list --json
is "$(json '{f["pinned"] for f in d["files"]}' <<<"$out")" '{None}' 'without the pins'
like "$err" 'pins are not shown, because this user may not read' 'which is said'
run other cache show "$(digest_of c)"
exits 0 'and show a file of it'
like "$out" 'used by +domain m \(running' 'with its users'
like "$out" '^pinned +-$' 'what this user may not read is not claimed'
like "$out" 'unknown .*/leases: Permission denied' 'but named'
run other cache show "$(digest_of c)" --json
is "$(json '[d["used"], d["pinned"], len(d["unknown"]) > 0]' <<<"$out")" '[None, None, True]' 'also as JSON'
run other cache du
exits 0 'and see what it occupies'
like "$err" 'incomplete files: .*/partial: Permission denied' 'as far as it may be read'
run other cache gc --dry-run
exits 0 'and try a collection'
like "$out" "layer +$(cut -c 1-12 "$tiny/e.digest") .*kept: it cannot be determined who needs it: " 'which does not claim that anything can go'
like "$err" 'pins: .*lamina.db: Permission denied' 'and says why'
run other cache gc
exits 1 'but not collect'
run host_exec "$host" virsh -q destroy m
is "$(look)" "$before" 'the layers are unchanged after the machine was stopped'
run host_exec "$host" virsh -q start m
exits 0 'libvirt starts it again'
is "$(look)" "$before" 'the layers are unchanged'
overlay=$(host_lamina "$host" show m --json | json 'd["overlay"]')
ok 'the overlay exists' test -f "$overlay"
run host_lamina "$host" rm m
exits 0 'rm removes it'
ok 'no domain is left' eval '! defined m'
ok 'no overlay is left' test ! -e "$overlay"
is "$(machines_in "$state")" 0 'no directory of a machine is left'
is "$(look)" "$before" 'the layers are unchanged after rm'
run host_lamina "$host" rm m
exits 3 'a machine that does not exist cannot be removed'

# QEMU's user must be able to reach the disk; the message names the closed directory.
mkdir -m 0700 "$tmp/closed"
run host_lamina "$host" --state-dir "$tmp/closed/state" launch shut a c --catalog "$tiny/catalog.yaml"
exits 1 'a state directory that QEMU cannot reach is refused'
like "$err" "cannot access $tmp/closed; " 'the message names the closed directory'
is "$(find "$tmp/closed/state/layers" -name 'sha256-*' 2>/dev/null | wc -l)" 0 'nothing was pulled'
ok 'and no domain is left' eval '! defined shut'
chown libvirt-qemu "$tmp/closed"
run host_lamina "$host" --state-dir "$tmp/closed/state" define shut a c --catalog "$tiny/catalog.yaml"
exits 0 'a directory that belongs to QEMU'"'"'s user is accepted'
run host_lamina "$host" --state-dir "$tmp/closed/state" rm shut
exits 0 'the machine is removed'

# Ports that only root may use are refused, because QEMU is not run by root.
for port in 80 443 1023; do
  run host_lamina "$host" launch low a c --publish "$port:80"
  exits 2 "port $port is refused, although lamina is run by root"
  like "$err" "^lamina: --publish: port $port is for root only" 'the message says why'
  run host_lamina "$host" define low a c --publish "$port:80"
  exits 2 'also by define'
  is "$(machines_in "$state")" 0 'before anything was created'
done
run host_lamina "$host" launch low a c --publish 1024:80
exits 0 'port 1024 is accepted'
run host_lamina "$host" rm low
exits 0 'the machine is removed'

# The shipped templates for each way of booting give valid domain XML.
for template in "$top"/xml-templates/*.xml; do
  name=$(basename "$template" .xml)
  run host_lamina "$host" define "t-$name" a c --template "$name"
  if [ "$status" -eq 0 ]; then
    host_exec "$host" virsh dumpxml --inactive "t-$name" >"$tmp/domain.xml"
    run host_exec "$host" virt-xml-validate "$tmp/domain.xml" domain
    exits 0 "template $name: the domain XML is valid"
    run host_lamina "$host" rm "t-$name"
    exits 0 "template $name: removed, with the files that libvirt keeps for it"
  else
    exits 2 "template $name is refused for a machine with a kernel"
  fi
done
done_testing
