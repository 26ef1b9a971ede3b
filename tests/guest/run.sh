#!/bin/bash
# run: runs a command in a virtual machine with the stock kernel.
#
# The guest sees the host's file system (its writes are thrown away) and runs the command as root in
# the project's directory.  Files it leaves in the results directory, there also /run/ub-out, are copied
# back.  The command's output is ours, live; the kernel's goes to build/guest/[NAME.]console.log, and at
# the end [NAME.]dmesg.log.  Several guests may run at once; give them names.
#
# Exit status: the command's; 124 after the timeout; 125 if the guest died or its kernel complained.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/guest

usage() {
	cat <<-END
	usage: run.sh [options] -- COMMAND [ARGUMENT]...
	  --smp N          processors (1)
	  --mem MB         memory (2048)
	  --pti on|off     page table isolation (off)
	  --turns          emulated processors take turns: code may be patched that another one runs
	  --without NAME   the processor lacks this feature, as QEMU calls it
	  --icount         rdtsc counts instructions; software emulation and one processor
	  --timeout S      give up after S seconds (600)
	  --boot S         a guest that is not up after S seconds is started once more (90)
	  --append ARGS    more kernel arguments; may be given again
	  --name NAME      prefix of the log files
	  --out DIR        results directory, relative to the project's (build/results)
	  --allow-splat    let the guest's kernel complain
	END
}

die() {
	echo "run: $*" >&2
	exit 2
}

smp=1 mem=2048 pti=off without= icount= turns= kaslr= timeout=600 boot=90 append= name= out=build/results strict=yes
while [ $# -gt 0 ]; do
	case $1 in
	--icount) icount=yes ;;
	--turns) turns=yes ;;
	--kaslr) kaslr=yes ;;
	--allow-splat) strict= ;;
	--help) usage; exit ;;
	--append)
		[ $# -gt 1 ] || die "$1 needs a value"
		append+=" $2"
		shift ;;
	--smp | --mem | --pti | --without | --timeout | --boot | --name | --out)
		[ $# -gt 1 ] || die "$1 needs a value"
		declare "${1#--}=$2"
		shift ;;
	--) shift; break ;;
	-*) usage >&2; die "unknown option $1" ;;
	*) break ;;
	esac
	shift
done
[ $# -gt 0 ] || { usage >&2; die "no command"; }
[ "$pti" = on ] || [ "$pti" = off ] || die "--pti is on or off"
[ -z "$icount" ] || [ "$smp" = 1 ] || die "--icount needs --smp 1"

kver=$("$here/kver.sh")
kernel_root=$("$here/kver.sh" --root)
image=$("$here/image.sh")
accel=$("$here/accel.sh")
[ -z "$icount" ] || accel=tcg	# only emulation can count
if [ -n "$kaslr" ]; then
	kernel=$kernel_root/boot/vmlinuz-$kver
else
	kernel=$("$here/unpack.sh")
fi

# This run's files, shared with the guest as its /run/host.
run=$(mktemp -d "$build/run.XXXXXX")
qemu=
cleanup() {
	if [ -n "$qemu" ]; then
		kill "$qemu" 2> /dev/null || true
		wait "$qemu" || true
	fi
	[ ! -e "$run/console" ] || mv -f "$run/console" "$console"
	rm -rf "$run"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir "$run/out"
mkfifo "$run/output"

console=$build/${name:+$name.}console.log
dmesg=$build/${name:+$name.}dmesg.log
rm -f "$dmesg"
: > "$run/console"
ln -sfn "${run##*/}/console" "$console"		# to look at while it runs

case $out in
/*) host_out=$out ;;
*) host_out=$root/$out ;;
esac

# A kernel that is not installed has its modules elsewhere.
modules=
if [ ! -e "/lib/modules/$kver" ]; then
	modules="mkdir -p /lib/modules/$kver && mount --bind ${kernel_root@Q}/lib/modules/$kver /lib/modules/$kver"
fi

echo "$root" > "$run/project"
cat > "$run/command" <<END
mkdir -p ${host_out@Q}
mount --bind /run/ub-out ${host_out@Q}
cd ${root@Q}
$modules
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	HOME=/root LANG=C.UTF-8 TERM=dumb UB_GUEST=1 UB_MODULE=build/kmod/$kver/kernel/ub-jit/ub.ko ${@@Q}
END

# Emulated processors that run at the same time see a breakpoint longer than it is there, which newer kernels, that patch
# themselves while they boot, die of: there they take turns.
threads=multi
[ "$smp" != 1 ] && [ -z "$turns" ] && [[ $kver == 6.1.* ]] || threads=single

machine=(-M q35 -m "$mem" -smp "$smp" -nodefaults -display none -no-reboot -accel)
case $accel in
kvm) machine+=(kvm -cpu "host${without:+,-$without}") ;;
tcg) machine+=("tcg,thread=$threads" -cpu "max${without:+,-$without}") ;;
esac
[ -z "$icount" ] || machine+=(-icount shift=0,sleep=off)

arguments="console=ttyS0 loglevel=7 log_buf_len=4M cryptomgr.notests=1 proc_mem.force_override=always panic=-1 pti=$pti"
[ -z "$strict" ] || arguments+=" panic_on_warn=1 oops=panic"

devices=(
	-chardev "file,id=console,path=$run/console" -serial chardev:console
	-device virtio-serial-pci
	-chardev file,id=output,path=/dev/stdout -device virtserialport,chardev=output
	-fsdev "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"
	-device virtio-9p-pci,fsdev=root,mount_tag=root
	-fsdev "local,id=run,path=$run,security_model=none"
	-device virtio-9p-pci,fsdev=run,mount_tag=run
)

echo "guest: Linux $kver, $accel${icount:+ (counting instructions)}, smp $smp, pti $pti, kaslr ${kaslr:-no}" >&2

# Sets qemu_status.  The output passes through cat: QEMU makes its own end non-blocking, which ours must not become.
boot() {
	local watcher

	cat "$run/output" &
	reader=$!
	setpriv --pdeathsig TERM timeout --kill-after=5 "$timeout" qemu-system-x86_64 \
		"${machine[@]}" "${devices[@]}" -kernel "$kernel" -initrd "$image" \
		-append "$arguments $append" < /dev/null > "$run/output" 2> "$run/errors" &
	qemu=$!
	(
		for ((i = 0; i < $1; i++)); do
			sleep 1
			[ ! -e "$run/up" ] && kill -0 "$qemu" || exit 0
		done
		: > "$run/late"
		kill "$qemu"
	) > /dev/null 2>&1 &
	watcher=$!
	qemu_status=0
	wait "$qemu" || qemu_status=$?
	qemu=
	wait "$reader" || true
	wait "$watcher" || true
}

# On a busy machine an emulated processor may hang while it boots, long before the module is there: once more, then.
boot "$boot"
if [ ! -e "$run/up" ] && [ -e "$run/late" ] && [ "$timeout" -gt "$boot" ]; then
	echo "run: the guest did not come up in $boot s: once more" >&2
	: > "$run/console"
	boot "$timeout"
fi

mkdir -p "$host_out"
cp -r "$run/out/." "$host_out/"
mv -f "$run/console" "$console"
logs=("$console")
if [ -e "$run/dmesg" ]; then
	mv -f "$run/dmesg" "$dmesg"
	logs+=("$dmesg")
fi

# The verdict.
status=0
if [ -e "$run/status" ]; then
	status=$(< "$run/status")
elif [ "$qemu_status" = 124 ] || [ "$qemu_status" = 137 ]; then
	echo "run: no end after $timeout s; the last of the console:" >&2
	status=124
else
	echo "run: the guest died (qemu exit status $qemu_status); the last of the console:" >&2
	cat "$run/errors" >&2
	status=125
fi
[ -e "$run/status" ] || tail -n 30 "$console" >&2
if [ -n "$strict" ] && ! "$here/judge.sh" "${logs[@]}"; then
	[ "$status" = 124 ] || status=125
fi
exit "$status"
