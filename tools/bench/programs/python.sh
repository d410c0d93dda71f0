# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: Python with growing containers
# trace: yes
PYTHONHASHSEED=0 python3 "$PROGRAMS/lib/grow.py"
