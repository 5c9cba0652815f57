#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The units for systemd and the rules in data/ are valid, as far as the programs that
# check them are installed.
set -u
data=$G_TEST_BUILDDIR/../data
shipped=$G_TEST_SRCDIR/../data
number=0
failed=0
result () { # STATUS NAME [DETAIL]
  number=$((number + 1))
  if [ "$1" -eq 0 ]; then echo "ok $number - $2"; return; fi
  failed=1
  sed 's/^/# /' <<<"${3:-}"
  echo "not ok $number - $2"
}
skip () { number=$((number + 1)); echo "ok $number - $1 # SKIP $2"; }

outputs=("$data"/systemd/*.service "$data"/tmpfiles/lamina.conf "$data"/apparmor/libvirtd "$data"/selinux/lamina.fc)
left=$(grep -n '@[a-z]*@\|[$]{' "${outputs[@]}")
result "$([ -z "$left" ]; echo $?)" 'no placeholder is left' "$left"

# The program is not installed yet.
units=$TMPDIR/units
mkdir "$units"
for unit in "$data"/systemd/*.service "$shipped"/systemd/*.timer; do
  sed "s|^ExecStart=[^ ]*|ExecStart=$LAMINA|" "$unit" >"$units/$(basename "$unit")"
done
for unit in gc verify; do
  for kind in timer service; do
    if ! command -v systemd-analyze >/dev/null; then skip "lamina-$unit.$kind is valid" 'needs systemd-analyze'; continue; fi
    said=$(SYSTEMD_UNIT_PATH=$units: systemd-analyze verify --man=no "$units/lamina-$unit.$kind" 2>&1)
    status=$?
    said=$(grep "lamina-$unit" <<<"$said")
    result "$([ "$status" -eq 0 ] && [ -z "$said" ]; echo $?)" "lamina-$unit.$kind is valid" "$said"
  done
  # The exposure is from 0 (none) to 100.
  if systemd-analyze --help 2>/dev/null | grep -q -- --threshold; then
    said=$(systemd-analyze security --offline=true --threshold=35 --no-pager "$units/lamina-$unit.service" 2>&1)
    result $? "lamina-$unit.service is sandboxed" "$said"
  else
    skip "lamina-$unit.service is sandboxed" 'needs systemd-analyze security --threshold'
  fi
done

for unit in gc verify; do
  words=$(sed -n 's/^ExecStart=[^ ]* //p' "$data/systemd/lamina-$unit.service")
  # shellcheck disable=SC2086
  said=$("$LAMINA" $words --help 2>&1)
  result $? "lamina knows the verb and the options of lamina-$unit.service" "$said"
done

if command -v apparmor_parser >/dev/null; then
  { echo 'profile lamina-test {'; cat "$data/apparmor/libvirtd"; echo '}'; } >"$TMPDIR/profile"
  said=$(apparmor_parser --skip-kernel-load --skip-cache --skip-read-cache "$TMPDIR/profile" 2>&1)
  result $? 'the rule for AppArmor is valid' "$said"
else
  skip 'the rule for AppArmor is valid' 'needs apparmor_parser'
fi
echo "1..$number"
exit $failed
