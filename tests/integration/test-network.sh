# SPDX-License-Identifier: LGPL-2.1-or-later
# Networks other than QEMU's user-mode network: a network of libvirt, and a bridge. The
# host has its own network namespace, so the machine's network is not changed.
# About guests: skipped with sanitizers.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
for program in ip bridge dnsmasq iptables; do
  command -v "$program" >/dev/null || skip_all "needs $program"
done
unshare --net ip link add br0 type bridge 2>/dev/null || skip_all 'needs a kernel with bridges'
tiny
new_host one --net
state=$host/lamina
export LAMINA_TEST_NO_DELAY=1
launch () { run host_lamina "$host" --catalog "$tiny/catalog.yaml" launch "$@"; }
in_host () { host_exec "$host" "$@"; }
card () { in_host virsh -q domiflist "$1" | awk '{ print $2, $3, $4 }'; }
# Prints the bridge that the network card of machine $1 is connected to.
bridge_of () {
  local card
  card=$(in_host virsh -q domiflist "$1" | awk '{ print $1 }')
  in_host ip -o link show dev "$card" | sed -n 's/.* master \([^ ]*\) .*/\1/p'
}
cards () { in_host ip -o link | grep -c ' vnet'; }

# Without spanning tree and the pings of the DHCP server, so that a guest gets its
# address immediately.
cat >"$tmp/lab.xml" <<'END'
<network xmlns:dnsmasq="http://libvirt.org/schemas/network/dnsmasq/1.0">
  <name>lab</name>
  <bridge name="virlab" stp="off"/>
  <ip address="192.168.77.1" netmask="255.255.255.0">
    <dhcp><range start="192.168.77.10" end="192.168.77.20"/></dhcp>
  </ip>
  <dnsmasq:options><dnsmasq:option value="no-ping"/></dnsmasq:options>
</network>
END
in_host virsh -q net-define "$tmp/lab.xml"

# fails NETWORK REASON DESC
fails () {
  launch bad a c --network "$1"
  exits 7 "$3: exit status 7"
  like "$err" "$2" "$3: the message names it"
  ok "$3: no domain is defined" eval '! defined bad'
  is "$(machines_in "$state") $(cards)" '0 0' "$3: nothing is left"
}
fails network=nowhere 'there is no network nowhere' 'a network that does not exist'
fails bridge=nowhere 'there is no bridge nowhere' 'a bridge that does not exist'
fails network=lab 'the network lab is not active' 'a network that is not active'

in_host virsh -q net-start lab
launch net a c --network network=lab --wait=60
exits 0 'a machine on a network of libvirt'
is "$(card net)" 'network lab virtio' 'its network card is on that network'
is "$(bridge_of net)" virlab 'and on its bridge'
address=$(host_lamina "$host" show net --json | json 'd["addresses"][0]')
like "$address" '^192\.168\.77\.[12][0-9]$' 'its address is known'
like "$out" "$address" 'and was printed when the machine was ready'
is "$(in_host curl -s -m 10 "http://$address/c")" c-on-a 'the guest answers at its address'

in_host ip link add br0 type bridge
in_host ip address add 10.0.2.2/24 dev br0
in_host ip link set br0 up
launch bridged a e --network bridge=br0,mac=52:54:00:12:34:56 --wait=60
exits 0 'a machine on a bridge'
is "$(card bridged)" 'bridge br0 virtio' 'its network card is on that bridge according to libvirt'
is "$(bridge_of bridged)" br0 'and according to the kernel'
is "$(in_host curl -s -m 10 http://10.0.2.15/e)" e-on-a 'the guest answers at its address'
like "$(in_host bridge fdb show br br0)" '52:54:00:12:34:56 dev vnet' 'with the given MAC address'

for name in net bridged; do
  run host_lamina "$host" rm "$name"
  exits 0 "$name: removed"
done
is "$(cards)" 0 'no network card is left'
is "$(in_host virsh -q net-list --name | xargs)" lab 'the network is still active'
done_testing
