# SPDX-License-Identifier: LGPL-2.1-or-later
# lamina-appliance changes a disk, with the real libguestfs: a small file system with busybox as its
# operating system. The jobs run at the same time, because the appliance takes long to start.
# About input: run with sanitizers only.
. "$(dirname "$0")/../lib/integration.sh"
program=${LAMINA_APPLIANCE_PROGRAM:-}
[ -x "$program" ] || skip_all 'lamina was built without libguestfs'
for kernel in /boot/vmlinuz-*; do [ -r "$kernel" ] || skip_all 'no kernel in /boot'; done
command -v supermin >/dev/null || skip_all 'no supermin'
jobs=()
extra_cleanup () { local pid; for pid in "${jobs[@]}"; do kill -9 "$pid" 2>/dev/null; done; }

root=$tmp/root
mkdir -p "$root"/{bin,usr/bin,usr/sbin,etc/ssh,dev,proc,sys,tmp,var/lib/dpkg,var/log/app}
cp /bin/busybox "$root/bin/"
for name in sh env tail cat dd ls id ip; do ln -s /bin/busybox "$root/bin/$name"; done
echo ID=tiny >"$root/etc/os-release"
echo old >"$root/var/log/app/log"
chmod 0640 "$root/var/log/app/log"
echo key >"$root/etc/ssh/ssh_host_x_key"
echo own >"$root/usr/sbin/policy-rc.d"
truncate -s 24M "$tmp/base.raw"
mke2fs -q -F -t ext4 -O has_journal -J size=4 -E root_owner=0:0 -d "$root" "$tmp/base.raw"
qemu-img convert -f raw -O qcow2 "$tmp/base.raw" "$tmp/base.qcow2"
echo hello >"$tmp/hello"

# job NAME READ-ONLY STEPS: writes the job NAME for a new overlay
job () {
  mkdir "$tmp/$1"
  qemu-img create -q -f qcow2 -F qcow2 -b "$tmp/base.qcow2" -o cluster_size=4k "$tmp/$1.qcow2"
  printf '{"disk":"%s","format":"qcow2","scratch":"%s","virt_type":"qemu","memory":512,"read_only":%s,"steps":[%s]}\n' \
    "$tmp/$1.qcow2" "$tmp/$1" "$2" "$3" >"$tmp/$1.json"
}
start () { "$program" "$tmp/$1.json" >"$tmp/$1.out" 2>"$tmp/$1.err" </dev/null & jobs+=($!); last=$!; }
# event NAME EXPRESSION: reads what the job NAME has said as the list d
event () { sed '1s/^/[/; $!s/$/,/; $s/$/]/' "$tmp/$1.out" | json "$2"; }

job done false "$(cat <<END
  {"do":"upload","label":"a","path":"/sent","from":"$tmp/hello","mode":416},
  {"do":"write","label":"b","path":"/written","content":"eAB5Cg==","mode":493},
  {"do":"write","label":"c","path":"/left-out","content":"eAo=","mode":420,"if":"/nowhere"},
  {"do":"write","label":"d","path":"/left-out","content":"eAo=","mode":420,"unless":["/nowhere","/etc"]},
  {"do":"mkdir","label":"e","path":"/new/dir","mode":448},
  {"do":"run","label":"f","script":"cat /sent - >/got; cat /usr/sbin/policy-rc.d >/policy; echo \$PATH \$LC_ALL \$(id -u) >/env; ip link >/links"},
  {"do":"read","label":"g","path":"/env","max":1000},
  {"do":"read","label":"h","path":"/sent","max":2},
  {"do":"read","label":"i","path":"/nowhere","max":2},
  {"do":"read","label":"j","path":"/links","max":5000},
  {"do":"read","label":"k","path":"/policy","max":5000,"to_host":"$tmp/policy"},
  {"do":"truncate","label":"l","path":"/var/log"},
  {"do":"remove","label":"m","path":"/etc/ssh/ssh_host_*_key","also":["/nothing*","/sent"]},
  {"do":"trim","label":"n"},
  {"do":"list","label":"o","path":"/","to_host":"$tmp/list"},
  {"do":"digests","label":"p","path":"/etc","to_host":"$tmp/digests"}
END
)"
job command true '{"do":"run","label":"break","script":"echo before; echo reason >&2; false; echo after"}'
job full false '{"do":"run","label":"fill","script":"dd if=/dev/zero of=/big bs=1M count=100"}'
job killed false '{"do":"run","label":"wait","script":"echo"}'
read_only=$(sha256sum <"$tmp/command.qcow2")
start done; first=$last
start command; second=$last
start full; third=$last
wait "$first"; first=$?
wait "$second"; second=$?
wait "$third"; third=$?

is "$first" 0 'a job is done'
is "$(event done 'd[-1]["event"]')" done 'it says so'
is "$(event done '[e["label"] for e in d if e["event"] == "end" and e["skipped"]]')" "['c', 'd']" 'steps whose condition is not met are left out'
result () { event done "__import__('base64').b64decode(next(e['content'] for e in d if e['event'] == 'result' and e['step'] == $1)).decode()"; }
is "$(result 8)" '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin C.UTF-8 0' 'a command has its environment, and is root'
is "$(result 9)" he 'what is read is bounded'
is "$(event done '[e["content"] for e in d if e["event"] == "result" and e["step"] == 10]')" '[None]' 'a missing file is no error'
is "$(result 11 | grep -c 'eth\|ens')" 0 'there is no network'
like "$(cat "$tmp/policy")" '^exit 101$' 'services may not start'
entry () { tr '\0' '\n' <"$tmp/list" | sed -n "s|^\(.*\) [0-9.]* [0-9.]* $1\$|\1|p"; }
is "$(entry /written)" 'f 0755 0 0 4' 'a file is written'
is "$(tr '\0' '\n' <"$tmp/digests")" "$(printf 'ID=tiny\n' | sha256sum | cut -d' ' -f1)  os-release" 'files have digests'
is "$(entry /new/dir | cut -d' ' -f1-4)" 'd 0700 0 0' 'a directory is made'
is "$(entry /got)" 'f 0644 0 0 6' 'a file was sent, and there is no input'
is "$(entry /var/log/app/log)" 'f 0640 0 0 0' 'a log is empty and keeps its mode'
is "$(entry /etc/ssh/ssh_host_x_key)$(entry /sent)$(entry /left-out)" '' 'files are removed'
is "$(entry /usr/sbin/policy-rc.d)" 'f 0644 0 0 4' 'the policy of the guest is there again'
is "$(tr '\0' '\n' <"$tmp/list" | grep -A 1 ' /bin/sh$' | tail -n 1)" /bin/busybox 'the list has targets of links'
qemu-img convert -f qcow2 -O raw "$tmp/done.qcow2" "$tmp/done.raw"
run e2fsck -fn "$tmp/done.raw"
exits 0 'the file system is sound'
like "$(dumpe2fs -h "$tmp/done.raw" 2>/dev/null)" 'Total journal size: +4096k' 'it has a journal as before'

is "$second" 1 'a job with a command that fails has failed'
is "$(event command '[(e["status"], e["output"]) for e in d if e["event"] == "output"]')" "[(1, 'before\\nreason\\n')]" 'the output of the command is shown'
is "$(event command '(d[-1]["kind"], d[-1]["label"])')" "('command', 'break')" 'the failure names it'
is "$(sha256sum <"$tmp/command.qcow2")" "$read_only" 'a disk that is only read does not change'
is "$third" 1 'a job that fills the disk has failed'
is "$(event full 'd[-1]["kind"]')" no-space 'the failure says that it is full'

# The parent is killed while the appliance starts. lamina asks for the same signal.
bash -c 'setsid setpriv --pdeathsig KILL "$@" >/dev/null 2>&1; true' - "$program" "$tmp/killed.json" &
parent=$!
qemu_runs () { pgrep -f "file=$tmp/killed.qcow2" >/dev/null; }
ok 'QEMU starts' wait_for 60 qemu_runs
socket=$(pgrep -af "file=$tmp/killed.qcow2" | sed -n 's|.*socket,path=\([^,]*\)/guestfsd.sock,.*|\1|p' | head -n 1)
ok 'its socket is in a directory' test -d "$socket"
kill -9 "$parent"
wait "$parent" 2>/dev/null
nothing_runs () { ! pgrep -f "$tmp/killed" >/dev/null; }
ok 'after the parent is killed, no process is left' wait_for 5 nothing_runs
ok 'that directory is gone' test ! -e "$socket"
is "$(qemu-img check -f qcow2 "$tmp/base.qcow2" >/dev/null 2>&1; echo $?)" 0 'what is below the disk is sound'
done_testing
