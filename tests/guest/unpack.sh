#!/bin/bash
# unpack: unpacks the kernel from its boot image, once, and prints the path of the result.
#
# Under software emulation a kernel takes longer to unpack itself than to boot.  Started unpacked it
# is the same kernel, save that its address is not randomized: the code that does so is left out.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$here/../.." && pwd)/build/guest
kver=$("$here/kver.sh")
packed=/boot/vmlinuz-$kver
unpacked=$build/vmlinux-$kver

if [ ! "$unpacked" -nt "$packed" ]; then
	mkdir -p "$build"
	new=$(mktemp "$build/vmlinux.XXXXXX")
	trap 'rm -f "$new"' EXIT
	offset=$(LC_ALL=C grep -aboP '\xFD7zXZ\x00' "$packed" | tr -d "\0" | head -n 1 | cut -d: -f1)
	[ -n "$offset" ] || { echo "unpack: no xz data in $packed" >&2; exit 1; }
	# xz complains of the bytes after the data, so its status says nothing.
	tail -c +$((offset + 1)) "$packed" | xz -dc > "$new" 2> /dev/null || true
	readelf -S "$new" > /dev/null 2>&1 || { echo "unpack: no kernel in $packed" >&2; exit 1; }
	mv "$new" "$unpacked"
fi
echo "$unpacked"
