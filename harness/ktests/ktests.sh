#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ktests.sh: run the kernel's own mm tests and compare two kernels.  Builds the
# selftests of the pristine tree, runs those listed in harness/ktests/suites in a
# guest on each of $KERNELS (default "stock exp"), and the user-space tests of
# the patched tree on the host.  What does worse than on stock is run again, on
# both kernels in turn, before it counts.  T="NAME..." runs some suites.
#
# Most functions are called by phase:
# shellcheck disable=SC2317

set -euo pipefail
# shellcheck source=harness/lib.sh
. "$(dirname "$0")/../lib.sh"

KERNELS=${KERNELS:-stock exp}
T=${T:-}
DIR=$O/ktests
MAPLE_TRIES=3
MORE_RUNS=2

# source_links SOURCE TESTING...: a tree that has copies of the TESTING
# directories, which their makefiles write to, and links for all else.
source_links()
{
	local src=$1 to=$2 dir
	shift 2

	mkdir -p "$to/tools/testing/selftests"
	ln -sfn "$src"/{arch,include,lib,mm,scripts} "$to"
	ln -sfn "$src"/tools/{arch,include,lib,scripts} "$to/tools"
	ln -sfn "$src"/tools/testing/selftests/{lib.mk,kselftest.h,kselftest_harness.h,x86} \
		"$to/tools/testing/selftests"
	for dir; do
		rsync -a "$src/tools/testing/$dir" \
			"$to/tools/testing/$(dirname "$dir")"
	done
}

# khugepaged.c lacks the header that defines KSFT_SKIP.
build_selftests()
{
	local src=$O/src/pristine

	kmake "$src" "$DIR/headers" headers_install INSTALL_HDR_PATH="$DIR/usr"
	source_links "$src" "$DIR/pristine" selftests/mm
	mkdir -p "$DIR/bin"
	make -C "$DIR/pristine/tools/testing/selftests/mm" -j"$JOBS" CC="$CC" \
		OUTPUT="$DIR/bin" top_srcdir="$DIR/pristine" \
		KHDR_INCLUDES="-isystem $DIR/usr/include" \
		EXTRA_CFLAGS=-DKSFT_SKIP=4
}

build_user_space_tests()
{
	local testing=$DIR/exp/tools/testing

	source_links "$O/src/exp" "$DIR/exp" memblock radix-tree shared
	make -C "$testing/memblock" -j"$JOBS" CC="$CC" NUMA=1 main
	make -C "$testing/radix-tree" -j"$JOBS" CC="$CC" \
		generated/map-shift.h generated/bit-length.h maple
}

# wanted NAME SUITES
wanted()
{
	[ -z "$2" ] || [[ " $2 " == *" $1 "* ]]
}

build()
{
	build_selftests
	build_user_space_tests
}

# run_guest KERNEL SUITES DIRECTORY
run_guest()
{
	local kernel=$1 suites=$2 slow=1 out=$3/$1

	case $kernel in *debug) slow=4 ;; esac
	rm -rf "$out"
	[ "$suites" != kunit ] || return 0
	KERNEL=$kernel OUT=$out SMP=3 MEM=4G SWAP=512M \
		TIMEOUT=${TIMEOUT:-$((3600 * slow))} \
		CMD="SLOW=$slow T='$suites' harness/ktests/guest-ktests.sh $TOP/harness/ktests/suites" \
		"$TOP/harness/guest/boot.sh"
}

# run_kunit KERNEL SUITES DIRECTORY: the KUnit suites of mm, on a UML kernel of
# the same source.
run_kunit()
{
	local src=$O/src/exp out=$3/$1 status=0

	wanted kunit "$2" || return 0
	case $1 in stock*) src=$O/src/pristine ;; esac
	mkdir -p "$out"
	(cd "$src" && env -u O -u V -u ARCH -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
		PYTHONDONTWRITEBYTECODE=1 timeout -k 5 1200 \
		tools/testing/kunit/kunit.py run --arch um --raw_output=kunit \
		--build_dir "$DIR/kunit-$(basename "$src")" --jobs "$JOBS" \
		--kunitconfig "$TOP/configs/kunit-mm.config") \
		>"$out/kunit.raw" 2>&1 </dev/null || status=$?
	cat "$out/kunit.raw"
	# Cases are indented, and count like suites.
	sed 's/^ *//' "$out/kunit.raw" >"$out/kunit.log"
	echo "kunit $status 0" >>"$out/results"
	return "$status"
}

# user_space_test NAME COMMAND...: one TAP result.
user_space_test()
{
	local name=$1 log=$O/log/ktests-$1.log
	shift

	wanted "$name" "$T" || return 0
	if "$@" >"$log" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		note "log $(show_path "$log")"
		return 1
	fi
}

# Its readers must be seen to meet a writer (run_check_rcu_slowread), which on a
# busy machine they may not: only a test that fails every time has failed.
maple()
{
	local try

	for ((try = 1; try <= MAPLE_TRIES; try++)); do
		(cd "$DIR/exp/tools/testing/radix-tree" && ./maple) && return
	done
	return 1
}

# run_all SUITES DIRECTORY SUFFIX: on each kernel
run_all()
{
	local kernel status=0

	for kernel in $KERNELS; do
		RERUN="make ktests KERNELS=$kernel" phase "ktests-$kernel$3" \
			run_guest "$kernel" "$1" "$2" || status=1
		RERUN="make ktests T=kunit" phase "ktests-kunit-$kernel$3" \
			run_kunit "$kernel" "$1" "$2" || status=1
	done
	return $status
}

cd "$TOP"
failed=0
runs=$DIR/run
RERUN="make ktests" phase ktests-build build
rm -rf "$runs"/again-*
run_all "$T" "$runs" "" || failed=1
for ((more = 1; more <= MORE_RUNS; more++)); do
	# shellcheck disable=SC2086 # one word per kernel
	again=$(T=$T harness/ktests/ktests-report.py --again "$runs" $KERNELS)
	[ -n "$again" ] || break
	note "again on each kernel: $again"
	run_all "$again" "$runs/again-$more" "-again-$more" || failed=1
done
# shellcheck disable=SC2086 # one word per kernel
harness/ktests/ktests-report.py "$runs" "$O/report/ktests.tsv" $KERNELS || failed=1
user_space_test memblock "$DIR/exp/tools/testing/memblock/main" || failed=1
user_space_test maple maple || failed=1
exit $failed
