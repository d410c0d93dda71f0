# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# One line per test in TAP; sourced by the tests.  They end with tap_end, whose status
# says whether all passed.

tests=0 failed=0

# result DESCRIPTION EXPECTED ACTUAL
result()
{
	tests=$((tests + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $tests - $1"
	else
		echo "not ok $tests - $1"
		printf '%s\n' "$2" | sed 's/^/# expected: /'
		printf '%s\n' "$3" | sed 's/^/# got:      /'
		failed=$((failed + 1))
	fi
}

# skip NAME REASON
skip()
{
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# tap_cases [BEFORE]: each function with an underscore in its name is a test, but for those
# of this file; only $T if that is set.  BEFORE comes before each; what a failed one prints
# is shown.
tap_cases()
{
	local case out

	for case in ${T:-$(declare -F |
		sed -n '/ tap_/d; s/^declare -f \([a-z]*_[a-z_]*\)$/\1/p')}; do
		tests=$((tests + 1))
		if out=$(${1:-:} 2>&1 && $case 2>&1); then
			echo "ok $tests - $case"
		else
			echo "not ok $tests - $case"
			printf '%s\n' "$out" | sed 's/^/#   /'
			failed=$((failed + 1))
		fi
	done
}

tap_end()
{
	echo "1..$tests"
	[ "$failed" = 0 ]
}
