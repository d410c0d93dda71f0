# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: 4 heaps that commit 70,000 regions of one reservation in turn, as .NET does
# runs: 1
# table: yes
"$O/bin/bench-commit" 4 70000 "$RESULTS"
