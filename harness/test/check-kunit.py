#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""check-kunit.py KERNEL: the anon_space KUnit suites on UML, or on another architecture.

All but um have two CPUs and huge pages, x86_64-debug has KASAN and lockdep too.
Without a cross compiler or emulator, what is missing is said, and that is a skip.
Runs the kernel's own kunit.py on src/exp.  One result for each case; a case
that is in the source but not in the output fails, and so does a complaint of
the kernel on its console.  T=GLOB runs the suites that match only.  With PREFIX=1
src/exp is a patch in the middle of the series: only suites and symbols that are there.
"""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
OUT = Path(os.environ.get("O") or TOP / "build").resolve()
EXP = OUT / "src/exp"
# kunit.py's name of the architecture, our configurations, compiler and emulator.
KERNELS = {
    "um": ("um", [""], "", None),
    "x86_64": ("x86_64", ["", "-smp", "-failure", "-64bit", "-x86"], "", "x86_64"),
    "x86_64-debug": ("x86_64", ["", "-smp", "-failure", "-64bit", "-x86", "-debug"], "",
                     "x86_64"),
    "i386": ("i386", ["", "-smp", "-failure", "-i386"], "", "i386"),
    "arm64": ("arm64", ["", "-smp", "-failure", "-64bit"], "aarch64-linux-gnu-", "aarch64"),
    "arm64-64k": ("arm64", ["", "-smp", "-failure", "-64bit", "-arm64-64k"],
                  "aarch64-linux-gnu-", "aarch64"),
    "riscv": ("riscv", ["", "-smp", "-failure", "-64bit"], "riscv64-linux-gnu-", "riscv64"),
    # QEMU 7.2 hangs where s390 steps over the instruction of a kprobe.
    "s390": ("s390", ["", "-smp", "-64bit"], "s390x-linux-gnu-", "s390x"),
    "powerpc": ("powerpc", ["", "-smp", "-failure", "-64bit", "-powerpc"],
                "powerpc64le-linux-gnu-", "ppc64"),
}
HINT = "to install them: make setup-cross"
TIMEOUT = os.environ.get("TIMEOUT") or "1800"
PREFIX = bool(os.environ.get("PREFIX"))
QEMU_ARGS = "-smp 2 -m 1024"
# A busy host stops a guest for long, see harness/guest/boot.sh.
PATIENT = ["rcupdate.rcu_cpu_stall_timeout=300"]
PATIENT_X86 = ["tsc=unstable", "no_timer_check"]
CPUS = {
    # Without NX the kernel warns, and of several processors of AMD as well.
    "i386": " -cpu qemu32,+nx",
    # That of kunit.py has no huge pages of the size of a page table.
    "powerpc": " -cpu power9",
}


def wanted_suites():
    """{suite: [cases]} as the sources have it."""
    suites = {}
    names = subprocess.run([TOP / "harness/tree/tree.py", "list-ours"],
                           stdout=subprocess.PIPE, text=True,
                           check=True).stdout.split()
    for name in names:
        if not re.search(r"anon_space\w*_kunit\.c$", name) or \
                (PREFIX and not (EXP / name).exists()):
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


def emulate(folder, emulator):
    """A folder for PATH, with a QEMU that does not ask for KVM."""
    name = f"qemu-system-{emulator}"
    (folder / "bin").mkdir(exist_ok=True)
    wrapper = folder / "bin" / name
    wrapper.write_text(EMULATED % (shutil.which(name) or name), encoding="ascii")
    wrapper.chmod(0o755)
    return str(folder / "bin")


def config(name, folder):
    """One of our configurations; at a prefix without those of our symbols which come later."""
    path = TOP / f"configs/kunit{name}.config"
    if not PREFIX:
        return path
    kconfig = EXP / "mm/anon_space/Kconfig"
    there = re.findall(r"^config (\w+)", kconfig.read_text(encoding="utf-8"), re.M)
    lines = [line for line in path.read_text(encoding="utf-8").splitlines(True)
             if "ANON_SPACE" not in line or
             re.sub(r"^CONFIG_(\w+)=.*\n", r"\1", line) in there]
    copy = folder / path.name
    copy.write_text("".join(lines), encoding="utf-8")
    return copy


def run_kunit(kernel, folder):
    """Build and run; returns the results of kunit.py, None if it has none."""
    arch, names, cross, emulator = KERNELS[kernel]
    configs = [config(name, folder) for name in names]
    cached = f"{TOP}/harness/kernel/cached.sh " if shutil.which("ccache") else ""
    results = folder / "result.json"
    for stale in (results, folder / "test.log"):
        stale.unlink(missing_ok=True)
    command = [EXP / "tools/testing/kunit/kunit.py", "run",
               os.environ.get("T") or "anon_space*",
               "--arch", arch,
               "--build_dir", folder, "--timeout", TIMEOUT,
               "--jobs", os.environ.get("JOBS") or str(os.cpu_count()),
               *(f"--kunitconfig={config}" for config in configs),
               f"--json={results}", "--make_options",
               f"CC={cached}"
               f"{cross}{os.environ.get('CC') or 'gcc'}"]
    if cross:
        command.append(f"--cross_compile={cross}")
    if emulator:
        command += ["--qemu_args", QEMU_ARGS + CPUS.get(arch, "")]
        command += [f"--kernel_args={arg}" for arg in PATIENT +
                    (PATIENT_X86 if arch in ("x86_64", "i386") else [])]
    env = {k: v for k, v in os.environ.items() if k not in
           ("O", "V", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARCH")}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    if emulator:
        env["PATH"] = emulate(folder, emulator) + os.pathsep + env["PATH"]
    subprocess.run([str(c) for c in command], cwd=EXP,
                   env=env, stdin=subprocess.DEVNULL, check=False)
    if not results.exists():
        return None
    return json.loads(results.read_text(encoding="utf-8"))


def statuses(group, path=()):
    """{(suite, case): status} of nested results."""
    found = {}
    # A kernel that crashes before the first suite has a case without one.
    for case in group.get("test_cases", []) if path else []:
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


def reasons(log):
    """{(suite, case): why it was skipped, all of it or so many of its parameters}."""
    found, suite, case, parameters = {}, None, None, []
    for line in log.splitlines():
        if match := re.match(r"    # Subtest: (\S+)", line):
            suite = match.group(1)
        elif match := re.match(r"        # Subtest: (\S+)", line):
            case, parameters = match.group(1), []
        elif match := re.match(r"        ok \d+ .*?(?: # SKIP *(.*))?$", line):
            parameters.append(match.group(1))
            why = {p for p in parameters if p is not None}
            skipped = sum(p is not None for p in parameters)
            found[(suite, case)] = \
                f"{skipped} of {len(parameters)}: {'; '.join(sorted(why))}"
        elif match := re.match(r"    ok \d+ (\S+) # SKIP (.+)", line):
            found[(suite, match.group(1))] = match.group(2)
    return found


def report(name, status, reason=""):
    """One result line; returns True unless it failed."""
    if status == "SKIP":
        print(f"ok - {name} # SKIP {reason}")
        return True
    good = status == "PASS"
    print(f"{'ok' if good else 'not ok'} - {name}" +
          ("" if good else f": {status}"))
    return good


def missing(kernel):
    """What this machine lacks for it, None if nothing."""
    _, _, cross, emulator = KERNELS[kernel]
    tools = ([f"{cross}gcc"] if cross else []) + \
        ([f"qemu-system-{emulator}"] if emulator else [])
    return next((tool for tool in tools if not shutil.which(tool)), None)


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in KERNELS:
        sys.exit(f"{__doc__}\nKERNEL is one of {', '.join(KERNELS)}")
    kernel = sys.argv[1]
    lacks = missing(kernel)
    if lacks:
        print(f"ok - {kernel} # SKIP no {lacks}\n#   {HINT}")
        return
    wanted = wanted_suites()
    if not wanted:
        sys.exit("error: no suites in src/exp")
    folder = OUT / "kunit" / kernel
    folder.mkdir(parents=True, exist_ok=True)
    results = run_kunit(kernel, folder)
    if results is None:
        sys.exit(f"error: kunit.py gave no results, see {folder}")
    got = statuses(results)
    log = (folder / "test.log").read_text(encoding="utf-8", errors="replace")
    why = reasons(log)
    pattern = os.environ.get("T") or "*"
    good = [report(f"{kernel} {suite}.{case}",
                   got.get((suite, case), "missing from the output"),
                   why.get((suite, case), "without a reason"))
            for suite, cases in wanted.items()
            if fnmatch.fnmatch(suite, pattern) for case in cases]
    splat = subprocess.run([TOP / "harness/guest/console-check.sh",
                            folder / "test.log"], check=False).returncode
    good.append(report(f"{kernel} console", "complaint" if splat else "PASS"))
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
