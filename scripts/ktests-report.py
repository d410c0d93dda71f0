#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""ktests-report.py RUNS REPORT STOCK [EXPERIMENTAL]: compare the results that
guest-ktests.sh left in RUNS/KERNEL.

Writes REPORT (suite, test, one column a kernel; the suite's exit is the test
"exit") and prints one TAP result a suite.  A suite fails if it has no results,
takes too long, or if any of its results differs from stock's and
expected-differences does not list it.  A test that fails on stock too does not
fail the suite: it says nothing about us.
"""

import collections
import os
import re
import sys
from pathlib import Path

KTESTS = Path(__file__).resolve().parent.parent / "tests/ktests"
SKIP = 4
TIMEOUTS = (124, 137)
NONE = "-"

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


def judge(suite, runs, expected):
    """Rows of the report for a suite, and its TAP result."""
    have = [run.get(suite, {}) for run in runs]
    tests = list(dict.fromkeys(test for results in have for test in results))
    rows = [[suite, test, *(results.get(test, NONE) for results in have)]
            for test in tests]
    different = [row for row in rows
                 if len(set(row[2:])) > 1 and not is_expected(expected, row)]
    good, text = False, summary(have[-1])
    if not all(have):
        text = "no results"
    elif any(results["exit"] == "timeout" for results in have):
        text = "takes too long"
    elif different:
        text = f"{len(different)} results differ from stock"
    else:
        good = True
    print(f"{'ok' if good else 'not ok'} - {suite}: {text}")
    for row in different:
        print(f"#   {row[1]}: {' -> '.join(row[2:])}")
    return rows, good


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    base, report, kernels = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    runs = [read_run(base / kernel) for kernel in kernels]
    names, skipped = read_suites()
    if only := os.environ.get("T"):
        names = [name for name in names if name == only]
    expected, table, good = read_expected(), [], True

    for suite in names:
        if suite in skipped:
            print(f"ok - {suite} # SKIP {skipped[suite]}")
            continue
        rows, same = judge(suite, runs, expected)
        table += rows
        good = good and same

    report.parent.mkdir(parents=True, exist_ok=True)
    with open(report, "w", encoding="utf-8") as f:
        for row in (["suite", "test", *kernels], *table):
            f.write("\t".join(row) + "\n")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
