#!/bin/bash
# broken: in a guest, a module whose JIT is broken on purpose (break.sh) refuses each block, says so, and harms nobody.
set -u

build=${UB_BUILD:-build}
module=$build/broken/ub.ko
failed=0

ok() { echo "ok $1"; }
not_ok() {
	echo "not ok $1: $2"
	failed=1
}

# said NAME: since it was cleared the kernel's log tells of a refused image.
said() {
	if dmesg | grep -q "ub: block [0-9]* refused: byte [0-9]* of its image: "; then
		ok "$1"
	else
		not_ok "$1" "the kernel's log says nothing of a refused block"
	fi
}

! grep -q '^ub ' /proc/modules || rmmod ub || exit 1
fault=0
for name in sound no-mask wrong-displacement no-clac wrong-branch; do
	dmesg -C
	insmod "$module" fault=$fault || exit 1
	"$build/tests/guest/broken" "$name" "$fault" || failed=1
	[ $fault = 0 ] || said "$name-said"
	rmmod ub || not_ok "$name-unload" "rmmod failed"
	fault=$((fault + 1))
done

# A function that this kernel does not have: told of, and the daemon goes on without the module.
dmesg -C
if insmod "$module" fault=5 2> /dev/null; then
	not_ok "missing-function" "it loads"
	rmmod ub
else
	ok "missing-function"
fi
if dmesg | grep -q "ub: this kernel has no bpf_ksym_add()"; then ok "missing-function-said"; else not_ok "missing-function-said" "$(dmesg)"; fi
"$build/ubd" 2> /tmp/ubd.log &
ubd=$!
for ((i = 0; i < 50; i++)); do
	grep -q "only observing" /tmp/ubd.log && break
	sleep 0.1
done
if kill -0 "$ubd" && grep -q "only observing" /tmp/ubd.log; then ok "missing-function-ubd"; else not_ok "missing-function-ubd" "$(< /tmp/ubd.log)"; fi
kill "$ubd"
exit $failed
