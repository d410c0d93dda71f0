# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: sixteen threads that allocate and free through mimalloc
# runs: 1
# trace: yes
# table: yes
LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libmimalloc.so.2.0 "$O/bin/bench-alloc" 16 2000
