#!/bin/bash
# selftest: shows that the guest harness tells the truth: statuses, verdicts, files, output, clock.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" "$here/../../build/guest/count"' EXIT
passed=0 failed=0

# expect CLAIM STATUS TEXT [option]... -- COMMAND...: run.sh exits with STATUS and prints TEXT.
expect() {
	local claim=$1 want=$2 text=$3 status=0

	shift 3
	"$here/run.sh" --name selftest --timeout 60 --out "$scratch/results" "$@" \
		> "$scratch/output" 2> "$scratch/errors" || status=$?
	if [ "$status" = "$want" ] && grep -qe "$text" "$scratch/output" "$scratch/errors"; then
		echo "ok: $claim"
		passed=$((passed + 1))
	else
		echo "FAILED: $claim: exit status $status, expected $want and \"$text\""
		sed 's/^/  /' "$scratch/errors" "$scratch/output"
		failed=$((failed + 1))
	fi
}

# check CLAIM COMMAND...: the command succeeds on the host.
check() {
	local claim=$1

	shift
	if "$@"; then
		echo "ok: $claim"
		passed=$((passed + 1))
	else
		echo "FAILED: $claim"
		failed=$((failed + 1))
	fi
}

count='
#include <stdio.h>
#include <x86intrin.h>
int main(void)
{
	unsigned long n = 1000000, start = __rdtsc();
	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(n));
	printf("ticks per turn %.2f\n", (__rdtsc() - start) / 1e6);
}'
mkdir -p "$here/../../build/guest"
gcc -O1 -o "$here/../../build/guest/count" -x c - <<< "$count"

expect "the exit status passes through" 7 "" -- bash -c 'exit 7'
expect "arguments keep their spaces and quotes" 0 "^<it's  a \"word\">\$" -- printf '<%s>\n' "it's  a \"word\""
expect "stderr comes too, and can be reopened" 0 "^both\$" -- bash -c '/bin/echo both > /dev/stderr'
expect "results come back" 0 "" -- bash -c 'echo kept > /run/ub-out/file'
check "  with what was in them" grep -qx kept "$scratch/results/file"
expect "other writes do not" 0 "" -- touch "$scratch/lost" "$here/lost"
check "  not here" [ ! -e "$scratch/lost" ]
check "  nor here" [ ! -e "$here/lost" ]
expect "what the command leaves running does not hold the guest" 0 "" -- bash -c 'sleep 1000 & setsid sleep 1000 &'
expect "a line of the kernel's distress fails a good command" 125 "BUG: test" -- \
	bash -c 'echo "BUG: test" > /dev/kmsg'
expect "unless allowed" 0 "" --allow-splat -- bash -c 'echo "BUG: test" > /dev/kmsg'
expect "a program's own fault is not the kernel's" 0 "" -- \
	bash -c 'bash -c "kill -SEGV \$\$" || echo "traps: prog[12] general protection fault ip:0" > /dev/kmsg'
expect "a panic is seen" 125 "sysrq triggered crash" -- bash -c 'echo c > /proc/sysrq-trigger'
expect "a guest that does not end is ended" 124 "no end after 20 s" --timeout 20 -- sleep 1000
expect "two processors and separate page tables" 0 "^2 isolated\$" --smp 2 --pti on -- \
	bash -c 'dmesg | grep -q "page tables isolation: .*enabled" && echo $(nproc) isolated'
expect "a kernel at a random address" 0 "^moved\$" --kaslr -- \
	bash -c 'grep -q "^ffffffff81000000 T _text" /proc/kallsyms || echo moved'
expect "the clock counts instructions" 0 "^ticks per turn 2.00\$" --icount -- build/guest/count
expect "which takes a single processor" 2 "needs --smp 1" --icount --smp 2 -- true
expect "cgroups, BPF and tracing are there" 0 "^all there\$" -- bash -c '
	mkdir /sys/fs/cgroup/test && rmdir /sys/fs/cgroup/test && bpftool prog show &&
	[ -s /sys/kernel/btf/vmlinux ] && [ -e /sys/kernel/tracing/trace ] && [ -d /sys/kernel/debug/tracing ] &&
	echo all there'

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
