# SPDX-License-Identifier: GPL-2.0
#
# "make check" runs "make check-PART" for every PART of $(CHECKS).  A part
# joins by one line, here or in any other fragment: CHECKS += PART.  What its
# target must print is described in harness/check/check.py.

##@ Checks
.PHONY: check
check: setup ## everything below, two parts at a time (LANES=); ends with N passed, N failed, N skipped
	+@harness/check/check.py $(CHECKS)

# What needs the debug kernels or more than an hour in all.
.PHONY: check-long
check-long: setup ## make check, and what takes longer
	+@harness/check/check.py $(CHECKS) $(CHECKS_LONG)

CHECKS += shell
.PHONY: check-shell
check-shell: setup ## shellcheck on every shell script
	@harness/check/check-shell.sh

CHECKS += drift
.PHONY: check-drift
check-drift: drift ## every patch fits exactly and is as make refresh writes it

CHECKS += checkpatch
.PHONY: check-checkpatch
check-checkpatch: tree ## checkpatch --strict on every patch and file of ours
	@harness/check/check-checkpatch.sh

CHECKS += docs
.PHONY: check-docs
check-docs: tree ## what the documents name still exists
	@harness/check/check-docs.py

CHECKS += config
.PHONY: check-config
check-config: kernel-stock kernel-exp configure-debug configure-stock-debug ## the kernels have the configuration asked for
	@harness/kernel/check-config.sh

CHECKS += sparse
.PHONY: check-sparse
check-sparse: kernel-stock kernel-exp configure-debug ## no sparse warnings that pristine has not
	@harness/check/check-sparse.sh

CHECKS += kerneldoc
.PHONY: check-kerneldoc
check-kerneldoc: tree ## kernel-doc is complete and without new warnings
	@harness/check/check-kerneldoc.sh

CHECKS += vma
.PHONY: check-vma
check-vma: tree ## the kernel's user-space tests of VMA merging
	@harness/test/check-vma.sh

CHECKS += tree
.PHONY: check-tree
check-tree: setup ## tests of tree.py: apply, refresh, drift, rebase
	@tests/tree/run.sh

CHECKS += check
.PHONY: check-check
check-check: setup ## tests of what counts results and compares configurations
	@tests/check/run.sh
