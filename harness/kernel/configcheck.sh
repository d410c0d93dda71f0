#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# configcheck.sh ASKED ACTUAL: fail, naming each line, unless every symbol that
# ASKED sets (the last line counts) has that value in the ACTUAL .config.
set -euo pipefail

awk '
	function fail(text) { print "config: " text; failed = 1 }

	/^# CONFIG_[A-Za-z0-9_]+ is not set$/ { $0 = $2 "=n" }
	!/^CONFIG_/ { next }
	{
		symbol = substr($0, 1, index($0, "=") - 1)
		value = substr($0, index($0, "=") + 1)
	}
	FNR == NR { asked[symbol] = value; next }
	{ actual[symbol] = value }

	END {
		for (symbol in asked) {
			is = symbol in actual ? actual[symbol] : "n"
			if (is != asked[symbol])
				fail(symbol "=" asked[symbol] " asked, " is " built")
		}
		if (!length(actual))
			fail("no configuration found")
		exit failed
	}
' "$1" "$2"
