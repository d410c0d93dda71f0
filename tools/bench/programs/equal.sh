# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: KSM: 50 processes of 400 equal pages, reclaimed, then written
# runs: 4
# table: yes
# What ksmd does belongs to it.
trap 'pgrep -x ksmd >"$CGROUP/../cgroup.procs"' EXIT
pgrep -x ksmd >"$CGROUP/cgroup.procs"
"$O/bin/bench-equal" 50 400 "$CGROUP" "$RESULTS"
