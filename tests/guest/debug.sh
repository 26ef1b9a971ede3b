#!/bin/bash
# debug: the guest's tests on a kernel that watches itself (debug-kernel.sh): lockdep, KASAN, debug objects, and leaks.
#	debug.sh [NAME]...	only the suite's guests of these names, "sick" and "leaks"
# The kernel is several times slower, so everything has more time, and what measures time is left out.  First it must
# notice what is wrong in a module that is (tests/guest/sick).
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root" || exit 1
wanted=("$@")
passed=0
failed=0

# latency: how long things take is the subject.  obstacles-lockdown, obstacles-signed: the kernel has no signatures.
left_out=" latency obstacles-lockdown obstacles-signed "

# Stalls are those of a slow machine, unless they are very long; preempt=full has the most to say about locks.
options="--append nokaslr --boot 600 --timeout 3000 --mem 2560 --append preempt=full --append rcupdate.rcu_cpu_stall_timeout=300"
options+=" --append watchdog_thresh=60 --append hung_task_timeout_secs=600 --append rcupdate.rcu_task_stall_timeout=0"

is_wanted() { [ ${#wanted[@]} = 0 ] || [[ " ${wanted[*]} " == *" $1 "* ]]; }

ok() {
	echo "ok $1"
	passed=$((passed + 1))
}
not_ok() {
	echo "not ok $1: $2"
	failed=$((failed + 1))
}

# What a sick module does, in this order since the first fault in locks or memory switches lockdep off, and what the
# kernel says of it.
faults=(
	"cpu:BUG: using smp_processor_id() in preemptible"
	"sleep:BUG: sleeping function called from invalid context"
	"rcu:WARNING: suspicious RCU usage"
	"shift:UBSAN: shift-out-of-bounds"
	"object:ODEBUG: free active"
	"leak:kmemleak: [0-9]* new suspected"
	"order:WARNING: possible circular locking dependency"
	"beyond:BUG: KASAN: slab-out-of-bounds"
	"freed:BUG: KASAN: .*use-after-free"
)

# Each fault is one load of the module; behind it the log holds only its own reports.
sick() {
	local output fault script

	rm -rf build/sick
	cp -rs "$here/sick" build/sick
	"$here/kbuild.sh" build/sick > build/sick.log 2>&1 || { tail -n 20 build/sick.log; not_ok sick "no module"; return; }
	# shellcheck disable=SC2016 # the guest's variables
	script='for how in '$(printf '%s ' "${faults[@]%%:*}")'; do
		dmesg -C
		insmod build/sick/ub_sick.ko how=$how 2> /dev/null
		[ $how != leak ] || for i in 1 2 3; do echo scan > /sys/kernel/debug/kmemleak; sleep 6; done
		dmesg | sed "s/^/$how: /"
	done'
	output=$(mktemp)
	# shellcheck disable=SC2086
	"$here/run.sh" --name debug-sick --allow-splat $options --append kasan_multi_shot --append kmemleak=on -- \
		bash -c "$script" > "$output" 2>&1
	for fault in "${faults[@]}"; do
		if grep -aq "^${fault%%:*}: .*${fault#*:}" "$output"; then
			ok "sick-${fault%%:*}"
		else
			grep -a "^${fault%%:*}: " "$output" | head -n 20
			not_ok "sick-${fault%%:*}" "the kernel does not say \"${fault#*:}\""
		fi
	done
	rm -f "$output"
}

# What the module allocates and forgets, after it is gone.
leaks() {
	local output

	output=$(mktemp)
	# shellcheck disable=SC2016,SC2086 # the guest's variable
	if "$here/run.sh" --name debug-leaks $options --smp 2 --append kmemleak=on -- bash -c '
		scan() { echo scan > /sys/kernel/debug/kmemleak; sleep 6; }
		scan && echo clear > /sys/kernel/debug/kmemleak
		tests/guest/load.sh && build/tests/guest/abi && build/tests/guest/members && rmmod ub || exit
		scan && scan && scan
		! grep . /sys/kernel/debug/kmemleak' > "$output" 2>&1; then
		ok leaks
	else
		sed 's/^/  /' "$output"
		not_ok leaks "see above"
	fi
	rm -f "$output"
}

# The suite's guests.
suite() {
	local names output

	mapfile -t names < <(sed -nE 's/.*\bguest ([a-z-]+) "--.*/\1/p' "$here/suite.sh" | while read -r name; do
		[[ $left_out == *" $name "* ]] || ! is_wanted "$name" || echo "$name"
	done)
	[ ${#names[@]} -gt 0 ] || return
	output=$(mktemp)
	UB_OPTIONS=$options "$here/suite.sh" "${names[@]}" | tee "$output" | sed -E '/[0-9]+ passed, [0-9]+ failed$/d'
	[[ $(tail -n 1 "$output") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] || BASH_REMATCH=(- 0 1)
	passed=$((passed + BASH_REMATCH[1]))
	failed=$((failed + BASH_REMATCH[2]))
	rm -f "$output"
}

if ! KVER=$("$here/debug-kernel.sh"); then
	echo "0 passed, 1 failed"
	exit 1
fi
export KVER
if ! make --no-print-directory kmod kmod-broken kmod-faults > "build/kmod-$KVER.log" 2>&1; then
	tail -n 20 "build/kmod-$KVER.log"
	echo "0 passed, 1 failed"
	exit 1
fi
! is_wanted sick || sick
! is_wanted leaks || leaks
suite
echo "$passed passed, $failed failed"
[ $failed = 0 ]
