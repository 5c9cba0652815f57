# SPDX-License-Identifier: LGPL-2.1-or-later
# An emulated machine starts without libvirt's queries for each property of its CPU,
# with the same result.
# About guests: skipped with sanitizers.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
cpu_of () { host_exec "$host" virsh dumpxml "$1" | xmllint --xpath '/domain/cpu' -; }
messages () { host_exec "$host" virsh dominfo "$1" | sed -n 's/^Messages: *//p'; }
qmp () { host_exec "$host" virsh qemu-monitor-command "$1" "$2"; }
# Prints how many commands libvirt has sent to the QEMU of machine $1: it numbers them.
questions () { qmp "$1" '{"execute":"query-name"}' | json 'int(d["id"].split("-")[-1])'; }

run host_lamina "$host" launch quick a c --wait=120
exits 0 'a machine with the CPU that lamina chose'
run host_lamina "$host" launch asked a c --cpu Nehalem --wait=120
exits 0 'a machine with the same CPU, given by name'
like "$(messages quick)" 'hypervisor feature' 'libvirt reports the changed capability'
is "$(messages asked)" '' 'and not for the other machine'
ok "libvirt sent fewer commands ($(questions quick), not $(questions asked))" test "$(questions quick)" -lt 100
ok 'but all of them for the named CPU' test "$(questions asked)" -gt 100
for name in quick asked; do
  is "$(qmp "$name" '{"execute":"qom-get","arguments":{"path":"/machine/unattached/device[0]","property":"unavailable-features"}}' |
    json 'd["return"]')" '[]' "$name: QEMU emulates the model whole"
  is "$(markers_of "$name")" 'a c ' "$name: the guest is up"
done
like "$(cpu_of quick)" '<model .*>Nehalem</model>' 'the domain XML has the CPU'
is "$(cpu_of quick)" "$(cpu_of asked)" 'which is the same in both cases'

run host_exec "$host" virsh -q managedsave quick
exits 0 'its state is saved'
run host_exec "$host" virsh -q start quick
exits 0 'and it resumes from it'
is "$(cpu_of quick)" "$(cpu_of asked)" 'with the same CPU'
for name in quick asked; do host_lamina "$host" rm "$name" >/dev/null; done
done_testing
