#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# guest-coverage.sh DIR: in the guest, run every test program in DIR (the KUnit
# suites ran at boot), use the files in debugfs, and hand out what the kernel
# counted: OUT/gcov.

set -euo pipefail

"$(dirname "$0")/guest-kselftest.sh" "$1" 900
cd /sys/kernel/debug/anon_space
echo $$ >validate
echo 0 >validate
cat validate
mkdir -p "$OUT/gcov"
find /sys/kernel/debug/gcov -name '*anon_*.gcda' | while read -r data; do
	# cp stops at the size, which debugfs says is 0
	cat "$data" >"$OUT/gcov/$(basename "$data")"
done
