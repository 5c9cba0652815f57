# SPDX-License-Identifier: LGPL-2.1-or-later
# Random steps of several users of one host, see random-steps.py. LAMINA_TEST_SEED is
# the seed, a number, and LAMINA_TEST_STEPS the number of steps (default 1000; with
# sanitizers, where a process takes ten times as long, 150). Each run has another seed, and
# prints it; with the same one the same steps are tried, but processes that work at the
# same time, or are killed at any time, may not do the same.
. "$(dirname "$0")/../lib/integration.sh"
. "$(dirname "$0")/../lib/hook.sh"
need_hosts
/usr/bin/python3 -c 'import libvirt' 2>/dev/null || skip_all 'needs python3-libvirt'
steps=1000
! grep -q __asan_init "$LAMINA" || steps=150
seed=${LAMINA_TEST_SEED:-$(($(date +%s) % 100000))}
program=$(dirname "$0")/random-steps.py
mkdir "$tmp/catalog" "$tmp/work"
chmod 0777 "$tmp/work"
/usr/bin/python3 "$program" make "$tmp/catalog" || { echo 'Bail out! cannot make layers'; exit 1; }
serve "$tmp/catalog"
install_hook one
new_host one
host_lamina "$host" catalog add random "$http_url/catalog.yaml" >/dev/null
diag "LAMINA_TEST_SEED=$seed LAMINA_TEST_STEPS=${LAMINA_TEST_STEPS:-$steps}"
host_exec "$host" env LAMINA="$LAMINA" /usr/bin/python3 "$program" "$seed" "${LAMINA_TEST_STEPS:-$steps}" "$host/lamina" \
  "$tmp/one/etc-libvirt/hooks/qemu.d/lamina" "$tmp/work"
