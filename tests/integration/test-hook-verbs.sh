# SPDX-License-Identifier: LGPL-2.1-or-later
# "hook install", "hook status" and "hook remove": what status says is what a real
# libvirtd does, before and after it is restarted. The hook itself is a script that
# notes its calls.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
cat >"$tmp/qemu-hook" <<END
#!/bin/sh
echo "\$*" >>$tmp/calls
END
chmod 0755 "$tmp/qemu-hook"
cat >"$tmp/plain.xml" <<'END'
<domain type="qemu"><name>plain</name><memory unit="MiB">32</memory><os><type arch="x86_64">hvm</type></os></domain>
END
new_host one
file=/etc/libvirt/hooks/qemu.d/lamina
as_root () { host_exec "$host" env LAMINA_HOOK_PROGRAM="$tmp/qemu-hook" "$LAMINA" "$@"; }
as_user () { host_user "$host" env LAMINA_HOOK_PROGRAM="$tmp/qemu-hook" "$LAMINA" "$@"; }
# Whether libvirt runs the hook: called ON-HOST.
called () {
  : >"$tmp/calls"
  chmod 0666 "$tmp/calls"
  "$1" "$host" virsh -q create "$tmp/plain.xml" --paused >/dev/null && "$1" "$host" virsh -q destroy plain >/dev/null || return 2
  grep -q '^plain prepare begin' "$tmp/calls"
}
not () { ! "$@"; }

run as_root hook status
exits 1 'status fails if the hook is not installed'
like "$err" 'the hook is not active: .*lamina hook install' 'and says how to install it'
run as_user hook install
exits 1 'a plain user cannot install it'
like "$err" 'only root can do this: .*ermission denied' 'the message says why'

run as_root hook install
exits 0 'root can'
like "$out" "$file: installed" 'it says where'
like "$out" 'service libvirtd restart' 'and that libvirtd must be restarted'
run as_root hook install
like "$out" 'already installed' 'the second time nothing is changed'
run as_root hook status --json
exits 1 'status fails until then'
is "$(json 'd["state"], d["daemon"], d["path"], d["pid"] > 0' <<<"$out")" "('unseen', 'libvirtd', '$file', True)" 'and says why'
ok 'it is right: libvirt does not run the hook' not called host_exec
run as_root -c qemu+ssh://nobody@127.0.0.1:1/system hook status --json
is "$status $(json 'd["state"]' <<<"$out")" '1 unknown' 'for another host it says that it does not know'

# The user's own daemon, which runs already.
host_user "$host" virsh -q list >/dev/null
run as_user hook status --json
is "$(json 'd["state"]' <<<"$out")" active 'a session that was started later sees it'
ok 'it is right: libvirt runs the hook' called host_user
run as_root hook remove
exits 0 'remove'
ok 'removes the file' not host_exec "$host" test -e "$file"
run as_root hook install
run as_user hook status --json
is "$status $(json 'd["state"]' <<<"$out")" '1 unseen' 'it is installed again: whether the session sees it is not known for sure'
ok 'the command that it names restarts the daemon' host_user "$host" $(json 'd["command"]' <<<"$out")
ok 'it ends' wait_for 20 eval '! host_user "$host" sh -c "kill -0 \$(cat \$XDG_RUNTIME_DIR/libvirt/libvirtd.pid)" 2>/dev/null'
run as_user hook status
exits 0 'the next one sees the hook'
like "$out" '^state +active' 'and status says so'
ok 'it is right: libvirt runs the hook' called host_user

host_stop "$host"
host_start "$host"
run as_root hook status
exits 0 'after a restart of libvirtd status succeeds'
ok 'it is right: libvirt runs the hook' called host_exec

host_exec "$host" sh -c "echo '#!/bin/sh' >$file"
run as_root hook remove
exits 1 'a file that lamina did not create is not removed'
run as_root hook install
exits 1 'and not replaced'
is "$(host_exec "$host" cat "$file")" '#!/bin/sh' 'it is unchanged'
done_testing
