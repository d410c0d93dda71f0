# SPDX-License-Identifier: GPL-2.0

##@ Source tree
.PHONY: pristine
pristine: setup ## unpack the kernel source: build/src/pristine
	@scripts/tree.py pristine

.PHONY: tree
tree: setup ## pristine source + our files + patches: build/src/exp
	@scripts/tree.py tree

.PHONY: refresh
refresh: setup ## write edits made in build/src/exp back to patches/ and our files
	@scripts/tree.py refresh

.PHONY: drift
drift: setup ## grade how each patch fits: exact, offset, three-way, conflict
	@scripts/tree.py drift

.PHONY: rebase
rebase: setup ## move the patches and base.lock to a newer source package
	@scripts/tree.py rebase
