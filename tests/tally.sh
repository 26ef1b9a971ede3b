#!/bin/bash
# tally: runs each command, shows its output, and ends with one line "N passed, N failed" over all of them.
#	tally.sh [COMMAND]...
# A command says how it went by ending with such a line of its own.  One that ends without it counts as one test;
# one that fails but reports no failure counts as one failure more: a crash must not pass for a success.
set -u

output=$(mktemp)
trap 'rm -f "$output"' EXIT
passed=0
failed=0

for command in "$@"; do
	echo "== $command" | cut -c 1-100
	bash -c "$command" 2>&1 | tee "$output" | sed -E '/^[0-9]+ passed, [0-9]+ failed$/d'
	status=${PIPESTATUS[0]}
	if [[ $(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$output" | tail -n 1) =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
		[ "${BASH_REMATCH[2]}" -gt 0 ] || [ "$status" = 0 ] || failed=$((failed + 1))
		echo "   ${BASH_REMATCH[1]} of $((BASH_REMATCH[1] + BASH_REMATCH[2]))"
	elif [ "$status" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
	[ "$status" = 0 ] || echo "tally: status $status: $command" | cut -c 1-100
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
