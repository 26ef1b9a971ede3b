#!/bin/bash
# suite: all tests that need a guest with the module.
#	suite.sh [NAME]...	only the guests of these names
# With options for run.sh in $UB_OPTIONS, which count more than those given here, and all cases of long tests if there is
# $UB_LONG.
# Each guest boots, loads the module, and runs programs that print "ok TEST" or "not ok TEST: why" per line.  A guest
# that dies, or whose kernel complains, counts as one failed test more.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root" || exit 1
wanted=("$@")
passed=0
failed=0
load=tests/guest/load.sh

# guest NAME OPTIONS COMMAND: COMMAND in a guest of its own.
guest() {
	local name=$1 options=$2 command=$3 output ok not_ok status

	if [ ${#wanted[@]} -gt 0 ] && [[ " ${wanted[*]} " != *" $name "* ]]; then
		return
	fi
	output=$(mktemp)
	# shellcheck disable=SC2086
	"$here/run.sh" --name "suite-$name" --out build/results/suite --timeout 300 $options ${UB_OPTIONS:-} -- \
		bash -c "$load && { $command; }" > "$output" 2>&1
	status=$?
	ok=$(grep -ac '^ok ' "$output")
	not_ok=$(grep -ac '^not ok ' "$output")
	passed=$((passed + ok))
	failed=$((failed + not_ok))
	if [ $status != 0 ] && { [ "$not_ok" = 0 ] || [ $status != 1 ]; } || [ $((ok + not_ok)) = 0 ]; then
		failed=$((failed + 1))
		sed 's/^/  /' "$output"
		echo "not ok $name: the guest ended with status $status"
	fi
	grep -a '^not ok ' "$output" | sed "s/^not ok /not ok $name /"
	echo "$name: $ok of $((ok + not_ok))"
	rm -f "$output"
}

guest abi "--smp 2" "build/tests/guest/abi"
guest abi-pti "--smp 1 --pti on" "build/tests/guest/abi run policy"
guest behave "--smp 2" "build/tests/guest/behave"
guest behave-one "--smp 1" "build/tests/guest/behave"
guest behave-pti "--smp 1 --pti on" "build/tests/guest/behave numbers faults timer"
load="tests/guest/load.sh branch_history=clear" guest behave-history "--smp 2" "build/tests/guest/abi run && build/tests/guest/behave"
# The only machine of docs/SECURITY.md's list that can be had.
guest behave-nosmap "--smp 2 --without smap" "! grep -qw smap /proc/cpuinfo && build/tests/guest/abi run && build/tests/guest/behave numbers faults timer"
guest members "--smp 2" "build/tests/guest/members"
guest members-one "--smp 1" "build/tests/guest/members"
guest intrude "--smp 2" "build/tests/guest/intrude"
guest intrude-one "--smp 1" "build/tests/guest/intrude"
guest watched "--smp 2" "build/tests/guest/watched"
guest vdso "--smp 2" "build/tests/guest/vdso"
guest vdso-one "--smp 1 --pti on" "build/tests/guest/vdso"
guest vectors "--smp 2" "build/tests/guest/vectors"
guest vectors-one "--smp 1" "build/tests/guest/vectors"
guest seen "--smp 2" "build/tests/guest/seen"
guest seen-one "--smp 1 --pti on" "build/tests/guest/seen"
guest rare "--smp 2" "build/tests/guest/rare"
guest broken "--smp 2" "tests/guest/broken.sh"
guest obstacles "--smp 1" "tests/guest/obstacles.sh"
load=true guest obstacles-lockdown "--append lockdown=integrity" "tests/guest/obstacles.sh refused"
load=true guest obstacles-signed "--append module.sig_enforce=1" "tests/guest/obstacles.sh refused"
guest stress "--smp 2" "build/tests/guest/stress 20"
guest torture "--smp 4 --turns --mem 768 --append slub_debug=FZPU,kmalloc-*" "tests/guest/torture.sh short"
# shellcheck disable=SC2016 # the guest's variable
load=true guest faults "--smp 2 --turns --append slub_debug=FZPU,kmalloc-*" 'UB_MODULE=${UB_MODULE/kmod/faults} build/tests/guest/faults'
if [ -n "${UB_LONG:-}" ]; then
	guest transparency "--smp 2 --timeout 1500" "tests/guest/transparency.sh"
else
	guest transparency "--smp 2" "tests/guest/transparency.sh some"
fi
# One processor: emulated ones can hang when code is patched that another one runs.
guest unload "--smp 1" "build/tests/guest/unload"
guest latency "--smp 1 --icount" "build/tests/guest/latency copy_bytes compare_words vector_loop fault"
guest find "--smp 1 --icount" "tests/guest/find.sh"
guest daemon "--smp 1 --icount" "tests/guest/daemon.sh"

figures=build/results/suite/transparency.txt
if [ -s $figures ]; then
	# shellcheck disable=SC2046
	build/tests/figures build/results/transparency.json "UB_LONG=yes tests/guest/suite.sh transparency" $(< $figures)
	rm -f $figures
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
