# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: KSM: 50 processes of 400 equal pages, reclaimed, then written
# table: yes
# What ksmd does is not in the control group; its ticks are.
ticks() { awk '{ print $14 + $15 }' "/proc/$(pgrep -x ksmd)/stat"; }
before=$(ticks)
"$O/bin/bench-equal" 50 400 "$CGROUP" "$RESULTS"
result ksmd $((($(ticks) - before) * 10000000)) insn
