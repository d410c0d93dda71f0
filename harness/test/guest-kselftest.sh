#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# guest-kselftest.sh DIR SECONDS [VMAFRAG]: in the guest, run every test program in
# DIR, each for SECONDS at most.  Leaves OUT/NAME.tap for each and OUT/results: NAME,
# exit status, seconds.  With VMAFRAG, OUT/NAME.frag has what that says of each
# process of it.

set -uo pipefail

HUGE_PAGES_PER_NODE=24

for node in /sys/devices/system/node/node?; do
	echo $HUGE_PAGES_PER_NODE \
		>"$node/hugepages/hugepages-2048kB/nr_hugepages"
done
cd "$1" || exit
for test in *; do
	start=$SECONDS status=0
	look=(${3:+"$3" -t -o "$OUT/$test.frag" -e})
	"${look[@]}" timeout -k 5 "$2" "./$test" >"$OUT/$test.tap" 2>&1 \
		</dev/null || status=$?
	printf '%s %d %d\n' "$test" $status $((SECONDS - start)) |
		tee -a "$OUT/results"
done
