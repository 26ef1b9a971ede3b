#!/bin/bash
# demo-guest: the guest's half of the demo: measures every case native and bypassed, prints a table and
# leaves demo.json in the results directory.
#
# usage: demo-guest.sh [RESULTS [BUILD]]
#
# Native figures are taken before the module is loaded.  Then ubd runs with the policy "on" and finds the
# programs by itself.  UB_DEMO_SECONDS is how long each bypassed program runs, in the guest's time.
set -eu

results=${1:-build/results}
build=${2:-build}
seconds=${UB_DEMO_SECONDS:-3}
only=${UB_DEMO_CASES:-}
accel=${UB_DEMO_ACCEL:-tcg}
dd_blocks=${UB_DEMO_DD_BLOCKS:-2000000}
work=/tmp/ub-demo
cgroup=/sys/fs/cgroup/ub-demo

say() {
	echo "demo: $*" >&2
}

die() {
	say "$*"
	exit 1
}

program() {
	local path
	for path in "$build/examples/$1" "$build/$1"; do
		if [ -x "$path" ]; then
			echo "$path"
			return
		fi
	done
	die "$1 is not built"
}

getppid=$(program getppid)
pread=$(program pread)
measure=$(program measure)
ubd=$(program ubd)
ubtool=$(program ubtool)
module=$build/ub.ko
[ -e "$module" ] || die "the module is not built"

sizes="64 256 1024 4096"
cases=getppid
for size in $sizes; do cases+=" pread-$size"; done
for size in $sizes; do cases+=" pread-sum-$size"; done
cases+=" dd-64"
cases=${only:-$cases}

# command CASE: the words of its command line, without how long it runs, into "words".
command_of() {
	case $1 in
	getppid) words=("$getppid") ;;
	pread-sum-*) words=("$pread" --sum --size "${1##*-}") ;;
	pread-*) words=("$pread" --size "${1##*-}") ;;
	dd-*) words=(dd if=/dev/zero of=/dev/null "bs=${1##*-}" "count=$dd_blocks") ;;
	*) die "no case $1" ;;
	esac
}

# run CASE KIND EXAMPLE-ARGUMENT...: one measured run into $work/CASE.KIND, in the cgroup of the demo.
run() {
	local name=$1 kind=$2 words options=()
	shift 2
	command_of "$name"
	case $name in
	dd-*) options+=(--io) ;;
	*) words+=("$@") ;;
	esac
	say "$name, $kind"
	(
		echo "$BASHPID" > "$cgroup/cgroup.procs"
		exec "$measure" run "${options[@]}" -- "${words[@]}"
	) > "$work/$name.$kind" || die "$name cannot be measured"
}

mkdir -p "$work" "$results" "$cgroup"

for name in $cases; do
	run "$name" native --iterations 100000
done

say "loading $module"
insmod "$module" || die "the module cannot be loaded"
case " $cases " in
*" getppid "*) run getppid opted_out --iterations 100000 ;;
esac

"$ubtool" cgroup set "$cgroup" on >&2
mkdir -p /run/ub
"$ubd" > "$work/ubd.log" 2>&1 &
ubd_pid=$!
sleep 1
kill -0 "$ubd_pid" 2> /dev/null || {
	cat "$work/ubd.log" >&2
	die "ubd has ended"
}

for name in $cases; do
	# Windows from before it was found do not count, even if they were better.
	run "$name" bypassed --seconds "$seconds" --settle 1
	kill -0 "$ubd_pid" 2> /dev/null || say "ubd has ended"
done

kill "$ubd_pid" 2> /dev/null || true
wait "$ubd_pid" || true
cp "$work/ubd.log" "$results/demo-ubd.log"

status=0
files=()
for name in $cases; do
	{
		printf '{"name":"%s"' "$name"
		for kind in native bypassed opted_out; do
			[ ! -e "$work/$name.$kind" ] || printf ',"%s":%s' "$kind" "$(< "$work/$name.$kind")"
		done
		printf '}\n'
	} > "$work/$name.json"
	files+=("$work/$name.json")
done
echo >&2
"$measure" report --unit "$accel" --kernel "$(uname -r)" "${files[@]}" > "$results/demo.json" || status=$?
rmmod "$(basename "$module" .ko)" || die "the module cannot be unloaded"
exit "$status"
