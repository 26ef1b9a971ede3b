#!/usr/bin/env bash
# ubd --observe names a process that does nothing but getppid(), with that call, and lifts it.
# Usage: tests/host/observe.sh [UBD].  Needs root and a kernel with BTF; says so and counts as no test without.
set -u
ubd=${1:-build/ubd}
dir=$(mktemp -d)
loop=
trap '[ -n "$loop" ] && kill "$loop" 2>/dev/null; rm -rf "$dir"' EXIT

fail() { echo "FAIL observe: $*"; echo "0 passed, 1 failed"; exit 1; }
skip() { echo "SKIP observe: $*"; echo "0 passed, 0 failed"; exit 0; }

[ -x "$ubd" ] || fail "no $ubd"
[ "$(id -u)" = 0 ] || skip "not root"
[ -r /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF"

cat > "$dir/loop.c" <<'C'
#include <unistd.h>
int main(void)
{
	for (;;)
		getppid();
}
C
"${CC:-cc}" -O2 -o "$dir/ub-hotloop" "$dir/loop.c" || fail "cannot compile the loop"
"$dir/ub-hotloop" &
loop=$!

"$ubd" --observe --seconds 2 -j > "$dir/out" 2> "$dir/err"
status=$?
if [ $status != 0 ]; then
	grep -qE 'not permitted|lockdown|perf_event_paranoid' "$dir/err" && skip "$(cat "$dir/err")"
	fail "status $status: $(cat "$dir/err")"
fi
# The process is one object of the report's list, on a line of its own here; the first call is the most frequent.
own=$(sed 's/{"pid":/\n&/g' "$dir/out" | grep "^{\"pid\":$loop,")

# has WHAT PATTERN
has() { grep -qE "$2" <<< "$own" || fail "$1: $(cat "$dir/out")"; }

grep -q '"schema":"ub-observe/1"' "$dir/out" || fail "no schema: $(cat "$dir/out")"
[ "$(grep -c . <<< "$own")" = 1 ] || fail "the loop is not named: $(cat "$dir/out")"
has "its name" '"comm":"ub-hotloop"'
has "too few calls" '"call_percent":([2-9][0-9]|100),'
has "its call" '"calls":\[\{"call":"getppid",[^}]*"in_block":true'
has "not lifted" '"lift":\{"ok":true'
has "too little is lifted" '"user_code_lifted_percent":(9[0-9]|100),'
has "not verified" '"verified":true'
echo "ok observe: the loop is named, its call is getppid, its code lifts and verifies"
echo "1 passed, 0 failed"
