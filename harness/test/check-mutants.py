#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""check-mutants.py: the tests fail if the kernel is wrong.

Each tests/mutants/NAME.patch breaks the patched kernel on purpose.  Above the diff
it says what is broken, and which test must catch it, or why none can:

  Caught-by: kunit SUITE.CASE       KUnit on UML
  Caught-by: kunit-x86 SUITE.CASE   KUnit on x86_64, two CPUs, with huge pages
  Caught-by: vma TEST               tools/testing/vma, in user space
  Caught-by: kselftest PROGRAM      in a guest
  Caught-by: model BYTES            in a guest: tools/model, with units of so many bytes
  Caught-by: nothing yet            a test is missing: this fails
  Equivalent: REASON                nobody could tell the difference

Works on a copy of src/exp, in $O/mutants.  One mutant after the other is put there
and built incrementally, and its test must fail.  A kernel that crashes or complains
or does not end is caught, too.  Without a mutant each test must pass.

T="GLOB...": these mutants only.  KIND="kselftest model": those of such tests.  N=10: so
many, chosen by SEED, of those which need no kernel but UML.
"""

import fcntl
import fnmatch
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "harness"))
from tap import result  # pylint: disable=wrong-import-position

OUT = Path(os.environ.get("O") or TOP / "build").resolve()
EXP = OUT / "src/exp"
MANIFEST = OUT / "src/exp.manifest"
WORK = OUT / "mutants"
SRC = WORK / "src"
LOGS = WORK / "log"
PATCHES = TOP / "tests/mutants"
JOBS = os.environ.get("JOBS") or str(os.cpu_count())
CC = os.environ.get("CC") or "gcc"
QEMU = ["qemu-system-x86_64", "-nodefaults", "-m", "1024", "-smp", "2",
        "-no-reboot", "-nographic", "-accel", "tcg", "-bios", "qboot.rom",
        "-serial", "stdio"]
FIXED = ["KBUILD_BUILD_TIMESTAMP=2025-01-01", "KBUILD_BUILD_VERSION=1",
         "KBUILD_BUILD_USER=anon", "KBUILD_BUILD_HOST=space"]

TAKES_TIME = 30			# more seconds than without a mutant, and
TAKES_TIMES = 5			# so many times as many, are too much
TAIL_SECONDS, TAIL_LINES = 3, 40	# of the console after a complaint


class Broken(Exception):
    """A build or a test cannot be done at all."""


def patterns(name):
    """One expression for all those of harness/guest/console-*."""
    text = (TOP / "harness/guest" / name).read_text(encoding="ascii")
    return re.compile("|".join(f"(?:{line})" for line in text.splitlines()
                               if line and not line.startswith("#")))


SPLATS, ALLOWED = patterns("console-splats"), patterns("console-allow")


def complaint(line):
    """Does the kernel complain in this line of its console?"""
    return SPLATS.search(line) and not ALLOWED.search(line)


def run(command, log, limit=None, **more):
    """Run a command with all that it prints in a log; returns its status."""
    env = {k: v for k, v in os.environ.items() if k not in
           ("O", "V", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARCH", "T", "N")}
    env.update(more, LC_ALL="C")
    with open(log, "a", encoding="utf-8") as out:
        return subprocess.run([str(c) for c in command], cwd=TOP, env=env,
                              stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                              timeout=limit, check=False).returncode


def kmake(arch, folder, log, *targets):
    """The kernel's make in our copy of the source."""
    ccache = f"{TOP}/harness/kernel/cached.sh " if shutil.which("ccache") else ""
    if run(["make", "-s", "-C", SRC, f"O={folder}", f"ARCH={arch}",
            f"CC={ccache}{CC}", f"-j{JOBS}", *FIXED, *targets], log):
        raise Broken(f"make {' '.join(targets)} fails, see {log}")


# ---- mutants ----

class Mutant:
    """A patch that breaks something."""

    def __init__(self, path):
        self.path, self.name = path, path.stem
        text = path.read_text(encoding="utf-8")
        self.files = re.findall(r"^\+\+\+ b/(\S+)", text, re.M)
        head = text[:text.find("--- ")]
        caught = re.search(r"^Caught-by: (\S+) (.+)$", head, re.M)
        equal = re.search(r"^Equivalent: (.+)", head, re.M | re.S)
        if not self.files or bool(caught) == bool(equal):
            raise Broken(f"{path}: no diff, or not one Caught-by: or Equivalent:")
        self.kind, self.test = caught.groups() if caught else \
            ("equivalent", " ".join(equal.group(1).split()))
        if self.kind not in (*KINDS, "nothing", "equivalent"):
            raise Broken(f"{path}: no such kind of test: {self.kind}")

    def patch(self, log, *options):
        """Returns whether it applied; never with fuzz."""
        return run(["patch", "-p1", "-F0", "-s", "--no-backup-if-mismatch", "-r",
                    "-", "-d", SRC, "-i", self.path, *options], log) == 0


class Source:
    """A copy of src/exp in which one mutant at a time is applied."""

    def __init__(self):
        self.saved = {}

    @staticmethod
    def copy(new, old, own):
        """What no mutant touches is linked.  What changes gets a new date."""
        if new.is_symlink():
            if not old.is_symlink():
                old.symlink_to(os.readlink(new))
            return
        if old.exists():
            linked = old.samefile(new)
            if not own if linked else old.read_bytes() == new.read_bytes():
                return
            old.unlink()
        elif not own:
            os.link(new, old)
            return
        shutil.copy(new, old)

    def sync(self):
        """Make the copy equal to src/exp."""
        own = {line.split()[1] for line in
               MANIFEST.read_text(encoding="utf-8").splitlines()}
        for folder, dirs, names in os.walk(EXP):
            rel = os.path.relpath(folder, EXP)
            (SRC / rel).mkdir(parents=True, exist_ok=True)
            for stale in set(os.listdir(SRC / rel)) - set(names) - set(dirs):
                if not (SRC / rel / stale).is_dir():
                    (SRC / rel / stale).unlink()
            for name in names + [d for d in dirs if
                                 os.path.islink(os.path.join(folder, d))]:
                self.copy(Path(folder, name), SRC / rel / name,
                          os.path.normpath(os.path.join(rel, name)) in own)

    def restore(self):
        """Take the mutant out; make sees new files."""
        for path, text in self.saved.items():
            path.unlink(missing_ok=True)
            path.write_bytes(text)
        self.saved = {}

    def mutate(self, mutant, log):
        """Put a mutant in."""
        self.restore()
        self.saved = {SRC / f: (SRC / f).read_bytes() for f in mutant.files}
        return mutant.patch(log)


# ---- where tests run ----

class Kunit:
    """KUnit in a kernel without user space."""

    def __init__(self, arch, configs, target):
        self.arch, self.configs, self.target = arch, configs, target
        self.folder = WORK / arch

    def configure(self, log):
        """Later lines win."""
        config = {}
        for name in self.configs:
            text = (TOP / name).read_text(encoding="ascii")
            config.update(re.findall(r"^(CONFIG_\w+)=(.+)$", text, re.M))
        lines = "".join(f"{k}={v}\n" for k, v in config.items())
        asked = self.folder / "asked.config"
        if asked.exists() and asked.read_text(encoding="ascii") == lines:
            return
        (self.folder / ".config").write_text(lines, encoding="ascii")
        kmake(self.arch, self.folder, log, "olddefconfig")
        asked.write_text(lines, encoding="ascii")

    def build(self, _test, log):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.configure(log)
        kmake(self.arch, self.folder, log, self.target)

    def command(self, test):
        args = f"kunit.enable=1 kunit.filter_glob={test}"
        if self.arch == "um":
            return [self.folder / "linux", *args.split(), "mem=1G",
                    "console=tty", "kunit_shutdown=halt"]
        return QEMU + ["-kernel", self.folder / "arch/x86/boot/bzImage",
                       "-append", f"{args} console=ttyS0 kunit_shutdown=reboot"
                       " panic=-1 rcupdate.rcu_cpu_stall_timeout=300 tsc=unstable"
                       " no_timer_check"]

    def run(self, test, log, limit):
        """Returns what went wrong, None if nothing did."""
        case = re.escape(test.split(".")[1])
        timed_out = threading.Event()
        found = passed = None
        lines = 0

        with open(log, "a", encoding="utf-8") as out, subprocess.Popen(
                [str(c) for c in self.command(test)], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                errors="replace", start_new_session=True) as kernel:
            def end():
                if kernel.poll() is None:
                    os.killpg(kernel.pid, signal.SIGKILL)

            def too_late():
                timed_out.set()
                end()

            timers = [threading.Timer(limit, too_late)]
            timers[0].start()
            for line in kernel.stdout:
                out.write(line)
                if not found and (complaint(line) or
                                  re.match(r" +not ok \d", line)):
                    found = line.strip()
                    timers.append(threading.Timer(TAIL_SECONDS, end))
                    timers[1].start()
                passed = passed or re.match(rf" +ok \d+ {case}\b(?!.*# SKIP)",
                                            line)
                lines += found is not None
                if lines > TAIL_LINES:
                    break
            end()
            for timer in timers:
                timer.cancel()
        if found:
            return found
        if timed_out.is_set():
            return f"it does not end within {limit:.0f} s"
        return None if passed else "the kernel ends without a result"


class Vma:
    """The kernel's user-space tests of mm/vma.c."""

    folder = WORK / "vma"

    def build(self, _test, log):
        testing = self.folder / "tools/testing"
        testing.mkdir(parents=True, exist_ok=True)
        for name in ("include", "lib", "mm", "tools/arch", "tools/include",
                     "tools/lib"):
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(SRC / name)
        for name in ("vma", "shared"):
            shutil.copytree(SRC / "tools/testing" / name, testing / name,
                            dirs_exist_ok=True)
        if run(["make", "-C", testing / "vma", f"CC={CC}"], log):
            raise Broken(f"make fails, see {log}")

    def run(self, test, log, limit):
        here = LOGS / "vma.out"
        here.unlink(missing_ok=True)
        try:
            status = run([self.folder / "tools/testing/vma/vma"], here, limit)
        except subprocess.TimeoutExpired:
            return f"it does not end within {limit:.0f} s"
        text = here.read_text(encoding="utf-8")
        with open(log, "a", encoding="utf-8") as out:
            out.write(text)
        if status < 0:
            return f"the test crashes (signal {-status})"
        failed = re.search(rf"^Test {re.escape(test)} FAILED.*", text, re.M)
        if failed:
            return failed.group(0)
        return None if "tests run" in text else "it ends without a result"


class Kselftest:
    """One of our selftests in a guest."""

    folder = WORK / "kselftest"

    def build_kernel(self, log):
        self.folder.mkdir(parents=True, exist_ok=True)
        asked = self.folder / "asked.config"
        lines = "".join((TOP / name).read_text(encoding="ascii") for name in
                        ("configs/base.config", "configs/x86_64.config",
                         "tests/mutants/kselftest.config"))
        if not asked.exists() or asked.read_text(encoding="ascii") != lines:
            asked.write_text(lines, encoding="ascii")
            kmake("x86_64", self.folder, log, f"KCONFIG_ALLCONFIG={asked}",
                  "allnoconfig")
            kmake("x86_64", self.folder, log, "headers_install",
                  f"INSTALL_HDR_PATH={self.folder}/usr")
        kmake("x86_64", self.folder, log, "bzImage")

    def build(self, test, log):
        self.build_kernel(log)
        shutil.rmtree(self.folder / "bin", ignore_errors=True)
        (self.folder / "bin").mkdir()
        tests = SRC / "tools/testing/selftests"
        if run([CC, "-std=gnu11", "-O2", "-isystem", self.folder / "usr/include",
                "-I", tests, "-o", self.folder / "bin" / test,
                tests / f"mm/{test}.c", tests / "mm/anon_space_util.c",
                tests / "mm/anon_space_area.c", tests / "mm/vm_util.c"], log):
            raise Broken(f"{test} does not build, see {log}")

    def boot(self, command, log, limit):
        """Returns what went wrong in a guest that runs a command."""
        out = self.folder / "run"
        shutil.rmtree(out, ignore_errors=True)
        status = run([TOP / "harness/guest/boot.sh"], log, OUT=str(out), SWAP="512M",
                     APPEND="trace_event=anon_space:*",
                     O=str(OUT), TIMEOUT=str(int(limit) + 60), CMD=command,
                     KERNEL=str(self.folder / "arch/x86/boot/bzImage"))
        return {0: None, 124: "the guest does not end", 125: "the guest is lost",
                126: "the kernel complains"}.get(status, f"status {status}")

    def run(self, test, log, limit):
        wrong = self.boot(f"harness/test/guest-kselftest.sh {self.folder}/bin "
                          f"{int(limit)}", log, limit)
        out = self.folder / "run"
        if (out / f"{test}.tap").exists():
            with open(log, "a", encoding="utf-8") as to:
                to.write((out / f"{test}.tap").read_text(errors="replace"))
        if wrong:
            return wrong
        _, ended, _ = (out / "results").read_text(encoding="ascii").split()
        return None if ended == "0" else f"{test} ends with status {ended}"


class Model(Kselftest):
    """Some cases of tools/model in a guest, always the same."""

    def build(self, _test, log):
        self.build_kernel(log)
        if run([CC, "-std=gnu11", "-O2", "-o", self.folder / "model",
                *(TOP / "tools/model").glob("*.c"), "-lnuma"], log):
            raise Broken(f"tools/model does not build, see {log}")

    def run(self, test, log, limit):
        return self.boot(f"{self.folder}/model -u {test} -s 1 -n 5000 -T "
                         f"{int(limit)}", log, limit)


KUNIT_CONFIGS = ["configs/kunit.config", "configs/kunit-smp.config",
                 "configs/kunit-failure.config", "configs/kunit-64bit.config",
                 "configs/kunit-x86.config"]
KINDS = {
    "vma": Vma(),
    "kunit": Kunit("um", KUNIT_CONFIGS[:1] + ["tests/mutants/um.config"], "linux"),
    "kunit-x86": Kunit("x86_64", KUNIT_CONFIGS +
                       ["tests/mutants/x86_64.config"], "bzImage"),
    "model": Model(),
    "kselftest": Kselftest(),
}


# ---- all of it ----

class Check:
    """Runs mutants, cheapest first."""

    def __init__(self):
        self.source = Source()
        self.caught = self.failed = 0
        self.limits = {}	# of (kind, test), None if it fails anyhow

    def report(self, good, text):
        self.failed += not good
        result(good, text)

    @staticmethod
    def log(name):
        path = LOGS / f"{name}.log"
        path.unlink(missing_ok=True)
        return path

    def unmutated(self, kind, test):
        """The test must pass, and shows how long it takes."""
        log = self.log(f"none-{kind}-{test}")
        self.source.restore()
        limit, wrong = None, None
        try:
            KINDS[kind].build(test, log)
            start = time.monotonic()
            wrong = KINDS[kind].run(test, log, 900)
            limit = TAKES_TIME + TAKES_TIMES * (time.monotonic() - start)
        except Broken as error:
            wrong = error
        self.limits[(kind, test)] = None if wrong else limit
        self.report(not wrong, f"{kind} {test} passes without a mutant" +
                    (f": {wrong}" if wrong else ""))

    def mutated(self, mutant):
        """Build it and see whether its test fails."""
        limit = self.limits[(mutant.kind, mutant.test)]
        if limit is None:
            self.report(False, f"{mutant.name}: its test fails anyhow")
            return
        log = self.log(mutant.name)
        start = time.monotonic()
        if not self.source.mutate(mutant, log):
            self.report(False, f"{mutant.name} does not apply, see {log}")
            return
        try:
            KINDS[mutant.kind].build(mutant.test, log)
            built = time.monotonic()
            wrong = KINDS[mutant.kind].run(mutant.test, log, limit)
        except Broken as error:
            self.report(False, f"{mutant.name} does not build: {error}")
            return
        self.caught += bool(wrong)
        self.report(bool(wrong), f"{mutant.name} is " +
                    ("" if wrong else "NOT ") +
                    f"caught by {mutant.kind} {mutant.test}")
        print(f"#   {wrong or 'it passes'} ({built - start:.0f} + "
              f"{time.monotonic() - built:.0f} s)", flush=True)

    def all_apply(self, mutants):
        """Also those that are not chosen: a comment may have changed."""
        log = self.log("apply")
        bad = [m.name for m in mutants if not m.patch(log, "--dry-run")]
        self.report(not bad, f"all {len(mutants)} mutants apply" +
                    (f", but not {' '.join(bad)}: {log}" if bad else ""))

    def not_run(self, mutant):
        """What no test is to catch."""
        if mutant.kind == "equivalent":
            self.report(True, f"{mutant.name} is equivalent: {mutant.test}")
        else:
            self.report(False, f"{mutant.name} is caught by nothing yet")

    def run(self, mutants, every):
        order = list(KINDS)
        tried = sorted((m for m in mutants if m.kind in KINDS),
                       key=lambda m: (order.index(m.kind), m.files, m.name))
        tests = {(m.kind, m.test) for m in tried}
        print(f"1..{1 + len(mutants) + len(tests)}", flush=True)
        self.all_apply(every)
        for mutant in mutants:
            if mutant.kind not in KINDS:
                self.not_run(mutant)
        for kind in order:
            for pair in sorted(t for t in tests if t[0] == kind):
                self.unmutated(*pair)
            for mutant in tried:
                if mutant.kind == kind:
                    self.mutated(mutant)
        self.source.restore()
        real = sum(m.kind != "equivalent" for m in mutants)
        print(f"# {self.caught} of {real} mutants caught, "
              f"{len(mutants) - real} equivalent")
        return self.failed == 0


def chosen(mutants):
    """By T and KIND, and by N and SEED."""
    names = (os.environ.get("T") or "*").split()
    kinds = (os.environ.get("KIND") or "").split()
    mutants = [m for m in mutants if
               any(fnmatch.fnmatch(m.name, name) for name in names) and
               (not kinds or m.kind in kinds)]
    if not mutants:
        sys.exit(f"error: no mutant matches {' '.join(names + kinds)}")
    number = int(os.environ.get("N") or 0)
    if number:
        seed = os.environ.get("SEED") or str(random.randrange(1 << 32))
        print(f"# N={number} SEED={seed}")
        mutants = [m for m in mutants if m.kind in ("vma", "kunit")]
        mutants = random.Random(seed).sample(mutants, min(number, len(mutants)))
    return mutants


def main():
    if not MANIFEST.exists():
        sys.exit("error: no source tree; run: make tree")
    LOGS.mkdir(parents=True, exist_ok=True)
    with open(WORK / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        check = Check()
        try:
            every = [Mutant(p) for p in sorted(PATCHES.glob("*.patch"))]
            mutants = chosen(every)
        except Broken as error:
            sys.exit(f"error: {error}")
        check.source.sync()
        try:
            good = check.run(mutants, every)
        finally:
            check.source.restore()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
