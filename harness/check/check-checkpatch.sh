#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# checkpatch --strict on every patch and on every kernel file of ours.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# FILE_PATH_CHANGES asks for MAINTAINERS, which this project does not edit, and
# UNDOCUMENTED_SETUP for kernel-parameters.txt. The others mistake a table of
# names that is expanded twice (anon_space_debug.h) and a forward declaration.
ignored=(FILE_PATH_CHANGES UNDOCUMENTED_SETUP COMPLEX_MACRO MACRO_ARG_UNUSED
	 BRACKET_SPACE CONST_STRUCT)
options=(--strict --terse --no-summary --showfile --show-types
	 --root="$O/src/exp" --ignore "$(IFS=,; echo "${ignored[*]}")")
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
	# Some only bring files of ours, which come below.
	! grep -q '^diff ' "$TOP/patches/$f" || check "$f" "$TOP/patches/$f"
done < <("$TOP/harness/tree/tree.py" list-patches)
# The macros of kselftest_harness.h look like functions and multiplications, and
# those of trace events like calls.
while read -r f; do
	case $f in
	tools/testing/selftests/*)
		check "$f" --ignore SPACING,LINE_SPACING,EMBEDDED_FUNCTION_NAME,VOLATILE -f "$f" ;;
	include/trace/events/*)
		check "$f" --ignore TRAILING_SEMICOLON,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT -f "$f" ;;
	*)
		check "$f" -f "$f" ;;
	esac
done < <("$TOP/harness/tree/tree.py" list-ours)
[ $count -gt 0 ] || echo "ok - no patch and no kernel file of ours"
exit $failed
