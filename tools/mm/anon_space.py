#!/usr/bin/env drgn
# SPDX-License-Identifier: GPL-2.0
"""Print the anonymous space of a process, or where a folio may be mapped.

    anon_space.py PID
    anon_space.py -f FOLIO

Run by drgn: of the running kernel, or, with "-c CORE -s vmlinux", of a core.  The first
prints what /proc/PID/anon_space has.  It needs a drgn that knows the kernel: 0.0.31
is known to work with 6.12.
"""

import argparse
import sys

from drgn import Object
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.pid import find_task, for_each_task
from drgn.helpers.linux.rbtree import rbtree_inorder_for_each_entry

PAGE_SHIFT = 12
PAGE_MAPPING_FLAGS = 3
PAGE_MAPPING_ANON = 1
ULONG = 1 << 64


def files(mm):
    return [m.anon_vma for m in list_for_each_entry(
        "struct anon_membership", mm.anon_space.memberships.address_of_(),
        "in_mm")]


def members(file):
    return [m.mm for m in list_for_each_entry(
        "struct anon_membership", file.members.address_of_(), "in_file")]


def extents(mm):
    return list(rbtree_inorder_for_each_entry(
        "struct anon_extent", mm.anon_space.map.by_addr.address_of_(),
        "by_addr"))


def vmas(mm):
    return list(rbtree_inorder_for_each_entry(
        "struct vm_area_struct", mm.anon_space.vmas.address_of_(),
        "anon_rb"))


def signed(delta):
    delta = delta.value_()
    return delta - ULONG if delta >= ULONG >> 1 else delta


def show_space(prog, pid):
    task = find_task(prog, pid)
    if not task or not task.mm:
        sys.exit(f"process {pid} is not there, or has no memory")
    mm = task.mm
    print(f"vmas {len(vmas(mm))}")
    print(f"extents {mm.anon_space.map.nr.value_()}")
    print(f"files {len(files(mm))}")
    for file in files(mm):
        owner = "self" if file.owner == mm else \
            "other" if file.owner else "none"
        new = " new" if file == mm.anon_space.anon_vma else ""
        print(f"file {file.value_():016x} {file.nr_members.value_()} "
              f"{owner}{new}")
    for extent in extents(mm):
        print(f"extent {extent.start.value_():08x}-"
              f"{extent.end.value_():08x} {signed(extent.delta)}")


def addresses(mm, index):
    """In VMAs, where the map has the offset."""
    ranges = [(e.start.value_(), e.end.value_(), signed(e.delta))
              for e in extents(mm)]
    found = [(index - delta) << PAGE_SHIFT for start, end, delta in ranges
             if start <= (index - delta) << PAGE_SHIFT < end]
    own = index << PAGE_SHIFT
    if not any(start <= own < end for start, end, _ in ranges):
        found.append(own)
    return [addr for addr in found
            if any(vma.vm_start.value_() <= addr < vma.vm_end.value_()
                   for vma in vmas(mm))]


def show_folio(prog, address):
    folio = Object(prog, "struct folio *", value=address)
    mapping = folio.mapping.value_()
    if mapping & PAGE_MAPPING_FLAGS != PAGE_MAPPING_ANON:
        sys.exit("that is no anonymous folio, or one of KSM")
    file = Object(prog, "struct anon_vma *", value=mapping - PAGE_MAPPING_ANON)
    index = folio.index.value_()
    print(f"file {file.value_():016x} index {index:x}")
    for mm in members(file):
        tasks = ", ".join(f"{t.pid.value_()} {t.comm.string_().decode()}"
                          for t in for_each_task(prog)
                          if t.mm == mm and t.pid == t.tgid)
        for addr in addresses(mm, index):
            print(f"address {addr:x} mm {mm.value_():016x} {tasks}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pid", type=int, nargs="?")
    parser.add_argument("-f", dest="folio", type=lambda s: int(s, 16),
                        help="address of a struct folio")
    args = parser.parse_args()
    if (args.pid is None) == (args.folio is None):
        parser.error("a process or a folio")
    # "prog" is there for scripts that drgn runs.
    if args.folio is None:
        show_space(prog, args.pid)  # noqa: F821
    else:
        show_folio(prog, args.folio)  # noqa: F821


if __name__ == "__main__":
    main()
