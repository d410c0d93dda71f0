# SPDX-License-Identifier: GPL-2.0
"""Lists, arrays and dictionaries that grow, in turns, and are given up."""

import array


def grow(rounds):
    numbers, texts, table = [], [], {}
    doubles, octets = array.array('d'), bytearray()
    for i in range(rounds):
        numbers.append(i)
        texts.append(str(i) * 4)
        table[i] = texts[-1]
        doubles.extend((i, i + 0.5))
        octets.extend(b'0123456789abcdef')
        if i % 5000 == 0:
            numbers = numbers[len(numbers) // 2:]
            del texts[::3]


for _ in range(2):
    grow(30000)
