# SPDX-License-Identifier: GPL-2.0

MODEL_SRC := $(wildcard tools/model/*.c)

$(O)/bin/model: $(MODEL_SRC) tools/model/model.h | setup
	@mkdir -p $(@D)
	@echo "==> $(@F): $(CC) -o $@"
	@$(CC) $(TOOL_CFLAGS) -o $@ $(MODEL_SRC) -lnuma

export CASE UNIT

##@ Torture
.PHONY: model
model: $(O)/bin/model kernel-exp kernel-stock
model: ## neighbours and calls, compared with a model: SECONDS=60 SEED= CASE=N:NUMBER UNIT=
	@MODEL_SECONDS=$(or $(SECONDS),60) harness/stress/model.sh

CHECKS += model
.PHONY: check-model
check-model: model ## a minute of it

CHECKS_LONG += model-long
.PHONY: check-model-long
check-model-long: SECONDS = 7200
check-model-long: model ## two hours of it
