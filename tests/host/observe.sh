#!/usr/bin/env bash
# ubd --observe names a process that does nothing but getppid(), with that call, and lifts it.
# Usage: tests/host/observe.sh [UBD].  Needs root and a kernel with BTF; says so and exits 77 without.
set -u
ubd=${1:-build/ubd}
dir=$(mktemp -d)
loop=
trap '[ -n "$loop" ] && kill "$loop" 2>/dev/null; rm -rf "$dir"' EXIT

fail() { echo "FAIL observe: $*"; exit 1; }
skip() { echo "SKIP observe: $*"; exit 77; }

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
python3 - "$dir/out" "$loop" <<'PY' || fail "the report is wrong: $(cat "$dir/out")"
import json, sys

report = json.load(open(sys.argv[1]))
assert report["schema"] == "ub-observe/1", "schema"
own = [p for p in report["processes"] if p["pid"] == int(sys.argv[2])]
assert len(own) == 1, "the loop is not named"
p = own[0]
assert p["comm"] == "ub-hotloop", p["comm"]
assert p["call_percent"] >= 20, p["call_percent"]
assert p["calls"][0]["call"] == "getppid" and p["calls"][0]["in_block"], p["calls"][0]
assert p["lift"]["ok"] and p["lift"]["verified"], p["lift"]
assert p["lift"]["user_code_lifted_percent"] >= 90, p["lift"]
PY
echo "ok observe: the loop is named, its call is getppid, its code lifts and verifies"
