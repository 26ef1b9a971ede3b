#!/bin/bash
# find: in a guest with the module, ubd finds each of many short hot programs that follow one another, soon.
#	find.sh [ROUNDS]
# Soon: from the start of the process to its first call made in a block it takes less than a second.
set -u

rounds=${1:-3}
build=${UB_BUILD:-build}
limit_ms=1000
cgroup=/sys/fs/cgroup/ub-find
log=/tmp/ubd.log

mkdir -p "$cgroup"
"$build/ubtool" cgroup set "$cgroup" on > /dev/null || exit 1
"$build/ubd" -v 2> "$log" &
ubd=$!
failed=0
for ((i = 0; i < 50; i++)); do
	[ ! -S /run/ub/ubd.sock ] || break
	sleep 0.1
done

# find NAME COMMAND...: runs it in the cgroup; ok when it was helped in time.
find() {
	local name=$1 answer boost

	shift
	answer=$(
		echo "$BASHPID" > "$cgroup/cgroup.procs"
		exec "$build/examples/measure" run -- "$@"
	)
	boost=$(sed -nE 's/.*"boost_ms": ?([0-9]+).*/\1/p' <<< "$answer")
	if [ -n "$boost" ] && [ "$boost" -lt $limit_ms ]; then
		echo "ok $name: $boost ms"
	else
		echo "not ok $name: ${boost:-never} ms, allowed $limit_ms"
		failed=1
	fi
}

for ((round = 1; round <= rounds; round++)); do
	find "getppid-$round" "$build/examples/getppid" --seconds 0.8
	find "pread-$round" "$build/examples/pread" --size 64 --seconds 0.8
	find "dd-$round" dd if=/dev/zero of=/dev/null bs=64 count=500000
	# Somebody cold in between, and nobody for a while.
	[ $((round % 2)) = 0 ] || sleep 0.3
done

kill "$ubd"
wait "$ubd" || failed=1
[ $failed = 0 ] || sed 's/^/  /' "$log"
exit $failed
