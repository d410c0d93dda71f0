#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run the scenarios in several kernels and lay their maps side by side.

Boots each kernel with harness/guest/boot.sh, runs tools/scenarios in it and writes
report/demo.tsv. Fails if a guest is lost, if a scenario fails or does not run,
or, with --expect-merged, if a kernel other than a stock one missed merges.
"""

import argparse
import itertools
import os
import pathlib
import subprocess
import sys
import time

# Scenarios in which our kernel may miss merges: {name: reason}.
MAY_MISS = {}

TOP = pathlib.Path(__file__).resolve().parents[2]
SWAP = '256M'
WIDTH = 46

# Exit statuses of boot.sh itself; all others are those of the command.
BOOT_FAILURES = {
    124: 'the guest took too long',
    125: 'the guest was lost',
    126: 'the kernel complained',
}


class Scenario:
    """What one scenario printed in one kernel."""

    def __init__(self):
        self.views = {}         # label: lines of the map
        self.counts = {}        # label: (vmas, missed merges)
        self.outcome = 'not-run'
        self.vmas = self.missed = '-'
        self.contents = 'unknown'
        self.reason = 'it did not end'

    def add(self, kind, fields):
        if kind == 'map':
            self.views.setdefault(fields[0], []).append(map_line(*fields[1:]))
        elif kind == 'view':
            self.counts[fields[0]] = fields[1:]
        elif kind == 'result':
            (self.outcome, self.vmas, self.missed, self.contents,
             self.reason) = fields
            if self.outcome != 'ok':
                self.vmas = self.missed = '-'


def map_line(place, pages, perms, name, flags, mark):
    note = '<- missed' if mark else ''
    return f'{place:7} {pages:>5}  {perms} {flags:3} {name:7} {note}'.rstrip()


def parse(output):
    """Returns {scenario name: Scenario} of the scenarios that were begun."""
    found = {}
    # A guest may get lost in the middle of a line.
    complete = output[:output.rfind('\n') + 1]
    for line in complete.splitlines():
        kind, *fields = line.split('\t')
        if kind in ('scenario', 'map', 'view', 'result') and len(fields) > 1:
            found.setdefault(fields[0], Scenario()).add(kind, fields[1:])
    return found


def boot(kernel, options):
    """Runs the scenarios in a kernel: returns ({name: Scenario}, problem)."""
    out = options.out / 'guest' / f'demo-{kernel}'
    command = f'{options.bin}/scenarios run {options.scenario or ""}'
    environment = dict(os.environ, KERNEL=kernel, CMD=command, OUT=str(out),
                       O=str(options.out), SWAP=SWAP)
    start = time.monotonic()
    guest = subprocess.run([options.boot], env=environment, text=True,
                           stdout=subprocess.PIPE, errors='replace')
    print(f'    demo: {kernel} done in {time.monotonic() - start:.0f} s, '
          f'output {os.path.relpath(out / "output")}', flush=True)
    status = guest.returncode
    # A failed scenario is reported as such.
    problem = None if status in (0, 1) else \
        BOOT_FAILURES.get(status, f'scenarios ended with status {status}')
    return parse(guest.stdout), problem


def columns(texts):
    return '  ' + ' | '.join(f'{text:{WIDTH}}' for text in texts).rstrip()


def show_maps(name, models, results):
    """The maps of one scenario, one column per kernel."""
    print(f'\n{name}: {models}')
    print(columns(results))
    scenarios = [found.get(name, Scenario()) for found in results.values()]
    labels = dict.fromkeys(itertools.chain(*(s.counts for s in scenarios)))
    for label in labels:
        print(columns(['{}: {} VMAs, {} missed'.format(
            label, *s.counts.get(label, '--')) for s in scenarios]))
        maps = [s.views.get(label, []) for s in scenarios]
        for lines in itertools.zip_longest(*maps, fillvalue=''):
            print(columns(f'  {line}' for line in lines))
    for kernel, scenario in zip(results, scenarios):
        if scenario.outcome != 'ok':
            print(f'  {kernel}: {scenario.outcome}: {scenario.reason}')


def show_summary(names, results):
    heading = ''.join(f'{k + " VMAs":>18}{"missed":>8}{"contents":>10}'
                      for k in results)
    print(f'\n{"scenario":20}{heading}')
    for name in names:
        line = f'{name:20}'
        for found in results.values():
            s = found.get(name, Scenario())
            line += f'{s.vmas:>18}{s.missed:>8}{s.contents:>10}'
        print(line)
    line = f'{"sum":20}'
    for found in results.values():
        for what, width in ('vmas', 18), ('missed', 8):
            numbers = [getattr(s, what) for s in found.values()]
            line += f'{sum(int(n) for n in numbers if n != "-"):>{width}}'
        line += ' ' * 10
    print(line.rstrip())


def write_report(path, names, results):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'w') as file:
        print('scenario', 'kernel', 'vmas', 'missed_merges', 'contents_ok',
              sep='\t', file=file)
        for name, (kernel, found) in itertools.product(names, results.items()):
            s = found.get(name, Scenario())
            print(name, kernel, s.vmas, s.missed, s.contents, sep='\t',
                  file=file)


CANNOT_RUN = 'cannot-run: '


def problem_of(name, kernel, scenario, expect_merged):
    if scenario.outcome != 'ok':
        return f'{scenario.outcome}: {scenario.reason}'
    if expect_merged and not kernel.startswith('stock'):
        if scenario.missed != '0' and name not in MAY_MISS:
            return f'{scenario.missed} missed merges'
        if scenario.missed == '0' and name in MAY_MISS:
            return 'no missed merges: take it off MAY_MISS'
    return None


def give_verdict(verdicts, tap):
    """Says which {what: problem or None} are problems; returns exit status."""
    for what, problem in verdicts.items():
        if tap and problem and problem.startswith(CANNOT_RUN):
            # check.py says whether it may be skipped.
            print(f'ok - {what} # SKIP {problem.removeprefix(CANNOT_RUN)}')
            verdicts[what] = None
        elif tap:
            print(f'not ok - {what}: {problem}' if problem else f'ok - {what}')
        elif problem:
            print(f'error: {what}: {problem}', file=sys.stderr)
    for name, reason in MAY_MISS.items():
        print(f'    {name} may have missed merges: {reason}')
    return 1 if any(verdicts.values()) else 0


def list_scenarios(options):
    """Returns {name: what it models}."""
    scenarios = options.list or options.bin / 'scenarios'
    output = subprocess.run([scenarios, 'list'], text=True, check=True,
                            stdout=subprocess.PIPE).stdout
    models = dict(line.split('\t') for line in output.splitlines())
    if not options.scenario:
        return models
    if options.scenario not in models:
        sys.exit(f'error: SCENARIO={options.scenario} is not one of: '
                 + ' '.join(models))
    return {options.scenario: models[options.scenario]}


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--bin', type=pathlib.Path, required=True)
    parser.add_argument('--list', type=pathlib.Path,
                        help='scenarios, if those of --bin do not run here')
    parser.add_argument('--out', type=pathlib.Path, required=True)
    parser.add_argument('--boot', default=TOP / 'harness/guest/boot.sh')
    parser.add_argument('--scenario')
    parser.add_argument('--expect-merged', action='store_true')
    parser.add_argument('--tap', action='store_true')
    parser.add_argument('kernels', nargs='+')
    return parser.parse_args()


def main():
    options = parse_options()
    models = list_scenarios(options)
    results, verdicts = {}, {}

    for kernel in options.kernels:
        results[kernel], problem = boot(kernel, options)
        verdicts[f'guest with {kernel}'] = problem
    for name, (kernel, found) in itertools.product(models, results.items()):
        verdicts[f'{name} on {kernel}'] = problem_of(
            name, kernel, found.get(name, Scenario()), options.expect_merged)

    for name in models:
        show_maps(name, models[name], results)
    show_summary(models, results)
    report = options.out / 'report' / 'demo.tsv'
    write_report(report, models, results)
    print(f'\n==> demo: wrote {os.path.relpath(report)}', flush=True)
    return give_verdict(verdicts, options.tap)


if __name__ == '__main__':
    sys.exit(main())
