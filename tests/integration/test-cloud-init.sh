# SPDX-License-Identifier: LGPL-2.1-or-later
# A layer is built on a real Debian with cloud-init and an SSH server, and two machines are launched
# from it. Both have its package, its service runs, and each has an identity and host keys of its own:
# of the machine with a seed cloud-init makes them, as it applies host name and key of the seed, and
# of the one without a seed the unit that every built layer has.
# About guests: skipped with sanitizers.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
for program in mmdebstrap ssh ssh-keygen supermin; do
  command -v "$program" >/dev/null || skip_all "needs $program"
done
[ -x "${LAMINA_APPLIANCE_PROGRAM:-}" ] || skip_all 'lamina was built without libguestfs'
for kernel in /boot/vmlinuz-*; do [ -r "$kernel" ] || skip_all 'no kernel in /boot'; done
. "$host_lib/packages.sh"
export LAMINA_VIRT_TYPE=qemu
# The base, its packages and their versions are kept for the next run.
author=$LAMINA_TEST_CACHE/author layers=$LAMINA_TEST_CACHE/published
mkdir -p "$author"
cp "$top/tests/data/cloud.yaml" "$author/"
if ! { "$LAMINA" --state-dir "$author/state" --progress=lines build "$author/cloud.yaml" &&
  "$LAMINA" --state-dir "$author/state" publish --force "$layers"; } >"$tmp/build.log" 2>&1; then
  diag "$(tail -n 20 "$tmp/build.log")"
  echo 'Bail out! no Debian layer'
  exit 1
fi
new_host one

# ---- the layer

units=lib/systemd/system
mkdir -p "$tmp/package/worker/$units"
printf '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n' >"$tmp/package/worker/$units/worker.service"
package worker 1:2.5-1
write_index
cat >"$tmp/report.service" <<'END'
[Unit]
After=worker.service ssh.service
# Which hangs up the terminal when it starts.
Before=serial-getty@ttyS0.service
[Service]
Type=oneshot
ExecStart=/bin/sh /etc/report
[Install]
WantedBy=multi-user.target
END
cat >"$tmp/report" <<'END'
exec >/dev/ttyS0 2>&1
echo
echo "REPORT package $(dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}' worker)"
echo "REPORT audit $(dpkg --audit | wc -l)"
echo "REPORT running $(systemctl is-active worker ssh | xargs)"
echo "REPORT maker $(systemctl show -P ConditionResult -P Result lamina-ssh-host-keys | xargs)"
echo "REPORT failed $(systemctl --failed --plain --no-legend | cut -d' ' -f1 | xargs)"
echo "REPORT machine $(cat /etc/machine-id)"
for key in /etc/ssh/ssh_host_*_key.pub; do echo "REPORT key $(ssh-keygen -lf "$key")"; done
END
# With only one datasource in its list cloud-init would not look first whether there is a seed.
cat >"$tmp/worker.yaml" <<END
lamina-recipe: 1
name: worker
group: app
on: cloud
repositories: $site/Packages
packages: worker
files:
  - {from: report.service, to: /etc/systemd/system/report.service}
  - {from: report, to: /etc/report}
  - {to: /etc/cloud/cloud.cfg.d/91-seed.cfg, content: "datasource_list: [NoCloud, ConfigDrive]\n"}
services: [worker, report]
END
catalog=(--catalog "$layers/catalog.json")
run "$LAMINA" --state-dir "$host/lamina" "${catalog[@]}" --progress=none build --json "$tmp/worker.yaml"
exits 0 'a layer is built on Debian'
is "$(json 'd["layers"][0]["packages"]' <<<"$out")" "['worker=1:2.5-1']" 'of one package'

# ---- two machines

ssh-keygen -q -t ed25519 -N '' -f "$tmp/key"
cat >"$tmp/user-data" <<'END'
#cloud-config
hostname: lamina-shown
END
port=$(free_port)
host_lamina "$host" "${catalog[@]}" launch plain cloud worker --memory 512MiB --wait=500 >"$tmp/plain" 2>&1 &
plain=$!
run host_lamina "$host" "${catalog[@]}" launch seeded cloud worker --memory 768MiB \
  --cloud-init "user-data=$tmp/user-data,ssh-key=$tmp/key.pub" --publish "$port:22" --wait=500
exits 0 'a machine with a seed disk is launched'
wait "$plain"
is "$?" 0 'and one without'
login () {
  ssh -i "$tmp/key" -p "$port" -o StrictHostKeyChecking=no -o UserKnownHostsFile="$tmp/known" -o BatchMode=yes \
    -o ConnectTimeout=20 -o LogLevel=ERROR debian@127.0.0.1 "$@" </dev/null 2>"$tmp/ssh.err"
}
ok 'the key of the seed allows a login' wait_for 240 login true
[ ! -s "$tmp/ssh.err" ] || diag "ssh: $(cat "$tmp/ssh.err")"
is "$(login hostname)" lamina-shown 'the guest has the host name of the seed'
is "$(login cat .ssh/authorized_keys | cut -d' ' -f1,2)" "$(cut -d' ' -f1,2 "$tmp/key.pub")" 'the guest has only the given key'
report () { tr -d '\r' <"$(console_of "$1")" | sed -n "s/^REPORT $2 *//p"; }
for name in plain seeded; do
  is "$(report "$name" package)" 'worker 1:2.5-1 installed' "$name: dpkg has the package"
  is "$(report "$name" audit)" 0 "$name: and all packages are configured"
  is "$(report "$name" running)" 'active active' "$name: its service runs, and sshd"
  is "$(report "$name" failed)" '' "$name: no unit failed"
  like "$(report "$name" machine)" '^[0-9a-f]{32}$' "$name: it has an identity"
  like "$(report "$name" key)" 'SHA256:.*ED25519' "$name: it has a host key"
done
is "$(report plain maker)" 'success yes' 'without a seed the unit made the host keys'
is "$(report seeded maker)" 'success no' 'with one it found those of cloud-init'
is "$(ssh-keygen -lf "$tmp/known" | cut -d' ' -f2 | sort -u)" "$(report seeded key | grep ED25519 | cut -d' ' -f2)" 'which sshd uses'
ok 'the identities differ' [ "$(report plain machine)" != "$(report seeded machine)" ]
is "$({ report plain key; report seeded key; } | cut -d' ' -f2 | sort | uniq -d)" '' 'no host key is the same'
# The seed is kept when the machine is stopped and started.
run host_lamina "$host" rm plain seeded
exits 0 'they are removed'
done_testing
