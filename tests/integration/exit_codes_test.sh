#!/bin/bash
# Exit codes: 0 done, 1 refused or failed, 2 wrong usage; and what goes wrong is said in one line that helps.
. "$(dirname "$0")/lib.sh"
export HOME=$work
unset KUBECONFIG KUBERNETES_SERVICE_HOST
tried=0

# expect CODE PATTERN ARGUMENTS…: the exit code; stderr is one line that matches (with code 0: stdout matches).
expect() {
  local code=$1 pattern=$2 got=0
  shift 2
  timeout 30 "$binary" "$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
  [ "$got" = "$code" ] || fail "$*: exit $got instead of $code: $(cat "$work/err")"
  if [ "$code" = 0 ]; then
    grep -qE -- "$pattern" "$work/out" || fail "$*: stdout lacks $pattern: $(head -5 "$work/out")"
  else
    [ "$(wc -l <"$work/err")" -le 1 ] || fail "$*: more than one line: $(cat "$work/err")"
    cat "$work/out" "$work/err" | grep -E -- "$pattern" >/dev/null || fail "$*: said $(cat "$work/out" "$work/err"), not $pattern"
  fi
  tried=$((tried + 1))
}

good=$root/deploy/samples/google.yaml
printf 'apiVersion: egress.monzo.com/v1\nkind: ExternalService\nmetadata: {name: bad}\nspec: {dnsName: a.example, ports: []}\n' > "$work/refused.yaml"
printf 'kind: ExternalService\nspec:\n  ports: [1, 2\n' > "$work/broken.yaml"
{ cat "$good"; printf -- '---\napiVersion: egress.monzo.com/v1\nkind: ExternalService\nmetadata: {name: odd}\nspec: {dnsName: b.example, ports: [{port: "443"}]}\n'; } > "$work/odd.yaml"

expect 0 'egress-operator' version
expect 0 'Commands:' --help
expect 0 '--gateway-profile' render --help
expect 0 'kind: Deployment' render -f "$good"
expect 0 '"kind": *"List"' render -f "$good" -o json
expect 0 'google' validate -f "$good"
expect 1 'bad' validate -f "$work/refused.yaml"
# What cannot be decoded is refused alone, with its place.
expect 1 'odd: refused, Undecodable: .*odd.yaml:[0-9]+: spec.ports\[0\].port: a string' validate -f "$work/odd.yaml"
expect 1 'google: accepted' validate -f "$work/odd.yaml"
expect 1 'odd.yaml:[0-9]+: spec.ports' render -f "$work/odd.yaml"
expect 2 'did you mean --metrics-addr' --metric-addr :9090
# Whoever writes it to a full disk must not take what is there for the whole.
expect_full_disk_told() {
  local got=0
  timeout 30 "$binary" "$@" >/dev/full 2>"$work/err" </dev/null || got=$?
  [ "$got" = 1 ] || fail "$*, to a full disk: exit $got instead of 1"
  grep -q '^egress-operator: standard output cannot be written: No space left on device$' "$work/err" ||
    fail "$*, to a full disk: said $(cat "$work/err")"
  tried=$((tried + 1))
}
expect_full_disk_told version
expect_full_disk_told --help
expect_full_disk_told render -f "$good"
expect_full_disk_told validate -f "$good"
expect 2 'no-such-flag' run --no-such-flag
expect 2 'no-such-flag' -no-such-flag
expect 2 'frobnicate' frobnicate
expect 2 'gateway-profile' render -f "$good" --gateway-profile=soft
expect 2 'max-concurrent-reconciles' run --max-concurrent-reconciles 0
expect 2 'dns-addr' run --dns-addr nonsense
expect 2 'nowhere.yaml' render -f "$work/nowhere.yaml"
expect 2 'broken.yaml:[0-9]+' render -f "$work/broken.yaml"
expect 2 'nowhere' run --kubeconfig "$work/nowhere"
export ENABLE_POD_TOPOLOGY_SPREAD=true POD_TOPOLOGY_ZONE_MAX_SKEW=many
expect 2 'POD_TOPOLOGY_ZONE_MAX_SKEW' render -f "$good"
unset ENABLE_POD_TOPOLOGY_SPREAD POD_TOPOLOGY_ZONE_MAX_SKEW

# A port that somebody has.
if "$binary" --help | grep -E "^ +dev " >/dev/null; then
  mapfile -t ports < <(free_ports 1)
  python3 "$here/upstream.py" "${ports[0]}" & started+=($!)
  taken() { (exec 3<>"/dev/tcp/127.0.0.1/${ports[0]}"); }
  wait_until 10 "the port is taken" taken
  expect 2 '--envoy' dev --envoy "$work/nothing"
  expect 2 'service-cluster-ip-range' dev --envoy /bin/true --service-cluster-ip-range 10.0.0.0/8
  expect 2 'dns-snapshot: .*/missing/table' dev --dns-addr 127.0.0.1:0 --metrics-addr 127.0.0.1:0 --dns-snapshot "$work/missing/table"
  expect 2 'dns-forward: "A.b.=1.1.1.1" is given twice' dev --dns-forward a.b=9.9.9.9 --dns-forward A.b.=1.1.1.1
  expect 2 "${ports[0]}" dev --dns-addr "127.0.0.1:${ports[0]}" --metrics-addr 127.0.0.1:0

  # Files that do not end: a signal ends the wait for them.
  mkfifo "$work/endless"
  exec 4<>"$work/endless"
  "$binary" dev -f "$work/endless" 4>&- & reader=$!
  started+=("$reader")
  reads_it() {
    [ "$(readlink "/proc/$reader/exe")" = "$binary" ] && readlink "/proc/$reader"/fd/* | grep -xF "$work/endless"
  }
  wait_until 10 "the files are being read" reads_it
  kill "$reader"
  gone() { ! kill -0 "$reader"; }
  wait_until 10 "the signal ends it" gone

  # Whoever is told to end more than once, and as late as when all is taken down, still ends with 0.
  for _ in 1 2 3 4 5; do
    rm -f "$work/out"  # what the last one said must not stand for this one: the shell's own fork would be told
    "$binary" dev --dns-addr 127.0.0.1:0 --metrics-addr 127.0.0.1:0 >"$work/out" 2>&1 & told=$!
    started+=("$told")
    serves() { grep '"msg":"serving"' "$work/out"; }
    wait_until 30 "it serves" serves
    while kill -TERM "$told"; do :; done 2>/dev/null
    got=0
    wait "$told" || got=$?
    [ "$got" = 0 ] || fail "told to end many times: exit $got: $(tail -5 "$work/out")"
    tried=$((tried + 1))
  done
fi
say "passed: $tried invocations"
