# SPDX-License-Identifier: GPL-2.0
# Kernels that make check does not boot: KERNEL=rt, or those of another ARCH.

##@ Checks
.PHONY: check-guests
check-guests: setup ## scenarios, selftests and a minute of torture: KERNEL=exp|rt ARCH=x86_64|i386|arm64
	+@harness/check/check.py demo-alone kselftest-alone torture-alone

.PHONY: check-demo-alone check-kselftest-alone check-torture-alone
check-demo-alone check-kselftest-alone: tools kernel-$(KERNEL)
check-demo-alone:
	@harness/demo/demo.py --bin $(O)/bin --out $(O) --list $(SCENARIOS) --tap \
		--expect-merged $(KERNEL)
check-demo-alone: $(SCENARIOS)
check-kselftest-alone:
	@KERNELS=$(KERNEL) harness/test/kselftest.sh
check-torture-alone: TORTURE_SECONDS = $(or $(SECONDS),60)
check-torture-alone: $(O)/bin/torture kernel-$(KERNEL)
	@harness/stress/torture.sh mix move fork

kernel-rt: tree
	@harness/kernel/kernel.sh rt

CHECKS_LONG += guests-rt guests-arm64 guests-i386
.PHONY: check-guests-rt check-guests-arm64 check-guests-i386
check-guests-rt: ## the same with PREEMPT_RT and lockdep, and five minutes of torture
	+@$(MAKE) check-guests KERNEL=rt SECONDS=$(or $(SECONDS),100)
check-guests-arm64 check-guests-i386: check-guests-%: ## the same on another architecture
	+@$(MAKE) check-guests ARCH=$*

PLATFORMS := docs/testing.rst
.PHONY: platforms
platforms: ## the table of configurations and architectures in docs/testing.rst, from the last results
	@harness/check/platforms.py $(O) $(PLATFORMS)
