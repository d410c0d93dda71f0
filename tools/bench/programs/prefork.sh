# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: 200 python3 workers of multiprocessing, then reclaimed
# runs: 1
# table: yes
# python: fork and exit of a worker, reclaim of all under a limit: lib/prefork.py.
PYTHONHASHSEED=0 /usr/bin/python3 "$PROGRAMS/lib/prefork.py" 200 "$CGROUP" "$RESULTS"
