#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernels have the configuration asked for, in their image if they were built;
# stock and exp differ in nothing but their name and our own symbols; uname -r
# tells them apart.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
cd "$O/kernel"

failed=0

# report STATUS NAME [DETAILS]
report()
{
	if [ "$1" -eq 0 ]; then
		echo "ok - $2"
		return
	fi
	echo "not ok - $2"
	printf '%s\n' "$3" | sed 's/^/#   /'
	failed=1
}

# Symbols that may differ between a stock kernel and ours.
own=$(cat "$TOP"/configs/exp*.config 2>/dev/null |
	sed -n 's/^\(CONFIG_[A-Z0-9_]*\)=.*/\1/p' || true)
own=$(printf '%s\n' CONFIG_LOCALVERSION ANON_SPACE "$own" | sed '/^$/d')

# config_of KERNEL: that of the image, or what an image would be built with
config_of()
{
	if [ "$1/built.config" -nt "$1/.config" ]; then
		echo "$1/built.config"
	else
		echo "$1/.config"
	fi
}

for k in stock exp debug stock-debug; do
	rc=0
	out=$("$TOP/harness/kernel/configcheck.sh" $k/asked.config \
		"$(config_of $k)") || rc=1
	report $rc "$k has the configuration asked for" "$out"
	rc=0
	release=$(cat $k/include/config/kernel.release)
	[[ $release == 6.12.*-anon-$k ]] || rc=1
	report $rc "$k calls itself $release" "expected 6.12.x-anon-$k"
done

# compare A B: the configurations of two kernels, without what may differ
compare()
{
	local rc=0 out

	out=$(diff <(grep CONFIG_ "$(config_of "$1")" | grep -vF "$own" | sort) \
		<(grep CONFIG_ "$(config_of "$2")" | grep -vF "$own" | sort)) ||
		rc=1
	report $rc "$1 and $2 have the same configuration" "$out"
}

compare stock exp
compare stock-debug debug
exit $failed
