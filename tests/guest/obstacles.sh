#!/bin/bash
# obstacles: in a guest, what can stand in the module's way: each is told of clearly, and does no harm.
#	obstacles.sh		other users of ftrace, and ftrace switched off
#	obstacles.sh refused	the kernel takes no unsigned module (run.sh --append lockdown=integrity or module.sig_enforce=1)
set -u

build=${UB_BUILD:-build}
tool=$build/ubtool
switch=/proc/sys/kernel/ftrace_enabled
failed=0

ok() { echo "ok $1"; }
not_ok() {
	echo "not ok $1: $2"
	failed=1
}
check() {
	local name=$1 said

	shift
	if said=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$* failed: ${said:-nothing said}"; fi
}
fails() { ! "$@"; }
said() { dmesg | grep -q "$1"; }
load() { tests/guest/load.sh "$@"; }

# hold FUNCTION: a BPF program stands there until release; what it says in "answer".
hold() {
	mkfifo /tmp/holder.in /tmp/holder.out
	"$build/tests/guest/fentry" "$1" < /tmp/holder.in > /tmp/holder.out &
	holder=$!
	exec {hold_fd}> /tmp/holder.in
	read -r answer < /tmp/holder.out
}
release() {
	exec {hold_fd}>&-
	wait "$holder"
	rm -f /tmp/holder.in /tmp/holder.out
}

# works NAME: a process can be attached and makes its calls inside blocks.
works() { check "$1" "$build/tests/guest/abi" run; }

refused() {
	check "not loaded" fails load
	check "said by the kernel" said "$1"
	"$build/ubd" 2> /tmp/ubd.log &
	local ubd=$!

	for ((i = 0; i < 50; i++)); do
		grep -q "only observing" /tmp/ubd.log && break
		sleep 0.1
	done
	check "ubd goes on without it" grep -q "/dev/ub: No such file or directory; only observing" /tmp/ubd.log
	check "it still answers" kill -0 "$ubd"
	kill "$ubd"
	wait "$ubd"
	check "and ends as it should" [ $? = 0 ]
}

if [ "${1:-}" = refused ]; then
	if grep -q lockdown= /proc/cmdline; then
		refused "Lockdown: insmod: unsigned module loading is restricted"
	else
		refused "Loading of unsigned module is rejected\|module verification failed\|unavailable key"
	fi
	exit $failed
fi

! grep -q '^ub ' /proc/modules || rmmod ub || exit 1

# A BPF program was there before.
dmesg -C
hold __x64_sys_pread64
check "a program before us" [ "$answer" = attached ]
check "the module loads all the same" load
check "it says what it could not hook" said "ub: pread64 cannot be hooked"
check "so does ubtool" sh -c "$tool -j feature show | grep -q 'hooks_failed\":1[,}]'"
works "the other calls are hooked"
check "it unloads" rmmod ub
release

# One comes later.
check "then it hooks all" load
hold __x64_sys_pread64
check "who comes later is told so" [ "${answer%:*}" = "cannot attach" ]	# EBUSY; newer kernels EINVAL
release
works "and nothing else happens"

# ftrace is switched off under us: from then on calls are native.  Newer kernels refuse that.
if echo 0 2> /dev/null > $switch; then
	check "switched off, processes go on" sh -c 'dd if=/dev/zero of=/dev/null bs=1 count=2000'
	echo 1 > $switch
fi
works "switched on again"
check "and unloads" rmmod ub

# It was off before.
dmesg -C
if echo 0 2> /dev/null > $switch; then
	check "while it is off the module does not load" fails load
	check "and says why" said "ub: cannot hook system calls: ftrace is switched off"
	echo 1 > $switch
fi
check "and can be loaded afterwards" load
works "and works"

# It goes off, and then the module.
if echo 0 2> /dev/null > $switch; then
	check "unloaded while it is off" rmmod ub
	echo 1 > $switch
	check "loaded again" load
	works "still works"
fi
exit $failed
