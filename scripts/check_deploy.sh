#!/bin/bash
# What can be known about deploy/ without a cluster: every kustomization builds, the variant for old clusters has
# no rules, nobody stores defaults, the operator's permissions are the listed ones, promtool likes the alerts.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "check_deploy.sh: $*" >&2; exit 1; }

promtool check rules deploy/monitoring/alerts.yaml
promtool test rules tests/integration/alerts_test.yaml

if ! kubectl=$(scripts/kubectl.sh --find); then
  echo "check_deploy.sh: LEFT OUT: kubectl kustomize (no kubectl)" >&2
  exit "${EGRESS_SKIP_CODE:-0}"
fi
for folder in deploy deploy/overlays/* deploy/monitoring; do
  "$kubectl" kustomize "$folder" >/dev/null || fail "$folder does not build"
done
new=$("$kubectl" kustomize deploy)
old=$("$kubectl" kustomize deploy/overlays/kubernetes-1.29)
! grep -qE '^ +default:' <<<"$new" || fail "the definition stores defaults"
[ "$(grep -c 'x-kubernetes-validations:' <<<"$new")" -ge 4 ] || fail "the definition has lost its rules"
[ "$(grep -cE 'format: (cidr|ipv4|ipv6)' <<<"$new")" -eq 3 ] || fail "the definition does not judge addresses"
# A server compiles new rules as the release before it would: 1.30 knows none of these, and refuses the whole definition.
! grep -nE '(isIP|isCIDR|ip|cidr|quantity)[(.]|format[.][a-zA-Z]' <<<"$new" || fail "a rule with functions that Kubernetes 1.30 does not take"
# Bounds of the spec; the status is written by us alone.
spec_of_old=$(sed '/^ *status:$/,$d' <<<"$old")
! grep -nE 'x-kubernetes-validations|minimum|maximum|maxItems|maxLength|enum|pattern|format: (cidr|ipv)|anyOf' <<<"$spec_of_old" \
  || fail "the variant for old clusters judges stored objects"
! grep -nE 'resources: *\[?.*\*|verbs: *\[?.*\*|^ *- .?\*.?$' <<<"$new" || fail "a permission with a wildcard"
# Else a gateway named "kubernetes" would take the place of the API server, and some thousands that of the program.
grep -q 'enableServiceLinks: false' <<<"$new" || fail "the operator's pod is told of all Services by variables"
# Policies add up: this one allows nothing, so that gateways without one of their own are closed.
policies=$(awk 'BEGIN { RS = "---\n" } /kind: NetworkPolicy/ && /egress-gateways-default-deny/' <<<"$new")
grep -q 'app: egress-gateway' <<<"$policies" && grep -q -- '- Ingress' <<<"$policies" && ! grep -q 'ingress:' <<<"$policies" \
  || fail "gateways without a NetworkPolicy of their own are open"
# Many clusters admit the classes that begin so in kube-system only: the pod would never be made.
! grep -qE 'priorityClassName: .?system-' <<<"$new" || fail "a priority that clusters keep for kube-system"
! grep -q 'leases' <<<"$new" || fail "a permission for leases without leader election"
replicated=$("$kubectl" kustomize deploy/overlays/leader-election)
grep -q 'leases' <<<"$replicated" || fail "leader election without leases"
# Else a drain may take all replicas of DNS at once.
budget=$(awk 'BEGIN { RS = "---\n" } /kind: PodDisruptionBudget/' <<<"$replicated")
grep -q 'maxUnavailable: 1' <<<"$budget" && grep -q 'app: egress-operator' <<<"$budget" || fail "replicas without a PodDisruptionBudget"
echo "deploy: all kustomizations build and hold what they promise"
