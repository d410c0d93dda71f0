#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Measure our kernel against stock, the same work in the same run.

Boots both kernels in turn with harness/guest/boot.sh, runs tools/bench in them and
keeps every sample in report/bench/NAME.tsv. From all of these, also from
earlier runs, it writes report/bench.tsv and report/index.html.
"""

import argparse
import hashlib
import os
import pathlib
import shlex
import subprocess
import sys
import time

import bench_merges
import bench_report
import bench_summary

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
PROGRAMS = TOP / 'tools' / 'bench' / 'programs'
TIMEOUT = '7200'

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

    def command(self, _, options):
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

    def command(self, kernel, options):
        offsets = options.out / 'guest' / f'bench-offsets-{kernel}{self.suffix}'
        offsets.parent.mkdir(parents=True, exist_ok=True)
        lines = bench_merges.compile_offsets(
            options.out / 'kernel' / (kernel + self.suffix),
            PROGRAMS / 'lib' / 'offsets.c')
        offsets.write_text('\n'.join(lines) + '\n')
        only = shlex.quote(options.only) if options.only else ''
        return (f'python3 {HERE}/guest-bench.py {offsets} '
                f'{2 * options.repeats} {only}')


class LockStat(Bench):
    """The contention group, by harness/bench/guest-lockstat.py."""

    def command(self, _, options):
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


class Failure(Exception):
    """A bench that gave no result."""


def git(*arguments):
    return subprocess.run(['git', '-C', TOP, *arguments], text=True,
                          check=True, stdout=subprocess.PIPE).stdout.strip()


def commit():
    changed = git('status', '--porcelain', '--untracked-files=no', '--',
                  ':!README.md', ':!docs')
    return git('rev-parse', '--short=12', 'HEAD') + ('+' if changed else '')


def image(kernel, options):
    return options.out / 'kernel' / kernel / 'arch/x86/boot/bzImage'


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
        yield from guest.stdout
    status = guest.returncode
    if status:
        raise Failure('{}, log {}'.format(
            BOOT_FAILURES.get(status, f'the guest\'s command ended with status '
                              f'{status}'), os.path.relpath(log)))


def kvm_works(kernel, options):
    list(boot(kernel, 'true', {}, options, 'probe'))
    log = options.out / 'log' / f'bench-probe-{kernel}.log'
    return f'boot {kernel} (kvm)' in log.read_text()


def run_boot(name, bench, kernel, command, number, options):
    """Returns the lines (kernel, boot, kind, fields...) of one guest."""
    start = time.monotonic()
    print(f'==> bench {name}: {kernel}, boot {number}', flush=True)
    lines = []
    for line in boot(kernel + bench.suffix, command, bench.settings, options,
                     name):
        kind, *fields = line.rstrip('\n').split('\t')
        if kind == 'group':
            print(f'    {" ".join(fields)} ({time.monotonic() - start:.0f} s)',
                  flush=True)
        elif kind in ('sample', 'series'):
            lines.append([kernel, str(number), kind, *fields])
        elif line.strip():
            print(f'    | {line.rstrip()}', flush=True)
    if not lines:
        raise Failure('no samples')
    return lines


def report_directory(options):
    """Some metrics only do not replace the results of all."""
    return options.out / 'report' / ('only' if options.only else '')


def describe_kernel(kernel, bench, options):
    path = image(kernel + bench.suffix, options)
    return ['kernel', kernel,
            hashlib.sha256(path.read_bytes()).hexdigest()[:12]]


def run_bench(name, options):
    """Boots the kernels in turn: A B, B A, A B."""
    bench = BENCHES[name]
    if bench.needs_kvm and not kvm_works(options.kernels[0], options):
        print(f'==> bench {name}: skipped, KVM does not work here')
        return
    path = report_directory(options) / 'bench' / f'{name}.tsv'
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [['commit', commit()],
             ['date', time.strftime('%Y-%m-%d %H:%M', time.gmtime())]]
    lines += [describe_kernel(kernel, bench, options)
              for kernel in options.kernels]
    commands = {kernel: bench.command(kernel, options)
                for kernel in options.kernels}
    for number in range(1, (options.boots or bench.boots) + 1):
        order = options.kernels if number % 2 else options.kernels[::-1]
        for kernel in order:
            lines += run_boot(name, bench, kernel, commands[kernel], number,
                              options)
        # What each kernel has done as often is good for a report.
        path.write_text(''.join('\t'.join(line) + '\n' for line in lines))


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
                        help='some metrics, with a report of their own')
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
            run_bench(name, options)
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
