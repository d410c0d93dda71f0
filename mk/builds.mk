# SPDX-License-Identifier: GPL-2.0

##@ Checks
CHECKS_LONG += builds
.PHONY: check-builds
check-builds: pristine tree ## what we touch builds in tests/builds/list: T=NAME
	@scripts/builds.py
