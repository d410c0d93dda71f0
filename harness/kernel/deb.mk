# SPDX-License-Identifier: GPL-2.0

DEB_KERNELS ?= stock exp

.PHONY: setup-deb
setup-deb:
	@harness/setup/setup.sh deb

##@ Install
.PHONY: deb
deb: setup setup-deb pristine tree
deb: ## Debian packages of both kernels, in build/deb: DEB_KERNELS=, DEB_CONFIG=debian or a file
	@harness/kernel/deb.sh $(DEB_KERNELS)

CHECKS_LONG += deb
.PHONY: check-deb
check-deb: deb ## they install on Debian, start by its boot loader, and are removed
	@tests/deb/run.sh $(O)/deb
