# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: control: 400 threads, each with a guard page
"$O/bin/bench-controls" stacks
