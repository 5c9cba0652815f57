# SPDX-License-Identifier: LGPL-2.1-or-later
# A failure at any step rolls back what the run created: no domain, no overlay, no
# record is left; the layers are kept.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
state=$host/lamina
host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
host_lamina "$host" pull a c >/dev/null 2>&1
layers=$(ls "$state/layers")

fails () { # STATUS DESC ARGS...
  local want=$1 desc=$2
  shift 2
  run host_lamina "$host" launch m a c "$@"
  exits "$want" "$desc: exit status $want"
  ok "$desc: no domain is left" eval '! defined m'
  is "$(machines_in "$state")" 0 "$desc: no directory of a machine is left"
  is "$(ls "$state/layers")" "$layers" "$desc: the layers are kept"
}

echo '<domain><name>$NAME</name>' >"$tmp/broken.xml"
fails 2 'a template that is not XML' --template "$tmp/broken.xml"
echo '<domain type="qemu"><name>x</name><nonsense/></domain>' >"$tmp/nonsense.xml"
run host_lamina "$host" launch m a c --template "$tmp/nonsense.xml"
ok 'a template that libvirt refuses: the launch fails' test "$status" -ne 0
is "$(machines_in "$state")" 0 'and leaves nothing'
fails 2 'a template that does not exist' --template nowhere
port=$(free_port)
hold_port "$port"
fails 4 'a port in use' --publish "$port:80"
like "$err" "port $port of 127.0.0.1 is in use" 'the message names it'
fails 4 'a port in use, transient' --publish "$port:80" --transient
run host_lamina "$host" define m a c --publish "$port:80"
exits 0 'define accepts it nevertheless'
run host_lamina "$host" launch m a c
exits 4 'but the start fails'
like "$err" "port $port of 127.0.0.1 is in use" 'with the same message'
run host_lamina "$host" launch other a c --publish "$port:80"
exits 4 'so does the start of another machine with that port'
is "$(grep -c 'machine m' <<<"$err")" 0 'whose message does not name the machine that is not running'
host_lamina "$host" rm m >/dev/null
release_port
stop_at launch-before-start launch m a c --publish "$port:80"
hold_port "$port"
go_on
exits 4 'a port that is taken while the machine is created: exit status 4'
like "$err" "port $port of 127.0.0.1 is in use" 'with the same message'
is "$(machines_in "$state")" 0 'and leaves nothing'
fails 7 'a network that does not exist' --network network=nowhere
run host_lamina "$host" define m a c --disk size=1MiB
exits 0 'a disk size smaller than the base is accepted'
is "$(qemu-img info --output=json "$(host_lamina "$host" show m --json | json 'd["overlay"]')" | json 'd["virtual-size"]')" \
  67108864 'and the disk is as large as the base'
host_lamina "$host" rm m >/dev/null
run host_lamina "$host" -c qemu+unix:///system?socket=/nowhere launch m a c
exits 7 'no libvirt: exit status 7'
is "$(machines_in "$state")" 0 'no libvirt: nothing is left'
for point in launch-before-define launch-after-define launch-before-start launch-after-start; do
  export LAMINA_TEST_FAULT=$point=eio
  run host_lamina "$host" launch m a c
  unset LAMINA_TEST_FAULT
  ok "$point fails: the launch fails" test "$status" -ne 0
  ok "$point fails: no domain is left" eval '! defined m'
  is "$(machines_in "$state")" 0 "$point fails: no directory of a machine is left"
done
run host_lamina "$host" launch m a c --wait=120
exits 0 'after all this a launch succeeds'
is "$(markers_of m)" 'a c ' 'and the guest finds its layers'
done_testing
