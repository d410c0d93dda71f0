#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# model.sh: compare what kernels do to anonymous memory with a model of it, for
# small pages, large folios and huge pages.
#
# MODEL_SECONDS=60 in all, SEED=, CASE=N:NUMBER UNIT=4096 for one case.  On stock
# contents and errno must be those of the model, on ours VMAs as well.

set -euo pipefail
# shellcheck source=harness/lib.sh
. "$(dirname "$0")/../lib.sh"

MODEL_SECONDS=${MODEL_SECONDS:-60}
SEED=${SEED:-$(date +%s)}
CASE=${CASE:-}
PATIENCE=1800
# Of twelve parts of the time
SHARES=(exp:4096:5 exp:65536:2 exp:2097152:2 stock:4096:2 stock:2097152:1)

failed=0
log=$O/log/model.log

# guest KERNEL SECONDS OPTION...
guest()
{
	local kernel=$1 seconds=$2
	shift 2

	KERNEL=$kernel SMP=1 SWAP=512M TIMEOUT=$((seconds + PATIENCE)) \
		OUT=$O/guest/model CMD="$O/bin/model $*" \
		"$TOP/harness/guest/boot.sh" >"$log" 2>&1
}

# result GOOD DESCRIPTION
result()
{
	if [ "$1" -eq 0 ]; then
		printf 'ok - %s\n' "$2"
		return
	fi
	failed=1
	printf 'not ok - %s\n' "$2"
	sed -n '/^seed\|^FAILED/,$p' "$log" | head -n 60 | sed 's/^/# /'
}

# compare KERNEL UNIT SHARE
compare()
{
	local seconds=$((MODEL_SECONDS * $3 / 12)) rc=0 options=()

	[ "$1" != stock ] || options=(-k)
	if [ -n "$CASE" ]; then
		options+=(-c "$CASE")
	else
		options+=(-s "$SEED" -T "$seconds")
	fi
	guest "$1" "$seconds" -u "$2" "${options[@]}" || rc=$?
	result $rc "$1, units of $2 bytes, seed $SEED: $(grep -h \
		'cases of\|^case' "$log" || echo "status $rc")"
}

# What cannot fail says nothing: stock does not merge as the model does.
stock_fails()
{
	local rc=0

	guest stock "$PATIENCE" -T "$PATIENCE" -n 5000 -s 1 || rc=$?
	if [ "$rc" -eq 1 ]; then
		rc=0
		grep -q '^FAILED: .*a VMA of' "$log" || rc=1
	fi
	result "$rc" 'stock does not merge as the model does'
}

mkdir -p "$O/log"
if [ -n "$CASE" ]; then
	compare exp "${UNIT:-4096}" 0
	exit $failed
fi
for share in "${SHARES[@]}"; do
	IFS=: read -r kernel unit part <<<"$share"
	compare "$kernel" "$unit" "$part"
done
stock_fails
exit $failed
