# SPDX-License-Identifier: GPL-2.0

##@ Source tree
.PHONY: pristine
pristine: setup ## unpack the kernel source: build/src/pristine
	@harness/tree/tree.py pristine

.PHONY: tree
tree: setup ## pristine source + our files + patches: build/src/exp
	@harness/tree/tree.py tree

.PHONY: refresh
refresh: setup ## write edits made in build/src/exp back to patches/ and our files
	@harness/tree/series.py refresh

.PHONY: drift
drift: setup ## grade how each patch fits: exact, offset, three-way, conflict
	@harness/tree/series.py drift

.PHONY: rebase
rebase: setup ## move the patches and base.lock to a newer source package
	@harness/tree/series.py rebase

.PHONY: series
series: setup ## the patches as "git am" takes them, with a cover letter: build/series
	@harness/tree/series.py write

.PHONY: series-export
series-export: setup ## the patches as a git branch, to cut them anew: build/src/series
	@harness/tree/series.py export

.PHONY: series-import
series-import: setup ## patches and files of ours from that branch
	@harness/tree/series.py import

##@ Checks
# The patch after which folios belong to files, and what src/exp is made of.
SWITCH := walk-the-members-of-a-file-to-find
CHECKS += switch
.PHONY: check-switch
check-switch: tree ## the series as it is mailed; the switch builds, and so does the end
	@BOOT= harness/tree/check-series.py $(SWITCH) $(shell grep -c '\.patch' patches/series)

CHECKS_LONG += series
.PHONY: check-series
check-series: tree tools ## each prefix of the series builds, boots and passes its tests: N='18 19'
	@$(if $(N),MAILS=) harness/tree/check-series.py $(N)
