#!/bin/bash
# --dns-snapshot: a restart without an API server answers hijacked names at once, never with their real addresses; a
# damaged file is reported and ignored.
. "$(dirname "$0")/lib.sh"
need dig curl jq python3
table=$work/table

ask() { dig +short +time=2 +tries=1 @127.0.0.1 -p "$dns" "$@"; }
saved_names() { grep -ac "google" "$table"; }

# start_alone: the operator of the last kubeconfig, whose server is gone.
start_alone() {
  "$binary" run --kubeconfig "$work/kubeconfig" --dns-addr "127.0.0.1:$dns" --metrics-addr "127.0.0.1:$metrics" \
    --dns-upstream "127.0.0.1:$upstream" --dns-snapshot "$table" >"$work/alone.log" 2>&1 </dev/null &
  pid=$!
  started+=("$pid")
}
stop() {
  kill -TERM "$pid"
  wait "$pid" || fail "it ended with $?"
}

start_dev -f "$root/deploy/samples" --dns-snapshot "$table"
# dig's complaints are on stdout, too.
wait_until 20 "google.com is hijacked" eval 'ask google.com | grep -E "^[0-9.]+$"'
address=$(ask google.com)
wait_until 10 "the table is saved" saved_names
stop

say "without an API server the saved table is answered from"
start_alone
wait_until 10 "google.com is $address" eval '[ "$(ask google.com)" = "$address" ]'
[ "$(ask up.example)" = 203.0.113.7 ] || fail "other names are not forwarded"
is_ready || fail "DNS is known, and it is not ready"
names=$(curl -sf "http://127.0.0.1:$metrics/metrics" | awk '$1 == "egress_operator_hijack_table_names" {print $2}')
[ "${names:-0}" -ge 1 ] || fail "egress_operator_hijack_table_names is ${names:-missing}"
stop

say "a damaged table is reported and ignored: not known is SERVFAIL, not the real address"
printf 'X' | dd of="$table" bs=1 seek=100 conv=notrunc 2>/dev/null
start_alone
wait_until 10 "DNS answers" eval 'dig +time=1 +tries=1 @127.0.0.1 -p "$dns" google.com | grep -q "status: SERVFAIL"'
grep -q "the saved DNS table is ignored.*$table: it is damaged" "$work/alone.log" || fail "the damage is not reported"
is_ready && fail "it is ready, and knows nothing"
stop
say "passed"
