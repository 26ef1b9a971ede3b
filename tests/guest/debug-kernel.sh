#!/bin/bash
# debug-kernel: builds a kernel that watches itself from Debian's source package, as build/kernels/VERSION, and prints VERSION.
#	debug-kernel.sh [--cached]	--cached: only what was built before; status 1 if there is none
# Its configuration is Debian's own without modules, under debug.config.  A build that was interrupted goes on where it was.
# What is there is not built again; remove the directory to have a newer one.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
kernels=$(cd "$here/../.." && pwd)/build/kernels
work=$kernels/debug-build
source=$work/linux
package=linux-source-6.1

die() {
	echo "debug-kernel: $*" >&2
	exit 1
}

if [ -e "$kernels/debug" ]; then
	basename "$(readlink -f "$kernels/debug")"
	exit
fi
[ "${1:-}" != --cached ] || exit 1
"$here/setup.sh" "$here/packages-debug"
stock=/boot/config-$(env -u KVER "$here/kver.sh")
[ -e "$stock" ] || die "no $stock"

# The source, with two things that have no switch of their own: the module needs notifiers that only KVM asks for, and
# the guest's file system asks for TCP/IP, which its way to the host does not use.  KASAN looks at all that may touch the
# module's memory; drivers and the like do not, and would take half of the time.
unpack() {
	local new=$work/new

	rm -rf "$new"
	mkdir -p "$new"
	(cd "$new" && apt-get -qq -o APT::Sandbox::User=root download "$package" >&2) || die "cannot fetch $package"
	dpkg-deb --fsys-tarfile "$new"/*.deb | tar -x -C "$new" "./usr/src/$package.tar.xz"
	tar -x -C "$new" -f "$new/usr/src/$package.tar.xz"
	cd "$new/$package"
	sed -i '/^config PREEMPT_NOTIFIERS/,/bool/ s/bool/def_bool y/' init/Kconfig
	sed -i '/^config MMU_NOTIFIER/,/bool/ s/bool/def_bool y/' mm/Kconfig
	sed -i 's/depends on INET && NET_9P/depends on NET_9P/' fs/9p/Kconfig
	# shellcheck disable=SC2016 # sed's "last line"
	find block crypto drivers fs io_uring ipc net security -name Makefile -exec sed -i '$a KASAN_SANITIZE := n' {} +
	cd "$work"
	mv "$new/$package" "$source"
	rm -rf "$new"
}

# holds LINE: it is so in the configuration.
holds() {
	case $1 in
	*=n) ! grep -q "^${1%n}" "$source/.config" ;;
	*) grep -qxF "$1" "$source/.config" ;;
	esac
}

# A choice that depends on another one that is not there is dropped without a word: that must not happen.
configure() {
	local line

	{ sed '/=m$/d' "$stock"; cat "$here/debug.config"; } > "$source/.config.new"
	mv "$source/.config.new" "$source/.config"
	make -s -C "$source" olddefconfig > "$work/configure.log" 2>&1 || die "no configuration: see $work/configure.log"
	while read -r line; do
		holds "$line" || die "$line does not hold"
	done < <(grep '^CONFIG_' "$here/debug.config")
}

# As on an installed system.  Of what was built stays what builds modules.
install_kernel() {
	local kver=$1 root=$work/root

	rm -rf "$root"
	mkdir -p "$root/boot"
	cp "$source/arch/x86/boot/bzImage" "$root/boot/vmlinuz-$kver"
	PATH=$PATH:/usr/sbin:/sbin make -s -C "$source" INSTALL_MOD_PATH="$root" modules_install > "$work/install.log" 2>&1 ||
		die "see $work/install.log"
	find "$source" \( -path "$source/scripts" -o -path "$source/tools" \) -prune -o -name '*.[oa]' -exec rm -f {} +
	mv "$source" "$root/src"
	ln -sfn ../../../src "$root/lib/modules/$kver/build"
	rm -f "$root/lib/modules/$kver/source"
	rm -rf "${kernels:?}/$kver"
	mv "$root" "$kernels/$kver"
	rm -rf "$work"
	ln -sfn "$kver" "$kernels/debug"
}

mkdir -p "$work"
[ -d "$source" ] || unpack
configure
kver=$(make -s -C "$source" kernelrelease)
echo "debug-kernel: building Linux $kver; $work/build.log" >&2
make -C "$source" -j"$(nproc)" bzImage modules > "$work/build.log" 2>&1 || {
	tail -n 20 "$work/build.log" >&2
	die "the build failed"
}
install_kernel "$kver"
echo "$kver"
