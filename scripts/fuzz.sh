#!/bin/bash
# Runs fuzzers of a build tree from their seeds. usage: scripts/fuzz.sh BUILD SECONDS [NAME…]
# What they learn is kept beside the seeds of that tree; an input that crashes one is left in BUILD/fuzz/found,
# and the end of the output says how to run it again. It belongs into a test.
set -euo pipefail
build=$1 seconds=$2
shift 2
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  for program in "$build"/fuzz/fuzz_*; do names+=("${program##*/fuzz_}"); done
fi

found=$build/fuzz/found
mkdir -p "$found"
for name in "${names[@]}"; do
  learnt=$build/fuzz/learnt/$name
  mkdir -p "$learnt"
  log=$build/fuzz/$name.log
  if ! "$build/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=65535 -timeout=20 -rss_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="$found/$name-" "$learnt" "$build/tests/fuzz/seeds/$name" >"$log" 2>&1; then
    tail -n 40 "$log"
    echo "fuzz.sh: $name: again with: $build/fuzz/fuzz_$name $found/$name-…" >&2
    exit 1
  fi
  awk -v name="$name" '/number_of_executed_units/ { runs = $2 } /peak_rss_mb/ { rss = $2 }
                       END { printf "figure: fuzz %s: %d executions, nothing found, %d MiB at most\n", name, runs, rss }' "$log"
done
