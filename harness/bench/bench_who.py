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


def row(report, results, name, what):
    """Returns its ratio and the cells of a program, or None if it was not measured."""
    failed = [reason for bench in BENCHES
              for reason in report.failures.get((bench, name), [])]
    time = results.get(f'{name}.time/1')
    if not time and not failed:
        return None
    cells = [what]
    cells += [pair(results.get(f'{name}.{ENDS.get(part)}/1') or
                   results.get(f'{name}.{part}/1'), report.kernels, divisor)
              for part, _, divisor in COLUMNS]
    ratio = time.ratio(*report.kernels) if time else float('inf')
    cells.append(f'{ratio:.3f} ±{spread(time, report.kernels):.1f} %' if time else '-')
    if failed:
        return ratio, [*cells, 'failed', '; '.join(failed)]
    return ratio, [*cells, time.verdict(*report.kernels), report.cause(time)]


def measured(report, benches=BENCHES):
    return {r.name: r for r in report.complete() if r.bench in benches}


def rows(report, benches=BENCHES, chosen=False):
    """The cells of each program; what costs most comes first, but for what failed."""
    results = measured(report, benches)
    table = [row(report, results, name, keys['what'])
             for name, keys in facts().items()
             if not chosen or keys.get('table') == 'yes']
    return [cells for _, cells in sorted(filter(None, table), key=lambda r: -r[0])]


def missing(report):
    """Programs of the table in README.md that were not measured."""
    results = measured(report)
    return [name for name, keys in facts().items() if keys.get('table') == 'yes' and
            not row(report, results, name, keys['what'])]


def heads():
    return ['', *(head for _, head, _ in COLUMNS), 'instructions', '', 'why']


def commits(report):
    """Of each bench, and of the programs in the table that are of another one."""
    chosen = [name for name, keys in facts().items() if keys.get('table') == 'yes']
    texts = []
    for bench in BENCHES:
        for what, value, *names in report.facts.get(bench, []):
            if what == 'commit':
                texts.append(f'{bench} at {value}')
            elif what == 'older':
                those = [name for name in names[0].split() if name in chosen]
                texts += [f'{", ".join(those)} at {value}'] if those else []
    return '; '.join(texts)


def markdown(report):
    lines = ['| ' + ' | '.join(heads()) + ' |', '|---|--:|--:|--:|--:|--:|--:|---|---|']
    lines += ['| ' + ' | '.join(cells) + ' |' for cells in rows(report, chosen=True)]
    lines += ['', f'Measured: {commits(report)}.']
    if missing(report):
        lines.append(f'Not measured: {", ".join(missing(report))}.')
    return '\n'.join(lines)


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
