# SPDX-License-Identifier: GPL-2.0

$(O)/bin/negative-swap: tests/negative/swap.c | setup
	@mkdir -p $(@D)
	@echo "==> $(@F): $(CC) -o $@"
	@$(CC) $(TOOL_CFLAGS) -o $@ $<

##@ Checks
CHECKS_LONG += negative
.PHONY: check-negative
check-negative: kernel-debug check-kunit $(O)/bin/negative-swap
check-negative: ## the tests catch each deliberate fault: T=FAULT
	@scripts/check-negative.py
