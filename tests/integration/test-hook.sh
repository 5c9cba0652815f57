# SPDX-License-Identifier: LGPL-2.1-or-later
# The libvirt hook: "virsh start" pulls the layers of a machine that are missing or
# damaged. Other domains and operations are not affected.
. "$(dirname "$0")/../lib/integration.sh"
. "$(dirname "$0")/../lib/hook.sh"
need_hosts
tiny
serve "$tiny"
install_hook one
new_host one
state=$host/lamina
layer=$(layer_file "$state" c)
stop () { host_exec "$host" virsh -q destroy m >/dev/null 2>&1; }

like "$(ldd "$plugin/qemu-hook" | xargs)" 'libc\.so' 'the hook is linked with the C library'
is "$(ldd "$plugin/qemu-hook" | grep -cvE 'linux-vdso|libc\.so|ld-linux|lib(a|l|ub)san|libstdc\+\+|libm\.so|libgcc_s')" 0 'and with nothing else'
is "$(ldd "$plugin/qemu-prepare" | grep -cE 'curl|libvirt|gnutls')" 0 'what it runs is linked with neither curl nor libvirt nor GnuTLS'

host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
run host_lamina "$host" launch m a c --wait=60
exits 0 'a machine is launched; the hook does not disturb that'
stop
: >"$http_dir/access.log"
virsh start m
exits 0 'virsh start, with all layers cached'
is "$(http_count "$http_dir" c.qcow2)" 0 'nothing is pulled'
stop

unlock_layer "$layer"; rm -f "$layer"
virsh start m
exits 0 'virsh start, with a layer that is not cached'
is "$(http_count "$http_dir" c.qcow2)" 1 'the layer is pulled'
ok 'the cache is intact' cache_is_intact "$state"
ok 'the guest has all layers again' wait_for 60 eval '[ "$(markers_of m)" = "a c " ]'
stop

unlock_layer "$layer"; truncate -s -1 "$layer"
virsh start m
exits 0 'virsh start, with a layer that is damaged'
is "$(http_count "$http_dir" c.qcow2)" 2 'the layer is pulled again'
ok 'the cache is intact again' cache_is_intact "$state"
host_exec "$host" virsh dumpxml m >"$tmp/m.xml"
stop

# The machine has no other source.
host_lamina "$host" catalog remove tiny >/dev/null
cp "$layer" "$tmp/kept"
unlock_layer "$layer"; rm -f "$layer"
http_stop "$http_dir"
virsh start m
ok 'virsh start fails if the layer cannot be pulled' [ "$status" -ne 0 ]
like "$err" 'lamina: m cannot start: ' 'the message says that lamina refuses'
like "$err" "layer c: " 'which layer'
like "$err" "$http_url" 'from where'
is "$(grep -c 'lamina: ' <<<"$err")" 1 'in one line'
is "$(host_exec "$host" virsh domstate m | head -n 1)" 'shut off' 'the domain is not started'
ok 'nothing incomplete is left' eval '! ls -A "$state/layers" | grep -q part'
install -m 0444 "$tmp/kept" "$layer"
echo "HOOK_INPUT=$tmp/input" >"$tmp/hook.env"
virsh start m
exits 0 'it starts when the layer is there again'
virsh save m "$tmp/saved"
exits 0 'virsh save'
virsh restore "$tmp/saved"
exits 0 'virsh restore'
# A hook that fails now would end the guest.
unlock_layer "$layer"; rm -f "$layer"
touch "$host/outlives-libvirtd"
host_exec "$host" pkill -KILL -x libvirtd
wait_for 20 eval '! host_exec "$host" pgrep -x libvirtd >/dev/null'
host_exec "$host" libvirtd -d
ok 'the guest survives a restart of libvirtd' wait_for 60 running m
# It is listed as running before the thread that reconnects calls the hook.
ok 'libvirt called the hook when it reconnected' wait_for 60 grep -q '^m reconnect' "$tmp/operations"
stop
ok 'libvirt called the hook at the end' wait_for 20 test -s "$tmp/input.release"

# A domain that lamina did not make.
cat >"$tmp/plain.xml" <<'END'
<domain type="qemu"><name>plain</name><memory unit="MiB">32</memory><os><type arch="x86_64">hvm</type></os></domain>
END
host_exec "$host" virsh -q define "$tmp/plain.xml" >/dev/null
virsh start plain
exits 0 'a domain that lamina did not make starts'
host_exec "$host" virsh -q destroy plain >/dev/null

# Each operation as libvirt called it, with what it said then. This libvirt never says
# "attach", and "migrate" only to another host (test-hook-migrate.sh). The layer is missing
# and cannot be pulled, so only a start would be refused.
sort -u "$tmp/operations" | grep '^m ' >"$tmp/called"
echo 'm attach begin -' >>"$tmp/called"
cp "$tmp/m.xml" "$tmp/input.attach"
while read -r -a words; do
  [ "${words[1]}" != prepare ] || continue
  hook "${words[@]}" <"$tmp/input.${words[1]}"
  is "$status $out$err" '0 ' "${words[*]:1}: succeeds and prints nothing"
done <"$tmp/called"
is "$(cut -d' ' -f2,3 "$tmp/called" | xargs)" \
  'prepare begin reconnect begin release end restore begin start begin started begin stopped end attach begin' 'these are all operations'
for operation in 'unknown begin' 'prepare end' 'started unknown' ''; do
  hook m $operation - <"$tmp/m.xml"
  is "$status $out$err" '0 ' "unknown to the hook: \"$operation\": succeeds and prints nothing"
done
hook m prepare begin - <"$tmp/m.xml"
is "$status $out" '5 ' 'prepare begin: fails and prints nothing to standard output'
hook m migrate begin - <"$tmp/m.xml"
is "$status $out" '5 ' 'migrate begin: fails and prints nothing to standard output'
hook plain migrate begin - <"$tmp/plain.xml"
is "$status $out$err" '0 ' 'migrate begin for another domain: succeeds and prints nothing'
hook plain prepare begin - <"$tmp/plain.xml"
is "$status $out$err" '0 ' 'prepare begin for another domain: succeeds and prints nothing'
hook m prepare begin - <&-
is "$status $out" '0 ' 'prepare begin without input: succeeds'
sed 's/<uuid>.*</<uuid>01234567-89ab-cdef-0123-456789abcdef</' "$tmp/m.xml" >"$tmp/clone.xml"
hook clone prepare begin - <"$tmp/clone.xml"
ok 'prepare begin for a clone with the same disk: fails' [ "$status" -ne 0 ]
like "$err" 'metadata is that of another machine|directory of another machine' 'and says why'
hook m
is "$status $out$err" '0 ' 'without an operation: succeeds'
done_testing
