#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""builds.py [NAME...]: build what we patch and add in many configurations.

harness/kernel/builds.list has them.  In each what we add and patch is built with W=1, and
what uses the reverse map, as far as the configuration has it; a warning that the pristine
source does not give in the same configuration is a failure, and so is one that asks for a
configuration which cannot be had.  Where the kernel is small, vmlinux is linked as well.
T=GLOB builds those that match.  Keeps in $O/report/builds.tsv the last result of each:
name, architecture, result, seconds, date, commit.

Builds for one architecture follow each other in one folder: what the options do not
change is not built again, unless the build before had a warning.
"""

import fnmatch
import functools
import hashlib
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path


TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "harness/check"))
import check  # pylint: disable=wrong-import-position

OUT = Path(os.environ.get("O") or TOP / "build").resolve()
LIST = TOP / "harness/kernel/builds.list"
WORK = OUT / "builds"
REPORT = OUT / "report/builds.tsv"
JOBS = os.environ.get("JOBS") or str(os.cpu_count())
CROSS = {"arm64": "aarch64-linux-gnu-", "arm": "arm-linux-gnueabihf-",
         "riscv": "riscv64-linux-gnu-", "s390": "s390x-linux-gnu-",
         "powerpc": "powerpc64le-linux-gnu-", "m68k": "m68k-linux-gnu-"}
HINT = "to install them: make setup-cross"
# The configuration of Debian's own kernel.
DEBIANS = "/usr/src/linux-config-6.12/config.amd64_none_amd64.xz"
FRAGMENTS = {"exp": ["base", "x86_64", "exp"],
             "debug": ["base", "x86_64", "exp", "debug", "exp-debug"]}
# Kernels so small that a link of vmlinux is cheap.
LINKED = ["allnoconfig", "tinyconfig"]
# All of them in one configuration, for check-series.
TARGETS = ["mm/", "fs/proc/", "fs/exec.o", "kernel/fork.o", "lib/tests/"]
# Where what we patch and add is, and its users.
FOLDERS = ["mm", "fs", "kernel", "lib", "security"]
USERS = re.compile("anon_vma|anon_space|rmap_walk_control")
# Prints the objects and folders that a configuration has in a folder.
OBJECTS = """
include {folder}/.config
src := {source}/{name}
srctree := {source}
include {source}/{name}/Makefile
$(info $(obj-y) $(obj-m) $(proc-y))
.DEFAULT_GOAL := none
none: ; @:
"""
WARNING = re.compile(r"^(?:.*/)?((?:mm|fs|kernel|lib|include|arch)/\S+?):[\d:]+ "
                     r"(?:warning|error): (.*)")
UNDEFINED = re.compile(r"undefined reference to \S+")


class Build:
    """One line of the list."""

    def __init__(self, line):
        self.name, self.arch, self.base, *self.options = line.split()
        self.logs = WORK / self.name
        self.make_arch = "x86_64" if self.arch == "llvm" else self.arch
        self.cross = CROSS.get(self.arch, "")

    def __str__(self):
        """What it is, and how it was configured: randconfig with its seed."""
        return " ".join([self.arch, self.base, *self.options])

    def missing(self):
        """A compiler or a file that is not there, or None."""
        if self.base == "debian" and not os.path.exists(DEBIANS):
            return "linux-config-6.12"
        compiler = "clang" if self.arch == "llvm" else f"{self.cross}gcc"
        return None if shutil.which(compiler) else compiler

    def folder(self, source):
        small = "-small" if self.base in LINKED else ""
        return WORK / source / f"{self.arch}{small}"

    def make(self, source, *arguments):
        """(status, output) of the kernel's make."""
        folder = self.folder(source)
        folder.mkdir(parents=True, exist_ok=True)
        env = {k: v for k, v in os.environ.items() if k not in
               ("O", "V", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARCH", "CC", "T")}
        ccache = f"{TOP}/harness/kernel/cached.sh " if shutil.which("ccache") else ""
        compiler = ["LLVM=1", f"CC={ccache}clang"] if self.arch == "llvm" else \
            [f"CC={ccache}{self.cross}gcc"]
        done = subprocess.run(
            ["make", "-s", "-k", f"-j{JOBS}", "-C", str(OUT / "src" / source),
             f"O={folder}", f"ARCH={self.make_arch}",
             f"CROSS_COMPILE={self.cross}", *compiler, *arguments],
            env={**env, "LC_ALL": "C", **self.seed()}, check=False, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, errors="replace")
        with open(self.logs / f"{source}.log", "a", encoding="utf-8") as log:
            log.write(done.stdout)
        return done.returncode, done.stdout

    def seed(self):
        kind, _, seed = self.base.partition(":")
        return {"KCONFIG_SEED": seed} if kind == "randconfig" else {}

    def configure(self, source):
        """Returns what is wrong with the configuration, None if nothing is."""
        folder = self.folder(source)
        folder.mkdir(parents=True, exist_ok=True)
        asked = folder / "asked.config"
        lines = [f"CONFIG_{option}" for option in self.options]
        if self.base in FRAGMENTS:
            lines = [line for name in FRAGMENTS[self.base] for line in
                     self.fragment(name)] + lines
            status, text = self.config(source, asked, lines, "allnoconfig")
        else:
            status, text = self.config(source, asked, lines,
                                       self.base.partition(":")[0])
        if status:
            return f"cannot be configured: {text.strip().splitlines()[-1:]}"
        return self.not_as_asked(source, folder / ".config")

    @staticmethod
    def fragment(name):
        path = TOP / f"configs/{name}.config"
        return path.read_text(encoding="ascii").splitlines() \
            if path.exists() else []

    def config(self, source, asked, lines, target):
        """All that is asked for is there from the start."""
        asked.write_text("\n".join(lines) + "\n", encoding="ascii")
        config = self.folder(source) / ".config"
        if target == "debian":
            config.write_bytes(lzma.open(DEBIANS).read())
        elif target.endswith("defconfig"):
            status, text = self.make(source, target)
            if status:
                return status, text
        if target.endswith(("debian", "defconfig")):
            with open(config, "a", encoding="ascii") as file:
                file.write(asked.read_text(encoding="ascii"))
            return self.make(source, "olddefconfig")
        return self.make(source, f"KCONFIG_ALLCONFIG={asked}", target)

    def not_as_asked(self, source, config):
        """Of the options of the list only: others may depend on them."""
        text = config.read_text(encoding="ascii")
        for option in self.options:
            name, value = option.split("=")
            if source == "pristine" and "ANON_SPACE" in name:
                continue	# ours
            is_set = re.search(rf"^CONFIG_{name}=(.*)$", text, re.M)
            got = is_set.group(1) if is_set else "n"
            if got != value:
                return f"CONFIG_{name} is {got}"
        return None

    def objects(self, source, name):
        """Those of ours that this configuration has in a folder and those in it."""
        done = subprocess.run(
            ["make", "-s", "-f", "-"], check=True, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, input=OBJECTS.format(
                folder=self.folder(source), source=OUT / "src" / source, name=name))
        found = []
        for entry in sorted(set(done.stdout.split())):
            path = f"{name}/{entry}"
            if path.endswith("/") and any(w.startswith(path) for w in wanted()):
                found += self.objects(source, path.rstrip("/"))
            elif path in wanted() and \
                    (OUT / "src" / source / path).with_suffix(".c").exists():
                found.append(path)
        return found

    def build(self, source, anew):
        """(status, warnings as "file: text"): those of objects that are made now."""
        targets = [o for name in FOLDERS for o in self.objects(source, name)]
        if anew:
            for target in targets:
                (self.folder(source) / target).unlink(missing_ok=True)
        status, text = self.make(source, "W=1", *targets)
        found = {f"{m.group(1)}: {m.group(2)}" for m in
                 map(WARNING.match, text.splitlines()) if m}
        if status and not found:
            found = set(text.strip().splitlines()[-1:])
        if self.base in LINKED and not status:
            # What is built with W=1 and without is built twice.  kernel-doc has been
            # asked of what we touch: here it would be of all.
            status, text = self.make(source, "W=1", "cmd_checkdoc=", "vmlinux")
            found |= set(UNDEFINED.findall(text))
        return status, found

    def pristine(self):
        """The same of the source without us, as it was if it was asked before."""
        config = (self.folder("pristine") / ".config").read_bytes()
        key = hashlib.sha256(b"\0".join([
            self.arch.encode(), config, (OUT / "src/pristine.stamp").read_bytes(),
            " ".join(sorted(wanted())).encode()])).hexdigest()
        known = WORK / "known" / key
        if not known.exists():
            status, found = self.build("pristine", anew=True)
            known.parent.mkdir(exist_ok=True)
            known.write_text(json.dumps([status, sorted(found)]), encoding="utf-8")
        status, found = json.loads(known.read_text(encoding="utf-8"))
        return status, set(found)

    def problems(self):
        """Returns what is wrong, as a list of lines."""
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        wrong = self.configure("exp")
        if wrong:
            return [wrong]
        # An object that is there has given its warnings already: it must have had none.
        good = self.folder("exp") / "good"
        anew = not good.exists()
        good.unlink(missing_ok=True)
        status, found = self.build("exp", anew)
        if not status and not found:
            good.touch()
            return []
        # Is it so without us?
        wrong = self.configure("pristine")
        if wrong:
            return [f"pristine: {wrong}"]
        old_status, old = self.pristine()
        new = sorted(found - old)
        if status and not old_status:
            new.append(f"make ends with status {status}")
        return new


@functools.cache
def wanted():
    """The objects of what we patch and add, and of users of the reverse map."""
    source = OUT / "src/exp"
    touched = set()
    for patch in (TOP / "patches").glob("*.patch"):
        touched |= set(re.findall(r"^\+\+\+ b/(.*)\.c$",
                                  patch.read_text(encoding="utf-8"), re.M))
    found = set()
    for name in FOLDERS:
        for path in (source / name).rglob("*.c"):
            unit = str(path.relative_to(source).with_suffix(""))
            if unit in touched or (TOP / f"{unit}.c").exists() or \
                    USERS.search(path.read_text(encoding="utf-8", errors="replace")):
                found.add(f"{unit}.o")
    return found


def chosen():
    lines = [line for line in LIST.read_text(encoding="ascii").splitlines()
             if line and not line.startswith("#")]
    builds = [Build(line) for line in lines]
    pattern = os.environ.get("T") or "*"
    builds = [b for b in builds if fnmatch.fnmatch(b.name, pattern) and
              (not sys.argv[1:] or b.name in sys.argv[1:])]
    if not builds:
        sys.exit("error: no such build")
    return builds


def keep(*row):
    """The last result of a build is the one that counts."""
    rows = [line.split("\t") for line in
            (REPORT.read_text(encoding="ascii") if REPORT.exists() else
             "").splitlines()]
    rows = [old for old in rows if old[0] != row[0]]
    rows.append([str(field) for field in row] +
                [time.strftime("%Y-%m-%d"), check.commit()])
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text("".join("\t".join(row) + "\n" for row in sorted(rows)),
                      encoding="ascii")


def main():
    failed = 0
    builds = chosen()
    print(f"1..{len(builds)}", flush=True)
    for build in builds:
        start = time.monotonic()
        if build.missing():
            print(f"ok - {build.name} # SKIP no {build.missing()}", flush=True)
            print(f"#   {HINT}", flush=True)
            keep(build.name, build.arch, "no compiler", 0)
            continue
        wrong = build.problems()
        seconds = time.monotonic() - start
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} - {build.name} ({build}; "
              f"{seconds:.0f} s; again: make check-builds T={build.name})")
        for line in wrong[:20]:
            print(f"#   {line}")
        sys.stdout.flush()
        keep(build.name, build.arch, "fails" if wrong else "builds",
             round(seconds))
        if not wrong:
            shutil.rmtree(build.logs, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
