# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: stress-ng --mremap
# trace: yes
stress-ng -q --no-rand-seed --temp-path "$RUN" --mremap 1 --mremap-ops 10 --mremap-bytes 4M
