#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Boundaries that a kernel misses whose anonymous memory is no file.

Prints the number of a process that has them, and waits until stdin ends.
"""

import ctypes
import mmap
import os
import sys

PAGE = mmap.PAGESIZE
NONE, READ, WRITE, PRIVATE, FIXED, ANONYMOUS = 0, 1, 2, 2, 0x10, 0x20
MAYMOVE, MREMAP_FIXED = 1, 2
libc = ctypes.CDLL(None, use_errno=True)
for call in (libc.mmap, libc.mremap):
    call.restype = ctypes.c_void_p
FAILED = ctypes.c_void_p(-1).value


def check(address):
    if address == FAILED:
        sys.exit(os.strerror(ctypes.get_errno()))
    return address


AREA = check(libc.mmap(None, ctypes.c_size_t(64 * PAGE), NONE,
                       PRIVATE | ANONYMOUS, -1, ctypes.c_long(0)))


def page(number):
    return ctypes.c_void_p(AREA + number * PAGE)


def create(number):
    check(libc.mmap(page(number), ctypes.c_size_t(PAGE), READ | WRITE,
                    PRIVATE | ANONYMOUS | FIXED, -1, ctypes.c_long(0)))


def touch(number):
    ctypes.memset(page(number), 1, 1)


# One comes from elsewhere.
create(1)
touch(1)
create(8)
touch(8)
check(libc.mremap(page(8), ctypes.c_size_t(PAGE), ctypes.c_size_t(PAGE),
                  MAYMOVE | MREMAP_FIXED, page(2)))
# Two that were touched when nothing was between them.
create(21)
touch(21)
create(23)
touch(23)
create(22)
# One that was there before fork().
create(41)
touch(41)
ready, go = os.pipe()
if os.fork():
    os.close(go)
    print(os.read(ready, 16).decode(), flush=True)
    sys.stdin.read()
else:
    create(42)
    os.write(go, str(os.getpid()).encode())
    sys.stdin.read()
