# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: Python with growing containers
# table: yes
# trace: yes
PYTHONHASHSEED=0 /usr/bin/python3 "$PROGRAMS/lib/grow.py"
