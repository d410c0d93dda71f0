# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: four threads that allocate and free through jemalloc
# runs: 4
# trace: yes
LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 "$O/bin/bench-alloc" 4 10000
