#!/bin/bash
# What a newcomer does first, with real kubectl and dig: samples appear and resolve, other names are forwarded,
# what is deleted or changed comes back, a deleted ExternalService takes all with it, SIGTERM ends everything.
. "$(dirname "$0")/lib.sh"
need dig curl jq python3
need_kubectl
namespace=egress-operator-system
kinds="configmap deployment horizontalpodautoscaler service networkpolicy"

ask() { dig +short +time=2 +tries=2 @127.0.0.1 -p "$dns" "$@"; }
answers() { [ "$(ask "$1")" = "$2" ]; }
# The answer to a name that nobody hijacks and upstream does not know.
unknown() { dig +time=2 +tries=2 @127.0.0.1 -p "$dns" "$1" | grep 'status: NXDOMAIN'; }
cluster_ip() { kubectl get service -n $namespace "$1" -o 'jsonpath={.spec.clusterIP}'; }
uid_of() { kubectl get "$1" -n $namespace "$2" -o 'jsonpath={.metadata.uid}' --ignore-not-found; }
is_another() { local now; now=$(uid_of "$1" "$2") && [ -n "$now" ] && [ "$now" != "$3" ]; }
is_gone() { [ -z "$(uid_of "$1" "$2")" ]; }
image_is() { [ "$(kubectl get deployment -n $namespace "$1" -o 'jsonpath={.spec.template.spec.containers[0].image}')" = "$2" ]; }

start_dev -f "$root/deploy/samples"

say "the samples are reconciled"
kubectl wait --for=condition=Ready externalservice --all --timeout=60s
[ "$(kubectl get exsvc -o name | wc -l)" = 3 ] || fail "there are not three ExternalServices"
kubectl get exsvc | tee "$work/columns.log"
head -1 "$work/columns.log" | grep -E 'NAME +DNS NAME +PORTS +HIJACK +READY +AGE' || fail "kubectl's columns"
grep -qE '^time +time.cloudflare.com +123/UDP,4460/TCP +true +True ' "$work/columns.log" || fail "the line of time"

say "their names resolve to their gateways"
for file in "$root"/deploy/samples/*.yaml; do
  name=$(awk '/^  name:/ {print $2}' "$file") host=$(awk '/^  dnsName:/ {print $2}' "$file")
  address=$(cluster_ip "$name")
  [ -n "$address" ] || fail "the Service of $name has no clusterIP"
  wait_until 10 "$host is $address over UDP" answers "$host" "$address"
  [ "$(ask +tcp "$host")" = "$address" ] || fail "$host is not $address over TCP"
done

say "other names are forwarded"
[ "$(ask up.example)" = 203.0.113.7 ] || fail "up.example: $(ask up.example)"
[ "$(ask +tcp up.example)" = 203.0.113.7 ] || fail "up.example over TCP: $(ask +tcp up.example)"
unknown nobody.example || fail "nobody.example exists"

say "a deleted child comes back"
for kind in $kinds; do
  before=$(uid_of "$kind" google)
  kubectl delete "$kind" -n $namespace google --wait=false
  wait_until 20 "the $kind is back" is_another "$kind" google "$before"
done
wait_until 20 "google.com leads to the new Service" eval 'answers google.com "$(cluster_ip google)"'

say "a changed child is put right"
image=$(kubectl get deployment -n $namespace github -o 'jsonpath={.spec.template.spec.containers[0].image}')
kubectl set image -n $namespace deployment/github gateway=example.com/other:1
wait_until 20 "the Deployment has its image again" image_is github "$image"

say "a deleted ExternalService takes everything with it"
kubectl delete externalservice google
for kind in $kinds; do wait_until 20 "the $kind is gone" is_gone "$kind" google; done
wait_until 20 "google.com is not answered any more" unknown google.com
wait_until 5 "github.com still is" eval 'answers github.com "$(cluster_ip github)"'

say "an edited ExternalService is followed"
kubectl patch externalservice github --type=merge -p '{"spec":{"hijackDns":false}}'
wait_until 20 "github.com is not hijacked any more" unknown github.com

say "SIGTERM ends it in order"
kill -TERM "$pid"
code=0
wait "$pid" || code=$?
[ "$code" = 0 ] || fail "it ended with $code"
[ -z "$(pgrep -P "$pid" || true)" ] || fail "it left processes running"
curl -s --max-time 1 -o /dev/null "http://127.0.0.1:$metrics/healthz" && fail "somebody still serves metrics"
say "passed"
