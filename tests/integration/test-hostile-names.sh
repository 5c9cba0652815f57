# SPDX-License-Identifier: LGPL-2.1-or-later
# Hostile text in each option and each field of a catalog is refused or treated as
# plain text: nothing is executed, and nothing is written elsewhere.
# About input: in run-tests only with sanitizers, which find more.
. "$(dirname "$0")/../lib/integration.sh"
need_hosts
tiny
new_host one
state=$host/lamina
trap_file=$tmp/pwned
mkdir "$tmp/cwd"
cd "$tmp/cwd" || exit 1
hostile=(
  '../../../../../../../../'"$tmp"'/escaped' '/etc/passwd' "\$(touch $trap_file)" "\`touch $trap_file\`"
  "; touch $trap_file;" "| touch $trap_file" "x' onload='touch $trap_file" 'x"/><devices><emulator>/bin/sh</emulator></devices>'
  '<!ENTITY x SYSTEM "file:///etc/passwd">&x;' ']]>' '--help' '-f' '%n%s%s%s' $'line\nbreak' $'esc\e[2J' $'\x01' 'json:{"driver":"nbd"}'
  'nbd:127.0.0.1:1' 'a,b=c' 'x'"$(printf 'y%.0s' {1..5000})" '' ' ' '..' '.' $'\xff\xfe'
)
cp "$tiny/catalog.yaml" "$tmp/good.yaml"
sed -i "s#urls: \[#&file://$tiny/#" "$tmp/good.yaml"
good=(--catalog "$tmp/good.yaml")
run host_lamina "$host" "${good[@]}" pull a c
exits 0 'the plain catalog works'

sane () { # DESC: checks the result of a run with hostile text
  local bad='' file
  case $status in 0|1|2|3|5|6|7) ;; *) bad="status $status" ;; esac
  [ ! -e "$trap_file" ] || bad='a command was run'
  [ ! -e "$tmp/escaped" ] || bad='a file was written outside'
  for file in "$tmp/cwd"/* "$tmp/cwd"/.[!.]*; do [ ! -e "$file" ] || bad="a file in the working directory: $file"; done
  [ "$status" -eq 0 ] || [ -n "$err" ] || bad='silent failure'
  [[ $out$err != *$'\e[2J'* ]] || bad='a control sequence reached the terminal'
  if [ -z "$bad" ]; then ok "$1" true; return; fi
  ok "$1: $bad" false
  diag "out: $out"
  diag "err: $err"
  rm -rf "$trap_file" "$tmp/escaped" "$tmp/cwd"
  mkdir "$tmp/cwd" && cd "$tmp/cwd"
}

number=0
for text in "${hostile[@]}"; do
  number=$((number + 1))
  shown=$(printf '%q' "${text:0:40}")
  run host_lamina "$host" "${good[@]}" define -- "$text" a c
  sane "name $shown"
  [ "$status" -ne 0 ] || host_lamina "$host" rm -- "$text" >/dev/null 2>&1
  for option in memory vcpus cpu virt-type disk network publish graphics osinfo template cloud-init; do
    run host_lamina "$host" "${good[@]}" define "n$number" a c "--$option=$text"
    sane "--$option $shown"
    if [ "$status" -eq 0 ]; then
      ok "--$option $shown: the emulator is QEMU" eval \
        'host_exec "$host" virsh dumpxml --inactive "n$number" | grep -q "<emulator>/usr/bin/qemu-system-x86_64</emulator>"'
      host_lamina "$host" rm "n$number" >/dev/null 2>&1
    fi
  done
  for option in disk=size cloud-init=user-data cloud-init=ssh-key network=network network=bridge; do
    run host_lamina "$host" "${good[@]}" define "n$number" a c "--${option%%=*}=${option#*=}=$text"
    sane "--$option= $shown"
    [ "$status" -ne 0 ] || host_lamina "$host" rm "n$number" >/dev/null 2>&1
  done
  run host_lamina "$host" "${good[@]}" plan -- "$text"
  sane "selection $shown"
  run host_lamina "$host" "${good[@]}" plan -- "os=$text"
  sane "selection os=$shown"
  run host_lamina "$host" "${good[@]}" plan -- "a@$text"
  sane "selection a@$shown"
  run host_lamina "$host" --catalog "$text" plan a
  sane "--catalog $shown"
  run host_lamina "$host" show -- "$text"
  sane "show $shown"
  run host_lamina "$host" rm -- "$text"
  sane "rm $shown"
  run host_lamina "$host" catalog add -- "$text" "$tmp/good.yaml"
  sane "catalog add $shown"
  [ "$status" -ne 0 ] || host_lamina "$host" catalog remove -- "$text" >/dev/null 2>&1
  run host_lamina "$host" catalog remove -- "$text"
  sane "catalog remove $shown"
done

# Each text field of a catalog, written as JSON by a program.
cat >"$tmp/fields.py" <<'END'
import json, sys, yaml
source, out = sys.argv[1:3]
texts = [t.decode("utf-8", "replace") for t in sys.stdin.buffer.read().split(b"\0")[:-1]]
def walk(value, path=()):
    if isinstance(value, dict):
        for key in value:
            yield from walk(value[key], path + (key,))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, path + (index,))
    elif isinstance(value, str):
        yield path
base = yaml.safe_load(open(source))
base["layers"] = [l for l in base["layers"] if l["name"] in ("a", "c")]
a = base["layers"][0]
a.update(summary="s", osinfo="debian12", provides=["p"], conflicts=["q"])
base["layers"][1]["requires"] = ["a"]
count = 0
for path in walk(base):
    for text in texts:
        copy = json.loads(json.dumps(base))
        at = copy
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = text
        count += 1
        with open(f"{out}/{count}.yaml", "w") as f:
            json.dump(copy, f)
        with open(f"{out}/{count}.what", "w") as f:
            f.write(".".join(map(str, path)) + " " + repr(text[:40]))
END
mkdir "$tmp/fields"
printf '%s\0' "${hostile[0]}" "${hostile[2]}" "${hostile[7]}" "${hostile[14]}" "${hostile[19]}" '' |
  /usr/bin/python3 "$tmp/fields.py" "$tmp/good.yaml" "$tmp/fields"
for catalog in "$tmp/fields"/*.yaml; do
  what=$(cat "${catalog%.yaml}.what")
  run host_lamina "$host" --catalog "$catalog" define field a c
  sane "catalog field $what"
  if [ "$status" -eq 0 ]; then
    ok "catalog field $what: the emulator is QEMU" eval \
      'host_exec "$host" virsh dumpxml --inactive field | grep -q "<emulator>/usr/bin/qemu-system-x86_64</emulator>"'
    host_lamina "$host" rm field >/dev/null 2>&1
  fi
done
ok 'the cache is intact' cache_is_intact "$state"
is "$(machines_in "$state")" 0 'no machine is left'
done_testing
