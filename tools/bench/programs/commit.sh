# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: 16 heaps that commit 80,000 regions of one reservation in turn, as .NET does
# runs: 1
# table: yes
"$O/bin/bench-commit" 16 80000 "$RESULTS"
