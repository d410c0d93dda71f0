#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# guest-coverage.sh DIR: in the guest, run every test program in DIR (the KUnit
# suites ran at boot), use the files in debugfs, and hand out what the kernel
# counted: OUT/gcov.

set -euo pipefail

# That of the KUnit suites, or pages of the selftests would go there: they know of one.
mknod /tmp/anon_space_swap b 1 0
! grep -q anon_space_swap /proc/swaps || swapoff /tmp/anon_space_swap
"$(dirname "$0")/guest-kselftest.sh" "$1" 900
cd /sys/kernel/debug/anon_space
echo $$ >validate
echo 0 >validate
cat validate
cd /sys/kernel/debug/gcov
# In folders as those of the build.
find . -name '*.gcda' -path '*/kernel/coverage/*' | while read -r data; do
	to=$OUT/gcov/${data#*/kernel/coverage/}
	mkdir -p "$(dirname "$to")"
	# cp stops at the size, which debugfs says is 0
	cat "$data" >"$to"
done
