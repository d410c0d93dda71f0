# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: stress-ng --mmap
# trace: yes
stress-ng -q --no-rand-seed --temp-path "$RUN" --mmap 1 --mmap-ops 5 --mmap-bytes 2M
