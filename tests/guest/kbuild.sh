#!/bin/bash
# kbuild: builds the module in DIRECTORY for the kernel of kver.sh.
#	kbuild.sh DIRECTORY [MAKE-ARGUMENT]...
# Headers that were fetched for Debian 13 bring tools that need its libraries: they run in its folder.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
directory=$(cd "$1" && pwd)
shift
kver=$("$here/kver.sh")
kernel=$("$here/kver.sh" --root)

if [ -e "$kernel/lib/modules/$kver/build/Makefile" ]; then
	exec make -C "$kernel/lib/modules/$kver/build" M="$directory" "$@" modules
fi
trixie=$project/build/kernels/trixie
[ -e "$trixie/lib/modules/$kver/build" ] || {
	echo "kbuild: no headers of Linux $kver; install them, or run tests/guest/fetch.sh" >&2
	exit 1
}
mkdir -p "$trixie$project"
# What is mounted ends with the namespace.
exec unshare --mount --propagation private -- bash -euc '
	mount -t proc proc "$1/proc"
	mount --rbind "$2" "$1$2"
	shift 2
	exec chroot "$@"' kbuild "$trixie" "$project" "$trixie" \
	/usr/bin/env -i PATH=/usr/sbin:/usr/bin make -C "/lib/modules/$kver/build" M="$directory" "$@" modules
