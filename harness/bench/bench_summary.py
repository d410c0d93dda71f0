# SPDX-License-Identifier: GPL-2.0
"""The table of benchmarks in README.md, from what harness/bench/bench.py measured.

tools/bench/summary.tsv lists its rows.  What is worst comes first.
"""

import bench_report
import bench_who

BEGIN = '<!-- written by make bench-readme -->'
COLLECTORS = '<!-- collectors, written by make bench-readme -->'
PROGRAMS = '<!-- programs, written by make bench-readme -->'
END = '<!-- end -->'
COLLECTED = 100000
METHODS = [
    ('collect_mremap', '`mremap()`'),
    ('collect_dontunmap', '`MREMAP_DONTUNMAP`'),
    ('collect_in_place', '`MREMAP_DONTUNMAP` to equal memory'),
    ('collect_uffd', '`UFFDIO_MOVE`'),
]
MEMORY = [
    ('', 'small pages'),
    ('_child', 'small pages, child'),
    ('_huge', 'huge pages'),
    ('_huge_child', 'huge pages, child'),
]


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


def commit_of(report, bench):
    return next(value for what, value, *_ in report.facts[bench] if what == 'commit')


def commits(report):
    """Each commit with the parts of the table that were measured on it."""
    parts = {}
    for bench in dict.fromkeys(r.bench for _, r in chosen(report)):
        parts.setdefault(commit_of(report, bench), []).append(bench)
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


def collector_cells(results, name, kernel):
    """Time for a page, failed calls, and most VMAs, of one kernel."""
    def median(part=''):
        result = results.get(f'{name}{part}/{COLLECTED}')
        return result.median(kernel) if result else None
    failures = [median(f'.{errno}') for errno in ('efault', 'enomem', 'ebusy')]
    if None in failures:
        return None
    time = median()
    return ['-' if time is None else bench_report.number(time),
            bench_report.number(sum(failures)),
            bench_report.number(max(median('.vmas_half'), median('.vmas_end')))]


def collectors(report):
    """100,000 pages, moved one by one, in each way there is."""
    results = {r.name: r for r in report.complete() if r.bench == 'collect'}
    base, ours = report.kernels
    lines = [f'| | memory | {base}: insn | failed | VMAs | {ours}: insn | failed '
             '| VMAs |', '|---|---|--:|--:|--:|--:|--:|--:|']
    for method, method_text in METHODS:
        for memory, memory_text in MEMORY:
            cells = [collector_cells(results, method + memory, kernel)
                     for kernel in report.kernels]
            if None not in cells:
                lines.append('| ' + ' | '.join(
                    [method_text, memory_text, *cells[0], *cells[1]]) + ' |')
    return '\n'.join([*lines, '', f'Measured: collect at {commit_of(report, "collect")}.'])


def replaced(readme, text, begin, new):
    """The text with what is new after the line that begins it."""
    head, _, rest = text.partition(begin + '\n')
    _, end, tail = rest.partition(END + '\n')
    if not end:
        raise SystemExit(f'{readme}: no lines "{begin}" and "{END}"')
    return f'{head}{begin}\n{new}\n{END}\n{tail}'


def insert(readme, report):
    """Puts the tables where the last ones are; what was not measured stays."""
    text = readme.read_text()
    for benches, begin, table_of in (
            (bench_who.BENCHES, PROGRAMS, bench_who.markdown),
            (('collect',), COLLECTORS, collectors),
            (('micro', 'memory'), BEGIN, table)):
        if any(report.facts.get(bench) for bench in benches):
            text = replaced(readme, text, begin, table_of(report))
    readme.write_text(text)
