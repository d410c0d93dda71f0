#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run shellcheck on every shell script of ours, found by its name or first line.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
cd "$TOP"

failed=0
while read -r f; do
	if out=$(shellcheck "$f" 2>&1); then
		echo "ok - $f"
	else
		echo "not ok - $f"
		printf '%s\n' "$out" | sed 's/^/#   /'
		failed=1
	fi
done < <(git ls-files -co --exclude-standard |
	 while read -r f; do
		[ -f "$f" ] || continue
		case $f in
		*.sh) echo "$f" ;;
		*) head -n 1 "$f" | grep -aqE '^#!.*\b(ba|da)?sh\b' && echo "$f" ;;
		esac
	 done || true)
exit $failed
