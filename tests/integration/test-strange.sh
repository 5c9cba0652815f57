# SPDX-License-Identifier: LGPL-2.1-or-later
# What others do to a machine, and what a shell does to lamina: domains renamed
# or started by hand, records damaged, an umask of 077, SIGINT.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
new_host one
state=$host/lamina
virsh () { host_exec "$host" virsh -q "$@"; }
uuid () { virsh domuuid "$1" 2>/dev/null | head -n 1; }

# The directories that root makes must be open to the QEMU user all the same.
umask 077
run host_lamina "$host" catalog add tiny "$http_url/catalog.yaml"
run host_lamina "$host" launch m a c --wait=120
umask 022
exits 0 'launched with an umask of 077'
first=$(uuid m)
is "$(stat -c %a "$state/machines/$first/record.json")" 600 'its record is private'
ok 'the store is sound' store_is_sound "$state"

# Renamed.
virsh destroy m
virsh domrename m n >/dev/null
run host_lamina "$host" launch m a c
exits 1 'the name of a renamed domain is not given to another machine'
like "$err" 'renamed to n' 'it says what it is called now'
run host_lamina "$host" launch m a e --replace
exits 1 '--replace does not throw it away either'
run host_lamina "$host" launch n a c
exits 1 'nor is it adopted by its new name'
like "$err" 'machine m under another name' 'it says whose domain that is'
is "$(uuid n)" "$first" 'it is still there'
virsh domrename n m >/dev/null

# Started and stopped by hand, with the wrong connection.
virsh start m
run host_lamina "$host" launch m a c
exits 0 'started by hand: nothing to do'
virsh suspend m
run host_lamina "$host" launch m a c
exits 0 'paused: nothing to do'
run host_lamina "$host" launch m a c --wait=30
exits 4 'but not ready'
like "$err" 'virsh resume m' 'and it says what helps'
virsh resume m
run host_lamina "$host" launch m a c --wait=60
exits 0 'resumed: ready'
virsh managedsave m
run host_lamina "$host" launch m a c --wait=30
exits 0 'one that goes on from its saved state is as ready as it was'
virsh suspend m
run host_lamina "$host" -c test:///default rm m
exits 3 'on another connection there is no such machine'
like "$err" 'qemu:///system' 'it says on which it is'
ok 'it stays' defined m

# A damaged record.
cp "$state/machines/$first/record.json" "$tmp/record"
echo '{' >"$state/machines/$first/record.json"
run host_lamina "$host" launch m a c
ok 'a damaged record: the launch fails' test "$status" -ne 0
like "$err" 'record.json' 'it names the record'
run host_lamina "$host" rm m --ignore-missing
exits 1 'rm does not take it for missing'
like "$err" 'record.json' 'and says why'
ok 'the domain is there' defined m
run host_lamina "$host" ps
exits 0 'ps goes on'
like "$err" 'record.json' 'and names it too'
cp "$tmp/record" "$state/machines/$first/record.json"
run host_lamina "$host" rm m
exits 0 'removed'

# Nothing is left of what is not there.
run host_lamina "$host" rm nothing
exits 3 'rm of nothing'
run host_lamina "$host" launch nothing nowhere
exits 3 'launch of nothing'
is "$(find "$state/machines" -mindepth 1 | wc -l)" 0 'leaves nothing'

# SIGINT: what was made is taken back. A fault point that stops holds it there.
for point in record-after-write overlay-before-publish launch-before-define launch-after-define; do
  stop_at "$point" launch m a c
  kill -INT "$pid"
  go_on
  exits 1 "$point: SIGINT ends it"
  ok "$point: no domain" eval '! defined m'
  is "$(find "$state/machines" -mindepth 1 | wc -l)" 0 "$point: nothing is left"
done

# Two at once: one makes it, the other finds it; launch and rm in any order leave
# a whole machine or none.
for i in 1 2 3; do host_lamina "$host" launch twin a c >"$tmp/twin$i" 2>&1 & twins[i]=$!; done
for i in 1 2 3; do wait "${twins[i]}"; is "$?" 0 "launch $i of 3 at once"; done
is "$(grep -l 'already' "$tmp"/twin? | wc -l)" 2 'two of them found it there'
is "$(machines_in "$state")" 1 'there is one machine'
for i in 1 2 3 4; do
  host_lamina "$host" launch twin a c >/dev/null 2>&1 & one=$!
  host_lamina "$host" rm twin >/dev/null 2>&1 & other=$!
  host_lamina "$host" ps >"$tmp/out" 2>&1
  is "$?" 0 "ps meanwhile"
  wait "$one"
  is "$?" 0 'launch beside rm'
  wait "$other"
done
if defined twin; then is "$(machines_in "$state")" 1 'a whole machine'; else is "$(machines_in "$state")" 0 'no machine'; fi
done_testing
