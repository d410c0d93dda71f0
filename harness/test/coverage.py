#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Which lines of our kernel files do the KUnit suites and selftests reach?

Boots a kernel built with CONFIG_GCOV_KERNEL, in which the KUnit suites run at
boot, runs the selftests and one validation in it, and counts with gcov. Prints
every function that has unreached lines, with the lines, then a table of lines and
branches, and fails if less than MIN_PERCENT of all lines were reached. What the tests themselves say
is judged by make kunit and make kselftest, not here.
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
RUN = OUT / "coverage"
TIMEOUT = os.environ.get("TIMEOUT") or "3600"


def is_ours(name):
    """The kernel part and our headers; not the tests."""
    return re.search(r"/(mm/|linux/|fs/proc/task_)anon_", name)


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
    files = {}
    for data in sorted((RUN / "gcov").glob("*.gcda")):
        for folder in ("mm", "fs/proc"):
            notes = BUILD / folder / f"{data.stem}.gcno"
            if notes.exists():
                shutil.copy(notes, data.parent)
        report = subprocess.run(["gcov", "--json-format", "--stdout",
                                 "--branch-probabilities", data.name],
                                cwd=data.parent, stdout=subprocess.PIPE,
                                check=True).stdout
        for source in json.loads(report)["files"]:
            if not is_ours(source["file"]):
                continue
            name = source["file"].split("/src/exp/")[-1]
            lines = files.setdefault(name, {})
            for line in source["lines"]:
                number = line["line_number"]
                count, _, taken = lines.get(number, (0, "", []))
                more = [branch["count"] for branch in line["branches"]]
                lines[number] = (count + line["count"],
                                 line.get("function_name", ""),
                                 [a + b for a, b in itertools.zip_longest(
                                     taken, more, fillvalue=0)])
    return files


def print_unreached(name, lines):
    """One function after the other, with the text of its lines."""
    text = (OUT / "src/exp" / name).read_text(encoding="utf-8").splitlines()
    last = None
    for number in sorted(lines):
        count, function, _ = lines[number]
        if count:
            continue
        if function != last:
            print(f"# not reached: {name}: {function}()")
            last = function
        print(f"#   {number}: {text[number - 1].strip()}")


def main():
    try:
        run_tests()
    except subprocess.CalledProcessError as error:
        print(f"not ok - coverage: {error.cmd[0]} failed with "
              f"{error.returncode}; see {OUT}/log/coverage.log")
        return 1
    missing = missing_suites()
    if missing:
        print(f"not ok - coverage: KUnit did not run {', '.join(missing)}")
        return 1
    files = read_counts()
    if not files:
        print("not ok - coverage: the kernel counted nothing")
        return 1
    for name, lines in sorted(files.items()):
        print_unreached(name, lines)
    reached = total = 0
    for name, lines in sorted(files.items()):
        hit = sum(count > 0 for count, _, _ in lines.values())
        ways = [count for _, _, taken in lines.values() for count in taken]
        print(f"# {100 * hit / len(lines):5.1f} %  {hit:4} of {len(lines):4} "
              f"lines  {sum(map(bool, ways)):4} of {len(ways):4} branches  {name}")
        reached += hit
        total += len(lines)
    percent = 100 * reached / total
    good = percent >= MIN_PERCENT
    print(f"{'ok' if good else 'not ok'} - coverage: {reached} of {total} lines, "
          f"{percent:.1f} %, at least {MIN_PERCENT} % wanted")
    return not good


if __name__ == "__main__":
    sys.exit(main())
