#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of what judges benchmarks.  One method a case, TAP on stdout."""

import contextlib
import io
import pathlib
import sys
import tempfile
import types

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / 'harness/bench'))

import bench            # noqa: E402
import bench_merges     # noqa: E402
import bench_native     # noqa: E402
import bench_report     # noqa: E402
import bench_summary    # noqa: E402
import bench_who        # noqa: E402

PAGE = 0x1000
KERNELS = ['stock', 'exp']
CASES = []


def case(test):
    CASES.append(test)
    return test


def result(stock, ours, metric='m', size=1, unit='insn', boots=2):
    r = bench_report.Result('micro', metric, size, unit)
    r.samples = {'stock': stock, 'exp': ours}
    r.boots = dict.fromkeys(KERNELS, set(range(boots)))
    return r


def verdict(*samples, **settings):
    return result(*samples, **settings).verdict(*KERNELS)


def missed(*samples, **settings):
    return result(*samples, **settings).missed(*KERNELS)


def expect(value, wanted):
    assert value == wanted, f'{value!r} is not {wanted!r}'


@case
def ranges_that_overlap_are_the_same():
    expect(verdict([100, 120, 100], [110, 130, 130]), 'same')


@case
def ranges_apart_are_worse_or_better():
    expect(verdict([100, 101] * 2, [102, 103] * 2), 'worse')
    expect(verdict([102, 103] * 2, [100, 101] * 2), 'better')


@case
def few_samples_have_to_agree():
    expect(verdict([100, 120], [125, 145]), 'same')
    expect(verdict([100, 101], [125, 126]), 'worse')


@case
def less_than_a_thousandth_is_the_same():
    expect(verdict([100000] * 4, [100010] * 4), 'same')


@case
def one_boot_proves_nothing():
    expect(verdict([100] * 9, [300] * 9, boots=1), '-')


@case
def attempts_are_neither_good_nor_bad():
    expect(verdict([1], [2], unit='attempts'), '-')


@case
def from_nothing_to_something_is_worse():
    expect(verdict([0, 0], [1, 1], unit='failures'), 'worse')
    expect(verdict([0, 0], [0, 0], unit='failures'), 'same')


@case
def a_target_allows_up_to_its_limit():
    expect(missed([100], [124], metric='move_pages', size=256), False)
    expect(missed([100], [126], metric='move_pages', size=256), True)


@case
def a_target_of_zero_is_one_of_the_value():
    expect(missed([5], [0], metric='redis.want_pgoff'), False)
    expect(missed([5], [1], metric='redis.want_pgoff'), True)


def vma(side, start=0, pages=0, **attributes):
    """Fields of a VMA at a side, or of none there."""
    values = dict.fromkeys(('pgoff', 'flags', 'file', 'policy', 'uffd', 'name'),
                           0)
    values.update(start=start, end=start + pages * PAGE, pgoff=start // PAGE)
    values.update(attributes)
    fields = {f'{side}_{name}': value for name, value in values.items()}
    fields[side] = 0x1000 if pages else 0
    return fields


def attempt(prev=None, next_=None, ret=(0, 0), kind='new', **own):
    """Counts of one page mapped at page 10."""
    entry = {'start': 10 * PAGE, 'end': 11 * PAGE, 'pgoff': 10, 'flags': 0,
             'file': 0, 'policy': 0, 'uffd': 0, 'name': 0}
    for side, fields in ('prev', prev), ('next', next_), ('vma', None):
        entry.update(fields or vma(side))
    entry.update(own)
    exit_ = dict(entry, ret=1 if ret[1] else 0, ret_start=ret[0] * PAGE,
                 ret_end=ret[1] * PAGE)
    counts = bench_merges.count([(1, f'{kind}_in', entry),
                                 (1, f'{kind}_out', exit_)])
    return {outcome: n for outcome, n in counts.items() if n}


@case
def no_neighbour_is_no_attempt():
    expect(attempt(), {})
    expect(attempt(prev=vma('prev', 5 * PAGE, 2)), {})


@case
def a_vma_that_reaches_into_both_merged_twice():
    expect(attempt(prev=vma('prev', 8 * PAGE, 2),
                   next_=vma('next', 11 * PAGE, 1), ret=(8, 12)),
           {'merged': 2})


@case
def flags_that_differ_are_the_reason():
    expect(attempt(prev=vma('prev', 8 * PAGE, 2, flags=1)), {'differs': 1})


@case
def softdirty_is_no_reason():
    expect(attempt(prev=vma('prev', 8 * PAGE, 2,
                            flags=bench_merges.VM_SOFTDIRTY)),
           {'want_anon_vma': 1})


@case
def page_offsets_that_do_not_fit_are_the_reason():
    expect(attempt(prev=vma('prev', 8 * PAGE, 2, pgoff=77)),
           {'want_pgoff': 1})
    expect(attempt(next_=vma('next', 11 * PAGE, 2, pgoff=77)),
           {'want_pgoff': 1})


@case
def merged_on_one_side_only_is_counted_for_both():
    expect(attempt(prev=vma('prev', 8 * PAGE, 2),
                   next_=vma('next', 11 * PAGE, 1), ret=(8, 11)),
           {'merged': 1, 'want_anon_vma': 1})


@case
def files_are_left_out():
    expect(attempt(prev=vma('prev', 8 * PAGE, 2), file=1), {})


@case
def the_middle_of_a_vma_has_no_side():
    expect(attempt(kind='mod', prev=vma('prev', 8 * PAGE, 2), vma_start=0,
                   vma_end=20 * PAGE), {})


def summary():
    report = bench_report.Report(KERNELS, '')
    report.facts['micro'] = [['commit', 'abc']]
    for metric, size, ours in ('cow_child', 1, 50), ('move_pages', 256, 120):
        r = result([100] * 4, [ours] * 4, metric, size)
        report.results['micro', metric, size] = r
    return report


@case
def what_is_worst_comes_first_in_the_summary():
    expect([r.name for _, r in bench_summary.chosen(summary())],
           ['move_pages/256', 'cow_child/1'])


@case
def the_summary_replaces_the_last_one_and_nothing_else():
    begin, end = bench_summary.BEGIN, bench_summary.END
    with tempfile.NamedTemporaryFile('w+') as file:
        path = pathlib.Path(file.name)
        path.write_text(f'head\n{begin}\nold\n{end}\ntail\n'
                        f'{bench_summary.COLLECTORS}\nold\n{end}\nend\n'
                        f'{bench_summary.PROGRAMS}\nold\n{end}\n')
        bench_summary.insert(path, summary())
        once = path.read_text()
        bench_summary.insert(path, summary())
        expect(path.read_text(), once)
    expect(once.startswith(f'head\n{begin}\n| |'), True)
    expect(once.endswith(f'| 1.200 | worse |\n| copy on write after a fork '
                         f'| 100 | 50 | insn | 0.500 | better |\n\n'
                         f'Measured: micro at abc.\n{end}\ntail\n'
                         f'{bench_summary.COLLECTORS}\nold\n{end}\nend\n'
                         f'{bench_summary.PROGRAMS}\nold\n{end}\n'), True)


@case
def failures_of_collectors_are_added_up():
    report = summary()
    for part, ours in (('', 50), ('.vmas_half', 7), ('.vmas_end', 9),
                       ('.efault', 1), ('.enomem', 2), ('.ebusy', 0)):
        metric = f'collect_uffd_huge{part}'
        report.results['collect', metric, bench_summary.COLLECTED] = result(
            [100] * 4, [ours] * 4, metric, bench_summary.COLLECTED)
        report.results['collect', metric, bench_summary.COLLECTED].bench = \
            'collect'
    report.facts['collect'] = [['commit', 'abc']]
    expect(bench_summary.collectors(report).splitlines()[2:],
           ['| `UFFDIO_MOVE` | huge pages | 100 | 300 | 100 | 50 | 3 | 9 |', '',
            'Measured: collect at abc.'])


def programs():
    """Of two that the table in README.md has, and one that it has not."""
    report = bench_report.Report(KERNELS, '')
    report.facts['programs'] = [['commit', 'abc']]
    for metric, ours in ('dash.time', [99] * 4), ('dash.missed_peak', [0] * 4), \
            ('git.time', [110, 112] * 2), ('bash.time', [100] * 4):
        r = result([100] * 4, ours, metric)
        r.bench = 'programs'
        report.results['programs', metric, 1] = r
    return report


@case
def what_costs_most_comes_first_of_programs():
    rows = [row[1:-1] for row in bench_who.rows(programs())]
    expect(rows, [['-', '-', '-', '-', '-', '1.110 ±0.9 %', 'worse'],
                  ['-', '-', '-', '-', '-', '1.000 ±0.0 %', 'same'],
                  ['-', '100 → 0', '-', '-', '-', '0.990 ±0.0 %', 'better']])
    expect(len(bench_who.rows(programs(), chosen=True)), 2)


@case
def every_program_says_what_it_is_and_has_a_cause():
    report = bench_report.Report(KERNELS, '')
    for name, keys in bench_who.facts().items():
        expect(bool(keys.get('what')), True)
        time = result([1], [1], f'{name}.time')
        assert report.cause(time) != 'not known', name


@case
def the_table_of_programs_in_readme_has_at_most_20_rows():
    chosen = [name for name, keys in bench_who.facts().items()
              if keys.get('table') == 'yes']
    assert len(chosen) <= 20, chosen


@case
def a_program_that_failed_has_a_row_that_says_so():
    report = programs()
    for name in ('dash', 'redis'):
        report.failures['programs', name] = ['stock, boot 2: ended with status 1']
    rows = [row[-3:] for row in bench_who.rows(report, chosen=True)]
    expect(rows, [['-', 'failed', 'stock, boot 2: ended with status 1'],
                  ['1.110 ±0.9 %', 'worse', report.cause(result([], [], 'git.time'))],
                  ['0.990 ±0.0 %', 'failed', 'stock, boot 2: ended with status 1']])


@case
def programs_that_were_not_measured_are_named():
    last = bench_who.markdown(programs()).splitlines()[-1]
    assert last.startswith('Not measured: ') and 'redis' in last, last
    assert 'git' not in last, last


GUEST = """#!/bin/sh
# Each program gives a sample; "bad" gives none, "lost" ends the guest, and of "splat" it
# is known in the end only.
for name in $CMD; do
	printf 'group\\t%s\\n' $name
	case $name in
	bad) printf 'failed\\tbad\\tended with status 1\\n' ;;
	lost) exit 125 ;;
	splat) status=126 ;;
	*) printf 'sample\\t%s.time\\t1\\t5\\tinsn\\n' $name ;;
	esac
done
printf 'group\\tend\\n'
exit ${status:-0}
"""


def booted(*parts):
    """The lines of a boot that does these parts, without the kernel's name and boot."""
    class Parts(bench.Bench):
        def parts(self, options):
            return list(parts)

        def command(self, _, options, parts):
            return ' '.join(parts)

    with tempfile.TemporaryDirectory() as directory, \
            contextlib.redirect_stdout(io.StringIO()), \
            contextlib.redirect_stderr(io.StringIO()):
        guest = pathlib.Path(directory) / 'guest'
        guest.write_text(GUEST)
        guest.chmod(0o755)
        options = types.SimpleNamespace(out=pathlib.Path(directory), boot=guest)
        lines = bench.Boot('test', Parts(''), 'stock', 1, options).run()
    return [line[2:4] for line in lines]


@case
def a_program_that_fails_loses_only_itself():
    expect(booted('a', 'bad', 'b'), [['sample', 'a.time'], ['failed', 'bad'],
                                     ['sample', 'b.time']])


@case
def a_program_that_breaks_the_guest_loses_only_itself():
    expect(booted('a', 'lost', 'b', 'lost'),
           [['sample', 'a.time'], ['failed', 'lost'], ['sample', 'b.time'],
            ['failed', 'lost']])


@case
def a_complaint_of_the_kernel_keeps_what_was_measured():
    expect(booted('a', 'splat', 'b'), [['sample', 'a.time'], ['sample', 'b.time'],
                                       ['failed', 'end']])


def add(old, new, changed=(), keep=False):
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / 'programs.tsv'
        if old:
            path.write_text(''.join('\t'.join(line) + '\n' for line in old))
        return bench.added(path, new, lambda *_: list(changed), keep)


def refuses(old, new, changed):
    try:
        add(old, new, changed)
    except bench.Failure:
        return True
    return False


COMMIT, OTHER = ['commit', 'abc'], ['commit', 'def']


def sample(metric, value):
    return ['stock', '1', 'sample', metric, '1', value, 'insn']


@case
def a_part_replaces_what_there_was_of_it():
    expect(add([], [COMMIT, sample('a.time', '1')]),
           [COMMIT, sample('a.time', '1')])
    expect(add([COMMIT, sample('a.time', '1'), sample('b.time', '2'),
                ['stock', '1', 'failed', 'a', 'reason']],
               [COMMIT, sample('a.time', '3')]),
           [COMMIT, sample('b.time', '2'), sample('a.time', '3')])


@case
def a_part_of_other_kernels_is_refused():
    expect(refuses([COMMIT, ['kernel', 'exp', '1'], sample('a.time', '1')],
                   [COMMIT, ['kernel', 'exp', '2'], sample('b.time', '1')], ()), True)


@case
def a_part_of_a_commit_that_changed_others_is_refused():
    old, new = [COMMIT, sample('a.time', '1')], [OTHER, sample('b.time', '2')]
    expect(refuses(old, new, ['mm/rmap.c']), True)
    expect(add(old, new), [OTHER, sample('a.time', '1'), sample('b.time', '2')])


@case
def what_is_older_stays_if_asked_for_and_says_of_which_commit_it_is():
    old = [COMMIT, sample('a.time', '1'), sample('b.time', '1'), sample('c.time', '1')]
    mixed = add(old, [OTHER, sample('b.time', '2')], ['mm/rmap.c'], keep=True)
    expect(mixed, [OTHER, ['older', 'abc', 'a c'], sample('a.time', '1'),
                   sample('c.time', '1'), sample('b.time', '2')])
    expect(add(mixed, [OTHER, sample('a.time', '3')]),
           [OTHER, ['older', 'abc', 'c'], sample('c.time', '1'), sample('b.time', '2'),
            sample('a.time', '3')])
    expect(add(mixed, [['commit', 'ghi'], sample('c.time', '4')], ['mm/rmap.c'],
               keep=True)[:3],
           [['commit', 'ghi'], ['older', 'abc', 'a'], ['older', 'def', 'b']])


@case
def the_table_of_programs_says_of_which_commits_it_is():
    report = programs()
    report.facts['programs'].append(['older', 'def', 'bash git'])
    assert 'Measured: programs at abc; git at def.' in bench_who.markdown(report)


def native(machine='m', config=('CONFIG_A=y', 'CONFIG_B=y')):
    return {'machine': [[machine]], 'config': [[line] for line in config]}


@case
def native_results_of_one_machine_and_configuration_compare():
    expect(bench_native.difference(native(), native()), None)


@case
def native_results_of_two_machines_do_not():
    expect(bench_native.difference(native(), native('other')),
           'machines: m | other')


@case
def native_results_of_two_configurations_do_not():
    expect(bench_native.difference(native(), native(config=['CONFIG_A=y'])),
           'configurations: CONFIG_B=y')


@case
def what_only_ours_has_is_no_configuration():
    for line in ('CONFIG_ANON_SPACE_STATS=y', 'CONFIG_LOCALVERSION="-exp"'):
        expect(bool(bench_native.OWN.match(line)), True)
    expect(bench_native.OWN.match('CONFIG_SMP=y'), None)


def main():
    failed = 0
    print(f'1..{len(CASES)}')
    for test in CASES:
        try:
            test()
        except AssertionError as error:
            failed += 1
            print(f'not ok - {test.__name__}\n#   {error}')
        else:
            print(f'ok - {test.__name__}')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
