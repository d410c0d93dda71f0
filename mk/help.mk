# SPDX-License-Identifier: GPL-2.0

##@ General
.PHONY: help
help: ## this text
	@scripts/help.sh $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install the Debian packages that are missing (needs root)
	@scripts/setup.sh

.PHONY: clean
clean: ## remove all build output
	rm -rf $(addprefix $(O)/,src kernel kunit guest log report bin)
