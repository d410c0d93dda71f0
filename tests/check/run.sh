#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests of what counts and judges: check.py, ktests-report.py, configcheck.sh,
# setup.sh and the first words of a build.  One function a case, TAP on stdout; T=NAME runs one.

set -uo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=harness/tap.sh
. "$top/harness/tap.sh"
unset MAKEFLAGS MAKELEVEL MFLAGS V ARCH KERNEL

# sums OUTPUT LINE...: a part with this output, and exit status 1 if its first
# word is "failing", gives these lines; the last is the sum.
sums()
{
	local status=0 out line text=$1
	shift

	[ "${text%% *}" != failing ] || status=1
	mkdir -p "$dir/project/harness/check"
	cp "$top/harness/check/check.py" "$dir/project/harness/check/"
	echo '^part: rare # no hardware$' >"$dir/project/harness/check/allowed-skips"
	printf '%b' "${text#failing }" >"$dir/project/output"
	printf 'check-part:\n\t@cat output; exit %d\n' $status \
		>"$dir/project/Makefile"
	out=$(O=$dir/build "$dir/project/harness/check/check.py" part 2>&1)
	for line; do
		grep -qxF -- "$line" <<<"$out" || {
			printf 'expected: %s\ngot: %s\n' "$line" "$out"
			return 1
		}
	done
	[ "$(tail -n 1 <<<"$out")" = "$line" ]
}

results_are_counted_and_numbered()
{
	sums 'failing ok 1 - a\nnoise\nnot ok - b\nok - c # SKIP no hardware\n' \
		'ok 1 - part: a' 'not ok 2 - part: b' '1 passed, 2 failed, 0 skipped'
}

allowed_skip_is_counted_as_such()
{
	sums 'ok - rare # SKIP no hardware\nok - b\n' \
		'ok 1 - part: rare # SKIP no hardware' \
		'1 passed, 0 failed, 1 skipped'
}

skip_nobody_allowed_is_a_failure()
{
	sums 'ok - b # SKIP no hardware\n' \
		'not ok 1 - part: b (unexpected skip: no hardware)' \
		'0 passed, 1 failed, 0 skipped'
}

part_without_results_is_a_failure()
{
	sums 'all fine\n' 'not ok 1 - part: no results' \
		'0 passed, 1 failed, 0 skipped'
}

error_without_failed_result_is_a_failure()
{
	sums 'failing ok - a\n' '1 passed, 1 failed, 0 skipped'
}

broken_plan_is_a_failure()
{
	sums '1..3\nok - a\nok - b\n' \
		'not ok 3 - part: 2 results, 3 planned' \
		'2 passed, 1 failed, 0 skipped'
}

each_guest_has_its_plan()
{
	sums 'ok - a\n1..1\nok - b\n1..1\n' '2 passed, 0 failed, 0 skipped'
	sums 'ok - a\n1..1\nok - b\n1..2\n' \
		'not ok 3 - part: 2 results, 3 planned' \
		'2 passed, 1 failed, 0 skipped'
}

# Each waits for a file that the other makes.
parts_run_beside_each_other()
{
	local out

	mkdir -p "$dir/project/harness/check"
	cp "$top/harness/check/check.py" "$dir/project/harness/check/"
	: >"$dir/project/harness/check/allowed-skips"
	cat >"$dir/project/Makefile" <<-'END'
		.RECIPEPREFIX = >
		check-%:
		>@touch $*; for i in $$(seq $${TRIES:-6000}); do \
		> [ -e a ] && [ -e b ] && echo "ok - $*" && exit; sleep 0.1; \
		> done; echo "not ok - $*"; exit 1
	END
	out=$(O=$dir/build "$dir/project/harness/check/check.py" a b 2>&1)
	[ "$(tail -n 1 <<<"$out")" = '2 passed, 0 failed, 0 skipped' ] ||
		{ echo "$out"; return 1; }
	rm "$dir/project/"[ab]
	! O=$dir/build LANES=1 TRIES=10 "$dir/project/harness/check/check.py" a b >"$dir/out" 2>&1 &&
		grep -qx '1 passed, 1 failed, 0 skipped' "$dir/out"
}

failure_sets_the_exit_status()
{
	sums 'not ok - a\n' '0 passed, 1 failed, 0 skipped' &&
		! O=$dir/build "$dir/project/harness/check/check.py" part >"$dir/out" &&
		sums 'ok - a\n' '1 passed, 0 failed, 0 skipped' &&
		O=$dir/build "$dir/project/harness/check/check.py" part >"$dir/out"
}

# config ASKED ACTUAL: run configcheck.sh on these lines
config()
{
	printf '%b' "$1" >"$dir/asked"
	printf '%b' "$2" >"$dir/actual"
	"$top/harness/kernel/configcheck.sh" "$dir/asked" "$dir/actual"
}

configuration_as_asked_is_accepted()
{
	config 'CONFIG_A=y\nCONFIG_B=n\n# CONFIG_C is not set\nCONFIG_D="x y"\n' \
		'CONFIG_A=y\nCONFIG_D="x y"\n# CONFIG_C is not set\nCONFIG_E=y\n'
}

symbol_switched_off_by_a_dependency_is_named()
{
	[ "$(config 'CONFIG_A=y\n' '# CONFIG_A is not set\nCONFIG_B=y\n')" = \
		'config: CONFIG_A=y asked, n built' ]
}

symbol_that_must_be_off_is_named()
{
	[ "$(config 'CONFIG_A=n\n' 'CONFIG_A=y\n')" = \
		'config: CONFIG_A=n asked, y built' ]
}

later_fragment_wins()
{
	config 'CONFIG_A=n\nCONFIG_A=y\n' 'CONFIG_A=y\n' &&
		! config 'CONFIG_A=y\nCONFIG_A=n\n' 'CONFIG_A=y\n'
}

# refused TEXT COMMAND...: fails with this one line of error
refused()
{
	local text=$1 out
	shift

	if out=$("$@" 2>&1); then
		echo "succeeded: $*"
		return 1
	fi
	[ "$(grep -c '^error: ' <<<"$out")" = 1 ] &&
		grep '^error: ' <<<"$out" | grep -qF "$text" && return
	printf 'expected: %s\ngot: %s\n' "$text" "$out"
	return 1
}

other_architecture_is_refused()
{
	refused 'ARCH=m68k is not one of: x86_64 i386 arm64' \
		make -C "$top" tree ARCH=m68k O="$dir/build"
}

unknown_kernel_is_refused()
{
	refused 'KERNEL=bogus is not one of' \
		make -C "$top" kernel KERNEL=bogus O="$dir/build"
}

# A project that needs a package which does not exist.
wanting()
{
	mkdir -p "$dir/want/harness/setup"
	cp "$top/harness/lib.sh" "$dir/want/harness/"
	cp "$top/harness/setup/setup.sh" "$dir/want/harness/setup/"
	echo no-such-package >"$dir/want/harness/setup/packages.list"
	chmod -R a+rX "$dir"
}

# fake NAME COMMAND: a program of this name in $dir/bin
fake()
{
	mkdir -p "$dir/bin"
	printf '#!/bin/sh\n%s\n' "$2" >"$dir/bin/$1"
	chmod +x "$dir/bin/$1"
}

missing_package_without_root_is_named()
{
	wanting
	fake id 'echo 1000'
	fake sudo 'exit 1'
	PATH=$dir/bin:$PATH O=$dir/build refused \
		'run as root: apt-get install no-such-package' \
		"$dir/want/harness/setup/setup.sh"
}

package_that_cannot_be_had_is_named()
{
	wanting
	fake id 'echo 0'
	fake apt-get 'echo "E: Failed to fetch http://x resolving" >&2; exit 100'
	PATH=$dir/bin:$PATH O=$dir/build refused \
		'cannot install no-such-package: E: Failed to fetch' \
		"$dir/want/harness/setup/setup.sh"
}

full_disk_is_named()
{
	fake df 'echo Avail; echo 7M'
	mkdir -p "$dir/build/src/pristine"
	PATH=$dir/bin:$PATH O=$dir/build refused 'has 7 MB free' \
		"$top/harness/kernel/kernel.sh" stock
}

# ktest RUN KERNEL RESULT...: the suite mremap_test of a run of "make ktests";
# RUN is "." or again-N, a result "ok" or "not ok" for each test, then the exit.
ktest()
{
	local where=$dir/ktests/$1/$2 number=0
	shift 2

	mkdir -p "$where"
	for result in "${@:1:$#-1}"; do
		number=$((number + 1))
		echo "$result $number case $number" >>"$where/mremap_test.log"
	done
	echo "mremap_test ${!#} 1" >"$where/results"
}

# reports LINE...: the report has these lines, and agrees with --again
reports()
{
	local out again

	out=$(T=mremap_test "$top/harness/ktests/ktests-report.py" "$dir/ktests" \
		"$dir/ktests.tsv" stock exp)
	again=$(T=mremap_test "$top/harness/ktests/ktests-report.py" --again \
		"$dir/ktests" stock exp)
	rm -rf "$dir/ktests"
	for line; do
		grep -qxF -- "$line" <<<"$out" || {
			printf 'expected: %s\ngot: %s\n' "$line" "$out"
			return 1
		}
	done
	case $out in
	"not ok"*) [ "$again" = mremap_test ] ;;
	*) [ -z "$again" ] ;;
	esac
}

test_that_does_worse_than_on_stock_fails()
{
	ktest . stock ok ok 0
	ktest . exp ok 'not ok' 1
	reports 'not ok - mremap_test: 2 tests do worse than on stock' \
		'#   case 2: pass -> fail' '#   exit: pass -> fail(1)'
}

test_that_does_better_than_on_stock_is_reported()
{
	ktest . stock 'not ok' ok 1
	ktest . exp ok ok 0
	reports 'ok - mremap_test: 2 pass, exit pass' \
		'#   better: case 1: fail -> pass'
}

test_that_is_missing_fails()
{
	ktest . stock ok ok 0
	ktest . exp ok 0
	reports 'not ok - mremap_test: 1 tests do worse than on stock'
}

test_that_does_worse_once_is_reported()
{
	ktest . stock ok 0
	ktest . exp 'not ok' 1
	ktest again-1 stock ok 0
	ktest again-1 exp ok 0
	reports 'ok - mremap_test: 1 pass, exit pass' \
		'#   not each time: case 1: pass -> fail (run 1)'
}

test_that_does_worse_each_time_fails()
{
	ktest . stock ok ok 0
	ktest . exp 'not ok' 'not ok' 1
	ktest again-1 stock ok ok 0
	ktest again-1 exp 'not ok' ok 0
	reports \
		'not ok - mremap_test: 1 tests do worse than on stock, run 2 times' \
		'#   case 1: pass -> fail'
}

suite_without_results_fails()
{
	ktest . stock ok 0
	reports 'not ok - mremap_test: no results'
}

suite_that_takes_too_long_fails_even_beside_stock()
{
	ktest . stock ok 124
	ktest . exp ok 124
	reports '#   exit: timeout -> timeout'
}

clean() { rm -rf "${dir:?}/bin"; }

tap_cases clean
tap_end
