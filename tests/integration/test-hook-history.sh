# SPDX-License-Identifier: LGPL-2.1-or-later
# Starts by virsh are noted in lamina.db, whether something is missing or not, so that gc
# sees them; starts by lamina are noted once. No state of the database prevents
# or delays a start. The guests do not boot.
. "$(dirname "$0")/../lib/integration.sh"
. "$(dirname "$0")/../lib/hook.sh"
need_hosts
tiny
serve "$tiny"
install_hook one
new_host one
state=$host/lamina
database=$state/lamina.db
host_lamina "$host" catalog add tiny "$http_url/catalog.yaml" >/dev/null
stop () { host_exec "$host" virsh -q destroy "$1" >/dev/null 2>&1; }
# sql STATEMENT: runs it and prints the rows; waits for other processes.
sql () {
  /usr/bin/python3 -c '
import sqlite3, sys
c = sqlite3.connect("file:" + sys.argv[1] + "?mode=rw", uri=True, timeout=10)
with c:
    for row in c.execute(sys.argv[2]): print(*row)' "$database" "$1"
}
starts () { sql "SELECT how, user, uid, name FROM history ORDER BY id"; }
entries () { [ "$(starts 2>/dev/null | wc -l)" = "$1" ]; }
used () { sql "SELECT count(*) FROM use WHERE time > 1000 AND hex(digest) = upper('$(<"$tiny/$1.digest")')"; }
forget () { sql 'DELETE FROM history' && sql 'UPDATE use SET time = 1000'; }
noted () { ! host_exec "$host" pgrep -f '[q]emu-prepare|[h]ook note' >/dev/null; }
uuid=11111111-2222-4333-8444-555555555555
domain_xml hand "$uuid" "<lamina:machine $lamina_ns><lamina:select>a</lamina:select><lamina:select>c</lamina:select></lamina:machine>" \
  "$state/machines/$uuid/overlay.qcow2" >"$tmp/hand.xml"

# By lamina: libvirt's hook runs too, and that is one start.
run host_lamina "$host" launch m a c --memory 32
exits 0 'launch'
ok 'the hook ends' wait_for 20 noted
is "$(starts)" 'launch root 0 m' 'it is noted once, with the user'
stop m
run host_lamina "$host" launch m a c
exits 0 'launch starts the machine again'
ok 'the hook ends' wait_for 20 noted
is "$(starts)" $'launch root 0 m\nstart root 0 m' 'that is noted once'
stop m

# By virsh, with nothing missing.
forget
virsh start m
exits 0 'virsh start'
ok 'is noted' wait_for 20 entries 1
is "$(starts)" 'libvirt None -1 m' 'without a user, because libvirt does not tell it'
is "$(sql 'SELECT machine, selections, chain FROM history')" \
  "$(host_lamina "$host" show m --json | json 'd["uuid"]') os=a@1.0 app=c@1.0 $(digest_of a) $(digest_of c)" 'with the selections and the chain'
is "$(used a) $(used c)" '1 1' 'its layers count as used now'
is "$(host_lamina "$host" cache show c --json | json 'd["used"] > 1000000')" True 'for lamina too'
stop m

# By virsh, with a layer that is missing, and for the first time.
forget
unlock_layer "$(layer_file "$state" c)"; rm -f "$(layer_file "$state" c)"
virsh start m
exits 0 'virsh start of a machine with a missing layer'
ok 'is noted' wait_for 20 entries 1
stop m
virsh define "$tmp/hand.xml"
virsh start hand
exits 0 'virsh start of a domain written by hand'
ok 'is noted' wait_for 20 entries 2
is "$(starts | tail -n 1)" 'libvirt None -1 hand' 'with its name'
stop hand

# A start that fails is none.
forget
mv "$state/machines/$uuid/overlay.qcow2" "$tmp/kept"
mkdir "$state/machines/$uuid/overlay.qcow2"
virsh start hand
ok 'a start fails' [ "$status" -ne 0 ]
rmdir "$state/machines/$uuid/overlay.qcow2"
mv "$tmp/kept" "$state/machines/$uuid/overlay.qcow2"
ok 'no hook runs' wait_for 20 noted
is "$(starts)" '' 'it is not noted'

# history = no
printf '[lamina]\nhistory = no\n' >"$tmp/no.conf"
echo "LAMINA_CONFIG=$tmp/no.conf" >"$tmp/hook.env"
virsh start m
exits 0 'a start with history = no'
ok 'its layers count as used' wait_for 20 eval '[ "$(used a) $(used c)" = "1 1" ]'
is "$(starts)" '' 'but it is not in the history'
stop m
: >"$tmp/hook.env"

# The database is locked: neither the start nor the domain waits.
forget
/usr/bin/python3 -c '
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("BEGIN IMMEDIATE"); print("locked", flush=True); sys.stdin.read()' "$database" < <(exec sleep 60) >"$tmp/locked" &
locker=$!
ok 'another process locks the database' wait_for 20 test -s "$tmp/locked"
virsh start m
exits 0 'a start while the database is locked'
ok 'it ended while the hook still waits' eval '! noted'
kill "$locker"
ok 'it is noted when the lock is released' wait_for 20 entries 1
stop m

# The database is damaged: it is left to somebody who can be told.
ok 'no hook runs' wait_for 20 noted
rm -f "$database"-*
echo 'this is no database, whatever its name says' >"$database"
virsh start m
exits 0 'a start with a damaged database'
ok 'no hook runs' wait_for 20 noted
like "$(<"$database")" 'no database' 'the hook does not replace it'
stop m
run host_lamina "$host" launch m a c
exits 0 'launch does'
like "$err" 'renamed to lamina.db.damaged' 'and says so'
stop m
rm -f "$database"*
virsh start m
exits 0 'a start without a database'
ok 'creates one' wait_for 20 entries 1
is "$(stat -c %a "$database")" 600 'for its owner only'
stop m
ok 'no hook runs' wait_for 20 noted
done_testing
