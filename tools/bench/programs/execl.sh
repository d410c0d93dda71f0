# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: 500 times exec of itself (UnixBench's execl)
"$O/bin/bench-spawn" exec 500
