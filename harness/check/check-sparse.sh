#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# sparse on every C file that we patch or add: no warning, line numbers apart,
# that neither the pristine files give nor sparse-allow lists.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# run_sparse SOURCE VARIANT OBJECT...: warnings as "file: text", each once
run_sparse()
{
	local src=$O/src/$1 dir=$O/kernel/$2 variant=$2 out
	shift 2

	out=$(lock "kernel-$variant"
		kmake "$src" "$dir" -s -k C=2 CF="-Wno-unknown-attribute" \
			"$@" 2>&1) || { printf '%s\n' "$out" >&2; return 1; }
	printf '%s\n' "$out" |
		sed -n 's|^\(\.\./\)*||; s|^/.*/src/[a-z]*/||; s|^\([^: ]*\):[0-9]*:[0-9]*: \(.*\)$|\1: \2|p' |
		sort -u
}

objects=()
while read -r f; do
	case $f in
	tools/*|*/tools/*|Documentation/*) ;;
	*.c) objects+=("${f%.c}.o") ;;
	esac
done < <("$TOP/harness/tree/tree.py" list-patched; "$TOP/harness/tree/tree.py" list-ours)

if [ ${#objects[@]} -eq 0 ]; then
	echo "ok - sparse: no C file is patched or added"
	exit 0
fi

old=() new_files=()
for o in "${objects[@]}"; do
	if [ -e "$O/src/pristine/${o%.o}.c" ]; then
		old+=("$o")
	else
		new_files+=("$o")
	fi
done

failed=0
before=
[ ${#old[@]} -eq 0 ] || before=$(run_sparse pristine stock "${old[@]}")
# Some of our own files are part of the debug kernel only.
after=$({ [ ${#old[@]} -eq 0 ] || run_sparse exp exp "${old[@]}"
	[ ${#new_files[@]} -eq 0 ] || run_sparse exp debug "${new_files[@]}"
} | sort -u)
allowed=$(grep -v '^#' "$TOP/harness/check/sparse-allow" | grep .)
new=$(comm -13 <(printf '%s\n' "$before") <(printf '%s\n' "$after") |
	grep -vE "$allowed" || true)
for o in "${objects[@]}"; do
	f=${o%.o}.c
	if out=$(grep -F "$f: " <<<"$new"); then
		echo "not ok - $f"
		printf '%s\n' "$out" | sed 's/^/#   /'
		failed=1
	else
		echo "ok - $f"
	fi
done
if out=$(grep '\.h: ' <<<"$new"); then
	echo "not ok - headers"
	printf '%s\n' "$out" | sed 's/^/#   /'
	failed=1
else
	echo "ok - headers"
fi
exit $failed
