# SPDX-License-Identifier: GPL-2.0
"""The table of benchmarks in README.md, from what scripts/bench.py measured.

tools/bench/summary.tsv lists its rows.  What is worst comes first.
"""

import bench_report

BEGIN = '<!-- written by make bench-readme -->'
END = '<!-- end -->'


def chosen(report):
    """Returns [(text, result)] of what was measured, by falling ratio."""
    results = {(r.bench, r.name): r for r in report.complete()}
    rows = []
    for line in open(bench_report.BENCH_DIR / 'summary.tsv'):
        if line.strip() and not line.startswith('#'):
            bench, name, text = line.rstrip('\n').split('\t')
            if (bench, name) in results:
                rows.append((text, results[bench, name]))
    return sorted(rows, key=lambda row: -row[1].ratio(*report.kernels))


def commits(report):
    """Each commit with the parts of the table that were measured on it."""
    parts = {}
    for bench in dict.fromkeys(r.bench for _, r in chosen(report)):
        commit = next(value for what, value, *_ in report.facts[bench]
                      if what == 'commit')
        parts.setdefault(commit, []).append(bench)
    return '; '.join(f'{", ".join(benches)} at {commit}'
                     for commit, benches in parts.items())


def table(report):
    base, ours = report.kernels
    lines = [f'| | {base} | {ours} | unit | ratio | |',
             '|---|--:|--:|---|--:|---|']
    for text, r in chosen(report):
        lines.append('| ' + ' | '.join([
            text, *(bench_report.number(r.median(k)) for k in report.kernels),
            r.unit, bench_report.ratio_text(r.ratio(base, ours)),
            r.verdict(base, ours)]) + ' |')
    return '\n'.join([*lines, '', f'Measured: {commits(report)}.'])


def insert(readme, report):
    """Puts the table where the last one is."""
    head, _, rest = readme.read_text().partition(BEGIN + '\n')
    _, end, tail = rest.partition(END + '\n')
    if not end:
        raise SystemExit(f'{readme}: no lines "{BEGIN}" and "{END}"')
    readme.write_text(f'{head}{BEGIN}\n{table(report)}\n{END}\n{tail}')
