# SPDX-License-Identifier: GPL-2.0

##@ Checks
.PHONY: kunit
kunit: check-kunit-um check-kunit-x86_64 ## KUnit suites: T=SUITE

CHECKS += kunit-um
.PHONY: check-kunit-um
check-kunit-um: tree ## KUnit suites anon_space* on UML
	@harness/test/check-kunit.py um

CHECKS += kunit-x86_64
.PHONY: check-kunit-x86_64
check-kunit-x86_64: tree ## KUnit suites anon_space* on x86_64, two CPUs, with huge pages
	@harness/test/check-kunit.py x86_64

# KASAN and lockdep make it ten times slower.
CHECKS_LONG += kunit-debug
.PHONY: check-kunit-debug
check-kunit-debug: tree ## the same with KASAN and lockdep
	@TIMEOUT=$(or $(TIMEOUT),1800) harness/test/check-kunit.py x86_64-debug

KUNIT_ARCHS := i386 arm64 arm64-64k riscv s390 powerpc
CHECKS_LONG += $(addprefix kunit-,$(KUNIT_ARCHS))
.PHONY: check-kunit-archs $(addprefix check-kunit-,$(KUNIT_ARCHS))
check-kunit-archs: $(addprefix check-kunit-,$(KUNIT_ARCHS)) ## the same on other architectures: check-kunit-arm64...
$(addprefix check-kunit-,$(KUNIT_ARCHS)): check-kunit-%: tree
	@TIMEOUT=$(or $(TIMEOUT),1800) harness/test/check-kunit.py $*

.PHONY: kernel-coverage
kernel-coverage: tree
	@harness/kernel/kernel.sh coverage

.PHONY: coverage check-coverage
coverage: kernel-coverage ## lines of our files that KUnit and selftests reach
	@harness/test/coverage.py

CHECKS_LONG += coverage
check-coverage: coverage ## the same, as a check: nine lines of ten
