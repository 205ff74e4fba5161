# Shared by the scripts here; source it. Gives $binary, $work (a folder that goes away), and waits that are bounded.
set -euo pipefail

binary=${1:?usage: ${0##*/} BINARY}
binary=$(realpath "$binary")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${EGRESS_SOURCE_DIR:-$(cd "$here/../.." && pwd)}
work=$(mktemp -d)
started=()

# Ends what the test started, and nothing else.
clean_up() {
  local code=$? pid
  for pid in "${started[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do
    for _ in $(seq 200); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
    kill -KILL "$pid" 2>/dev/null || true
  done
  if [ "$code" != 0 ] && [ "$code" != 77 ]; then
    for log in "$work"/*.log; do
      [ -s "$log" ] && { echo "--- the end of ${log##*/}:"; tail -n 40 "$log"; }
    done
  fi
  rm -rf "$work"
  exit "$code"
}
trap clean_up EXIT

say() { echo "${0##*/}: $*"; }
fail() { echo "${0##*/}: FAILED: $*" >&2; exit 1; }

# A tool that the test cannot do without; ctest shows the test as skipped, and this line says why.
need() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || { echo "${0##*/}: LEFT OUT: there is no $tool here" >&2; exit 77; }
  done
}
need_kubectl() {
  kubectl_program=$("$root/scripts/kubectl.sh" --find) \
    || { echo "${0##*/}: LEFT OUT: there is no kubectl (see above)" >&2; exit 77; }
}

# wait_until SECONDS WHAT COMMAND…: tries until it succeeds.
wait_until() {
  local seconds=$1 what=$2 end=$((SECONDS + $1))
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ -z "${pid:-}" ] || kill -0 "$pid" 2>/dev/null || fail "the operator has ended; waited for: $what"
    [ "$SECONDS" -le "$end" ] || fail "waited $seconds s: $what"
    sleep 0.05
  done
}

# Ports that are free for UDP and TCP on loopback, one a line.
free_ports() { python3 "$(dirname "${BASH_SOURCE[0]}")/../support/free_ports.py" "$1"; }

# start_dev FLAGS…: the operator on an embedded API server; sets dns, metrics, upstream (ports) and pid.
start_dev() {
  mapfile -t ports < <(free_ports 3)
  dns=${ports[0]} metrics=${ports[1]} upstream=${ports[2]}
  python3 "$here/upstream.py" "$upstream" >"$work/upstream.log" 2>&1 &
  started+=($!)
  wait_until 10 "the test's upstream answers" dig +time=1 +tries=1 @127.0.0.1 -p "$upstream" up.example
  "$binary" dev --kubeconfig-out "$work/kubeconfig" --dns-addr ":$dns" --metrics-addr "127.0.0.1:$metrics" \
    --dns-upstream "127.0.0.1:$upstream" "$@" >"$work/operator.log" 2>&1 </dev/null &
  pid=$!
  started+=("$pid")
  wait_until 60 "/readyz says 200" is_ready
}

is_ready() { curl -sf -o /dev/null --max-time 2 "http://127.0.0.1:$metrics/readyz"; }

kubectl() { "$kubectl_program" --kubeconfig "$work/kubeconfig" "$@"; }
