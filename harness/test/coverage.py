#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Which lines and branches of the kernel part do KUnit and the selftests reach?

Boots a kernel built with CONFIG_GCOV_KERNEL, in which the KUnit suites run at
boot, runs the selftests and one validation in it, and counts with gcov: all of our
own files, and the lines that patches bring to files of the kernel. Prints every line
that was not reached, by function, and every line of which a branch was never taken;
then a table, which is also in O/report/coverage.tsv. Fails if less than MIN_PERCENT of
the lines of either kind were reached. What the tests themselves say is judged by make
kunit and make kselftest, not here.

With AGAIN=1 nothing is run: what was counted last time is shown once more.
"""

import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

MIN_PERCENT = 90
TOP = pathlib.Path(__file__).resolve().parents[2]
OUT = pathlib.Path(os.environ.get("O") or TOP / "build").resolve()
BUILD = OUT / "kernel/coverage"
EXP = OUT / "src/exp"
PRISTINE = OUT / "src/pristine"
RUN = OUT / "coverage"
TIMEOUT = os.environ.get("TIMEOUT") or "3600"


def added_lines(name):
    """Numbers of the lines that patches bring to a file of the kernel."""
    text = subprocess.run(["diff", "-U0", PRISTINE / name, EXP / name],
                          stdout=subprocess.PIPE, encoding="utf-8",
                          check=False).stdout
    lines = set()
    for start, count in re.findall(r"^@@ \S+ \+(\d+)(?:,(\d+))? @@", text, re.M):
        lines.update(range(int(start), int(start) + int(count or 1)))
    return lines


def wanted_lines():
    """{file: lines}, None for all of them; neither tests nor tools."""
    files = {}
    for line in (OUT / "src/exp.manifest").read_text(encoding="utf-8").splitlines():
        name = line.split()[1]
        if name.endswith((".c", ".h")) and \
           not name.startswith(("lib/tests/", "tools/", "include/trace/")):
            files[name] = added_lines(name) if (PRISTINE / name).exists() else None
    return files


def run_tests():
    """Build the selftests, boot, and leave the counts in RUN/gcov."""
    environment = dict(os.environ, KERNELS="", O=str(OUT))
    subprocess.run([TOP / "harness/test/kselftest.sh"], env=environment, check=True)
    shutil.rmtree(RUN, ignore_errors=True)
    command = f"harness/test/guest-coverage.sh {OUT}/kselftest/bin"
    environment.update(KERNEL="coverage", CMD=command, OUT=str(RUN),
                       SWAP="512M", TIMEOUT=TIMEOUT, SMP="2", MEM="2G")
    environment["APPEND"] = "kunit.enable=1 kunit.filter_glob=anon_space*"
    with open(OUT / "log/coverage.log", "w", encoding="utf-8") as log:
        subprocess.run([TOP / "harness/guest/boot.sh"], env=environment, cwd=TOP,
                       stdin=subprocess.DEVNULL, stdout=log,
                       stderr=subprocess.STDOUT, check=True)


def missing_suites():
    """The KUnit suites of the source that have not run to their end."""
    sources = (OUT / "src/exp/lib/tests").glob("anon_space_*_kunit.c")
    suites = {re.search(r'\.name = "(anon_space_\w+)"', source.read_text())[1]
              for source in sources}
    console = (RUN / "console").read_text(errors="replace")
    return suites - set(re.findall(r"ok \d+ (anon_space_\w+)", console))


def read_counts():
    """{file: {line: (count, function, counts of branches)}} over all objects."""
    wanted = wanted_lines()
    files = {}
    for data in sorted((RUN / "gcov").rglob("*.gcda")):
        rel = data.relative_to(RUN / "gcov")
        shutil.copy(BUILD / rel.with_suffix(".gcno"), data.parent)
        report = subprocess.run(["gcov", "--json-format", "--stdout",
                                 "--branch-probabilities", data.name],
                                cwd=data.parent, stdout=subprocess.PIPE,
                                check=True).stdout
        for source in json.loads(report)["files"]:
            name = source["file"].split("/src/exp/")[-1]
            if name not in wanted:
                continue
            lines = files.setdefault(name, {})
            for line in source["lines"]:
                number = line["line_number"]
                if wanted[name] is not None and number not in wanted[name]:
                    continue
                count, _, taken = lines.get(number, (0, "", []))
                more = [branch["count"] for branch in line["branches"]]
                lines[number] = (count + line["count"],
                                 line.get("function_name", ""),
                                 [a + b for a, b in itertools.zip_longest(
                                     taken, more, fillvalue=0)])
    return {name: lines for name, lines in files.items() if lines}, wanted


def print_unreached(name, lines):
    """One function after the other, with the text of its lines."""
    text = (EXP / name).read_text(encoding="utf-8").splitlines()
    kinds = {
        "not reached": lambda count, taken: not count,
        "not all branches": lambda count, taken: count and not all(taken),
    }
    for what, is_kind in kinds.items():
        last = None
        for number, (count, function, taken) in sorted(lines.items()):
            if not is_kind(count, taken):
                continue
            if function != last:
                print(f"# {what}: {name}: {function}()")
                last = function
            print(f"#   {number}: {text[number - 1].strip()}")


def percent(part, whole):
    """Of nothing all is reached."""
    return 100 * part / whole if whole else 100.0


class Sum:
    """Lines and branches of one file, or of many."""

    def __init__(self, lines=None):
        lines = lines or {}
        ways = [count for _, _, taken in lines.values() for count in taken]
        self.hit = sum(count > 0 for count, _, _ in lines.values())
        self.lines = len(lines)
        self.taken, self.ways = sum(map(bool, ways)), len(ways)

    def add(self, other):
        self.hit += other.hit
        self.lines += other.lines
        self.taken += other.taken
        self.ways += other.ways

    def __str__(self):
        return (f"{percent(self.hit, self.lines):5.1f} %  {self.hit:4} of "
                f"{self.lines:4} lines  {percent(self.taken, self.ways):5.1f} %  "
                f"{self.taken:4} of {self.ways:4} branches")


def print_table(files, wanted):
    """Returns the sums of our own files and of what patches bring to others."""
    sums = {"our files": Sum(), "hunks of patches": Sum()}
    (OUT / "report").mkdir(exist_ok=True)
    with open(OUT / "report/coverage.tsv", "w", encoding="utf-8") as table:
        print("file", "lines", "reached", "branches", "taken", sep="\t",
              file=table)
        for what, all_of_it in (("our files", True), ("hunks of patches", False)):
            for name, lines in sorted(files.items()):
                if (wanted[name] is None) != all_of_it:
                    continue
                one = Sum(lines)
                print(f"# {one}  {name}")
                print(name, one.lines, one.hit, one.ways, one.taken, sep="\t",
                      file=table)
                sums[what].add(one)
    return sums


def main():
    try:
        if not os.environ.get("AGAIN"):
            run_tests()
    except subprocess.CalledProcessError as error:
        print(f"not ok - coverage: {error.cmd[0]} failed with "
              f"{error.returncode}; see {OUT}/log/coverage.log")
        return 1
    missing = missing_suites()
    if missing:
        print(f"not ok - coverage: KUnit did not run {', '.join(missing)}")
        return 1
    files, wanted = read_counts()
    if not files:
        print("not ok - coverage: the kernel counted nothing")
        return 1
    for name, lines in sorted(files.items()):
        print_unreached(name, lines)
    good = True
    for what, one in print_table(files, wanted).items():
        enough = percent(one.hit, one.lines) >= MIN_PERCENT
        print(f"{'ok' if enough else 'not ok'} - coverage of {what}: "
              f"{str(one).strip()}, at least {MIN_PERCENT} % of lines wanted")
        good &= enough
    return not good


if __name__ == "__main__":
    sys.exit(main())
