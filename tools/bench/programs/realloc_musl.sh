# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: realloc() of 20 growing arrays in musl, then in two processes
# table: yes
# trace: yes
"$O/bin/bench-realloc-musl" 20
