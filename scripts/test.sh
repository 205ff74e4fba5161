#!/bin/bash
# Runs the tests of a build tree. usage: scripts/test.sh BUILD auto|required|no [ctest flags]
# The second word is about the tests on a real API server, which needs Go (once, some minutes) or
# KUBEBUILDER_ASSETS: `auto` runs them when it can be had, `required` fails when it cannot.
set -euo pipefail
build=$1 apiserver=$2
shift 2
here=$(dirname "$0")

labels=()
if [ "$apiserver" = no ]; then
  labels=(-LE apiserver)
elif ! "$here/apiserver.sh" >/dev/null; then
  [ "$apiserver" != required ] || exit 1
  labels=(-LE apiserver)
  echo "LEFT OUT: the tests on a real kube-apiserver and etcd (see above)" >&2
fi

ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 \
  ctest --test-dir "$build" --output-on-failure --no-tests=error "${labels[@]}" "$@" && status=0 || status=$?
if [ ${#labels[@]} -gt 0 ] && [ "$apiserver" = auto ]; then
  echo "LEFT OUT: the tests on a real kube-apiserver and etcd" >&2
fi
exit $status
