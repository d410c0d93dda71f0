#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Print the help of the Makefile fragments given: "##@ Group" starts or goes on
# with a group, "target: ## text" describes a target.
set -euo pipefail

echo "Usage: make TARGET [VARIABLE=value ...]"
awk '
	/^##@ / {
		group = substr($0, 5)
		if (!(group in text))
			order[++groups] = group
	}
	/^[a-z0-9-]+:.*## / {
		target = $1
		sub(/:.*/, "", target)
		sub(/^.*## /, "")
		text[group] = text[group] sprintf("  %-18s %s\n", target, $0)
	}
	END {
		for (i = 1; i <= groups; i++)
			printf "\n%s:\n%s", order[i], text[order[i]]
	}
' "$@"
cat <<'EOF'

Variables:
  O=DIR              put all output in DIR (default: build)
  V=1                show the output of every step, not only its log
  KERNEL=NAME        stock, exp, debug or stock-debug (default: exp)
  KSRC=DIR           use a copy of your own 6.12 tree, not Debian's package
  PATCH=NNNN-topic   the patch that "make refresh" writes to
  FORCE=1            let "make tree" drop, "make refresh" prefer, edits made in
                     build/src/exp
  SMP= MEM= TIMEOUT= CMD= APPEND=   the guest's CPUs, memory, time limit in
                     seconds, command, and additions to its command line
  T=NAME             run only this test    SCENARIO=NAME  only this scenario
  ARCH=NAME          x86_64 (default), i386 or arm64, whose output is in build/NAME
  CC=, JOBS=         compiler, parallel jobs
EOF
