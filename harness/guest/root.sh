#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# root.sh: $O/root, the files of a guest whose architecture is not the host's: Debian's
# packages of packages-root.list, as they are, and what they need.  Programs are
# compiled against them.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

LIST=$TOP/harness/setup/packages-root.list
ROOT=$O/root

# The mirror of this machine.  Nothing is run, so a package is not set up; the
# alternatives that scripts need are made here.
extract()
{
	local packages codename mirror

	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	# shellcheck disable=SC2016 # apt's own way to name a field
	mirror=$(apt-get indextargets --format '$(REPO_URI)' \
		"Codename: $codename" 'Created-By: Packages' | head -n 1)
	[ -n "$mirror" ] || die "apt has no list of $codename; run: apt-get update"
	packages=$(grep -v -e '^#' -e '^$' "$LIST" | paste -sd,)
	rm -rf "$ROOT" "$ROOT.new"
	# apt runs "cat >&FD" in dash, which knows FD of one digit only.
	(
		for fd in {3..63}; do
			exec {fd}>&-
		done
		exec mmdebstrap --arch="$ARCH" --variant=extract \
			--include="$packages" "$codename" "$ROOT.new" "$mirror"
	)
	ln -sf mawk "$ROOT.new/usr/bin/awk"
	mv "$ROOT.new" "$ROOT"
	touch "$ROOT.list"
}

[ -n "$CROSS" ] || exit 0
[ "$ROOT.list" -nt "$LIST" ] && exit 0
lock root
RERUN="make setup ARCH=$ARCH" phase root extract
