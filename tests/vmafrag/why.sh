#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In a guest: what vmafrag --why says of merges that were missed.
# Usage: why.sh VMAFRAG stock|exp
#
# Prints one line per test in TAP; fails if any test does.

set -euo pipefail
# shellcheck source=harness/tap.sh
. "$(dirname "$0")/../../harness/tap.sh"

vmafrag=${1:?usage: why.sh VMAFRAG stock|exp}
kernel=${2:?usage: why.sh VMAFRAG stock|exp}
tracing=/sys/kernel/tracing
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

coproc python3 "$(dirname "$0")/missed.py"
read -r pid <&"${COPROC[0]}"

# The addresses and offsets are others each time.
reasons()
{
	sed -n 's/^  [^ ]* | [^ ]* missed: //p' | sed 's/: [0-9a-f]* | [0-9a-f]*$//'
}

expected=
[ "$kernel" != stock ] || expected='page offset
anon_vma: each has its own
anon_vma: one has none, that of the other was forked'
result "$kernel: why merges were missed" "$expected" \
	"$("$vmafrag" --why "$pid" 2>"$dir/log" | reasons)"
result "$kernel: no complaint" '' "$(cat "$dir/log")"
if [ "$kernel" = stock ]; then
	result "$kernel: as parent and child end" "$(sort <<<"$expected")" \
		"$("$vmafrag" --why -o "$dir/ends" -e python3 \
			"$(dirname "$0")/missed.py" </dev/null >/dev/null
		reasons <"$dir/ends" | sort -u)"
	result "$kernel: who may not set probes is told so" 1 \
		"$(setpriv --reuid 65534 --clear-groups bash -c "
coproc python3 '$(dirname "$0")/missed.py'
read -r pid <&\"\${COPROC[0]}\"
'$vmafrag' -w \"\$pid\" 2>&1 >/dev/null" | grep -c 'is not known: .*: Permission denied')"
fi
result "$kernel: nothing of it stays" '' \
	"$(cat $tracing/kprobe_events; ls $tracing/instances)"
input=${COPROC[1]}
exec {input}>&-
wait

tap_end
