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

tap_end()
{
	echo "1..$tests"
	[ "$failed" = 0 ]
}
