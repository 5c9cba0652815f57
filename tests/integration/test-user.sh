# SPDX-License-Identifier: LGPL-2.1-or-later
# An unprivileged user with qemu:///session: everything works without root, and the
# guest can be reached through a published port.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
user_lamina () { host_user "$host" "$LAMINA" "$@"; }
state=$host/home/.local/share/lamina

run user_lamina catalog add tiny "$http_url/catalog.yaml"
exits 0 'an unprivileged user adds a catalog'
port=$(free_port)
run user_lamina launch m a c --publish "$port:80" --wait=120
exits 0 'and launches a machine'
like "$out" "127.0.0.1:$port" 'lamina prints how to reach the guest'
is "$(find "$state/layers" -name 'sha256-*' -printf '%U %m\n' | sort -u)" "$(cat "$host/uid") 444" 'the layers belong to the user and have mode 0444'
ok 'the guest answers through the port' wait_for 30 eval '[ "$(curl -s -m 5 "http://127.0.0.1:$port/c")" = c-on-a ]'
run host_user "$host" virsh -q list --name
like "$out" '^m$' 'it is a domain of the session'
run host_exec "$host" virsh -q list --all --name
is "$out" '' 'and not of the system'
run user_lamina launch m a c --publish "$port:80"
exits 0 'the same again does nothing'
like "$out" 'already|nothing' 'and says so'
if [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 81 ]; then
  run user_lamina launch low a c --publish 81:80
  exits 2 'a privileged port is refused'
  like "$err" 'port 81 is for root only' 'the message says why'
  run user_lamina define low a c --publish 81:80
  exits 2 'also by define'
fi
run user_lamina launch other a e --publish "$port:80"
exits 4 'a port in use is refused'
like "$err" "port $port of 127.0.0.1 is in use .the machine m publishes it" 'the message names its user'
is "$(find "$state/layers" -name 'sha256-*' | wc -l)" 2 'before anything is pulled'
like "$(user_lamina ps --json | json '[m["name"] for m in d["machines"]]')" "^\['m'\]$" 'nothing is left'
run user_lamina launch m a e --replace --publish "$port:80" --wait=120
exits 0 'a machine that replaces it may have the same port'
ok 'and answers there' wait_for 30 eval 'curl -s -m 5 "http://127.0.0.1:$port/" >/dev/null'
run host_user "$host" virsh -q destroy m
run user_lamina launch other a c --publish "$port:80"
exits 0 'so may another one after it was shut off'
run user_lamina launch m a e
exits 4 'but both cannot run at the same time'
like "$err" "port $port of 127.0.0.1 is in use .the machine other publishes it" 'the message names the other one'
run user_lamina rm other
exits 0 'the other one is removed'
run user_lamina launch m a e
exits 0 'then it can be started'
run user_lamina rm m
exits 0 'rm removes it'
is "$(find "$state/layers" -name 'sha256-*' | wc -l)" 3 'the layers are kept'

# On qemu:///system libvirt gives kernel and initrd to QEMU's user while they are still
# being synced, and to root when the domain stops, unless it remembers their owner.
if command -v strace >/dev/null; then
  mkdir -m 0755 "$tmp/system"
  chown "$(cat "$host/uid")" "$tmp/system"
  on_system () { host_user "$host" bash -c 'umask 077; exec "$@"' - "$@"; }
  arguments=(-c qemu:///system --state-dir "$tmp/system" --catalog "$http_url/catalog.yaml" launch s a c)
  ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 \
    run on_system strace -f -qq -o /dev/null -e trace=fsync -e inject=fsync:delay_enter=300000 "$LAMINA" "${arguments[@]}"
  exits 0 'on qemu:///system a slow disk does not prevent a machine from starting'
  ok 'it runs' running s
  host_exec "$host" virsh -q destroy s
  find "$tmp/system/machines" -name kernel -o -name initrd | xargs chown root:root
  run on_system "$LAMINA" "${arguments[@]}"
  exits 0 'it starts again, whoever owns its kernel'
  run on_system "$LAMINA" -c qemu:///system --state-dir "$tmp/system" rm s
  exits 0 'and can be removed'
else
  ok 'on qemu:///system # SKIP needs strace' true
fi
done_testing
