# SPDX-License-Identifier: LGPL-2.1-or-later
# Test hosts and a web server for them; sourced by bash scripts.
# A host is a directory with its own libvirtd (see host-init), its lamina state,
# and an unprivileged user. All its processes end with it. Needs root.
#   host_start DIR [--net]    --net: with its own network, which has only loopback
#   host_stop DIR
#   host_exec DIR CMD...      as root, LIBVIRT_DEFAULT_URI=qemu:///system
#   host_user DIR CMD...      as the unprivileged user, LIBVIRT_DEFAULT_URI=qemu:///session
#   host_lamina DIR ARGS...   $LAMINA as root with the state in DIR/lamina
#   http_start DIR ROOT [CERT [DIRECTIVE...]]
#                             serves ROOT with nginx; sets http_url; logs requests to
#                             DIR/access.log; with CERT, serves https with the key
#                             CERT.key and the certificate CERT.crt; DIRECTIVE is added
#                             to the server block, $http_context to the http block
#   http_stop DIR
#   http_count DIR FILE       prints the number of requests for FILE (GET, any status)

host_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Prints why hosts cannot be started on this machine; nothing if they can.
host_missing () {
  local program
  [ "$(id -u)" -eq 0 ] || { echo 'needs root'; return; }
  for program in libvirtd virtlogd virsh qemu-system-x86_64 qemu-img unshare nsenter setpriv nginx; do
    command -v "$program" >/dev/null || { echo "needs $program"; return; }
  done
  unshare --mount --pid --fork true 2>/dev/null || echo 'needs namespaces'
}

# Below the ports that the kernel gives to connections and to programs that ask for any, because
# one of them could be taken before it is used.
free_port () {
  /usr/bin/python3 -c '
import random, socket
while True:
    port = random.randrange(20000, 32768)
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
    print(port)
    break'
}

# wait_for SECONDS CMD...: waits until CMD succeeds; tries ten times a second.
wait_for () {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

host_start () {
  local dir=$1 unshare
  mkdir -p "$dir"
  chmod 0755 "$dir"
  # What an earlier start wrote would say that the namespaces are ready.
  rm -f "$dir/uid"
  # If the test dies, unshare gets SIGKILL, then the first process of the namespace,
  # and then all processes in it.
  setpriv --pdeathsig KILL unshare --mount --pid "${@:2}" --fork --kill-child --mount-proc -- \
    bash "$host_lib/host-init" "$@" >"$dir/init.log" 2>&1 </dev/null &
  unshare=$!
  echo "$unshare" >"$dir/unshare.pid"
  if ! wait_for 20 _host_find_init "$dir" "$unshare" || ! wait_for 60 _host_answers "$dir"; then
    echo "host_start: no libvirtd in $dir" >&2
    tail -n 20 "$dir/init.log" "$dir/daemons.log" >&2
    host_stop "$dir"
    return 1
  fi
}

_host_find_init () {
  local pid
  [ -d "/proc/$2" ] || return 1
  pid=$(tr -d ' ' <"/proc/$2/task/$2/children") || return 1
  [ -n "$pid" ] && echo "$pid" >"$1/init.pid" && [ -e "$1/uid" ]
}

_host_answers () { host_exec "$1" virsh -c qemu:///system -q list >/dev/null 2>&1; }

host_stop () {
  local dir=$1 pid
  pid=$(cat "$dir/unshare.pid" 2>/dev/null) || return 0
  rm -f "$dir/unshare.pid" "$dir/init.pid"
  kill -KILL "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
  return 0
}

# Sets environment and init, without starting a program, because this runs often.
_host_enter () {
  local name
  read -r init <"$1/init.pid"
  environment=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 LAMINA_VIRT_TYPE=qemu
    "LAMINA_TEMPLATE_DIR=${LAMINA_TEMPLATE_DIR:-${host_lib%/*/*}/xml-templates}")
  for name in ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS LAMINA_TRACE LAMINA_TEST_FAULT LAMINA_TEST_FREE LAMINA_TEST_NO_DELAY; do
    [ -z "${!name+x}" ] || environment+=("$name=${!name}")
  done
}

host_exec () {
  local dir=$1 environment init
  shift
  _host_enter "$dir"
  nsenter --target "$init" --mount --pid --net --wd="$PWD" -- env -i "${environment[@]}" HOME=/root \
    TMPDIR="${TMPDIR:-/tmp}" LIBVIRT_DEFAULT_URI=qemu:///system LAMINA_STATE_DIR="$dir/lamina" "$@"
}

host_user () {
  local dir=$1 environment init uid
  shift
  _host_enter "$dir"
  read -r uid <"$dir/uid"
  nsenter --target "$init" --mount --pid --net --wd=/ -- \
    setpriv --reuid "$uid" --regid "$uid" --clear-groups --inh-caps=-all env -i "${environment[@]}" HOME=/run/home \
    USER=laminauser XDG_RUNTIME_DIR="/run/user/$uid" LIBVIRT_DEFAULT_URI=qemu:///session "$@"
}

host_lamina () { local dir=$1; shift; host_exec "$dir" "$LAMINA" "$@"; }

http_start () {
  local dir=$1 root=$2 cert=${3:-} scheme=http tls='' port try
  if [ -n "$cert" ]; then
    scheme=https
    tls=" ssl http2; ssl_certificate $cert.crt; ssl_certificate_key $cert.key"
  fi
  mkdir -p "$dir/nginx"
  chmod 0755 "$dir"
  for try in 1 2 3 4 5; do
    port=$(free_port)
    cat >"$dir/nginx/conf" <<END
daemon off;
pid $dir/nginx/pid;
user root;
worker_processes 2;
error_log $dir/nginx/error.log;
events { worker_connections 512; }
http {
  log_format counted '\$request_method \$uri \$status \$body_bytes_sent "\$http_range" \$server_protocol \$remote_user';
  access_log $dir/access.log counted;
  client_body_temp_path $dir/nginx/body;
  proxy_temp_path $dir/nginx/proxy;
  fastcgi_temp_path $dir/nginx/fastcgi;
  uwsgi_temp_path $dir/nginx/uwsgi;
  scgi_temp_path $dir/nginx/scgi;
  sendfile on;
  ${http_context:-}
  server { listen 127.0.0.1:$port$tls; root $root; ${*:4} }
}
END
    : >"$dir/access.log"
    setpriv --pdeathsig TERM nginx -e "$dir/nginx/error.log" -c "$dir/nginx/conf" >/dev/null 2>&1 </dev/null &
    echo $! >"$dir/nginx.pid"
    http_url=$scheme://127.0.0.1:$port
    # The request of _http_answers is logged only after the answer.
    if wait_for 10 _http_answers "$dir" "$http_url" && wait_for 10 test -s "$dir/access.log"; then
      : >"$dir/access.log"
      return 0
    fi
    http_stop "$dir"
  done
  echo 'http_start: nginx does not start' >&2
  tail "$dir/nginx/error.log" >&2
  return 1
}

_http_answers () { kill -0 "$(cat "$1/nginx.pid")" 2>/dev/null && curl -sk -o /dev/null "$2/"; }

http_stop () {
  local dir=$1 pid
  pid=$(cat "$dir/nginx.pid" 2>/dev/null) || return 0
  rm -f "$dir/nginx.pid"
  kill -TERM "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
  return 0
}

http_count () { grep -c -F -- "GET /${2#/} " "$1/access.log" || true; }
