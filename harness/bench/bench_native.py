#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Measure the kernel that is running, and compare two that were measured so.

bench_native.py run FILE: runs tools/bench by time and, where the processor counts
instructions, by these. A file that is there gets another boot: measure each kernel
after several boots, in turn, as from a single one nothing follows.

bench_native.py compare A B: the report of B against A. Both have to be from one
machine, and their kernels of one configuration.
"""

import argparse
import gzip
import os
import pathlib
import re
import subprocess
import sys
import time

import bench_report

TOP = pathlib.Path(__file__).resolve().parents[2]
GROUPS = 'map move chain grow fork reclaim swap ksm scale slab contention'.split()
# What differs between two kernels of the same configuration.
OWN = re.compile(r'CONFIG_(LOCALVERSION|BUILD_SALT|CC_VERSION_TEXT|\w*ANON_SPACE)')
# bench_report's names for the two ways to measure.
PASSES = {'native': [], 'native_insn': ['-p']}


class Failure(Exception):
    """Something that cannot be measured or compared."""


def field(path, name):
    match = re.search(rf'^{name}\s*:\s*(.*)', pathlib.Path(path).read_text(), re.M)
    return match[1] if match else '?'


def machine():
    """What figures depend on, as one line."""
    memory = int(field('/proc/meminfo', 'MemTotal').split()[0]) >> 10
    nodes = len(list(pathlib.Path('/sys/devices/system/node').glob('node[0-9]*')))
    return (f'{field("/proc/cpuinfo", "model name")}, {os.cpu_count()} processors, '
            f'{max(nodes, 1)} nodes, {(memory + 512) >> 10} GiB')


def configuration(release):
    """Lines of the configuration of the running kernel, but its own."""
    config = pathlib.Path('/proc/config.gz')
    if config.exists():
        text = gzip.decompress(config.read_bytes()).decode()
    else:
        config = pathlib.Path(f'/boot/config-{release}')
        if not config.exists():
            raise Failure(f'neither /proc/config.gz nor {config} is there')
        text = config.read_text()
    return [line for line in text.splitlines()
            if line.startswith('CONFIG_') and not OWN.match(line)]


def read(path):
    """{kind of line: [fields]} of a file."""
    lines = {}
    for line in path.read_text().splitlines():
        kind, *fields = line.split('\t')
        lines.setdefault(kind, []).append(fields)
    return lines


def difference(old, new):
    """What is not the same of two files, None if all that matters is."""
    if old['machine'] != new['machine']:
        return f'machines: {old["machine"][0][0]} | {new["machine"][0][0]}'
    a, b = ({fields[0] for fields in f.get('config', [])} for f in (old, new))
    differ = sorted(a ^ b)
    if differ:
        return 'configurations: ' + ', '.join(differ[:10]) + \
            (f' and {len(differ) - 10} more' if differ[10:] else '')
    return None


# ---- run ----

def header():
    release = os.uname().release
    commit = subprocess.run(['git', '-C', TOP, 'describe', '--always', '--dirty=+'],
                            text=True, stdout=subprocess.PIPE, check=False,
                            stderr=subprocess.DEVNULL).stdout.strip()
    return [['machine', machine()], ['release', release], ['commit', commit or '-']] + \
        [['config', line] for line in configuration(release)]


def measure(bench, options, boot):
    """Lines of samples of all groups."""
    lines = []
    for name, flags in PASSES.items():
        if flags:
            probe = subprocess.run([bench, *flags, 'run'], check=False, text=True,
                                   stderr=subprocess.PIPE)
            if 'no counter' in probe.stderr:
                print(f'    {name}: skipped, {probe.stderr.strip()}')
                continue
        for group in options.groups:
            start = time.monotonic()
            run = subprocess.run([bench, *flags, '-r', str(options.repeats), 'run',
                                  group], text=True, stdout=subprocess.PIPE,
                                 check=False)
            print(f'    {name}: {group} ({time.monotonic() - start:.0f} s)', flush=True)
            if run.returncode:
                raise Failure(f'bench {group} ended with status {run.returncode}')
            lines += [[name, boot, *line.split('\t')]
                      for line in run.stdout.splitlines()]
    return lines


def run(options):
    lines, boot = header(), 1
    if options.file.exists():
        old = read(options.file)
        new = {}
        for kind, *fields in lines:
            new.setdefault(kind, []).append(fields)
        differ = difference(old, new)
        if differ or old['release'] != new['release']:
            raise Failure(f'{options.file} is of another kernel or machine: '
                          f'{differ or old["release"][0][0]}')
        lines = [line.split('\t') for line in options.file.read_text().splitlines()]
        boot += max(int(line[1]) for line in lines if line[0] in PASSES)
    print(f'==> bench: {os.uname().release}, boot {boot}', flush=True)
    lines += [['date', time.strftime('%Y-%m-%d %H:%M', time.gmtime())]]
    lines += measure(options.bin / 'bench', options, str(boot))
    options.file.write_text(''.join('\t'.join(line) + '\n' for line in lines))
    print(f'==> bench: wrote {options.file}')


# ---- compare ----

def compare(options):
    files = [read(path) for path in (options.a, options.b)]
    differ = difference(*files)
    if differ:
        raise Failure(f'{options.a} and {options.b} cannot be compared: {differ}')
    names = [f['release'][0][0] for f in files]
    if names[0] == names[1]:
        names[1] += ' again'
    directory = options.out / 'report' / 'native'
    (directory / 'bench').mkdir(parents=True, exist_ok=True)
    for bench in PASSES:
        lines = [['kernel', name, f['commit'][0][0]] for name, f in zip(names, files)]
        samples = [[name, *fields] for name, f in zip(names, files)
                   for fields in f.get(bench, [])]
        path = directory / 'bench' / f'{bench}.tsv'
        path.unlink(missing_ok=True)
        if samples:
            path.write_text(''.join('\t'.join(line) + '\n'
                                    for line in lines + samples))
    whats = subprocess.run([options.bin / 'bench', 'list'], text=True, check=True,
                           stdout=subprocess.PIPE).stdout
    bench_report.write(directory, bench_report.read(directory, names, whats))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--bin', type=pathlib.Path, default=TOP / 'build/bin')
    parser.add_argument('--out', type=pathlib.Path, default=TOP / 'build')
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser('run')
    command.add_argument('--repeats', type=int, default=5)
    command.add_argument('--groups', nargs='+', default=GROUPS)
    command.add_argument('file', type=pathlib.Path)
    command.set_defaults(do=run)
    command = commands.add_parser('compare')
    command.add_argument('a', type=pathlib.Path)
    command.add_argument('b', type=pathlib.Path)
    command.set_defaults(do=compare)
    return parser.parse_args()


def main():
    options = parse_options()
    try:
        options.do(options)
    except (Failure, OSError) as failure:
        sys.exit(f'error: {failure}')


if __name__ == '__main__':
    main()
