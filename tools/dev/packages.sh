#!/bin/sh
# Installs the Debian packages named in a file, as root or with sudo, if any are missing: packages.sh LIST
set -eu
missing=
for package in $(grep -v '^#' "$1"); do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "Installing Debian packages:$missing"
as_root=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "Neither root nor sudo: ask an administrator to run apt-get install$missing" >&2; exit 1; }
  as_root=sudo
fi
log=$(mktemp)
if ! { $as_root apt-get -q update && DEBIAN_FRONTEND=noninteractive $as_root apt-get -q install -y --no-install-recommends $missing; } >"$log" 2>&1; then
  tail -20 "$log" >&2
  echo "apt-get could not install:$missing (all of it is in $log)" >&2
  exit 1
fi
rm -f "$log"
