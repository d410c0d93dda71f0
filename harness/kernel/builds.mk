# SPDX-License-Identifier: GPL-2.0

##@ Checks
CHECKS_LONG += builds
.PHONY: check-builds
check-builds: pristine tree ## what we touch builds in harness/kernel/builds.list: T=NAME
	@harness/kernel/builds.py

# One compiler, and the one that most mistakes show in: nearly all is off. Those that are
# linked take minutes each.
CHECKS += builds-few
BUILDS_FEW := no-options
.PHONY: check-builds-few
check-builds-few: pristine tree ## the same for a few of the list, in minutes
	@harness/kernel/builds.py $(BUILDS_FEW)
