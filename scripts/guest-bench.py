#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run real programs in a guest, and print what tools/bench prints.

Each program runs once with its maps sampled and its attempts to merge traced,
and then with nothing but its processor time measured.  Under -icount a
nanosecond of that is an instruction.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import bench_merges

TOP = pathlib.Path(os.environ['TOP'])
OUT = pathlib.Path(os.environ['O'])
PROGRAMS = TOP / 'tools' / 'bench' / 'programs'
RUN = pathlib.Path('/run/bench')
INTERVAL = 0.1
# Threads and timers race.
TIMED = {'redis': 6, 'jemalloc': 6, 'jemalloc_noretain': 8}
PATIENCE = 1800                 # seconds of the guest
JEMALLOC = 'LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2'
OBJECTS = ('mm/mremap.o',)

# The server forks to save while it is written to.
REDIS = f'''
redis() {{ redis-cli -s {RUN}/socket "$@" >/dev/null; }}
load() {{
	redis-benchmark -q -s {RUN}/socket -c 8 -r 5000 "$@" >/dev/null
}}
redis-server --port 0 --unixsocket {RUN}/socket --dir {RUN} --save '' \\
	--logfile {RUN}/log &
until redis ping 2>/dev/null; do sleep 0.1; done
load -n 6000 -d 512 -t set,lpush,hset
redis bgsave
load -n 4000 -d 2000 -t set
redis bgsave
redis flushall
load -n 4000 -d 100 -t set,sadd
redis shutdown nosave
wait
'''


def compile_script():
    """The commands that made some objects of the stock kernel."""
    lines = [f'cd {OUT}/kernel/stock || exit']
    for name in OBJECTS:
        path = pathlib.Path(name)
        saved = (OUT / 'kernel/stock' / path.parent / f'.{path.name}.cmd')
        command = saved.read_text().splitlines()[0].split(':=', 1)[1]
        command = command.split(' ; ')[0].strip()
        command = re.sub(r'^\S*/cached\.sh ', '', command)
        lines.append(command.replace(f'-o {name}', f'-o {RUN}/{path.name}')
                     + ' || exit')
    return '\n'.join(lines)


def stress(options):
    return f'stress-ng -q --no-rand-seed --temp-path {RUN} {options}'


def workloads():
    """Returns {name: shell script}."""
    alloc = f'{OUT}/bin/bench-alloc 4 10000'
    return {
        'redis': REDIS,
        'jemalloc': f'{JEMALLOC} {alloc}',
        'jemalloc_noretain': f'{JEMALLOC} MALLOC_CONF=retain:false,'
                             f'dirty_decay_ms:0,muzzy_decay_ms:0 {alloc}',
        'gcc': compile_script(),
        'python': f'PYTHONHASHSEED=0 python3 {PROGRAMS}/grow.py',
        'stress_mremap': stress('--mremap 1 --mremap-ops 10 '
                                '--mremap-bytes 4M'),
        'stress_mmap': stress('--mmap 1 --mmap-ops 5 --mmap-bytes 2M'),
        'stress_vm': stress('--vm 1 --vm-ops 1000 --vm-bytes 2M '
                            '--vm-method rand-set'),
        'stress_fork': stress('--fork 1 --fork-ops 200'),
        'stress_brk': stress('--brk 1 --brk-ops 10000'),
    }


def start(script, *prefix):
    """In a session of its own, by which its processes are known."""
    for file in RUN.glob('*'):
        file.unlink()
    return subprocess.Popen([*prefix, 'bash', '-c', script],
                            start_new_session=True, stdin=subprocess.DEVNULL)


def finish(name, process):
    """Returns the processor time of the process and its children, in ns."""
    signal.alarm(PATIENCE)
    _, status, usage = os.wait4(process.pid, 0)
    signal.alarm(0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f'{name} ended with status {process.returncode}')
    return round((usage.ru_utime + usage.ru_stime) * 1e9)


def session(leader):
    """Processes of a session, without threads of the kernel and zombies."""
    pids = []
    for path in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            fields = path.read_text().rpartition(')')[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == leader and fields[0] != 'Z':
            pids.append(path.parent.name)
    return pids


def sample(leader):
    """Returns (VMAs, missed merges) of all processes, most VMAs of one.

    The leader is not one of them: it watches how they end.
    """
    pids = [pid for pid in session(leader) if pid != str(leader)]
    if not pids:
        return None
    # A process may end before it is looked at: the status says no more.
    output = subprocess.run([OUT / 'bin' / 'vmafrag', '-t', *pids], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            check=False).stdout
    rows = [line.split('\t') for line in output.splitlines()[1:]]
    vmas = [int(row[2]) for row in rows]
    if not vmas:
        return None
    return sum(vmas), sum(int(row[4]) for row in rows), max(vmas)


def watch(process):
    """Samples the maps until the process ends; it stays a zombie."""
    samples = []
    while not os.waitid(os.P_PID, process.pid,
                        os.WEXITED | os.WNOHANG | os.WNOWAIT):
        now = sample(process.pid)
        if now:
            samples.append(now)
        time.sleep(INTERVAL)
    return samples


def emit(kind, *fields):
    print(kind, *fields, sep='\t', flush=True)


def run_traced(name, script, offsets):
    ends = RUN.parent / f'{name}.ends'
    bench_merges.trace_start(offsets)
    process = start(script, OUT / 'bin' / 'vmafrag', '-t', '-o', ends, '-e')
    samples = watch(process)
    finish(name, process)
    counts = bench_merges.count(bench_merges.trace_stop())
    for i, (vmas, missed, _) in enumerate(samples):
        emit('series', name, i, vmas, missed)
    for what, column in ('missed_peak', 1), ('vmas_peak', 2):
        emit('sample', f'{name}.{what}', 1,
             max((row[column] for row in samples), default=0), 'VMAs')
    rows = [line.split('\t') for line in ends.read_text().splitlines()[1:]]
    emit('sample', f'{name}.missed_end', 1, sum(int(row[4]) for row in rows),
         'VMAs')
    for outcome, attempts in counts.items():
        unit = 'attempts' if outcome in ('merged', 'differs') else 'failures'
        emit('sample', f'{name}.{outcome}', 1, attempts, unit)


def main():
    offsets, *names = sys.argv[1:]
    signal.signal(signal.SIGALRM, lambda *_: sys.exit('a program hangs'))
    RUN.mkdir(exist_ok=True)
    for name, script in workloads().items():
        if names and name not in names:
            continue
        emit('group', name)
        run_traced(name, script, offsets)
        for _ in range(TIMED.get(name, 2)):
            emit('sample', f'{name}.time', 1, finish(name, start(script)),
                 'insn')


if __name__ == '__main__':
    main()
