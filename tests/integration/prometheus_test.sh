#!/bin/bash
# A real Prometheus scrapes the running operator and finds what dashboards expect; promtool finds nothing to blame.
. "$(dirname "$0")/lib.sh"
need prometheus promtool curl jq dig python3
start_dev -f "$root/deploy/samples"
mapfile -t ports < <(free_ports 1)
port=${ports[0]}

cat > "$work/prometheus.yml" <<Y
global: {scrape_interval: 500ms, scrape_timeout: 500ms}
scrape_configs:
  - job_name: egress-operator
    static_configs: [{targets: ["127.0.0.1:$metrics"]}]
Y
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" \
  --web.listen-address="127.0.0.1:$port" >"$work/prometheus.log" 2>&1 </dev/null &
started+=($!)

# value QUERY: the value of its first series; nothing when there is none.
value() { curl -sf --max-time 5 --data-urlencode "query=$1" "http://127.0.0.1:$port/api/v1/query" | jq -r '.data.result[0].value[1] // empty'; }
holds() { [ -n "$(value "$1")" ]; }
target_health() { curl -sf --max-time 5 "http://127.0.0.1:$port/api/v1/targets" | jq -r '.data.activeTargets[0].health'; }
is_scraped() { [ "$(target_health)" = up ]; }

wait_until 30 "Prometheus finds the target up" is_scraped
dig +time=2 @127.0.0.1 -p "$dns" google.com >/dev/null
wait_until 30 "three reconciles have succeeded" holds 'sum(controller_runtime_reconcile_total{controller="externalservice",result="success"}) >= 3'
wait_until 30 "requests are counted" holds 'sum(rest_client_requests_total{code=~"2.."}) > 0'
wait_until 30 "queries are counted" holds 'sum(coredns_dns_requests_total{proto="udp"}) > 0'
wait_until 30 "hijacked answers are counted" holds 'sum(coredns_dns_responses_total{rcode="NOERROR",plugin="egressoperator"}) > 0'
for series in workqueue_depth process_resident_memory_bytes coredns_build_info; do
  wait_until 30 "$series is there" holds "$series"
done

curl -sf "http://127.0.0.1:$metrics/metrics" > "$work/metrics.txt"
promtool check metrics < "$work/metrics.txt" > "$work/promtool.log" 2>&1 || fail "promtool: $(cat "$work/promtool.log")"
[ ! -s "$work/promtool.log" ] || fail "promtool: $(cat "$work/promtool.log")"
say "passed: $(grep -vc '^#' "$work/metrics.txt") series"
