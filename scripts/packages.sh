#!/bin/bash
# Installs the Debian packages that are missing; without any missing it asks nobody and changes nothing.
# usage: scripts/packages.sh build|run|test|bench
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
purpose=${1:-test}

wanted() {
  awk -v purpose="$purpose" '!/^#/ && NF { if ($2 == "build" || $2 == purpose) print $1 }' "$here/packages.txt"
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Elsewhere the same libraries may be there under other names: try, and let CMake say what it misses.
not_debian_12() {
  echo "packages.sh: this is not Debian 12 ($1): install the equivalents of scripts/packages.txt yourself," >&2
  echo "packages.sh: then run again with EGRESS_SKIP_PACKAGES=1" >&2
  exit 1
}

[ "${EGRESS_SKIP_PACKAGES:-0}" = 1 ] && exit 0
command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || not_debian_12 "no apt"
version=$(. /etc/os-release && echo "${ID:-unknown} ${VERSION_ID:-}")
[ "$version" = "debian 12" ] || not_debian_12 "$version"

missing=()
for package in $(wanted); do installed "$package" || missing+=("$package"); done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "packages.sh: installing ${missing[*]}"
as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "packages.sh: needs root or sudo to install ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi

# Packages of servers would start them for good; the tests start their own. Only while we install, and only if the
# machine has no policy of its own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  serverless=1
fi
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 "$@" </dev/null; }
apt update -q
apt install -q -y --no-install-recommends "${missing[@]}"
# policy-rc.d does not keep them from starting at the next boot.
if [ "${serverless:-0}" = 1 ] && [ -d /run/systemd/system ]; then
  mapfile -t units < <(dpkg -L "${missing[@]}" | sed -n 's|.*/systemd/system/\([^/]*\.service\)$|\1|p')
  for unit in "${units[@]}"; do "${as_root[@]}" systemctl disable -q "$unit" 2>/dev/null || true; done
fi
