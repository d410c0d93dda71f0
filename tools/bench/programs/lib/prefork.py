# SPDX-License-Identifier: GPL-2.0
"""A server that loads, forks workers that each answer requests, and is reclaimed.

Usage: prefork.py WORKERS CGROUP RESULTS
"""

import multiprocessing
import pathlib
import sys
import time

STATE = 60000                   # objects that all workers inherit
OWN = 300                       # objects that each request leaves behind
REQUESTS = 4
RECLAIM = 8 << 20


def emit(name, value, unit='insn'):
    with open(sys.argv[3], 'a') as file:
        print(name, round(value), unit, sep='\t', file=file)


def work(connection):
    """Small objects, and now and then an array of the size that mmap gives."""
    kept = []
    while number := connection.recv():
        kept.append([str(i) * 8 for i in range(OWN)])
        kept.append(bytearray(150000))
        connection.send(len(kept))
    connection.close()


def reclaim(cgroup):
    """Returns the time until so much was asked for and reclaimed, or failed."""
    start = time.monotonic_ns()
    try:
        (cgroup / 'memory.reclaim').write_text(str(RECLAIM))
    except OSError:
        return None
    return time.monotonic_ns() - start


def main():
    nr, cgroup = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    state = [(i, str(i)) for i in range(STATE)]
    context = multiprocessing.get_context('fork')
    workers = []
    start = time.monotonic_ns()
    for _ in range(nr):
        ours, theirs = context.Pipe()
        worker = context.Process(target=work, args=(theirs,))
        worker.start()
        theirs.close()
        workers.append((worker, ours))
    emit('fork', (time.monotonic_ns() - start) / nr)
    for number in range(1, REQUESTS + 1):
        for _, connection in workers:
            connection.send(number)
        for _, connection in workers:
            connection.recv()
    took = reclaim(cgroup)
    if took is not None:
        emit('reclaim', took)
    start = time.monotonic_ns()
    for worker, connection in workers:
        connection.send(0)
        worker.join()
    emit('exit', (time.monotonic_ns() - start) / nr)
    assert len(state) == STATE


main()
