#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kselftest.sh: build our selftests, tools/testing/selftests/mm/anon_space_*.c,
# and run them in a guest on each of $KERNELS (default "stock exp"; "" only
# builds).  T=NAME runs one of them.  harness/test/kselftest-report.py says what is
# expected of which kernel.
#
# Most functions are called by phase:
# shellcheck disable=SC2317

set -euo pipefail
# shellcheck source=harness/lib.sh
. "$(dirname "$0")/../lib.sh"

KERNELS=${KERNELS-stock exp}
DIR=$O/kselftest
SRC=$O/src/exp/tools/testing/selftests
T=${T:-}

test_names()
{
	local f

	for f in "$SRC"/mm/anon_space_*.c; do
		f=$(basename "$f" .c)
		case $f in
		anon_space_util | anon_space_area) ;;
		"${T:-$f}") echo "$f" ;;
		esac
	done
}

build()
{
	local name

	kmake "$O/src/exp" "$DIR/headers" headers_install \
		INSTALL_HDR_PATH="$DIR/usr"
	rm -rf "${DIR:?}/bin"
	mkdir -p "$DIR/bin"
	# Of 32 bits, kselftest_harness.h itself has such casts.
	for name in $(test_names); do
		"$CC" "${GUEST_CFLAGS[@]}" -std=gnu11 -O2 -Wall -Werror \
			-D_FILE_OFFSET_BITS=64 -Wno-pointer-to-int-cast \
			-isystem "$DIR/usr/include" -I "$SRC" -o "$DIR/bin/$name" "$SRC/mm/$name.c" \
			"$SRC"/mm/{anon_space_util,anon_space_area,vm_util}.c
	done
	[ -n "$(ls "$DIR/bin")" ] || die "no selftest called $T"
}

# A failed test is no failure here: the report judges.  What is: a guest that
# hangs, gets lost or complains.
run_guest()
{
	local kernel=$1 slow=1 events='' out=$DIR/run/$1

	case $kernel in *debug | rt) slow=4 ;; esac
	# Emulated processors do not survive that the code of others is patched.
	case $kernel in stock*) ;; *) events="trace_event=anon_space:*" ;; esac
	rm -rf "$out"
	KERNEL=$kernel OUT=$out SMP=${SMP:-2} MEM=${MEM:-2G} SWAP=512M \
		APPEND="$events${APPEND:+ $APPEND}" \
		TIMEOUT=${TIMEOUT:-$((7200 * slow))} \
		CMD="harness/test/guest-kselftest.sh $DIR/bin $((2400 * slow)) $O/bin/vmafrag" \
		"$TOP/harness/guest/boot.sh"
}

cd "$TOP"
RERUN="make kselftest${T:+ T=$T}" phase kselftest-build build
[ -n "$KERNELS" ] || exit 0
failed=0
for kernel in $KERNELS; do
	RERUN="make kselftest KERNELS=$kernel${T:+ T=$T}" \
		phase "kselftest-$kernel" run_guest "$kernel" || failed=1
done
# shellcheck disable=SC2086 # one word per kernel
harness/test/kselftest-report.py "$DIR/run" $KERNELS || failed=1
exit $failed
