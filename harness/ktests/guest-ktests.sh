#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# guest-ktests.sh SUITES: in the guest, run the suites that $T names (default:
# all) in $O/ktests/bin.  Leaves OUT/NAME.log for each and OUT/results: NAME,
# exit status, seconds.  The time limits are multiplied by $SLOW.

set -uo pipefail

HUGE_PAGES_PER_NODE=64

# Tests leave settings behind, or fail where they find little free memory.  Only
# migration wants a third CPU: it sets it online, and all else runs faster on
# a host of two without it.
fresh_settings()
{
	local node

	echo 0 >/sys/devices/system/cpu/cpu2/online
	sysctl -qw vm.drop_caches=3 vm.compact_memory=1
	for node in /sys/devices/system/node/node?; do
		echo $HUGE_PAGES_PER_NODE \
			>"$node/hugepages/hugepages-2048kB/nr_hugepages"
	done
	echo 2 >/sys/kernel/mm/ksm/run
	echo 0 >/sys/kernel/mm/ksm/run
	echo 0 >/sys/kernel/mm/ksm/use_zero_pages
	echo 1 >/sys/kernel/mm/ksm/merge_across_nodes
}

run_suite()
{
	local name=$1 limit=$(($2 * SLOW)) start=$SECONDS status=0
	shift 2

	fresh_settings
	timeout -k 5 $limit sh -c "$*" >"$OUT/$name.log" 2>&1 </dev/null ||
		status=$?
	printf '%s %d %d\n' "$name" $status $((SECONDS - start)) |
		tee -a "$OUT/results"
}

PATH=$PATH:$(realpath "$(dirname "$1")")
cd "$O/ktests/bin" || exit
while read -r name limit command; do
	if [[ $name == "#"* || -z $name || $limit == skip || $limit == host ]] ||
	   [[ -n ${T:-} && " $T " != *" $name "* ]]; then
		continue
	fi
	run_suite "$name" "$limit" "$command"
done <"$1"
