#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests of make deb: its packages install on Debian, start by Debian's own boot loader
# and go again.  Usage: run.sh DIR, with the packages in it
#
# Debian is put on a disk by a guest, so nothing of it needs root here, but what unpacks
# its packages (mmdebstrap does without, where user namespaces are allowed).  Prints one
# line per test in TAP; fails if any test does.

set -euo pipefail
# shellcheck source=harness/tap.sh
. "$(dirname "$0")/../../harness/tap.sh"

debs=$(realpath "${1:?usage: run.sh DIR}")
here=$(realpath "$(dirname "$0")")
top=$(realpath "$here/../..")
work=$debs/test
disk=$work/disk
image=$(find "$debs" -path '*/arch/x86/boot/bzImage' | head -n 1)
mkdir -p "$work"

# guest STEP: run a step of steps.sh in a guest that has the disk.  The kernels of the
# packages have file locks, which apt needs, and those of the other checks have not.
guest()
{
	OUT=$work/$1 KERNEL=$image SMP=1 MEM=1G DISK=$disk \
		CMD="$here/steps.sh $* " "$top/harness/guest/boot.sh" \
		>"$work/$1.out" 2>"$work/$1.log" || true
	sed -n 's/^result: //p' "$work/$1.out"
}

# What the kernel on the disk says of itself, see the program in steps.sh.
start()
{
	timeout 1800 qemu-system-x86_64 -nodefaults -display none -no-reboot -m 512 \
		-accel tcg -drive "file=$disk,if=virtio,format=raw" \
		-serial "file:$work/console" || true
	tr -d '\r' <"$work/console" | sed -n 's/^started: //p'
}

release()
{
	basename "$1" | sed 's/^linux-image-\(.*\)_.*_amd64\.deb$/\1/'
}

root=$work/root.tar
[ "$root" -nt "$here/run.sh" ] ||
	mmdebstrap --variant=minbase --include=grub-pc,kmod \
		"$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" \
		>"$work/root.log" 2>&1 ||
	echo "# mmdebstrap failed, see $work/root.log"
result 'there is a kernel to install with' yes "$([ -s "$image" ] && echo yes)"
result 'Debian can be had' yes "$([ -s "$root" ] && echo yes)"
truncate -s 2G "$disk"
result 'Debian is on a disk' installed "$(guest debian "$root")"
for deb in "$debs"/linux-image-*.deb; do
	version=$(release "$deb")
	result "$version: apt installs it" installed "$(guest add "$deb")"
	result "$version: it starts" "$version" "$(start)"
	result "$version: apt removes it" removed "$(guest remove "$version")"
done
rm -f "$disk"

tap_end
