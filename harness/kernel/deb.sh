#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# deb.sh KERNEL...: Debian packages of stock or exp, in $O/deb.
#
# DEB_CONFIG= says how they are configured: nothing for ours and configs/deb.config,
# "debian" for that of Debian's own kernel (hours), or a file.  On exp our own options
# are switched on as well.  Install with apt install ./FILE, remove with apt remove.
#
# Functions are called by phase:
# shellcheck disable=SC2317
set -euo pipefail
# shellcheck source=harness/lib.sh
. "$(dirname "$0")/../lib.sh"

DEB_CONFIG=${DEB_CONFIG:-}
DEBIANS=/usr/src/linux-config-6.12/config.amd64_none_amd64.xz
# Headers, symbols and the C library's headers are for others to build.
PROFILES="pkg.linux-upstream.nokernelheaders pkg.linux-upstream.nokerneldbg"

fragments()
{
	[ "$1" != exp ] || cat "$TOP/configs/exp.config"
	echo "CONFIG_LOCALVERSION=\"-anon-$1\""
}

# Whose config it is knows what it needs: ours is added at the end, and the rest is as
# the kernel's own default.
take_config()
{
	case $DEB_CONFIG in
	debian)
		xzcat "$DEBIANS"
		# Keys and symbols that only Debian's own builds have.
		echo 'CONFIG_SYSTEM_TRUSTED_KEYS=""'
		echo 'CONFIG_DEBUG_INFO_NONE=y'
		;;
	*)	cat "$DEB_CONFIG" ;;
	esac
}

configure()
{
	local kernel=$1 src=$2 dir=$3

	if [ "$DEB_CONFIG" ]; then
		{ take_config; fragments "$kernel"; } >"$dir/asked.config"
		cp "$dir/asked.config" "$dir/.config"
		kmake "$src" "$dir" olddefconfig
		fragments "$kernel" >"$dir/asked.config"
	else
		{ cat "$TOP"/configs/{base,x86_64,deb}.config
		  fragments "$kernel"; } >"$dir/asked.config"
		kmake "$src" "$dir" KCONFIG_ALLCONFIG="$dir/asked.config" \
			allnoconfig
	fi
	"$TOP/harness/kernel/configcheck.sh" "$dir/asked.config" "$dir/.config"
}

package()
{
	local kernel=$1 src=$O/src/exp dir=$O/deb/$1

	[ "$kernel" != stock ] || src=$O/src/pristine
	mkdir -p "$dir"
	configure "$kernel" "$src" "$dir"
	rm -f "$O"/deb/*-anon-"$kernel"_*
	DEB_BUILD_PROFILES=$PROFILES kmake "$src" "$dir" -j"$JOBS" bindeb-pkg \
		DPKG_FLAGS=-d
	rm -f "$O"/deb/linux-libc-dev_* "$O"/deb/linux-upstream_*
	ls "$O"/deb/linux-image-*-anon-"$kernel"_*.deb
}

require_arch
[ "$ARCH" = x86_64 ] || die "packages are made of x86_64 only"
[ "$DEB_CONFIG" = debian ] || [ -z "$DEB_CONFIG" ] || [ -r "$DEB_CONFIG" ] ||
	die "DEB_CONFIG=$DEB_CONFIG: no such file"
require_space "$O/deb" 3000
lock deb
for kernel; do
	case $kernel in stock | exp) ;; *) die "no package of $kernel" ;; esac
	RERUN="make deb" phase "deb-$kernel" package "$kernel"
	tail -n 1 "$O/log/deb-$kernel.log"
done
