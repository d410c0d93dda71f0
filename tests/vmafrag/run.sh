#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests of vmafrag.  Usage: run.sh VMAFRAG
#
# Prints one line per test in TAP; fails if any test does.

set -euo pipefail
# shellcheck source=harness/tap.sh
. "$(dirname "$0")/../../harness/tap.sh"

vmafrag=${1:?usage: run.sh VMAFRAG}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Lines "RANGE PERMS FLAGS[;PKEY] [NAME]" on stdin become an smaps file. The
# name of a file begins with a slash; flags are joined by commas.
make_smaps()
{
	local range perms flags name pkey object

	while read -r range perms flags name; do
		pkey=${flags#"${flags%%;*}"} flags=${flags%%;*}
		object='00:00 0'
		[ "${name#/}" = "$name" ] || object='fe:00 4711'
		printf '%s %s 00000000 %s %20s%s\n' "$range" "$perms" \
			"$object" '' "$name"
		printf 'Size: 4 kB\nAnonHugePages: 0 kB\n'
		[ -z "$pkey" ] || printf 'ProtectionKey: %9s\n' "${pkey#;}"
		printf 'VmFlags: %s \n' "${flags//,/ }"
	done
}

# counts DESCRIPTION EXPECTED: smaps lines on stdin; expects the columns from
# vmas on: vmas anonymous missed permissions flags pkey name policy other gap
counts()
{
	make_smaps >"$dir/smaps"
	result "$1" "$2" "$("$vmafrag" -t -f "$dir/smaps" | tail -n 1 |
		cut -f 3- | tr '\t' ' ')"
}

counts 'equal neighbours are a missed merge' '3 3 2 0 0 0 0 0 0 1' <<-END
	1000-2000 rw-p rd,wr,mr,mw,me,ac
	2000-3000 rw-p rd,wr,mr,mw,me,ac
	3000-4000 rw-p rd,wr,mr,mw,me,ac
END
counts 'a gap keeps VMAs apart' '2 2 0 0 0 0 0 0 0 2' <<-END
	1000-2000 rw-p rd,wr,mr,mw,me,ac
	3000-4000 rw-p rd,wr,mr,mw,me,ac
END
counts 'alternating permissions are not missed merges' '4 4 0 3 0 0 0 0 0 1' <<-END
	1000-2000 rw-p rd,wr,mr,mw,me,ac
	2000-3000 ---p mr,mw,me,ac
	3000-4000 rw-p rd,wr,mr,mw,me,ac
	4000-5000 ---p mr,mw,me,ac
END
counts 'softdirty is ignored' '3 3 2 0 0 0 0 0 0 1' <<-END
	1000-2000 rw-p rd,wr,mr,mw,me,ac,sd
	2000-3000 rw-p rd,wr,mr,mw,me,ac
	3000-4000 rw-p rd,wr,mr,mw,me,sd,ac
END
counts 'other flags are not' '3 3 0 0 2 0 0 0 0 1' <<-END
	1000-2000 rw-p rd,wr,mr,mw,me,ac
	2000-3000 rw-p rd,wr,mr,mw,me,ac,hg
	3000-4000 rw-p rd,wr,mr,mw,me,lo,ac
END
counts 'names given by prctl count' '4 4 1 0 0 0 2 0 0 1' <<-END
	1000-2000 rw-p rd,wr,mr,mw,me,ac
	2000-3000 rw-p rd,wr,mr,mw,me,ac [anon:a b]
	3000-4000 rw-p rd,wr,mr,mw,me,ac [anon:a b]
	4000-5000 rw-p rd,wr,mr,mw,me,ac [anon:c]
END
counts 'heap and stack are only where a VMA is' '4 4 2 0 1 0 0 0 0 1' <<-END
	1000-2000 rw-p rd,wr,mr,mw,me,ac [heap]
	2000-3000 rw-p rd,wr,mr,mw,me,ac
	3000-4000 rw-p rd,wr,mr,mw,me,gd,ac
	4000-5000 rw-p rd,wr,mr,mw,me,gd,ac [stack]
END
counts 'protection keys count' '2 2 0 0 0 1 0 0 0 1' <<-END
	1000-2000 rw-p rd,wr,mr,mw,me,ac;0
	2000-3000 rw-p rd,wr,mr,mw,me,ac;1
END
counts 'files and special mappings are not anonymous' '9 1 0 0 0 0 0 0 1 0' <<-END
	1000-2000 rw-p rd,wr,mr,mw,me,ac /lib/a (deleted)
	2000-3000 rw-p rd,wr,mr,mw,me,ac /lib/a (deleted)
	3000-4000 rw-p rd,wr,mr,mw,me,ac
	4000-5000 r--p rd,mr,pf,io,de,dd [vvar]
	5000-6000 r--p rd,mr,pf,io,de,dd [vvar]
	6000-7000 r-xp rd,ex,mr,mw,me,de [vdso]
	7000-8000 r-xp rd,ex,mr,me,io,dc [uprobes]
	8000-9000 --xp ex [vsyscall]
	9000-a000 --xp ex [vsyscall]
END
counts 'memory that the kernel never merges' '2 0 0 0 0 0 0 0 0 0' <<-END
	1000-2000 rw-p rd,wr,mr,mw,me,mm,de
	2000-3000 rw-p rd,wr,mr,mw,me,mm,de
END
counts 'shared memory does not count' '2 0 0 0 0 0 0 0 0 0' <<-END
	1000-2000 rw-s rd,wr,sh,mr,mw,me,ms /dev/zero (deleted)
	2000-3000 rw-s rd,wr,sh,mr,mw,me,ms /dev/zero (deleted)
END

make_smaps >"$dir/smaps" <<-END
	1000-2000 rw-p rd,wr,mr,mw,me,ac
	2000-3000 rw-p rd,wr,mr,mw,me,ac
	3000-4000 rw-p rd,wr,mr,mw,me,ac
END
cat >"$dir/numa_maps" <<-END
	00001000 default anon=1 dirty=1 N0=1 kernelpagesize_kB=4
	00002000 bind:0 anon=1 dirty=1 N0=1 kernelpagesize_kB=4
	00003000 bind:0
END
result 'memory policies count' '3 3 1 0 0 0 0 1 0 1' \
	"$("$vmafrag" -t -f "$dir/smaps" -n "$dir/numa_maps" | tail -n 1 |
	cut -f 3- | tr '\t' ' ')"
result 'missed merges are listed' \
	'  2000-3000 | 3000-4000 rw-p rd wr mr mw me ac' \
	"$("$vmafrag" -l -f "$dir/smaps" -n "$dir/numa_maps" | tail -n 1)"

make_smaps >"$dir/why" <<-END
	1000-2000 rw-p rd,wr,mr,mw,me,ac
	2000-3000 r--p rd,mr,mw,me,ac
	3000-4000 r--p rd,mr,mw,me
	4000-5000 r--p rd,mr,mw,me,mg,lo
	5000-6000 r--p rd,mr,mw,me,mg,lo [anon:a]
	6000-7000 r--p rd,mr,mw,me,mg,lo [anon:a]
END
result 'what differs is listed' \
	'permissions: rw-p | r--p;flags: ac | -;flags: - | mg lo;name: - | [anon:a];missed: nothing differs;' \
	"$("$vmafrag" --why -f "$dir/why" | sed -n 's/^  [^ ]* | [^ ]* //p' | tr '\n' ';')"
result 'all processes, one a line, sorted' 'yes' \
	"$("$vmafrag" -a 2>/dev/null | awk 'NR > 2 && $5 > last { bad = 1 }
	NR > 1 { last = $5; nr++ } END { print (!bad && nr > 1) ? "yes" : "no" }')"
result 'help explains each column' '' "$("$vmafrag" -t -f "$dir/why" |
	head -n 1 | tr '\t' '\n' | while read -r column; do
		"$vmafrag" --help | grep -q "\b$column\b" || echo "$column"
	done)"

# fails DESCRIPTION STATUS MESSAGE ARGUMENT...
fails()
{
	local what=$1 status=$2 message=$3 got rc=0

	shift 3
	got=$("$vmafrag" "$@" 2>&1 >/dev/null | head -n 1) || rc=$?
	result "$what" "$status: $message" "$rc: $got"
}

# Numbers of processes are smaller.
gone=$(</proc/sys/kernel/pid_max)
cut -d ' ' -f 1 "$dir/smaps" >"$dir/broken"
cat /proc/self/maps >"$dir/maps"

fails 'a process that is gone' 1 \
	"vmafrag: process $gone: no such process" "$gone"
fails 'a wrong process id' 1 'vmafrag: 12a: not a process id' 12a
fails 'a file that is missing' 1 \
	"vmafrag: $dir/none: No such file or directory" -f "$dir/none"
fails 'a broken file' 1 "vmafrag: $dir/broken: not smaps" -f "$dir/broken"
fails 'maps instead of smaps' 1 "vmafrag: $dir/maps: not smaps" -f "$dir/maps"
fails 'no process given' 2 'Usage: vmafrag [-l | -w | -t] PID...'
fails 'no command given' 2 'Usage: vmafrag [-l | -w | -t] PID...' -e
if [ "$(id -u)" = 0 ]; then
	sleep 10000 &
	reader=("$(command -v setpriv)" --reuid 65534 --clear-groups)
	got=$("${reader[@]}" "$vmafrag" "$!" 2>&1) && rc=0 || rc=$?
	result 'a process that may not be read' \
		"1: vmafrag: process $!: Permission denied" "$rc: $got"
	kill "$!"
else
	skip 'a process that may not be read' 'needs root'
fi

# Text and TSV agree on a real process, and begins add up to anonymous.
"$vmafrag" -t $$ | awk -F '\t' -v OFS=' ' 'NR == 2 {
	sum = 0
	for (i = 5; i <= NF; i++)
		sum += $i
	print NF, ($3 > 0), (sum == $4)
}' >"$dir/sum"
result 'a real process' '12 1 1' "$(cat "$dir/sum")"
result 'all processes include this one' "$$" \
	"$("$vmafrag" -t -a 2>/dev/null | cut -f 1 | grep -x $$)"

# A command and its children, as they end: one is stopped for a while, one killed.
cat >"$dir/command" <<-'END'
	sleep 0.1 &
	(kill -TERM $BASHPID)
	wait
	bash -c 'kill -STOP $$' &
	while [ -e /proc/$! ]; do
		while read -r field state _; do
			[ "$field" != State: ] || break
		done 2>/dev/null </proc/$!/status
		case $state in
		[Tt]) kill -CONT $! ;;
		Z) break ;;
		esac
	done
	wait
	exit 5
END
rc=0
"$vmafrag" -t -o "$dir/ends" -e bash "$dir/command" 2>"$dir/log" || rc=$?
result 'the status of a command' 5 "$rc"
result 'each process of a command as it ends' 'bash bash bash sleep' \
	"$(tail -n +2 "$dir/ends" | cut -f 2 | sort | xargs)"
result 'a process that ends still has its memory' 0 \
	"$(tail -n +2 "$dir/ends" | awk '$3 < 10' | wc -l)"
rc=0
echo 'kill -KILL $$' >"$dir/command"
"$vmafrag" -o "$dir/ends" -e bash "$dir/command" || rc=$?
result 'a command that is killed' 137 "$rc"
fails 'a command that is missing' 127 "vmafrag: $dir/none: No such file or directory" \
	-e "$dir/none"
fails 'output that cannot be written' 1 'vmafrag: output: No space left on device' \
	-o /dev/full $$

tap_end
