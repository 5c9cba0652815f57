# SPDX-License-Identifier: LGPL-2.1-or-later
# Changes by others and by the environment: domains renamed or started by virsh,
# damaged records, an umask of 077, SIGINT, several processes at the same time.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
state=$host/lamina
virsh () { host_exec "$host" virsh -q "$@"; }
uuid () { virsh domuuid "$1" 2>/dev/null | head -n 1; }

# QEMU's user must be able to pass through the directories that root creates.
umask 077
run host_lamina "$host" catalog add tiny "$http_url/catalog.yaml"
run host_lamina "$host" launch m a c --wait=120
umask 022
exits 0 'launched with an umask of 077'
first=$(uuid m)
is "$(stat -c %a "$state/machines/$first/record.json")" 600 'its record is private'
ok 'the cache is intact' cache_is_intact "$state"

# Renamed.
virsh destroy m
virsh domrename m n >/dev/null
run host_lamina "$host" launch m a c
exits 1 'the name of a renamed domain is not given to another machine'
like "$err" 'renamed to n' 'the message has its new name'
run host_lamina "$host" launch m a e --replace
exits 1 '--replace does not remove it either'
run host_lamina "$host" launch n a c
exits 0 'it is launched by its new name'
like "$out" '^n: existed, started' 'no other machine is made'
is "$(uuid n)" "$first" 'the domain is still the same'
virsh destroy n
virsh domrename n m >/dev/null

# Started, paused and resumed by virsh; the wrong connection.
virsh start m
run host_lamina "$host" launch m a c
exits 0 'started by virsh: nothing to do'
virsh suspend m
run host_lamina "$host" launch m a c
exits 0 'paused: nothing to do'
run host_lamina "$host" launch m a c --wait=30
exits 4 'but it is not ready'
like "$err" 'virsh resume m' 'the message says what to do'
virsh resume m
run host_lamina "$host" launch m a c --wait=60
exits 0 'resumed: ready'
virsh managedsave m
run host_lamina "$host" launch m a c --wait=30
exits 0 'a machine that resumes from a saved state is ready'
virsh suspend m
run host_lamina "$host" -c test:///default rm m
exits 3 'on another connection there is no such machine'
like "$err" 'qemu:///system' 'the message has its connection'
ok 'it is kept' defined m

# A damaged record.
cp "$state/machines/$first/record.json" "$tmp/record"
echo '{' >"$state/machines/$first/record.json"
run host_lamina "$host" launch m a c
ok 'a damaged record: the launch fails' test "$status" -ne 0
like "$err" 'record.json' 'the message names the record'
run host_lamina "$host" rm m --ignore-missing
exits 1 'rm fails, but not as for a missing machine'
like "$err" 'record.json' 'the message names the record'
ok 'the domain is kept' defined m
run host_lamina "$host" ps
exits 0 'ps succeeds'
like "$err" 'record.json' 'with a warning that names the record'
cp "$tmp/record" "$state/machines/$first/record.json"
run host_lamina "$host" rm m
exits 0 'removed'

# Nothing is created for a machine or layer that does not exist.
run host_lamina "$host" rm nothing
exits 3 'rm of a machine that does not exist'
run host_lamina "$host" launch nothing nowhere
exits 3 'launch of a layer that does not exist'
is "$(find "$state/machines" -mindepth 1 | wc -l)" 0 'leaves nothing'

# SIGINT rolls back what was created. Fault points stop lamina at the right moment.
for point in record-after-write overlay-before-publish launch-before-define launch-after-define; do
  stop_at "$point" launch m a c
  kill -INT "$pid"
  go_on
  exits 1 "$point: SIGINT ends it"
  ok "$point: no domain is left" eval '! defined m'
  is "$(find "$state/machines" -mindepth 1 | wc -l)" 0 "$point: nothing is left"
done

# Several at the same time: one creates the machine, the others find it; launch and rm
# in any order leave a complete machine or none.
for i in 1 2 3; do host_lamina "$host" launch twin a c >"$tmp/twin$i" 2>&1 & twins[i]=$!; done
for i in 1 2 3; do wait "${twins[i]}"; is "$?" 0 "launch $i of 3 at once"; done
is "$(grep -l 'already' "$tmp"/twin? | wc -l)" 2 'two of them found the machine'
is "$(machines_in "$state")" 1 'there is one machine'
for i in 1 2 3 4; do
  host_lamina "$host" launch twin a c >/dev/null 2>&1 & one=$!
  host_lamina "$host" rm twin >/dev/null 2>&1 & other=$!
  host_lamina "$host" ps >"$tmp/out" 2>&1
  is "$?" 0 'ps during launch and rm'
  wait "$one"
  is "$?" 0 'launch during rm'
  wait "$other"
done
if defined twin; then is "$(machines_in "$state")" 1 'a complete machine'; else is "$(machines_in "$state")" 0 'no machine'; fi
done_testing
