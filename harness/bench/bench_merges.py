# SPDX-License-Identifier: GPL-2.0
"""Every attempt to merge private anonymous memory, and what came of it.

Kprobes on vma_merge_new_range() and vma_modify(), which both kernels have,
record what is to be mapped, the VMAs on its two sides, and the VMA that comes
out.  Each side on which a VMA ends or begins exactly is an attempt:

  merged         the VMA that comes out reaches into it
  differs        flags, file, policy, userfaultfd context or name are not equal
  want_pgoff     all of these are equal, but the page offsets do not fit
  want_anon_vma  these fit as well: what is left is the anon_vma
"""

import collections
import os
import pathlib
import re
import subprocess
import tempfile

TRACING = pathlib.Path('/sys/kernel/tracing')
VM_SHARED = 0x8
VM_SOFTDIRTY = 0x08000000
VM_SPECIAL = 0x10044400         # VM_IO, VM_DONTEXPAND, VM_PFNMAP, VM_MIXEDMAP
OUTCOMES = ('merged', 'differs', 'want_pgoff', 'want_anon_vma')
SAME = ('flags', 'file', 'policy', 'uffd', 'name')
PAGE_SHIFT = 12


# ---- on the host ----

def compile_offsets(kernel_dir, source):
    """Returns lines "struct field offset" of a kernel that was built there."""
    saved = (kernel_dir / 'mm' / '.vma.o.cmd').read_text().splitlines()[0]
    command = saved.split(':=', 1)[1].split(' ; ')[0].strip()
    tree = next(word for word in command.split() if word.endswith('mm/vma.c'))
    command = re.sub(r'^\S*/cached\.sh ', '', command)
    command = re.sub(r'-Wp,-MMD,\S+', '', command).replace(tree, str(source))
    with tempfile.TemporaryDirectory() as directory:
        output = pathlib.Path(directory) / 'offsets.s'
        command = re.sub(r' -c -o \S+', f' -S -o {output}', command)
        subprocess.run(f'{command} -I{pathlib.Path(tree).parent}', shell=True,
                       cwd=kernel_dir, check=True)
        text = output.read_text()
    return re.findall(r'@offset (\S+ \S+ \d+)', text)


# ---- in the guest ----

def arguments(offsets):
    """What a probe records, with the parameter struct at hand."""
    vmg = {field: value for (struct, field), value in offsets.items()
           if struct == 'vma_merge_struct'}
    vma = {field: value for (struct, field), value in offsets.items()
           if struct == 'vm_area_struct'}
    fields = {'start': 'vm_start', 'end': 'vm_end', 'pgoff': 'vm_pgoff',
              'flags': 'vm_flags', 'file': 'vm_file', 'policy': 'vm_policy',
              'uffd': 'vm_userfaultfd_ctx', 'name': 'anon_name'}
    own = {'uffd': 'uffd_ctx', 'name': 'anon_name'}
    args = [f'{name}=+{vmg[own.get(name, name)]}($arg1):x64' for name in fields]
    for side in ('prev', 'next', 'vma'):
        args.append(f'{side}=+{vmg[side]}($arg1):x64')
        args += [f'{side}_{name}=+{vma[field]}(+{vmg[side]}($arg1)):x64'
                 for name, field in fields.items()]
    result = ['ret=$retval:x64'] + [f'ret_{name}=+{vma[fields[name]]}($retval)'
                                    ':x64' for name in ('start', 'end')]
    return args, result


def add_probe(definition):
    """open() would look for the end of the file, which it has not."""
    file = os.open(TRACING / 'kprobe_events', os.O_WRONLY | os.O_APPEND)
    try:
        os.write(file, definition.encode())
    except OSError as error:
        log = (TRACING / 'error_log').read_text()
        raise RuntimeError(f'{definition}{log}') from error
    finally:
        os.close(file)


def trace_start(offsets_file):
    offsets = {}
    for line in pathlib.Path(offsets_file).read_text().splitlines():
        struct, field, value = line.split()
        offsets[struct, field] = int(value)
    args, result = arguments(offsets)
    (TRACING / 'buffer_size_kb').write_text('262144')
    (TRACING / 'trace').write_text('')
    for name, function in (('new', 'vma_merge_new_range'),
                           ('mod', 'vma_modify')):
        add_probe(f'p:bench/{name}_in {function} {" ".join(args)}\n')
        add_probe(f'r64:bench/{name}_out {function} '
                  f'{" ".join(args + result)}\n')
    (TRACING / 'events/bench/enable').write_text('1')


def trace_stop():
    """Returns (pid, event, {name: value}) of all, in order; none was lost."""
    (TRACING / 'events/bench/enable').write_text('0')
    for stats in TRACING.glob('per_cpu/cpu*/stats'):
        lost = re.findall(r'^(?:overrun|dropped events): (\d+)',
                          stats.read_text(), re.M)
        if any(int(number) for number in lost):
            raise RuntimeError('the trace is not complete')
    for line in (TRACING / 'kprobe_profile').read_text().splitlines():
        if int(line.split()[2]):
            raise RuntimeError(f'probes were missed: {line}')
    events = []
    with open(TRACING / 'trace') as trace:
        for line in trace:
            match = re.match(r'.*-(\d+)\s+\[\d+\].*: (\w+): \(.*?\) (.*)', line)
            if match:
                values = re.findall(r'(\w+)=(\(fault\)|0x[0-9a-f]+)', match[3])
                events.append((int(match[1]), match[2],
                               {name: 0 if value == '(fault)' else
                                int(value, 16) for name, value in values}))
    (TRACING / 'kprobe_events').write_text('')
    (TRACING / 'trace').write_text('')
    return events


def outcome(entry, exit_, side, merged):
    """exit_ has the next VMA; a VMA that was merged may be gone by then."""
    if merged:
        return 'merged'
    other = exit_ if side == 'next' else entry
    different = (entry['flags'] ^ other[f'{side}_flags']) & ~VM_SOFTDIRTY
    if different or entry['flags'] & VM_SPECIAL or \
            any(entry[name] != other[f'{side}_{name}'] for name in SAME[1:]):
        return 'differs'
    pages = (entry['end'] - entry['start']) >> PAGE_SHIFT
    if side == 'prev':
        fits = entry['prev_pgoff'] + ((entry['prev_end'] -
                                       entry['prev_start']) >> PAGE_SHIFT) \
            == entry['pgoff']
    else:
        fits = entry['pgoff'] + pages == other['next_pgoff']
    return 'want_anon_vma' if fits else 'want_pgoff'


def sides(kind, entry, exit_):
    """The sides on which there may be a merge, and whether there was."""
    changed = exit_['ret'] and not (kind == 'mod' and
                                    exit_['ret'] == entry['vma'])
    inside_low = kind == 'mod' and entry['start'] != entry['vma_start']
    inside_high = kind == 'mod' and entry['end'] != entry['vma_end']
    if not inside_low and entry['prev'] and entry['prev_end'] == entry['start']:
        yield 'prev', changed and exit_['ret_start'] < entry['start']
    if inside_high:
        return
    if changed and exit_['ret_end'] > entry['end']:
        yield 'next', True
    elif exit_['next'] and exit_['next_start'] == entry['end']:
        yield 'next', False


def count(events):
    """Returns {outcome: attempts} for private anonymous memory."""
    counts = collections.Counter(dict.fromkeys(OUTCOMES, 0))
    entries = {}
    for pid, event, values in events:
        kind, _, where = event.partition('_')
        if where == 'in':
            entries[pid, kind] = values
            continue
        entry = entries.pop((pid, kind), None)
        if not entry or entry['file'] or entry['flags'] & VM_SHARED:
            continue
        for side, merged in sides(kind, entry, values):
            counts[outcome(entry, values, side, merged)] += 1
    return counts
