#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""kselftest-report.py RUNS KERNEL...: judge the results of our selftests.

RUNS/KERNEL/results names the test programs with their exit status,
RUNS/KERNEL/NAME.tap is what they printed.  Every test must pass, but those that
harness/test/kselftest-new-behaviour lists must fail on a stock kernel, and those that
harness/test/kselftest-may-skip lists may skip themselves on one without debugging.
RUNS/KERNEL/NAME.frag has the processes of a program as they ended; on a kernel of
ours they must not have missed a merge.  Prints one result a test in TAP, and one a
program that ran on a kernel, which says whether it ran to its end.
"""

import os
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
NEW_BEHAVIOUR = TOP / "harness/test/kselftest-new-behaviour"
MAY_SKIP = TOP / "harness/test/kselftest-may-skip"
RESULT = re.compile(r"(not ok|ok) \d+ (\S+)(?: # SKIP ?(.*))?")
# skip_test() of anon_space_util.c prints the reason itself.
REASON = re.compile(r"#\s+SKIP\s+(.*)")
MAX_DETAILS = 6


class Report:
    """Prints results and counts failures."""

    def __init__(self):
        self.failed = 0

    def result(self, name, problems, skip=""):
        skip = f" # SKIP {skip}" if skip and not problems else ""
        print(f"{'not ok' if problems else 'ok'} - {name}{skip}")
        for problem in problems:
            print(f"#   {problem}")
        self.failed += bool(problems)


def read_patterns(path):
    lines = path.read_text(encoding="ascii").splitlines()
    return [re.compile(line) for line in lines
            if line and not line.startswith("#")]


def parse_tap(text):
    """Results {test: (verdict, skip reason, details)} and planned number."""
    results, details, plan = {}, [], None
    for line in text.splitlines():
        if match := re.match(r"1\.\.(\d+)$", line):
            plan = int(match.group(1))
        elif re.match(r"#  RUN ", line):
            details = []
        elif match := RESULT.match(line):
            verdict, name, skip = match.groups()
            if skip == "unknown":
                reasons = filter(None, map(REASON.match, details))
                skip = next((r.group(1) for r in reasons), skip)
            results[name] = verdict, skip, details
            details = []
        else:
            details.append(line)
    return results, plan


def missed_merges(path):
    """What is wrong with the processes of a program as they ended."""
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    if len(rows) < 2:
        return ["no process of it was looked at as it ended"]
    column = rows[0].index("missed_merges")
    missed = sum(int(row[column]) for row in rows[1:])
    return [f"{missed} missed merges, see {path}"] if missed else []


def read_program(report, run, line):
    """Check one test program on one kernel; returns its results."""
    name, status, seconds = line.split()
    text = (run / f"{name}.tap").read_text(errors="replace")
    results, plan = parse_tap(text)
    problems = []
    if plan is None:
        problems.append("no plan")
    elif plan != len(results):
        problems.append(f"{len(results)} results, {plan} planned")
    if status not in ("0", "1"):
        problems.append(f"exit status {status}")
    if not run.name.startswith("stock"):
        problems += missed_merges(run / f"{name}.frag")
    report.result(f"{run.name} {name} ran to its end ({seconds} s)", problems)
    return {f"{name}: {test}": result for test, result in results.items()}


def allowed_skip(kernel, test, result, may_skip):
    """The reason why a test did not run, if that is no failure here."""
    if result is None or result[1] is None or kernel.endswith("debug"):
        return ""
    arch = os.environ.get("ARCH") or "x86_64"
    where = kernel if arch == "x86_64" else f"{arch} {kernel}"
    skip = f"{where}: {test} # {result[1]}"
    return result[1] if any(p.fullmatch(skip) for p in may_skip) else ""


def judge(kernel, result, is_new):
    """What is wrong with a result, as a list of lines."""
    if result is None:
        return [f"{kernel}: no result"]
    verdict, skip, details = result
    if skip is not None:
        why = skip or "no reason"
        return [f"{kernel}: skipped: {why}"] + details[:MAX_DETAILS]
    must_fail = is_new and kernel.startswith("stock")
    if must_fail and verdict == "ok":
        return [f"{kernel}: passes, but is listed as new behaviour"]
    if not must_fail and verdict != "ok":
        return [f"{kernel}: fails"] + details[:MAX_DETAILS]
    return []


def main():
    runs, kernels = Path(sys.argv[1]), sys.argv[2:]
    report, new = Report(), read_patterns(NEW_BEHAVIOUR)
    may_skip = read_patterns(MAY_SKIP)
    by_kernel, used = {}, set()
    for kernel in kernels:
        results = by_kernel[kernel] = {}
        try:
            lines = (runs / kernel / "results").read_text().splitlines()
        except FileNotFoundError:
            report.result(f"{kernel} ran", ["no results at all"])
            continue
        for line in lines:
            results.update(read_program(report, runs / kernel, line))
    for name in dict.fromkeys(n for r in by_kernel.values() for n in r):
        test = name.split(": ")[1]
        matching = [pattern for pattern in new if pattern.fullmatch(test)]
        used.update(matching)
        problems, skips = [], []
        for kernel in kernels:
            result = by_kernel[kernel].get(name)
            if skip := allowed_skip(kernel, test, result, may_skip):
                skips.append(skip)
            else:
                problems += judge(kernel, result, bool(matching))
        # Skipped is what ran nowhere.
        skip = skips[0] if len(skips) == len(kernels) else ""
        report.result(name + (" (new)" if matching else ""), problems, skip)
    for pattern in new:
        if not os.environ.get("T") and pattern not in used:
            report.result(f"new-behaviour: {pattern.pattern}", ["no such test"])
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
