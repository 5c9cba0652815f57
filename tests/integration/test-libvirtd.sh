# SPDX-License-Identifier: LGPL-2.1-or-later
# A libvirtd that stops answering in the middle of a launch, and a guest that is
# reset by virsh.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
new_host one
state=$host/lamina
# Without "quiet" on the kernel command line the console shows that the guest boots again; with all that
# the kernel has to say, a boot would take three times as long.
mkdir "$tmp/catalog"
for file in "$tiny"/*.qcow2 "$tiny/vmlinuz" "$tiny/initrd"; do ln -s "$file" "$tmp/catalog/"; done
sed 's/ quiet / loglevel=6 /' "$tiny/catalog.yaml" >"$tmp/catalog/catalog.yaml"
printf '[lamina]\nlibvirt-timeout = 2\n' >"$tmp/short.conf"
catalog=(--catalog "$tmp/catalog/catalog.yaml")

run host_lamina "$host" launch m a c "${catalog[@]}" --wait=120
exits 0 'a machine is launched and up'
run host_lamina "$host" launch m a c --wait=120
exits 0 'another launch finds it ready'
like "$out" 'ready after 0\.' 'immediately'
log=$(console_of m)
boots () { grep -a -c '\[    0.000000\] Linux version ' "$log"; }
is "$(boots)" 1 'it booted once'
host_exec "$host" virsh -q reset m
ok 'it boots again' wait_for 60 eval '[ "$(boots)" -eq 2 ]'
run host_lamina "$host" launch m a c --wait=120
exits 0 'it is up again'
is "$(grep -a -c LAMINA-READY "$log")" 2 'after a wait for the second boot'

# The daemon is stopped between connect and define.
daemon=$(host_exec "$host" pgrep -x libvirtd | head -n 1)
hang () { # NAME: launches in the background up to the definition, then stops libvirtd
  LAMINA_TEST_FAULT=launch-before-define=stop host_lamina "$host" --config "$tmp/short.conf" launch "$1" a c "${catalog[@]}" \
    >"$tmp/hang.out" 2>&1 &
  hung=$!
  ok "$1: the launch stops before the definition" wait_for 60 stands "$1"
  host_exec "$host" kill -STOP "$daemon"
  # nsenter stops together with its child, and continues it.
  kill -CONT $(pgrep -P "$hung")
}
stands () {
  pid=$(host_exec "$host" pgrep -f "short.conf launch $1 " | head -n 1)
  [ -n "$pid" ] && [ "$(host_exec "$host" ps -o state= -p "$pid" | cut -c1)" = T ]
}
hang late
started=$SECONDS
wait "$hung"
is "$?" 4 'the launch times out'
ok 'in time' [ $((SECONDS - started)) -lt 60 ]
like "$(cat "$tmp/hang.out")" 'libvirt did not answer within 2 s.*it may still do so' 'the message says what may still happen'
run host_lamina "$host" --config "$tmp/short.conf" ps
exits 4 'ps does not hang either'
host_exec "$host" kill -CONT "$daemon"
ok 'the daemon defines the domain later' wait_for 30 defined late
run host_lamina "$host" launch late a c "${catalog[@]}"
exits 0 'the next launch starts over'
ok 'and the machine runs' running late
run host_lamina "$host" rm late
exits 0 'it can be removed'

hang cut
host_exec "$host" kill -INT "$pid"
started=$SECONDS
wait "$hung"
is "$?" 1 'an interrupt ends the wait'
ok 'within a minute' [ $((SECONDS - started)) -lt 60 ]
host_exec "$host" kill -CONT "$daemon"
ok 'the daemon answers again' wait_for 30 eval 'host_exec "$host" virsh -q list >/dev/null'
run host_lamina "$host" rm cut
like "$status" '^[03]$' 'rm removes what is left of it'
ok 'no domain is left' eval '! defined cut'
is "$(machines_in "$state")" 1 'and no files'
done_testing
