#!/bin/bash
# suite: QEMU's tests of its x86 user-mode emulation, run in lockstep (lockstep.c).
#
# They come from the distribution's source package of qemu, fetched through a private configuration of apt under build/;
# nothing of it is part of this repository.
#
# usage: suite.sh [--if-reachable] LOCKSTEP	with --if-reachable no package is no failure
set -u

must=1
if [ "${1:-}" = --if-reachable ]; then
	must=0
	shift
fi
lockstep=$(realpath "${1:?usage: suite.sh [--if-reachable] LOCKSTEP}")
cd "$(dirname "$0")/../.." || exit 1
dir=$PWD/build/outside
results=$PWD/build/results/lift.json

give_up() {
	echo "suite-outside: $*" >&2
	[ $must = 1 ] || echo "0 passed, 0 failed"
	exit $must
}

# The mirror that the system uses for the release, if it has one.
mirror() {
	local codename site release

	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
	while read -r site release _; do
		[ "$release" = "$codename" ] || continue
		echo "$site $codename"
		return
	done < <(apt-get indextargets --format '$(SITE) $(RELEASE)' 2>/dev/null | grep /debian)
	echo "http://deb.debian.org/debian $codename"
}

private_apt() {
	apt-get -qq -o "Dir::Etc::SourceList=$dir/apt/sources.list" -o Dir::Etc::SourceParts=- \
		-o "Dir::State::Lists=$dir/apt/lists" -o "Dir::Cache=$dir/apt/cache" -o APT::Sandbox::User= \
		-o Acquire::http::Timeout=20 -o Acquire::Retries=1 "$@"
}

fetch() {
	local site codename keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	[ -d "$dir/qemu/tests/tcg" ] && return
	command -v apt-get > /dev/null || give_up "no apt-get here; the tests come from Debian's source package of qemu"
	mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial" "$dir/package"
	read -r site codename < <(mirror)
	[ -e $keyring ] && keyring="[signed-by=$keyring] " || keyring=
	echo "deb-src $keyring$site $codename main" > "$dir/apt/sources.list"
	private_apt update || give_up "the package lists of $site cannot be had"
	(cd "$dir/package" && private_apt source --download-only qemu) ||
		give_up "the source package of qemu cannot be had from $site"
	rm -rf "$dir/unpacked"
	mkdir -p "$dir/unpacked"
	tar -C "$dir/unpacked" --strip-components=1 -xf "$(ls "$dir"/package/qemu_*.orig.tar.* | tail -n 1)" \
		--wildcards '*/tests/tcg/*' || give_up "the source package of qemu is not as expected"
	mv "$dir/unpacked" "$dir/qemu"
}

failures=0

# build NAME SOURCE FLAG...: what this compiler or this release does not have is left out, and says so.
build() {
	local name=$1 source=$tcg/$2

	shift 2
	if [ ! -e "$source" ]; then
		echo "suite-outside: this release of qemu has no ${source#"$dir"/qemu/}"
	elif [ ! -e "$name" ] && ! gcc -w -I. "$@" -o "$name" "$source" -Wl,-z,now -lm -lpthread 2> "$name.log"; then
		echo "suite-outside: $name does not compile: $(head -n 1 "$name.log")"
		failures=$((failures + 1))
	else
		programs+=("$name")
	fi
}

fetch
tcg=$dir/qemu/tests/tcg
mkdir -p "$dir/programs" && cd "$dir/programs" || exit 1
programs=()
[ -e test-avx.h ] || python3 "$tcg/i386/test-avx.py" "$tcg/i386/x86.csv" test-avx.h
[ -e test-mmx.h ] || python3 "$tcg/i386/test-mmx.py" "$tcg/i386/x86.csv" test-mmx.h MMX SSE SSE2 SSE3 SSSE3
build test-x86_64 i386/test-i386.c -O2
build bmi2 i386/test-i386-bmi2.c -O2
build adcox i386/test-i386-adcox.c -O2
build ssse3 i386/test-i386-ssse3.c -O2 -mssse3
build pcmpistri i386/test-i386-pcmpistri.c -O2 -msse4.2
build sse-exceptions i386/test-i386-sse-exceptions.c -O0 -msse4.1 -mfpmath=sse
for name in f2xm1 fpatan fscale fxam fxtract fyl2x snan-convert pseudo-denormal fp-exceptions; do
	build "$name" "i386/test-i386-$name.c" -O2
done
# Functions of their own for what prints: in lockstep they can be passed over.
build test-mmx i386/test-mmx.c -O -fno-inline -masm=intel
build test-avx i386/test-avx.c -O -fno-inline -masm=intel -mavx
build cmpxchg x86_64/cmpxchg.c -O2
build vsyscall x86_64/vsyscall.c -O2
build sha1 multiarch/sha1.c -O2
build sha512 multiarch/sha512.c -O2
build sha512-sse multiarch/sha512.c -O3 -msse4.1
build sha512-avx2 multiarch/sha512.c -O3 -march=x86-64-v3
build float_convs multiarch/float_convs.c -O2 -frounding-math "-I$tcg/multiarch" "$tcg/multiarch/libs/float_helpers.c"
build float_convd multiarch/float_convd.c -O2 -frounding-math "-I$tcg/multiarch" "$tcg/multiarch/libs/float_helpers.c"
build float_madds multiarch/float_madds.c -O2 -mfma -frounding-math "-I$tcg/multiarch" \
	"$tcg/multiarch/libs/float_helpers.c"

"$lockstep" --results "$results" "${programs[@]/#/./}" | tee lockstep.log | sed -E '/^[0-9]+ passed, [0-9]+ failed$/d'
[[ $(tail -n 1 lockstep.log) =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] || BASH_REMATCH=(x 0 1)
echo "${BASH_REMATCH[1]} passed, $((BASH_REMATCH[2] + failures)) failed"
[ $((BASH_REMATCH[2] + failures)) = 0 ]
