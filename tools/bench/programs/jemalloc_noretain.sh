# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: four threads that allocate and free through jemalloc, which gives memory back at once
# runs: 4
# trace: yes
MALLOC_CONF=retain:false,dirty_decay_ms:0,muzzy_decay_ms:0 \
	LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 \
	"$O/bin/bench-alloc" 4 6000
