# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: bash that forks 10,000 times, and executes every second time
# runs: 1
# A static program, so that what the kernel does is not lost in the linker.
cp /bin/busybox "$RUN/true"
from_here
# shellcheck disable=SC2016
bash -c 'i=0; while [ $i -lt 5000 ]; do ./true; : $(:); i=$((i + 1)); done'
