#!/bin/bash
# daemon: ubd against the module, in a guest: its control socket, policies, its death, code that moves or does not pay.
set -u

build=${UB_BUILD:-build}
module=${UB_MODULE:-build/ub.ko}
tool=$build/ubtool
load=$build/tests/guest/daemon_load
outer=/sys/fs/cgroup/ub-daemon
inner=$outer/inner
log=/tmp/ubd.log
failed=0
ubd=
pid=

ok() { echo "ok $1"; }
not_ok() {
	echo "not ok $1: $2"
	failed=1
}

# check NAME COMMAND...: within five seconds the command succeeds.
check() {
	local name=$1 i

	shift
	for ((i = 0; i < 50; i++)); do
		if "$@" > /dev/null 2>&1; then
			ok "$name"
			return
		fi
		sleep 0.1
	done
	not_ok "$name" "not so after 5 s: $*: $(member "${pid:-0}" calls) calls, $(member "${pid:-0}" native_calls) native"
}

start_ubd() {
	"$build/ubd" -v 2>> "$log" &
	ubd=$!
	for ((i = 0; i < 50; i++)); do
		"$tool" process attach 1 2>&1 | grep -q 'does not run' || break
		sleep 0.1
	done
}

# start CGROUP WHAT...: a load in a cgroup, its process id in "pid".
start() {
	local cgroup=$1

	shift
	(
		echo "$BASHPID" > "$cgroup/cgroup.procs"
		exec "$load" "$@"
	) &
	pid=$!
}

stop() {
	kill "$pid"
	wait "$pid" 2> /dev/null
}

# member PID NAME: of what "process show" says of a process; nothing when it is not attached.
member() { "$tool" -j process show pid "$1" 2> /dev/null | sed -nE "s/.*\"$2\": ?\"?([a-z0-9.-]+).*/\1/p"; }
attached() { [ -n "$(member "$1" session)" ]; }
detached() { ! attached "$1"; }

# bypassed PID: most of its calls of the next tenth of a second are made in a block.
bypassed() {
	local calls native

	calls=$(member "$1" calls) native=$(member "$1" native_calls)
	sleep 0.1
	[ $(($(member "$1" calls) - calls)) -gt $((10 * ($(member "$1" native_calls) - native) + 1000)) ]
}

# native_for PID TENTHS: no call in a block for so long.
native_for() {
	local i first now

	first=$(member "$1" calls)
	for ((i = 0; i < $2; i++)); do
		sleep 0.1
		now=$(member "$1" calls)
		[ -z "$now" ] || [ "$now" = "${first:-none}" ] || return 1
	done
}
now() {
	if "${@:2}" > /dev/null 2>&1; then ok "$1"; else not_ok "$1" "not so: ${*:2}"; fi
}

mkdir -p "$inner"
"$tool" cgroup set "$outer" on > /dev/null || exit 1
start_ubd

start "$inner" steady
check found bypassed "$pid"

# The control socket.
now detach "$tool" process detach "$pid"
now detached detached "$pid"
now detached-stays native_for "$pid" 10
now attach "$tool" process attach "$pid"
check attached bypassed "$pid"
now attach-nobody bash -c "! $tool process attach 99999"

# Policies: inherited, nearest wins, at once.
"$tool" cgroup set "$outer" off > /dev/null
now off-at-once native_for "$pid" 3
check off-detached detached "$pid"
now off-stays native_for "$pid" 10
"$tool" cgroup set "$inner" on > /dev/null
check nearest-wins bypassed "$pid"
"$tool" cgroup set "$outer" on > /dev/null
"$tool" cgroup set "$inner" observe > /dev/null
check observe-detached detached "$pid"
"$tool" cgroup set "$inner" inherit > /dev/null
check on-again bypassed "$pid"

# ubd dies.
kill -KILL "$ubd"
wait "$ubd" 2> /dev/null
check killed-detached detached "$pid"
now killed-goes-on kill -0 "$pid"
start_ubd
check restarted bypassed "$pid"
stop
check ended detached "$pid"

# A hot path that moves, and one that does not pay.
start "$outer" moving 1.5
check moving bypassed "$pid"
sleep 1.5
check moved bypassed "$pid"
sleep 1.5
check moved-back bypassed "$pid"
stop
start "$outer" costly
check costly-taken-back grep -q "$pid (daemon_load): detached: does not pay" "$log"
now costly-rests native_for "$pid" 10
stop

# The module goes and comes back.
check unload rmmod ub
insmod "$module"
"$tool" cgroup set "$outer" on > /dev/null
start "$outer" steady
check module-again bypassed "$pid"
stop

kill "$ubd"
wait "$ubd" || not_ok end "ubd ended with an error"
[ $failed = 0 ] || sed 's/^/  /' "$log"
exit $failed
