#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernel-doc: files of ours give no warning and document every non-static
# function with its Context:; patched files give no warning that the pristine
# ones do not.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# warnings SOURCE FILE: warnings without line numbers
warnings()
{
	cd "$O/src/$1" || return
	[ -e "$2" ] || return 0
	perl scripts/kernel-doc -none -Wall "$2" 2>&1 |
		sed 's/:[0-9]*: /: /' | sort -u
}

# undocumented FILE: non-static functions without kernel-doc or Context:
undocumented()
{
	awk '
		/^\/\*\*/ { doc = 1; context = 0; next }
		doc && /^ \* Context:/ { context = 1 }
		doc == 1 && /^ \*\// { doc = 2; next }
		/^}/ || /^$/ { doc = 0; next }
		/^[a-z][A-Za-z0-9_ *]*[ *][a-z_0-9]+\(/ && !/^static / && !/;$/ {
			name = $0
			sub(/\(.*/, "", name)
			sub(/.*[ *]/, "", name)
			if (doc != 2)
				print name "() has no kernel-doc"
			else if (!context)
				print name "() has no Context:"
		}
	' "$1"
}

failed=0
report()
{
	if [ -z "$2" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		printf '%s\n' "$2" | sed 's/^/#   /'
		failed=1
	fi
}

count=0
while read -r f; do
	case $f in
	tools/*|Documentation/*) continue ;;
	*.[ch]) ;;
	*) continue ;;
	esac
	count=$((count + 1))
	report "$f" "$(comm -13 <(warnings pristine "$f") <(warnings exp "$f"))"
	case $f in
	lib/tests/*|*_kunit.c|*.h) continue ;;
	esac
	[ -e "$O/src/pristine/$f" ] ||
		report "$f: every function" "$(undocumented "$O/src/exp/$f")"
done < <("$TOP/harness/tree/tree.py" list-patched; "$TOP/harness/tree/tree.py" list-ours)
[ $count -gt 0 ] || echo "ok - no C file is patched or added"
exit $failed
