# SPDX-License-Identifier: LGPL-2.1-or-later
# A --replace during which the file system becomes read-only at any step, or that is
# killed and followed by virsh commands: a machine that has a domain is never taken for
# a replaced one, and the next launch loses nothing.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
command -v strace >/dev/null || skip_all 'needs strace'
tiny
serve "$tiny"
new_host one
state=$host/lamina
host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
host_lamina "$host" pull a c e >/dev/null 2>&1
uuid () { host_exec "$host" virsh domuuid m 2>/dev/null | head -n 1; }
disk_of () { echo "$state/machines/$1/overlay.qcow2"; }

# begin: launches the old machine, whose guest then has run; sets old, xml.
begin () {
  host_lamina "$host" rm m --ignore-missing >/dev/null 2>&1
  host_lamina "$host" launch m a c >/dev/null 2>&1
  old=$(uuid)
  xml=$tmp/old.xml
  host_exec "$host" virsh dumpxml --inactive m >"$xml"
}

# write_all: makes each disk look as if its guest had written to it.
write_all () { touch "$state"/machines/*/overlay.qcow2; }

# nothing_lost DESC: launches each of the two machines again. If a launch succeeds, that
# machine is running; the old disk is removed only if the new machine has the name.
nothing_lost () {
  local before=
  write_all
  ! running m || before=$(uuid)
  run host_lamina "$host" launch m a c
  case $status in
    0) ok "$1: the old machine is launched" eval '[ "$(uuid)" = "$old" ] && running m' ;;
    9) ok "$1: the new machine has the name and runs" eval '[ "$(uuid)" != "$old" ] && running m' ;;
    *) exits 0 "$1: launched again" ;;
  esac
  ok "$1: the old disk exists" test -e "$(disk_of "$old")"
  [ -z "$before" ] || is "$(uuid)" "$before" "$1: the running machine is the same"
  now=$(uuid)
  ok "$1: so does the disk of the running machine" test -e "$(disk_of "$now")"
  run host_lamina "$host" launch m a e
  if [ "$now" = "$old" ]; then exits 9 "$1: the new one is refused"; else exits 0 "$1: the new one is launched"; fi
  is "$(uuid)" "$now" "$1: it is the same machine"
  ok "$1: it runs and has its disk" eval 'running m && [ -e "$(disk_of "$now")" ]'
  [ "$now" != "$old" ] || ok "$1: the old disk still exists" test -e "$(disk_of "$old")"
}

# The file system is read-only from the rename number N on; the loop ends with the first
# N for which nothing fails.
last=
for n in 1 2 3 4 5 6 7 8; do
  begin
  ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 \
    run host_exec "$host" strace -f -qq -o "$tmp/trace" -e trace=renameat,unlink,unlinkat,rmdir \
    -e inject="renameat:error=EROFS:when=$n+" -e inject=unlink,rmdir:error=EROFS "$LAMINA" launch m a e --replace
  if ! grep -q 'renameat.*EROFS.*INJECTED' "$tmp/trace"; then
    last=$n
    exits 0 "from rename $n on: nothing fails"
    break
  fi
  ok "from rename $n on: the launch fails, or the new machine has the name" eval '[ "$status" -ne 0 ] || [ "$(uuid)" != "$old" ]'
  nothing_lost "from rename $n on"
done
ok 'the loop reached its end' test -n "$last"
ok 'after the renames of start and commit' test "${last:-0}" -gt 3

# Killed after the new machine was started; then somebody restores the old one by virsh.
back_by_virsh () {
  host_exec "$host" virsh -q destroy m
  host_exec "$host" virsh -q undefine m
  host_exec "$host" virsh -q define "$xml"
}
kill_at () {
  begin
  LAMINA_TEST_FAULT=$1=kill run host_lamina "$host" launch m a e --replace
  exits 137 "$1: killed"
  new=$(uuid)
  write_all
}
for point in launch-after-start launch-before-commit replace-before-remove; do
  kill_at "$point"
  back_by_virsh
  host_exec "$host" virsh -q start m
  nothing_lost "$point, restored by virsh"
  is "$(uuid)" "$old" "$point, restored by virsh: it is the machine"
  ok "$point, restored by virsh: the new disk is there too" test -e "$(disk_of "$new")"
  is "$(host_lamina "$host" show m --json | json 'd["uuid"]')" "$old" "$point, restored by virsh: show shows it"
done
# Only the new one's domain was taken away.
kill_at launch-after-start
host_exec "$host" virsh -q destroy m
host_exec "$host" virsh -q undefine m
nothing_lost 'the new one undefined'
is "$(uuid)" "$old" 'the new one undefined: the old one is the machine'
ok 'the new one undefined: its disk is there' test -e "$(disk_of "$new")"
run host_lamina "$host" rm m
exits 0 'rm'
is "$(machines_in "$state")" 0 'takes all of them'
done_testing
