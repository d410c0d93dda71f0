# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: stress-ng --brk
# table: yes
# trace: yes
stress-ng -q --no-rand-seed --temp-path "$RUN" --brk 1 --brk-ops 10000
