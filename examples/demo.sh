#!/bin/bash
# demo: what Userspace Bypass saves, in a virtual machine with the stock kernel.
#
# Boots the guest, has demo-guest.sh measure there, prints its table and leaves build/results/demo.json.
# Under software emulation the machine counts instructions, which is exact; wall time would say nothing.
#
# usage: demo.sh [CASE...]	cases as in the table; all when none is given
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
accel=${UB_DEMO_ACCEL:-$("$root/tests/guest/accel.sh")}
timeout=${UB_DEMO_TIMEOUT:-900}

options=(--name demo --out build/results --timeout "$timeout" --pti off)
[ "$accel" = kvm ] || options+=(--icount)

rm -f "$root/build/results/demo.json"
cd "$root"
"$root/tests/guest/run.sh" "${options[@]}" -- env "UB_DEMO_ACCEL=$accel" "UB_DEMO_CASES=$*" \
	"UB_DEMO_SECONDS=${UB_DEMO_SECONDS:-3}" "UB_DEMO_DD_BLOCKS=${UB_DEMO_DD_BLOCKS:-2000000}" \
	examples/demo-guest.sh build/results build
[ -s "$root/build/results/demo.json" ] || {
	echo "demo: no results" >&2
	exit 1
}
echo "demo: the results are in build/results/demo.json" >&2
