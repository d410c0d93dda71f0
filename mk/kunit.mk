# SPDX-License-Identifier: GPL-2.0

##@ Checks
.PHONY: kunit
kunit: check-kunit ## same as check-kunit: T=SUITE

# Two minutes to build; the KASAN kernel of the other takes longer.
CHECKS += kunit-um
.PHONY: check-kunit-um
check-kunit-um: tree ## KUnit suites anon_space* on UML
	@scripts/check-kunit.py um

CHECKS_LONG += kunit
.PHONY: check-kunit
check-kunit: tree ## KUnit suites anon_space* on UML, and on x86_64 with two CPUs
	@rc=0; for arch in um x86_64; do \
		scripts/check-kunit.py $$arch || rc=1; \
	done; exit $$rc

.PHONY: kernel-coverage
kernel-coverage: tree
	@scripts/kernel.sh coverage

.PHONY: coverage check-coverage
coverage: kernel-coverage ## lines of our files that KUnit and selftests reach
	@scripts/coverage.py

CHECKS_LONG += coverage
check-coverage: coverage ## the same, as a check: nine lines of ten
