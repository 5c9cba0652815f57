# SPDX-License-Identifier: LGPL-2.1-or-later
# An emulated machine starts without libvirt's questions about each property of
# its CPU, and loses nothing by it.
# About guests: the sanitizers do without it.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
cpu_of () { host_exec "$host" virsh dumpxml "$1" | xmllint --xpath '/domain/cpu' -; }
messages () { host_exec "$host" virsh dominfo "$1" | sed -n 's/^Messages: *//p'; }
qmp () { host_exec "$host" virsh qemu-monitor-command "$1" "$2"; }
# How many questions libvirt had asked of machine $1 until now: it numbers them.
questions () { qmp "$1" '{"execute":"query-name"}' | json 'int(d["id"].split("-")[-1])'; }

run host_lamina "$host" launch quick a c --wait=120
exits 0 'a machine with the CPU that lamina chose'
run host_lamina "$host" launch asked a c --cpu Nehalem --wait=120
exits 0 'one with the same CPU, by name'
like "$(messages quick)" 'hypervisor feature' 'libvirt says what it was told'
is "$(messages asked)" '' 'and nothing of the other'
ok "libvirt asked less ($(questions quick) against $(questions asked))" test "$(questions quick)" -lt 100
ok 'and all where the CPU was named' test "$(questions asked)" -gt 100
for name in quick asked; do
  is "$(qmp "$name" '{"execute":"qom-get","arguments":{"path":"/machine/unattached/device[0]","property":"unavailable-features"}}' |
    json 'd["return"]')" '[]' "$name: QEMU emulates the model whole"
  is "$(markers_of "$name")" 'a c ' "$name: the guest is up"
done
like "$(cpu_of quick)" '<model .*>Nehalem</model>' 'libvirt records the CPU'
is "$(cpu_of quick)" "$(cpu_of asked)" 'and the same in both cases'

run host_exec "$host" virsh -q managedsave quick
exits 0 'its state is saved'
run host_exec "$host" virsh -q start quick
exits 0 'and it goes on from there'
is "$(cpu_of quick)" "$(cpu_of asked)" 'with the same CPU'
for name in quick asked; do host_lamina "$host" rm "$name" >/dev/null; done
done_testing
