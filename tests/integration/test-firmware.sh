# SPDX-License-Identifier: LGPL-2.1-or-later
# A disk that boots by itself, with BIOS and with UEFI: no layer has a kernel.
# About guests: skipped with sanitizers.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
for file in /usr/bin/syslinux /usr/bin/mcopy /usr/lib/systemd/boot/efi/systemd-bootx64.efi /usr/share/OVMF/OVMF_CODE_4M.fd; do
  [ -e "$file" ] || skip_all "needs $file"
done
tiny disk
serve "$tiny"
new_host one
state=$host/lamina
host_lamina "$host" catalog add disk "$http_url/disk.yaml" >/dev/null
uuid () { host_exec "$host" virsh domuuid "$1" | head -n 1; }
nvram () { host_exec "$host" virsh dumpxml "$1" | xmllint --xpath 'string(/domain/os/nvram)' -; }
# Lists the files that libvirt and lamina keep for machines.
kept () { find "$host/lib-libvirt/qemu/nvram" "$state/machines" -type f ! -name '*.lock'; }

for way in bios uefi; do
  run host_lamina "$host" launch "$way" disk c --template "q35-$way" --wait=120
  exits 0 "$way: launched and ready"
  is "$(markers_of "$way")" 'c disk ' "$way: the guest has found both layers"
  first=$(uuid "$way")
  run host_lamina "$host" launch "$way" disk c --template "q35-$way"
  exits 0 "$way: the same again succeeds"
  is "$(uuid "$way")" "$first" "$way: it is the same machine"
  ok "$way: it runs" running "$way"
done
is "$(nvram bios)" '' 'a machine with BIOS has no UEFI variables'
file=$(nvram uefi)
ok "those of a machine with UEFI are in its directory" test "${file%/*}" = "$state/machines/$(uuid uefi)"
ln "$file" "$tmp/nvram.fd"
export LAMINA_TEST_FAULT=launch-before-commit=eio
run host_lamina "$host" launch uefi disk --template q35-uefi --replace
unset LAMINA_TEST_FAULT
exits 1 'a replacement that fails'
ok 'keeps the UEFI variables' test "$file" -ef "$tmp/nvram.fd"
ok 'and the machine' running uefi

for way in bios uefi; do
  run host_lamina "$host" rm "$way"
  exits 0 "$way: removed while it runs"
  ok "$way: no domain is left" eval '! defined "$way"'
done
is "$(kept)" '' 'no file of them is left'
run host_lamina "$host" launch uefi disk --template q35-uefi --transient
exits 0 'a transient machine'
ok 'has UEFI variables' test -e "$(nvram uefi)"
run host_lamina "$host" rm uefi
exits 0 'and is removed'
is "$(kept)" '' 'with them'

# A template that lets libvirt choose the path of the UEFI variables, as the shipped
# one once did: the path depends on the machine's name, which another machine may get.
sed '/<nvram>/d' "$(dirname "$0")/../../xml-templates/q35-uefi.xml" >"$tmp/named.xml"
host_lamina "$host" launch uefi disk c --template "$tmp/named.xml" >/dev/null
is "$(nvram uefi)" /var/lib/libvirt/qemu/nvram/uefi_VARS.fd 'the UEFI variables are stored under the name'
file=$host/lib-libvirt/qemu/nvram/uefi_VARS.fd
host_exec "$host" virsh -q destroy uefi
printf MARK | dd of="$file" bs=1 seek=1000 conv=notrunc status=none
run host_lamina "$host" launch uefi disk --template "$tmp/named.xml" --replace
exits 1 'such a machine is not replaced'
like "$err" 'UEFI variables' 'because of its UEFI variables'
ok 'which are kept' grep -q MARK "$file"
host_lamina "$host" rm uefi >/dev/null
run host_lamina "$host" launch uefi disk --template "$tmp/named.xml"
exits 0 'another machine of that name'
ok 'has its own UEFI variables there' test -s "$file"
is "$(grep -c MARK "$file")" 0 'and not those of the previous machine'
host_lamina "$host" rm uefi >/dev/null
run host_lamina "$host" launch uefi disk c --template q35-bios
exits 0 'a machine without UEFI variables'
is "$(find "$host/lib-libvirt/qemu/nvram" -type f)" '' 'leaves none'
host_lamina "$host" rm uefi >/dev/null
done_testing
