#!/bin/bash
# unpack: unpacks the kernel from its boot image, once, and prints the path of the result.
#
# Under software emulation a kernel takes longer to unpack itself than to boot.  Started unpacked it
# is the same kernel, save that its address is not randomized: the code that does so is left out.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$here/../.." && pwd)/build/guest
kver=$("$here/kver.sh")
root=$("$here/kver.sh" --root)
packed=$root/boot/vmlinuz-$kver
unpacked=$build/vmlinux-$kver

# One with KASAN starts only packed: how QEMU enters the others, it would look at its shadow memory before that is there.
if [[ $kver == *-debug ]]; then
	echo "$packed"
	exit
fi

# offset_of BYTES: where they first are in the image.
offset_of() {
	LC_ALL=C grep -aboP "$1" "$packed" | tr -d "\0" | head -n 1 | cut -d: -f1
}

if [ ! "$unpacked" -nt "$packed" ]; then
	mkdir -p "$build"
	new=$(mktemp "$build/vmlinux.XXXXXX")
	trap 'rm -f "$new"' EXIT
	# They complain of the bytes after the data, so their status says nothing.
	offset=$(offset_of '\xFD7zXZ\x00')
	[ -z "$offset" ] || tail -c +$((offset + 1)) "$packed" | xz -dc > "$new" 2> /dev/null || true
	if [ ! -s "$new" ]; then
		offset=$(offset_of '\x28\xB5\x2F\xFD')
		[ -z "$offset" ] || tail -c +$((offset + 1)) "$packed" | zstd -dc > "$new" 2> /dev/null || true
	fi
	readelf -S "$new" > /dev/null 2>&1 || { echo "unpack: no kernel in $packed" >&2; exit 1; }
	mv "$new" "$unpacked"
fi
echo "$unpacked"
