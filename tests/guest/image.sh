#!/bin/bash
# image: makes the initramfs of the test guest and prints its path.
#
# It holds a static busybox, ./init, and the modules needed to mount the host's root file system;
# everything else the guest runs comes from there.  Made again only when one of these is newer.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$here/../.." && pwd)/build/guest
kver=$("$here/kver.sh")
kernel=$("$here/kver.sh" --root)
image=$build/initramfs-$kver.cpio
modules=(virtio_pci virtio_console 9pnet_virtio 9p overlay)
applets=(sh cat chroot dmesg grep hostname insmod ip ln mkdir mkfifo mount reboot setsid)

mkdir -p "$build"
busybox=$(command -v busybox) || { echo "image: no busybox; run tests/guest/setup.sh" >&2; exit 1; }

is_fresh() {
	local input

	for input in "$0" "$here/init" "$busybox" "$kernel/lib/modules/$kver/modules.dep"; do
		[ "$image" -nt "$input" ] || return 1
	done
}

# The modules and all they depend on, as file names, each after those it needs.
module_files() {
	PATH=$PATH:/usr/sbin:/sbin modprobe -d "$kernel/" -S "$kver" --show-depends -a "${modules[@]}" |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

if ! is_fresh; then
	tree=$(mktemp -d "$build/image.XXXXXX")
	trap 'rm -rf "$tree"' EXIT
	mkdir -p "$tree"/root/{bin,dev,modules,proc,sys,host,top,new}
	cp "$busybox" "$tree/root/bin/busybox"
	for applet in "${applets[@]}"; do
		ln -s busybox "$tree/root/bin/$applet"
	done
	cp "$here/init" "$tree/root/init"
	chmod 755 "$tree/root/init"
	number=100	# /init loads them in the order of their names
	module_files > "$tree/modules"
	while read -r file; do
		name=$number-$(basename "$file")
		case $file in
		*.xz) xz -dc "$file" > "$tree/root/modules/${name%.xz}" ;;
		*) cp "$file" "$tree/root/modules/$name" ;;
		esac
		number=$((number + 1))
	done < "$tree/modules"
	(cd "$tree/root" && find . | cpio --quiet -o -H newc -R 0:0) > "$tree/image"
	mv "$tree/image" "$image"
fi
echo "$image"
