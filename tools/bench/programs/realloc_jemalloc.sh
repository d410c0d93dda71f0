# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: realloc() of 20 growing arrays in jemalloc, then in two processes
# trace: yes
LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 "$O/bin/bench-realloc" 20
