#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests of the harness itself: whatever goes wrong must be reported as just
# that.  One function a case, TAP on stdout.  T=NAME runs one case, V=1 shows
# the output of all, not only of those that fail.
#
# Text in single quotes is for other shells; every case has a $tmp of its own:
# shellcheck disable=SC2016,SC2030,SC2031

set -uo pipefail
# shellcheck source=harness/lib.sh
. "$(dirname "$0")/../../harness/lib.sh"

cd "$TOP" || exit
KERNEL=stock
QEMU=${QEMU:-qemu-system-x86_64}
TIMEOUT=600
export KERNEL QEMU TIMEOUT
export CMD='' OUT='' APPEND='' SWAP='' ICOUNT='' SMP='' MEM=''

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# expect STATUS COMMAND...: run it, keep stdout and all output.
expect()
{
	local want=$1 got=0
	shift

	"$@" >"$tmp/stdout" 2>"$tmp/stderr" </dev/null || got=$?
	cat "$tmp/stdout" "$tmp/stderr"
	[ "$got" -eq "$want" ] && return
	echo "exit status $got of: $*; expected $want"
	return 1
}

# says REGEX...: each must be in the output of the last expect.
says()
{
	local regex

	for regex; do
		grep -qE -- "$regex" "$tmp/stdout" "$tmp/stderr" || {
			echo "expected in the output: $regex"
			return 1
		}
	done
}

boot() { harness/guest/boot.sh; }

# A stand-in for QEMU, $1 being its body; "$@" are QEMU's arguments.
fake_qemu()
{
	printf '#!/bin/bash\n%s\n' "$1" >"$tmp/qemu"
	chmod +x "$tmp/qemu"
	REAL=$(command -v "$QEMU")
	QEMU=$tmp/qemu
	export REAL QEMU
}

# An output directory of our own, with the real kernels.
private_output()
{
	mkdir "$tmp/build"
	ln -s "$O/kernel" "$tmp/build/kernel"
	export O=$tmp/build
}

### Guests

test_guest_status() # the exit status of CMD is handed back
{
	CMD='exit 37' expect 37 boot && says 'command exited with 37'
}

test_guest_output() # stdout has what CMD prints, and nothing else
{
	CMD='printf "out\n"; echo err >/dev/stderr; printf "\0\r\n"' \
		expect 0 boot || return
	printf 'out\nerr\n\0\r\n' | cmp - "$tmp/stdout"
}

test_guest_kernel() # the kernel that runs is the one asked for
{
	CMD='uname -r' expect 0 boot && says '^6\.12\.[0-9]+-anon-stock$'
}

test_guest_files() # host files are readable and stay as they are, $OUT comes back
{
	export OUT=$tmp/results
	CMD='cmp Makefile Makefile && echo changed >Makefile &&
	     grep -q changed Makefile && echo result >$OUT/file' expect 0 boot ||
		return
	grep -q result "$OUT/file" && ! grep -qx changed Makefile
}

test_guest_machine() # the guest has the CPUs, nodes, memory and swap asked for
{
	SMP=3 MEM=1G SWAP=64M CMD='nproc
		ls -d /sys/devices/system/node/node?
		cat /proc/swaps' expect 0 boot &&
		says '^3$' 'node1$' '/dev/zram0.*[[:space:]]65532'
}

test_guest_shell() # without CMD there is a shell on the terminal
{
	local status=0

	while sleep 1; do echo 'echo $((6 * 7)); exit 5'; done |
		timeout "$TIMEOUT" script -qec harness/guest/boot.sh /dev/null \
			>"$tmp/stdout" || status=$?
	cat "$tmp/stdout"
	: >"$tmp/stderr"
	[ $status -eq 5 ] && says '42[[:space:]]*$'
}

test_guest_icount() # counting instructions works
{
	ICOUNT=1 CMD='nproc' expect 0 boot && says '^1$' '-icount'
}

test_guest_needs_command() # no CMD and no terminal: one clear line
{
	expect 125 boot && says 'stdin is no terminal'
}

### Failures of the guest

test_panic() # a panic fails the run and is shown
{
	CMD='echo c >/proc/sysrq-trigger; sleep 100' expect 126 boot &&
		says 'Kernel panic - not syncing: sysrq triggered crash' \
		     'KERNEL COMPLAINED'
}

test_warning() # a warning fails a run whose command succeeded
{
	CMD='echo "<4>WARNING: CPU: 0 PID: 1 at mm/x.c:1" >/dev/kmsg' \
		expect 126 boot && says 'mm/x.c:1' 'command exited with 0'
}

test_hang() # a guest that hangs is ended and said to hang
{
	TIMEOUT=15 CMD='sleep 1000' expect 124 boot && says 'TIMEOUT'
}

test_lost() # a guest that ends without a status is lost
{
	CMD='busybox poweroff -f' expect 125 boot && says 'guest LOST'
}

test_killed() # a QEMU that dies is said to be dead
{
	fake_qemu 'exec timeout -s KILL 6 "$REAL" "$@"'
	CMD='sleep 1000' expect 125 boot && says 'QEMU failed or was killed'
}

test_leftover() # a process that CMD leaves behind does not hold the guest up
{
	CMD='sleep 1000 & exit 3' expect 3 boot
}

test_console() # each line of splats.txt is a complaint, none of clean.txt is
{
	local line

	expect 0 harness/guest/console-check.sh tests/harness/clean.txt || return
	CONSOLE_ALLOW=console-allow-inject \
		expect 0 harness/guest/console-check.sh tests/harness/clean-inject.txt ||
		return
	while read -r line; do
		echo "$line" >"$tmp/console"
		expect 1 harness/guest/console-check.sh "$tmp/console" || return
	done <tests/harness/splats.txt
}

### Failures before a guest runs

test_no_kernel() # a missing kernel is said to be missing
{
	KERNEL=$tmp/bzImage CMD=true expect 125 boot && says 'no kernel .*bzImage'
}

test_no_qemu() # a missing QEMU is said to be missing
{
	QEMU=$tmp/none CMD=true expect 125 boot && says 'none is missing'
}

test_kvm_refuses() # KVM that fails at once: TCG, asked once only
{
	private_output
	fake_qemu '[[ $* != *"-accel kvm"* ]] || { echo kvm >>'"$tmp/asked"'; exit 1; }
		exec "$REAL" "$@"'
	CMD=true expect 0 boot && says 'boot stock \(tcg\)' || return
	CMD=true expect 0 boot && says 'boot stock \(tcg\)' || return
	[ "$(wc -l <"$tmp/asked")" -eq 1 ]
}

test_kvm_hangs() # KVM that never starts the guest: TCG
{
	private_output
	fake_qemu '[[ $* != *"-accel kvm"* ]] || exec sleep 1000
		exec "$REAL" "$@"'
	PROBE_TIMEOUT=2 CMD=true expect 0 boot && says 'boot stock \(tcg\)'
}

test_kvm_works() # KVM that runs the probe is used
{
	private_output
	fake_qemu 'args=(); for a; do args+=("${a/#kvm/tcg}"); done
		exec "$REAL" "${args[@]/#host/max}"'
	# It is TCG all the same, which does not like static keys to be patched, and slow.
	APPEND='tsc=unstable no_timer_check' PROBE_TIMEOUT=$TIMEOUT CMD=true expect 0 boot &&
		says 'boot stock \(kvm\)'
}

# The repository in $tmp/repo, with an output directory of its own.
copy_repository()
{
	mkdir -p "$tmp/repo" "$tmp/build/src"
	git ls-files -coz --exclude-standard | xargs -0 cp -P --parents -t "$tmp/repo" || return
	ln -s "$O/src/pristine" "$tmp/build/src"
	cp "$O/src/pristine.stamp" "$tmp/build/src"
	cd "$tmp/repo" || return
	export O=$tmp/build
}

# At the end of the series, a patch of a line that mm/rmap.c does not have.
add_broken_patch()
{
	local file=$O/src/pristine/mm/rmap.c hash

	hash=$(git hash-object "$file")
	{
		printf 'From %040d Mon Sep 17 00:00:00 2001\n' 0
		printf 'From: A Tester <tester@example.org>\n'
		printf 'Date: Thu, 1 Jan 2026 00:00:00 +0000\n'
		printf 'Subject: [PATCH] mm: change a line\n\n---\n'
		printf 'diff --git a/mm/rmap.c b/mm/rmap.c\n'
		printf 'index %s..%040d 100644\n' "$hash" 1
		printf -- '--- a/mm/rmap.c\n+++ b/mm/rmap.c\n'
		printf '@@ -1 +1 @@\n-no such line\n+another line\n'
	} >patches/9999-test.patch
	echo 9999-test.patch >>patches/series
}

test_broken_patch() # a patch that does not fit is named, and stops the build
{
	copy_repository && add_broken_patch || return
	expect 2 make drift && says 'not ok - 9999-test.patch: conflict' &&
		expect 2 make tree && says 'error:.*9999-test.patch' &&
		! test -e "$O/src/exp"
}

### Runner

run_case()
{
	local name=$1 start=$SECONDS what result=ok

	what=$(sed -n "s/^test_$name() # //p" "$0")
	# A subshell, so that no case sees another's settings or files.
	(
		tmp=$tmp/$name
		mkdir "$tmp"
		"test_$name"
	) >"$tmp/$name.log" 2>&1 || result='not ok'
	if [ "$result" != ok ] || [ "$V" = 1 ]; then
		sed 's/^/# /' "$tmp/$name.log"
	fi
	echo "$result $((++count)) - $name: $what ($((SECONDS - start)) s)"
	[ "$result" = ok ]
}

mapfile -t cases < <(sed -n 's/^test_\([a-z_]*\)() #.*/\1/p' "$0")
if [ -n "${T:-}" ]; then
	cases=("$T")
fi
echo "TAP version 13"
echo "1..${#cases[@]}"
count=0 failed=0
for name in "${cases[@]}"; do
	run_case "$name" || : $((failed++))
done
say "harness: $((count - failed)) passed, $failed failed" >&2
[ $failed -eq 0 ]
