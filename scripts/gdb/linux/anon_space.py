# SPDX-License-Identifier: GPL-2.0
#
# gdb helper commands and functions for Linux kernel debugging
#
#  the anonymous space of a process, and where an anonymous folio may be mapped

import gdb

from linux import lists, rbtree, tasks, utils

anon_membership = utils.CachedType("struct anon_membership")
anon_extent = utils.CachedType("struct anon_extent")
vm_area_struct = utils.CachedType("struct vm_area_struct")
folio_type = utils.CachedType("struct folio")

PAGE_SHIFT = 12
PAGE_MAPPING_FLAGS = 3
PAGE_MAPPING_ANON = 1
ULONG = 1 << 64


def entries(head, cached, member):
    pointer = cached.get_type().pointer()
    return lists.list_for_each_entry(head, pointer, member)


def nodes(root, cached, member):
    pointer = cached.get_type().pointer()
    return rbtree.rb_inorder_for_each_entry(root, pointer, member)


def members(file):
    """The mms that may map folios of a file."""
    for membership in entries(file['members'], anon_membership, 'in_file'):
        yield membership['mm']


def files(mm):
    space = mm['anon_space']
    for membership in entries(space['memberships'], anon_membership, 'in_mm'):
        yield membership['anon_vma']


def extents(mm):
    return nodes(mm['anon_space']['map']['by_addr'], anon_extent, 'by_addr')


def vmas(mm):
    return nodes(mm['anon_space']['vmas'], vm_area_struct, 'anon_rb')


def signed(delta):
    delta = int(delta)
    return delta - ULONG if delta >= ULONG >> 1 else delta


def tasks_of(mm):
    """Processes, of which there may be several, by their first thread."""
    return [f"{int(task['pid'])} {task['comm'].string()}"
            for task in tasks.task_lists()
            if task['mm'] == mm and task['pid'] == task['tgid']]


class LxAnonSpace(gdb.Command):
    """Print the anonymous space of a process, as /proc/PID/anon_space does.

lx-anon-space PID: the VMAs that may have anonymous pages, the files whose folios
the process may map, and the extents of its map."""

    def __init__(self):
        super().__init__("lx-anon-space", gdb.COMMAND_DATA)

    def invoke(self, arg, from_tty):
        argv = gdb.string_to_argv(arg)
        if len(argv) != 1:
            raise gdb.GdbError("lx-anon-space takes a process ID")
        task = tasks.get_task_by_pid(int(argv[0]))
        if not task:
            raise gdb.GdbError(f"no process {argv[0]}")
        mm = task['mm']
        if not mm:
            raise gdb.GdbError(f"process {argv[0]} has no memory")
        space = mm['anon_space']
        gdb.write(f"vmas {len(list(vmas(mm)))}\n")
        gdb.write(f"extents {int(space['map']['nr'])}\n")
        gdb.write(f"files {len(list(files(mm)))}\n")
        for file in files(mm):
            self.show_file(mm, file)
        for extent in extents(mm):
            gdb.write(f"extent {int(extent['start']):08x}-"
                      f"{int(extent['end']):08x} {signed(extent['delta'])}\n")

    @staticmethod
    def show_file(mm, file):
        owner = "self" if file['owner'] == mm else \
            "other" if file['owner'] else "none"
        new = " new" if file == mm['anon_space']['anon_vma'] else ""
        gdb.write(f"file {int(file):016x} {int(file['nr_members'])} "
                  f"{owner}{new}\n")


class LxAnonFolio(gdb.Command):
    """Print where an anonymous folio may be mapped.

lx-anon-folio ADDRESS: of a struct folio: its file, the members of that, and in each
of them the addresses that have the offset of the first page of the folio."""

    def __init__(self):
        super().__init__("lx-anon-folio", gdb.COMMAND_DATA)

    def invoke(self, arg, from_tty):
        if not arg:
            raise gdb.GdbError("lx-anon-folio takes the address of a folio")
        folio = gdb.parse_and_eval(arg).cast(
            folio_type.get_type().pointer())
        mapping = int(folio['mapping'])
        if mapping & PAGE_MAPPING_FLAGS != PAGE_MAPPING_ANON:
            raise gdb.GdbError("that is no anonymous folio, or one of KSM")
        file = gdb.Value(mapping - PAGE_MAPPING_ANON).cast(
            gdb.lookup_type("struct anon_vma").pointer())
        index = int(folio['index'])
        gdb.write(f"file {int(file):016x} index {index:x}\n")
        for mm in members(file):
            for addr in self.addresses(mm, index):
                gdb.write(f"address {addr:x} mm {int(mm):016x} "
                          f"{', '.join(tasks_of(mm))}\n")

    @staticmethod
    def addresses(mm, index):
        """In VMAs, where the map has the offset."""
        ranges = [(int(e['start']), int(e['end']), signed(e['delta']))
                  for e in extents(mm)]
        found = [(index - delta) << PAGE_SHIFT for start, end, delta in ranges
                 if start <= (index - delta) << PAGE_SHIFT < end]
        own = index << PAGE_SHIFT
        if not any(start <= own < end for start, end, _ in ranges):
            found.append(own)
        return [addr for addr in found
                if any(int(vma['vm_start']) <= addr < int(vma['vm_end'])
                       for vma in vmas(mm))]


LxAnonSpace()
LxAnonFolio()
