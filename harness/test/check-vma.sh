#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's user-space tests of mm/vma.c, tools/testing/vma: one result each.
#
# build() is called by phase:
# shellcheck disable=SC2317

set -euo pipefail
. "$(dirname "$0")/../lib.sh"

src=$O/src/exp dir=$O/vma log=$O/vma/run.log

# Its makefile writes where it is: copy that, and link all else.
build()
{
	rm -rf "$dir"
	mkdir -p "$dir/tools/testing"
	ln -s "$src"/{include,lib,mm} "$dir"
	ln -s "$src"/tools/{arch,include,lib} "$dir/tools"
	cp -r "$src"/tools/testing/{vma,shared} "$dir/tools/testing"
	make -C "$dir/tools/testing/vma" CC="$CC"
}

# One result for each test that vma.c names; those that fail are in the log.
results()
{
	local name

	sed -n 's/^\tTEST(\(\w*\));$/\1/p' "$src/tools/testing/vma/vma.c" |
		while read -r name; do
			if grep -q "^Test $name FAILED" "$log"; then
				echo "not ok - $name"
			else
				echo "ok - $name"
			fi
		done
}

RERUN="make check-vma" phase vma-build build
status=0
"$dir/tools/testing/vma/vma" >"$log" 2>&1 || status=$?
sed 's/^/# /' "$log"
if ! planned=$(grep -oP '^\d+(?= tests run)' "$log"); then
	echo "not ok - runs to its end (exit status $status)"
	exit 1
fi
echo "1..$planned"
results
exit $status
