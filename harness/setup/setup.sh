#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# setup.sh [cross]: install the packages of packages.list that are missing, and of
# packages-cross.list or, for another ARCH than the host's, packages-ARCH.list.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

lists=("$TOP/harness/setup/packages.list")
for name in "$ARCH" "$@"; do
	list=$TOP/harness/setup/packages-$name.list
	[ ! -e "$list" ] || lists+=("$list")
done

missing()
{
	local wanted

	wanted=$(grep -hv -e '^#' -e '^$' "${lists[@]}" | sort -u)
	# shellcheck disable=SC2086 # one word per package
	comm -23 <(echo "$wanted") <(
		dpkg-query -W -f='${Package} ${db:Status-Status}\n' $wanted \
			2>/dev/null | sed -n 's/ installed$//p' | sort -u)
}

# A failed update alone is no failure: the packages may be had without.
install()
{
	export DEBIAN_FRONTEND=noninteractive

	"${SUDO[@]}" apt-get -q update
	"${SUDO[@]}" apt-get -q -y --no-install-recommends \
		-o DPkg::Lock::Timeout=300 install "$@"
}

require_arch
command -v dpkg-query >/dev/null ||
	die "no dpkg-query: only Debian 12 and 13 are supported"

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

mkdir -p "$O/log"
log=$O/log/setup.log start=$SECONDS
say "setup: installing ${packages[*]}"
install "${packages[@]}" >"$log" 2>&1 ||
	die "cannot install ${packages[*]}:" \
	    "$(grep -m 1 -E '^(E|W): ' "$log" || tail -n 1 "$log"); log $(show_path "$log")"

mapfile -t missing < <(missing)
[ ${#missing[@]} -eq 0 ] ||
	die "not installed after all: ${missing[*]}; log $(show_path "$log")"
note "setup: done in $((SECONDS - start)) s, log $(show_path "$log"); again:" \
     "make setup"
