# SPDX-License-Identifier: LGPL-2.1-or-later
# An emulated TPM: libvirt keeps its state by the domain's UUID, and lamina sees to
# it that it goes with the machine, and not before.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
command -v swtpm swtpm_setup >/dev/null || skip_all 'needs swtpm'
tiny disk
serve "$tiny"
chmod 1777 "$TMPDIR" # libvirtd's; swtpm_setup runs as a user of its own
if ! [ -d /var/log/swtpm ]; then
  mkdir -m 0711 /var/log/swtpm
  extra_cleanup () { rmdir /var/log/swtpm; }
fi
new_host one
for dir in log/swtpm lib/swtpm-localca; do
  host_exec "$host" mount -t tmpfs -o "$(stat -c uid=%u,gid=%g,mode=%a "/var/$dir")" none "/var/$dir"
done
host_lamina "$host" catalog add disk "$http_url/disk.yaml" >/dev/null
sed 's,</devices>,<tpm model="tpm-crb"><backend type="emulator" version="2.0"/></tpm></devices>,' \
  "$(dirname "$0")/../../xml-templates/q35-bios.xml" >"$tmp/tpm.xml"
uuid () { host_exec "$host" virsh domuuid m | head -n 1; }
kept () { find "$host/lib-libvirt/swtpm" -mindepth 1 -maxdepth 1 -printf '%f\n'; }

run host_lamina "$host" launch m disk c --template "$tmp/tpm.xml"
[ "$status" = 0 ] || diag "$(host_exec "$host" cat /var/log/swtpm/libvirt/qemu/m-swtpm.log)"
exits 0 'a machine with a TPM'
old=$(uuid)
is "$(kept)" "$old" 'has a state'
host_exec "$host" virsh -q destroy m
state=$(find "$host/lib-libvirt/swtpm/$old" -name '*.permall')
sum=$(sha256sum "$state")
for point in replace-after-undefine launch-after-define launch-before-commit; do
  LAMINA_TEST_FAULT=$point=eio run host_lamina "$host" launch m disk --template "$tmp/tpm.xml" --replace
  exits 1 "$point: a replacement that fails"
  is "$(sha256sum "$state")" "$sum" "$point: leaves it as it was"
  is "$(kept)" "$old" "$point: and none of the new one"
  is "$(uuid)" "$old" "$point: the machine is back"
done
run host_lamina "$host" launch m disk c
exits 0 'the old one starts'
run host_lamina "$host" launch m disk --template "$tmp/tpm.xml" --replace
exits 0 'a replacement that succeeds'
is "$(kept)" "$(uuid)" 'takes the state of the old one away'
is "$(host_exec "$host" virsh -q list --all --name)" m 'and no domain is left of it'
run host_lamina "$host" rm m
exits 0 'removed'
is "$(kept)" '' 'with its state'

run host_lamina "$host" launch m disk c --template "$tmp/tpm.xml" --transient
exits 0 'a transient one'
old=$(uuid)
run host_lamina "$host" launch m disk --template "$tmp/tpm.xml" --replace
exits 1 'whose state would go with its end'
like "$err" 'state of its TPM' 'is not replaced'
is "$(uuid)" "$old" 'and runs on'
host_lamina "$host" rm m >/dev/null
done_testing
