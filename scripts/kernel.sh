#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernel.sh VARIANT: configure and build one kernel in $O/kernel/VARIANT, then
# check that the image carries the configuration that was asked for.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

variant=${1:-}
case $variant in
stock)       src=pristine fragments=(base) ;;
exp)         src=exp      fragments=(base exp) ;;
stock-debug) src=pristine fragments=(base debug) ;;
debug)       src=exp      fragments=(base exp debug exp-debug) ;;
*) die "KERNEL=$variant is not one of: stock exp debug stock-debug" ;;
esac
src=$O/src/$src
dir=$O/kernel/$variant

# All that is asked for.  Our own symbols (exp.config, exp-debug.config) need
# files of their own only once there are such symbols.
ask()
{
	local f

	for f in "${fragments[@]}"; do
		f=$TOP/configs/$f.config
		[ ! -e "$f" ] || cat "$f"
	done
	echo "CONFIG_LOCALVERSION=\"-anon-$variant\""
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
	"$TOP/scripts/configcheck.sh" "$dir/asked.config" "$dir/.config"
}

build()
{
	configure
	kmake "$src" "$dir" -j"$JOBS" bzImage
	"$src/scripts/extract-ikconfig" "$dir/vmlinux" >"$dir/built.config"
	"$TOP/scripts/configcheck.sh" "$dir/asked.config" "$dir/built.config"
}

require_arch
[ -d "$src" ] || die "no source in $(show_path "$src"); run: make tree"
require_space "$dir" 2000
lock "kernel-$variant"
RERUN="make kernel KERNEL=$variant" phase "kernel-$variant" build
