#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""check-kunit.py KERNEL: the anon_space KUnit suites on um, x86_64 or x86_64-debug.

Both of x86_64 have two CPUs and huge pages, x86_64-debug has KASAN and lockdep too.
Runs the kernel's own kunit.py on src/exp.  One result for each case; a case
that is in the source but not in the output fails, and so does a complaint of
the kernel on its console.  T=GLOB runs the suites that match only.
"""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
OUT = Path(os.environ.get("O") or TOP / "build").resolve()
EXP = OUT / "src/exp"
# Configurations of each kernel; later lines win.
ARCHS = {"um": [""], "x86_64": ["", "-x86_64"],
         "x86_64-debug": ["", "-x86_64", "-x86_64-debug"]}
TIMEOUT = os.environ.get("TIMEOUT") or "300"
QEMU_ARGS = "-smp 2 -m 1024"


def wanted_suites():
    """{suite: [cases]} as the sources have it."""
    suites = {}
    names = subprocess.run([TOP / "scripts/tree.py", "list-ours"],
                           stdout=subprocess.PIPE, text=True,
                           check=True).stdout.split()
    for name in names:
        if not re.search(r"anon_space\w*_kunit\.c$", name):
            continue
        text = (EXP / name).read_text(encoding="utf-8")
        cases = re.findall(r"\bKUNIT_CASE(?:_\w+)?\(\s*(\w+)", text)
        suite = re.search(r"struct kunit_suite \w+ = \{[^}]*"
                          r'\.name\s*=\s*"(\w+)"', text)
        if not suite or not cases:
            sys.exit(f"error: {name} has no suite or no case")
        suites[suite.group(1)] = cases
    return suites


# A /dev/kvm is no proof that it can run a guest, but kunit.py takes it for one.
EMULATED = """#!/bin/bash
args=()
while [ $# -gt 0 ]; do
	if [ "$1 $2" = "-accel kvm" ]; then
		shift 2
	else
		args+=("$1")
		shift
	fi
done
exec %s "${args[@]}"
"""


def emulate(folder):
    """A folder for PATH, with a QEMU that does not ask for KVM."""
    name = "qemu-system-x86_64"
    (folder / "bin").mkdir(exist_ok=True)
    wrapper = folder / "bin" / name
    wrapper.write_text(EMULATED % (shutil.which(name) or name), encoding="ascii")
    wrapper.chmod(0o755)
    return str(folder / "bin")


def run_kunit(kernel, folder):
    """Build and run; returns the results of kunit.py, None if it has none."""
    arch = kernel.split("-")[0]
    configs = [TOP / f"configs/kunit{name}.config" for name in ARCHS[kernel]]
    results = folder / "result.json"
    for stale in (results, folder / "test.log"):
        stale.unlink(missing_ok=True)
    command = [EXP / "tools/testing/kunit/kunit.py", "run", "anon_space*",
               "--arch", arch,
               "--build_dir", folder, "--timeout", TIMEOUT,
               "--jobs", os.environ.get("JOBS") or str(os.cpu_count()),
               *(f"--kunitconfig={config}" for config in configs),
               f"--json={results}", "--make_options",
               f"CC={'ccache ' if shutil.which('ccache') else ''}"
               f"{os.environ.get('CC') or 'gcc'}"]
    if arch == "x86_64":
        command += ["--qemu_args", QEMU_ARGS]
    env = {k: v for k, v in os.environ.items() if k not in
           ("O", "V", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARCH")}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    env["PATH"] = emulate(folder) + os.pathsep + env["PATH"]
    subprocess.run([str(c) for c in command], cwd=EXP,
                   env=env, stdin=subprocess.DEVNULL, check=False)
    if not results.exists():
        return None
    return json.loads(results.read_text(encoding="utf-8"))


def statuses(group, path=()):
    """{(suite, case): status} of nested results."""
    found = {}
    for case in group.get("test_cases", []):
        found[(path[-1], case["name"])] = case["status"]
    for sub in group.get("sub_groups", []):
        found.update(statuses(sub, path + (sub["name"],)))
        # A parametrised case is a group of its own.
        if path:
            cases = {c["status"] for c in sub.get("test_cases", [])}
            worst = sorted(cases - {"PASS", "SKIP"}) or ["SKIP"]
            found[(path[-1], sub["name"])] = \
                "PASS" if cases == {"PASS"} else worst[0]
    return found


def report(name, status):
    """One result line; returns True unless it failed."""
    if status == "SKIP":
        print(f"ok - {name} # SKIP by the test")
        return True
    good = status == "PASS"
    print(f"{'ok' if good else 'not ok'} - {name}" +
          ("" if good else f": {status}"))
    return good


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in ARCHS:
        sys.exit(__doc__)
    kernel = sys.argv[1]
    wanted = wanted_suites()
    if not wanted:
        print(f"ok - {kernel} # SKIP no suites yet")
        return
    folder = OUT / "kunit" / kernel
    folder.mkdir(parents=True, exist_ok=True)
    results = run_kunit(kernel, folder)
    if results is None:
        sys.exit(f"error: kunit.py gave no results, see {folder}")
    got = statuses(results)
    pattern = os.environ.get("T") or "*"
    good = [report(f"{kernel} {suite}.{case}",
                   got.get((suite, case), "missing from the output"))
            for suite, cases in wanted.items()
            if fnmatch.fnmatch(suite, pattern) for case in cases]
    splat = subprocess.run([TOP / "scripts/console-check.sh",
                            folder / "test.log"], check=False).returncode
    good.append(report(f"{kernel} console", "complaint" if splat else "PASS"))
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
