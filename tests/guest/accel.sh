#!/bin/bash
# accel: prints how guests run on this machine, "kvm" or "tcg" (software emulation).
#
# /dev/kvm may be there and not work, so the question is settled by booting a guest with it.  The
# answer is kept in build/guest/accel; remove that file to have it asked again.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$here/../.." && pwd)/build/guest
answer=$build/accel

kvm_boots() {
	local kernel image

	kernel=$("$here/kver.sh" --root)/boot/vmlinuz-$("$here/kver.sh")
	image=$("$here/image.sh")
	timeout 10 qemu-system-x86_64 -M q35 -accel kvm -cpu host -m 512 -nodefaults -display none \
		-no-reboot -kernel "$kernel" -initrd "$image" \
		-append "console=ttyS0 panic=-1 ub.probe" -serial stdio < /dev/null 2> /dev/null |
		grep "ub: the guest is up" > /dev/null
}

if [ ! -e "$answer" ]; then
	mkdir -p "$build"
	if [ -w /dev/kvm ] && kvm_boots; then
		found=kvm
	else
		found=tcg
	fi
	echo "accel: guests run with $found on this machine" >&2
	echo $found > "$answer.$$"
	mv "$answer.$$" "$answer"
fi
cat "$answer"
