# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: stress-ng --vm
# trace: yes
stress-ng -q --no-rand-seed --temp-path "$RUN" --vm 1 --vm-ops 1000 --vm-bytes 2M --vm-method rand-set
