#!/bin/bash
# What `make run` ends in: the operator on an embedded API server with deploy/samples. Gateways are real Envoys when one can
# be had (scripts/envoy.sh) and may listen on the samples' ports; else they are played, and a line says why.
# usage: scripts/run_dev.sh BINARY [FLAG…]; ENVOY=/path/to/envoy names yours, ENVOY=no plays them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=$1
shift

lowest_port=22  # of the samples
may_listen() { [ "$(id -u)" = 0 ] || [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -le "$lowest_port" ]; }
find_envoy() {
  if [ -n "${ENVOY:-}" ]; then "$here/envoy.sh"; return; fi
  "$here/envoy.sh" --find 2>/dev/null || { "$here/packages.sh" run >&2 && "$here/envoy.sh"; }
}

gateways=()
if [ "${ENVOY:-}" = no ]; then
  why='ENVOY=no'
elif ! may_listen; then
  why="only root, or who sysctl net.ipv4.ip_unprivileged_port_start lets, may listen on port $lowest_port"
elif ! envoy=$(find_envoy); then
  why='there is no Envoy (see above)'
else
  gateways=(--envoy "$envoy" --envoy-logs "$here/../build/gateways")
fi
[ ${#gateways[@]} -gt 0 ] || echo "run_dev.sh: gateways are played: $why" >&2
exec "$binary" dev -f "$here/../deploy/samples" "${gateways[@]}" "$@"
