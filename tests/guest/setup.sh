#!/bin/bash
# setup: installs the packages listed beside it, or in LIST, that are missing.
#	setup.sh [LIST]
# Asks nothing, and does nothing (fast) when all of them are there.
set -eu

list=${1:-$(dirname "$0")/packages}
mapfile -t want < <(sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$list")

if ! command -v dpkg-query >/dev/null; then
	echo "setup: not a Debian system; install the equivalent of: ${want[*]}" >&2
	exit 1
fi

mapfile -t missing < <(comm -13 \
	<(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
		sed -n 's/^installed //p' | sort -u) \
	<(printf '%s\n' "${want[@]}" | sort -u))

[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
	as_root=(sudo)
	if ! command -v sudo >/dev/null; then
		echo "setup: missing ${missing[*]}; run this as root (no sudo here)" >&2
		exit 1
	fi
fi

echo "setup: installing ${missing[*]}" >&2
apt() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 "$@" >&2
}
apt update || echo "setup: apt-get update failed; trying with the lists at hand" >&2
if ! apt install -y --no-install-recommends "${missing[@]}"; then
	echo "setup: could not install: ${missing[*]}" >&2
	exit 1
fi
