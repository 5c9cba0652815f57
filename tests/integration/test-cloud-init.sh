# SPDX-License-Identifier: LGPL-2.1-or-later
# cloud-init in a real Debian guest applies the host name and key of the seed.
# About guests: skipped with sanitizers.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
for program in debootstrap ssh ssh-keygen; do
  command -v "$program" >/dev/null || skip_all "needs $program"
done
layers=$LAMINA_TEST_CACHE/layers
if ! "$top/demo/build-layers" "$layers" cloud >"$tmp/build.log" 2>&1; then
  diag "$(tail -n 20 "$tmp/build.log")"
  echo 'Bail out! no Debian layers'
  exit 1
fi
new_host one
ssh-keygen -q -t ed25519 -N '' -f "$tmp/key"
cat >"$tmp/user-data" <<'END'
#cloud-config
hostname: lamina-shown
END
port=$(free_port)
run host_lamina "$host" --catalog "$layers/catalog.yaml" launch m debian cloud --memory 768MiB \
  --cloud-init "user-data=$tmp/user-data,ssh-key=$tmp/key.pub" --publish "$port:22" --wait=400
exits 0 'a Debian guest with a seed disk is launched'
login () {
  ssh -i "$tmp/key" -p "$port" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes \
    -o ConnectTimeout=20 -o LogLevel=ERROR debian@127.0.0.1 "$@" </dev/null 2>"$tmp/ssh.err"
}
ok 'the key of the seed allows a login' wait_for 240 login true
[ ! -s "$tmp/ssh.err" ] || diag "ssh: $(cat "$tmp/ssh.err")"
is "$(login hostname)" lamina-shown 'the guest has the host name of the seed'
is "$(login cat .ssh/authorized_keys | cut -d' ' -f1,2)" "$(cut -d' ' -f1,2 "$tmp/key.pub")" 'the guest has only the given key'
# The seed is kept when the machine is stopped and started.
run host_lamina "$host" rm m
exits 0 'it is removed'
done_testing
