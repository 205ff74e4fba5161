#!/bin/bash
# ThreadSanitizer on what is built without CAF: Debian's libcaf is not instrumented, so beside it the sanitizer
# reports races that aren't there and misses real ones. usage: scripts/tsan.sh [build]: `build` only compiles.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset tsan -DEGRESS_WERROR=ON
cmake --build --preset tsan -j "${JOBS:-$(nproc)}"
[ "${1:-}" != build ] || exit 0
TSAN_OPTIONS=halt_on_error=1 ctest --test-dir build/tsan --output-on-failure --no-tests=error -j 2
