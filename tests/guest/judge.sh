#!/bin/bash
# judge: reads kernel logs and fails, showing the lines, if the kernel complained in one of them.
#	judge.sh LOG...
# What the kernel says of a user program that faults ("traps: name[pid] ...") is no complaint.
set -eu

complaints='WARNING: |BUG: |kernel BUG at|BUG at |Oops|Kernel panic|cut here|Call Trace:'
complaints+='|general protection fault[,:]|refcount_t: |KASAN|UBSAN|unable to handle'
complaints+='|soft lockup|hard LOCKUP|detected stalls? on|self-detected stall|kthread starved'
complaints+='|blocked for more than|scheduling while atomic|list_(add|del) corruption'
complaints+='|circular locking|inconsistent lock state|suspicious RCU usage|[Bb]ad page'
complaints+='|ODEBUG: |BUG [a-z0-9_-]+ \(|kmemleak: [0-9]+ new suspected|Disabling lock debugging|lockdep is turned off'
harmless='traps: .*\[[0-9]+\] |Kernel command line:|WARNING: Unprivileged eBPF'

# Nor is what it says when a control group is out of memory, with a trace of who asked for more.
if found=$(sed '/ invoked oom-killer: /,/ Killed process /d' "$@" | grep -aE "$complaints" | grep -avE "$harmless"); then
	echo "judge: the kernel complained:" >&2
	sort -u <<< "$found" | head -n 20 | sed 's/^/  /' >&2
	exit 1
fi
