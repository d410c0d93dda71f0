#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Steps of run.sh in a guest, on the disk /dev/vda.  Each prints "result: ..." last.
# Usage: steps.sh debian ROOT.TAR | add DEB | remove RELEASE
set -euxo pipefail

target=/run/target
export DEBIAN_FRONTEND=noninteractive

mount_disk()
{
	mkdir -p $target
	mount /dev/vda1 $target
	mount --bind /dev $target/dev
	mount -t proc proc $target/proc
	mount -t sysfs sys $target/sys
	trap unmount_disk EXIT
}

unmount_disk()
{
	umount $target/dev $target/proc $target/sys $target
}

in_debian() { chroot $target "$@" >&2; }

# The program that the kernel starts says who it is.
debian()
{
	echo '2048,,83,*' | sfdisk -q /dev/vda
	mkfs.ext4 -q -E lazy_itable_init=0 /dev/vda1
	mkdir -p $target
	mount /dev/vda1 $target
	tar xf "$1" -C $target
	umount $target
	mount_disk
	cat >$target/etc/default/grub <<-'END'
		GRUB_TIMEOUT=0
		GRUB_TERMINAL=serial
		GRUB_CMDLINE_LINUX="console=ttyS0 panic=-1 init=/sbin/say"
	END
	cat >$target/sbin/say <<-'END'
		#!/bin/sh
		mount -t proc proc /proc
		echo "started: $(uname -r)"
		echo b >/proc/sysrq-trigger
		sleep 60
	END
	chmod +x $target/sbin/say
	in_debian grub-install /dev/vda
	echo 'result: installed'
}

add()
{
	mount_disk
	cp "$1" $target/kernel.deb
	in_debian apt-get -y install /kernel.deb
	in_debian update-grub
	grep -c 'vmlinuz' $target/boot/grub/grub.cfg >&2
	echo 'result: installed'
}

remove()
{
	mount_disk
	in_debian apt-get -y remove "linux-image-$1"
	in_debian update-grub
	if grep -q "$1" $target/boot/grub/grub.cfg ||
		[ -e "$target/boot/vmlinuz-$1" ]; then
		exit 1
	fi
	echo 'result: removed'
}

"$@"
