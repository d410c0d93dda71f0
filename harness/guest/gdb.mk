# SPDX-License-Identifier: GPL-2.0

$(O)/bin/family: tests/gdb/family.c | setup
	@mkdir -p $(@D)
	@echo "==> $(@F): $(CC) -o $@"
	@$(CC) $(TOOL_CFLAGS) -o $@ $<

.PHONY: kernel-exp-gdb
kernel-exp-gdb: tree
	@harness/kernel/kernel.sh exp-gdb

##@ Checks
CHECKS_LONG += gdb
.PHONY: check-gdb
check-gdb: kernel-exp-gdb $(O)/bin/family ## what gdb prints of a guest is what /proc says
	@tests/gdb/run.sh $(O)/kernel/exp-gdb $(O)/bin
