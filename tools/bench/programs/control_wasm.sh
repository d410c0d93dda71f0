# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: control: 50 reservations that are committed bit by bit in turns
"$O/bin/bench-controls" wasm
