#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# stress.sh [NAME...]: run the memory stressors of stress-ng, and trinity with
# memory calls only, in a guest.  Each gets STRESS_SECONDS=60 and prints a TAP
# line.  Settings: KERNEL= SMP= MEM=2G.
#
# Runs itself in the guest, with --guest as first argument.
#
# Left out are mlockmany, which may hang a machine by its own account, swap,
# which needs a file system to swap to, and vma, which Debian's stress-ng 0.15
# does not have yet.

set -euo pipefail
# shellcheck source=harness/lib.sh
. "$(dirname "$0")/../lib.sh"

STRESS_SECONDS=${STRESS_SECONDS:-60}
export STRESS_SECONDS

# name:options of stress-ng, where they are more than --name 2
STRESSORS=(mmap mmapfork mmapfixed mmapmany mmapaddr mmaphuge munmap mremap
	mprotect brk stack bigheap fork vfork fault vm
	"vm-ksm:--vm 2 --vm-madvise mergeable"
	"vm-thp:--vm 2 --vm-madvise hugepage" vm-rw vm-addr vm-splice madvise userfaultfd numa remap rmap mlock
	pagemove pageswap malloc)
TRINITY_CALLS=(mmap munmap mremap mprotect madvise process_madvise brk mlock
	mlock2 munlock mlockall munlockall mbind set_mempolicy migrate_pages
	move_pages remap_file_pages userfaultfd process_vm_readv
	process_vm_writev mincore msync vmsplice)
TRINITY_CHILDREN=4
TRINITY_SECONDS=60	# at least
# For a stressor to start and to end, on a busy host.
SLACK=900

NOBODY=(setpriv --reuid 65534 --regid 65534 --clear-groups)

# stressor NAME[:OPTIONS]: its exit status decides.
stressor()
{
	local name=${1%%:*} options=("--${1%%:*}" 2) user=()

	[ "$name" = "$1" ] || read -ra options <<<"${1#*:}"
	# As root it poisons its own memory, and dies of it.
	[ "$name" != madvise ] || user=("${NOBODY[@]}")
	timeout $((STRESS_SECONDS + SLACK)) "${user[@]}" stress-ng \
		--verify --oomable --temp-path /tmp --timeout "$STRESS_SECONDS" "${options[@]}"
}

# Endless, and of no opinion: the console decides.  But it has to do something.
trinity_calls()
{
	local calls=() call log=/tmp/trinity.log seconds=$STRESS_SECONDS

	for call in "${TRINITY_CALLS[@]}"; do
		calls+=(-c "$call")
	done
	[ "$seconds" -ge $TRINITY_SECONDS ] || seconds=$TRINITY_SECONDS
	mkdir -p /tmp/trinity
	chmod 777 /tmp/trinity
	cd /tmp/trinity
	# It refuses to run as root, and crashes where it sets up sockets.
	timeout -s INT -k $SLACK "$seconds" "${NOBODY[@]}" trinity -q -l off -a 64 \
		--disable-fds=sockets,pipes,perf,epoll,eventfd,pseudo,timerfd,drm \
		-C $TRINITY_CHILDREN "${calls[@]}" >"$log" 2>&1 || true
	grep -i seed "$log" || true
	tail -n 2 "$log"
	grep -qE 'Ran [1-9][0-9]* syscalls' "$log"
}

# In the guest: one line of tab-separated values for each.
guest()
{
	local item rc start

	echo 1 >/sys/kernel/mm/ksm/run
	for item; do
		rc=0 start=$SECONDS
		if [ "$item" = trinity ]; then
			(trinity_calls) || rc=$?
		else
			stressor "$item" || rc=$?
		fi
		printf 'stress\t%s\t%s\t%s\n' "${item%%:*}" $rc \
			$((SECONDS - start))
	done
}

selected()
{
	local item name

	for name; do
		for item in "${STRESSORS[@]}" trinity; do
			[ "${item%%:*}" != "$name" ] || printf '%s\n' "$item"
		done
	done
}

judge()
{
	local item name line rc seconds bad=0

	for item; do
		name=${item%%:*}
		line=$(grep "^stress	$name	" "$log") || line=
		IFS=$'\t' read -r _ _ rc seconds <<<"$line"
		if [ "$rc" = 0 ]; then
			echo "ok - $name ($seconds s)"
		else
			bad=1
			echo "not ok - $name: status ${rc:-unknown, the guest died}"
		fi
	done
	return $bad
}

if [ "${1:-}" = --guest ]; then
	shift
	guest "$@"
	exit
fi

items=("${STRESSORS[@]}" trinity)
[ $# -eq 0 ] || mapfile -t items < <(selected "$@")
[ ${#items[@]} -gt 0 ] || die "no stressor of that name: $*"
KERNEL=${KERNEL:-exp}
log=$O/log/stress-$(basename "$KERNEL").log
cd "$TOP"
mkdir -p "$O/log"
boot_rc=0
KERNEL=$KERNEL MEM=${MEM:-2G} SWAP=1G OUT=$O/guest/stress \
	TIMEOUT=$((${#items[@]} * (STRESS_SECONDS + SLACK) + 300)) \
	CMD="STRESS_SECONDS=$STRESS_SECONDS harness/stress/stress.sh --guest ${items[*]@Q}" \
	harness/guest/boot.sh >"$log" 2>&1 || boot_rc=$?
rc=0
judge "${items[@]}" || rc=1
if [ $boot_rc -eq 0 ]; then
	echo "ok - the kernel did not complain"
else
	rc=1
	echo "not ok - guest: status $boot_rc, log $(show_path "$log")"
	sed -n '/kernel complaint/,$p' "$log" | head -n 60 | sed 's/^/# /'
fi
exit $rc
