// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of how often something is done: what secondary MMUs are told of moves, and
 * looks at all pages of an mm.
 */

#include <kunit/test.h>
#include <linux/anon_space.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/rmap.h>
#include <linux/uaccess.h>

#include "../../mm/anon_space/internal.h"
#include "../../mm/internal.h"
#include "anon_space_states.h"

static unsigned long pfn_at(struct mm_struct *mm, unsigned long addr)
{
	pmd_t *pmd = mm_find_pmd(mm, addr);
	unsigned long pfn = 0;
	pte_t *pte;
	pmd_t pmde;

	if (!pmd)
		return 0;
	pmde = pmdp_get_lockless(pmd);
	if (pmd_trans_huge(pmde))
		return pmd_pfn(pmde) + pte_index(addr);
	pte = pte_offset_map(pmd, addr);
	if (!pte)
		return 0;
	if (pte_present(ptep_get(pte)))
		pfn = pte_pfn(ptep_get(pte));
	pte_unmap(pte);
	return pfn;
}

/* ---- secondary MMUs ---- */

/**
 * struct mirror - a secondary MMU that has mapped all pages
 * @notifier: tells it when they are about to change
 * @mm:       whose pages they are
 * @lock:     protects all that follows
 * @nr_moves: how often it was told that numbered pages move
 * @nr_late:  how many pages had changed before it was told so
 * @pfns:     what it maps, 0 where that is nothing
 */
struct mirror {
	struct mmu_notifier notifier;
	struct mm_struct *mm;
	spinlock_t lock;		/* of all below */
	unsigned int nr_moves;
	unsigned int nr_late;
	unsigned long pfns[USER_WORLD];
};

/* Under the lock. */
static void mirror_look(struct mirror *mirror, unsigned int page)
{
	unsigned long pfn = mirror->pfns[page];

	mirror->nr_late += pfn && pfn != pfn_at(mirror->mm, user_addr(page));
}

/*
 * Moves are told as unmapped, and nothing else is while the tests move pages: what is
 * dropped, split, reclaimed or migrated, by us or behind our back, is told as cleared.
 */
static int mirror_invalidate(struct mmu_notifier *notifier,
			     const struct mmu_notifier_range *range)
{
	struct mirror *mirror = container_of(notifier, struct mirror, notifier);
	unsigned int i;

	spin_lock(&mirror->lock);
	mirror->nr_moves += range->event == MMU_NOTIFY_UNMAP &&
			    range->start < user_addr(USER_WORLD) &&
			    range->end > user_addr(0);
	for (i = 0; i < USER_WORLD; i++) {
		if (user_addr(i) < range->start || user_addr(i) >= range->end)
			continue;
		mirror_look(mirror, i);
		mirror->pfns[i] = 0;
	}
	spin_unlock(&mirror->lock);
	return 0;
}

static const struct mmu_notifier_ops mirror_ops = {
	.invalidate_range_start = mirror_invalidate,
};

static void mirror_end(void *data)
{
	struct mirror *mirror = data;

	mmu_notifier_unregister(&mirror->notifier, mirror->mm);
}

static struct mirror *mirror_begin(struct kunit *test)
{
	struct mirror *mirror = kunit_kzalloc(test, sizeof(*mirror), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, mirror);
	mirror->notifier.ops = &mirror_ops;
	mirror->mm = current->mm;
	spin_lock_init(&mirror->lock);
	KUNIT_ASSERT_EQ(test, 0, mmu_notifier_register(&mirror->notifier,
						       mirror->mm));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, mirror_end,
							   mirror));
	spin_lock(&mirror->lock);
	for (i = 0; i < USER_WORLD; i++)
		mirror->pfns[i] = pfn_at(mirror->mm, user_addr(i));
	spin_unlock(&mirror->lock);
	return mirror;
}

/* What it was not told to forget is there still. */
static void check_mirror(struct kunit *test, struct mirror *mirror)
{
	unsigned int i;

	spin_lock(&mirror->lock);
	for (i = 0; i < USER_WORLD; i++)
		mirror_look(mirror, i);
	spin_unlock(&mirror->lock);
	KUNIT_EXPECT_EQ(test, mirror->nr_late, 0);
}

/**
 * struct told_case - a move of pages
 * @name:     as the test prints it
 * @from:     first page to move
 * @nr:       number of pages
 * @to:       where they go
 * @map:      is there equal memory, so that no VMA has to change?
 * @fill:     has it been written to?
 * @fork:     are the pages shared?
 * @huge:     are they parts of a huge page?
 * @apart:    and is that mapped page by page?
 * @nr_moves: how often it is told that they move
 */
struct told_case {
	const char *name;
	unsigned int from, nr, to;
	bool map, fill, fork, huge, apart;
	unsigned int nr_moves;
};

/*
 * Once for all pages that move, in whatever steps. Only shared ones are told twice where
 * there is equal memory: the first time it is tried in place, which is in vain.
 */
static const struct told_case told_cases[] = {
	{ "to nothing", 8, 8, FAR, .nr_moves = 1 },
	{ "a table to nothing", 0, USER_AREA, FAR, .nr_moves = 1 },
	{ "shared ones to nothing", 8, 8, FAR, .fork = true, .nr_moves = 1 },
	{ "in place", 8, 8, FAR, .map = true, .nr_moves = 1 },
	{ "in place over pages", 8, 8, FAR, .map = true, .fill = true,
	  .nr_moves = 1 },
	{ "in place into two tables", 0, 16, FAR + USER_AREA - 8, .map = true,
	  .nr_moves = 1 },
	{ "in place out of a huge page", 8, 8, FAR, .map = true, .huge = true,
	  .nr_moves = 1 },
	{ "in place out of a folio of pages", 8, 8, FAR, .map = true,
	  .huge = true, .apart = true, .nr_moves = 1 },
	{ "shared ones in place", 8, 8, FAR, .map = true, .fork = true,
	  .nr_moves = 2 },
	{ "shared ones in place over pages", 8, 8, FAR, .map = true,
	  .fill = true, .fork = true, .nr_moves = 2 },
};

KUNIT_ARRAY_PARAM_DESC(told, told_cases, name);

/* The folio stays as large as it is. */
static void map_page_by_page(struct user_mem *p)
{
	struct folio *folio;

	user_protect(p, 0, 1, PROT_READ);
	user_protect(p, 0, 1, PROT_READ | PROT_WRITE);
	folio = user_folio_at(0);
	KUNIT_ASSERT_NOT_NULL(p->test, folio);
	KUNIT_EXPECT_TRUE(p->test, folio_test_large(folio));
	folio_put(folio);
}

/* Before the pages change, and of each of them. */
static void secondary_mmu_is_told(struct kunit *test)
{
	const struct told_case *c = test->param_value;
	struct world *w = test->priv;
	struct user_mem *p = w->parent;
	struct mirror *mirror;

	if (c->huge)
		world_fault_huge(w);
	else
		world_fault(w);
	if (c->apart)
		map_page_by_page(p);
	if (c->map)
		user_map(p, FAR, 2 * USER_AREA);
	if (c->fill)
		user_touch(p, FAR, 2 * USER_AREA, 1, 2);
	if (c->fork)
		world_fork(w);
	mirror = mirror_begin(test);
	if (c->map)
		user_move_out(p, c->from, c->nr, c->to);
	else
		user_move(p, c->from, c->nr, c->to);
	check_mirror(test, mirror);
	KUNIT_EXPECT_EQ(test, c->nr_moves, mirror->nr_moves);
	world_check(w);
}

/* ---- looks at all pages ---- */

#define MAX_MEMBERS	16	/* of a file, before its owner begins another one */
#define MAX_CHILDREN	(3 * MAX_MEMBERS)
#define NR_PAGES	32
#define NR_FORKS	20

static bool fork_another(struct kunit *test, struct user_child *child)
{
	int ret = user_fork(child);

	KUNIT_EXPECT_EQ(test, 0, ret);
	return !ret;
}

static struct anon_vma *file_in_use(void)
{
	return current->mm->anon_space.anon_vma;
}

static void unmap_page(void *data)
{
	const unsigned int *page = data;

	vm_munmap(user_addr(*page), PAGE_SIZE);
}

/* A page for each fork to come. */
static void touch_pages(struct user_mem *p)
{
	unsigned int i;

	for (i = 1; i <= NR_PAGES; i++)
		KUNIT_EXPECT_EQ(p->test, 0,
				put_user(i, (u32 __user *)user_addr(i)));
}

/*
 * So many children that two files are begun after the first one. The second has what is
 * touched meanwhile, which is shared with the last of these children.
 */
static unsigned int begin_two_files(struct user_mem *p,
				    struct user_child *children,
				    void (*touch)(struct user_mem *p))
{
	struct anon_vma *first, *second;
	struct kunit *test = p->test;
	unsigned int nr = 0;

	KUNIT_EXPECT_EQ(test, 0, put_user(1u, (u32 __user *)user_addr(0)));
	first = file_in_use();
	while (nr < MAX_CHILDREN - 2 && fork_another(test, &children[nr])) {
		nr++;
		if (file_in_use() != first &&
		    file_in_use()->nr_members == MAX_MEMBERS)
			break;
	}
	second = file_in_use();
	KUNIT_EXPECT_PTR_NE(test, first, second);
	touch(p);
	nr += fork_another(test, &children[nr]);
	KUNIT_EXPECT_PTR_EQ(test, second, file_in_use());
	/* The one that is begun now has no other member afterwards. */
	if (fork_another(test, &children[nr]))
		user_exit(&children[nr]);
	KUNIT_EXPECT_PTR_NE(test, second, file_in_use());
	return nr;
}

static struct user_child *make_children(struct kunit *test)
{
	struct user_child *children;

	children = kunit_kcalloc(test, MAX_CHILDREN, sizeof(*children),
				 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, children);
	return children;
}

static void end_children(struct kunit *test, struct user_child *children,
			 unsigned int nr)
{
	user_check_mm(test, current->mm);
	while (nr--)
		user_exit(&children[nr]);
	user_check_mm(test, current->mm);
}

static bool is_in_use_at(unsigned int page)
{
	unsigned long pfn = pfn_at(current->mm, user_addr(page));

	return pfn && folio_anon_vma(pfn_folio(pfn)) == file_in_use();
}

static void take_page(unsigned int page)
{
	struct folio *folio = user_folio_at(page);

	if (!folio)
		return;
	folio_lock(folio);
	anon_space_take_folio(folio);
	folio_unlock(folio);
	folio_put(folio);
}

/* Before it migrates a page that many had goes to a file of who still has it. */
static void page_of_one_is_taken(struct kunit *test)
{
	struct user_child *children = make_children(test);
	struct world *w = test->priv;
	unsigned int i, nr, page = 0;
	struct anon_vma *first;

	user_map(w->parent, 0, 1);
	KUNIT_EXPECT_EQ(test, 0, put_user(1u, (u32 __user *)user_addr(page)));
	first = file_in_use();
	for (nr = 0; file_in_use() == first && nr < MAX_CHILDREN; nr++)
		if (!fork_another(test, &children[nr]))
			break;
	for (i = 0; i < nr; i++) {
		take_page(page);
		KUNIT_EXPECT_FALSE(test, is_in_use_at(page));
		user_check_mm(test, current->mm);
		user_run(&children[i], unmap_page, &page);
	}
	take_page(page);
	KUNIT_EXPECT_TRUE(test, is_in_use_at(page));
	end_children(test, children, nr);
}

/* An mm that forks looks at its pages when the number of forks has doubled. */
static void looks_become_rare(struct kunit *test)
{
	struct user_child *children = make_children(test), last = {};
	struct world *w = test->priv;
	unsigned int nr, i;

	user_map(w->parent, 0, NR_PAGES + 1);
	nr = begin_two_files(w->parent, children, touch_pages);
	for (i = 1; nr && i <= NR_FORKS; i++) {
		/* This page is ours alone, which a look finds out. */
		user_run(&children[nr - 1], unmap_page, &i);
		if (!fork_another(test, &last))
			break;
		user_exit(&last);
		KUNIT_EXPECT_EQ_MSG(test, is_power_of_2(i), is_in_use_at(i),
				    "after %u forks", i);
	}
	end_children(test, children, nr);
}

/**
 * struct look_case - what a look finds
 * @name:     as the test prints it
 * @touch:    what is touched while the second file is in use
 * @unmap:    does the child unmap it?
 * @huge:     is it a huge page?
 * @migrate:  is the first page being migrated meanwhile?
 * @nr_files: how many there are after the look
 */
struct look_case {
	const char *name;
	void (*touch)(struct user_mem *p);
	bool unmap, huge, migrate;
	unsigned int nr_files;
};

static void touch_area(struct user_mem *p)
{
	user_map(p, USER_AREA, USER_AREA);
	user_want(p, USER_AREA, USER_AREA, USER_UNTOUCHED);
	user_touch(p, USER_AREA, USER_AREA, 1, 1);
}

static void touch_huge_page(struct user_mem *p)
{
	p->huge = true;
	touch_area(p);
}

/* Of the huge page of zeroes, that is: nothing has written to it. */
static void read_huge_page(struct user_mem *p)
{
	u32 value = ~0;

	p->huge = true;
	user_map(p, USER_AREA, USER_AREA);
	KUNIT_EXPECT_EQ(p->test, 0,
			get_user(value, (u32 __user *)user_addr(USER_AREA)));
	KUNIT_EXPECT_EQ(p->test, value, 0);
}

static void swap_area(struct user_mem *p)
{
	touch_area(p);
	user_page_out(p, USER_AREA, USER_AREA);
}

static const struct look_case look_cases[] = {
	{ "pages of ours", touch_area, .unmap = true, .nr_files = 2 },
	{ "shared pages", touch_area, .nr_files = 3 },
	{ "a huge page of ours", touch_huge_page, .unmap = true, .huge = true,
	  .nr_files = 2 },
	{ "a shared huge page", touch_huge_page, .huge = true, .nr_files = 3 },
	{ "a huge page of zeroes", read_huge_page, .huge = true, .nr_files = 2 },
	{ "swapped pages", swap_area, .nr_files = 2 },
	{ "a page that is migrated", touch_area, .unmap = true, .migrate = true,
	  .nr_files = 3 },
	{ "a huge page that is migrated", touch_huge_page, .unmap = true,
	  .huge = true, .migrate = true, .nr_files = 3 },
};

KUNIT_ARRAY_PARAM_DESC(look, look_cases, name);

static void unmap_area(void *data)
{
	vm_munmap(user_addr(USER_AREA), user_len(USER_AREA));
}

static bool is_huge_at(unsigned int page)
{
	pmd_t *pmd = mm_find_pmd(current->mm, user_addr(page));

	return pmd && pmd_trans_huge(pmdp_get_lockless(pmd));
}

/* What is ours alone goes to the file in use. Files without a page are left. */
static void look_finds(struct kunit *test)
{
	const struct look_case *c = test->param_value;
	struct list_head *files = &current->mm->anon_space.memberships;
	struct user_child *children = make_children(test), last = {};
	struct world *w = test->priv;
	struct user_mem *p = w->parent;
	struct folio *folio = NULL;
	unsigned int nr;

	if (c->huge)
		user_need_huge_pages(test);
	if (c->migrate)
		user_need_migration(test, c->huge);
	user_map(p, 0, 1);
	user_want(p, 0, 1, USER_UNTOUCHED);
	nr = begin_two_files(p, children, c->touch);
	KUNIT_EXPECT_EQ(test, list_count_nodes(files), 3);
	if (nr && c->unmap)
		user_run(&children[nr - 1], unmap_area, NULL);
	KUNIT_EXPECT_EQ(test, is_huge_at(USER_AREA), c->huge);
	if (c->migrate)
		folio = user_migrate_begin(USER_AREA);
	KUNIT_EXPECT_EQ(test, !!folio, c->migrate);
	if (fork_another(test, &last))
		user_exit(&last);
	if (folio)
		user_migrate_end(folio);
	KUNIT_EXPECT_EQ(test, list_count_nodes(files), c->nr_files);
	if (c->unmap)
		KUNIT_EXPECT_EQ(test, is_in_use_at(USER_AREA), !c->migrate);
	user_check_contents(p);
	end_children(test, children, nr);
}

static struct kunit_case count_cases[] = {
	KUNIT_CASE_PARAM(secondary_mmu_is_told, told_gen_params),
	KUNIT_CASE(page_of_one_is_taken),
	KUNIT_CASE(looks_become_rare),
	KUNIT_CASE_PARAM(look_finds, look_gen_params),
	{}
};

static struct kunit_suite count_suite = {
	.name = "anon_space_count",
	.init = world_init_test,
	.exit = world_exit_test,
	.test_cases = count_cases,
};

kunit_test_suite(count_suite);

MODULE_DESCRIPTION("KUnit tests of how often something is done to anonymous memory");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
