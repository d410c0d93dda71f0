#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""check.py PART...: run "make check-PART" for each part and count results.

A part prints results as TAP does, at the start of a line:

  ok - NAME                    not ok - NAME
  ok - NAME # SKIP REASON      # anything else that matters

Other lines go to the log only (V=1 shows all).  A part that prints no result,
not as many as its plans ("1..N") say, or fails without a failed result, counts
as a failure.  So does a skip that harness/check/allowed-skips does not list.  The
last line is the sum: "N passed, N failed, N skipped".

Two parts run at a time, or LANES of them: many wait for one processor.  The last
result of each is kept in $O/report/parts.tsv: part, passed, failed, skipped, date,
and the commit, with a "+" if there were changes.
"""

import os
import queue
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
OUT = Path(os.environ.get("O") or TOP / "build").resolve()
RESULT = re.compile(r"(not )?ok\b(?: \d+)?(?: -)? *(.*?)"
                    r"(?: *# *SKIP\b:? *(.*))?$", re.I)
KERNEL = os.environ.get("KERNEL") or "exp"
PARTS = OUT / "report/parts.tsv"
LOUD = ("#", "error:", "==>")


def commit():
    """What is checked."""
    git = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=TOP,
                         check=False, stdout=subprocess.PIPE, text=True,
                         stderr=subprocess.DEVNULL)
    return git.stdout.strip() or "-"


class Check:
    """Counts of the whole run."""

    def __init__(self):
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.lock = threading.Lock()
        self.allowed = self.read_allowed()
        self.commit = commit()
        self.parts = {}		# {part: counts}

    @staticmethod
    def read_allowed():
        text = (TOP / "harness/check/allowed-skips").read_text(encoding="ascii")
        return [re.compile(line) for line in text.splitlines()
                if line and not line.startswith("#")]

    def keep(self, part, counts):
        """The last result of a whole part is the one that counts."""
        if os.environ.get("T"):
            return
        if KERNEL != "exp":
            part += f" {KERNEL}"
        with self.lock:
            rows = [] if not PARTS.exists() else \
                PARTS.read_text(encoding="ascii").splitlines()
            rows = [row for row in rows if row.split("\t")[0] != part]
            rows.append("\t".join([part, *map(str, counts.values()),
                                   time.strftime("%Y-%m-%d"), self.commit]))
            PARTS.write_text("\n".join(sorted(rows)) + "\n", encoding="ascii")

    def result(self, verdict, name, remark=""):
        counts = self.parts.setdefault(name.split(":")[0],
                                       dict.fromkeys(self.counts, 0))
        with self.lock:
            counts[verdict] += 1
            self.counts[verdict] += 1
            number = sum(self.counts.values())
            word = "not ok" if verdict == "failed" else "ok"
            print(f"{word} {number} - {name}{remark}", flush=True)

    def parse(self, part, match):
        """Count one result line; returns True if it is a failure."""
        bad, text, reason = match.groups()
        name = f"{part}: {text}"
        if bad:
            self.result("failed", name)
            return True
        if reason is None:
            self.result("passed", name)
            return False
        if any(a.search(f"{name} # {reason}") for a in self.allowed):
            self.result("skipped", name, f" # SKIP {reason}")
            return False
        self.result("failed", name, f" (unexpected skip: {reason})")
        return True

    def run(self, part):
        log = OUT / f"log/check-{part}.log"
        start, results, failures, plan = time.monotonic(), 0, 0, None
        print(f"# {part}: make check-{part}", flush=True)
        with open(log, "w", encoding="utf-8") as out, subprocess.Popen(
                ["make", "--no-print-directory", f"check-{part}"], cwd=TOP,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, errors="replace") as p:
            for line in p.stdout:
                out.write(line)
                line = line.rstrip()
                if match := RESULT.match(line):
                    results += 1
                    failures += self.parse(part, match)
                elif match := re.match(r"1\.\.(\d+)", line):
                    plan = (plan or 0) + int(match.group(1))
                elif line.startswith(LOUD) or os.environ.get("V") == "1":
                    with self.lock:
                        print(line, flush=True)
        if p.returncode and not failures:
            self.result("failed", f"{part}: exit status {p.returncode} "
                        "without a failed result")
        if plan is not None and results != plan:
            self.result("failed", f"{part}: {results} results, {plan} planned")
        elif not results and not p.returncode:
            self.result("failed", f"{part}: no results")
        self.keep(part, self.parts[part])
        print(f"# {part}: {time.monotonic() - start:.0f} s, log "
              f"{os.path.relpath(log)}", flush=True)


def run_parts(check, parts):
    """One lane: the next part that no other lane has taken, until there is none."""
    while True:
        try:
            part = parts.get_nowait()
        except queue.Empty:
            return
        try:
            check.run(part)
        except Exception as error:  # or the part, and its lane, would be lost
            check.result("failed", f"{part}: {error!r}")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    (OUT / "log").mkdir(parents=True, exist_ok=True)
    PARTS.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    check = Check()
    parts = queue.SimpleQueue()
    for part in sys.argv[1:]:
        parts.put(part)
    lanes = [threading.Thread(target=run_parts, args=(check, parts))
             for _ in range(int(os.environ.get("LANES") or 2))]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    print(f"# {len(sys.argv) - 1} parts in {time.monotonic() - start:.0f} s")
    print(", ".join(f"{n} {what}" for what, n in check.counts.items()))
    sys.exit(1 if check.counts["failed"] else 0)


if __name__ == "__main__":
    main()
