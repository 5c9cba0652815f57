# SPDX-License-Identifier: LGPL-2.1-or-later
# A failure at any step takes back what the run made: no domain, no overlay, no
# record; the layers stay.
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
  exits "$want" "$desc: $want"
  ok "$desc: no domain" eval '! defined m'
  is "$(machines_in "$state")" 0 "$desc: no directory of a machine"
  is "$(ls "$state/layers")" "$layers" "$desc: the layers are as before"
}

echo '<domain><name>$NAME</name>' >"$tmp/broken.xml"
fails 2 'a template that is no XML' --template "$tmp/broken.xml"
echo '<domain type="qemu"><name>x</name><nonsense/></domain>' >"$tmp/nonsense.xml"
run host_lamina "$host" launch m a c --template "$tmp/nonsense.xml"
ok 'a template that makes no machine fails' test "$status" -ne 0
is "$(machines_in "$state")" 0 'and leaves nothing'
fails 2 'a template that is not there' --template nowhere
port=$(free_port)
hold_port "$port"
fails 4 'a port in use' --publish "$port:80"
like "$err" "port $port of 127.0.0.1 is in use" 'it says which'
fails 4 'a port in use, transient' --publish "$port:80" --transient
run host_lamina "$host" define m a c --publish "$port:80"
exits 0 'define takes it all the same'
run host_lamina "$host" launch m a c
exits 4 'and the start fails'
like "$err" "port $port of 127.0.0.1 is in use" 'in as plain words'
run host_lamina "$host" launch other a c --publish "$port:80"
exits 4 'so does another one that wants it'
is "$(grep -c 'machine m' <<<"$err")" 0 'and does not blame the one that does not run'
host_lamina "$host" rm m >/dev/null
release_port
stop_at launch-before-start launch m a c --publish "$port:80"
hold_port "$port"
go_on
exits 4 'a port that is taken while the machine is made: 4'
like "$err" "port $port of 127.0.0.1 is in use" 'is said likewise'
is "$(machines_in "$state")" 0 'and leaves nothing'
fails 7 'a network that is not there' --network network=nowhere
run host_lamina "$host" define m a c --disk size=1MiB
exits 0 'a disk smaller than the base is made as large as that'
is "$(qemu-img info --output=json "$(host_lamina "$host" show m --json | json 'd["overlay"]')" | json 'd["virtual-size"]')" \
  67108864 'never below it'
host_lamina "$host" rm m >/dev/null
run host_lamina "$host" -c qemu+unix:///system?socket=/nowhere launch m a c
exits 7 'no libvirt: 7'
is "$(machines_in "$state")" 0 'no libvirt: nothing is left'
for point in launch-before-define launch-after-define launch-before-start launch-after-start; do
  export LAMINA_TEST_FAULT=$point=eio
  run host_lamina "$host" launch m a c
  unset LAMINA_TEST_FAULT
  ok "$point fails: the launch fails" test "$status" -ne 0
  ok "$point fails: no domain" eval '! defined m'
  is "$(machines_in "$state")" 0 "$point fails: no directory of a machine"
done
run host_lamina "$host" launch m a c --wait=120
exits 0 'after all that it can be launched'
is "$(markers_of m)" 'a c ' 'and is sound'
done_testing
