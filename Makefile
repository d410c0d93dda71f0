# SPDX-License-Identifier: GPL-2.0
# Thin: each area has its own fragment in mk/, which runs scripts/.

.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory --no-builtin-rules

O      ?= build
KERNEL ?= exp
ARCH   ?= x86_64
ifeq ($(origin CC),default)
CC     := gcc
endif
override O := $(abspath $(O))

KERNELS := stock exp debug stock-debug

export O V ARCH CC KERNEL KSRC PATCH FORCE JOBS
export SMP MEM TIMEOUT CMD APPEND T SCENARIO

# These groups come first in the help.
FIRST := mk/help.mk mk/tree.mk mk/kernel.mk

include $(FIRST) $(filter-out $(FIRST),$(sort $(wildcard mk/*.mk)))
