# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: realloc() of 20 growing arrays in glibc, then in two processes
# runs: 4
# trace: yes
# table: yes
"$O/bin/bench-realloc" 20
