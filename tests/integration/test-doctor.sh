# SPDX-License-Identifier: LGPL-2.1-or-later
# doctor on a real libvirtd: a healthy host, then a host with several things broken,
# and the commands that it names repair them.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
serve "$tiny"
printf '#!/bin/sh\n' >"$tmp/qemu-hook"
chmod 0755 "$tmp/qemu-hook"
# The hook is there when libvirtd starts.
mkdir -p "$tmp/one/etc-libvirt"
new_host one
as_root () { host_exec "$host" env LAMINA_HOOK_PROGRAM="$tmp/qemu-hook" "$LAMINA" "$@"; }
as_root hook install >/dev/null
host_stop "$host"
host_start "$host"
state=$host/lamina
doctor () { run as_root doctor --json "$@"; }
# Prints the diagnoses of the check $1 as "LEVEL,COMMAND ...".
diagnoses_of () { json "' '.join(sorted(str((x['level'], x['command'])) for x in d['diagnoses'] if x['check'] == '$1'))" <<<"$out"; }
levels () { json "sorted({x['check'] for x in d['diagnoses'] if x['level'] != 'ok'})" <<<"$out"; }

host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
run host_lamina "$host" define m a c
exits 0 'a machine is defined'
doctor
exits 0 'a healthy host'
is "$(levels)" '[]' 'nothing is wrong'
is "$(json 'd["errors"], d["warnings"]' <<<"$out")" '(0, 0)' 'the counts are 0'
run as_root doctor
like "$out" '^ok +libvirt +qemu:///system answers' 'one line for each finding'
is "$(grep -cvE '^ok ' <<<"$out")" 0 'all are ok'

# Warnings alone do not fail.
http_stop "$http_dir"
head -c 4096 "$tiny/e.qcow2" >"$state/partial/sha256-$(cut -d: -f2 "$tiny/e.digest").part"
as_root hook remove >/dev/null
doctor
exits 0 'warnings alone do not make it fail'
is "$(levels)" "['debris', 'hook', 'sources']" 'a source, the hook, and what a killed run left'
like "$(diagnoses_of sources)" "warning.*lamina catalog update tiny" 'the command for the source'
like "$(diagnoses_of hook)" "warning.*lamina hook install" 'the command for the hook'
doctor --offline
is "$(levels)" "['debris', 'hook']" 'with --offline no source is asked'
rm "$state"/partial/*.part

# Errors.
layer=$(layer_file "$state" c)
unlock_layer "$layer"
chown 4321 "$layer"
overlay=$(host_lamina "$host" show m --json | json 'd["overlay"]')
"$host_lib/mkqcow2.py" backing-format-none "$overlay" --parent "$(cut -d: -f2 "$tiny/c.digest")" --size 67108864 >/dev/null
chmod 0700 "$state"
doctor --offline
exits 1 'errors make it fail'
like "$err" '3 errors were found' 'it says how many'
is "$(levels)" "['access', 'cache', 'hook', 'images']" 'a directory that QEMU cannot reach, a layer of another user, a disk without format'
command=$(json '[x["command"] for x in d["diagnoses"] if x["check"] == "access"][0]' <<<"$out")
is "$command" "chmod o+x $state" 'the command for the directory'
ok 'works' bash -c "$command"
command=$(json '[x["command"] for x in d["diagnoses"] if x["check"] == "images"][0]' <<<"$out")
ok 'the command for the disk works' host_exec "$host" bash -c "$command"
chown 0:0 "$layer"
chattr -f +i "$layer" 2>/dev/null
doctor --offline
exits 0 'all are repaired'
is "$(levels)" "['hook']" 'except for the hook'

# Machines and domains.
host_exec "$host" virsh -q dumpxml m >"$tmp/m.xml"
host_exec "$host" virsh -q undefine m
doctor --offline
like "$(diagnoses_of machines)" "warning.*lamina rm m" 'a machine without a domain'
host_exec "$host" virsh -q define "$tmp/m.xml" >/dev/null
mv "$(dirname "$overlay")" "$tmp/away"
doctor --offline
like "$(diagnoses_of domains)" "warning.*lamina hook install" 'a domain that nothing gives a disk'
mv "$tmp/away" "$(dirname "$overlay")"

# A stopped libvirtd; the directory of programs has no qemu-img.
mkdir "$tmp/bin"
ln -s "$(command -v env)" "$tmp/bin/"
run host_exec "$host" env PATH="$tmp/bin" LAMINA_HOOK_PROGRAM="$tmp/qemu-hook" "$LAMINA" -c qemu+unix:///system?socket="$tmp/none" doctor --offline --json
exits 1 'without libvirt and qemu-img it fails'
like "$(levels)" "libvirt.*programs" 'and names both'
done_testing
