#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests of what runs and judges the scenarios: whatever goes wrong must be
# reported as such.  Usage: run.sh BIN
#
# Prints one line per test in TAP; fails if any test does.

set -euo pipefail
# shellcheck source=harness/tap.sh
. "$(dirname "$0")/../../harness/tap.sh"

bin=${1:?usage: run.sh BIN}
demo=$(dirname "$0")/../../harness/demo/demo.py
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# busted NAME OUTCOME CONTENTS REASON
busted()
{
	local got rc=0

	got=$("$bin/scenarios" run "busted_$1") || rc=$?
	result "scenario $1" "1: $2 $3 $4" "$rc: $(awk -F '\t' \
		'$1 == "result" { print $3, $6, $7 }' <<<"$got")"
}

busted contents failed no \
	'contents of A+1: found 0x200000001, expected 0x200000000'
busted child failed no \
	'contents of A+1: found 0x200000001, expected 0x200000000'
busted crash failed unknown 'killed: Segmentation fault'
busted crash_in_child failed unknown 'a child was killed: Segmentation fault'
busted unmet failed unknown 'not swapped out'
busted unable cannot-run unknown 'no such device'
busted unverified failed unknown 'no contents were verified'
busted unseen failed unknown 'no map was shown'

# A guest that prints what is on stdin of guest() and ends with a status.
guest()
{
	{
		printf '#!/bin/sh\ncat <<-END\n'
		tr '|' '\t'
		printf 'END\nexit %s\n' "$1"
	} >"$dir/boot"
	chmod +x "$dir/boot"
}

# judges DESCRIPTION EXPECTED OPTION...: what the demo complains of
judges()
{
	local what=$1 expected=$2 rc=0
	shift 2

	"$demo" --boot "$dir/boot" --bin "$bin" --out "$dir" \
		--scenario gather "$@" >"$dir/log" 2>"$dir/errors" || rc=$?
	result "$what" "$expected" "$rc: $(head -n 1 "$dir/errors")"
}

guest 0 <<-END
	map|gather|collected|B+0|1|rw-p|||
	map|gather|collected|B+1|1|rw-p|||missed
	view|gather|collected|2|1
	result|gather|ok|2|1|yes|
END
judges 'missed merges are only counted' '0: ' stock exp
result 'the report has a line for each kernel' 'scenario kernel vmas missed_merges contents_ok
gather stock 2 1 yes
gather exp 2 1 yes' "$(tr '\t' ' ' <"$dir/report/demo.tsv")"
judges 'our kernel must merge' \
	'1: error: gather on exp: 1 missed merges' --expect-merged stock exp
judges 'a stock kernel need not merge' '0: ' --expect-merged stock

guest 1 <<-END
	result|gather|failed|2|0|no|contents of B+1
END
judges 'lost contents' '1: error: gather on exp: failed: contents of B+1' exp
guest 1 <<-END
	result|gather|cannot-run|0|0|unknown|no such device
END
judges 'a scenario that cannot run' \
	'1: error: gather on exp: cannot-run: no such device' exp
guest 0 </dev/null
judges 'a scenario that did not run' \
	'1: error: gather on exp: not-run: it did not end' exp
guest 125 <<-END
	map|gather|collected|B+0|1|rw-p|||
	result|gather|ok|1|0|yes|
END
judges 'a guest that is lost' \
	'1: error: guest with exp: the guest was lost' exp
guest 126 <<-END
	result|gather|ok|1|0|yes|
END
judges 'a kernel that complains' \
	'1: error: guest with exp: the kernel complained' exp

tap_end
