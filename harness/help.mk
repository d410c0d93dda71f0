# SPDX-License-Identifier: GPL-2.0

##@ General
.PHONY: help
help: ## this text
	@harness/help.sh $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install the Debian packages that are missing (needs root)
	@harness/setup/setup.sh
	@harness/guest/root.sh

.PHONY: setup-cross
setup-cross: ## and those of check-builds and check-kunit-archs
	@harness/setup/setup.sh cross

.PHONY: clean
clean: ## remove all build output
	rm -rf $(addprefix $(O)/,src kernel kunit guest log report bin)
