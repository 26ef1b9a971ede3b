#!/bin/bash
# guided: coverage-guided fuzzing by libFuzzer, of the targets that make has built below build/guided/.
#	guided.sh check TARGET...	the corpus and a stretch that is always the same
#	guided.sh run SECONDS TARGET...	goes on from the corpus; what it finds stays below build/guided/found/
#	guided.sh merge TARGET...	into the corpus: the least that covers what corpus, text cases and found inputs cover,
#		each cut short
# The input of a crash stays as build/guided/TARGET-crash-*.
set -u
cd "$(dirname "$0")/../.." || exit 1
built=build/guided
corpus=tests/fuzz/corpus
cases=(tests/ir/*.ub tests/verify/*.ub tests/jit/*.ub tests/lift/*.ub)
passed=0
failed=0

# The words of the text form.
write_words() {
	sed -nE 's/^OP\(\w+, *"(\w+)".*/"\1"/p' ir/ops.h
	sed -nE 's/^VEC[LV]?\((\w+),.*/"\L\1"/p' ir/vec.h | sort -u
	printf '"%s"\n' .8 .16 .32 .64 .64f .lock .sse .128 .256 r0 r1 r16 r17 r23 fs v0 v15 entry resident raw '[' ']' @0 0x -9223372036854775808 0xffffffffffffffff -2147483648 -128 4294967295
}

# fuzz TARGET OPTION...	as all uses have it
fuzz() {
	local target=$1 words=()

	shift
	if [ "$target" = text ]; then
		write_words > "$built/words"
		words=(-dict="$built/words")
	fi
	"$built/$target" -artifact_prefix="$built/$target-" -timeout=10 -rss_limit_mb=3000 -max_len=2048 -entropic=0 "${words[@]}" "$@"
}

check() {
	local new output

	new=$(mktemp -d)
	output=$(mktemp)
	if fuzz "$1" -seed=1 -runs="$2" -verbosity=0 "$new" "$corpus/$1" > "$output" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		cat "$output"
	fi
	rm -r "$new" "$output"
}

run() {
	mkdir -p "$built/found/$2"
	if fuzz "$2" -max_total_time="$1" -print_final_stats=1 "$built/found/$2" "$corpus/$2"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
}

merge() {
	local work=$built/merge/$1 seeds

	rm -rf "$work"
	mkdir -p "$work/new" "$work/text" "$work/blocks" "$work/requests" "$built/found/$1" "$corpus/$1"
	cp -r "$built/found/$1" "$work/found" 2> /dev/null	# a run under way may take some away meanwhile
	build/tests/fuzz/seed "$work/text" "$work/blocks" "$work/requests" "${cases[@]}" || exit
	case $1 in
	text) seeds=$work/text ;;
	device) seeds=$work/requests ;;
	*) seeds=$work/blocks ;;
	esac
	fuzz "$1" -set_cover_merge=1 -use_counters=0 -max_len=448 -verbosity=0 "$work/new" "$corpus/$1" "$seeds" "$work/found" || exit
	rm -rf "${corpus:?}/$1"
	mv "$work/new" "$corpus/$1"
	du -sb "$corpus/$1"
}

# So many that all targets take a few seconds.
runs_of() {
	case $1 in
	text | device) echo 20000 ;;
	wire) echo 5000 ;;
	*) echo 2000 ;;
	esac
}

action=$1
shift
if [ "$action" = run ]; then
	seconds=$1
	shift
fi
for target in "$@"; do
	case $action in
	check) check "$target" "$(runs_of "$target")" ;;
	run) run "$seconds" "$target" ;;
	merge) merge "$target" ;;
	esac
done
[ "$action" = merge ] || echo "$passed passed, $failed failed"
[ $failed = 0 ]
