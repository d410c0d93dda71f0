# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: gcc on a file of the kernel
# runs: 1
# trace: yes
# The command that made an object of the stock kernel.
object=sort.o
saved=$O/kernel/stock/lib/.$object.cmd
command=$(sed -n '1s/^[^:]*:= *//;1s/ ; .*//;1s,^[^ ]*/cached\.sh ,,;1p' "$saved")
cd "$O/kernel/stock" || exit
eval "${command/-o lib\/$object/-o $RUN/$object}"
