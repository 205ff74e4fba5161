#!/bin/bash
# Fails, with the differences' places, when a source file is not as clang-format wants it.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(git ls-files '*.cpp' '*.hpp')
[ ${#files[@]} -gt 0 ] || { echo "check_format.sh: no source files in git ls-files" >&2; exit 1; }
clang-format-19 --dry-run --Werror --ferror-limit=1 "${files[@]}"
echo "format: ${#files[@]} files are as .clang-format wants them"
