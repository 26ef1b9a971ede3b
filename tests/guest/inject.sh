#!/bin/bash
# inject: makes a copy of the module's sources in which allocations can be made to fail, for faults.c.
#	inject.sh TREE	TREE/kernel/ub-jit is a tree of links, as "make kmod" lays them
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tree=$1

# In place of a link, sed -i leaves an edited copy.
# instead RESULT FUNCTION...: where a function is called that allocates, it may have this result at once.
instead() {
	local result=$1 name file found

	shift
	for name in "$@"; do
		found=
		for file in $(grep -lE "(= |return )$name\(" "$tree"/kernel/ub-jit/*.c "$tree/include/ub/port.h"); do
			sed -i -E "s/(= |return )($name\()/\1ub_inject() ? $result : \2/" "$file"
			found=yes
		done
		[ -n "$found" ] || { echo "inject: nobody calls $name" >&2; exit 1; }
	done
}

instead NULL kzalloc kvmalloc kvcalloc alloc_workqueue ub_pack_alloc
instead -ENOMEM xa_insert mmu_notifier_register tracepoint_probe_register cpuhp_setup_state misc_register \
	register_kprobe ub_direct_register
instead 'XA_ERROR(-ENOMEM)' xa_store
cp "$here/inject/inject.h" "$here/inject/inject.c" "$tree/kernel/ub-jit/"
# shellcheck disable=SC2016 # make's variable
sed -i -e 's/^ub-y := /&inject.o /; s|^ccflags-y := |&-include $(src)/inject.h |' "$tree/kernel/ub-jit/Kbuild"
