# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: 2,000 forks and exits (UnixBench's spawn)
# table: yes
"$O/bin/bench-spawn" fork 2000
