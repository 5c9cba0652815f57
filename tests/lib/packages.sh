# SPDX-License-Identifier: LGPL-2.1-or-later
# Small packages of Debian's kind, for tests that build layers; sourced after integration.sh.
#   package NAME VERSION [FIELDS [POSTINST]]
#                    makes $site/NAME.deb of what is in $tmp/package/NAME, and a file in /usr/share/NAME
#   write_index      writes $site/Packages, which lists the packages there
site=$tmp/site
mkdir -p "$site"

package () {
  local dir=$tmp/package/$1
  mkdir -p "$dir/DEBIAN" "$dir/usr/share/$1"
  echo "$1 $2" >"$dir/usr/share/$1/file"
  printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: nobody\nDescription: x\n%s' "$1" "$2" "${3:+$3
}" >"$dir/DEBIAN/control"
  [ -z "${4:-}" ] || { printf '#!/bin/sh\n%s\n' "$4" >"$dir/DEBIAN/postinst"; chmod 0755 "$dir/DEBIAN/postinst"; }
  dpkg-deb --root-owner-group -Znone -b "$dir" "$site/$1.deb" >/dev/null
  rm -r "$tmp/package"
}

write_index () {
  local file
  for file in "$site"/*.deb; do
    dpkg-deb -f "$file"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${file##*/}" "$(stat -c %s "$file")" "$(sha256sum <"$file" | cut -d' ' -f1)"
  done >"$site/Packages"
}
