# SPDX-License-Identifier: GPL-2.0

# A CMD with $ goes to the guest as the user typed it.
override CMD := $(value CMD)

##@ Boot
.PHONY: boot
boot: setup $(if $(wildcard $(O)/kernel/$(KERNEL)/$(IMAGE)),,kernel-$(KERNEL))
boot: ## shell in a kernel on the host's files: KERNEL= CMD= SMP= MEM= TIMEOUT= APPEND=
	@harness/guest/boot.sh

CHECKS += harness
.PHONY: check-harness
check-harness: pristine $(if $(wildcard $(O)/kernel/stock/$(IMAGE)),,kernel-stock)
check-harness: ## tests of the harness itself: what goes wrong is reported as such
	@tests/harness/run.sh
