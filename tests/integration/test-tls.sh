# SPDX-License-Identifier: LGPL-2.1-or-later
# Catalogs and layers are fetched by https from a trusted server, and from no other.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
for program in openssl update-ca-certificates; do
  command -v "$program" >/dev/null || skip_all "needs $program"
done
tiny

# certify NAME SUBJECT-ALT-NAMES DAYS: creates $tmp/NAME.key and $tmp/NAME.crt, signed by
# $tmp/ca/ca.crt. DAYS of -1 makes it expired, for which OpenSSL 3.4 and later need
# other options.
certify () {
  local validity=(-days "$3")
  if [ "$3" -lt 0 ] && openssl x509 -help 2>&1 | grep -q -- -not_after; then
    validity=(-not_before 20200101000000Z -not_after 20200102000000Z)
  fi
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tmp/$1.key" -out "$tmp/$1.csr" -subj "/CN=$1" &&
    openssl x509 -req -in "$tmp/$1.csr" -CA "$tmp/ca/ca.crt" -CAkey "$tmp/ca/ca.key" -CAcreateserial "${validity[@]}" \
      -out "$tmp/$1.crt" -extfile <(echo "subjectAltName=$2")
}
{
  mkdir "$tmp/ca"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tmp/ca/ca.key" -out "$tmp/ca/ca.crt" \
    -subj "/CN=tiny CA" -days 2
  certify good DNS:localhost,IP:127.0.0.1 2
  certify expired DNS:localhost,IP:127.0.0.1 -1
  certify elsewhere DNS:elsewhere.example 2
} >"$tmp/openssl.log" 2>&1 || { cat "$tmp/openssl.log"; echo 'Bail out! no certificates'; exit 1; }

serve "$tiny"
plain=$http_url
plain_dir=$http_dir
serve "$tiny" "$tmp/expired"
expired=$http_url
serve "$tiny" "$tmp/elsewhere"
elsewhere=$http_url
serve "$tiny" "$tmp/good" "rewrite ^/down/(.*)\$ $plain/\$1 redirect;"
good=$http_url
new_host one
state=$host/lamina
no_bytes () { [ -z "$(find "$state" -type f -size +0 2>/dev/null)" ]; }

# refused URL REASON DESC: checks that URL is refused for a catalog and for a layer.
refused () {
  run host_lamina "$host" catalog add tiny "$1/catalog.yaml"
  exits 5 "$3: a catalog is refused"
  like "$err" "$1/catalog.yaml: .*$2" "$3: the message has the URL and the reason"
  catalog_of "$1/a.qcow2" "$(digest_of a)" "$(stat -c %s "$tiny/a.qcow2")" >"$tmp/one.yaml"
  run host_lamina "$host" --catalog "$tmp/one.yaml" pull x
  exits 5 "$3: a layer is refused"
  like "$err" "$1/a.qcow2: .*$2" "$3: the message has the URL and the reason"
  ok "$3: no data is kept" no_bytes
}
refused "$good" 'authority' 'an unknown authority'

# From here on the host trusts this authority.
mkdir "$tmp/certs"
host_exec "$host" update-ca-certificates --localcertsdir "$tmp/ca" --etccertsdir "$tmp/certs" --hooksdir "$tmp/none" \
  >"$tmp/update.log" 2>&1 || diag "$(cat "$tmp/update.log")"
host_exec "$host" mount --bind "$tmp/certs" /etc/ssl/certs
refused "$expired" 'expired' 'an expired certificate'
refused "$elsewhere" 'does not match.*127.0.0.1' 'a certificate of another host'
run host_lamina "$host" catalog add tiny "$good/down/catalog.yaml"
exits 5 'a catalog that is redirected to http is refused'
like "$err" "$good/down/catalog.yaml: .*redirect" 'the message has the URL and the reason'
is "$(http_count "$plain_dir" catalog.yaml)" 0 'and it is not fetched'

: >"$http_dir/access.log"
run host_lamina "$host" catalog add tiny "${good/127.0.0.1/localhost}/catalog.yaml"
exits 0 'a catalog of a trusted server is added'
run host_lamina "$host" pull a c
exits 0 'its layers are pulled'
is "$(sed -n 's/^GET \([^ ]*\) 200 .* \(HTTP.*\) -$/\1 \2/p' "$http_dir/access.log" | sort | xargs)" \
  '/a.qcow2 HTTP/2.0 /c.qcow2 HTTP/2.0 /catalog.yaml HTTP/2.0 /initrd HTTP/2.0 /vmlinuz HTTP/2.0' 'each file once, by HTTP/2'
ok 'the cache is intact' cache_is_intact "$state"
catalog_of "https://me:secret@${good#*//}/down/b.qcow2" "$(digest_of b)" "$(stat -c %s "$tiny/b.qcow2")" >"$tmp/one.yaml"
run host_lamina "$host" --catalog "$tmp/one.yaml" pull x
exits 0 'a layer, whose digest is known, may be redirected to http'
ok 'and is intact' cache_is_intact "$state"
is "$(awk '{ print $2, $NF }' "$plain_dir/access.log")" '/b.qcow2 -' 'the password is not sent there'
done_testing
