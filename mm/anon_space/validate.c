// SPDX-License-Identifier: GPL-2.0
/*
 * The invariants of the anonymous reverse map, checked on live mms.
 */

/**
 * DOC: Validating the anonymous space
 *
 * Documentation/mm/anon_space/invariants.rst numbers what must hold of every mm. Here it
 * is checked:
 *
 * - after each change of VMAs, where validate_mm() is called, what concerns
 *   VMAs and the map of offsets;
 * - in full on demand, by writing a process ID, or 0 for all processes, to
 *   anon_space/validate in debugfs. Reading it tells what was looked at.
 *
 * The full check is done while the process runs, forks and exits. If it may have seen
 * a change half done, it looks again a few times, and then skips the page.
 *
 * A violation is reported by a line "anon_space: BUG: INV-n: ...", with the VMA
 * and the page. Reports are rate limited, the count is not.
 */

#define pr_fmt(fmt) "anon_space: " fmt

#include <linux/anon_space.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/ratelimit.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "../internal.h"

/* How often a page is looked at whose mappings seem to change. */
#define MAX_TRIES	10

static atomic_long_t vma_violations;

/* ---- reports ---- */

static bool report(struct anon_space_stats *stats, int inv,
		   struct mm_struct *mm, unsigned long addr, const char *what)
{
	static DEFINE_RATELIMIT_STATE(limit, 5 * HZ, 10);

	stats->violations++;
	if (!__ratelimit(&limit))
		return false;
	pr_err("BUG: INV-%d: %s (mm %p, address %lx)\n", inv, what, mm, addr);
	return true;
}

static void report_vma(struct anon_space_stats *stats, int inv,
		       struct vm_area_struct *vma, const char *what)
{
	if (report(stats, inv, vma->vm_mm, vma->vm_start, what))
		dump_vma(vma);
}

static void report_page(struct anon_space_stats *stats, int inv,
			struct vm_area_struct *vma, unsigned long addr,
			struct page *page, const char *what)
{
	if (report(stats, inv, vma->vm_mm, addr, what)) {
		dump_vma(vma);
		dump_page(page, what);
	}
}

/* ---- VMAs and extents, under the space lock ---- */

static void check_vma(struct vm_area_struct *vma,
		      struct anon_space_stats *stats)
{
	struct mm_struct *mm = vma->vm_mm;
	struct vm_area_struct *found;

	stats->vmas++;
	if (vma_is_anonymous(vma) && !vma->vm_file &&
	    vma->vm_pgoff != vma->vm_start >> PAGE_SHIFT)
		report_vma(stats, 1, vma, "page offset differs from address");

	found = __anon_space_find_vma(mm, vma->vm_start, vma->vm_end);
	if (vma->anon_vma && found != vma)
		report_vma(stats, 5, vma, "VMA with anon_vma not in the tree");
	if (vma->anon_vma && vma->anon_vma != anon_space_oldest_file(mm))
		report_vma(stats, 5, vma, "VMA has the anon_vma of another mm");
	if (!vma->anon_vma && found)
		report_vma(stats, 5, vma, "VMA without anon_vma in the tree");
}

/* munmap() leaves VMAs in the tree until their pages are gone. */
static void check_tree(struct mm_struct *mm, struct anon_space_stats *stats)
{
	struct vm_area_struct *vma, *prev = NULL;

	for (vma = __anon_space_find_vma(mm, 0, ULONG_MAX); vma;
	     vma = __anon_space_next_vma(vma, ULONG_MAX)) {
		if (vma->vm_mm != mm || !vma->anon_vma)
			report_vma(stats, 5, vma, "stray VMA in the tree");
		if (prev && prev->vm_end > vma->vm_start)
			report_vma(stats, 5, vma, "VMAs in the tree overlap");
		prev = vma;
	}
}

static void check_vmas(struct mm_struct *mm, struct anon_space_stats *stats)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;

	check_tree(mm, stats);
	for_each_vma(vmi, vma) {
		if (xa_is_zero(vma))	/* where dup_mmap() failed */
			break;
		check_vma(vma, stats);
	}
}

static bool found_by_offset(struct anon_map *map, struct anon_extent *wanted)
{
	pgoff_t first = anon_extent_offset(wanted, wanted->start);
	pgoff_t last = anon_extent_offset(wanted, wanted->end) - 1;
	struct anon_extent *extent;

	for (extent = anon_map_find_offset(map, first, last); extent;
	     extent = anon_map_next_offset(extent, first, last))
		if (extent == wanted)
			return true;
	return false;
}

static void check_map(struct mm_struct *mm, struct anon_space_stats *stats)
{
	struct anon_map *map = &mm->anon_space.map;
	struct anon_extent *extent, *prev = NULL;
	unsigned long nr = 0, end;

	for (extent = anon_map_find(map, 0, ULONG_MAX); extent;
	     extent = anon_map_next(extent, ULONG_MAX)) {
		nr++;
		if (extent->start >= extent->end || !extent->delta)
			report(stats, 7, mm, extent->start, "useless extent");
		if (prev && prev->end > extent->start)
			report(stats, 7, mm, extent->start, "extents overlap");
		if (prev && prev->end == extent->start &&
		    prev->delta == extent->delta)
			report(stats, 7, mm, extent->start, "extent was not joined");
		if (!found_by_offset(map, extent))
			report(stats, 7, mm, extent->start,
			       "extent is not found by offset");
		if (anon_map_offset(map, extent->start, &end) !=
		    anon_extent_offset(extent, extent->start) ||
		    end != extent->end)
			report(stats, 7, mm, extent->start,
			       "extent is not found by address");
		prev = extent;
	}
	stats->extents += nr;
	if (nr != map->nr)
		report(stats, 7, mm, 0, "wrong number of extents");
}

/* Is there a VMA in the tree which has the address in it, or at its end? */
static bool is_at_vma(struct mm_struct *mm, unsigned long addr)
{
	unsigned long below = addr ? addr - 1 : 0;
	struct vm_area_struct *vma = __anon_space_find_vma(mm, below, ULONG_MAX);

	return vma && vma->vm_start <= addr;
}

/* Not while VMAs are being changed. */
static void check_ends(struct mm_struct *mm, struct anon_space_stats *stats)
{
	struct anon_extent *extent;

	for (extent = anon_map_find(&mm->anon_space.map, 0, ULONG_MAX); extent;
	     extent = anon_map_next(extent, ULONG_MAX))
		if (!is_at_vma(mm, extent->start) || !is_at_vma(mm, extent->end))
			report(stats, 7, mm, extent->start,
			       "extent begins or ends in a hole");
}

/**
 * anon_space_validate_vmas - check what concerns VMAs and the map of offsets
 * @mm: the mm
 *
 * INV-1, INV-5, and INV-7.
 *
 * Context: sleeps. mmap_lock held. Takes the space lock.
 */
void anon_space_validate_vmas(struct mm_struct *mm)
{
	struct anon_space_stats stats = {};

	anon_space_lock_read(mm);
	check_vmas(mm, &stats);
	check_map(mm, &stats);
	anon_space_unlock_read(mm);
	atomic_long_add(stats.violations, &vma_violations);
}

/**
 * anon_space_check_hidden - check that no walker can be in page tables
 * @mm: the mm
 * @start: first address of the tables that are to be freed
 * @end: address behind the last
 *
 * INV-10. Nothing is checked if somebody has the space lock, as the caller may have it.
 * A caller that should have it and has not is found at another time.
 *
 * Context: sleeps. Takes the space lock, if nobody has it.
 */
void anon_space_check_hidden(struct mm_struct *mm, unsigned long start,
			     unsigned long end)
{
	struct anon_space_stats stats = {};
	struct vm_area_struct *vma;

	if (rwsem_is_locked(&mm->anon_space.rwsem))
		return;
	anon_space_lock_read(mm);
	vma = __anon_space_find_vma(mm, start, end);
	if (vma)
		report_vma(&stats, 10, vma, "page tables of a VMA in the tree");
	anon_space_unlock_read(mm);
	atomic_long_add(stats.violations, &vma_violations);
}

/* ---- memberships, under the file lock ---- */

static void check_file(struct mm_struct *mm, struct anon_vma *file,
		       struct anon_space_stats *stats)
{
	struct anon_membership *membership;
	unsigned int nr = 0, nr_mine = 0;
	bool child_first = false;

	anon_vma_lock_read(file);
	list_for_each_entry(membership, &file->members, in_file) {
		struct mm_struct *other = membership->mm;

		nr++;
		if (other == mm)
			nr_mine++;
		else if (other->anon_space.id == mm->anon_space.parent)
			child_first = nr_mine;
	}
	if (child_first)
		report(stats, 6, mm, 0, "mm is listed before its parent");
	if (nr_mine != 1)
		report(stats, 8, mm, 0, "mm is not listed once in its file");
	if (nr != file->nr_members || atomic_read(&file->refcount) < nr)
		report(stats, 8, mm, 0, "wrong count of members or references");
	if (file == mm->anon_space.anon_vma && file->owner != mm)
		report(stats, 8, mm, 0, "mm does not own the file that it uses");
	anon_vma_unlock_read(file);
}

static void check_memberships(struct mm_struct *mm,
			      struct anon_space_stats *stats)
{
	struct anon_space *space = &mm->anon_space;
	struct anon_membership *membership;
	bool own = false;

	/* Only a fork changes the list. Pairs with smp_store_release(). */
	if (!smp_load_acquire(&space->anon_vma))
		return;
	list_for_each_entry(membership, &space->memberships, in_mm) {
		stats->memberships++;
		if (membership->mm != mm)
			report(stats, 8, mm, 0, "membership of another mm");
		if (membership->anon_vma == space->anon_vma)
			own = true;
		check_file(mm, membership->anon_vma, stats);
	}
	if (!own)
		report(stats, 8, mm, 0, "mm is no member of its own file");
}

/* ---- pages ---- */

struct rmap_count {
	struct vm_area_struct *vma;
	unsigned long addr;
	int here;
	int total;
};

/* The pages of device-exclusive entries are found, but are not counted as mapped. */
static bool is_counted(const struct page_vma_mapped_walk *pvmw)
{
	pte_t pte;

	if (!pvmw->pte)
		return true;
	pte = ptep_get(pvmw->pte);
	return pte_present(pte) ||
	       !is_device_exclusive_entry(pte_to_swp_entry(pte));
}

static bool count_entries(struct folio *folio, struct vm_area_struct *vma,
			  unsigned long addr, void *arg)
{
	DEFINE_FOLIO_VMA_WALK(pvmw, folio, vma, addr, 0);
	struct rmap_count *count = arg;

	while (page_vma_mapped_walk(&pvmw)) {
		count->total += is_counted(&pvmw);
		if (vma == count->vma && pvmw.address == count->addr)
			count->here++;
	}
	return true;
}

static bool still_mapped(struct vm_area_struct *vma, unsigned long addr,
			 struct page *page)
{
	struct folio_walk fw;
	bool same;

	if (!folio_walk_start(&fw, vma, addr, 0))
		return false;
	same = fw.page == page;
	folio_walk_end(&fw, vma);
	return same;
}

/* INV-2, by a walk like any other. The folio lock keeps migration away. */
static void check_rmap(struct vm_area_struct *vma, unsigned long addr,
		       struct folio *folio, struct page *page,
		       struct anon_space_stats *stats)
{
	struct rmap_count count;
	struct rmap_walk_control rwc = {
		.rmap_one = count_entries,
		.anon_lock = folio_lock_anon_vma_read,
		.arg = &count,
	};
	bool stable = false;
	int tries, mapcount;

	for (tries = 0; tries < MAX_TRIES; tries++) {
		if (!folio_trylock(folio))
			break;
		if (folio_test_ksm(folio)) {
			folio_unlock(folio);
			break;
		}
		count = (struct rmap_count){ .vma = vma, .addr = addr };
		mapcount = folio_mapcount(folio);
		rmap_walk(folio, &rwc);
		stable = mapcount == folio_mapcount(folio);
		folio_unlock(folio);

		if (count.here == 1 && count.total == mapcount)
			return;
		if (!still_mapped(vma, addr, page))
			break;
		/*
		 * Who unmaps a page clears the entry first, and decrements the
		 * mapcount after that. Both are under the page table lock, but an
		 * emulated processor may not be running just now.
		 */
		fsleep(tries * 10 * USEC_PER_MSEC);
	}
	if (tries < MAX_TRIES || !stable) {
		stats->skipped++;
		return;
	}
	report_page(stats, 2, vma, addr, page, "rmap misses or repeats a page");
	pr_err("found here %d times, %d in all, mapped %d times\n",
	       count.here, count.total, mapcount);
}

static unsigned long entry_size(struct folio_walk *fw,
				struct vm_area_struct *vma)
{
	if (is_vm_hugetlb_page(vma))
		return huge_page_size(hstate_vma(vma));
	if (fw->level == FW_LEVEL_PUD)
		return PUD_SIZE;
	return fw->level == FW_LEVEL_PMD ? PMD_SIZE : PAGE_SIZE;
}

/* Returns the size of what the entry maps. */
static unsigned long check_entry(struct vm_area_struct *vma, unsigned long addr,
				 struct anon_space_stats *stats)
{
	struct mm_struct *mm = vma->vm_mm;
	bool is_exclusive, is_owner;
	struct anon_vma *file;
	struct folio_walk fw;
	struct folio *folio;
	unsigned long size;
	pgoff_t index, offset;

	folio = folio_walk_start(&fw, vma, addr, 0);
	if (!folio)
		return PAGE_SIZE;
	size = entry_size(&fw, vma);
	/*
	 * A KSM page has neither file nor index: it is found by its items. Read once: a
	 * page may become one without the page table lock.
	 */
	file = folio_anon_vma(folio);
	if (!file) {
		folio_walk_end(&fw, vma);
		return size;
	}
	/* If it is mapped page by page, the flag of one page says nothing of the others. */
	is_exclusive = PageAnonExclusive(fw.page) &&
		       (!folio_test_large(folio) || fw.level != FW_LEVEL_PTE);
	/* The owner may change meanwhile, but neither to @mm nor from @mm. */
	is_owner = data_race(file->owner) == mm;
	index = folio->index + folio_page_idx(folio, fw.page);
	offset = anon_space_offset(mm, addr);
	folio_get(folio);
	folio_walk_end(&fw, vma);

	stats->pages++;
	if (!vma->anon_vma)
		report_page(stats, 5, vma, addr, fw.page,
			    "page in a VMA without anon_vma");
	if (!anon_space_is_member(mm, file))
		report_page(stats, 3, vma, addr, fw.page,
			    "page of a file that the mm is no member of");
	if (is_exclusive && !is_owner)
		report_page(stats, 9, vma, addr, fw.page,
			    "exclusive page of a file that is another's");
	if (index != offset)
		report_page(stats, 4, vma, addr, fw.page,
			    "index is not the offset of the address");
	check_rmap(vma, addr, folio, fw.page, stats);
	folio_put(folio);
	return size;
}

static int check_pmd(pmd_t *pmd, unsigned long addr, unsigned long end,
		     struct mm_walk *walk)
{
	while (addr < end)
		addr += check_entry(walk->vma, addr, walk->private);
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static const struct mm_walk_ops check_ops = {
	.pmd_entry = check_pmd,
	.walk_lock = PGWALK_RDLOCK,
};

static int check_pages(struct vm_area_struct *vma,
		       struct anon_space_stats *stats)
{
	unsigned long addr;

	if (!is_vm_hugetlb_page(vma))
		return walk_page_vma(vma, &check_ops, stats);
	for (addr = vma->vm_start; addr < vma->vm_end;
	     addr += huge_page_size(hstate_vma(vma)))
		check_entry(vma, addr, stats);
	return 0;
}

/**
 * anon_space_validate - check all invariants on an mm
 * @mm: the mm, to which the caller holds a reference by mmget()
 * @stats: where to count
 *
 * Context: sleeps. Takes mmap_lock for reading.
 * Return: 0, also if there are violations, or -EINTR.
 */
int anon_space_validate(struct mm_struct *mm, struct anon_space_stats *stats)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	int ret = 0;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	stats->mms++;
	anon_space_lock_read(mm);
	check_vmas(mm, stats);
	check_map(mm, stats);
	check_ends(mm, stats);
	anon_space_unlock_read(mm);
	check_memberships(mm, stats);
	for_each_vma(vmi, vma) {
		ret = check_pages(vma, stats);
		if (ret)
			break;
	}
	mmap_read_unlock(mm);
	return ret;
}

/* ---- debugfs ---- */

static struct anon_space_stats last_stats;
static DEFINE_MUTEX(last_stats_lock);

static struct task_struct *get_next_task(pid_t *nr)
{
	struct task_struct *task = NULL;
	struct pid *pid;

	rcu_read_lock();
	while (!task && (pid = find_ge_pid(*nr, &init_pid_ns))) {
		*nr = pid_nr(pid) + 1;
		task = pid_task(pid, PIDTYPE_TGID);
	}
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	return task;
}

/* Consumes the reference to the task. */
static int validate_task(struct task_struct *task,
			 struct anon_space_stats *stats)
{
	struct mm_struct *mm = get_task_mm(task);
	int ret = 0;

	put_task_struct(task);
	if (mm) {
		ret = anon_space_validate(mm, stats);
		mmput(mm);
	}
	return ret;
}

static int validate_all(struct anon_space_stats *stats)
{
	struct task_struct *task;
	pid_t nr = 1;
	int ret = 0;

	while (!ret && (task = get_next_task(&nr)))
		ret = validate_task(task, stats);
	return ret;
}

static int validate_pid(pid_t nr, struct anon_space_stats *stats)
{
	struct task_struct *task = find_get_task_by_vpid(nr);

	return task ? validate_task(task, stats) : -ESRCH;
}

static ssize_t validate_write(struct file *file, const char __user *buf,
			      size_t len, loff_t *ppos)
{
	struct anon_space_stats stats = {};
	int nr, ret;

	ret = kstrtoint_from_user(buf, len, 0, &nr);
	if (ret)
		return ret;
	ret = nr ? validate_pid(nr, &stats) : validate_all(&stats);
	mutex_lock(&last_stats_lock);
	last_stats = stats;
	mutex_unlock(&last_stats_lock);
	if (ret)
		return ret;
	return stats.violations ? -EIO : len;
}

static int validate_show(struct seq_file *m, void *unused)
{
	struct anon_space_stats stats;

	mutex_lock(&last_stats_lock);
	stats = last_stats;
	mutex_unlock(&last_stats_lock);
	seq_printf(m, "mms %lu\nvmas %lu\npages %lu\nextents %lu\n",
		   stats.mms, stats.vmas, stats.pages, stats.extents);
	seq_printf(m, "memberships %lu\nskipped %lu\nviolations %lu\n",
		   stats.memberships, stats.skipped, stats.violations);
	/* By all calls of anon_space_validate_vmas() since boot. */
	seq_printf(m, "vma_violations %ld\n",
		   atomic_long_read(&vma_violations));
	return 0;
}

static int validate_open(struct inode *inode, struct file *file)
{
	return single_open(file, validate_show, NULL);
}

static const struct file_operations validate_fops = {
	.owner = THIS_MODULE,
	.open = validate_open,
	.read = seq_read,
	.write = validate_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int __init anon_space_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("anon_space", NULL);

	debugfs_create_file("validate", 0600, dir, NULL, &validate_fops);
	return 0;
}
late_initcall(anon_space_debugfs_init);
