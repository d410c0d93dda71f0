#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# checkpatch --strict on every patch and on every kernel file of ours.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# FILE_PATH_CHANGES asks for MAINTAINERS, which this project does not edit.
options=(--strict --terse --no-summary --showfile --show-types
	 --root="$O/src/exp" --ignore FILE_PATH_CHANGES)
failed=0 count=0

# check NAME ARGUMENT...
check()
{
	local name=$1 out
	shift
	count=$((count + 1))

	if out=$("$O/src/exp/scripts/checkpatch.pl" "${options[@]}" "$@" 2>&1)
	then
		echo "ok - $name"
	else
		echo "not ok - $name"
		printf '%s\n' "$out" | sed 's/^/#   /'
		failed=1
	fi
}

trap 'rm -f "$O"/src/exp/.checkpatch-camelcase.*' EXIT

# Outside a git repository checkpatch leaves out spdxcheck, which wants the
# kernel's own.
cd "$O/src/exp"
while read -r f; do
	check "$f" "$TOP/patches/$f"
done < <("$TOP/scripts/tree.py" list-patches)
while read -r f; do
	check "$f" -f "$f"
done < <("$TOP/scripts/tree.py" list-ours)
[ $count -gt 0 ] || echo "ok - no patch and no kernel file of ours"
exit $failed
