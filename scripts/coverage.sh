#!/bin/bash
# Line coverage of the pure parts: those without I/O, clock, CAF and Asio, so nothing excuses an untried line.
# Prints each folder and the total; fails below EGRESS_COVERAGE_MIN percent (90).
# usage: scripts/coverage.sh [build]: `build` only compiles.
set -euo pipefail
cd "$(dirname "$0")/.."
least=${EGRESS_COVERAGE_MIN:-90}
build=build/coverage
profiles=$build/profiles

cmake --preset coverage
cmake --build --preset coverage -j "${JOBS:-$(nproc)}"
[ "${1:-}" != build ] || exit 0
rm -rf "$profiles" && mkdir -p "$profiles"
LLVM_PROFILE_FILE="$PWD/$profiles/%p-%m.profraw" \
  ctest --test-dir "$build" --output-on-failure --no-tests=error -j 2
find "$profiles" -name '*.profraw' > "$profiles/list"
llvm-profdata-19 merge -sparse -f "$profiles/list" -o "$profiles/all.profdata"

objects=()
for program in "$build"/tests/*; do
  if [ -f "$program" ] && [ -x "$program" ]; then objects+=(-object "$program"); fi
done
[ ${#objects[@]} -gt 0 ] || { echo "coverage.sh: no test programs in $build/tests" >&2; exit 1; }
llvm-cov-19 export -summary-only -instr-profile "$profiles/all.profdata" "${objects[@]}" > "$profiles/all.json"
python3 scripts/coverage_report.py "$profiles/all.json" "$PWD" "$least"
