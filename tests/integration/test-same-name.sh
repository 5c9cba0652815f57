# SPDX-License-Identifier: LGPL-2.1-or-later
# The same name again: does nothing with the same selections, is refused with others,
# and replaces the machine with --replace.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
uuid () { host_exec "$host" virsh domuuid m | head -n 1; }
run host_lamina "$host" launch m a c
exits 0 'launched'
first=$(uuid)
run host_lamina "$host" launch m a c
exits 0 'the same again succeeds'
is "$(uuid)" "$first" 'it is the same machine'
run host_lamina "$host" launch m c os=a
exits 0 'the order and form of the selections do not matter'
is "$(uuid)" "$first" 'it is the same machine'
run host_lamina "$host" launch m a e
exits 9 'other selections are refused'
like "$err" 'replace' 'the message mentions --replace'
is "$(uuid)" "$first" 'it is the same machine'
ok 'it still runs' running m
run host_lamina "$host" launch m a e --replace --wait=120
exits 0 'with --replace they are accepted'
ok 'it is a different machine' test "$(uuid)" != "$first"
is "$(markers_of m)" 'a e ' 'with the other layers'
is "$(machines_in "$host/lamina")" 1 'one machine is in the state directory'

# A domain with the name that lamina did not create.
cat >"$tmp/foreign.xml" <<'END'
<domain type='qemu'><name>foreign</name><memory unit='MiB'>64</memory><os><type arch='x86_64' machine='q35'>hvm</type></os></domain>
END
host_exec "$host" virsh -q define "$tmp/foreign.xml" >/dev/null
run host_lamina "$host" launch foreign a c --replace
ok 'a foreign domain is not replaced' test "$status" -ne 0
ok 'and is kept' defined foreign
run host_lamina "$host" rm foreign
ok 'rm refuses it as well' test "$status" -ne 0
ok 'and it is kept' defined foreign

# define, then launch.
run host_lamina "$host" define d a c
exits 0 'define does not start the machine'
ok 'it does not run' eval 'defined d && ! running d'
run host_lamina "$host" launch d a c
exits 0 'launch starts a defined machine'
ok 'it runs' running d
run host_lamina "$host" launch t a c --transient
exits 0 'a transient machine'
ok 'runs' running t
host_exec "$host" virsh -q destroy t >/dev/null
ok 'and disappears when it stops' eval '! defined t'
run host_lamina "$host" launch t a e
exits 0 'its name is free again'
cat >"$tmp/spec.yaml" <<'END'
name: spec
selections: [a, c]
memory: 128MiB
vcpus: 2
END
run host_lamina "$host" launch -f "$tmp/spec.yaml"
exits 0 'a machine from a file'
is "$(host_exec "$host" virsh dominfo spec | awk '/^CPU\(s\)/ { print $2 }')" 2 'has the number of CPUs in the file'

# The guest prints the same at each boot; the wait is for the text of this boot, even
# if the log has its old size again before it is read.
host_lamina "$host" launch again a c --wait=60 >/dev/null 2>&1
host_exec "$host" virsh -q destroy again
log=$(console_of again)
touch "$tmp/before"
stop_at launch-after-start launch again a c --wait=20
ok 'the guest is up again before the log is read' \
  wait_for 30 eval '[ "$log" -nt "$tmp/before" ] && grep -q LAMINA-READY "$log"'
go_on
exits 0 'lamina finds it ready'
host_lamina "$host" rm again >/dev/null

# A daemon can have several URIs; machines of another daemon are not touched.
host_lamina "$host" launch uri a c >/dev/null 2>&1
run host_lamina "$host" -c qemu+unix:///system launch uri a c --json
exits 0 'the same daemon with another URI'
is "$(json '(d["existed"], d["uri"])' <<<"$out")" "(True, 'qemu:///system')" 'has the same machine'
like "$(host_lamina "$host" -c qemu+unix:///system ps)" '^uri ' 'and lists it'
host_exec "$host" virsh -q destroy uri
uri=$(host_exec "$host" virsh domuuid uri | head -n 1)
sed -i 's|qemu:///system|qemu:///elsewhere|' "$host/lamina/machines/$uri/record.json"
run host_lamina "$host" launch uri a c --json
exits 1 'a machine of another connection is not started'
like "$err" 'created on qemu:///elsewhere, not on qemu:///system' 'the message has its connection'
ok 'it does not run' eval '! running uri'
run host_lamina "$host" launch uri a e --replace
exits 1 'nor replaced'
sed -i 's|qemu:///elsewhere|qemu:///system|' "$host/lamina/machines/$uri/record.json"
host_lamina "$host" rm uri >/dev/null

# The JSON output of launch describes the machine as that of show does.
run host_lamina "$host" launch j a c --json
is "$(json '(d["state"], d["started"], d["existed"], d["overlay_bytes"] > 0)' <<<"$out")" "('running', True, False, True)" \
  'launch --json has state and sizes'
run host_lamina "$host" rm gone j
exits 3 'rm of a machine that does not exist fails'
ok 'but removes the others' eval '! defined j'
ok 'and leaves no lock' test ! -e "$host/lamina/machines/gone.lock"

# A machine that was renamed by virsh is not taken for one without a domain.
host_lamina "$host" define r a c >/dev/null
host_exec "$host" virsh -q domrename r renamed >/dev/null
run host_lamina "$host" launch r a e --replace
exits 1 'a machine whose domain was renamed is not replaced'
like "$err" 'virsh domrename renamed r' 'the message says what to do'
ok 'and is kept' defined renamed
# The old name does not mean it once another domain has that name.
cat >"$tmp/r.xml" <<'END'
<domain type='qemu'><name>r</name><memory unit='MiB'>64</memory><os><type arch='x86_64'>hvm</type></os></domain>
END
host_exec "$host" virsh -q define "$tmp/r.xml" >/dev/null
for verb in rm show; do
  run host_lamina "$host" $verb r
  exits 3 "$verb does not know it by its old name, which another domain has"
  like "$err" 'the domain r is not a machine of lamina, and the machine that was called r is renamed now' 'the message says why'
done
run host_lamina "$host" rm r --ignore-missing
exits 0 'nothing is to be removed'
ok 'it is kept' defined renamed
ok 'and so is the other domain' defined r
host_exec "$host" virsh -q undefine r >/dev/null
run host_lamina "$host" rm r
exits 0 'rm removes it by its old name'
ok 'no domain is left' eval '! defined renamed'
done_testing
