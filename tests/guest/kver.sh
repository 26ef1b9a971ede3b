#!/bin/bash
# kver: prints the kernel version that the module is built for and the guest boots.
# That is $KVER if set, else the newest installed Debian 6.1 kernel that also has its headers.
set -eu

if [ -n "${KVER:-}" ]; then
	echo "$KVER"
	exit
fi

for image in /boot/vmlinuz-6.1.0-*-amd64; do
	version=${image#/boot/vmlinuz-}
	[ -e "$image" ] && [ -e "/lib/modules/$version/build/Makefile" ] && echo "$version"
done | sort -V | tail -n 1 | grep . || {
	echo "kver: no linux-image-6.1.0-*-amd64 with its linux-headers; run tests/guest/setup.sh" >&2
	exit 1
}
