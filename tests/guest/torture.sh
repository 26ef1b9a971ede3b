#!/bin/bash
# torture: all that can happen to bypassed processes, at random, for so long; the kernel may not notice.
#	torture.sh MINUTES [SEED]	guests one after another; figures to build/results/torture.json
#	torture.sh short		a short stretch, in a guest; what the suite runs
# Half of MINUTES: many threads on processors that run at the same time; then the module is loaded and
# unloaded, 50 times (more in longer runs) under load, on processors that take turns, and 450 times while nothing happens.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root" || exit 1
torture=build/tests/guest/torture

# In the guest.
if [ "${1:-}" = short ]; then
	status=0
	! grep -q '^ub ' /proc/modules || rmmod ub || exit 1
	"$torture" load 12 2 1 || status=1
	"$torture" idle 2 || status=1
	exit $status
fi

minutes=${1:-30}
seed=${2:-$(date +%s)}
slab="slub_debug=FZPU,kmalloc-*"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
splats=0
failed=0
declare -A figures=([module_cycles]=0 [hangs]=0 [leaks]=0 [wrong_results]=0)

# guest NAME SECONDS OPTIONS COMMAND: adds what it says to the figures.
guest() {
	local name=$1 seconds=$2 options=$3 command=$4 status key value

	# shellcheck disable=SC2086
	"$here/run.sh" --name "torture-$name" --out build/results/torture --timeout $((2 * seconds + 600)) --mem 768 \
		--append "$slab" $options -- bash -c "$command" > "$out/$name" 2>&1
	status=$?
	grep -aE '^(not )?ok |^judge:' "$out/$name" | sed "s/^/$name: /"
	while read -r _ key value; do
		figures[$key]=$((${figures[$key]:-0} + value))
	done < <(grep -a '^figure ' "$out/$name")
	[ $status = 0 ] || failed=1
	case $status in
	0 | 1) ;;
	124) figures[hangs]=$((figures[hangs] + 1)) ;;
	*) splats=$((splats + 1)) ;;
	esac
	[ $status = 0 ] || sed "s/^/  /" "$out/$name"
}

seconds=$((minutes * 60))
under_load=$((minutes < 30 ? minutes * 50 / 30 + 1 : 50))
idle=$((9 * under_load))
began=$(date +%s)
echo "torture: seed $seed"
guest many $((seconds / 2)) "--smp 4" "$torture load $((seconds / 2)) 0 $seed"
guest cycles $((seconds / 3)) "--smp 4 --turns" "$torture load $((seconds / 3)) $under_load $seed && $torture idle $idle"

# shellcheck disable=SC2016 # the guest's variable
guest faults 120 "--smp 4 --turns" 'UB_MODULE=${UB_MODULE/kmod/faults} build/tests/guest/faults'
guest latency 300 "--smp 1 --icount" "tests/guest/load.sh && build/tests/guest/latency"

figures[splats]=$splats
figures[minutes]=$((($(date +%s) - began) / 60))
list=
for key in minutes module_cycles hangs splats leaks wrong_results allocations_failed exit_latency_max_us; do
	[ -z "${figures[$key]:-}" ] || list+="${list:+,}\"$key\":${figures[$key]}"
done
mkdir -p build/results
printf '{"schema":"ub-results/1","command":"make torture MINUTES=%s","kernel":"%s","figures":{%s},"detail":{"seed":%s}}\n' \
	"$minutes" "$("$here/kver.sh")" "$list" "$seed" | tee build/results/torture.json
exit $failed
