#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# torture.sh PART...: run parts of tools/torture in guests and judge them.
#
#   mix move fork line small
#                  a profile of random operations for TORTURE_SECONDS
#   poison         mix, with pages that are poisoned or taken offline
#   inject         mix, with allocations that fail more and more
#   chains         long chains of moves, generations and children
#   failnth        each allocation of a system call fails in turn; the results
#                  must be among those of the kernel BASE
#
# Settings come from the environment: KERNEL= TORTURE_SECONDS=300 SEED=
# SMP= MEM=2G TREE= (replay one tree of processes) CHAIN_SCALE=1 (divides the
# lengths of chains) BASE=stock-debug.  A part prints a TAP line.

set -euo pipefail
# shellcheck source=harness/lib.sh
. "$(dirname "$0")/../lib.sh"

KERNEL=${KERNEL:-exp}
BASE=${BASE:-stock-debug}
TORTURE_SECONDS=${TORTURE_SECONDS:-300}
SEED=${SEED:-}
TREE=${TREE:-}
CHAIN_SCALE=${CHAIN_SCALE:-1}
# After the time asked for processes have 1080 s to end before they are said
# to hang, and the guest has to boot.
PATIENCE=1800
CHAIN_TIMEOUT=3600
CHAINS=(bounce_private:1000000 bounce_shared:1000000 generations:10000
	orphans:300 children:1000)
# A busy host stops a guest for long: a task may be blocked for nearly as long.
export MEM=${MEM:-2G} SWAP=${SWAP:-1G}
export APPEND="slab_nomerge sysctl.kernel.hung_task_timeout_secs=900${APPEND:+ $APPEND}"

failed=0

# guest NAME KERNEL SECONDS ARGUMENT...: run torture, with its output in a log.
guest()
{
	local name=$1 kernel=$2 seconds=$3
	shift 3

	log=$O/log/torture-$name-$(basename "$kernel").log
	mkdir -p "$O/log"
	KERNEL=$kernel TIMEOUT=$seconds OUT=$O/guest/torture-$name \
		CMD="${tunables:-} $O/bin/torture ${*@Q}" \
		"$TOP/harness/guest/boot.sh" >"$log" 2>&1
}

# verdict NAME STATUS SUMMARY
verdict()
{
	if [ "$2" -eq 0 ]; then
		printf 'ok - %s: %s\n' "$1" "$3"
		return
	fi
	failed=1
	printf 'not ok - %s: status %s, log %s\n' "$1" "$2" "$(show_path "$log")"
	sed -n '/^FAILED\|^torture:\|kernel complaint/,$p' "$log" | head -n 80 | sed 's/^/# /'
}

# random PART OPTION...
random()
{
	local part=$1 rc=0 options=(-T "$TORTURE_SECONDS")
	shift

	[ -z "$SEED" ] || options+=(-s "$SEED")
	[ -z "$TREE" ] || options+=(-t "$TREE")
	[[ $KERNEL == stock* ]] || options+=(-m)
	guest "$part" "$KERNEL" $((TORTURE_SECONDS + PATIENCE)) run \
		"${options[@]}" "$@" || rc=$?
	grep -E '^(seed|without|antagonists|kernel)' "$log" | sed 's/^/# /'
	verdict "$part" $rc "$(grep ' operations, ' "$log")"
}

# The kernel kills a thread whose rseq area it cannot write to: without one, as
# the page of that may just be copied after a fork, for which memory is short.
inject()
{
	local tunables=GLIBC_TUNABLES=glibc.pthread.rseq=0

	CONSOLE_ALLOW=console-allow-inject random inject -i
}

chains()
{
	local chain name count rc

	for chain in "${CHAINS[@]}"; do
		name=${chain%:*} count=$((${chain#*:} / CHAIN_SCALE)) rc=0
		guest "$name" "$KERNEL" "$CHAIN_TIMEOUT" chain "$name" \
			"$count" || rc=$?
		verdict "$name" $rc "$(grep "^# $count generations\|^# .* objects" \
			"$log" | tail -n 1), $count times"
	done
}

# results LOG: lines of "CALL<tab>RESULT", without the counts.
results()
{
	awk -F '\t' '/^failnth/ {
		n = split($4, result, /, /)
		for (i = 1; i <= n; i++) {
			sub(/ .*/, "", result[i])
			print $2 "\t" result[i]
		}
	}' "$1" | sort
}

failnth()
{
	local rc=0 base new

	guest failnth "$BASE" "$CHAIN_TIMEOUT" failnth || rc=$?
	base=$log
	verdict "failnth on $BASE" $rc "$(grep -c ^failnth "$log") calls"
	rc=0
	guest failnth "$KERNEL" "$CHAIN_TIMEOUT" failnth || rc=$?
	verdict "failnth" $rc "$(grep -c ^failnth "$log") calls"
	paste <(grep ^failnth "$base") <(grep ^failnth "$log" | cut -f 3-) |
		sed 's/^/# /'
	new=$(comm -13 <(results "$base") <(results "$log"))
	if [ "$new" ]; then
		failed=1
		echo "not ok - failnth: results that $BASE does not have"
		printf '%s\n' "$new" | sed 's/^/# /'
	else
		echo "ok - failnth: no result that $BASE does not have"
	fi
}

[ $# -gt 0 ] || die "usage: torture.sh PART..."
for part; do
	case $part in
	mix|move|fork|line|small)	random "$part" -p "$part" ;;
	poison)		random poison -x ;;
	inject)		inject ;;
	chains)		chains ;;
	failnth)	failnth ;;
	*)		die "no part $part" ;;
	esac
done
exit $failed
