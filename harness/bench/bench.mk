# SPDX-License-Identifier: GPL-2.0

BENCH_SRC := $(wildcard tools/bench/*.c)

# Static: exec of itself is measured, and must not be that of the linker.
$(O)/bin/bench: $(BENCH_SRC) tools/bench/bench.h tools/uffdio_move.h | setup
	@mkdir -p $(@D)
	@echo "==> $(@F): $(CC) -o $@"
	@$(CC) $(TOOL_CFLAGS) -Wno-missing-field-initializers -static -o $@ \
		$(BENCH_SRC) -pthread

# Programs of our own.  Dynamic: an allocator is put in their way.
PROGRAMS_SRC := $(filter-out %/offsets.c,$(wildcard tools/bench/programs/lib/*.c))
PROGRAMS := $(patsubst %.c,$(O)/bin/bench-%,$(notdir $(PROGRAMS_SRC))) \
	$(O)/bin/bench-realloc-musl
$(O)/bin/bench-%: tools/bench/programs/lib/%.c | setup
	@mkdir -p $(@D)
	@echo "==> $(@F): $(CC) -o $@"
	@$(CC) $(TOOL_CFLAGS) -o $@ $< -pthread

$(O)/bin/bench-realloc-musl: tools/bench/programs/lib/realloc.c | setup-programs
	@mkdir -p $(@D)
	@echo "==> $(@F): musl-gcc -o $@"
	@musl-gcc -O2 -Wall -static -o $@ $<

# Programs of Debian, and what they are given.
.PHONY: setup-programs
setup-programs:
	@harness/setup/setup.sh programs

.PHONY: prepare-programs
prepare-programs: setup-programs
	@tools/bench/programs/lib/prepare.sh

# Only for the benches of these names.
OWN_KERNELS := lockstat criu
BENCH_KERNELS := $(foreach name,$(OWN_KERNELS),kernel-stock-$(name) kernel-exp-$(name))
.PHONY: $(BENCH_KERNELS)
$(filter kernel-stock-%,$(BENCH_KERNELS)): pristine
$(filter kernel-exp-%,$(BENCH_KERNELS)): tree
$(BENCH_KERNELS): kernel-%:
	@harness/kernel/kernel.sh $*

##@ Benchmarks
.PHONY: bench
ifeq ($(NATIVE),)
bench: kernel-stock kernel-exp
bench: $(filter $(addprefix %-,$(if $(BENCH),$(BENCH),$(OWN_KERNELS))),$(BENCH_KERNELS))
bench: $(addprefix $(O)/bin/,bench vmafrag)
bench: $(if $(filter programs criu,$(or $(BENCH),programs)),$(PROGRAMS) prepare-programs)
bench: ## measure stock and exp: BENCH='micro time memory collect programs criu smp2 smp4 lockstat'
	@harness/bench/bench.py --bin $(O)/bin --out $(O) $(BENCH_FLAGS) $(BENCH)
else
bench: $(O)/bin/bench
	@harness/bench/bench_native.py --bin $(O)/bin run $(BENCH_FLAGS) \
		$(or $(FILE),$(O)/native-$(shell uname -r).tsv)
endif

.PHONY: bench-compare
bench-compare: $(O)/bin/bench ## report of two kernels, each measured by make bench NATIVE=1 FILE=: A=FILE B=FILE
	@harness/bench/bench_native.py --bin $(O)/bin --out $(O) compare $(A) $(B)

.PHONY: bench-report
bench-report: $(O)/bin/bench ## write the report again from what was measured
	@harness/bench/bench.py --bin $(O)/bin --out $(O) --report

.PHONY: bench-readme
bench-readme: $(O)/bin/bench ## the same, and the table in README.md
	@harness/bench/bench.py --bin $(O)/bin --out $(O) --readme README.md

CHECKS += bench
.PHONY: check-bench
check-bench: $(O)/bin/bench ## tests of what judges benchmarks
	@tests/bench/run.py
