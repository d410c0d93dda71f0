#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""ktests-report.py RUNS REPORT STOCK [EXPERIMENTAL]: compare the results that
guest-ktests.sh left in RUNS/KERNEL, and in RUNS/again-N/KERNEL when it was run
again.

Writes REPORT (suite, test, one column a kernel; the suite's exit is the test
"exit") and prints one TAP result a suite.  A suite fails if it has no results,
or if the same test of it takes too long or does worse than on stock each time
that it was run, and expected-differences does not list it.  A test that fails
on stock too says nothing about us; one that does better is reported.

ktests-report.py --again RUNS STOCK EXPERIMENTAL: print the names of the suites
that fail so far and could be run again.
"""

import collections
import os
import re
import sys
from pathlib import Path

KTESTS = Path(__file__).resolve().parent
SKIP = 4
TIMEOUTS = (124, 137)
NONE = "-"
RANK = {"pass": 2, "skip": 1}

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
VARIABLE = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{12,16}\b|(?<=Extra pages ).*")
TAP = re.compile(r"(?:# )*(not )?ok \d+ (?:- )?(.*?)\s*(#\s*SKIP.*)?$", re.I)
UFFD = re.compile(r"Testing (.*)\.\.\. (done|skipped|failed)")
KHUGEPAGED = re.compile(r"Run test: (.*)")
KHUGEPAGED_STEP = re.compile(r"\.\.\. (OK|Fail|Skip)")
WORDS = {"done": "pass", "skipped": "skip", "failed": "fail",
         "OK": "pass", "Skip": "skip", "Fail": "fail"}


def exit_result(status):
    if status == 0:
        return "pass"
    if status == SKIP:
        return "skip"
    return "timeout" if status in TIMEOUTS else f"fail({status})"


def parse_log(text):
    """Results of the tests of a suite, by name.  A name seen again gets a
    number; of the steps of a khugepaged test the worst counts."""
    results, seen, running = {}, collections.Counter(), None

    def add(name, result):
        name = VARIABLE.sub("N", name).strip()
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name} #{seen[name]}"
        results[name] = result
        return name

    for line in COLOUR.sub("", text).replace("\r", "\n").splitlines():
        if m := TAP.match(line):
            add(m[2], "skip" if m[3] else "fail" if m[1] else "pass")
        elif m := UFFD.match(line):
            add(m[1], WORDS[m[2]])
        elif m := KHUGEPAGED.match(line):
            running = add(m[1], "pass")
        elif running and (m := KHUGEPAGED_STEP.search(line)):
            order = ("pass", "skip", "fail")
            results[running] = max(results[running], WORDS[m[1]],
                                   key=order.index)
    return results


def read_run(run):
    """{suite: {test: result}} of one kernel, in the order they ran."""
    suites = {}
    results = run / "results"
    for line in results.read_text().splitlines() if results.exists() else ():
        name, status, _seconds = line.split()
        log = (run / f"{name}.log").read_text(errors="replace")
        suites[name] = {**parse_log(log), "exit": exit_result(int(status))}
    return suites


def read_suites():
    """Names of the suites, and the reasons of those that are not run."""
    names, skipped = [], {}
    for line in (KTESTS / "suites").read_text().splitlines():
        if line and not line.startswith("#"):
            name, limit, rest = line.split(None, 2)
            if limit == "skip":
                skipped[name] = rest
            names.append(name)
    return names, skipped


def read_expected():
    """Rows of suite, test, stock's and the experimental kernel's result."""
    lines = (KTESTS / "expected-differences").read_text().splitlines()
    rows = [line.split("\t") for line in lines
            if line and not line.startswith("#")]
    for row in rows:
        if len(row) != 4:
            sys.exit(f"error: expected-differences: not four fields: {row}")
    return rows


def is_expected(expected, row):
    return any(all(want in ("*", have) for want, have in zip(pattern, row))
               for pattern in expected)


def summary(results):
    counts = collections.Counter(
        re.sub(r"\(.*", "", r) for t, r in results.items() if t != "exit")
    parts = [f"{n} {what}" for what, n in sorted(counts.items())]
    return ", ".join([*parts, f"exit {results.get('exit', NONE)}"])


def compare(suite, runs, expected):
    """All rows of the report for one suite and one run of every kernel, and
    those of them that are worse and better than stock."""
    have = [run.get(suite, {}) for run in runs]
    tests = list(dict.fromkeys(test for results in have for test in results))
    rows = [[suite, test, *(results.get(test, NONE) for results in have)]
            for test in tests]
    worse, better = [], []
    for row in rows:
        stock, ours = RANK.get(row[2], 0), RANK.get(row[-1], 0)
        if row[-1] == "timeout":
            worse.append(row)
        elif len(set(row[2:])) > 1 and not is_expected(expected, row):
            (better if ours > stock else worse).append(row)
    return rows, worse, better


def judge(suite, rounds, expected):
    """Rows of the report for a suite, whether it is good, and what to say."""
    rounds = [runs for n, runs in enumerate(rounds)
              if n == 0 or all(run.get(suite) for run in runs)]
    compared = [compare(suite, runs, expected) for runs in rounds]
    always = set.intersection(*({row[1] for row in worse}
                                for _, worse, _ in compared))
    rows, worse, better = compared[-1]
    say = [f"#   {row[1]}: {' -> '.join(row[2:])}"
           for row in worse if row[1] in always]
    last = [run.get(suite, {}) for run in rounds[-1]]
    if not all(last):
        return rows, False, ["no results"]
    if always:
        tries = f", run {len(rounds)} times" if len(rounds) > 1 else ""
        return rows, False, [f"{len(always)} tests do worse than on stock"
                             f"{tries}", *say]
    for number, (_, worse, _) in enumerate(compared, 1):
        say += [f"#   not each time: {row[1]}: {' -> '.join(row[2:])}"
                f" (run {number})" for row in worse]
    say += [f"#   better: {row[1]}: {' -> '.join(row[2:])}" for row in better]
    return rows, True, [summary(last[-1]), *say]


def read_rounds(base, kernels):
    """Results of every kernel of the first run, then of each one after it."""
    again = sorted(base.glob("again-*"), key=lambda p: int(p.name[6:]))
    return [[read_run(where / kernel) for kernel in kernels]
            for where in (base, *again)]


def wanted_suites():
    names, skipped = read_suites()
    if only := os.environ.get("T"):
        names = [name for name in names if name in only.split()]
    return names, skipped


def print_failing(base, kernels):
    rounds, expected = read_rounds(base, kernels), read_expected()
    names, skipped = wanted_suites()
    print(*(name for name in names if name not in skipped
            and not judge(name, rounds, expected)[1]))


def main():
    args = sys.argv[1:]
    if args[:1] == ["--again"] and len(args) > 2:
        print_failing(Path(args[1]), args[2:])
        return
    if len(args) < 3:
        sys.exit(__doc__)
    base, report, kernels = Path(args[0]), Path(args[1]), args[2:]
    rounds, expected = read_rounds(base, kernels), read_expected()
    names, skipped = wanted_suites()
    table, all_good = [], True

    for suite in names:
        if suite in skipped:
            print(f"ok - {suite} # SKIP {skipped[suite]}")
            continue
        rows, good, say = judge(suite, rounds, expected)
        print(f"{'ok' if good else 'not ok'} - {suite}: {say[0]}",
              *say[1:], sep="\n")
        table += rows
        all_good = all_good and good

    report.parent.mkdir(parents=True, exist_ok=True)
    with open(report, "w", encoding="utf-8") as f:
        for row in (["suite", "test", *kernels], *table):
            f.write("\t".join(row) + "\n")
    sys.exit(0 if all_good else 1)


if __name__ == "__main__":
    main()
