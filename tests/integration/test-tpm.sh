# SPDX-License-Identifier: LGPL-2.1-or-later
# An emulated TPM: libvirt keeps its state under the domain's UUID, and lamina has it
# removed together with the machine, but not earlier.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
command -v swtpm swtpm_setup >/dev/null || skip_all 'needs swtpm'
tiny disk
serve "$tiny"
chmod 1777 "$TMPDIR" # of libvirtd; swtpm_setup runs as another user
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
exits 0 'a machine with a TPM is launched'
old=$(uuid)
is "$(kept)" "$old" 'its TPM has a state'
host_exec "$host" virsh -q destroy m
state=$(find "$host/lib-libvirt/swtpm/$old" -name '*.permall')
sum=$(sha256sum "$state")
for point in replace-after-undefine launch-after-define launch-before-commit; do
  LAMINA_TEST_FAULT=$point=eio run host_lamina "$host" launch m disk --template "$tmp/tpm.xml" --replace
  exits 1 "$point: a replacement that fails"
  is "$(sha256sum "$state")" "$sum" "$point: does not change the state"
  is "$(kept)" "$old" "$point: and leaves none of the new machine"
  is "$(uuid)" "$old" "$point: the old machine is restored"
done
run host_lamina "$host" launch m disk c
exits 0 'the old machine starts'
run host_lamina "$host" launch m disk --template "$tmp/tpm.xml" --replace
exits 0 'a replacement that succeeds'
is "$(kept)" "$(uuid)" 'removes the state of the old machine'
is "$(host_exec "$host" virsh -q list --all --name)" m 'and no domain is left of it'
run host_lamina "$host" rm m
exits 0 'the machine is removed'
is "$(kept)" '' 'together with the state'

run host_lamina "$host" launch m disk c --template "$tmp/tpm.xml" --transient
exits 0 'a transient machine with a TPM is launched'
old=$(uuid)
run host_lamina "$host" launch m disk --template "$tmp/tpm.xml" --replace
exits 1 'it is not replaced'
like "$err" 'state of its TPM' 'because libvirt would remove the state when it stops'
is "$(uuid)" "$old" 'it still runs'
host_lamina "$host" rm m >/dev/null
done_testing
