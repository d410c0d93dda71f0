// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the extents that moves leave in the map of an mm: when there are
 * any, and how many.
 */

#include <kunit/test.h>
#include <linux/anon_space.h>
#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "../../mm/internal.h"
#include "anon_space_states.h"

/* Only pages that cannot get a new index need an extent. */
static void move_of_private_pages_leaves_no_extent(struct kunit *test)
{
	struct world *w = test->priv;

	world_fault(w);
	user_move(w->parent, 8, 8, FAR);
	user_move(w->parent, FAR, 8, 8);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 0);
	user_move(w->parent, 0, 8, FAR);
	user_move(w->parent, 8, 8, 0);
	user_move(w->parent, FAR, 8, 8);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 0);
	world_check(w);
}

/* However often the same pages move, one extent is enough. */
static void moves_of_shared_pages_leave_one_extent(struct kunit *test)
{
	struct world *w = test->priv;
	unsigned int i, to, at = 8;

	world_share(w);
	for (i = 0; i < 199; i++) {
		to = FAR + i % 50 * 8;
		user_move(w->parent, at, 8, to);
		KUNIT_ASSERT_EQ(test, world_count_extents(), 1);
		at = to;
	}
	user_check_mm(test, current->mm);
	user_move(w->parent, at, 8, 8);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 0);
	world_check(w);
}

/*
 * So it is for whole page tables, whatever was discarded and faulted meanwhile. Where
 * they move entry by entry none is needed.
 */
static void moves_of_tables_leave_one_extent(struct kunit *test)
{
	static const unsigned int stops[] = { USER_AREA, FAR, 3 * USER_AREA };
	struct world *w = test->priv;
	unsigned int i, at = 0;

	user_need_tables(test);
	world_fault(w);
	for (i = 0; i < ARRAY_SIZE(stops); i++) {
		user_move(w->parent, at, USER_AREA, stops[i]);
		KUNIT_EXPECT_LE(test, world_count_extents(), 1);
		KUNIT_EXPECT_EQ(test, world_count_vmas(), 1);
		at = stops[i];
		user_discard(w->parent, at + i, 100);
		user_touch(w->parent, at, USER_AREA, 3, 4 + i);
		world_check_fork(w, w->parent);
	}
	if (IS_ENABLED(CONFIG_HAVE_MOVE_PMD))
		KUNIT_EXPECT_EQ(test, world_count_extents(), 1);
	user_move(w->parent, at, USER_AREA, 0);
	if (IS_ENABLED(CONFIG_HAVE_MOVE_PMD))
		KUNIT_EXPECT_EQ(test, world_count_extents(), 0);
	world_check(w);
}

/**
 * struct refill_case - what is filled at one address again and again, and moves away
 * @name:   as the test prints it
 * @nr:     number of pages
 * @to:     where they go, in pages behind a multiple of USER_AREA
 * @trim:   how many of them are unmapped there
 * @huge:   are there huge pages?
 * @shared: did a child share them that is dead?
 * @few:    how many extents may be left
 */
struct refill_case {
	const char *name;
	unsigned int nr, to, trim;
	bool huge, shared;
	unsigned int few;
};

/* Offsets of half of a range count half. */
static const struct refill_case refill_cases[] = {
	{ "page tables", .nr = USER_AREA, .few = 4 },
	{ "tables of which the first goes", .nr = 2 * USER_AREA,
	  .trim = USER_AREA, .few = 8 },
	{ "huge pages to where they are none", .nr = USER_AREA, .to = 3,
	  .huge = true, .few = 4 },
	{ "pages that were shared", .nr = 18, .to = 3, .shared = true,
	  .few = 4 },
	{ "huge pages that were shared", .nr = USER_AREA, .huge = true,
	  .shared = true, .few = 4 },
};

KUNIT_ARRAY_PARAM_DESC(refill, refill_cases, name);

/* A walk visits all places with the offset of a page: there must not be many. */
static void one_offset_has_few_places(struct kunit *test)
{
	const struct refill_case *c = test->param_value;
	const unsigned long begin = user_addr(USER_WORLD), len = user_len(c->nr);
	const unsigned int times = 12;
	struct world *w = test->priv;
	struct user_mem *p = w->parent;
	unsigned long to;
	unsigned int i;

	user_need_tables(test);
	if (c->huge)
		user_need_huge_pages(test);
	p->huge = c->huge;
	for (i = 0; i < times; i++) {
		user_map(p, 0, c->nr);
		user_touch(p, 0, c->nr, 1, 1);
		if (c->shared) {
			KUNIT_EXPECT_EQ(test, user_fork(&w->fork_task), 0);
			user_exit(&w->fork_task);
		}
		to = begin + i * user_len(3 * USER_AREA) + user_len(c->to);
		KUNIT_EXPECT_EQ(test, to,
				user_mremap(user_addr(0), len, len,
					    MREMAP_MAYMOVE | MREMAP_FIXED, to));
		vm_munmap(to, user_len(c->trim));
	}
	KUNIT_EXPECT_LE(test, world_count_extents(), c->few);
	user_check_mm(test, current->mm);
	user_want(p, 0, c->nr, USER_UNMAPPED);
	world_check(w);
	vm_munmap(begin, user_len(3 * USER_AREA * times));
}

/* A table of any size moves with one extent, also with few pages in it. */
static void move_of_a_large_table_leaves_one_extent(struct kunit *test)
{
	const unsigned long from = user_addr(0), to = from + 2 * PMD_SIZE;
	const unsigned long pages[] = { 0, PMD_SIZE / 2, PMD_SIZE - PAGE_SIZE };
	unsigned int i;
	u32 value;

	KUNIT_ASSERT_EQ(test, from,
			vm_mmap(NULL, from, PMD_SIZE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED |
				MAP_NORESERVE, 0));
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		KUNIT_EXPECT_EQ(test, 0,
				put_user(i + 1,
					 (u32 __user *)(from + pages[i])));
	KUNIT_EXPECT_EQ(test, to,
			user_mremap(from, PMD_SIZE, PMD_SIZE,
				    MREMAP_MAYMOVE | MREMAP_FIXED, to));
	if (IS_ENABLED(CONFIG_HAVE_MOVE_PMD))
		KUNIT_EXPECT_EQ(test, world_count_extents(), 1);
	user_check_mm(test, current->mm);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		KUNIT_EXPECT_EQ(test, 0,
				get_user(value, (u32 __user *)(to + pages[i])));
		KUNIT_EXPECT_EQ(test, i + 1, value);
	}
	KUNIT_EXPECT_EQ(test, from,
			user_mremap(to, PMD_SIZE, PMD_SIZE,
				    MREMAP_MAYMOVE | MREMAP_FIXED, from));
	KUNIT_EXPECT_EQ(test, world_count_extents(), 0);
	user_check_mm(test, current->mm);
}

/*
 * Pages of our own behind shared ones keep their index with them. It is rewritten when
 * nothing is shared any more.
 */
static void pages_that_are_ours_again_leave_no_extent(struct kunit *test)
{
	struct world *w = test->priv;

	world_share(w);
	user_touch(w->parent, 8, 8, 2, 4);
	user_move(w->parent, 8, 8, FAR);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 1);
	world_check(w);
	user_exit(&w->child_task);
	w->child = NULL;
	user_move(w->parent, FAR, 8, FAR + 100);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 0);
	world_check(w);
}

/* Pages that move back have their own offset again, whoever shares them by then. */
static void move_back_leaves_no_extent(struct kunit *test)
{
	struct world *w = test->priv;

	world_share(w);
	user_move(w->parent, 8, 8, FAR);
	user_touch(w->parent, FAR, 1, 1, 4);
	KUNIT_ASSERT_EQ(test, user_fork(&w->fork_task), 0);
	user_move(w->parent, FAR, 8, 8);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 0);
	world_check(w);
	user_exit(&w->fork_task);
	world_check(w);
}

/* munmap() drops the ends of an extent, and its middle stays. */
static void unmap_trims_extents(struct kunit *test)
{
	struct anon_map *map = &current->mm->anon_space.map;
	struct world *w = test->priv;
	struct anon_extent *extent;

	world_share(w);
	user_move(w->parent, 8, 8, FAR);
	user_unmap(w->parent, FAR + 2, 2);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 1);
	world_check(w);
	user_unmap(w->parent, FAR, 2);
	extent = anon_map_find(map, 0, ULONG_MAX);
	KUNIT_ASSERT_NOT_NULL(test, extent);
	KUNIT_EXPECT_EQ(test, extent->start, user_addr(FAR + 4));
	KUNIT_EXPECT_EQ(test, extent->end, user_addr(FAR + 8));
	KUNIT_EXPECT_EQ(test, world_count_extents(), 1);
	world_check(w);
	user_unmap(w->parent, FAR, 8);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 0);
	world_check(w);
}

/* A hole in an extent that grows when a part of a VMA moves away ends the extent. */
static void no_extent_ends_in_a_hole(struct kunit *test)
{
	struct anon_map *map = &current->mm->anon_space.map;
	struct world *w = test->priv;

	world_share(w);
	/* The hole grows upwards. */
	user_move(w->parent, 8, 8, FAR);
	user_map(w->parent, FAR + 8, 8);
	user_touch(w->parent, FAR + 8, 8, 1, 4);
	user_unmap(w->parent, FAR + 2, 3);
	KUNIT_EXPECT_NOT_NULL(test, anon_map_find(map, user_addr(FAR + 2),
						  user_addr(FAR + 5)));
	user_move(w->parent, FAR + 5, 7, 3 * USER_AREA);
	KUNIT_EXPECT_NULL(test, anon_map_find(map, user_addr(FAR + 2),
					      user_addr(FAR + 12)));
	world_check(w);
	/* And downwards. */
	user_map(w->parent, FAR + 100, 4);
	user_touch(w->parent, FAR + 100, 4, 1, 4);
	user_move(w->parent, 246, 8, FAR + 104);
	user_unmap(w->parent, FAR + 108, 2);
	KUNIT_EXPECT_NOT_NULL(test, anon_map_find(map, user_addr(FAR + 108),
						  user_addr(FAR + 110)));
	user_move(w->parent, FAR + 102, 6, 3 * USER_AREA + 64);
	KUNIT_EXPECT_NULL(test, anon_map_find(map, user_addr(FAR + 102),
					      user_addr(FAR + 110)));
	world_check(w);
}

/* So it is with a part of a VMA whose pages have moved, and which stays mapped. */
static void emptied_source_leaves_no_extent(struct kunit *test)
{
	struct world *w = test->priv;
	unsigned int i;

	world_share(w);
	user_map(w->parent, FAR, 100);
	user_touch(w->parent, FAR, 1, 1, 4);
	user_move_out(w->parent, 8, 8, FAR + 16);
	for (i = 16; i < 64; i += 8) {
		user_move_out(w->parent, FAR + i, 8, FAR + i + 8);
		KUNIT_EXPECT_EQ(test, world_count_extents(), 1);
	}
	KUNIT_EXPECT_EQ(test, world_count_vmas(), 2);
	/* To where nothing is mapped. */
	user_move_out(w->parent, FAR + 64, 8, 3 * USER_AREA);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 1);
	KUNIT_EXPECT_EQ(test, world_count_vmas(), 3);
	world_check(w);
}

/* Stock does better here: the VMAs keep their old page offsets, and merge again. */
static void pages_scattered_before_fork_keep_extents(struct kunit *test)
{
	struct world *w = test->priv;
	unsigned int i;

	world_fault(w);
	for (i = 0; i < 16; i += 2)
		user_move(w->parent, i, 1, FAR + i);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 0);
	world_fork(w);
	for (i = 0; i < 16; i += 2)
		user_move(w->parent, FAR + i, 1, i);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 8);
	KUNIT_EXPECT_EQ(test, world_count_vmas(), 1);
	world_check(w);
}

/* A hole in an extent that is filled again does not make two of it. */
static void holes_leave_one_extent(struct kunit *test)
{
	struct world *w = test->priv;
	unsigned int i;

	world_share(w);
	user_move(w->parent, 0, USER_AREA, FAR);
	for (i = 1; i < 64; i += 2) {
		user_unmap(w->parent, FAR + i, 1);
		user_map(w->parent, FAR + i, 1);
		user_touch(w->parent, FAR + i, 1, 1, 4);
		KUNIT_EXPECT_EQ(test, world_count_extents(), 1);
	}
	KUNIT_EXPECT_EQ(test, world_count_vmas(), 1);
	world_check(w);
	world_check_fork(w, w->parent);
}

/* INV-7: what would add too many is refused before anything is changed. */
static void extents_are_limited(struct kunit *test)
{
	struct world *w = test->priv;
	int limit = sysctl_max_map_count;
	unsigned int i, refused = 0;

	world_share(w);
	user_map(w->parent, FAR, USER_AREA);
	user_touch(w->parent, FAR, USER_AREA, 1, 4);
	sysctl_max_map_count = 16;
	for (i = 1; i < 32; i++) {
		if (user_try_move(w->parent, i, 1, FAR + 2 * i))
			refused++;
		else
			user_map(w->parent, i, 1);
		KUNIT_EXPECT_LE(test, world_count_extents(), 16);
	}
	sysctl_max_map_count = limit;
	KUNIT_EXPECT_GT(test, refused, 0);
	KUNIT_EXPECT_EQ(test, world_count_vmas(), 2);
	world_check(w);
}

/* A child has the extents of what it inherits. */
static void fork_inherits_extents(struct kunit *test)
{
	struct world *w = test->priv;
	unsigned int i;

	world_share(w);
	user_map(w->parent, FAR, USER_AREA);
	user_touch(w->parent, FAR, USER_AREA, 1, 4);
	for (i = 0; i < 8; i++)
		user_move(w->parent, 2 * i, 1, FAR + 16 * i);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 8);
	KUNIT_EXPECT_EQ(test, 0, do_madvise(current->mm, user_addr(FAR),
					    user_len(20), MADV_DONTFORK));
	KUNIT_EXPECT_EQ(test, 0, do_madvise(current->mm, user_addr(FAR + 32),
					    user_len(4), MADV_WIPEONFORK));
	KUNIT_ASSERT_EQ(test, user_fork(&w->fork_task), 0);
	KUNIT_EXPECT_EQ(test, w->fork_task.mm->anon_space.map.nr, 5);
	user_check_mm(test, w->fork_task.mm);
	user_exit(&w->fork_task);
	KUNIT_EXPECT_EQ(test, 0, do_madvise(current->mm, user_addr(FAR),
					    user_len(20), MADV_DOFORK));
	KUNIT_EXPECT_EQ(test, 0, do_madvise(current->mm, user_addr(FAR + 32),
					    user_len(4), MADV_KEEPONFORK));
	world_check(w);
}

/* Memory that moves and grows, again and again, has one extent. */
static void growth_leaves_one_extent(struct kunit *test)
{
	struct world *w = test->priv;
	unsigned int i;

	world_share(w);
	user_unmap(w->parent, 8, USER_AREA - 8);
	user_move(w->parent, 0, 8, FAR);
	for (i = 0; i < 10; i++) {
		user_resize(w->parent, FAR, 8 + i, 9 + i);
		user_touch(w->parent, FAR + 8 + i, 1, 1, 4);
		KUNIT_EXPECT_EQ(test, world_count_extents(), 1);
	}
	user_move(w->parent, FAR, 18, FAR + 100);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 1);
	world_check(w);
	world_check_fork(w, w->parent);
}

/* A stack that is shared, and moves and grows in turn, has one extent. */
static void stack_growth_leaves_one_extent(struct kunit *test)
{
	static const unsigned int stops[] = { USER_AREA, 3 * USER_AREA, FAR };
	struct user_child *children;
	struct world *w = test->priv;
	unsigned long addr = user_addr(FAR);
	unsigned int i, at = FAR;

	children = kunit_kcalloc(test, ARRAY_SIZE(stops), sizeof(*children),
				 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, children);

	KUNIT_ASSERT_EQ(test, addr,
			vm_mmap(NULL, addr, user_len(4), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED |
				MAP_GROWSDOWN, 0));
	user_touch(w->parent, FAR, 4, 1, 1);
	world_fork(w);
	for (i = 0; i < ARRAY_SIZE(stops); i++) {
		user_move(w->parent, at, 4 * (i + 1), stops[i] + 8);
		at = stops[i] + 4;
		user_touch(w->parent, at, 4, 1, 2);
		/* So what has grown cannot get another index. */
		KUNIT_EXPECT_EQ(test, user_fork(&children[i]), 0);
		KUNIT_EXPECT_EQ(test, world_count_extents(), 1);
		KUNIT_EXPECT_EQ(test, world_count_vmas(), 1);
	}
	world_check(w);
	world_check_fork(w, w->parent);
	for (i = 0; i < ARRAY_SIZE(stops); i++)
		user_exit(&children[i]);
	world_check(w);
}

/* A move of a range of many extents is limited as well, wherever it goes. */
static void ranges_of_extents_are_limited(struct kunit *test)
{
	const unsigned int nr = 18;
	struct world *w = test->priv;
	int limit = sysctl_max_map_count;
	unsigned int i;

	world_share(w);
	for (i = 0; i < nr; i++)
		user_move(w->parent, i, 1, FAR + nr - 1 - i);
	user_map(w->parent, FAR + nr, 1);
	KUNIT_EXPECT_EQ(test, world_count_extents(), nr);
	sysctl_max_map_count = 2 * nr;
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			user_try_move(w->parent, FAR, nr, FAR + 100));
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			user_try_grow(w->parent, FAR, nr, 2 * nr));
	KUNIT_EXPECT_EQ(test, world_count_extents(), nr);
	/* A single page may move, and any page may move back. */
	KUNIT_EXPECT_EQ(test, 0, user_try_move(w->parent, FAR, 1, FAR + 100));
	sysctl_max_map_count = nr;
	KUNIT_EXPECT_EQ(test, 0,
			user_try_move(w->parent, FAR + 1, 1, nr - 2));
	sysctl_max_map_count = limit;
	KUNIT_EXPECT_EQ(test, world_count_extents(), nr - 1);
	user_want(w->parent, FAR + 101, nr - 1, USER_UNMAPPED);
	world_check(w);
}

/* Where pages move onto an extent and what is around it, each gets its own offset. */
static void pages_move_onto_an_extent(struct kunit *test)
{
	struct world *w = test->priv;

	world_share(w);
	user_map(w->parent, FAR, 64);
	user_touch(w->parent, FAR, 64, 1, 4);
	user_move(w->parent, 8, 4, FAR + 4);
	user_map(w->parent, 3 * USER_AREA, 9);
	user_touch(w->parent, 3 * USER_AREA, 9, 1, 5);
	user_move_out(w->parent, 3 * USER_AREA, 8, FAR + 2);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 1);
	world_check(w);
	world_check_fork(w, w->parent);
}

/* The table that a part of a VMA has left is freed. */
static void emptied_tables_are_freed(struct kunit *test)
{
	struct world *w = test->priv;
	unsigned long bytes;

	user_need_tables(test);
	user_map(w->parent, 0, 2 * USER_AREA);
	user_want(w->parent, 0, 2 * USER_AREA, USER_UNTOUCHED);
	user_touch(w->parent, 0, 2 * USER_AREA, 1, 1);
	bytes = mm_pgtables_bytes(current->mm);
	user_move(w->parent, USER_AREA, USER_AREA, 3 * USER_AREA);
	KUNIT_EXPECT_EQ(test, mm_pgtables_bytes(current->mm), bytes);
	world_check(w);
}

/* Memory that grows while it moves is as if it had grown before. */
static void growing_moves_leave_one_extent(struct kunit *test)
{
	static const unsigned int stops[] = { FAR, 3 * USER_AREA, USER_AREA };
	struct world *w = test->priv;
	unsigned int i, at = 0;

	user_map(w->parent, 0, 4);
	user_touch(w->parent, 0, 4, 1, 1);
	world_fork(w);
	for (i = 0; i < ARRAY_SIZE(stops); i++) {
		user_move_and_grow(w->parent, at, 4 + i, stops[i], 5 + i);
		at = stops[i];
		user_touch(w->parent, at + 4 + i, 1, 1, 4);
		KUNIT_EXPECT_EQ(test, world_count_extents(), 1);
		KUNIT_EXPECT_EQ(test, world_count_vmas(), 1);
		world_check_fork(w, w->parent);
	}
	world_check(w);
}

/* Pages of our own leave none, in swap as well. */
static void swapped_pages_leave_no_extent(struct kunit *test)
{
	struct world *w = test->priv;

	if (!IS_ENABLED(CONFIG_BLK_DEV_RAM))
		kunit_skip(test, "no device to swap to");
	world_fault(w);
	user_page_out(w->parent, 8, 8);
	user_move(w->parent, 8, 8, FAR);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 0);
	world_check(w);
}

/* Shared ones leave none where they move back, next to private ones that do not. */
static void swapped_pages_move_back(struct kunit *test)
{
	struct world *w = test->priv;

	if (!IS_ENABLED(CONFIG_BLK_DEV_RAM))
		kunit_skip(test, "no device to swap to");
	world_fault(w);
	user_page_out(w->parent, 12, 4);
	world_fork(w);
	user_move(w->parent, 12, 4, FAR);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 1);
	user_map(w->parent, FAR + 4, 4);
	user_touch(w->parent, FAR + 4, 4, 1, 4);
	user_move(w->parent, FAR, 8, 12);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 0);
	world_check(w);
}

/* Each page is at the address where it is mapped, and those of others nowhere. */
static void expect_addresses(struct kunit *test, unsigned int first,
			     unsigned int nr)
{
	struct vm_area_struct *vma;
	struct folio_walk fw;
	struct page *page;
	unsigned int i;

	mmap_read_lock(current->mm);
	for (i = first; i < first + nr; i++) {
		vma = vma_lookup(current->mm, user_addr(i));
		if (!vma || !folio_walk_start(&fw, vma, user_addr(i), 0))
			continue;
		page = fw.page;
		folio_walk_end(&fw, vma);
		KUNIT_EXPECT_EQ(test, page_address_in_vma(page, vma),
				user_addr(i));
	}
	mmap_read_unlock(current->mm);
}

static struct page *page_at(unsigned int nr)
{
	struct vm_area_struct *vma;
	struct page *page = NULL;
	struct folio_walk fw;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, user_addr(nr));
	if (vma && folio_walk_start(&fw, vma, user_addr(nr), 0)) {
		page = fw.page;
		folio_walk_end(&fw, vma);
	}
	mmap_read_unlock(current->mm);
	return page;
}

static void find_strangers_page(void *arg)
{
	struct page **page = arg;

	put_user(1, (u32 __user *)user_addr(5));
	*page = page_at(5);
}

static void addresses_of_pages_are_found(struct kunit *test)
{
	struct world *w = test->priv;
	struct page *strangers = NULL, *moved;
	struct vm_area_struct *vma;

	world_share(w);
	user_move(w->parent, 8, 4, FAR);
	user_move(w->parent, 12, 4, 8);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 2);
	expect_addresses(test, 0, 16);
	expect_addresses(test, FAR, 4);

	/* What the child has written is no page of ours. */
	user_run(&w->child_task, find_strangers_page, &strangers);
	KUNIT_ASSERT_NOT_NULL(test, strangers);
	/* A page of ours that has moved is not found where it was. */
	moved = page_at(FAR + 1);
	KUNIT_ASSERT_NOT_NULL(test, moved);
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, user_addr(5));
	KUNIT_EXPECT_EQ(test, page_address_in_vma(strangers, vma), -EFAULT);
	KUNIT_EXPECT_EQ(test, page_address_in_vma(moved, vma), -EFAULT);
	mmap_read_unlock(current->mm);
	user_want(w->child, 5, 1, USER_UNTOUCHED);
	world_check(w);
}

/* ---- moves in place that wait ---- */

/**
 * struct migration - pages that are being migrated while they should move
 * @folio:  those
 * @moved:  completed when whoever moves them is done
 * @end:    ends the migration
 * @waited: has anybody waited for the end?
 */
struct migration {
	struct folio *folio;
	struct completion moved;
	struct work_struct end;
	bool waited;
};

/* Not before somebody waits for it, or nobody will. Time plays no part. */
static void end_migration(struct work_struct *work)
{
	struct migration *migration = container_of(work, struct migration, end);

	for (;;) {
		migration->waited = folio_test_waiters(migration->folio);
		if (migration->waited || completion_done(&migration->moved))
			break;
		schedule_timeout_uninterruptible(1);
	}
	user_migrate_end(migration->folio);
}

/* With mmap_lock for writing they would move without a wait, and leave an extent. */
static void move_in_place_while_they_migrate(struct kunit *test)
{
	struct migration migration = {};
	struct world *w = test->priv;

	user_map(w->parent, FAR, USER_AREA);
	migration.folio = user_migrate_begin(12);
	KUNIT_ASSERT_NOT_NULL(test, migration.folio);
	KUNIT_EXPECT_FALSE(test, folio_mapped(migration.folio));
	init_completion(&migration.moved);
	INIT_WORK_ONSTACK(&migration.end, end_migration);
	schedule_work(&migration.end);
	user_move_out(w->parent, 8, 8, FAR);
	complete(&migration.moved);
	flush_work(&migration.end);
	destroy_work_on_stack(&migration.end);
	KUNIT_EXPECT_TRUE(test, migration.waited);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 0);
	world_check(w);
	world_check_fork(w, w->parent);
}

/* Who moves pages in place waits for one that is being migrated. */
static void move_in_place_waits(struct kunit *test)
{
	user_need_migration(test, false);
	world_fault(test->priv);
	move_in_place_while_they_migrate(test);
}

static void move_in_place_waits_for_huge_page(struct kunit *test)
{
	user_need_migration(test, true);
	world_fault_huge(test->priv);
	move_in_place_while_they_migrate(test);
}

static struct kunit_case extents_cases[] = {
	KUNIT_CASE(move_of_private_pages_leaves_no_extent),
	KUNIT_CASE(moves_of_shared_pages_leave_one_extent),
	KUNIT_CASE(moves_of_tables_leave_one_extent),
	KUNIT_CASE_PARAM(one_offset_has_few_places, refill_gen_params),
	KUNIT_CASE(move_of_a_large_table_leaves_one_extent),
	KUNIT_CASE(pages_that_are_ours_again_leave_no_extent),
	KUNIT_CASE(move_back_leaves_no_extent),
	KUNIT_CASE(unmap_trims_extents),
	KUNIT_CASE(no_extent_ends_in_a_hole),
	KUNIT_CASE(emptied_source_leaves_no_extent),
	KUNIT_CASE(pages_scattered_before_fork_keep_extents),
	KUNIT_CASE(holes_leave_one_extent),
	KUNIT_CASE(growing_moves_leave_one_extent),
	KUNIT_CASE(swapped_pages_leave_no_extent),
	KUNIT_CASE(swapped_pages_move_back),
	KUNIT_CASE(addresses_of_pages_are_found),
	KUNIT_CASE(extents_are_limited),
	KUNIT_CASE(ranges_of_extents_are_limited),
	KUNIT_CASE(pages_move_onto_an_extent),
	KUNIT_CASE(emptied_tables_are_freed),
	KUNIT_CASE(fork_inherits_extents),
	KUNIT_CASE(growth_leaves_one_extent),
	KUNIT_CASE(stack_growth_leaves_one_extent),
	KUNIT_CASE(move_in_place_waits),
	KUNIT_CASE(move_in_place_waits_for_huge_page),
	{}
};

static struct kunit_suite extents_suite = {
	.name = "anon_space_extents",
	.init = world_init_test,
	.exit = world_exit_test,
	.test_cases = extents_cases,
};

kunit_test_suite(extents_suite);

MODULE_DESCRIPTION("KUnit tests of the extents that moves leave");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
