#!/bin/bash
# break: makes a copy of the module's sources whose JIT has the faults of tests/guest/broken.sh, by its parameter "fault".
#	break.sh TREE	TREE/kernel/ub-jit is a tree of links, as "make kmod" lays them
set -eu

jit=$1/kernel/ub-jit

# edit FILE SED-COMMAND: in place of the link stands an edited copy; an edit that changes nothing is a mistake.
edit() {
	local file=$jit/$1

	sed -e "$2" "$file" > "$file.new"
	if cmp -s "$file" "$file.new"; then
		echo "break: nothing in $1 for: $2" >&2
		exit 1
	fi
	rm "$file"
	mv "$file.new" "$file"
}

# 1: the mask of a pointer, and the conditional move of one that is bounded below, are left out.
edit lower_mem.c 's/^\t*x86_alu_reg_rm(&j->code, UB_W64, X86_AND, reg, local(LOCAL_MASK));/if (ub_fault != 1) &/'
edit lower_mem.c 's/^\t*x86_cmov(&j->code, UB_W64, UB_CC_AE, reg, local(LOCAL_LIMIT));/if (ub_fault != 1) &/'
# 2: a displacement is wrong: what is taken for the mask is the local beside it.
edit lower.h 's/return x86_mem(X86_RBP, off);/return x86_mem(X86_RBP, off + (ub_fault == 2 \&\& off == LOCAL_MASK ? 8 : 0));/'
edit lower.h 's/^static inline struct x86_rm local(s32 off)/extern unsigned int ub_fault;\n&/'
# 3: clac is left out.
edit x86.c 's/^\tput_0f01(code, 0xca);/\tif (ub_fault != 3) put_0f01(code, 0xca);/'
# 4: branches lead a byte too far.
edit x86.c 's/^\tx86_patch32(code, off, target - (off + 4));/\tx86_patch32(code, off, target - (off + 4) + (ub_fault == 4));/'
edit x86.c 's/^#include "x86.h"/&\nextern unsigned int ub_fault;/'
# 5: a function of the kernel's is not there.
edit symbols.c 's/return static_call(lookup)(name);/return ub_fault == 5 \&\& !strcmp(name, "bpf_ksym_add") ? 0 : static_call(lookup)(name);/'
edit symbols.c 's/^#include "symbols.h"/&\nextern unsigned int ub_fault;/'
edit main.c 's/^MODULE_LICENSE.*/&\nunsigned int ub_fault;\nmodule_param_named(fault, ub_fault, uint, 0444);/'
