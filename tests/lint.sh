#!/bin/bash
# lint: the house rules that a script can check.  One line per breach; non-zero when there is one.
set -u
cd "$(dirname "$0")/.." || exit 1
breaches=0

complain() {
	echo "lint: $*"
	breaches=$((breaches + 1))
}

# Who may include whom: files, then what their #include lines may name (besides headers of their own directory).
# The first row that fits a file is the file's.
pure='ir/[^/]*\.[ch]|verifier/[^/]*\.[ch]|kernel/ub-jit/(x86(_vec)?|layout|desc|flow|flags|hint|leave|edge|call|stub|machine|rules|lower[a-z_]*|jit)\.[ch]'
table=$(
	cat <<-END
	ir/.*	<ub/port\.h>
	verifier/.*	<ub/port\.h>|\.\./ir/.*
	lifter/decode\.c	<(Zydis/Zydis|cpuid)\.h>|\.\./ir/.*
	lifter/.*	<ub/port\.h>|\.\./ir/.*
	kernel/ub-jit/(x86(_vec)?|layout|desc|flow|flags|hint|leave|edge|call|stub|machine|rules|lower[a-z_]*|jit)\.[ch]	<ub/(port|uapi)\.h>|\.\./\.\./ir/(ops?|vecop)\.h|\.\./\.\./verifier/(verify|image)\.h
	kernel/ub-jit/.*	<(linux|asm|net|xen|trace)/.*>|<ub/(port|uapi)\.h>|\.\./\.\./(ir/ops?|verifier/verify|verifier/image)\.h
	userspace/ubd/.*\.bpf\.c	vmlinux\.h|<bpf/bpf_.*>
	userspace/libub/.*	<[^/]*>|<(sys|json-c|asm)/.*>|<ub/.*>|\.\./\.\./ir/.*|\.\./\.\./verifier/verify\.h|syscall_names\.inc|\.\./\.\./kernel/ub-jit/syscalls\.h
	userspace/ubd/.*	<[^/]*>|<(sys|json-c|bpf|linux)/.*>|<ub/.*>|<libub/(ub|code)\.h>|\.\./\.\./(ir|lifter)/.*|\.\./\.\./verifier/verify\.h|.*\.skel\.h
	userspace/ubtool/.*	<[^/]*>|<(sys|json-c|Zydis|elfutils)/.*>|<ub/.*>|(<|\.\./)libub/(ub|code)\.h>?|\.\./\.\./(ir|lifter)/.*|\.\./\.\./verifier/verify\.h
	END
)

allowed_for() {
	local files allowed

	while IFS=$'\t' read -r files allowed; do
		[[ $1 =~ ^($files)$ ]] || continue
		echo "$allowed"
		return
	done <<< "$table"
}

check_includes() {
	local file allowed include

	for file in $(git ls-files '*.c' '*.h'); do
		allowed=$(allowed_for "$file")
		[ -n "$allowed" ] || continue
		while read -r include; do
			[[ $include =~ ^[a-z0-9_]+\.h$ && -e $(dirname "$file")/$include ]] && continue
			[[ $include =~ ^($allowed)$ ]] || complain "$file may not include $include"
		done < <(sed -nE 's/^\s*#\s*include\s+("([^"]*)"|(<[^>]*>)).*/\2\3/p' "$file")
	done
}

check_kernel_word() {
	local file

	for file in $(git grep -lE '^\s*#\s*(if|ifdef|ifndef|elif).*__KERNEL__' -- '*.c' '*.h' | grep -v '^include/ub/port\.h$'); do
		complain "$file asks for __KERNEL__; only include/ub/port.h may"
	done
}

check_core() {
	local file

	for file in $(make -s -f core.mk --eval 'print: ; @echo $(CORE:.o=.c)' print); do
		[ -e "$file" ] || complain "core.mk names $file, which does not exist"
		[[ $file =~ ^($pure)$ ]] || complain "core.mk has $file, of which the table here says it is not pure"
	done
}

check_ops() {
	local name text

	while IFS=$'\t' read -r name text; do
		grep -qE "^\| \`$text\`" docs/IR.md || complain "docs/IR.md has no line for $text ($name)"
		grep -qE "^ *(.*[:&] *)?$text(\.| |$)" tests/ir/*.ub || complain "tests/ir has no case with $text ($name)"
	done < <(sed -nE 's/^OP\((\w+),\s*"(\w+)".*/\1\t\2/p' ir/ops.h)
}

# Each guest instruction that can be lifted stands in a case.
check_instructions() {
	local name seen

	seen=$(sed -nE 's/^ *[0-9a-f ]+\| *((lock|rep|repe|repne|bnd|notrack) )*([a-z0-9]+).*/\3/p' tests/lift/*.ub | sort -u)
	while read -r name; do
		complain "tests/lift has no case with $name"
	done < <({
		sed -nE 's/^NAME\((\w+),.*/\L\1/p' lifter/names.h
		sed -nE 's/^VECL?\((\w+),.*/\L\1/p' ir/vec.h
		sed -nE 's/^VECV?\((\w+),.*/v\L\1/p' ir/vec.h
	} | grep -vx 'v\?mnemonic' | sort -u | comm -23 - <(echo "$seen"))
}

# Each message of a refusal stands in a test, as far as it is the same each time; but those that a bug of ours would need.
check_refusals() {
	local text part

	while read -r text; do
		part=$(sed -E 's/%(ll)?[a-z]/\n/g' <<< "$text" | awk 'length > most { most = length; part = $0 } END { print part }')
		grep -rqF -- "$part" tests/verify tests/ir tests/unit || complain "no test provokes the refusal \"$text\""
	done < <(for file in verifier/*.c; do
		tr '\n\t' '  ' < "$file" | sed -E 's/ub_bug_if\([^;]*;//g' | grep -oE 'ub_refuse\([^;]*"[^;]*;' |
			sed -E 's/^[^"]*"([^"]*)".*/\1/'
	done)
}

# Each class of flaw in docs/VERIFIER.md has its cases: those of the second column are refused, those of the third not.
check_classes() {
	local refused accepted name

	while IFS='|' read -r _ _ refused accepted _; do
		for name in $(grep -oE '`[^`]*`' <<< "$refused" | tr -d '`'); do
			grep -qs '; refuse' "tests/verify/$name.ub" || complain "docs/VERIFIER.md: tests/verify/$name.ub is not refused"
		done
		for name in $(grep -oE '`[^`]*`' <<< "$accepted" | tr -d '`'); do
			[ -e "tests/verify/$name.ub" ] && ! grep -q '; refuse' "tests/verify/$name.ub" ||
				complain "docs/VERIFIER.md: tests/verify/$name.ub is not accepted"
		done
	done < <(sed -n '/^ *| class | refused | accepted |/,/^$/p' docs/VERIFIER.md)
}

# Names of files in back quotes that have a "/".
check_paths() {
	local doc path

	for doc in README.md docs/*.md; do
		[ -e "$doc" ] || continue
		while read -r path; do
			[ -e "$path" ] || complain "$doc names $path, which does not exist"
		done < <(grep -oE '`(\.ci|docs|examples|include|ir|kernel|lifter|tests|userspace|verifier)/[A-Za-z0-9_./-]*`' "$doc" |
			tr -d '\140' | sort -u)
	done
}

check_licences() {
	local file

	for file in $(git ls-files '*.c' '*.h'); do
		[[ $file =~ \.bpf\.c$ ]] || [[ $(head -n 1 "$file") == *SPDX-License-Identifier:* ]] ||
			complain "$file does not begin with its licence"
	done
}

check_includes
check_kernel_word
check_core
check_ops
check_instructions
check_refusals
check_classes
check_paths
check_licences
[ $breaches = 0 ] || echo "lint: $breaches"
[ $breaches = 0 ]
