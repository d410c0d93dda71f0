# SPDX-License-Identifier: GPL-2.0

export N

##@ Checks
CHECKS_LONG += mutants
.PHONY: check-mutants check-mutants-sample
check-mutants: kernel-exp ## each kernel broken on purpose is caught: T=NAME, or N=10 SEED=
	@scripts/check-mutants.py

check-mutants-sample: export N = 10
check-mutants-sample: check-mutants ## ten of them, chosen by SEED
