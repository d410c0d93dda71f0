# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: control: permissions that alternate
"$O/bin/bench-controls" alternate
