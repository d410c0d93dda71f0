#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernel.sh VARIANT [prepare]: configure and build one kernel in
# $O/kernel/VARIANT, then check that the image carries the configuration that was
# asked for.  With "prepare" only as far as single objects need.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

options=()
variant=${1:-}
case $variant in
stock)       src=pristine fragments=(base "$ARCH") ;;
exp)         src=exp      fragments=(base "$ARCH" exp) ;;
stock-debug) src=pristine fragments=(base "$ARCH" debug) ;;
debug)       src=exp      fragments=(base "$ARCH" exp debug exp-debug) ;;
coverage)    src=exp      fragments=(base "$ARCH" exp exp-debug coverage) ;;
exp-gdb)     src=exp      fragments=(base "$ARCH" exp gdb) ;;
stock-lockstat) src=pristine fragments=(base "$ARCH" lockstat) ;;
exp-lockstat)   src=exp      fragments=(base "$ARCH" exp lockstat) ;;
stock-criu)  src=pristine fragments=(base "$ARCH" criu) ;;
exp-criu)    src=exp      fragments=(base "$ARCH" exp criu) ;;
rt)          src=exp      fragments=(base "$ARCH" exp debug exp-debug rt) ;;
*) die "KERNEL=$variant is not one of: stock exp debug stock-debug" ;;
esac
src=$O/src/$src
dir=$O/kernel/$variant

# A fragment.  At a patch in the middle of the series (PREFIX=1) not all of our own
# symbols are there.
fragment()
{
	local line kconfig=$src/mm/anon_space/Kconfig

	if [[ ! ${PREFIX:-} || $1 != exp* ]]; then
		cat "$TOP/configs/$1.config"
		return
	fi
	while read -r line; do
		[[ $line != CONFIG_* ]] ||
			! grep -qsx "config $(expr "$line" : 'CONFIG_\([^=]*\)')" \
				"$kconfig" || echo "$line"
	done <"$TOP/configs/$1.config"
}

# All that is asked for.  Our own symbols (exp.config, exp-debug.config) need
# files of their own only once there are such symbols.
ask()
{
	local f

	for f in "${fragments[@]}"; do
		[ ! -e "$TOP/configs/$f.config" ] || fragment "$f"
	done
	echo "CONFIG_LOCALVERSION=\"-anon-$variant\""
}

# Coverage is counted in the files that we bring or touch: make variables, so that no
# Makefile of the kernel has to know. There are objects of the same name elsewhere,
# in the boot loader for example.
profile_options()
{
	local f

	while read -r _ f; do
		case $f in
		lib/tests/* | tools/*) ;;
		*.c)
			options+=("GCOV_PROFILE_$(basename "$f" .c).o=\$(if \$(filter $(dirname "$f"),\$(obj)),y)")
			;;
		esac
	done <"$src.manifest"
}

# .config keeps its time stamp if it does not change, so nothing is rebuilt.
configure()
{
	ask >"$dir/asked.config"
	[ ! -e "$dir/.config" ] || cp -p "$dir/.config" "$dir/.config.before"
	kmake "$src" "$dir" KCONFIG_ALLCONFIG="$dir/asked.config" allnoconfig
	if cmp -s "$dir/.config" "$dir/.config.before"; then
		mv "$dir/.config.before" "$dir/.config"
	fi
	"$TOP/harness/kernel/configcheck.sh" "$dir/asked.config" "$dir/.config"
}

prepare()
{
	configure
	kmake "$src" "$dir" -j"$JOBS" prepare
}

build()
{
	configure
	[ "$variant" != coverage ] || profile_options
	# What is built with W=1 and without is built twice.  kernel-doc has been asked
	# of what we touch: here it would be of all.
	[ ! "${PREFIX:-}" ] || options+=(W=1 cmd_checkdoc=)
	kmake "$src" "$dir" "${options[@]}" -j"$JOBS" "$(basename "$IMAGE")"
	[ "$variant" != exp-gdb ] || kmake "$src" "$dir" scripts_gdb
	"$src/scripts/extract-ikconfig" "$dir/vmlinux" >"$dir/built.config"
	"$TOP/harness/kernel/configcheck.sh" "$dir/asked.config" "$dir/built.config"
}

require_arch
[ -d "$src" ] || die "no source in $(show_path "$src"); run: make tree"
require_space "$dir" 2000
lock "kernel-$variant"
if [ "${2:-}" = prepare ]; then
	RERUN="make configure-$variant" phase "configure-$variant" prepare
else
	RERUN="make kernel KERNEL=$variant" phase "kernel-$variant" build
fi
