#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""platforms.py OUT FILE: the table of configurations and architectures in FILE.

The last results of make check-builds, check-kunit-*, check-guests* and make check, as
OUT and the folders of other architectures in it keep them: report/builds.tsv and
report/parts.tsv.  What is in the table and was not run for OUT stays.
"""

import sys
from pathlib import Path

BEGIN = ".. written by make platforms\n"
END = ".. end\n"
COLUMNS = ("what", "where", "result", "commit", "date")
# Of make check those parts which run one of our kernels or its code.
BUILT = "built: "
PARTS = {
    "kunit-um": ("KUnit", "UML"),
    "kunit-x86_64": ("KUnit", "x86_64"),
    "kunit-debug": ("KUnit", "x86_64 with KASAN and lockdep"),
    "kunit-i386": ("KUnit", "i386"),
    "kunit-arm64": ("KUnit", "arm64"),
    "kunit-arm64-64k": ("KUnit", "arm64 with pages of 64 KiB"),
    "kunit-riscv": ("KUnit", "riscv64"),
    "kunit-s390": ("KUnit", "s390x, big endian"),
    "kunit-powerpc": ("KUnit", "powerpc64le"),
    "demo": ("scenarios", "x86_64, and stock"),
    "kselftest": ("selftests", "x86_64, and stock"),
    "torture": ("torture, a minute each", "x86_64"),
    "demo-alone": ("scenarios", "{}"),
    "kselftest-alone": ("selftests", "{}"),
    "torture-alone": ("torture", "{}"),
}
KERNELS = {"rt": "x86_64 with PREEMPT_RT and lockdep"}


def read(path):
    if not path.exists():
        return []
    return [line.split("\t") for line in
            path.read_text(encoding="ascii").splitlines()]


def ran(out):
    """Rows of what ran."""
    rows = []
    for folder in [out] + sorted(p.parent for p in out.glob("*/report")):
        arch = "x86_64" if folder == out else folder.name
        for name, passed, failed, skipped, date, commit in \
                read(folder / "report/parts.tsv"):
            part, _, kernel = name.partition(" ")
            if part not in PARTS:
                continue
            what, where = PARTS[part]
            result = f"{passed} passed" + \
                (f", {failed} failed" if failed != "0" else "") + \
                (f", {skipped} skipped" if skipped != "0" else "")
            rows.append((what, where.format(KERNELS.get(kernel, arch)),
                         result, commit, date))
    return rows


def built(out):
    """A row for each build."""
    return [(BUILT + name, "x86_64, clang" if arch == "llvm" else arch,
             "no new warnings" if result == "builds" else result, commit, date)
            for name, arch, result, _, date, commit in
            read(out / "report/builds.tsv")]


def shown(text):
    """The rows of a table, with one for each build again."""
    rows, cells = [], []
    for line in text.splitlines():
        if line.startswith("|"):
            cells.append([cell.strip() for cell in line.strip("|").split("|")])
        elif cells:
            what, *rest = (" ".join(filter(None, column)) for column in zip(*cells))
            names = what.removeprefix(BUILT).split(", ") if what.startswith(BUILT) \
                else []
            rows += [(BUILT + name, *rest) for name in names] or [(what, *rest)]
            cells = []
    return rows[1:]


def joined(rows):
    """In order, with one row for the builds that are alike."""
    order = [what for what, _ in PARTS.values()]
    ordered = sorted((row for row in rows if row[0] in order),
                     key=lambda row: (order.index(row[0]), row[1]))
    alike = {}
    for what, *rest in sorted(row for row in rows if row[0] not in order):
        alike.setdefault(tuple(rest), []).append(what.removeprefix(BUILT))
    return ordered + [(BUILT + ", ".join(names), *rest)
                      for rest, names in sorted(alike.items())]


def wrap(text, width):
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


def table(rows):
    """As a grid of reStructuredText."""
    widths = (34, 20, 16, 9, 10)

    def rule(mark):
        return "+" + "+".join(mark * (w + 2) for w in widths) + "+"

    def cells(row):
        columns = [wrap(text, w) for text, w in zip(row, widths)]
        for i in range(max(map(len, columns))):
            yield "|" + "|".join(
                f" {column[i] if i < len(column) else '':{w}} "
                for column, w in zip(columns, widths)) + "|"

    lines = [rule("-"), *cells(COLUMNS), rule("=")]
    for row in rows:
        lines += [*cells(row), rule("-")]
    return "\n".join(lines) + "\n"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    out, path = Path(sys.argv[1]), Path(sys.argv[2])
    rows = ran(out) + built(out)
    if not rows:
        sys.exit("error: no results in report/parts.tsv and report/builds.tsv")
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    old, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"error: {path} has no place for the table")
    known = {row[:2] for row in rows}
    rows += [row for row in shown(old) if row[:2] not in known]
    path.write_text(f"{before}{BEGIN}\n{table(joined(rows))}\n{END}{after}",
                    encoding="utf-8")


if __name__ == "__main__":
    main()
