// SPDX-License-Identifier: GPL-2.0
/*
 * What processes do, for KUnit tests.
 */

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/uaccess.h>

#include "../../mm/anon_space/internal.h"
#include "../../mm/internal.h"
#include "anon_space_syscall.h"
#include "anon_space_user.h"

static int child_main(void *data)
{
	struct user_child *child = data;

	child->mm = current->mm;
	complete(&child->done);
	for (;;) {
		wait_for_completion(&child->go);
		if (!child->fn)
			break;
		child->fn(child->arg);
		complete(&child->done);
	}
	complete(&child->done);
	do_exit(0);
}

/**
 * user_fork - fork a process from the one with the attached mm
 * @child: to be set up; its mm is a duplicate
 *
 * Return: 0 or what kernel_clone() says.
 */
int user_fork(struct user_child *child)
{
	struct kernel_clone_args args = {
		.flags = CLONE_FS | CLONE_FILES | CLONE_UNTRACED,
		.exit_signal = SIGCHLD,
		.fn = child_main,
		.fn_arg = child,
	};
	pid_t pid;

	init_completion(&child->go);
	init_completion(&child->done);
	pid = kernel_clone(&args);
	if (pid < 0)
		return pid;
	wait_for_completion(&child->done);
	child->pid = pid;
	return 0;
}

/**
 * user_run - let a child do something, and wait
 * @child: the child
 * @fn: what to do, on its mm
 * @arg: argument of @fn
 */
void user_run(struct user_child *child, void (*fn)(void *arg), void *arg)
{
	child->fn = fn;
	child->arg = arg;
	complete(&child->go);
	wait_for_completion(&child->done);
}

/**
 * user_kill - let a child exit, but do not wait until its mm is gone
 * @child: the child, nothing is done if there is none
 *
 * For the cleanup by another thread than that which forked.
 */
void user_kill(struct user_child *child)
{
	if (!child->pid)
		return;
	child->pid = 0;
	user_run(child, NULL, NULL);
}

/**
 * user_exit - let a child exit, and wait until its mm is gone
 * @child: the child, nothing is done if there is none
 */
void user_exit(struct user_child *child)
{
	pid_t pid = child->pid;

	user_kill(child);
	if (pid)
		kernel_wait4(pid, NULL, 0, NULL);
}

/* ---- system calls, which have no other name to call them by ---- */

static long call_mprotect(unsigned long addr, size_t len, unsigned long prot)
{
	return SYSCALL(mprotect, (addr, len, prot), addr, len, prot, 0, 0);
}

/* mremap() itself; nothing is recorded. */
long user_mremap(unsigned long addr, size_t old_len, size_t new_len,
		 unsigned long flags, unsigned long new_addr)
{
	return SYSCALL(mremap, (addr, old_len, new_len, flags, new_addr),
		       addr, old_len, new_len, flags, new_addr);
}

/* ---- memory, on current->mm ---- */

#define BASE	0x60000000UL	/* a page table begins here */

unsigned long user_addr(unsigned int page)
{
	return BASE + ((unsigned long)page << PAGE_SHIFT);
}

/**
 * user_need_tables - skip a test if the area is not what whole page tables map
 * @test: the test
 */
void user_need_tables(struct kunit *test)
{
	if (USER_AREA % PTRS_PER_PTE)
		kunit_skip(test, "needs page tables of %d entries or less",
			   USER_AREA);
}

/**
 * user_need_huge_pages - skip a test if the area is not of huge pages
 * @test: the test
 */
void user_need_huge_pages(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) ||
	    !has_transparent_hugepage())
		kunit_skip(test, "needs transparent huge pages");
	user_need_tables(test);
}

/**
 * user_need_migration - skip a test if pages cannot be migrated
 * @test: the test
 * @huge: huge ones, without a split?
 */
void user_need_migration(struct kunit *test, bool huge)
{
	if (!IS_ENABLED(CONFIG_MIGRATION))
		kunit_skip(test, "needs migration");
	if (huge && !thp_migration_supported())
		kunit_skip(test, "needs migration of huge pages");
}

size_t user_len(unsigned int nr)
{
	return (size_t)nr << PAGE_SHIFT;
}

/* Change what is expected of pages. */
void user_want(struct user_mem *user, unsigned int page, unsigned int nr,
	       u32 value)
{
	while (nr--)
		user->want[page++] = value;
}

void user_map(struct user_mem *user, unsigned int page, unsigned int nr)
{
	unsigned long addr = user_addr(page);
	size_t len = user_len(nr);

	KUNIT_EXPECT_EQ(user->test, addr,
			vm_mmap(NULL, addr, len, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0));
	if (user->huge)
		KUNIT_EXPECT_EQ(user->test, 0,
				do_madvise(current->mm, addr, len,
					   MADV_HUGEPAGE));
	user_want(user, page, nr, USER_ZERO);
}

void user_unmap(struct user_mem *user, unsigned int page, unsigned int nr)
{
	KUNIT_EXPECT_EQ(user->test, 0,
			vm_munmap(user_addr(page), user_len(nr)));
	user_want(user, page, nr, USER_UNMAPPED);
}

void user_protect(struct user_mem *user, unsigned int page, unsigned int nr,
		  unsigned long prot)
{
	KUNIT_EXPECT_EQ(user->test, 0,
			call_mprotect(user_addr(page), user_len(nr), prot));
}

void user_discard(struct user_mem *user, unsigned int page, unsigned int nr)
{
	KUNIT_EXPECT_EQ(user->test, 0,
			do_madvise(current->mm, user_addr(page), user_len(nr),
				   MADV_DONTNEED));
	user_want(user, page, nr, USER_ZERO);
}

/* To swap, as far as nobody else maps the pages; not all go at the first try. */
void user_page_out(struct user_mem *user, unsigned int page, unsigned int nr)
{
	struct percpu_counter *swapped = &current->mm->rss_stat[MM_SWAPENTS];
	unsigned int i, touched = 0, tries;

	for (i = page; i < page + nr; i++)
		touched += user_touches(i);
	KUNIT_ASSERT_EQ(user->test, 0, user_swap_on());
	for (tries = 0; tries < 200; tries++) {
		/* Only what is on its list can be taken off it. */
		lru_add_drain_all();
		KUNIT_EXPECT_EQ(user->test, 0,
				do_madvise(current->mm, user_addr(page),
					   user_len(nr), MADV_PAGEOUT));
		if (percpu_counter_sum(swapped) >= touched)
			break;
		msleep(20);
	}
	KUNIT_EXPECT_EQ(user->test, touched, percpu_counter_sum(swapped));
}

/* Grow or shrink in place. */
void user_resize(struct user_mem *user, unsigned int page, unsigned int nr,
		 unsigned int new_nr)
{
	KUNIT_EXPECT_EQ(user->test, user_addr(page),
			user_mremap(user_addr(page), user_len(nr),
				    user_len(new_nr), 0, 0));
	if (new_nr > nr)
		user_want(user, page + nr, new_nr - nr, USER_ZERO);
	else
		user_want(user, page + new_nr, nr - new_nr, USER_UNMAPPED);
}

static long do_move(struct user_mem *user, unsigned int from, unsigned int nr,
		    unsigned int to, unsigned long flags, u32 left)
{
	long addr;

	flags |= MREMAP_MAYMOVE | MREMAP_FIXED;
	addr = user_mremap(user_addr(from), user_len(nr), user_len(nr), flags,
			   user_addr(to));
	if (IS_ERR_VALUE(addr))
		return addr;
	KUNIT_EXPECT_EQ(user->test, addr, user_addr(to));
	memcpy(user->want + to, user->want + from,
	       nr * sizeof(user->want[0]));
	user_want(user, from, nr, left);
	return 0;
}

void user_move_and_grow(struct user_mem *user, unsigned int from,
			unsigned int nr, unsigned int to, unsigned int new_nr)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(user->test, user_addr(to),
			user_mremap(user_addr(from), user_len(nr),
				    user_len(new_nr),
				    MREMAP_MAYMOVE | MREMAP_FIXED,
				    user_addr(to)));
	for (i = 0; i < nr; i++)
		user_want(user, to + i, 1, user->want[from + i]);
	user_want(user, to + nr, new_nr - nr, USER_ZERO);
	user_want(user, from, nr, USER_UNMAPPED);
}

/* To wherever there is room, unless it can grow where it is; nothing is recorded. */
long user_try_grow(struct user_mem *user, unsigned int page, unsigned int nr,
		   unsigned int new_nr)
{
	long ret = user_mremap(user_addr(page), user_len(nr), user_len(new_nr),
			       MREMAP_MAYMOVE, 0);

	return IS_ERR_VALUE(ret) ? ret : 0;
}

/* What is at the new place is gone even if the move itself fails. */
long user_try_move(struct user_mem *user, unsigned int from, unsigned int nr,
		   unsigned int to)
{
	long ret = do_move(user, from, nr, to, 0, USER_UNMAPPED);

	if (ret)
		user_want(user, to, nr, USER_UNTOUCHED);
	return ret;
}

void user_move(struct user_mem *user, unsigned int from, unsigned int nr,
	       unsigned int to)
{
	KUNIT_EXPECT_EQ(user->test, 0,
			do_move(user, from, nr, to, 0, USER_UNMAPPED));
}

/* Move the contents, but keep the source mapped. */
void user_move_out(struct user_mem *user, unsigned int from, unsigned int nr,
		   unsigned int to)
{
	KUNIT_EXPECT_EQ(user->test, 0,
			do_move(user, from, nr, to, MREMAP_DONTUNMAP,
				USER_ZERO));
}

long user_try_move_out(struct user_mem *user, unsigned int from,
		       unsigned int nr, unsigned int to)
{
	long ret = do_move(user, from, nr, to, MREMAP_DONTUNMAP, USER_ZERO);

	if (ret)
		user_want(user, to, nr, USER_UNTOUCHED);
	return ret;
}

/* Split the huge page that is mapped at an address, with mmap_lock held for writing. */
int user_split_at(struct vm_area_struct *vma, unsigned long addr)
{
	struct folio_walk fw;
	struct folio *folio = folio_walk_start(&fw, vma, addr, 0);
	int err;

	if (!folio)
		return -ENOENT;
	folio_get(folio);
	folio_walk_end(&fw, vma);
	lru_add_drain_all();
	folio_lock(folio);
	err = split_folio(folio);
	folio_unlock(folio);
	folio_put(folio);
	return err;
}

/* What is mapped there, referenced, or NULL. */
struct folio *user_folio_at(unsigned int page)
{
	struct folio *folio = NULL;
	struct vm_area_struct *vma;
	struct folio_walk fw;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, user_addr(page));
	if (vma)
		folio = folio_walk_start(&fw, vma, user_addr(page), 0);
	if (folio) {
		folio_get(folio);
		folio_walk_end(&fw, vma);
	}
	mmap_read_unlock(current->mm);
	return folio;
}

/**
 * user_migrate_begin - replace what maps a folio by migration entries
 * @page: one of its pages
 *
 * Return: the folio, locked and nowhere mapped, or NULL if there is none. Who comes upon
 * it waits until user_migrate_end().
 */
struct folio *user_migrate_begin(unsigned int page)
{
	struct folio *folio = user_folio_at(page);

	if (!folio)
		return NULL;
	folio_lock(folio);
	if (IS_ENABLED(CONFIG_MIGRATION))
		try_to_migrate(folio, 0);
	return folio;
}

/*
 * Nothing has been copied: the same folio is mapped again, which keeps it. Whoever waits for
 * the lock may want to split it, so our reference goes first.
 */
void user_migrate_end(struct folio *folio)
{
	if (IS_ENABLED(CONFIG_MIGRATION))
		remove_migration_ptes(folio, folio, 0);
	folio_put(folio);
	folio_unlock(folio);
}

/* To any address, also beyond the numbered pages, where all that is mapped is lost. */
void user_move_there_and_back(struct user_mem *user, unsigned int page,
			      unsigned int nr, unsigned long addr)
{
	const unsigned long flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	KUNIT_EXPECT_EQ(user->test, addr,
			user_mremap(user_addr(page), user_len(nr), user_len(nr),
				    flags, addr));
	user_check_mm(user->test, current->mm);
	KUNIT_EXPECT_EQ(user->test, user_addr(page),
			user_mremap(addr, user_len(nr), user_len(nr), flags,
				    user_addr(page)));
}

/* Is this page touched and looked at? To save time not all are. */
bool user_touches(unsigned int page)
{
	page %= USER_AREA;
	return page < 20 || page >= USER_AREA - 8 ||
	       (page >= 246 && page < 266);
}

/* Stamp every @step-th page. */
void user_touch(struct user_mem *user, unsigned int page, unsigned int nr,
		unsigned int step, u32 who)
{
	unsigned int i;

	for (i = page; i < page + nr; i += step) {
		if (!user_touches(i))
			continue;
		user->want[i] = who << 16 | (i + 16);
		KUNIT_EXPECT_EQ(user->test, 0,
				put_user(user->want[i],
					 (u32 __user *)user_addr(i)));
	}
}

void user_check_contents(void *data)
{
	struct user_mem *user = data;
	unsigned int i;
	u32 value;

	for (i = 0; i < USER_WORLD; i++) {
		if (user->want[i] == USER_UNMAPPED ||
		    user->want[i] == USER_UNTOUCHED || !user_touches(i))
			continue;
		value = ~0;
		KUNIT_EXPECT_EQ(user->test, 0,
				get_user(value, (u32 __user *)user_addr(i)));
		if (value != user->want[i])
			KUNIT_FAIL(user->test, "page %u has %x, wanted %x", i,
				   value, user->want[i]);
	}
}

/* ---- pages that are lost ---- */

#define TRIES	1000	/* of 20 ms, until nobody is at work on pages any more */

/**
 * struct user_count - what is mapped in an mm, or what it has counted
 * @anon:    number of anonymous pages, also of those under migration
 * @swapped: number of swap entries
 */
struct user_count {
	long anon;
	long swapped;
};

static void count_swap_entry(struct user_count *count, swp_entry_t entry,
			     unsigned long nr)
{
	if (!non_swap_entry(entry))
		count->swapped += nr;
	else if (is_pfn_swap_entry(entry) && !is_hwpoison_entry(entry) &&
		 folio_test_anon(pfn_swap_entry_folio(entry)))
		count->anon += nr;
}

static int count_pte(pte_t *ptep, unsigned long addr, unsigned long end,
		     struct mm_walk *walk)
{
	pte_t pte = ptep_get(ptep);
	struct page *page;

	if (pte_none(pte))
		return 0;
	if (!pte_present(pte)) {
		count_swap_entry(walk->private, pte_to_swp_entry(pte), 1);
		return 0;
	}
	page = vm_normal_page(walk->vma, addr, pte);
	if (page && folio_test_anon(page_folio(page)))
		((struct user_count *)walk->private)->anon++;
	return 0;
}

static int count_pmd(pmd_t *pmd, unsigned long addr, unsigned long end,
		     struct mm_walk *walk)
{
	unsigned long nr = (end - addr) >> PAGE_SHIFT;
	struct user_count *count = walk->private;
	spinlock_t *ptl = pmd_trans_huge_lock(pmd, walk->vma);
	struct page *page;

	if (!ptl)
		return 0;
	if (pmd_present(*pmd)) {
		page = vm_normal_page_pmd(walk->vma, addr, *pmd);
		if (page && folio_test_anon(page_folio(page)))
			count->anon += nr;
	} else {
		count_swap_entry(count, pmd_to_swp_entry(*pmd), nr);
	}
	spin_unlock(ptl);
	walk->action = ACTION_CONTINUE;
	return 0;
}

static const struct mm_walk_ops count_ops = {
	.pmd_entry = count_pmd,
	.pte_entry = count_pte,
	.walk_lock = PGWALK_RDLOCK,
};

static bool is_as_counted(struct mm_struct *mm, struct user_count *mapped,
			  struct user_count *counted)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;

	*mapped = (struct user_count) {};
	mmap_read_lock(mm);
	for_each_vma(vmi, vma)
		walk_page_vma(vma, &count_ops, mapped);
	counted->anon = percpu_counter_sum(&mm->rss_stat[MM_ANONPAGES]);
	counted->swapped = percpu_counter_sum(&mm->rss_stat[MM_SWAPENTS]);
	mmap_read_unlock(mm);
	return mapped->anon == counted->anon &&
	       mapped->swapped == counted->swapped;
}

/* The mm has counted as many pages as it maps: each that it maps no more is freed. */
static void check_counts(struct kunit *test, struct mm_struct *mm)
{
	struct user_count mapped, counted;
	unsigned int tries;

	for (tries = 0; tries < TRIES; tries++) {
		if (is_as_counted(mm, &mapped, &counted))
			return;
		msleep(20);
	}
	KUNIT_EXPECT_EQ(test, mapped.anon, counted.anon);
	KUNIT_EXPECT_EQ(test, mapped.swapped, counted.swapped);
}

/* Is it of a process, and is there no way to it any more? */
static bool is_lost(struct page *page)
{
	struct folio *folio;

	if (PageTail(page))
		return false;
	folio = page_folio(page);
	return folio_test_lru(folio) && folio_test_anon(folio) &&
	       !folio_mapped(folio) && !folio_test_swapcache(folio);
}

static unsigned long count_lost(void)
{
	unsigned long pfn, nr, lost = 0;
	struct zone *zone;
	struct page *page;

	for_each_populated_zone(zone) {
		for (pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone);
		     pfn += nr) {
			nr = 1;
			page = pfn_to_online_page(pfn);
			if (!page)
				continue;
			if (PageBuddy(page))
				nr = 1UL << min_t(unsigned int, buddy_order_unsafe(page),
						  MAX_PAGE_ORDER);
			else
				lost += is_lost(page);
		}
	}
	return lost;
}

/**
 * user_check_lost - no page has lost its mappings, but not the references to it
 * @test: the test
 *
 * In the whole machine: nobody but the test has processes.
 */
void user_check_lost(struct kunit *test)
{
	unsigned long lost;
	unsigned int tries;

	for (tries = 0; tries < TRIES; tries++) {
		lost = count_lost();
		if (!lost)
			return;
		/* Processes of an earlier test may still be about to end. */
		lru_add_drain_all();
		msleep(20);
	}
	KUNIT_EXPECT_EQ(test, lost, 0);
}

/* All invariants hold in @mm, and it has lost no page. */
void user_check_mm(struct kunit *test, struct mm_struct *mm)
{
	struct anon_space_stats stats = {};

	KUNIT_EXPECT_EQ(test, 0, anon_space_validate(mm, &stats));
	KUNIT_EXPECT_EQ(test, 0, stats.violations);
	KUNIT_EXPECT_EQ(test, 0, stats.skipped);
	check_counts(test, mm);
}
