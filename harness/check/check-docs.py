#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What README.md and docs/*.rst name still exists.

Looked at is what stands in back quotes.  Functions, symbols, flags and
CONFIG_ names must occur in the patched kernel or in our own files, paths must
exist, "make TARGET" must be a target, and an INV-n named anywhere must be
defined in Documentation/mm/anon_space/invariants.rst.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "harness"))
from tap import result  # pylint: disable=wrong-import-position

OUT = Path(os.environ.get("O") or TOP / "build").resolve()
EXP = OUT / "src/exp"
KERNEL_DIRS = ("mm", "include", "kernel", "fs", "lib", "arch/x86", "init",
               "tools/testing", "tools/include")
OWN_DIRS = ("mm", "include", "lib", "kernel", "tools", "tests", "scripts", "harness",
            "configs", "mk", "bench", "Makefile")

LITERAL = re.compile(r"``?([^`\n]+)``?")
WORD = re.compile(r"[A-Za-z_]\w*(?:_\w+)+|CONFIG_\w+")
CALL = re.compile(r"\b([A-Za-z_]\w*)\(\)")
INVARIANT = re.compile(r"\bINV-\d+\b")
ROOTS = ("mm/", "include/", "lib/", "kernel/", "fs/", "tools/", "scripts/", "harness/",
         "configs/", "tests/", "bench/", "docs/", "patches/", "arch/")


def documents():
    return [p for p in [TOP / "README.md", *sorted(TOP.glob("docs/*.rst")),
                        *sorted(TOP.glob("Documentation/**/*.rst"))]
            if p.exists()]


def paths(literal):
    """Paths named, those with wildcards or placeholders apart."""
    return [w.rstrip(".,:/") for w in literal.split()
            if w.startswith(ROOTS) and not re.search(r"[*<>${}]|NNNN|NAME", w)]


def wanted(text):
    """(symbols, paths, targets) that a document names."""
    symbols, files, targets = set(CALL.findall(text)), set(), set()
    for literal in LITERAL.findall(text):
        named = paths(literal)
        files.update(named)
        targets.update(re.findall(r"^make ([a-z][a-z0-9-]*)(?![\w-])",
                                  literal))
        rest = " ".join(w for w in literal.split()
                        if not re.search(r"[/<*]", w))
        symbols.update(WORD.findall(rest))
    return symbols, files, targets


def missing_symbols(symbols):
    """Those that occur as a word nowhere in kernel or project."""
    if not symbols:
        return set()
    names = sorted({s.removeprefix("CONFIG_") for s in symbols})
    where = [EXP / d for d in KERNEL_DIRS] + [TOP / d for d in OWN_DIRS]
    found = subprocess.run(
        ["grep", "-rhowF", "-f", "-", *[str(w) for w in where if w.exists()]],
        input="\n".join(names), stdout=subprocess.PIPE, text=True,
        errors="replace", check=False).stdout.split()
    return {s for s in symbols if s.removeprefix("CONFIG_") not in set(found)}


def targets():
    text = subprocess.run(["make", "-qpRr"], cwd=TOP, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True,
                          check=False).stdout
    return set(re.findall(r"^([a-z][\w-]*):", text, re.M))


def defined_invariants():
    path = TOP / "Documentation/mm/anon_space/invariants.rst"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return set(re.findall(r"^(INV-\d+)\b", text, re.M))


def named_invariants():
    """(file, INV-n) for every mention in our sources, tests and patches."""
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"],
                           cwd=TOP, stdout=subprocess.PIPE, text=True,
                           check=True).stdout.split()
    for name in files:
        if not (TOP / name).is_file():
            continue
        text = (TOP / name).read_text(encoding="utf-8", errors="replace")
        for invariant in sorted(set(INVARIANT.findall(text))):
            yield name, invariant


def report(name, problems):
    return result(not problems, name, sorted(problems))


def main():
    good = []
    existing = targets()
    for document in documents():
        text = document.read_text(encoding="utf-8")
        symbols, files, makes = wanted(text)
        good.append(report(
            f"{document.relative_to(TOP)}",
            [f"no such name: {s}" for s in missing_symbols(symbols)] +
            [f"no such file: {f}" for f in files
             if not (TOP / f).exists() and not (EXP / f).exists()] +
            [f"no such target: make {t}" for t in makes - existing]))
    defined = defined_invariants()
    good.append(report("every INV named is in Documentation/mm/anon_space/invariants.rst",
                       {f"{name}: {invariant}"
                        for name, invariant in named_invariants()
                        if invariant not in defined}))
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
