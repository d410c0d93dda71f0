#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests of scripts/gdb/linux/anon_space.py and tools/mm/anon_space.py: what gdb and drgn
# print of a guest and of its core is what the kernel says of itself in /proc.
# Usage: run.sh KERNEL_DIR BIN
#
# Prints one line per test in TAP; fails if any test does.

set -euo pipefail
# shellcheck source=harness/tap.sh
. "$(dirname "$0")/../../harness/tap.sh"

kernel=${1:?usage: run.sh KERNEL_DIR BIN}
bin=${2:?usage: run.sh KERNEL_DIR BIN}
top=$(realpath "$(dirname "$0")/../..")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# What the guest does: it shows both processes, and lives until "end" is there.
cat >"$dir/guest" <<-END
	mkfifo /run/family
	$bin/family </run/family >/run/pids &
	exec 3>/run/family
	until [ -s /run/pids ]; do sleep 0.1; done
	read -r parent child frame </run/pids
	cat /proc/\$parent/anon_space >"\$OUT/parent"
	cat /proc/\$child/anon_space >"\$OUT/child"
	echo "\$parent \$child \$frame" >"\$OUT/ready"
	until [ -e "\$OUT/end" ]; do sleep 0.5; done
	exec 3>&-
	wait
END

OUT=$dir/out KERNEL=$kernel/arch/x86/boot/bzImage GDB=$dir/gdb MONITOR=$dir/monitor \
	MEM=256M SMP=1 CMD="bash $dir/guest" \
	"$top/harness/guest/boot.sh" >"$dir/log" 2>&1 &
guest=$!
until [ -s "$dir/out/ready" ] || ! kill -0 $guest 2>/dev/null; do
	sleep 0.2
done
if ! [ -s "$dir/out/ready" ]; then
	result 'the guest is ready' '' "$(tail -n 5 "$dir/log")"
	tap_end
	exit
fi
read -r parent child frame <"$dir/out/ready"

# The ID of a file is hashed in /proc.
no_ids()
{
	sed 's/^file [0-9a-f]* /file ID /'
}

in_gdb()
{
	gdb -nx -batch -iex "add-auto-load-safe-path $kernel" \
		-ex "target remote $dir/gdb" -ex "$1" "$kernel/vmlinux" 2>&1 |
		grep "^\(vmas\|extent\|file\|address\)" || true
}

# Addresses of a folio, with process and program.
where()
{
	sed -n 's/^address \([0-9a-f]*\) mm [0-9a-f]* /\1 /p'
}

result 'gdb: the parent' "$(no_ids <"$dir/out/parent")" \
	"$(in_gdb "lx-anon-space $parent" | no_ids)"
result 'gdb: the child' "$(no_ids <"$dir/out/child")" \
	"$(in_gdb "lx-anon-space $child" | no_ids)"
result 'an extent is seen' 1 "$(grep -c '^extent ' "$dir/out/parent")"
# Where struct page begins on x86_64, without randomization.
pages='(struct page *)0xffffea0000000000'
expected="100000040000 $parent family
100000000000 $child family"
result 'gdb: where a shared page is mapped' "$expected" \
	"$(in_gdb "lx-anon-folio $pages + $frame" | where)"

if command -v drgn >/dev/null; then
	echo "dump-guest-memory $dir/core" |
		timeout 600 socat - "UNIX-CONNECT:$dir/monitor" >/dev/null
	drgn=(drgn -q -c "$dir/core" -s "$kernel/vmlinux" "$top/tools/mm/anon_space.py")
	result 'drgn: the parent' "$(no_ids <"$dir/out/parent")" \
		"$("${drgn[@]}" "$parent" 2>&1 | no_ids)"
	result 'drgn: the child' "$(no_ids <"$dir/out/child")" \
		"$("${drgn[@]}" "$child" 2>&1 | no_ids)"
else
	skip drgn 'none here that knows 6.12'
fi

touch "$dir/out/end"
rc=0
wait $guest || rc=$?
result 'the guest goes on and ends' 0 $rc

tap_end
