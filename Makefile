# SPDX-License-Identifier: GPL-2.0
# Thin: each area of harness/ has its own fragment.

.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory --no-builtin-rules

O      ?= build
KERNEL ?= exp
ARCH   ?= x86_64
ifeq ($(origin CC),default)
CC     := gcc
endif
# Other architectures than the host's have a compiler and a folder of their own.
CROSS_arm64 := aarch64-linux-gnu-
CROSS_i386  := i686-linux-gnu-
IMAGE       := $(if $(filter arm64,$(ARCH)),arch/arm64/boot/Image,arch/x86/boot/bzImage)
override CC := $(CROSS_$(ARCH))$(patsubst $(CROSS_$(ARCH))%,%,$(CC))
override O := $(abspath $(O))
ifneq ($(ARCH),x86_64)
override O := $(patsubst %/$(ARCH),%,$(O))/$(ARCH)
TOOL_CFLAGS := --sysroot=$(O)/root
# The sources are the same.
$(shell mkdir -p $(O) && ln -sfn ../src $(O)/src)
endif

KERNELS := stock exp debug stock-debug

export O V ARCH CC KERNEL KSRC PATCH FORCE JOBS
export SMP MEM TIMEOUT CMD APPEND T SCENARIO DEB_CONFIG

# These groups come first in the help.
FIRST := harness/help.mk harness/tree/tree.mk harness/kernel/kernel.mk

include $(FIRST) $(filter-out $(FIRST),$(sort $(wildcard harness/*/*.mk)))
