# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: the same in musl
# table: yes
# trace: yes
"$O/bin/bench-realloc-musl" 20
