#!/bin/bash
# fetch: gets one of Debian's newer stock kernels into build/kernels/VERSION, with what builds modules for it, and prints VERSION.
#	fetch.sh 6.12	of bookworm-backports; its modules are built with this machine's compiler
#	fetch.sh 7	of trixie-backports; its tools need Debian 13, a folder with which is made in build/kernels/trixie
#	fetch.sh SERIES --cached	only what was fetched before; status 1 if there is none
# Nothing is installed.  What is there is not fetched again; remove the directory to have a newer one.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
kernels=$(cd "$here/../.." && pwd)/build/kernels
series=${1:-}
case $series in
6.12) suites=(bookworm-backports) ;;
7) suites=(trixie trixie-backports) ;;
*)
	echo "usage: fetch.sh {6.12 | 7} [--cached]" >&2
	exit 2 ;;
esac
suite=${suites[-1]}

die() {
	echo "fetch: $*" >&2
	exit 1
}

if [ -e "$kernels/$series" ]; then
	basename "$(readlink -f "$kernels/$series")"
	exit
fi
[ "${2:-}" != --cached ] || exit 1
"$here/setup.sh" "$here/packages-kernels"
[ "$(id -u)" = 0 ] || [ "$series" = 6.12 ] || die "a folder with Debian 13 can only be made by root"

# The mirror that this machine's own packages come from.
mirror=$(apt-get indextargets --format '$(SITE)' 2> /dev/null | grep '/debian/\?$' | head -n 1 || true)
mirror=${mirror:-http://deb.debian.org/debian}
mkdir -p "$kernels"
work=$(mktemp -d "$kernels/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists,cache/archives}/partial "$work/root" "$work/packages"
for name in "${suites[@]}"; do
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $name main"
done > "$work/sources.list"
options=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists"
	-o "Dir::Cache=$work/cache" -o Dir::State::status=/dev/null -o "APT::Default-Release=$suite" -o APT::Sandbox::User=root)

echo "fetch: a kernel of $suite" >&2
apt-get -qq "${options[@]}" update >&2 || die "no lists of $suite from $mirror"
headers=$(apt-cache "${options[@]}" depends linux-headers-amd64 | sed -n 's/.*Depends: \(linux-headers-[0-9].*\)/\1/p' | head -n 1)
kver=${headers#linux-headers-}
[ -n "$kver" ] || die "$suite has no linux-headers-amd64"

# The kernel's own packages: how many it is split into differs.
release=$(sed 's/[.+]/\\&/g' <<< "${kver%-amd64}")
wanted=("linux-image-$kver")
[ "$series" != 6.12 ] || wanted+=("$headers")
mapfile -t packages < <(apt-cache "${options[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
	--no-replaces --no-enhances "${wanted[@]}" | grep -E "^linux-[a-z]+-$release(-amd64|-common)?$" | sort -u)
(cd "$work/packages" && apt-get -qq "${options[@]}" download "${packages[@]}" >&2) || die "cannot fetch ${packages[*]}"
for package in "$work"/packages/*.deb; do
	dpkg-deb -x "$package" "$work/root"
done

# As on an installed system.
mkdir -p "$work/root/boot" "$work/root/lib"
[ ! -d "$work/root/usr/lib/modules" ] || ln -s ../usr/lib/modules "$work/root/lib/modules"
image=$work/root/boot/vmlinuz-$kver
[ -e "$image" ] || ln -s "../lib/modules/$kver/vmlinuz" "$image"
[ -e "$image" ] || die "no image in ${packages[*]}"
PATH=$PATH:/usr/sbin:/sbin depmod -b "$work/root" "$kver"

if [ "$series" = 6.12 ]; then
	# The headers' absolute paths; without the kernel's types no BTF is made, which would take a newer pahole.
	sed -i "s|/usr/src|$kernels/$kver/usr/src|" "$work/root/usr/src/$headers/Makefile"
	rm -f "$work/root/usr/src/$headers/vmlinux"
	ln -sfn "$kernels/$kver/usr/src/$headers" "$work/root/lib/modules/$kver/build"
elif [ ! -d "$kernels/trixie" ]; then
	echo "fetch: a folder with Debian 13" >&2
	mmdebstrap --quiet --mode=root --variant=essential --include="make,binutils,$headers" trixie "$work/trixie" "$work/sources.list" >&2 ||
		die "cannot make a folder with Debian 13"
	mv "$work/trixie" "$kernels/trixie"
fi
rm -rf "${kernels:?}/$kver"
mv "$work/root" "$kernels/$kver"
ln -sfn "$kver" "$kernels/$series"
echo "$kver"
