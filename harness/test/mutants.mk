# SPDX-License-Identifier: GPL-2.0

export N

##@ Checks
CHECKS_LONG += mutants
.PHONY: check-mutants check-mutants-sample
check-mutants: kernel-exp ## each kernel broken on purpose is caught: T=NAME, or N=10 SEED=
	@harness/test/check-mutants.py

# Only of those that need nothing but UML or user space.
CHECKS += mutants-sample
check-mutants-sample: export N = 10
check-mutants-sample: tree ## ten of them, chosen by SEED
	@harness/test/check-mutants.py
