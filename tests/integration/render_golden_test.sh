#!/bin/bash
# `render --gateway-profile=compatible` is what the program we replace makes: envoy.yaml byte for byte, and the
# hash of it that the pods carry.
. "$(dirname "$0")/lib.sh"
need jq python3
fnv1a() { python3 -c 'import sys
h = 0x811C9DC5
for b in sys.stdin.buffer.read(): h = (h ^ b) * 0x01000193 & 0xFFFFFFFF
print(f"{h:x}")'; }
compared=0
for file in "$root"/tests/golden/*.envoy.yaml; do
  name=$(basename "$file" .envoy.yaml)
  "$binary" render --gateway-profile=compatible -o json -f "$root/tests/golden/$name.yaml" > "$work/list.json" 2> "$work/render.log" \
    || fail "$name: render ends with $?"
  jq -j '.items[] | select(.kind == "ConfigMap") | .data["envoy.yaml"]' "$work/list.json" > "$work/envoy.yaml"
  cmp "$work/envoy.yaml" "$file" || { diff -u "$file" "$work/envoy.yaml" | head -40; fail "$name: another envoy.yaml"; }
  hash=$(jq -r '.items[] | select(.kind == "Deployment") | .spec.template.metadata.annotations["egress.monzo.com/config-hash"]' "$work/list.json")
  [ "$hash" = "$(fnv1a < "$file")" ] || fail "$name: config-hash $hash"
  compared=$((compared + 1))
done
[ "$compared" -ge 5 ] || fail "only $compared golden files were found"
say "passed: $compared golden files"
