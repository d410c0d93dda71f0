#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run real programs in a guest, and print what tools/bench prints.

Usage: guest-bench.py OFFSETS RUNS NAME...
RUNS is the most that a program is run alone.  One that fails does not keep the others
from it; its line is "failed", with the reason.

Each program of tools/bench/programs has a control group of its own, by which its
processes are known.  It runs once with its maps sampled, and then with nothing but its
processor time measured.  Under -icount a nanosecond of that is an instruction.
"""

import os
import pathlib
import re
import resource
import subprocess
import sys
import time
import traceback

import bench_merges

TOP = pathlib.Path(os.environ['TOP'])
OUT = pathlib.Path(os.environ['O'])
PROGRAMS = TOP / 'tools' / 'bench' / 'programs'
RUN = pathlib.Path('/run/bench')
RESULTS = pathlib.Path('/run/results')
LEADER = pathlib.Path('/run/leader')
BEGIN = pathlib.Path('/run/begin')
CGROUP = pathlib.Path('/sys/fs/cgroup/bench')
TRACING = pathlib.Path('/sys/kernel/tracing')
INTERVAL = 0.02
SHARE = 2                       # of the time, that samples may take: one part of
RUNS = 2
PAGE = 4096

# All that a kernel keeps for anonymous memory; not every kernel has all of them.
CACHES = ('vm_area_struct', 'vma_lock', 'anon_vma', 'anon_vma_chain',
          'anon_membership', 'anon_extent')
ENOMEM = 12
CALLS = ('mmap', 'munmap', 'mprotect', 'mremap', 'madvise', 'brk')


class Failure(Exception):
    """A program that gave no result."""


class Program:
    """A script; "# KEY: VALUE" lines at its top say how it is run."""

    def __init__(self, path):
        self.name, self.path = path.stem, path
        self.facts = dict(re.findall(r'^# (\w+): (.*)$', path.read_text(), re.M))
        self.runs = int(self.facts.get('runs', RUNS))
        self.traced = self.facts.get('trace') == 'yes'

    def start(self, *prefix):
        """In an empty directory, in a control group of its own."""
        subprocess.run(['rm', '-rf', RUN], check=True)
        RUN.mkdir()
        RESULTS.write_text('')
        BEGIN.write_text('0')
        LEADER.write_text('')
        CGROUP.mkdir()
        script = (f'echo $$ >{CGROUP}/cgroup.procs; echo $$ >{LEADER}; '
                  f'cd {RUN}; set -eu; '
                  f'. {PROGRAMS}/lib/common.sh; . {self.path}')
        return subprocess.Popen(
            [*prefix, 'bash', '-c', script], stdin=subprocess.DEVNULL,
            env={**os.environ, 'RUN': RUN, 'RESULTS': RESULTS,
                 'BEGIN': BEGIN, 'PROGRAMS': PROGRAMS,
                 'CGROUP': CGROUP})

    def finish(self, process):
        """Returns the processor time of all that ran in the group, in ns."""
        process.wait()
        used = number(CGROUP / 'cpu.stat', 'usage_usec') - int(BEGIN.read_text())
        remove_group()
        if process.returncode:
            raise Failure(f'ended with status {process.returncode}')
        return used * 1000


def remove_group():
    """With what a program has left behind."""
    (CGROUP / 'cgroup.kill').write_text('1')
    while number(CGROUP / 'cgroup.events', 'populated'):
        time.sleep(0.01)
    CGROUP.rmdir()


def remove_probes():
    for group in ('bench', 'limit'):
        enable = TRACING / 'events' / group / 'enable'
        if enable.exists():
            enable.write_text('0')
    (TRACING / 'kprobe_events').write_text('')
    (TRACING / 'trace').write_text('')


def number(path, key):
    """The figure of a line "KEY FIGURE"."""
    for line in path.read_text().splitlines():
        name, value = line.split()
        if name == key:
            return int(value)
    raise KeyError(key)


def own_time():
    """Processor time of this process and those that it has waited for, in seconds."""
    return sum(usage.ru_utime + usage.ru_stime for usage in map(
        resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def emit(kind, *fields):
    print(kind, *fields, sep='\t', flush=True)


def slab_bytes():
    """What the slabs of anonymous memory take, free objects included."""
    total = 0
    for line in pathlib.Path('/proc/slabinfo').read_text().splitlines():
        fields = line.split()
        if fields[0] in CACHES:
            total += int(fields[14]) * int(fields[5]) * PAGE
    return total


class Sampler:
    """What is looked at while a program runs, and the most of it."""

    def __init__(self):
        self.slab = slab_bytes()
        self.rows = []          # (VMAs, missed merges) of all processes
        self.peaks = {}

    def peak(self, what, value):
        self.peaks[what] = max(value, self.peaks.get(what, 0))

    def maps(self, pids):
        # A process may end before it is looked at: the status says no more.
        output = subprocess.run(
            [OUT / 'bin' / 'vmafrag', '-t', *pids], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            check=False).stdout
        rows = [line.split('\t') for line in output.splitlines()[1:]]
        vmas = [int(row[2]) for row in rows]
        if not vmas:
            return
        missed = sum(int(row[4]) for row in rows)
        self.rows.append((sum(vmas), missed))
        self.peak('vmas_sum', sum(vmas))
        self.peak('vmas_peak', max(vmas))
        self.peak('missed_peak', missed)

    def sample(self):
        """The shell that runs the program is not one of its processes."""
        pids = set((CGROUP / 'cgroup.procs').read_text().split())
        pids -= set(LEADER.read_text().split())
        if pids:
            self.maps(pids)
        self.peak('slab', slab_bytes() - self.slab)
        self.peak('pagetables', number(CGROUP / 'memory.stat', 'pagetables'))

    def watch(self, process):
        """Until the process ends; it stays a zombie."""
        while not os.waitid(os.P_PID, process.pid,
                            os.WEXITED | os.WNOHANG | os.WNOWAIT):
            start = own_time()
            self.sample()
            time.sleep(max(INTERVAL, SHARE * (own_time() - start)))


class Failures:
    """Calls that fail with ENOMEM, as at vm.max_map_count."""

    def __init__(self):
        (TRACING / 'trace').write_text('')
        for call in CALLS:
            bench_merges.add_probe(f'r64:limit/{call} __x64_sys_{call} '
                                   'ret=$retval:s64\n')
            event = TRACING / 'events/limit' / call
            (event / 'filter').write_text(f'ret == -{ENOMEM}')
            (event / 'enable').write_text('1')

    def stop(self):
        (TRACING / 'events/limit/enable').write_text('0')
        with open(TRACING / 'trace') as trace:
            failed = sum(f'ret=-{ENOMEM}' in line for line in trace)
        (TRACING / 'kprobe_events').write_text('')
        (TRACING / 'trace').write_text('')
        return failed


PEAK_UNITS = {'slab': 'bytes', 'pagetables': 'bytes'}


def run_watched(program, offsets):
    """Once, with all that there is to see."""
    prefix, ends = [], RUN.parent / f'{program.name}.ends'
    if program.traced:
        prefix = [OUT / 'bin' / 'vmafrag', '-t', '-o', ends, '-e']
        bench_merges.trace_start(offsets)
    failures = None if program.traced else Failures()
    try:
        process = program.start(*prefix)
        sampler = Sampler()
        sampler.watch(process)
        memory = int((CGROUP / 'memory.peak').read_text())
        program.finish(process)
    finally:
        limit = failures.stop() if failures else None
        events = bench_merges.trace_stop() if program.traced else None
    name = program.name
    for i, row in enumerate(sampler.rows):
        emit('series', name, i, *row)
    for what, value in sampler.peaks.items():
        emit('sample', f'{name}.{what}', 1, value, PEAK_UNITS.get(what, 'VMAs'))
    emit('sample', f'{name}.memory_peak', 1, memory, 'bytes')
    if failures:
        emit('sample', f'{name}.no_memory', 1, limit, 'failures')
    if program.traced:
        traced(name, ends, bench_merges.count(events))


def traced(name, ends, counts):
    rows = [line.split('\t') for line in ends.read_text().splitlines()[1:]]
    emit('sample', f'{name}.missed_end', 1, sum(int(row[4]) for row in rows),
         'VMAs')
    for outcome, attempts in counts.items():
        unit = 'attempts' if outcome in ('merged', 'differs') else 'failures'
        emit('sample', f'{name}.{outcome}', 1, attempts, unit)


def run_alone(program):
    process = program.start()
    emit('sample', f'{program.name}.time', 1, program.finish(process), 'insn')
    for line in RESULTS.read_text().splitlines():
        what, value, unit = line.split('\t')
        emit('sample', f'{program.name}.{what}', 1, value, unit)


def run(program, offsets, most):
    emit('group', program.name)
    run_watched(program, offsets)
    for _ in range(min(program.runs, most)):
        run_alone(program)


def check_kernel():
    """What it has to complain of is of this program."""
    log = RUN.parent / 'dmesg'
    with open(log, 'w') as file:
        subprocess.run(['dmesg', '--read-clear'], check=True, stdout=file)
    if subprocess.run([TOP / 'harness' / 'guest' / 'console-check.sh', log],
                      check=False).returncode:
        raise Failure('the kernel complained')


def recover():
    """After a failure, so that the next program finds nothing of it."""
    remove_probes()
    if CGROUP.exists():
        remove_group()


def main():
    offsets, most, *names = sys.argv[1:]
    (CGROUP.parent / 'cgroup.subtree_control').write_text('+memory')
    for name in names:
        try:
            run(Program(PROGRAMS / f'{name}.sh'), offsets, int(most))
            check_kernel()
        except Exception as failure:    # pylint: disable=broad-except
            if not isinstance(failure, Failure):
                traceback.print_exc()
            emit('failed', name, ' '.join(str(failure).split()))
            recover()
    emit('group', 'end')


if __name__ == '__main__':
    main()
