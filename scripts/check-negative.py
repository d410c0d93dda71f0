#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""check-negative.py: the tests fail if the kernel is wrong.

tests/negative/faults lists deliberate faults and which test has to catch each.
Each fault is switched on, and that test run: it must fail, or the kernel must
complain while it runs. Without a fault it must pass. T=GLOB: these faults only.
"""

import fnmatch
import os
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
OUT = Path(os.environ.get("O") or TOP / "build").resolve()
EXP = OUT / "src/exp"
LOGS = OUT / "negative"
TIMEOUT = os.environ.get("TIMEOUT") or "300"
QEMU_ARGS = "-smp 2 -m 1024"
HEADER = EXP / "include/linux/anon_space_debug.h"
SWAP_TEST = OUT / "bin/negative-swap"


def known_faults():
    """Names that the kernel knows, without that of no fault."""
    text = HEADER.read_text(encoding="ascii")
    return re.findall(r'FAULT\(\w+,\s*"([^"]+)"\)', text)[1:]


def listed_faults():
    """[(fault, where, test)]"""
    text = (TOP / "tests/negative/faults").read_text(encoding="ascii")
    return [tuple(line.split()) for line in text.splitlines()
            if line and not line.startswith("#")]


def complained(log):
    """Does the console say that something is wrong?"""
    return subprocess.run([TOP / "scripts/console-check.sh", log],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode != 0


def run_kunit(arch, test, fault, log):
    """Run one KUnit case; returns whether it passed without a complaint."""
    folder = OUT / "kunit" / arch
    suite, case = test.split(".")
    command = [EXP / "tools/testing/kunit/kunit.py", "exec", "--arch", arch,
               "--build_dir", folder, "--timeout", TIMEOUT, "--raw_output=all",
               f"--kernel_args=anon_space_fault={fault}"]
    if arch == "x86_64":
        command += ["--qemu_args", QEMU_ARGS]
    env = {k: v for k, v in os.environ.items()
           if k not in ("O", "V", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARCH")}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    with open(log, "w", encoding="utf-8") as out:
        subprocess.run([str(c) for c in command] + [test], cwd=EXP, env=env,
                       stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                       check=False)
    text = log.read_text(encoding="utf-8", errors="replace")
    if f"# Subtest: {suite}" not in text:
        sys.exit(f"error: {test} did not run, see {log}")
    return bool(re.search(rf"^\s+ok \d+ {case}\b", text, re.M)) and \
        not complained(log)


def run_guest(test, fault, log):
    """Run one case of the swap test; returns whether it passed."""
    folder = LOGS / f"guest-{fault}"
    env = dict(os.environ, KERNEL="debug", SWAP="256M", OUT=str(folder),
               APPEND=f"anon_space_fault={fault}",
               CMD=f"{SWAP_TEST} {test}")
    with open(log, "w", encoding="utf-8") as out:
        status = subprocess.run([str(TOP / "scripts/boot.sh")], env=env,
                                stdin=subprocess.DEVNULL, stdout=out,
                                stderr=out, check=False).returncode
    if status not in (0, 1, 126):   # good, wrong, a complaint of the kernel
        sys.exit(f"error: {test} did not run, see {log}")
    return status == 0


def run(where, test, fault):
    log = LOGS / f"{where}-{test}-{fault}.log"
    if where == "guest":
        return run_guest(test, fault, log)
    return run_kunit(where, test, fault, log)


def report(good, name):
    print(f"{'ok' if good else 'not ok'} - {name}", flush=True)
    return good


def main():
    if not HEADER.exists():
        sys.exit("error: the source tree has no faults")
    pattern = os.environ.get("T") or "*"
    listed = [f for f in listed_faults() if fnmatch.fnmatch(f[0], pattern)]
    LOGS.mkdir(parents=True, exist_ok=True)
    good = []
    if pattern == "*":
        missing = set(known_faults()) ^ {f[0] for f in listed}
        good.append(report(not missing, "every fault is listed" +
                           "".join(f" (but {m})" for m in sorted(missing))))
    for where, test in sorted({f[1:] for f in listed}):
        good.append(report(run(where, test, "none"),
                           f"{where} {test} passes without a fault"))
    for fault, where, test in listed:
        good.append(report(not run(where, test, fault),
                           f"{fault} is caught by {where} {test}"))
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
