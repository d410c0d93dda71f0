# SPDX-License-Identifier: GPL-2.0
"""Who gains and who pays: one row for each program that harness/bench/bench.py has run.

What a program is says the top of its script in tools/bench/programs, why it gains or
pays tools/bench/causes.tsv.
"""

import html
import pathlib
import re

PROGRAMS = (pathlib.Path(__file__).resolve().parents[2] / 'tools' / 'bench' /
            'programs')
BENCHES = ('programs', 'criu')
# The most that was seen in all boots.
COLUMNS = [('vmas_sum', 'VMAs', 1), ('missed_peak', 'missed', 1),
           ('slab', 'slab, KiB', 1024), ('pagetables', 'page tables, KiB', 1024),
           ('no_memory', 'ENOMEM', 1)]

# What a program that is watched too seldom counts itself, in the end.
ENDS = {'vmas_sum': 'vmas_end'}


def facts():
    """Returns {program: {key: value}}, as the scripts say at their tops."""
    return {path.stem: dict(re.findall(r'^# (\w+): (.*)$', path.read_text(), re.M))
            for path in sorted(PROGRAMS.glob('*.sh'))}


def whats():
    return {name: keys['what'] for name, keys in facts().items()}


def spread(result, kernels):
    """Half of the range of the samples, in percent, of the kernel that varies more."""
    return max((max(result.samples[k]) - min(result.samples[k])) / 2 /
               (result.median(k) or 1) for k in kernels) * 100


def pair(result, kernels, divisor):
    """What both kernels have, as text."""
    if not result:
        return '-'
    texts = [f'{max(result.samples[k]) / divisor:,.0f}' for k in kernels]
    return texts[0] if texts[0] == texts[1] else ' → '.join(texts)


def rows(report, benches=BENCHES, chosen=False):
    """Yields the cells of each program; what costs most comes first."""
    results = {r.name: r for r in report.complete() if r.bench in benches}
    table = []
    for name, keys in facts().items():
        time = results.get(f'{name}.time/1')
        if not time or (chosen and keys.get('table') != 'yes'):
            continue
        cells = [keys['what']]
        cells += [pair(results.get(f'{name}.{ENDS.get(part)}/1') or
                       results.get(f'{name}.{part}/1'), report.kernels, divisor)
                  for part, _, divisor in COLUMNS]
        ratio = time.ratio(*report.kernels)
        cells += [f'{ratio:.3f} ±{spread(time, report.kernels):.1f} %',
                  time.verdict(*report.kernels), report.cause(time)]
        table.append((ratio, cells))
    return [cells for _, cells in sorted(table, key=lambda row: -row[0])]


def heads():
    return ['', *(head for _, head, _ in COLUMNS), 'instructions', '', 'why']


def commits(report):
    found = [(value, bench) for bench in BENCHES
             for what, value, *_ in report.facts.get(bench, []) if what == 'commit']
    return '; '.join(f'{bench} at {value}' for value, bench in found)


def markdown(report):
    lines = ['| ' + ' | '.join(heads()) + ' |', '|---|--:|--:|--:|--:|--:|--:|---|---|']
    lines += ['| ' + ' | '.join(cells) + ' |' for cells in rows(report, chosen=True)]
    return '\n'.join([*lines, '', f'Measured: {commits(report)}.'])


def page(report, bench):
    """The same for all programs of a bench, as a part of a page."""
    table = [f'<tr>{"".join(f"<th>{html.escape(head)}</th>" for head in heads())}</tr>']
    for cells in rows(report, [bench]):
        *figures, verdict, why = cells
        table.append('<tr>' + ''.join(f'<td>{html.escape(cell)}</td>'
                                      for cell in figures) +
                     f'<td class="{verdict}">{verdict}</td>'
                     f'<td class="text">{html.escape(why)}</td></tr>')
    return ('<h3>Who gains, who pays</h3>\n<table>' + '\n'.join(table) +
            '</table>')
