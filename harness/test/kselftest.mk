# SPDX-License-Identifier: GPL-2.0

##@ Tests of the anonymous space
KSELFTEST_KERNELS = $(if $(filter command line,$(origin KERNELS)),$(KERNELS),stock exp)

.PHONY: kselftest
kselftest: $(addprefix kernel-,$(KSELFTEST_KERNELS)) $(O)/bin/vmafrag ## selftests anon_space_*, on stock too: T=NAME, KERNELS=
	@KERNELS="$(KSELFTEST_KERNELS)" harness/test/kselftest.sh

CHECKS += kselftest
.PHONY: check-kselftest
check-kselftest: kselftest ## the same, every test as a result
