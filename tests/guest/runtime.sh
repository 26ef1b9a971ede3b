#!/bin/bash
# runtime: what the module costs, in instructions (make bench-runtime).
#	runtime.sh		boots a guest for it, prints a table and adds to build/results/runtime.json
#	runtime.sh --guest	measures, in the guest
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"
figures=build/results/runtime.txt

measure() {
	local bare=${UB_MODULE%/*}/bare/ub_bare.ko loaded

	insmod "$bare" 2> /dev/null || true
	dmesg | sed -n 's/.*ub_bare: handler \([0-9]*\) nothing \([0-9]*\)/bare \1\nnothing \2/p'
	build/tests/guest/runtime native
	for loaded in cpu clear; do
		tests/guest/load.sh branch_history=$loaded
		build/tests/guest/runtime native | sed "s/^/$loaded./"
		build/tests/guest/runtime attached | sed "s/^/$loaded./"
		rmmod ub
	done
}

if [ "${1:-}" = --guest ]; then
	measure > "$figures"
	exit
fi

mkdir -p build/results
rm -f "$figures"
tests/guest/run.sh --name runtime --icount --timeout 300 -- tests/guest/runtime.sh --guest
[ -s "$figures" ] || { echo "runtime: nothing was measured" >&2; exit 1; }

# The call's own handler, and the four instructions of the loop, are there in any case.  What "nothing" counts is loop and
# call, and two instructions of its own.
mapfile -t values < <(awk '
	{ v[$1] = $2 }
	END {
		handler = (v["bare"] - v["nothing"]) / 1000 + 2
		loop = 4
		print "dispatch_added=" v["cpu.dispatched"] - handler - loop
		print "dispatch_added_history=" v["clear.dispatched"] - handler - loop
		print "entry_and_exit=" v["cpu.entered"] - v["cpu.attached"]
		print "entry_and_exit_history=" v["clear.entered"] - v["clear.attached"]
		print "opted_out_hooked=" v["cpu.hooked"] - v["hooked"]
		print "opted_out_elsewhere=" v["cpu.elsewhere"] - v["elsewhere"]
		print "attached_hooked=" v["cpu.attached"] - v["hooked"]
		print "switch_attached_added=" v["cpu.switch_attached"] - v["switch"]
		print "switch_others_added=" v["cpu.switch"] - v["switch"]
		print "fault_attached_added=" v["cpu.fault_attached"] - v["fault"]
		print "native_call=" v["hooked"]
		print "bare_handler=" handler
		print "load=" v["cpu.load"]
		print "unload=" v["cpu.unload"]
	}' "$figures")
build/tests/figures build/results/runtime.json "make bench-runtime" "${values[@]}"

# line NAME WANTED TEXT
line() {
	local value

	value=$(printf '%s\n' "${values[@]}" | sed -n "s/^$1=//p")
	printf '%-26s %10.1f   %-10s %s\n' "$1" "$value" "$2" "$3"
}

printf '%-26s %10s   %-10s\n' "instructions" "" "wanted"
line dispatch_added 25 "a call made in a block, beyond its handler and the loop's own four"
line dispatch_added_history "" "the same where the branch history must be cleared"
line entry_and_exit 60 "into a block and out of it"
line entry_and_exit_history "" "the same where the branch history must be cleared"
line opted_out_hooked 5 "a hooked call of a process that is not attached"
line opted_out_elsewhere 0 "a call that is not hooked"
line attached_hooked "" "a hooked call of an attached thread where no block begins"
line switch_attached_added "" "a context switch to or from an attached thread"
line switch_others_added "" "a context switch between others"
line fault_attached_added "" "a page fault of an attached process"
line native_call "" "getppid() without the module"
line bare_handler "" "its handler"
line load "" "loading a block of a getppid() loop, verified, compiled and checked"
line unload "" "and unloading it"
