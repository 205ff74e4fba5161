#!/bin/bash
# Prints the folder of etcd, kube-apiserver and kube-controller-manager for the tests: $KUBEBUILDER_ASSETS, else
# built from tests/apiserver (a Go module) into the cache folder, once. Exits 1, with a reason, when neither is
# possible.
#   --find   only look: never build
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
programs=(etcd kube-apiserver kube-controller-manager)

has_all() {
  local program
  for program in "${programs[@]}"; do [ -x "$1/$program" ] || return 1; done
}

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  has_all "$KUBEBUILDER_ASSETS" || { echo "apiserver.sh: KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS lacks one of: ${programs[*]}" >&2; exit 1; }
  echo "$KUBEBUILDER_ASSETS"
  exit 0
fi

# One folder a version of the module: a change of go.mod builds anew.
key=$(cat "$here/tests/apiserver/go.mod" "$here/tests/apiserver/go.sum" | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/egress-operator/apiserver-$key
if has_all "$cache"; then echo "$cache"; exit 0; fi
[ "${1:-}" != --find ] || { echo "apiserver.sh: not built yet, and KUBEBUILDER_ASSETS names none" >&2; exit 1; }
command -v go >/dev/null || { echo "apiserver.sh: no Go to build an API server with; set KUBEBUILDER_ASSETS" >&2; exit 1; }

echo "apiserver.sh: building ${programs[*]} (once, some minutes)" >&2
mkdir -p "$cache"
cd "$here/tests/apiserver"
version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
minor=${version#v1.}
at=k8s.io/component-base/version
says="-X $at.gitVersion=$version -X $at.gitMajor=1 -X $at.gitMinor=${minor%%.*} -X $at.gitTreeState=clean"
says+=" -X $at.gitCommit=0000000000000000000000000000000000000000 -X $at.buildDate=1970-01-01T00:00:00Z"
declare -A packages=([etcd]=go.etcd.io/etcd/server/v3)
for program in "${programs[@]}"; do
  # A name of its own until it is whole: two builds at once do not meet.
  CGO_ENABLED=0 go build -trimpath -p "${GO_JOBS:-2}" -ldflags "-s -w $says" -o "$cache/$program.$$" \
    "${packages[$program]:-k8s.io/kubernetes/cmd/$program}" >&2
  mv "$cache/$program.$$" "$cache/$program"
done
echo "$cache"
