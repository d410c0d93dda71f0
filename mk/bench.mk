# SPDX-License-Identifier: GPL-2.0

BENCH_SRC := $(wildcard tools/bench/*.c)

# Static: exec of itself is measured, and must not be that of the linker.
$(O)/bin/bench: $(BENCH_SRC) tools/bench/bench.h | setup
	@mkdir -p $(@D)
	@echo "==> $(@F): $(CC) -o $@"
	@$(CC) $(TOOL_CFLAGS) -Wno-missing-field-initializers -static -o $@ \
		$(BENCH_SRC) -pthread

##@ Benchmarks
.PHONY: bench
bench: kernel-stock kernel-exp $(O)/bin/bench $(O)/bin/vmafrag
bench: ## measure stock and exp: BENCH='micro memory collect programs contention time'
	@scripts/bench.py --bin $(O)/bin --out $(O) $(BENCH)

.PHONY: bench-report
bench-report: $(O)/bin/bench ## write the report again from what was measured
	@scripts/bench.py --bin $(O)/bin --out $(O) --report
