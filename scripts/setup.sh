#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Install the packages of packages.list that are missing.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

missing()
{
	local wanted

	wanted=$(grep -v -e '^#' -e '^$' "$TOP/scripts/packages.list" | sort)
	# shellcheck disable=SC2086 # one word per package
	comm -23 <(echo "$wanted") <(
		dpkg-query -W -f='${Package} ${db:Status-Status}\n' $wanted \
			2>/dev/null | sed -n 's/ installed$//p' | sort -u)
}

install()
{
	export DEBIAN_FRONTEND=noninteractive

	"${SUDO[@]}" apt-get -q update &&
	"${SUDO[@]}" apt-get -q -y --no-install-recommends install "$@"
}

require_arch
command -v dpkg-query >/dev/null ||
	die "no dpkg-query: only Debian 12 is supported"

mapfile -t packages < <(missing)
[ ${#packages[@]} -gt 0 ] || exit 0

SUDO=()
if [ "$(id -u)" -ne 0 ]; then
	sudo -n true 2>/dev/null ||
		die "packages missing and no root to install them; run as root:" \
		    "apt-get install ${packages[*]}"
	SUDO=(sudo -n --preserve-env=DEBIAN_FRONTEND)
fi
require_space /var/cache/apt 1500

say "installing ${packages[*]}"
RERUN="make setup" phase setup install "${packages[@]}" ||
	die "cannot install packages (no network?): ${packages[*]}"

mapfile -t packages < <(missing)
[ ${#packages[@]} -eq 0 ] || die "still not installed: ${packages[*]}"
