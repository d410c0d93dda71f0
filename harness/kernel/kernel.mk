# SPDX-License-Identifier: GPL-2.0

##@ Kernels
.PHONY: kernel
kernel: kernel-$(KERNEL) ## build one kernel: KERNEL=stock|exp|debug|stock-debug

.PHONY: kernels
kernels: $(addprefix kernel-,$(KERNELS)) ## build all four kernels

KERNEL_TARGETS := $(addprefix kernel-,$(KERNELS))
.PHONY: $(KERNEL_TARGETS)
kernel-stock kernel-stock-debug: pristine
kernel-exp kernel-debug: tree
$(KERNEL_TARGETS): kernel-%:
	@harness/kernel/kernel.sh $*

# Enough to check the configuration, or single objects.
CONFIGURE_TARGETS := $(addprefix configure-,$(KERNELS))
.PHONY: $(CONFIGURE_TARGETS)
configure-stock configure-stock-debug: pristine
configure-exp configure-debug: tree
$(CONFIGURE_TARGETS): configure-%:
	@harness/kernel/kernel.sh $* prepare

kernel-%:
	@echo "error: KERNEL=$* is not one of: $(KERNELS)" >&2; exit 1
