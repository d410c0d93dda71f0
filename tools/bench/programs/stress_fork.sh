# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: stress-ng --fork
# trace: yes
stress-ng -q --no-rand-seed --temp-path "$RUN" --fork 1 --fork-ops 200
