# SPDX-License-Identifier: LGPL-2.1-or-later
# Functions for tests of the libvirt hook; sourced after integration.sh.
#   install_hook NAME     before new_host NAME: its libvirtd runs the hook; what it calls
#                         is listed in $tmp/operations; what the file $tmp/hook.env
#                         assigns is in the environment of the hook; if that is
#                         HOOK_INPUT, it reads a copy of its input: $HOOK_INPUT.OPERATION
#   virsh ARGS...         runs virsh on the host as with "run"
#   domain_xml NAME UUID METADATA DISK [OS]
#                         prints a domain without a kernel
#   hook ARGS...          runs the hook as libvirt does, outside of the host; sets
#                         status, out, err
plugin=$(dirname "$LAMINA")/plugin
lamina_ns='xmlns:lamina="urn:lamina:domain:1"'

install_hook () {
  local dir=$tmp/$1/etc-libvirt/hooks/qemu.d
  # libvirtd looks for hooks only when it starts.
  mkdir -p "$dir"
  : >"$tmp/hook.env"
  cat >"$dir/lamina" <<END
#!/bin/bash
printf '%s\n' "\$*" >>$tmp/operations
export LAMINA_TEST_PROGRAM=$LAMINA LAMINA_TEST_NO_DELAY=1 LAMINA_STATE_DIR=$tmp/$1/lamina
export ASAN_OPTIONS=${ASAN_OPTIONS:-} UBSAN_OPTIONS=${UBSAN_OPTIONS:-} LSAN_OPTIONS=${LSAN_OPTIONS:-}
set -a; . $tmp/hook.env; set +a
[ -z "\${HOOK_INPUT:-}" ] || { cat >"\$HOOK_INPUT.\$2"; exec <"\$HOOK_INPUT.\$2"; }
exec $plugin/qemu-hook "\$@"
END
  chmod 0755 "$dir/lamina"
}

virsh () { run host_exec "$host" virsh -q "$@"; }

domain_xml () {
  cat <<END
<domain type='qemu'>
  <name>$1</name><uuid>$2</uuid>
  <metadata>$3</metadata>
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64'>hvm</type>${5:-}</os>
  <devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='$4'/><target dev='vda' bus='virtio'/></disk></devices>
</domain>
END
}

hook () {
  status=0
  { LAMINA_TEST_PROGRAM=$LAMINA LAMINA_TEST_NO_DELAY=1 LAMINA_STATE_DIR=$host/lamina \
    "$plugin/qemu-hook" "$@" >"$tmp/.out" 2>"$tmp/.err" || status=$?; } 2>/dev/null
  out=$(<"$tmp/.out") err=$(<"$tmp/.err")
}
