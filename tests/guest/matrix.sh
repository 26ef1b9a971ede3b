#!/bin/bash
# matrix: the guest's tests on each of Debian's kernels: 6.1, 6.12 and 7.x.
#	matrix.sh [--short] [KERNEL]...
# Each kernel runs the whole suite once, and its core in other settings: one processor and four, each kind of
# preemption, page table isolation, four and five levels of page tables.  --short: the core alone, in one of them.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
core=(abi behave members vectors vdso rare)
cd "$root" || exit 1

# What the settings cover together: every value, and most pairs.  preempt=lazy is of kernels that have it.
settings=(
	"--smp 1 --pti off --append preempt=voluntary"
	"--smp 4 --pti on --append preempt=full --append no5lvl"
	"--smp 4 --pti off --append preempt=lazy --append no5lvl"
	"--smp 1 --pti on --append preempt=full"
)

is_short=
if [ "${1:-}" = --short ]; then
	is_short=yes
	shift
fi
kernels=("$@")
[ $# -gt 0 ] || kernels=(6.1 6.12 7)
passed=0
failed=0
clean=0

# tests LABEL NAME...: the suite's guests of these names on $KVER, with the options in $UB_OPTIONS.
tests() {
	local label=$1 output

	shift
	output=$(mktemp)
	"$here/suite.sh" "$@" > "$output" 2>&1
	sed -E "s/^/$label: /; /[0-9]+ passed, [0-9]+ failed$/d" "$output"
	[[ $(tail -n 1 "$output") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] || BASH_REMATCH=(- 0 1)
	passed=$((passed + BASH_REMATCH[1]))
	failed=$((failed + BASH_REMATCH[2]))
	rm -f "$output"
}

fail() {
	echo "not ok $*"
	failed=$((failed + 1))
}

one_kernel() {
	local series=$1 before=$failed setting

	if [ "$series" = 6.1 ]; then
		KVER=$("$here/kver.sh")
	else
		KVER=$("$here/fetch.sh" "$series")
	fi || return
	export KVER
	make --no-print-directory kmod > "build/kmod-$KVER.log" 2>&1 || {
		tail -n 20 "build/kmod-$KVER.log"
		return 1
	}
	if [ -n "$is_short" ]; then
		UB_OPTIONS="--smp 4" tests "$KVER" "${core[@]}"
	else
		make --no-print-directory kmod-broken kmod-faults >> "build/kmod-$KVER.log" 2>&1 || return
		UB_LONG=yes tests "$KVER"
		for setting in "${settings[@]}"; do
			[[ $setting != *lazy* || $series == 7* ]] || setting=${setting/lazy/none}
			UB_OPTIONS=$setting tests "$KVER ($setting)" "${core[@]}"
		done
	fi
	[ $failed != "$before" ] || clean=$((clean + 1))
}

for kernel in "${kernels[@]}"; do
	one_kernel "$kernel" || fail "$kernel: there is no such kernel, or no module for it"
	unset KVER
done
[ -n "$is_short" ] || build/tests/figures build/results/transparency.json "make test-kernels" "kernels=$clean" || fail "no results"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
