#!/bin/bash
# Prints the path of a stock CoreDNS for tests and benchmarks: $COREDNS, else one built from tests/coredns (a Go module)
# into the cache folder, once. Exits 1, with a reason, when neither is possible.
#   --find   only look: never build
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

if [ -n "${COREDNS:-}" ]; then
  found=$(command -v "$COREDNS") || { echo "coredns.sh: COREDNS=$COREDNS is not a program" >&2; exit 1; }
  echo "$found"
  exit 0
fi

# One folder a version of the module: a change of go.mod builds anew.
key=$(cat "$here/tests/coredns/go.mod" "$here/tests/coredns/go.sum" | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/egress-operator/coredns-$key
if [ -x "$cache/coredns" ]; then echo "$cache/coredns"; exit 0; fi
[ "${1:-}" != --find ] || { echo "coredns.sh: not built yet, and COREDNS names none" >&2; exit 1; }
command -v go >/dev/null || { echo "coredns.sh: no Go to build CoreDNS with; set COREDNS to one" >&2; exit 1; }

echo "coredns.sh: building CoreDNS (once, some minutes)" >&2
mkdir -p "$cache"
cd "$here/tests/coredns"
# A name of its own until it is whole: two builds at once do not meet.
CGO_ENABLED=0 go build -trimpath -p "${GO_JOBS:-2}" -ldflags "-s -w" -o "$cache/coredns.$$" github.com/coredns/coredns >&2
mv "$cache/coredns.$$" "$cache/coredns"
echo "$cache/coredns"
