# SPDX-License-Identifier: GPL-2.0

##@ Tests of the kernel's own
KTESTS_KERNELS = $(if $(filter command line,$(origin KERNELS)),$(KERNELS),stock exp)

.PHONY: ktests
ktests: $(addprefix kernel-,$(KTESTS_KERNELS)) ## mm selftests, memblock and maple tree, compared with stock: T=
	@KERNELS="$(KTESTS_KERNELS)" harness/ktests/ktests.sh

.PHONY: check-ktests
check-ktests: ktests
