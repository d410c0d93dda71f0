# SPDX-License-Identifier: GPL-2.0

TORTURE_SRC := $(wildcard tools/torture/*.c)

$(O)/bin/torture: $(TORTURE_SRC) tools/torture/torture.h | setup
	@mkdir -p $(@D)
	@echo "==> $(@F): $(CC) -o $@"
	@$(CC) $(TOOL_CFLAGS) -Wno-missing-field-initializers -o $@ \
		$(TORTURE_SRC) -pthread -lnuma

# The kernel that runs, if it has to be built first.
TORTURE_KERNEL = $(if $(findstring /,$(1))$(wildcard \
	$(O)/kernel/$(1)/arch/x86/boot/bzImage),,kernel-$(1))

torture torture-chains fault-injection stress: export TORTURE_SECONDS = $(or $(SECONDS),300)
torture torture-chains fault-injection stress: export SEED TREE CHAIN_SCALE PROFILE

PROFILE ?= mix

##@ Torture
.PHONY: torture
torture: $(O)/bin/torture $(call TORTURE_KERNEL,$(KERNEL))
torture: ## random operations on memory: SECONDS= SEED= PROFILE= KERNEL= TREE=
	@scripts/torture.sh $(PROFILE)

.PHONY: torture-chains
torture-chains: $(O)/bin/torture $(call TORTURE_KERNEL,$(KERNEL))
torture-chains: ## long chains of moves, generations, children: CHAIN_SCALE=
	@scripts/torture.sh chains
