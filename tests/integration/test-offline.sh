# SPDX-License-Identifier: LGPL-2.1-or-later
# With a warm cache nothing needs the network, nor a live catalog.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
run host_lamina "$host" launch before a c --wait=120
exits 0 'a machine is launched while the source lives'
http_stop "$http_dir"

run host_lamina "$host" launch after a c --wait=120
exits 0 'another one is launched when it is dead'
is "$(markers_of after)" 'a c ' 'with both layers'
run host_lamina "$host" plan a c
exits 0 'a plan is made'
run host_lamina "$host" list
exits 0 'the layers are listed'
run host_lamina "$host" catalog update
ok 'an update says that the source is dead' test -n "$err"
run host_lamina "$host" plan a c
exits 0 'the last good copy is still used after it'
run host_lamina "$host" plan a e
exits 0 'what is not here can still be planned'
run host_lamina "$host" pull a e
exits 5 'pulling what is not here fails with 5'

host_exec "$host" virsh -q destroy before >/dev/null
run host_exec "$host" virsh -q start before
exits 0 'a machine that was shut off starts by virsh'
host_exec "$host" virsh -q destroy before >/dev/null
run host_lamina "$host" launch before a c
exits 0 'and by lamina'
ok 'it runs' running before
done_testing
