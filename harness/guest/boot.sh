#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# boot.sh: run a shell, or one command, in a kernel of ours, on the host's own
# files: read-only over 9p, below a writable overlay in the guest's RAM.
#
# Settings are taken from the environment (make passes its own on):
#   ARCH=    x86_64 (default), i386 or arm64: these on files of their own, $O/root
#   KERNEL=  stock, exp (default), debug, stock-debug, or the path of an image
#   CMD=     shell command to run; without it an interactive shell
#   OUT=     directory the guest can write to, at the same path in the guest
#            (default: a new one under $O/guest/run); CMD finds it as $OUT
#   SMP=2 MEM=2G TIMEOUT=1800 (seconds, not for a shell)
#   SWAP=    size of a swap device on zram, none by default; NM@loop: of N MB on a loop
#            device, which takes its time and the memory from the start
#   DISK=    a file that the guest has as its disk /dev/vda, and may write to
#   APPEND=  more kernel parameters
#   GDB=     a socket for gdb, and MONITOR= one for QEMU's monitor
#   ICOUNT=1 count instructions instead of time: one CPU, repeatable figures
#   QEMU=    the emulator
#
# CMD runs as root under bash, in the current directory.  What it prints goes to
# stdout, everything else to stderr.  $OUT keeps console, output, status and
# the QEMU command line.  Exit status: that of CMD, if the console is clean;
# 124 on timeout, 125 if the guest did not start or got lost, 126 if the
# kernel complained.

set -euo pipefail
# shellcheck source=harness/lib.sh
. "$(dirname "$0")/../lib.sh"

E_TIMEOUT=124 E_LOST=125 E_SPLAT=126

KERNEL=${KERNEL:-exp}
CMD=${CMD:-}
SMP=${SMP:-2}
MEM=${MEM:-2G}
TIMEOUT=${TIMEOUT:-1800}
SWAP=${SWAP:-}
APPEND=${APPEND:-}
DISK=${DISK:-}
GDB=${GDB:-}
MONITOR=${MONITOR:-}
ICOUNT=${ICOUNT:-}
# REP MOVSB and STOSB, which the kernel prefers, are emulated byte by byte.
TCG_CPU=max,erms=off,fsrm=off
CONSOLE=ttyS0
MACHINE=()
case $ARCH in
i386)	QEMU=${QEMU:-qemu-system-i386} TCG_CPU=qemu32,+nx
	# It does not read the table in which firmware names the nodes.
	APPEND="numa=fake=2${APPEND:+ $APPEND}" ;;
arm64)	QEMU=${QEMU:-qemu-system-aarch64}
	TCG_CPU=neoverse-n1 CONSOLE=ttyAMA0 MACHINE=(-machine virt) ;;
*)	QEMU=${QEMU:-qemu-system-x86_64} ;;
esac
# The user's .bashrc may be slow under emulation.
SHELL_COMMAND="PS1='\\h:\\w\\$ ' exec bash --norc -i"
PROBE_TIMEOUT=${PROBE_TIMEOUT:-20}

lost()
{
	printf 'error: %s\n' "$*" >&2
	exit $E_LOST
}

find_kernel()
{
	KERNEL_IMAGE=$O/kernel/$KERNEL/$IMAGE
	if [[ $KERNEL == */* ]]; then
		KERNEL_IMAGE=$KERNEL
		KERNEL=$(basename "$KERNEL")
	fi
	[ -r "$KERNEL_IMAGE" ] ||
		lost "no kernel $(show_path "$KERNEL_IMAGE"); build it: make kernel-$KERNEL"
}

# busybox and guest-init: all that is needed to reach the host's files.
make_initramfs()
{
	local busybox tmp

	INITRAMFS=$O/guest/initramfs.cpio
	busybox=$(command -v busybox) || lost "busybox is missing; run: make setup"
	[ -z "$CROSS" ] || busybox=$O/root/bin/busybox
	[ "$INITRAMFS" -nt "$TOP/harness/guest/init" ] &&
		[ "$INITRAMFS" -nt "$busybox" ] && return
	mkdir -p "$O/guest"
	tmp=$(mktemp -d "$O/guest/initramfs.XXXXXX")
	mkdir "$tmp/bin"
	cp "$busybox" "$tmp/bin/busybox"
	cp "$TOP/harness/guest/init" "$tmp/init"
	(cd "$tmp" && printf '%s\n' init bin bin/busybox |
		cpio -o -H newc --quiet --owner 0:0) >"$tmp.cpio"
	mv "$tmp.cpio" "$INITRAMFS"
	rm -r "$tmp"
}

# Options common to the probe and the real guest.
qemu_base()
{
	qemu=("$QEMU" "${MACHINE[@]}" -nodefaults -display none -no-reboot -kernel "$KERNEL_IMAGE"
	      -initrd "$INITRAMFS")
	# A busy host stops a guest for long.
	append="console=$CONSOLE panic=-1 oops=panic rcupdate.rcu_cpu_stall_timeout=300 watchdog_thresh=60 sysctl.kernel.hung_task_timeout_secs=600"
}

# A /dev/kvm is no proof that it can run a guest: start one with this kernel.
# The answer is kept until the machine reboots or the kernel changes.
kvm_works()
{
	local boot_id cache=$O/guest/kvm-$KERNEL console=$O/guest/kvm-$KERNEL.log

	boot_id=$(cat /proc/sys/kernel/random/boot_id)
	if [ "$cache" -nt "$KERNEL_IMAGE" ] && grep -q "$boot_id" "$cache"; then
		grep -q ' yes$' "$cache"
		return
	fi

	qemu_base
	{
		timeout -k 1 "$PROBE_TIMEOUT" "${qemu[@]}" -accel kvm -cpu host \
			-m 256 -append "$append guest_probe=1" -serial stdio \
			</dev/null || true
	} >"$console" 2>&1
	if grep -q guest-probe-ok "$console"; then
		echo "$boot_id yes" >"$cache"
	else
		echo "$boot_id no" >"$cache"
		return 1
	fi
}

choose_accelerator()
{
	if [ "$ICOUNT" ]; then
		SMP=1
		ACCEL=icount
		accel=(-accel "tcg,thread=single" -icount "shift=0,sleep=off"
		       -cpu "$TCG_CPU")
	elif [ -z "$CROSS" ] && kvm_works; then
		ACCEL=kvm
		accel=(-accel kvm -cpu host)
	else
		# On a busy host the guest measures its timers wrongly: a TSC
		# several times too fast or slow makes its timeouts mean
		# nothing, a timer interrupt that comes late is a panic.
		# Each store to a page of which code has been translated is
		# slow.  A small buffer is flushed before there are many.
		ACCEL=tcg
		accel=(-accel "tcg,thread=multi,tb-size=64" -cpu "$TCG_CPU")
		APPEND="tsc=unstable no_timer_check${APPEND:+ $APPEND}"
	fi
}

# Bytes of a size like 512M or 2G; plain numbers are megabytes, as for QEMU.
size_in_bytes() { numfmt --from=iec "${1/%[0-9]/${1: -1}M}"; }

# Two NUMA nodes with half of the memory each; QEMU spreads the CPUs.
memory_options()
{
	local half

	half=$(($(size_in_bytes "$MEM") / 2))
	memory=(-m "$((half * 2))B" -smp "$SMP"
		-object "memory-backend-ram,id=m0,size=${half}B"
		-object "memory-backend-ram,id=m1,size=${half}B"
		-numa "node,memdev=m0" -numa "node,memdev=m1")
}

# share TAG PATH OPTION: a 9p share; QEMU wants commas in values doubled.
share()
{
	shares+=(-virtfs "local,mount_tag=$1,path=${2//,/,,},security_model=none,multidevs=remap,$3")
}

# The command, with what it needs to know of the host's environment.
write_command()
{
	{
		printf 'export %s=%q\n' HOME "$HOME" TERM "${TERM:-dumb}" \
			PATH "$O/bin:$PATH:/usr/sbin:/sbin" TOP "$TOP" O "$O" \
			OUT "$OUT" KERNEL "$KERNEL"
		printf 'cd %q || exit\n' "$PWD"
		printf '%s\n' "${CMD:-$SHELL_COMMAND}"
	} >"$OUT/cmd"
}

prepare_out()
{
	if [ -z "${OUT:-}" ]; then
		mkdir -p "$O/guest/run"
		OUT=$(mktemp -d "$O/guest/run/$KERNEL.XXXXXX")
	fi
	mkdir -p "$OUT"
	OUT=$(realpath "$OUT")
	rm -f "$OUT"/{cmd,console,output,status,qemu}
	touch "$OUT/console" "$OUT/output"
	write_command
}

compose_qemu()
{
	local rows cols

	qemu_base
	memory_options
	shares=()
	if [ "$CROSS" ]; then
		share host "$O/root" readonly=on
		share files / readonly=on
		append+=" guest_top=$TOP guest_o=$O"
	else
		share host / readonly=on
	fi
	share run "$OUT" readonly=off
	qemu+=("${accel[@]}" "${memory[@]}" "${shares[@]}"
	       -device virtio-rng-pci -device virtio-serial-pci
	       -serial "file:$OUT/console")
	[ -z "$DISK" ] || qemu+=(-drive "file=${DISK//,/,,},if=virtio,format=raw")
	[ -z "$GDB" ] || qemu+=(-gdb "unix:path=$GDB,server=on,wait=off")
	[ -z "$MONITOR" ] || qemu+=(-monitor "unix:$MONITOR,server=on,wait=off"
				    -device vmcoreinfo)
	append+=" guest_name=$KERNEL guest_run=$OUT${SWAP:+ guest_swap=$SWAP}"
	if [ "$CMD" ]; then
		qemu+=(-chardev "file,id=out,path=/dev/stdout"
		       -device "virtserialport,chardev=out,nr=1")
	else
		read -r rows cols < <(stty size)
		append+=" guest_rows=$rows guest_cols=$cols"
		qemu+=(-chardev "stdio,id=tty,mux=on,signal=off"
		       -device "virtconsole,chardev=tty")
	fi
	qemu+=(-append "$append${APPEND:+ $APPEND}")
	printf '%s\n' "${qemu[*]@Q}" >"$OUT/qemu"
	say "boot $KERNEL ($ACCEL)" >&2
	note "$(<"$OUT/qemu")" >&2
}

# QEMU opens its stdout anew, and would truncate a file: give it a pipe.  (Its
# stdio is no way out: the end of stdin disconnects the guest.)
run_command()
{
	local pipe=$OUT/pipe reader writer

	rm -f "$pipe"
	mkfifo "$pipe"
	tee "$OUT/output" <"$pipe" &
	reader=$!
	timeout -k 5 "$TIMEOUT" "${qemu[@]}" </dev/null >"$pipe" &
	writer=$!
	trap 'kill $writer' INT TERM HUP
	wait $writer || qemu_status=$?
	trap - INT TERM HUP
	wait $reader
	rm "$pipe"
}

run_guest()
{
	qemu_status=0
	if [ "$CMD" ]; then
		run_command
	else
		note "C-a x ends the guest" >&2
		"${qemu[@]}" || qemu_status=$?
	fi
}

verdict()
{
	local status=$E_LOST what

	if [ $qemu_status -eq 124 ]; then
		status=$E_TIMEOUT
		what="TIMEOUT: the guest hung or took longer than $TIMEOUT s"
	elif [ -s "$OUT/status" ]; then
		status=$(<"$OUT/status")
		what="command exited with $status"
	elif [ $qemu_status -ne 0 ]; then
		what="QEMU failed or was killed (exit $qemu_status)"
	else
		what="guest LOST: it ended without handing back a status"
	fi
	if ! "$TOP/harness/guest/console-check.sh" "$OUT/console" >&2; then
		status=$E_SPLAT
		what+="; the KERNEL COMPLAINED"
	elif [ "$status" -ge $E_TIMEOUT ]; then
		tail -n 10 "$OUT/console" | tr -d '\r' | sed 's/^/    | /' >&2
	fi
	note "$KERNEL: $what ($SECONDS s, console $(show_path "$OUT/console"))" >&2
	exit "$status"
}

[ "$CMD" ] || [ -t 0 ] || lost "stdin is no terminal: say CMD='command to run'"
command -v "$QEMU" >/dev/null || lost "$QEMU is missing; run: make setup"
find_kernel
make_initramfs
choose_accelerator
prepare_out
compose_qemu
run_guest
verdict
