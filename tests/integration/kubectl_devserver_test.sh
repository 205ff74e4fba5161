#!/bin/bash
# A real kubectl against the embedded API server alone: what people type every day works, and says what it says
# elsewhere.
. "$(dirname "$0")/lib.sh"
need_kubectl

"$binary" dev --api-only --kubeconfig-out "$work/kubeconfig" -f "$root/deploy/samples" \
  >"$work/operator.log" 2>&1 </dev/null &
pid=$!
started+=("$pid")
wait_until 20 "the server answers" kubectl get --raw /readyz

field() { kubectl get "$1" "$2" -o "jsonpath={$3}"; }
is() { [ "$(field "$1" "$2" "$3")" = "$4" ] || fail "$1 $2: $3 is '$(field "$1" "$2" "$3")', not '$4'"; }
# prints WHAT COMMAND…: the output must match.
prints() {
  local pattern=$1 out
  shift
  out=$(kubectl "$@" 2>&1) || fail "kubectl $*: $out"
  grep -qE -- "$pattern" <<<"$out" || fail "kubectl $*: no line matches '$pattern' in: $out"
}
# refuses PATTERN COMMAND…: it fails, and says so.
refuses() {
  local pattern=$1 out
  shift
  if out=$(kubectl "$@" 2>&1); then fail "kubectl $* succeeded: $out"; fi
  grep -qE -- "$pattern" <<<"$out" || fail "kubectl $*: no line matches '$pattern' in: $out"
}
manifest() {
  cat <<Y
apiVersion: egress.monzo.com/v1
kind: ExternalService
metadata: {name: walk}
spec: {dnsName: $1, hijackDns: true, ports: [{port: 443}]${2:-}}
Y
}

say "get, discovery, explain"
[ "$(stat -c %a "$work/kubeconfig")" = 600 ] || fail "the kubeconfig is readable by others"
prints '^NAME +DNS NAME +PORTS +HIJACK +READY +AGE' get exsvc
prints '^externalservices +exsvc +egress.monzo.com/v1 +false +ExternalService' api-resources
prints '^egress.monzo.com/v1$' api-versions
prints 'protocol' explain exsvc.spec.ports
prints 'dnsName' explain externalservice.spec
prints '"gitVersion":"v1\.' get --raw /version
refuses 'NotFound.*externalservices.egress.monzo.com "nobody" not found' get exsvc nobody
refuses "doesn't have a resource type \"gadgets\"" get gadgets

say "watch"
kubectl get exsvc -w --output-watch-events >"$work/watch.log" 2>&1 &
started+=($!)
wait_until 10 "the watch shows what is there" grep -qE '^ADDED +time ' "$work/watch.log"

say "apply creates, changes, and removes"
manifest one.example ", minReplicas: 2, maxReplicas: 5" | kubectl apply -f - | grep ' created$' || fail "not created"
is exsvc walk .spec.dnsName one.example
is exsvc walk .metadata.generation 1
manifest one.example ", minReplicas: 2, maxReplicas: 5" | kubectl apply -f - | grep ' unchanged$' || fail "changed"
manifest two.example | kubectl apply -f - | grep ' configured$' || fail "not configured"
is exsvc walk .spec.dnsName two.example
is exsvc walk .spec.maxReplicas ""
is exsvc walk .metadata.generation 2
prints 'unchanged' apply -f "$root/deploy/samples"
prints 'configured \(server dry run\)' apply --dry-run=server -f <(manifest three.example)
is exsvc walk .spec.dnsName two.example
wait_until 10 "the watch shows the change" grep -qE '^MODIFIED +walk +two.example' "$work/watch.log"

say "what is wrong is refused"
refuses 'unknown field "spec.dnsNmae"' apply -f <(manifest x.example ", dnsNmae: y")
refuses 'spec.ports\[0\].port' patch exsvc walk --type=merge -p '{"spec":{"ports":[{"port":"https"}]}}'
refuses 'already exists' create -f "$root/deploy/samples/time.yaml"

say "edit, and the patches"
KUBE_EDITOR="sed -i s/two.example/edited.example/" kubectl edit exsvc walk | grep edited || fail "edit"
is exsvc walk .spec.dnsName edited.example
kubectl patch exsvc walk --type=merge -p '{"spec":{"minReplicas":4}}'
is exsvc walk .spec.minReplicas 4
kubectl patch exsvc walk --type=json -p '[{"op":"replace","path":"/spec/minReplicas","value":5}]'
is exsvc walk .spec.minReplicas 5
refuses 'UnsupportedMediaType|strategic' patch exsvc walk --type=strategic -p '{"spec":{"minReplicas":6}}'
kubectl patch exsvc walk --subresource=status --type=merge -p \
  '{"status":{"conditions":[{"type":"Ready","status":"True","reason":"Test","message":"","lastTransitionTime":"2026-01-02T03:04:05Z"}]}}'
kubectl wait --for=condition=Ready exsvc/walk --timeout=10s

say "labels and annotations"
kubectl label exsvc walk team=edge
prints '^walk ' get exsvc -l team=edge --no-headers
[ "$(kubectl get exsvc -l team=edge -o name)" = externalservice.egress.monzo.com/walk ] || fail "the selector"
kubectl label exsvc walk team-
kubectl annotate exsvc walk note=hello
is exsvc walk .metadata.annotations.note hello
[ "$(kubectl get exsvc --chunk-size=1 -o name | wc -l)" = 4 ] || fail "pages of one"

say "Deployments: ready, scaled, restarted"
# From flags kubectl creates built-in kinds in protobuf, which this server refuses; as YAML it is JSON.
refuses 'accepted media types include: application/json' create deployment web --image=example.com/web:1
kubectl create deployment web --image=example.com/web:1 --replicas=2 --dry-run=client -o yaml | kubectl apply -f -
kubectl wait --for=condition=Available deployment/web --timeout=20s
kubectl rollout status deployment/web --timeout=20s
kubectl scale deployment web --replicas=3
wait_until 20 "three are ready" eval '[ "$(field deployment web .status.readyReplicas)" = 3 ]'
kubectl set image deployment/web web=example.com/web:2
kubectl patch deployment web --type=strategic -p \
  '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","value":"b"}]}]}}}}'
is deployment web '.spec.template.spec.containers[*].image' example.com/web:2
is deployment web '.spec.template.spec.containers[0].env[0].value' b
kubectl rollout restart deployment web
kubectl rollout status deployment/web --timeout=20s
field deployment web .spec.template.metadata.annotations | grep restartedAt || fail "not restarted"

say "Services have addresses; describe"
kubectl create service clusterip web --tcp=80:80 --dry-run=client -o yaml | kubectl create -f -
field service web .spec.clusterIP | grep '^127\.' || fail "no clusterIP in 127.0.0.0/8"
prints '^Name: +walk' describe exsvc walk
prints '^Name: +web' describe svc web
prints '^Replicas: +3 desired' describe deployment web
prints '^service/web ' get all

say "delete"
kubectl delete deployment,service web
kubectl delete exsvc walk
refuses NotFound get exsvc walk
wait_until 10 "the watch shows the end" grep -qE '^DELETED +walk' "$work/watch.log"
kubectl delete exsvc --all
[ -z "$(kubectl get exsvc -o name)" ] || fail "some are left"

say "SIGTERM ends it"
kill -TERM "$pid"
wait "$pid" || fail "it ended with $?"
pid=
