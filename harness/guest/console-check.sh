#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# console-check.sh CONSOLE...: fail if a kernel complained on its console.
# Shows the first complaint with its context and the headlines of the others.
# harness/guest/console-splats says what a complaint is, harness/guest/console-allow which
# lines are none, and so does the file $CONSOLE_ALLOW beside it, if that is set.

set -euo pipefail
# shellcheck source=harness/lib.sh
. "$(dirname "$0")/../lib.sh"

BEFORE=5
AFTER=40
HEADLINES=10

patterns() { sed '/^#/d; /^$/d' "${@/#/$TOP/harness/guest/}"; }

allowed() { patterns console-allow ${CONSOLE_ALLOW:+"$CONSOLE_ALLOW"}; }

# Headlines of CONSOLE as "line number:text".  A line that only announces another,
# which comes one or two lines later, is allowed with that one.
headlines()
{
	grep -naE -f <(patterns console-splats) "$1" |
		grep -avE -f <(allowed) |
		awk -F: 'FILENAME != "-" { allowed[$1 + 0]; next }
			/\[ cut here/ && ($1 + 1 in allowed || $1 + 2 in allowed) { next }
			{ print }' \
			<(grep -naE -f <(allowed) "$1") - || true
}

check()
{
	local console=$1 found first count

	[ -r "$console" ] || die "cannot read $console"
	found=$(headlines "$console")
	[ "$found" ] || return 0

	first=${found%%:*}
	count=$(wc -l <<<"$found")
	say "kernel complaint in $(show_path "$console"), line $first:"
	awk -v from=$((first - BEFORE)) -v to=$((first + AFTER)) \
		'NR >= from && NR <= to' "$console" | tr -d '\r' | sed 's/^/    | /'
	[ "$count" -eq 1 ] || {
		say "$count such lines:"
		head -n $HEADLINES <<<"$found" | tr -d '\r' | sed 's/^/    | /'
	}
	return 1
}

[ $# -gt 0 ] || die "usage: console-check.sh CONSOLE..."
bad=0
for file; do
	check "$file" || bad=1
done
exit $bad
