# SPDX-License-Identifier: GPL-2.0

HOST_CFLAGS := -std=gnu11 -O2 -Wall -Wextra -Werror
TOOL_CFLAGS += $(HOST_CFLAGS)

VMAFRAG_SRC   := $(wildcard tools/vmafrag/*.c)
SCENARIOS_SRC := $(wildcard tools/scenarios/*.c) \
		 $(addprefix tools/vmafrag/,frag.c smaps.c)
TOOL_HEADERS  := $(wildcard tools/*.h tools/vmafrag/*.h tools/scenarios/*.h)

$(O)/bin/vmafrag: $(VMAFRAG_SRC)
$(O)/bin/scenarios: $(SCENARIOS_SRC)
$(O)/bin/vmafrag $(O)/bin/scenarios: $(TOOL_HEADERS) | setup
	@mkdir -p $(@D)
	@echo "==> $(@F): $(CC) -o $@"
	@$(CC) $(TOOL_CFLAGS) -o $@ $(filter %.c,$^)

# What can be asked here which scenarios there are.
SCENARIOS := $(O)/bin/scenarios$(if $(CROSS_$(ARCH)),-host)
$(O)/bin/scenarios-host: $(SCENARIOS_SRC) $(TOOL_HEADERS) | setup
	@mkdir -p $(@D)
	@echo "==> $(@F): gcc -o $@"
	@gcc $(HOST_CFLAGS) -o $@ $(filter %.c,$^)

##@ Compare maps
.PHONY: tools
tools: $(O)/bin/vmafrag $(O)/bin/scenarios
tools: ## build vmafrag (counts missed merges) and the scenarios: build/bin/

DEMO_KERNELS ?= stock exp

.PHONY: demo
demo: $(addprefix kernel-,$(DEMO_KERNELS)) tools $(SCENARIOS)
demo: ## compare the maps of two kernels: SCENARIO=NAME, DEMO_KERNELS='stock exp'
	@harness/demo/demo.py --bin $(O)/bin --out $(O) --list $(SCENARIOS) \
		$(if $(SCENARIO),--scenario $(SCENARIO)) $(DEMO_FLAGS) \
		$(DEMO_KERNELS)

CHECKS += vmafrag
.PHONY: check-vmafrag
check-vmafrag: $(O)/bin/vmafrag ## tests of vmafrag
	@tests/vmafrag/run.sh $<

CHECKS += why
.PHONY: check-why
check-why: $(addprefix kernel-,$(DEMO_KERNELS)) $(O)/bin/vmafrag ## why merges were missed, as vmafrag --why says
	@set -e; $(foreach k,$(DEMO_KERNELS),SMP=1 KERNEL=$(k) \
		CMD="tests/vmafrag/why.sh $(O)/bin/vmafrag $(k)" harness/guest/boot.sh;)

CHECKS += scenarios
.PHONY: check-scenarios
check-scenarios: tools ## tests of what runs and judges the scenarios
	@tests/scenarios/run.sh $(O)/bin

# Missed merges in a kernel of ours are failures, unless EXPECT_MERGED is empty.
EXPECT_MERGED ?= 1
CHECKS += demo
.PHONY: check-demo
check-demo: DEMO_FLAGS = --tap $(if $(EXPECT_MERGED),--expect-merged)
check-demo: demo ## every scenario runs, and no contents are lost
