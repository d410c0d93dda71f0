# SPDX-License-Identifier: GPL-2.0

TORTURE_SRC := $(wildcard tools/torture/*.c) \
	       $(addprefix tools/vmafrag/,frag.c smaps.c)

$(O)/bin/torture: $(wildcard tools/vmafrag/*.h)
$(O)/bin/torture: $(TORTURE_SRC) tools/torture/torture.h tools/uffdio_move.h | setup
	@mkdir -p $(@D)
	@echo "==> $(@F): $(CC) -o $@"
	@$(CC) $(TOOL_CFLAGS) -Wno-missing-field-initializers -o $@ \
		$(TORTURE_SRC) -pthread -lnuma

# The kernel to run, if it has to be built first.
torture_kernel = $(if $(findstring /,$(1))$(wildcard \
	$(O)/kernel/$(1)/$(IMAGE)),,kernel-$(1))

PROFILE ?= mix
BASE    ?= stock-debug
TORTURE_SECONDS ?= $(or $(SECONDS),300)
export TORTURE_SECONDS SEED TREE BASE CHAIN_SCALE STRESS_SECONDS

##@ Torture
.PHONY: torture
torture: $(O)/bin/torture $(call torture_kernel,$(KERNEL))
torture: ## random work on memory, verified: SECONDS= SEED= TREE= PROFILE='mix move fork line small poison'
	@harness/stress/torture.sh $(PROFILE)

.PHONY: torture-chains
torture-chains: $(O)/bin/torture $(call torture_kernel,$(KERNEL))
torture-chains: ## long chains of moves, generations, children: CHAIN_SCALE=
	@harness/stress/torture.sh chains

# Needs debug kernels, and by default takes ours.
.PHONY: fault-injection
fault-injection: override KERNEL := $(if $(filter file,$(origin KERNEL)),debug,$(KERNEL))
fault-injection: $(O)/bin/torture kernel-debug kernel-$(BASE)
fault-injection: ## allocations fail: at random, and one after the other: KERNEL=debug BASE=
	@harness/stress/torture.sh inject failnth

.PHONY: stress
stress: $(call torture_kernel,$(KERNEL))
stress: ## stress-ng and trinity on memory: STRESS_SECONDS=60 each, T='mmap vm...'
	@harness/stress/stress.sh $(T)

CHECKS += torture
.PHONY: check-torture
check-torture: TORTURE_SECONDS = 60
check-torture: CHAIN_SCALE = 20
check-torture: $(O)/bin/torture kernel-exp
check-torture: ## torture: random work, moves, forks, lines, few pages, poison; long chains
	@rc=0; KERNEL=exp harness/stress/torture.sh mix fork line small poison chains || rc=1; \
	KERNEL=exp SWAP=256M@loop MEM=3G harness/stress/torture.sh move || rc=1; exit $$rc

CHECKS_LONG += fault-injection
.PHONY: check-fault-injection
check-fault-injection: TORTURE_SECONDS = 60
check-fault-injection: fault-injection ## allocations that fail are survived

CHECKS += stress
.PHONY: check-stress
check-stress: STRESS_SECONDS = 2
check-stress: kernel-exp ## memory stressors of stress-ng, two seconds each, and trinity
	@KERNEL=exp harness/stress/stress.sh

# In "make check-long": hours.  Two are six million operations of mix, 10^8 of small.
CHECKS_LONG += torture-long
.PHONY: check-torture-long
check-torture-long: TORTURE_SECONDS = 7200
check-torture-long: $(O)/bin/torture kernel-exp kernel-debug
check-torture-long: ## torture for hours, on the plain and on the debug kernel
	@rc=0; KERNEL=exp harness/stress/torture.sh mix fork line small poison chains || rc=1; \
	KERNEL=exp SWAP=256M@loop MEM=3G harness/stress/torture.sh move || rc=1; exit $$rc
	@KERNEL=debug SMP=4 harness/stress/torture.sh mix move fork line small poison

CHECKS_LONG += fault-injection-long
.PHONY: check-fault-injection-long
check-fault-injection-long: TORTURE_SECONDS = 3600
check-fault-injection-long: fault-injection ## allocations fail for hours

CHECKS_LONG += stress-long
.PHONY: check-stress-long
check-stress-long: override KERNEL = debug
check-stress-long: STRESS_SECONDS = 60
check-stress-long: kernel-debug ## stress-ng and trinity on the debug kernel
	@harness/stress/stress.sh
