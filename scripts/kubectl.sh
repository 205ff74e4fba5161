#!/bin/bash
# Prints the path of a kubectl for the tests: $KUBECTL, else one built from tests/kubectl (a Go module) into the
# cache folder, once. Exits 1, with a reason, when neither is possible.
#   --find   only look: never build
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

if [ -n "${KUBECTL:-}" ]; then
  found=$(command -v "$KUBECTL") || { echo "kubectl.sh: KUBECTL=$KUBECTL is not a program" >&2; exit 1; }
  echo "$found"
  exit 0
fi

# One folder a version of the module: a change of go.mod builds anew.
key=$(cat "$here/tests/kubectl/go.mod" "$here/tests/kubectl/go.sum" | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/egress-operator/kubectl-$key
if [ -x "$cache/kubectl" ]; then echo "$cache/kubectl"; exit 0; fi
[ "${1:-}" != --find ] || { echo "kubectl.sh: not built yet, and KUBECTL names none" >&2; exit 1; }
command -v go >/dev/null || { echo "kubectl.sh: no Go to build kubectl with; set KUBECTL to one" >&2; exit 1; }

echo "kubectl.sh: building kubectl (once, some minutes)" >&2
mkdir -p "$cache"
cd "$here/tests/kubectl"
version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
minor=${version#v1.}
set_version="-X k8s.io/component-base/version.gitVersion=$version"
set_version+=" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=${minor%%.*}"
# A name of its own until it is whole: two builds at once do not meet.
CGO_ENABLED=0 go build -trimpath -p "${GO_JOBS:-2}" -ldflags "-s -w $set_version" -o "$cache/kubectl.$$" k8s.io/kubernetes/cmd/kubectl >&2
mv "$cache/kubectl.$$" "$cache/kubectl"
echo "$cache/kubectl"
