#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run the contention metrics in a guest, and print which locks were waited for.

Usage: guest-lockstat.py BENCH
"""

import pathlib
import subprocess
import sys

LOCK_STAT = pathlib.Path('/proc/lock_stat')
ENABLE = pathlib.Path('/proc/sys/kernel/lock_stat')
ROUNDS = 2

# Locks with the same task: in one kernel the file's, in the other the mm's too.
LOCKS = {
    'rmap': ('&anon_vma->rwsem', '&space->rwsem'),
    'mmap': ('&mm->mmap_lock', '&vma->vm_lock->lock'),
    'all': None,
}


def read_classes():
    """Yields (class, contentions, microseconds waited) of every class."""
    for line in LOCK_STAT.read_text().splitlines():
        name, colon, numbers = line.rpartition(':')
        fields = numbers.split()
        if colon and len(fields) > 10:
            name = name.strip().removesuffix('-W').removesuffix('-R')
            yield name, int(fields[1]), float(fields[4])


def measure(bench, metric):
    LOCK_STAT.write_text('0')
    subprocess.run([bench, '-r', '1', '-m', metric, 'run', 'contention'],
                   check=True, stdout=subprocess.DEVNULL)
    classes = list(read_classes())
    if not classes:
        sys.exit(f'nothing in {LOCK_STAT}')
    for lock, names in LOCKS.items():
        rows = [row for row in classes if not names or row[0] in names]
        for what, column, unit in (('contentions', 1, 'waits'),
                                   ('wait', 2, 'us')):
            print('sample', f'{metric}.{lock}_{what}', 1,
                  sum(row[column] for row in rows), unit, sep='\t', flush=True)


def main():
    bench = sys.argv[1]
    metrics = subprocess.run([bench, 'list'], text=True, check=True,
                             stdout=subprocess.PIPE).stdout.splitlines()
    ENABLE.write_text('1')
    for group, metric, _ in (line.split('\t') for line in metrics):
        if group == 'contention':
            print('group', metric, sep='\t', flush=True)
            for _ in range(ROUNDS):
                measure(bench, metric)


if __name__ == '__main__':
    main()
