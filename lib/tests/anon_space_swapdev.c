// SPDX-License-Identifier: GPL-2.0
/*
 * A swap device for KUnit tests, which run before there is user space: a RAM disk.
 */

#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/major.h>
#include <linux/mman.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/uaccess.h>

#include "anon_space_syscall.h"
#include "anon_space_user.h"

#define SWAP_NODE	"/anon_space_swap"
#define SWAP_BYTES	(16UL << 20)

static long call_swapon(unsigned long name)
{
	return SYSCALL(swapon, ((const char __user *)name, 0),
		       name, 0, 0, 0, 0);
}

static int make_node(void)
{
	struct path path;
	struct dentry *dentry = kern_path_create(AT_FDCWD, SWAP_NODE, &path, 0);
	int err;

	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = vfs_mknod(mnt_idmap(path.mnt), d_inode(path.dentry), dentry,
			S_IFBLK | 0600, MKDEV(RAMDISK_MAJOR, 0));
	done_path_create(&path, dentry);
	return err;
}

static int write_header(void)
{
	union swap_header *header;
	struct file *file;
	loff_t pos = 0;
	ssize_t written;

	file = filp_open(SWAP_NODE, O_RDWR | O_LARGEFILE, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	header = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (!header) {
		filp_close(file, NULL);
		return -ENOMEM;
	}
	header->info.version = 1;
	header->info.last_page = SWAP_BYTES / PAGE_SIZE - 1;
	memcpy(header->magic.magic, "SWAPSPACE2", 10);
	written = kernel_write(file, header, PAGE_SIZE, &pos);
	kfree(header);
	filp_close(file, NULL);
	return written == PAGE_SIZE ? 0 : -EIO;
}

static int swap_on(void)
{
	unsigned long name;
	int err;

	name = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(name))
		return name;
	err = -EFAULT;
	if (!copy_to_user((void __user *)name, SWAP_NODE, sizeof(SWAP_NODE)))
		err = call_swapon(name);
	vm_munmap(name, PAGE_SIZE);
	return err;
}

/**
 * user_swap_on - have a swap device
 *
 * It stays until the kernel ends.
 *
 * Context: sleeps. An mm is attached.
 * Return: 0 or what went wrong with the first call.
 */
int user_swap_on(void)
{
	static bool done;
	static int err;

	if (done)
		return err;
	done = true;
	err = make_node();
	if (!err)
		err = write_header();
	if (!err)
		err = swap_on();
	return err;
}
