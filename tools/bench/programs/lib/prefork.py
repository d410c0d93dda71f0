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
PAUSE = 5                       # seconds, in which all are there to be looked at


def emit(name, value, unit='insn'):
    with open(sys.argv[3], 'a') as file:
        print(name, round(value), unit, sep='\t', file=file)


def processor_time(cgroup):
    """Of all that is in the group, in ns: a guest's clock runs on while it waits."""
    line = (cgroup / 'cpu.stat').read_text().splitlines()[0]
    return int(line.split()[1]) * 1000


def work(connection):
    """Small objects, and now and then an array of the size that mmap gives."""
    kept = []
    connection.send(0)
    while number := connection.recv():
        kept.append([str(i) * 8 for i in range(OWN)])
        kept.append(bytearray(150000))
        connection.send(len(kept))
    connection.close()


def reclaim(cgroup):
    """Returns the time until the group's new limit holds: who sets it reclaims."""
    limit = cgroup / 'memory.max'
    most = int((cgroup / 'memory.current').read_text()) - RECLAIM
    start = time.process_time_ns()
    limit.write_text(str(most))
    took = time.process_time_ns() - start
    limit.write_text('max')
    return took


def main():
    nr, cgroup = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    state = [(i, str(i)) for i in range(STATE)]
    context = multiprocessing.get_context('fork')
    workers = []
    start = processor_time(cgroup)
    for _ in range(nr):
        ours, theirs = context.Pipe()
        worker = context.Process(target=work, args=(theirs,))
        worker.start()
        theirs.close()
        workers.append((worker, ours))
    for _, connection in workers:
        connection.recv()
    emit('fork', (processor_time(cgroup) - start) / nr)
    for number in range(1, REQUESTS + 1):
        for _, connection in workers:
            connection.send(number)
        for _, connection in workers:
            connection.recv()
    time.sleep(PAUSE)
    emit('reclaim', reclaim(cgroup))
    start = processor_time(cgroup)
    for worker, connection in workers:
        connection.send(0)
        worker.join()
    emit('exit', (processor_time(cgroup) - start) / nr)
    assert len(state) == STATE


main()
