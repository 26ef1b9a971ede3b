#!/usr/bin/env bash
# ubtool lift: a process is watched and goes on as before; what is lifted of it is told, and what ends the rest.
# Usage: tests/host/lift.sh [UBTOOL].  Says so and counts as no test where processes may not be traced.
set -u
ubtool=${1:-build/ubtool}
dir=$(mktemp -d)
mine=()
trap 'for pid in "${mine[@]}"; do kill "$pid" 2> /dev/null; done; rm -rf "$dir"' EXIT
passed=0
failed=0

check() {	# check WHAT COMMAND...
	if "${@:2}"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL lift: $1"
	fi
}
has() { grep -qE "$2" "$dir/$1" || { cat "$dir/$1"; return 1; }; }
is_free() { [ "$(sed -n 's/^TracerPid:\t//p' "/proc/$1/status" 2> /dev/null)" = 0 ]; }
# It makes calls of its own accord again: its count grows.
goes_on() { local before after; before=$(wc -c < "$2"); sleep 0.3; after=$(wc -c < "$2"); is_free "$1" && [ "$after" -gt "$before" ]; }
status_is() { local want=$1; shift; "$@" > "$dir/out" 2> "$dir/err"; [ $? = "$want" ]; }

cat > "$dir/loop.c" <<'C'
#include <unistd.h>
#ifdef THREADS
#include <pthread.h>
#endif

static void *run(void *arg)
{
	volatile unsigned int sum = 0, i;
	volatile double x = 1;

	for (;;) {
		for (i = 0; i < 20; i++)
			sum += i * i;
#ifdef X87
		__asm__ volatile("fldl %0; fstpl %0" : "+m"(x));
#endif
		write(1, "x", 1);
	}
	return arg;
}

int main(void)
{
#ifdef THREADS
	pthread_t thread;

	pthread_create(&thread, NULL, run, NULL);
#endif
	run(NULL);
}
C
build() { "${CC:-cc}" -O1 -g "${@:2}" -o "$dir/$1" "$dir/loop.c" -lpthread || { echo "FAIL lift: cannot compile"; echo "0 passed, 1 failed"; exit 1; }; }
start() { "$dir/$1" > "$dir/$1.out" & last=$!; mine+=("$last"); sleep 0.2; }

build plain
start plain
if ! "$ubtool" lift record "$last" -o "$dir/profile" insns 3000 > "$dir/out" 2> "$dir/err"; then
	grep -q "not permitted" "$dir/err" && { echo "SKIP lift: $(cat "$dir/err")"; echo "0 passed, 0 failed"; exit 0; }
	echo "FAIL lift: $(cat "$dir/err")"; echo "0 passed, 1 failed"; exit 1
fi
check "a watched process goes on" goes_on "$last" "$dir/plain.out"
check "a profile is reported" status_is 0 "$ubtool" -j lift report "$dir/profile"
check "a plain loop is lifted whole" has out '"program":"plain".*"lifted_share":1\.0000,"inside_share":1\.0000'
check "its call is named" has out '"call":"write"'
check "a process is reported" status_is 0 "$ubtool" -j lift report "$last" "$dir/profile" insns 3000
check "both are" has out '"source":"[0-9]*".*"source":"/'
check "it goes on again" goes_on "$last" "$dir/plain.out"
check "a recording that is interrupted" status_is 124 timeout -s INT 0.5 "$ubtool" lift record "$last" -o "$dir/cut" insns 100000000
check "leaves the process as it was" goes_on "$last" "$dir/plain.out"

build x87 -DX87
start x87
check "code with x87 is reported" status_is 0 "$ubtool" -j lift report "$last" insns 3000
check "and is what ends the rest" has out '"ends":\[\{"reason":"unsupported: fld"'
check "nothing of it runs on behind it" has out '"inside_share":0\.[0-8]'

build threads -DTHREADS
start threads
check "two threads are watched" status_is 0 "$ubtool" -j lift report "$last" insns 20000
check "both go on" goes_on "$last" "$dir/threads.out"

sleep 1000 &
mine+=($!)
check "a sleeper is let go" status_is 0 "$ubtool" lift record $! -o "$dir/sleep" seconds 1
check "and sleeps on" is_free $!
check "nothing is counted of it" status_is 0 "$ubtool" -j lift report "$dir/sleep"

head -c 100 "$dir/profile" > "$dir/short"
check "half a profile is none" status_is 1 "$ubtool" lift report "$dir/short"
check "no profile" status_is 1 "$ubtool" lift report /dev/null
check "no such process" status_is 1 "$ubtool" lift report 999999999
check "no process at all" status_is 2 "$ubtool" lift report
check "no file to write to" status_is 2 "$ubtool" lift record "$last"

# Of a block that is refused each part of the message is told, and as much as was asked for.
cat > "$dir/block" <<'IR'
entry 0x401000:
	insn 0x401000 +4
	mov.64 r17, r3
	jeq r17, 0x404000, L1
	exit 0x401000
L1:
	load.64 r0, [r17]
	exit 0x401004
IR
check "a refused block is told by its status" status_is 3 "$ubtool" -j lift verify "$dir/block"
check "its code, title and place are told" has out '"verdict":"refused","code":"unguarded","title":"[^"]+","insn":4,"insn_text":"load.64 r0, \[r17\]","ip":"0x401000"'
check "and why" has out '"reason":"load of 8 bytes through r17, which is not guarded","registers":"[^"]*","cause":"r17=any since insn 1 \(mov.64 r17, r3\)","suggestion":"guard '
check "in short" status_is 3 "$ubtool" -j lift verify "$dir/block" level 0
check "there is nothing more" has out '"reason":"load of 8 bytes through r17, which is not guarded"}'
check "at length" status_is 3 "$ubtool" -j lift verify "$dir/block" level 2
check "there are the states" has out '"log":\["  insn 0 '
check "as text" status_is 3 "$ubtool" lift verify "$dir/block"
check "the same" has out '^code +unguarded'
start plain
main=$(nm "$dir/plain" | sed -n 's/ T main$//p')
base=$(sed -n '1s/-.*//p' "/proc/$last/maps")
sed -i "s/0x401000/$(printf '0x%x' $((0x$base + 0x$main)))/" "$dir/block"
check "with a process" status_is 3 "$ubtool" -j lift verify "$dir/block" pid "$last"
check "the function is named" has out '"place":"main\+0x0 .*in plain"'
sed -i '/load.64/d' "$dir/block"
check "an accepted block" status_is 0 "$ubtool" -j lift verify "$dir/block"
check "is told so" has out '"verdict":"accepted"'
sed -i 's/^L1:/L2:/' "$dir/block"
check "no block" status_is 1 "$ubtool" lift verify "$dir/block"
check "names the line" has err 'line 4: .*L1'
check "no file" status_is 1 "$ubtool" lift verify "$dir/none"
check "no level" status_is 2 "$ubtool" lift verify "$dir/block" level 3

# As ubd learns: real programs, each line of which goes through tables of functions in libc.
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL	# its registers end a block
grows() {	# grows NAME COMMAND...
	yes "the quick brown fox" | "${@:2}" > /dev/null & last=$!; mine+=("$last"); sleep 0.3
	check "$1 is watched" status_is 0 "$ubtool" lift record "$last" -o "$dir/profile" insns 60000
	kill "$last"; wait "$last" 2> /dev/null
	check "$1 is reported" status_is 0 "$ubtool" -j lift report "$dir/profile" grow
	check "$1 is lifted whole in the end" has out '"inside_share":(1\.0|0\.99).*"exits":0,"rounds":[0-9]'
}
grows sed sed -u s/fox/dog/
grows cut stdbuf -oL cut -c 1-9
grows nl stdbuf -oL nl

echo "$passed passed, $failed failed"
[ $failed = 0 ]
