# SPDX-License-Identifier: GPL-2.0
"""What harness/bench/bench.py has measured, as a table and as a page with plots.

Every figure but a number of attempts is a cost: less is better. It is the
median of all samples, the ratio is that of the medians. A kernel is called
worse or better only if the ranges of its samples and of the other one's do not
overlap; if there are few samples, the gap between the ranges has to be wider
than these. From a single boot of each nothing follows.
"""

import base64
import fnmatch
import html
import os
import pathlib
import statistics
import subprocess
import tempfile

import bench_who

TOP = pathlib.Path(__file__).resolve().parents[2]
BENCH_DIR = TOP / 'tools' / 'bench'

# Limits of the ratio; 0 is one of the value itself. The first that matches
# holds. For all others: not worse beyond noise.
TARGETS = [
    ('move_pages/1', 1.03), ('move_shared/1', 1.03),
    ('move_pages/*', 1.25), ('move_shared/*', 1.25),
    ('touch_vmas/1000*', 0.85), ('unmap_vmas/1000*', 0.85),
    ('fork_exit/1000*', 0.85), ('exit/1000*', 0.85),
    ('*.missed_peak/*', 0), ('*.missed_end/*', 0), ('*.want_*', 0),
    ('slab_touch/*', 0.60), ('slab_fork/*', 0.60), ('slab_move/*', 0.60),
]

TITLES = {
    'micro': 'Instructions of single operations',
    'time': 'Wall time of single operations',
    'memory': 'Kernel memory for each VMA',
    'collect': 'Collectors: many pages moved one by one',
    'programs': 'Real programs',
    'criu': 'Processes that criu dumps and restores',
    'smp2': 'Many at once, on two processors',
    'smp4': 'Many at once, on four processors',
    'native': 'Wall time on this machine',
    'native_insn': 'Instructions on this machine',
    'lockstat': 'Locks that were waited for, on four processors',
}

PARTS = {
    'time': 'processor time of all its processes',
    'vmas_sum': 'most VMAs at a time, all its processes',
    'vmas_peak': 'most VMAs of one of its processes',
    'vmas_half': 'VMAs when half is done',
    'vmas_end': 'VMAs when all is done',
    'missed_peak': 'most missed merges at a time, all its processes',
    'slab': 'most that slabs of anonymous memory have grown by',
    'pagetables': 'most page tables at a time',
    'memory_peak': 'most memory at a time, page cache and kernel memory included',
    **{f'{what}_{when}_{children}': f'{text} {when} dump and restore, {children} children'
       for what, text in (('vmas', 'VMAs'), ('missed', 'missed merges'))
       for when in ('before', 'after') for children in (0, 8)},
    'memory_end': 'memory when the child has saved',
    'no_memory': 'calls that failed with ENOMEM, as at vm.max_map_count',
    'failed': 'commits that failed at vm.max_map_count',
    'fork': 'fork and start of a worker',
    'exit': 'end and wait of a worker',
    'reclaim': 'reclaim of 8 MiB of the memory of all, by a limit of the group',
    'missed_end': 'missed merges as its processes end, sum of all',
    'merged': 'attempts to merge that did',
    'differs': 'attempts that failed, as attributes differ',
    'want_pgoff': 'attempts that failed, as page offsets do not fit',
    'want_anon_vma': 'attempts that failed for want of a common anon_vma',
    'rmap_contentions': 'waits for a lock of the reverse map',
    'rmap_wait': 'time waited for a lock of the reverse map',
    'mmap_contentions': 'waits for the lock of an address space or VMA',
    'mmap_wait': 'time waited for the lock of an address space or VMA',
    'all_contentions': 'waits for any lock',
    'all_wait': 'time waited for any lock',
    **{f'hop{i}': f'hop {i} of them' for i in range(1, 11)},
    'last': 'the last ten calls',
    'children': 'then by each child',
    'move': 'the move of all 256 pages, entry by entry',
    'memory': 'memory of all processes in the end',
    'efault': 'moves that failed, as several VMAs were in the way',
    'enomem': 'moves that failed at vm.max_map_count',
}

# Lines of a file that are of all its samples.
FACTS = ('commit', 'date', 'kernel', 'older')

# Less samples than this prove something only if they agree with each other.
FEW = 4

# A ratio this near to 1 is that of two other builds of the same source.
SAME = 0.001

# Units of figures that are neither good nor bad.
NEUTRAL = {'attempts'}

COLOURS = ['#888888', '#0060ad']
BETTER, WORSE = '#2e8b57', '#c0392b'

STYLE = '''
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto;
       max-width: 72em; padding: 0 1em; color: #222; background: #fff; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2em; }
table { border-collapse: collapse; margin: 1em 0; font-size: 14px; }
th, td { padding: 2px 10px; border-bottom: 1px solid #e2e2e2;
         text-align: right; font-variant-numeric: tabular-nums; }
th { background: #f5f5f5; position: sticky; top: 0; }
td:first-child, th:first-child, td.text { text-align: left; }
.worse { color: #c0392b; font-weight: 600; }
.better { color: #2e8b57; font-weight: 600; }
.range { color: #888; font-size: 12px; }
.plots { display: flex; flex-wrap: wrap; gap: 8px; }
img { max-width: 100%; } code { font-size: 13px; }
'''


class Result:
    """All samples of one metric at one size."""

    def __init__(self, bench, metric, size, unit):
        self.bench, self.metric, self.size, self.unit = \
            bench, metric, size, unit
        self.samples = {}       # kernel: values
        self.boots = {}         # kernel: set of those that they are from

    @property
    def name(self):
        return f'{self.metric}/{self.size}'

    def median(self, kernel):
        return statistics.median(self.samples[kernel])

    def ratio(self, base, ours):
        stock, value = self.median(base), self.median(ours)
        if stock:
            return value / stock
        return float('inf') if value else 1.0

    def verdict(self, base, ours):
        if self.unit in NEUTRAL or any(
                len(self.boots[kernel]) < 2 for kernel in (base, ours)):
            return '-'
        if abs(self.ratio(base, ours) - 1) < SAME:
            return 'same'
        if self.apart(self.samples[base], self.samples[ours]):
            return 'worse'
        if self.apart(self.samples[ours], self.samples[base]):
            return 'better'
        return 'same'

    @staticmethod
    def apart(low, high):
        """Few samples are soon apart by chance."""
        gap = min(high) - max(low)
        width = max(max(v) - min(v) for v in (low, high))
        return gap > (width if min(len(low), len(high)) < FEW else 0)

    def target(self):
        return next((limit for pattern, limit in TARGETS
                     if fnmatch.fnmatchcase(self.name, pattern)), None)

    def missed(self, base, ours):
        limit = self.target()
        if limit is None:
            return self.verdict(base, ours) == 'worse'
        if not limit:
            return self.median(ours) > 0
        return self.ratio(base, ours) > limit


class Report:
    """What is known of all benches."""

    def __init__(self, kernels, whats):
        self.base, self.ours = self.kernels = kernels
        self.whats = dict(line.split('\t')[1:] for line in whats.splitlines())
        self.whats.update(bench_who.whats())
        self.results = {}       # (bench, metric, size): Result
        self.series = {}        # (bench, name): {kernel: rows of a first boot}
        self.failures = {}      # (bench, name): what happened
        self.facts = {}         # bench: [(what, fields)]
        self.causes = [line.rstrip('\n').split('\t') for line in
                       open(BENCH_DIR / 'causes.tsv')
                       if line.strip() and not line.startswith('#')]

    def add_file(self, path):
        bench = path.stem
        facts = self.facts.setdefault(bench, [])
        for line in path.read_text().splitlines():
            fields = line.split('\t')
            if fields[0] in FACTS:
                facts.append(fields)
                continue
            kernel, boot, kind, *rest = fields
            if kind == 'sample':
                self.add_sample(bench, kernel, boot, *rest)
            elif kind == 'failed':
                name, reason = rest
                self.failures.setdefault((bench, name), []).append(
                    f'{kernel}, boot {boot}: {reason}')
            elif boot == '1':
                name, *row = rest
                self.series.setdefault((bench, name), {}) \
                    .setdefault(kernel, []).append(row)

    def add_sample(self, bench, kernel, boot, metric, size, value, unit):
        key = bench, metric, int(size)
        result = self.results.setdefault(key, Result(bench, metric, int(size),
                                                     unit))
        result.samples.setdefault(kernel, []).append(float(value))
        result.boots.setdefault(kernel, set()).add(boot)

    def complete(self, bench=None):
        """Results that both kernels have; a cache of one of them has none."""
        return [r for r in self.results.values()
                if (bench is None or r.bench == bench) and
                all(k in r.samples for k in self.kernels)]

    def cause(self, result):
        return next((cause for pattern, cause in self.causes
                     if fnmatch.fnmatchcase(result.name, pattern)),
                    'not known')

    def what(self, metric):
        whole, _, part = metric.partition('.')
        text = PARTS.get(part, part)
        return ': '.join(t for t in (self.whats.get(whole), text) if t)


def number(value):
    if value >= 1000:
        return f'{value:,.0f}'
    return f'{value:.2f}'.rstrip('0').rstrip('.')


def ratio_text(value):
    return f'{value:.4f}' if value < 0.01 else f'{value:.3f}'


def write_table(path, report):
    with open(path, 'w') as file:
        print('metric', 'kernel', 'value', 'unit', 'ratio', 'min', 'max',
              'samples', 'verdict', sep='\t', file=file)
        for r in report.complete():
            ratio = ratio_text(r.ratio(*report.kernels))
            verdict = r.verdict(*report.kernels)
            for kernel in report.kernels:
                values = r.samples[kernel]
                first = kernel == report.base
                print(f'{r.bench}.{r.name}', kernel, number(r.median(kernel))
                      .replace(',', ''), r.unit, '1' if first else ratio,
                      f'{min(values):g}', f'{max(values):g}', len(values),
                      '-' if first else verdict, sep='\t', file=file)


# ---- plots ----

def gnuplot(script):
    """Runs a script, returns the picture as an element of a page."""
    with tempfile.NamedTemporaryFile(suffix='.svg') as file:
        subprocess.run(['gnuplot'], check=True, text=True,
                       input=f'set output "{file.name}"\n{script}\n'
                             'unset output\n')
        data = base64.b64encode(pathlib.Path(file.name).read_bytes())
    return f'<img alt="plot" src="data:image/svg+xml;base64,{data.decode()}">'


def block(name, rows):
    """A data block of a gnuplot script."""
    lines = '\n'.join('\t'.join(str(cell) for cell in row) for row in rows)
    return f'${name} << EOD\n{lines}\nEOD\n'


def plot_ratios(report, results):
    """One bar a metric, from 1 to the ratio, on a logarithmic scale."""
    rows = []
    for place, r in enumerate(reversed(results)):
        ratio = r.ratio(*report.kernels)
        shown = min(max(ratio, 0.1), 10)
        colour = {'worse': WORSE, 'better': BETTER}.get(
            r.verdict(*report.kernels), '#bbbbbb')
        rows.append([place, shown, min(1, shown), max(1, shown), place - 0.35,
                     place + 0.35, int(colour[1:], 16), f'"{r.name}"',
                     ratio_text(ratio)])
    height = 60 + 17 * len(rows)
    return gnuplot(f'''
set terminal svg size 860,{height} font "sans-serif,12" background "#ffffff"
{block('ratios', rows)}
set logscale x
set xlabel "{report.ours} / {report.base}"
set yrange [-0.7:{len(rows) - 0.3}]
set xrange [0.1:20]
set xtics (0.1, 0.2, 0.5, 1, 2, 5, 10)
set ytics noenhanced
set border 1
set tics nomirror
set grid xtics linecolor "#e2e2e2"
set arrow from 1, graph 0 to 1, graph 1 nohead linecolor "#444444"
unset key
plot $ratios using 2:1:3:4:5:6:7:yticlabels(8) with boxxyerror \\
     fillstyle solid noborder linecolor rgb variable, \\
     $ratios using (18):1:9 with labels right
''')


def from_zero(values):
    return f'set yrange [0:{max([*values, 1]) * 1.05}]'


def plot_growth(report, results):
    """How one metric grows with its size."""
    blocks, plots = '', []
    for i, kernel in enumerate(report.kernels):
        rows = [[r.size, r.median(kernel), min(r.samples[kernel]),
                 max(r.samples[kernel])] for r in results]
        blocks += block(f'k{i}', rows)
        plots.append(f'$k{i} using 1:2:3:4 with yerrorlines title "{kernel}" '
                     f'linewidth 2 pointtype 7 pointsize 0.5 '
                     f'linecolor "{COLOURS[i]}"')
    values = [v for r in results for k in report.kernels for v in r.samples[k]]
    scale = 'set logscale y' if min(values) > 0 and \
        max(values) > 10 * min(values) else from_zero(values)
    return gnuplot(f'''
set terminal svg size 420,270 font "sans-serif,12" background "#ffffff"
{blocks}
set logscale x
{scale}
set format y "%.0s%c"
set title "{results[0].metric}" noenhanced
set xlabel "N"
set ylabel "{results[0].unit}"
set key top left
set border 3
set tics nomirror
set grid linecolor "#e2e2e2"
plot {', '.join(plots)}
''')


def plot_series(report, name, by_kernel):
    """VMAs (lines) and missed merges (dashes) of a program over time."""
    blocks, plots, values = '', [], []
    for i, kernel in enumerate(report.kernels):
        if kernel not in by_kernel:
            continue
        values += [float(row[1]) for row in by_kernel[kernel]]
        blocks += block(f'k{i}', by_kernel[kernel])
        for column, what, dash in (2, 'VMAs', 1), (3, 'missed merges', 2):
            plots.append(f'$k{i} using 1:{column} with steps '
                         f'title "{kernel}: {what}" linewidth 2 dashtype '
                         f'{dash} linecolor "{COLOURS[i]}"')
    return gnuplot(f'''
set terminal svg size 560,300 font "sans-serif,12" background "#ffffff"
{blocks}
set title "{name}" noenhanced
set xlabel "samples"
{from_zero(values)}
set key outside bottom center horizontal
set border 3
set tics nomirror
set grid linecolor "#e2e2e2"
plot {', '.join(plots)}
''')


# ---- the page ----

def cell(text, css=''):
    return f'<td class="{css}">{html.escape(str(text))}</td>'


def row_of(report, r, with_cause=False):
    ratio, verdict = r.ratio(*report.kernels), r.verdict(*report.kernels)
    cells = [cell(r.name)]
    for kernel in report.kernels:
        values = r.samples[kernel]
        cells += [cell(number(r.median(kernel))),
                  cell(f'{number(min(values))} … {number(max(values))}',
                       'range')]
    limit = r.target()
    cells += [cell(r.unit), cell(ratio_text(ratio), verdict),
              cell('' if limit is None else f'{limit:.2f}',
                   'worse' if r.missed(*report.kernels) else '')]
    cells.append(cell(report.cause(r) if with_cause
                      else report.what(r.metric), 'text'))
    return f'<tr>{"".join(cells)}</tr>'


def table(report, results, with_cause=False):
    heads = ['metric/N']
    for kernel in report.kernels:
        heads += [kernel, 'min … max']
    heads += ['unit', 'ratio', 'target', 'cause' if with_cause else 'what']
    head = ''.join(f'<th>{head}</th>' for head in heads)
    rows = '\n'.join(row_of(report, r, with_cause) for r in results)
    return f'<table><tr>{head}</tr>\n{rows}\n</table>'


def facts_text(report, bench):
    return html.escape('; '.join(' '.join(fields) for fields in
                                 report.facts[bench]))


def growths(report, bench):
    """Lists of results that differ in size only, three or more of them."""
    families = {}
    for r in report.complete(bench):
        families.setdefault(r.metric, []).append(r)
    return [sorted(family, key=lambda r: r.size)
            for family in families.values() if len(family) > 2]


def summary(report, results):
    """How many are better, the same and worse."""
    verdicts = [r.verdict(*report.kernels) for r in results]
    return ', '.join(f'{verdicts.count(verdict)} {verdict}'
                     for verdict in ('better', 'same', 'worse'))


def failures(report):
    """What gave no result, as a part of the page."""
    items = ''.join(f'<li>{html.escape(f"{bench}: {name}: {reason}")}</li>'
                    for (bench, name), reasons in report.failures.items()
                    for reason in reasons)
    return f'<h2>Failed</h2>\n<ul>{items}</ul>' if items else ''


def section(report, bench):
    results = report.complete(bench)
    plots = [plot_growth(report, family) for family in growths(report, bench)]
    plots += [plot_series(report, name, by_kernel) for (where, name), by_kernel
              in report.series.items() if where == bench and
              max(map(len, by_kernel.values())) > 1]
    return f'''
<h2 id="{bench}">{TITLES.get(bench, bench)}</h2>
<p>{summary(report, results)}.
<code>make bench BENCH={bench}</code>; {facts_text(report, bench)}</p>
{bench_who.page(report, bench) if bench in bench_who.BENCHES else ''}
{plot_ratios(report, [r for r in results if r.unit not in NEUTRAL])}
{table(report, results)}
<div class="plots">{''.join(plots)}</div>
'''


def write_page(path, report):
    base, ours = report.kernels
    bad = sorted((r for r in report.complete() if r.missed(base, ours) or
                  r.verdict(base, ours) == 'worse'),
                 key=lambda r: -r.ratio(base, ours))
    links = ' · '.join(f'<a href="#{bench}">{TITLES.get(bench, bench)}</a>'
                       for bench in report.facts)
    sections = ''.join(section(report, bench) for bench in report.facts)
    path.write_text(f'''<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<title>{ours} against {base}</title><style>{STYLE}</style></head><body>
<h1>{ours} against {base}</h1>
<p>{html.escape(' '.join(__doc__.split()))}</p>
<p>{links}</p>
{failures(report)}
<h2>Worse than {base}, or short of its target</h2>
{table(report, bad, with_cause=True) if bad else '<p>Nothing.</p>'}
{sections}
</body></html>
''')


def read(directory, kernels, whats):
    """Returns the report of all that was measured so far."""
    report = Report(kernels, whats)
    for name in TITLES:
        path = directory / 'bench' / f'{name}.tsv'
        if path.exists():
            report.add_file(path)
    return report


def write(directory, report):
    """Writes bench.tsv and index.html."""
    kernels = report.kernels
    for (bench, name), reasons in report.failures.items():
        print(f'    {bench}.{name}: FAILED: {"; ".join(reasons)}')
    if not report.complete():
        print('    bench: nothing was measured yet, no report')
        return
    write_table(directory / 'bench.tsv', report)
    write_page(directory / 'index.html', report)
    for r in report.complete():
        if r.verdict(*kernels) == 'worse' or r.missed(*kernels):
            print(f'    {r.bench}.{r.name}: '
                  f'{ratio_text(r.ratio(*kernels))} of {kernels[0]}')
    print(f'==> bench: wrote {os.path.relpath(directory / "bench.tsv")} and '
          f'{os.path.relpath(directory / "index.html")}', flush=True)
