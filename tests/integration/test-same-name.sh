# SPDX-License-Identifier: LGPL-2.1-or-later
# The same name again: a no-op with the same selections, refused with others,
# replaced when that is asked for.
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
is "$(uuid)" "$first" 'and changes nothing'
run host_lamina "$host" launch m c os=a
exits 0 'the order and the way of writing do not matter'
is "$(uuid)" "$first" 'still the same machine'
run host_lamina "$host" launch m a e
exits 1 'other selections are refused'
like "$err" 'replace' 'it says what would do it'
is "$(uuid)" "$first" 'and nothing has changed'
ok 'it still runs' running m
run host_lamina "$host" launch m a e --replace --wait=120
exits 0 'with --replace they are taken'
ok 'it is another machine' test "$(uuid)" != "$first"
is "$(markers_of m)" 'a e ' 'made of the other layers'
is "$(machines_in "$host/lamina")" 1 'one machine is in the state directory'

# A domain of that name that lamina did not make.
cat >"$tmp/foreign.xml" <<'END'
<domain type='qemu'><name>foreign</name><memory unit='MiB'>64</memory><os><type arch='x86_64' machine='q35'>hvm</type></os></domain>
END
host_exec "$host" virsh -q define "$tmp/foreign.xml" >/dev/null
run host_lamina "$host" launch foreign a c --replace
ok 'a domain of somebody else is refused' test "$status" -ne 0
ok 'and stays' defined foreign
run host_lamina "$host" rm foreign
ok 'rm refuses it too' test "$status" -ne 0
ok 'and it stays' defined foreign

# define, then launch.
run host_lamina "$host" define d a c
exits 0 'define stops before the start'
ok 'it does not run' eval 'defined d && ! running d'
run host_lamina "$host" launch d a c
exits 0 'launch starts what is defined'
ok 'it runs' running d
run host_lamina "$host" launch t a c --transient
exits 0 'a transient machine'
ok 'runs' running t
host_exec "$host" virsh -q destroy t >/dev/null
ok 'and is gone when it stops' eval '! defined t'
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
is "$(host_exec "$host" virsh dominfo spec | awk '/^CPU\(s\)/ { print $2 }')" 2 'with what it says'

# The guest says the same at each boot; what is waited for is what it says now,
# though the log has its old size again before anybody looks.
host_lamina "$host" launch again a c --wait=60 >/dev/null 2>&1
host_exec "$host" virsh -q destroy again
log=$(console_of again)
touch "$tmp/before"
stop_at launch-after-start launch again a c --wait=20
ok 'the guest is up again before anybody looks' \
  wait_for 30 eval '[ "$log" -nt "$tmp/before" ] && grep -q LAMINA-READY "$log"'
go_on
exits 0 'and is found ready'
host_lamina "$host" rm again >/dev/null

# One daemon has several names; another one's machines are left alone.
host_lamina "$host" launch uri a c >/dev/null 2>&1
run host_lamina "$host" -c qemu+unix:///system launch uri a c --json
exits 0 'the same daemon by another name'
is "$(json '(d["existed"], d["uri"])' <<<"$out")" "(True, 'qemu:///system')" 'has the same machine'
like "$(host_lamina "$host" -c qemu+unix:///system ps)" '^uri ' 'and lists it'
host_exec "$host" virsh -q destroy uri
uri=$(host_exec "$host" virsh domuuid uri | head -n 1)
sed -i 's|qemu:///system|qemu:///elsewhere|' "$host/lamina/machines/$uri/record.json"
run host_lamina "$host" launch uri a c --json
exits 1 'a machine of another connection is not started'
like "$err" 'created on qemu:///elsewhere, not on qemu:///system' 'it says where it is'
ok 'and stays as it is' eval '! running uri'
run host_lamina "$host" launch uri a e --replace
exits 1 'nor replaced'
sed -i 's|qemu:///elsewhere|qemu:///system|' "$host/lamina/machines/$uri/record.json"
host_lamina "$host" rm uri >/dev/null

# What programs read of a launch is what "show" says of the machine.
run host_lamina "$host" launch j a c --json
is "$(json '(d["state"], d["started"], d["existed"], d["overlay_bytes"] > 0)' <<<"$out")" "('running', True, False, True)" \
  'launch --json has state and sizes'
run host_lamina "$host" rm gone j
exits 3 'a machine that is not there is an error'
ok 'but does not keep the others' eval '! defined j'
ok 'and leaves no lock' test ! -e "$host/lamina/machines/gone.lock"

# A machine that virsh gave another name is not taken for one that is gone.
host_lamina "$host" define r a c >/dev/null
host_exec "$host" virsh -q domrename r renamed >/dev/null
run host_lamina "$host" launch r a e --replace
exits 1 'a machine whose domain was renamed is not replaced'
like "$err" 'virsh domrename renamed r' 'it says what to do'
ok 'and stays' defined renamed
run host_lamina "$host" rm r
exits 0 'rm removes it'
ok 'under its new name' eval '! defined renamed'
done_testing
