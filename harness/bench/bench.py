#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Measure our kernel against stock, the same work in the same run.

Boots both kernels in turn with harness/guest/boot.sh, runs tools/bench in them and
keeps every sample in report/bench/NAME.tsv. From all of these, also from
earlier runs, it writes report/bench.tsv and report/index.html.
"""

import argparse
import fnmatch
import hashlib
import os
import pathlib
import shlex
import subprocess
import sys
import threading
import time

import bench_merges
import bench_report
import bench_summary
import bench_who

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
PROGRAMS = TOP / 'tools' / 'bench' / 'programs'
TIMEOUT = '7200'
SILENCE = 1200                  # seconds of the host: a guest's clock may skip

APPEND = 'slab_nomerge'

BOOT_FAILURES = {
    124: 'the guest took too long',
    125: 'the guest was lost',
    126: 'the kernel complained',
}


class Bench:
    """Groups of tools/bench, and how to run them.

    boots is how often each kernel is booted. needs_kvm benches say nothing in
    a guest that is emulated. The kernels' names have a suffix if the bench
    needs a configuration of its own.
    """

    def __init__(self, groups, boots=2, needs_kvm=False, suffix='', **settings):
        self.groups = groups
        self.boots = boots
        self.needs_kvm = needs_kvm
        self.suffix = suffix
        self.settings = settings

    def parts(self, options):
        """Names of what a boot does one by one: what breaks it loses only itself."""
        return []

    def command(self, _, options, parts):
        """Reads and writes in RAM: the host's files take a guest's time."""
        flags = '-i ' if 'ICOUNT' in self.settings else ''
        flags += f'-r {options.repeats}'
        if options.only:
            flags += f' -m {shlex.quote(options.only)}'
        return (f'cp {options.bin}/bench /run/bench || exit\n'
                f'for group in {self.groups}; do\n'
                f'printf "group\\t$group\\n"\n'
                f'/run/bench {flags} run $group >/run/samples\n'
                f'status=$?\n'
                f'cat /run/samples\n'
                f'[ $status -eq 0 ] || exit $status\n'
                f'done')


class Programs(Bench):
    """Real programs, by harness/bench/guest-bench.py."""

    def parts(self, options):
        patterns = (options.only or '*').split()
        return [name for name, keys in bench_who.facts().items()
                if keys.get('kernel', '') == self.suffix.removeprefix('-') and
                any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]

    def command(self, kernel, options, parts):
        offsets = options.out / 'guest' / f'bench-offsets-{kernel}{self.suffix}'
        offsets.parent.mkdir(parents=True, exist_ok=True)
        lines = bench_merges.compile_offsets(
            options.out / 'kernel' / (kernel + self.suffix),
            PROGRAMS / 'lib' / 'offsets.c')
        offsets.write_text('\n'.join(lines) + '\n')
        return (f'python3 {HERE}/guest-bench.py {offsets} '
                f'{2 * options.repeats} {" ".join(parts)}')


class LockStat(Bench):
    """The contention group, by harness/bench/guest-lockstat.py."""

    def command(self, _, options, parts):
        return (f'cp {options.bin}/bench /run/bench || exit\n'
                f'python3 {HERE}/guest-lockstat.py /run/bench')


MICRO = 'map move chain grow fork reclaim swap ksm scale'
BENCHES = {
    'micro': Bench(MICRO, ICOUNT='1', MEM='3G', SWAP='1G'),
    'time': Bench(MICRO, needs_kvm=True, SMP='1', MEM='3G', SWAP='1G'),
    'memory': Bench('slab', ICOUNT='1', MEM='2G'),
    'collect': Bench('collect', ICOUNT='1', MEM='3G'),
    'programs': Programs('', ICOUNT='1', MEM='3G', SWAP='1G'),
    'criu': Programs('', suffix='-criu', ICOUNT='1', MEM='3G'),
    'smp2': Bench('contention', boots=3, SMP='2', MEM='3G', SWAP='1G'),
    'smp4': Bench('contention', boots=3, SMP='4', MEM='3G', SWAP='1G'),
    'lockstat': LockStat('', suffix='-lockstat', SMP='4', MEM='3G', SWAP='1G'),
}


MEASURED = ('--', ':!README.md', ':!docs', ':!tools/bench/causes.tsv',
            ':!tools/bench/summary.tsv')
# What becomes of samples, on the host.
JUDGES = (':!harness/bench/bench*.py', ':!tests')


class Failure(Exception):
    """A bench that gave no result."""


def git(*arguments):
    return subprocess.run(['git', '-C', TOP, *arguments], text=True,
                          check=True, stdout=subprocess.PIPE).stdout.strip()


def commit():
    """The last one that changed what is measured, or how: documents do not."""
    changed = git('status', '--porcelain', '--untracked-files=no', *MEASURED)
    return (git('log', '-1', '--format=%h', '--abbrev=12', *MEASURED) +
            ('+' if changed else ''))


def image(kernel, options):
    return options.out / 'kernel' / kernel / 'arch/x86/boot/bzImage'


def listen(guest):
    """Yields the lines that a guest prints; one that is silent for long is ended."""
    silent = threading.Event()

    def end():
        silent.set()
        guest.terminate()

    while True:
        timer = threading.Timer(SILENCE, end)
        timer.start()
        line = guest.stdout.readline()
        timer.cancel()
        if not line:
            break
        yield line
    if silent.is_set():
        raise Failure(f'nothing was heard of the guest for {SILENCE} s')


def boot(kernel, command, settings, options, name):
    """Runs a command in a guest; yields the lines that it prints."""
    out = options.out / 'guest' / f'bench-{name}-{kernel}'
    environment = dict(os.environ, KERNEL=kernel, CMD=command, OUT=str(out),
                       O=str(options.out), TIMEOUT=TIMEOUT, APPEND=APPEND,
                       **settings)
    log = options.out / 'log' / f'bench-{name}-{kernel}.log'
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, 'w') as errors, subprocess.Popen(
            [options.boot], env=environment, text=True, errors='replace',
            stdout=subprocess.PIPE, stderr=errors) as guest:
        yield from listen(guest)
    status = guest.returncode
    if status:
        raise Failure('{}, log {}'.format(
            BOOT_FAILURES.get(status, f'the guest\'s command ended with status '
                              f'{status}'), os.path.relpath(log)))


def kvm_works(kernel, options):
    list(boot(kernel, 'true', {}, options, 'probe'))
    log = options.out / 'log' / f'bench-probe-{kernel}.log'
    return f'boot {kernel} (kvm)' in log.read_text()


class Boot:
    """One boot of a kernel, or more of them if a part breaks the guest."""

    def __init__(self, name, bench, kernel, number, options):
        self.name, self.bench, self.kernel = name, bench, kernel
        self.number, self.options = number, options
        self.start = time.monotonic()
        self.lines = []         # kernel, boot, kind, fields...
        self.part = None        # what the guest does now

    def add(self, kind, *fields):
        self.lines.append([self.kernel, str(self.number), kind, *fields])

    def failed(self, part, reason):
        print(f'error: bench {self.name}: {self.kernel}, boot {self.number}: '
              f'{part}: {reason}', file=sys.stderr, flush=True)
        self.add('failed', part, reason)

    def hear(self, line):
        kind, *fields = line.rstrip('\n').split('\t')
        if kind == 'group':
            self.part = fields[0]
            print(f'    {self.part} ({time.monotonic() - self.start:.0f} s)',
                  flush=True)
        elif kind in ('sample', 'series'):
            self.add(kind, *fields)
        elif kind == 'failed':
            self.failed(*fields)
        elif line.strip():
            print(f'    | {line.rstrip()}', flush=True)

    def guest(self, parts):
        command = self.bench.command(self.kernel, self.options, parts)
        for line in boot(self.kernel + self.bench.suffix, command,
                         self.bench.settings, self.options, self.name):
            self.hear(line)

    def run(self):
        """What a part has broken is booted again for those after it."""
        print(f'==> bench {self.name}: {self.kernel}, boot {self.number}',
              flush=True)
        parts = self.bench.parts(self.options)
        if not parts:
            self.guest(parts)
        while parts:
            self.part = None
            try:
                self.guest(parts)
                break
            except Failure as failure:
                if self.part is None:
                    raise
                self.failed(self.part, str(failure))
                if self.part not in parts:
                    break
                parts = parts[parts.index(self.part) + 1:]
        if not self.lines:
            raise Failure('no samples')
        return self.lines


def report_directory(options):
    """Some metrics only do not replace the results of all, but by --add."""
    apart = options.only and not options.add
    return options.out / 'report' / ('only' if apart else '')


def describe_kernel(kernel, bench, options):
    path = image(kernel + bench.suffix, options)
    return ['kernel', kernel,
            hashlib.sha256(path.read_bytes()).hexdigest()[:12]]


def read_lines(path):
    return [line.split('\t') for line in path.read_text().splitlines()]


def is_fact(line):
    return line[0] in bench_report.FACTS


def name_of(line):
    """The program or metric that a line is of."""
    return line[3].partition('.')[0]


def changed_since(old, names):
    """Files that other figures than those of these programs hang on; none: the same."""
    if old.endswith('+'):
        return ['not committed']
    own = [f':!tools/bench/programs/{path}' for name in names
           for path in (f'{name}.sh', f'lib/{name}.*')]
    return git('diff', '--name-only', old, *MEASURED, *JUDGES, *own).split()


def differs(path, old, lines, changed):
    """Why lines of a file and these are not of the same kernels, or None."""
    theirs, ours = ([line[1:] for line in some if line[0] == 'kernel']
                    for some in (old, lines))
    if theirs != ours:
        return f'{os.path.relpath(path)} is of other kernels: {theirs}'
    was, now = (next(line[1] for line in some if line[0] == 'commit')
                for some in (old, lines))
    names = {name_of(line) for line in lines if not is_fact(line)}
    if was != now and (files := changed(was, names)):
        return (f'{os.path.relpath(path)} is of {was}, this of {now}, '
                f'which differ: {" ".join(files)}')
    return None


def older(old, names, differing):
    """Facts that say of which commits the names are that were not measured anew."""
    facts = [[what, commit, ' '.join(kept)] for what, commit, theirs in
             (line for line in old if line[0] == 'older')
             if (kept := [name for name in theirs.split() if name not in names])]
    if differing:
        known = {name for line in facts for name in line[2].split()}
        left = {name_of(line) for line in old if not is_fact(line)} - names - known
        was = next(line[1] for line in old if line[0] == 'commit')
        facts += [['older', was, ' '.join(sorted(left))]] if left else []
    return facts


def added(path, lines, changed=changed_since, keep=False):
    """The lines of a file, with these in place of its own of the same names."""
    if not path.exists():
        return lines
    old = read_lines(path)
    names = {name_of(line) for line in lines if not is_fact(line)}
    differing = differs(path, old, lines, changed)
    if differing and not keep:
        raise Failure(differing)
    return ([line for line in lines if is_fact(line)] + older(old, names, differing) +
            [line for line in old if not is_fact(line) and
             name_of(line) not in names] +
            [line for line in lines if not is_fact(line)])


def run_bench(name, options):
    """Boots the kernels in turn: A B, B A, A B.  Returns whether nothing failed."""
    bench = BENCHES[name]
    if bench.needs_kvm and not kvm_works(options.kernels[0], options):
        print(f'==> bench {name}: skipped, KVM does not work here')
        return True
    path = report_directory(options) / 'bench' / f'{name}.tsv'
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [['commit', commit()],
             ['date', time.strftime('%Y-%m-%d %H:%M', time.gmtime())]]
    lines += [describe_kernel(kernel, bench, options)
              for kernel in options.kernels]
    for number in range(1, (options.boots or bench.boots) + 1):
        order = options.kernels if number % 2 else options.kernels[::-1]
        for kernel in order:
            lines += Boot(name, bench, kernel, number, options).run()
        # What each kernel has done as often is good for a report.
        whole = added(path, lines, keep=options.keep) if options.add else lines
        path.write_text(''.join('\t'.join(line) + '\n' for line in whole))
    return not any(line[2] == 'failed' for line in lines if not is_fact(line))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--bin', type=pathlib.Path, required=True)
    parser.add_argument('--out', type=pathlib.Path, required=True)
    parser.add_argument('--boot', default=TOP / 'harness/guest/boot.sh')
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--boots', type=int,
                        help='of each kernel, whatever the bench says')
    parser.add_argument('--kernels', nargs=2, default=['stock', 'exp'],
                        metavar=('BASE', 'OURS'))
    parser.add_argument('--only', metavar='PATTERN',
                        help='some metrics, with a report of their own; of programs, '
                        'patterns with blanks between')
    parser.add_argument('--add', action='store_true',
                        help='these are a part of the report of all, if that is of '
                        'the same commit and kernels')
    parser.add_argument('--keep', action='store_true',
                        help='with --add: what is of other kernels stays, and the '
                        'report says of which commit it is')
    parser.add_argument('--report', action='store_true',
                        help='only write the report')
    parser.add_argument('--readme', type=pathlib.Path,
                        help='the same, and the table in this file')
    parser.add_argument('names', nargs='*', metavar='NAME',
                        help=f'one of: {" ".join(BENCHES)}')
    options = parser.parse_args()
    wrong = [name for name in options.names if name not in BENCHES]
    if wrong:
        parser.error(f'BENCH={wrong[0]} is not one of: {" ".join(BENCHES)}')
    return options


def main():
    options = parse_options()
    failed = False
    only_report = options.report or options.readme
    for name in [] if only_report else options.names or BENCHES:
        try:
            failed |= not run_bench(name, options)
        except Failure as failure:
            print(f'error: bench {name}: {failure}', file=sys.stderr)
            failed = True
    whats = subprocess.run([options.bin / 'bench', 'list'], text=True,
                           check=True, stdout=subprocess.PIPE).stdout
    directory = report_directory(options)
    report = bench_report.read(directory, options.kernels, whats)
    bench_report.write(directory, report)
    if options.readme:
        bench_summary.insert(options.readme, report)
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
