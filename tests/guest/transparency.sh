#!/bin/bash
# transparency: in a guest, programs run natively and bypassed; what they print and how they end must be the same.
#	transparency.sh [some|CASE...]
# "some" are each ninth of them.
# Small programs are those of tests/small/, real ones stand below.  ubd finds them by itself; the module's tracepoints
# say how many calls were made in blocks meanwhile: a run in which there were none shows nothing, and is not counted.
set -u

build=${UB_BUILD:-build}
small=$build/tests/small/small
tool=$build/ubtool
work=/tmp/transparency
cgroup=/sys/fs/cgroup/ub-transparency
events=/sys/kernel/tracing/events/ub/ub_exit
failed=0
differences=0
small_cnt=0
missed=0
real_cnt=0

ok() { echo "ok $1"; }
not_ok() {
	echo "not ok $1: $2"
	failed=1
}

mkdir -p "$work/in" "$cgroup"
cp "$(readlink -f /usr/bin/perl)" "$work/in/perl" 2> /dev/null
seq 1 500000 | sed 's/$/ some words of a line/' > "$work/in/lines"
head -c 3000000 "$work/in/perl" > "$work/in/bytes"

# What a real program does, in its own directory; its output and the files it leaves are compared.  Each makes many calls
# in a short loop, by a line or a byte a time; whether ubd finds and keeps a block in its short life is said beside it.
declare -A real=(
	[dd]='dd if=/dev/zero of=out bs=64 count=400000 status=none; dd if=../in/bytes bs=16 of=copy count=180000 status=none'
	[grep]='grep --line-buffered -n words ../in/lines > out'
	[sed]='head -n 20000 ../in/lines | sed -u s/words/letters/ > out'
	[sort]='stdbuf -oL sort -r -k 1,1 ../in/lines > out'
	[cut]='stdbuf -oL cut -d " " -f 1,3 ../in/lines > out'
	[seq]='stdbuf -oL seq 3 7 3500000 > out'
	[tac]='stdbuf -oL tac ../in/lines > out'
	[nl]='stdbuf -oL nl -s : ../in/lines > out'
	[fold]='stdbuf -oL fold -w 13 ../in/lines > out'
	[uniq]='stdbuf -oL uniq -c ../in/lines > out'
	[tr]='stdbuf -oL tr a-z A-Z < ../in/lines > out'
	[bash]='n=0; while read -r a b; do n=$((n + a % 7)); [ "$a" -lt 20000 ] || break; done < <(cat ../in/lines); echo $n'
)

# run_one KIND NAME MS: its output and its exit status into $work/NAME.KIND, and of a real one the sums of what it leaves.
run_one() {
	local kind=$1 name=$2 ms=$3 status dir=$work/dir out=$work/$2.$1

	if [ -z "${real[$name]:-}" ]; then
		(echo "$BASHPID" > "$cgroup/cgroup.procs" && exec timeout 60 "$small" "$name" "$ms") > "$out" 2>&1
		echo "status $?" >> "$out"
		return
	fi
	rm -rf "$dir"
	mkdir "$dir"
	(echo "$BASHPID" > "$cgroup/cgroup.procs" && cd "$dir" && exec timeout 60 bash -c "${real[$name]}") > "$out" 2>&1
	status=$?
	{
		echo "status $status"
		(cd "$dir" && find . -type f -exec cksum {} +)
	} >> "$out" 2> /dev/null
}

# Calls made in blocks since the trigger was set.
calls() {
	local line sum=0

	while read -r line; do
		[[ ! $line =~ calls:\ *([0-9]+) ]] || sum=$((sum + BASH_REMATCH[1]))
	done < "$events/hist"
	echo $sum
}

# compare NAME: bypassed, and beside the native run.  A slow machine finds a loop late: a run in which nothing was found
# is done once more, for longer.
compare() {
	local name=$1 ms made=0

	for ms in 1000 5000 10000; do
		echo 'hist:keys=block:vals=calls' > "$events/trigger"
		run_one bypassed "$name" $ms
		made=$(calls)
		echo '!hist:keys=block:vals=calls' > "$events/trigger"
		[ "$made" = 0 ] && [ -z "${real[$name]:-}" ] || break
	done
	if [ "$(< "$work/$name.native")" = "$(< "$work/$name.bypassed")" ]; then
		ok "$name"
	else
		not_ok "$name" "$(diff "$work/$name.native" "$work/$name.bypassed" | head -n 6 | tr '\n' ';')"
		differences=$((differences + 1))
	fi
	if [ "$made" -gt 0 ]; then
		if [ -n "${real[$name]:-}" ]; then real_cnt=$((real_cnt + 1)); else small_cnt=$((small_cnt + 1)); fi
	else
		echo "# $name: compared, but no call was made in a block"
		[ -n "${real[$name]:-}" ] || missed=$((missed + 1))
	fi
}

list=$("$small" --list) || exit 1
mapfile -t cases < <(echo "$list"; printf '%s\n' "${!real[@]}" | sort)
if [ "${1:-}" = some ]; then
	for i in "${!cases[@]}"; do [ $((i % 9)) = 0 ] || unset "cases[i]"; done
elif [ $# -gt 0 ]; then
	cases=("$@")
fi

"$tool" cgroup set "$cgroup" off > /dev/null || exit 1
for name in "${cases[@]}"; do
	run_one native "$name" 60
done

"$tool" cgroup set "$cgroup" on > /dev/null || exit 1
"$build/ubd" > /tmp/ubd.log 2>&1 &
ubd=$!
for ((i = 0; i < 50; i++)); do
	[ ! -S /run/ub/ubd.sock ] || break
	sleep 0.1
done

for name in "${cases[@]}"; do
	compare "$name"
done

# A slow machine may miss some.
if [ $((missed * 3)) -gt $small_cnt ]; then
	not_ok "bypassed" "$missed were not"
elif [ $small_cnt -gt 0 ]; then
	ok "bypassed"
fi
if kill -0 "$ubd" 2> /dev/null; then ok "ubd-alive"; else not_ok "ubd-alive" "$(tail -n 1 /tmp/ubd.log)"; fi
kill "$ubd"
wait "$ubd"
# The table's rows, without its head.
documented=$(($(sed '1,/^## What cannot be removed/d' docs/TRANSPARENCY.md | grep -c '^| ') - 1))
[ $# -gt 0 ] || echo "programs=$small_cnt real_programs=$real_cnt differences=$differences documented_differences=$documented" \
	> /run/ub-out/transparency.txt
exit $failed
