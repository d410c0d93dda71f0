# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: control: pages of a memfd mapped over others
"$O/bin/bench-controls" memfd
