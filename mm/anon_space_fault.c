// SPDX-License-Identifier: GPL-2.0
/*
 * Deliberate faults in the anonymous reverse map: negative controls of its
 * validator and its tests. See docs/testing.rst for what has to catch which.
 */

#define pr_fmt(fmt) "anon_space: " fmt

#include <linux/anon_space_debug.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

enum anon_space_fault anon_space_faulty;

static const char * const fault_names[] = {
#define FAULT(name, text)	[ANON_SPACE_FAULT_##name] = text,
	ANON_SPACE_FAULTS
#undef FAULT
};

static int fault_set(const char *name)
{
	int fault = match_string(fault_names, ARRAY_SIZE(fault_names), name);

	if (fault < 0)
		return fault;
	if (fault)
		pr_notice("from now on with fault: %s\n", name);
	WRITE_ONCE(anon_space_faulty, fault);
	return 0;
}

static int __init fault_setup(char *name)
{
	if (fault_set(name))
		pr_err("no such fault: %s\n", name);
	return 1;
}
__setup("anon_space_fault=", fault_setup);

static ssize_t fault_write(struct file *file, const char __user *buf,
			   size_t len, loff_t *ppos)
{
	char name[32];
	ssize_t ret;

	if (*ppos || len >= sizeof(name))
		return -EINVAL;
	ret = strncpy_from_user(name, buf, len);
	if (ret < 0)
		return ret;
	name[len] = '\0';
	ret = fault_set(strim(name));
	return ret ? ret : len;
}

static int fault_show(struct seq_file *m, void *unused)
{
	unsigned int i, active = READ_ONCE(anon_space_faulty);

	for (i = 0; i < ARRAY_SIZE(fault_names); i++)
		seq_printf(m, i == active ? "[%s]\n" : "%s\n", fault_names[i]);
	return 0;
}

static int fault_open(struct inode *inode, struct file *file)
{
	return single_open(file, fault_show, NULL);
}

const struct file_operations anon_space_fault_fops = {
	.open = fault_open,
	.read = seq_read,
	.write = fault_write,
	.llseek = seq_lseek,
	.release = single_release,
};
