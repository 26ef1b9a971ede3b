#!/bin/bash
# kver: prints the kernel version that the module is built for and the guest boots.
#	kver.sh --root	the directory its boot/ and lib/modules/ lie in, nothing if that is the machine's own
# That is $KVER if set, else the newest installed Debian 6.1 kernel that also has its headers.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)

installed() {
	local image version

	for image in /boot/vmlinuz-6.1.0-*-amd64; do
		version=${image#/boot/vmlinuz-}
		[ -e "$image" ] && [ -e "/lib/modules/$version/build/Makefile" ] && echo "$version"
	done | sort -V | tail -n 1 | grep . || {
		echo "kver: no linux-image-6.1.0-*-amd64 with its linux-headers; run tests/guest/setup.sh" >&2
		exit 1
	}
}

kver=${KVER:-$(installed)}
if [ "${1:-}" != --root ]; then
	echo "$kver"
elif [ -d "$root/build/kernels/$kver" ]; then
	echo "$root/build/kernels/$kver"
fi
