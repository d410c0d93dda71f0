#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""check-series.py [PATCH...]: is the series what its messages say it is?

Each patch is checked as it is mailed: its message names tests that exist, checkpatch
has nothing to say, "git am" makes src/exp of all of them.  Then the kernel of each
prefix is built, with W=1 what we touch, and booted; the scenarios run, and the
KUnit suites, the tests of tools/testing/vma and the selftests that there are by then.
With arguments only the prefixes that end with these patches, by number or a part of the
name, are built and booted; "-" for none.  BOOT= builds objects only, KUNIT= runs no suite,
MAILS= leaves out what is mailed.

Keeps in $O/series-check what is built, and in its log/ what was said.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import series
import tree

sys.path.insert(0, str(tree.TOP / "harness/kernel"))
import builds  # pylint: disable=wrong-import-position

TOP, OUT = tree.TOP, tree.OUT
WORK = OUT / "series-check"
SOURCE = WORK / "src/exp"
BOOT = os.environ.get("BOOT", "1") != ""
KUNIT = os.environ.get("KUNIT", "1") != ""
CHECK_MAILS = os.environ.get("MAILS", "1") != ""
JOBS = os.environ.get("JOBS") or str(os.cpu_count())
VMA_SHIM = "tools/testing/vma/vma_internal.h"
MM_TESTS = "tools/testing/selftests/mm"
SUITES = "lib/tests"
# As in check-checkpatch.sh, and what it leaves out for single kinds of files.
IGNORED = ("FILE_PATH_CHANGES UNDOCUMENTED_SETUP COMPLEX_MACRO MACRO_ARG_UNUSED "
           "BRACKET_SPACE CONST_STRUCT").split()
OTHERS = re.compile(rf"^({MM_TESTS}|include/trace/events|scripts/|tools/mm)/")

failed = 0


def result(name, problems):
    global failed
    failed += bool(problems)
    print(f"{'not ok' if problems else 'ok'} - {name}")
    for line in problems[:20]:
        print(f"#   {line}")
    sys.stdout.flush()


# --- what is mailed ---------------------------------------------------------------

def missing_tests(text):
    """Tests that a message names and that do not exist."""
    message = text.split("\n---\n")[0]
    names = set(re.findall(r"\banon_space_\w+", message))
    sources = [p.read_text(encoding="utf-8") for top in ("mm", "include", "lib")
               for p in (TOP / top).rglob("*") if p.suffix in (".c", ".h")]
    return sorted(
        name for name in names if not (TOP / MM_TESTS / f"{name}.c").exists() and
        not (TOP / SUITES / f"{name}_kunit.c").exists() and
        not any(re.search(rf"\b{name}\b", source) for source in sources))


def checkpatch(mail):
    options = ["--strict", "--terse", "--no-summary", "--showfile", "--show-types",
               f"--root={OUT / 'src/exp'}", "--ignore", ",".join(IGNORED)]
    done = subprocess.run([OUT / "src/exp/scripts/checkpatch.pl", *options, mail],
                          cwd=OUT / "src/exp", text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return [line for line in done.stdout.splitlines() if not OTHERS.match(line)]


def check_mails():
    series.command_write()
    for mail in sorted(series.MAILS.glob("*.patch"))[1:]:
        text = mail.read_text(errors="surrogateescape")
        result(f"{mail.name}: tests that are named exist", missing_tests(text))
        result(f"{mail.name}: checkpatch", checkpatch(mail))
    for camel in (OUT / "src/exp").glob(".checkpatch-camelcase.*"):
        camel.unlink()


# --- prefixes ---------------------------------------------------------------------

def set_up():
    """The whole source, at any commit of the series; git need not know all of it.  That
    of the last run is used again if it was made of the same: a copy takes minutes, and
    what is not written is not built again."""
    tracked = [name for name in tree.patched_files()
               if (tree.PRISTINE / name).exists()]
    stamp = WORK / "src/stamp"
    made_of = (tree.contents(tree.STAMP) or b"") + "\n".join(tracked).encode()
    if tree.contents(stamp) != made_of:
        shutil.rmtree(WORK / "src", ignore_errors=True)
        series.export_to(SOURCE, tracked)
        stamp.write_bytes(made_of)
    if not (WORK / "bin").exists():
        (WORK / "bin").symlink_to(OUT / "bin")	# what runs in guests
    with tree.scratch_repo(tree.patched_files()) as repo:
        series.make_branch(repo, series.final_files(), "--no-3way")
        tree.git(SOURCE, "fetch", "-q", repo, "HEAD")
        return series.commits(repo)


def run(log, *argv, **env):
    """Returns the output of a command, or None if it fails; the log has both."""
    done = subprocess.run([str(a) for a in argv], cwd=TOP, check=False, text=True,
                          env={**os.environ, "O": str(WORK), "PREFIX": "1", **env},
                          errors="replace", stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with open(log, "a", encoding="utf-8", errors="replace") as out:
        out.write(f"+ {' '.join(map(str, argv))}\n{done.stdout}\n")
    return None if done.returncode else done.stdout


def clean_environment():
    for name in ("V", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARCH", "CC", "T"):
        os.environ.pop(name, None)


def build_objects(log):
    """What we touch, with W=1 as all that is linked: a warning is a failure."""
    if run(log, "harness/kernel/kernel.sh", "exp", "prepare") is None:
        return ["it cannot be configured"]
    ccache = f"{TOP}/harness/kernel/cached.sh " if shutil.which("ccache") else ""
    targets = [t for t in builds.TARGETS if (SOURCE / t).exists() or
               t.endswith(".o")]
    text = run(log, "make", "-s", f"-j{JOBS}", "-C", SOURCE,
               f"O={WORK / 'kernel/exp'}", "ARCH=x86_64", f"CC={ccache}gcc", "W=1",
               *targets)
    if text is None:
        return ["it does not build"]
    return [line for line in text.splitlines() if builds.WARNING.match(line)]


def boot(log):
    """Links the kernel and runs the scenarios in it."""
    if run(log, "harness/kernel/kernel.sh", "exp") is None:
        return ["it does not link"]
    out = WORK / "guest/scenarios"
    shutil.rmtree(out, ignore_errors=True)
    if run(log, "harness/guest/boot.sh", KERNEL="exp", OUT=str(out), SWAP="256M",
           CMD=f"{OUT}/bin/scenarios run") is None:
        return ["it does not boot, or a scenario fails"]
    return []


def tests(log, *argv, **env):
    """Runs tests that print one line for each; returns those that failed."""
    text = run(log, *argv, **env)
    if text is not None:
        return []
    last = Path(log).read_text(encoding="utf-8", errors="replace")
    return [line for line in last.splitlines() if line.startswith("not ok")] or \
        ["they do not run"]


def check_prefix(number, commit, name):
    start, log = time.monotonic(), WORK / f"log/{number:04d}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    tree.git(SOURCE, "checkout", "-q", "-f", "--detach", commit)
    problems = build_objects(log)
    result(f"{name}: builds ({time.monotonic() - start:.0f} s; log "
           f"{tree.show(log)})", problems)
    if problems or not BOOT:
        return
    problems = boot(log)
    result(f"{name}: boots, and the scenarios run", problems)
    # Without that they do not link, as in the pristine source.
    if "vma_close" in (SOURCE / VMA_SHIM).read_text(encoding="utf-8"):
        result(f"{name}: tests of tools/testing/vma",
               tests(log, "harness/test/check-vma.sh"))
    if KUNIT and list((SOURCE / SUITES).glob("anon_space_*_kunit.c")):
        result(f"{name}: KUnit suites on UML",
               tests(log, "harness/test/check-kunit.py", "um"))
    if not problems and (SOURCE / MM_TESTS / "anon_space_util.c").exists():
        result(f"{name}: selftests",
               tests(log, "harness/test/kselftest.sh", KERNELS="exp"))


def chosen(names):
    """Numbers of the prefixes that are asked for."""
    wanted = sys.argv[1:]
    return [n for n, name in enumerate(names, 1) if not wanted or any(
        word == str(n) or (not word.isdigit() and word != "-" and word in name)
        for word in wanted)]


def main():
    clean_environment()
    tree.make_pristine()
    if CHECK_MAILS:
        check_mails()
    names = [path.name for path in tree.series()]
    numbers = chosen(names)
    if numbers:
        commits = set_up()
        for n in numbers:
            check_prefix(n, commits[n - 1], names[n - 1])
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    try:
        main()
    except tree.Error as error:
        sys.exit(f"error: {error}")
