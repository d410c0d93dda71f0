// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/PID/anon_space: the virtual anonymous file of a process.
 *
 * Lines "NAME VALUE..." in this order, to which others may be added at the end of a
 * line, or of the names:
 *
 *	vmas NUMBER		VMAs that may have anonymous pages
 *	extents NUMBER		ranges that are not mapped at their own offset
 *	files NUMBER		files whose folios may be mapped, the oldest first:
 *	file ID NUMBER OWNER [new]
 *				mms that may map its folios; whose it is: self, other
 *				or none; new folios come here
 *	extent START-END DELTA	what the offset of a page is ahead of its address, in
 *				pages
 */

#include <linux/anon_space.h>
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>

#include "../../mm/anon_space/internal.h"
#include "internal.h"

static void show_file(struct seq_file *m, struct mm_struct *mm,
		      const struct anon_membership *membership)
{
	struct anon_vma *file = membership->anon_vma;
	struct mm_struct *owner;
	unsigned int nr_members;

	anon_vma_lock_read(file);
	nr_members = file->nr_members;
	owner = file->owner;
	anon_vma_unlock_read(file);
	seq_printf(m, "file %p %u %s%s\n", file, nr_members,
		   owner == mm ? "self" : owner ? "other" : "none",
		   file == anon_space_file(mm) ? " new" : "");
}

static void show_files(struct seq_file *m, struct mm_struct *mm)
{
	struct anon_space *space = &mm->anon_space;
	struct anon_membership *membership;
	unsigned long nr = 0;

	/* A first fault may add one meanwhile; who removes one writes mmap_lock. */
	list_for_each_entry_lockless(membership, &space->memberships, in_mm)
		nr++;
	seq_printf(m, "files %lu\n", nr);
	list_for_each_entry_lockless(membership, &space->memberships, in_mm) {
		if (!nr--)
			break;
		show_file(m, mm, membership);
	}
}

static void show_head(struct seq_file *m, struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	unsigned long nr = 0;

	anon_space_lock_read(mm);
	for (vma = __anon_space_find_vma(mm, 0, ULONG_MAX); vma;
	     vma = __anon_space_next_vma(vma, ULONG_MAX))
		nr++;
	seq_printf(m, "vmas %lu\nextents %u\n", nr, mm->anon_space.map.nr);
	anon_space_unlock_read(mm);
	show_files(m, mm);
}

/**
 * struct anon_space_reader - who reads the file
 * @mm:     the mm, NULL for a kernel thread
 * @locked: is mmap_lock held, and the memory of @mm kept?
 * @extent: a copy of the extent that is shown next
 */
struct anon_space_reader {
	struct mm_struct *mm;
	bool locked;
	struct anon_extent extent;
};

/* munmap() trims extents with mmap_lock held for reading, as here. */
static void *copy_extent(struct anon_space_reader *reader, unsigned long from)
{
	struct mm_struct *mm = reader->mm;
	struct anon_extent *extent;

	anon_space_lock_read(mm);
	extent = anon_map_find(&mm->anon_space.map, from, ULONG_MAX);
	if (extent)
		reader->extent = *extent;
	anon_space_unlock_read(mm);
	return extent ? &reader->extent : NULL;
}

/* The head comes first; a position behind it is an address. */
static void *anon_space_start(struct seq_file *m, loff_t *pos)
{
	struct anon_space_reader *reader = m->private;
	struct mm_struct *mm = reader->mm;

	if (!mm || !mmget_not_zero(mm))
		return NULL;
	if (mmap_read_lock_killable(mm)) {
		mmput(mm);
		return ERR_PTR(-EINTR);
	}
	reader->locked = true;
	return *pos ? copy_extent(reader, *pos) : SEQ_START_TOKEN;
}

static void *anon_space_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct anon_space_reader *reader = m->private;

	/* Extents that end behind there come next: that of the page at address 0 as well. */
	*pos = v == SEQ_START_TOKEN ? 1 : reader->extent.end;
	return copy_extent(reader, *pos);
}

static void anon_space_stop(struct seq_file *m, void *v)
{
	struct anon_space_reader *reader = m->private;

	if (!reader->locked)
		return;
	reader->locked = false;
	mmap_read_unlock(reader->mm);
	mmput(reader->mm);
}

static int anon_space_show(struct seq_file *m, void *v)
{
	struct anon_space_reader *reader = m->private;
	struct anon_extent *extent = &reader->extent;

	if (v == SEQ_START_TOKEN)
		show_head(m, reader->mm);
	else
		seq_printf(m, "extent %08lx-%08lx %ld\n", extent->start,
			   extent->end, (long)extent->delta);
	return 0;
}

static const struct seq_operations anon_space_seq_operations = {
	.start	= anon_space_start,
	.next	= anon_space_next,
	.stop	= anon_space_stop,
	.show	= anon_space_show,
};

static int anon_space_open(struct inode *inode, struct file *file)
{
	struct anon_space_reader *reader;

	reader = __seq_open_private(file, &anon_space_seq_operations,
				    sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->mm = proc_mem_open(inode, PTRACE_MODE_READ);
	if (IS_ERR(reader->mm)) {
		int err = PTR_ERR(reader->mm);

		seq_release_private(inode, file);
		return err;
	}
	return 0;
}

static int anon_space_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;
	struct anon_space_reader *reader = m->private;

	if (reader->mm)
		mmdrop(reader->mm);
	return seq_release_private(inode, file);
}

/* Operations of /proc/PID/anon_space. */
const struct file_operations proc_pid_anon_space_operations = {
	.open		= anon_space_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= anon_space_release,
};
