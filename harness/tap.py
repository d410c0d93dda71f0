# SPDX-License-Identifier: GPL-2.0
"""One line for each result, as harness/check/check.py reads it."""


def result(good, name, details=()):
    """Print a result, and what is to be said of it; returns whether it is good."""
    print(f"{'ok' if good else 'not ok'} - {name}", flush=True)
    for detail in details:
        print(f"#   {detail}", flush=True)
    return good
