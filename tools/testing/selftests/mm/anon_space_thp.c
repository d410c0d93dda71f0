// SPDX-License-Identifier: GPL-2.0
/*
 * Huge pages that are moved as a whole stay huge; parts of them can be moved,
 * written and unmapped by any process that has them.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#define NEW	0x7770000ul

FIXTURE(thp)
{
	struct area a;
	size_t huge;	/* bytes and pages of a huge page */
	int pages;
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define DATA	FIXTURE_DATA(thp)

FIXTURE_VARIANT(thp)
{
	enum area_state state;
};

FIXTURE_VARIANT_ADD(thp, private) { .state = HUGE };
FIXTURE_VARIANT_ADD(thp, forked) { .state = HUGE_FORKED };

/* Units 0 and 1 are huge pages. */
FIXTURE_SETUP(thp)
{
	area_init(&self->a, variant->state);
	self->huge = self->a.unit;
	self->pages = self->huge / psize();
	area_fill(&self->a, 0, 2);
	area_ready(&self->a);
}

FIXTURE_TEARDOWN(thp)
{
}

static bool is_huge(void *addr, size_t huge)
{
	return are_huge(addr, 1, huge);
}

static void *page(DATA *self, int unit, int page)
{
	return area_at(&self->a, unit) + page * psize();
}

/* Page @nr and following of unit 0. */
static unsigned long contents(int nr)
{
	return 0x1000000 + nr;
}

static void *move(void *from, size_t size, void *to)
{
	return mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

/* ---- as a whole ---- */

TEST_F_TIMEOUT(thp, move_whole, TIMEOUT)
{
	area_move(&self->a, 0, 2, 4);
	EXPECT_TRUE(are_huge(area_at(&self->a, 4), 2, self->huge));
	EXPECT_TRUE(area_migrates(&self->a, 4, 2));
	/* Of 32 bits, they are split by that. */
	EXPECT_TRUE(sizeof(long) < 8 ||
		    are_huge(area_at(&self->a, 4), 2, self->huge));
	EXPECT_TRUE(area_has(&self->a, 4, 2, 0));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

TEST_F_TIMEOUT(thp, move_whole_many_times, TIMEOUT)
{
	int i;

	for (i = 0; i < 12; i += 3)
		area_move(&self->a, i, 2, i + 3);
	EXPECT_TRUE(are_huge(area_at(&self->a, 12), 2, self->huge));
	EXPECT_TRUE(area_migrates(&self->a, 12, 2));
	EXPECT_TRUE(area_has(&self->a, 12, 2, 0));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* The offsets of what was there go on to the left and to the right of it. */
TEST_F_TIMEOUT(thp, move_between_shared_ones, TIMEOUT)
{
	void *from = area_at(&self->a, 2), *to = area_at(&self->a, 6);
	void *middle = area_at(&self->a, 7);

	map_range(from, 3 * self->huge);
	fill_pages(from, 3 * self->pages, contents(0));
	ASSERT_TRUE(make_huge(from, 3 * self->huge));
	fork_waiting();
	ASSERT_EQ(to, move(from, 3 * self->huge, to));
	map_range(from, self->huge);
	fill_pages(from, self->pages, 0x777);
	ASSERT_TRUE(make_huge(from, self->huge));
	ASSERT_EQ(middle, move(from, self->huge, middle));
	EXPECT_TRUE(pages_migrate(to, 3 * self->pages));
	EXPECT_TRUE(pages_have(to, self->pages, contents(0)));
	EXPECT_TRUE(pages_have(middle, self->pages, 0x777));
}

/* Not to a boundary of huge pages: all pages of it are mapped one by one. */
TEST_F_TIMEOUT(thp, move_unaligned, TIMEOUT)
{
	void *to = page(self, 4, 3);

	ASSERT_EQ(to, move(area_at(&self->a, 0), self->huge, to));
	EXPECT_TRUE(pages_have(to, self->pages, contents(0)));
	EXPECT_TRUE(pages_migrate(to, self->pages));
	EXPECT_TRUE(pages_have(to, self->pages, contents(0)));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* Most of where it is becomes another huge page; the rest is found behind that. */
TEST_F_TIMEOUT(thp, move_unaligned_and_replace, TIMEOUT)
{
	void *to = page(self, 4, 3), *rest = area_at(&self->a, 5);

	ASSERT_EQ(to, move(area_at(&self->a, 0), self->huge, to));
	map_range(area_at(&self->a, 4), self->huge);
	fill_pages(area_at(&self->a, 4), self->pages, 0x777);
	ASSERT_TRUE(make_huge(area_at(&self->a, 4), self->huge));
	EXPECT_TRUE(pages_migrate(rest, 3));
	EXPECT_TRUE(pages_have(rest, 3, contents(self->pages - 3)));
	EXPECT_TRUE(pages_have(area_at(&self->a, 4), self->pages, 0x777));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/*
 * A huge page H that a child shares, and four small ones s before it, to where the
 * second small one is at @to:
 *
 *	unit	 2         3               6         7
 *	before	|.....ssss|HHHHHHHHH| ... |.........|.........|
 *	after	|.........|.........| ..s |sssHHHHHH|HHH......|
 */
static bool move_with_others(DATA *self, void *to)
{
	void *from = page(self, 2, self->pages - 4), *huge = area_at(&self->a, 3);

	map_filled(from, 4, contents(-4));
	map_filled(huge, self->pages, contents(0));
	if (!make_huge(huge, self->huge))
		return false;
	fork_waiting();
	return move_to(from, self->huge + 4 * psize(), to - psize());
}

/*
 * The same where the offset goes on from what was moved before the huge page, so that
 * the other one begins at the offset of that, and what is looked for inside of it. The
 * page table has gone elsewhere: there is none where the other one is faulted in.
 */
TEST_F_TIMEOUT(thp, move_with_others_and_replace, TIMEOUT)
{
	void *to = area_at(&self->a, 6), *rest = area_at(&self->a, 7);
	void *elsewhere = area_at(&self->a, 10);

	ASSERT_TRUE(move_with_others(self, to));
	ASSERT_EQ(elsewhere, mremap(to, self->huge, self->huge, MREMAP_MAYMOVE |
				    MREMAP_FIXED | MREMAP_DONTUNMAP, elsewhere));
	ASSERT_EQ(0, madvise(to, self->huge, MADV_HUGEPAGE));
	/* There has to be a free huge page: with small ones there would be a table. */
	write_string("/proc/sys/vm/compact_memory", "1");
	fill_pages(to, self->pages, 0x777);
	EXPECT_TRUE(is_huge(to, self->huge));
	EXPECT_TRUE(pages_migrate(rest, 3));
	EXPECT_TRUE(pages_have(rest, 3, contents(self->pages - 3)));
	EXPECT_TRUE(pages_have(to, self->pages, 0x777));
}

/* The same, but all keep the offsets of what was moved: one search meets both. */
TEST_F_TIMEOUT(thp, move_with_others_and_collapse, TIMEOUT)
{
	void *to = area_at(&self->a, 6), *rest = area_at(&self->a, 7);

	ASSERT_TRUE(move_with_others(self, to));
	ASSERT_EQ(0, madvise(to, self->huge, MADV_DONTNEED));
	fill_pages(to, self->pages, 0x777);
	ASSERT_TRUE(make_huge(to, self->huge));
	EXPECT_EQ(pfn_of(0, to) + self->pages - 1,
		  pfn_of(0, to + self->huge - psize()));
	EXPECT_TRUE(pages_migrate(rest, 3));
	EXPECT_TRUE(pages_have(rest, 3, contents(self->pages - 3)));
	EXPECT_TRUE(pages_have(to, self->pages, 0x777));
}

TEST_F_TIMEOUT(thp, move_unaligned_and_back, TIMEOUT)
{
	void *to = page(self, 4, 3);

	ASSERT_EQ(to, move(area_at(&self->a, 0), self->huge, to));
	ASSERT_NE(MAP_FAILED, move(to, self->huge, area_at(&self->a, 0)));
	EXPECT_TRUE(area_has(&self->a, 0, 2, 0));
	EXPECT_TRUE(pages_migrate(area_at(&self->a, 0), self->pages));
	EXPECT_TRUE(area_has(&self->a, 0, 2, 0));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* ---- in parts ---- */

TEST_F_TIMEOUT(thp, move_half, TIMEOUT)
{
	int half = self->pages / 2;
	void *to = page(self, 4, half);

	ASSERT_EQ(to, move(page(self, 0, half), half * psize(), to));
	EXPECT_TRUE(pages_migrate(to, half));
	EXPECT_TRUE(pages_migrate(area_at(&self->a, 0), half));
	EXPECT_TRUE(pages_have(to, half, contents(half)));
	EXPECT_TRUE(pages_have(area_at(&self->a, 0), half, contents(0)));
	EXPECT_TRUE(area_has(&self->a, 1, 1, 1));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* A window over the boundary of two huge pages. */
TEST_F_TIMEOUT(thp, move_across_boundary, TIMEOUT)
{
	int half = self->pages / 2;
	void *to = area_at(&self->a, 4);

	ASSERT_EQ(to, move(page(self, 0, half), self->huge, to));
	EXPECT_TRUE(pages_migrate(to, self->pages));
	EXPECT_TRUE(pages_have(to, self->pages, contents(half)));
	EXPECT_TRUE(pages_have(area_at(&self->a, 0), half, contents(0)));
	EXPECT_TRUE(pages_have(page(self, 1, half), half,
			       contents(self->pages + half)));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* Single pages, each to another place. */
TEST_F_TIMEOUT(thp, scatter, TIMEOUT)
{
	int i;

	for (i = 0; i < 64; i++)
		ASSERT_EQ(page(self, 4, 2 * i),
			  move(page(self, 0, 3 * i), psize(),
			       page(self, 4, 2 * i)));
	for (i = 0; i < 64; i++) {
		EXPECT_TRUE(pages_have(page(self, 4, 2 * i), 1,
				       contents(3 * i)));
		EXPECT_TRUE(pages_have(page(self, 0, 3 * i + 1), 2,
				       contents(3 * i + 1)));
		EXPECT_TRUE(pages_migrate(page(self, 4, 2 * i), 1));
	}
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* Two pages change places in their huge page. */
TEST_F_TIMEOUT(thp, swap_inside, TIMEOUT)
{
	ASSERT_NE(MAP_FAILED, move(page(self, 0, 5), psize(),
				   page(self, 4, 0)));
	ASSERT_NE(MAP_FAILED, move(page(self, 0, 9), psize(),
				   page(self, 0, 5)));
	ASSERT_NE(MAP_FAILED, move(page(self, 4, 0), psize(),
				   page(self, 0, 9)));
	EXPECT_TRUE(pages_migrate(page(self, 0, 0), 16));
	EXPECT_TRUE(pages_have(page(self, 0, 5), 1, contents(9)));
	EXPECT_TRUE(pages_have(page(self, 0, 9), 1, contents(5)));
	EXPECT_TRUE(pages_have(page(self, 0, 6), 3, contents(6)));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* A few pages further in its own range, so it is visited twice. */
TEST_F_TIMEOUT(thp, shift_inside, TIMEOUT)
{
	int i;

	for (i = 15; i >= 0; i--)
		ASSERT_EQ(page(self, 0, i + 4),
			  move(page(self, 0, i), psize(),
			       page(self, 0, i + 4)));
	EXPECT_TRUE(pages_have(page(self, 0, 4), 16, contents(0)));
	EXPECT_TRUE(pages_migrate(page(self, 0, 4), 32));
	EXPECT_TRUE(pages_have(page(self, 0, 4), 16, contents(0)));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* ---- what is done to moved ones ---- */

TEST_F_TIMEOUT(thp, move_and_write, TIMEOUT)
{
	area_move(&self->a, 0, 1, 4);
	fill_pages(page(self, 4, 7), 2, NEW);
	EXPECT_TRUE(pages_migrate(page(self, 4, 0), 16));
	EXPECT_TRUE(pages_have(page(self, 4, 0), 7, contents(0)));
	EXPECT_TRUE(pages_have(page(self, 4, 7), 2, NEW));
	EXPECT_TRUE(pages_have(page(self, 4, 9), self->pages - 9,
			       contents(9)));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

TEST_F_TIMEOUT(thp, move_and_split, TIMEOUT)
{
	area_move(&self->a, 0, 1, 4);
	ASSERT_EQ(0, munmap(page(self, 4, 7), psize()));
	EXPECT_TRUE(pages_migrate(page(self, 4, 0), 7));
	EXPECT_TRUE(pages_have(page(self, 4, 0), 7, contents(0)));
	EXPECT_TRUE(pages_migrate(page(self, 4, 8), 16));
	EXPECT_TRUE(pages_have(page(self, 4, 8), self->pages - 8,
			       contents(8)));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

TEST_F_TIMEOUT(thp, move_half_and_page_out, TIMEOUT)
{
	int half = self->pages / 2;
	void *to = page(self, 4, half);

	ASSERT_EQ(to, move(page(self, 0, half), half * psize(), to));
	try_page_out(to, half * psize());
	try_page_out(page(self, 0, 0), half * psize());
	EXPECT_TRUE(pages_have(to, half, contents(half)));
	EXPECT_TRUE(pages_have(page(self, 0, 0), half, contents(0)));
	EXPECT_TRUE(pages_migrate(to, 16));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/*
 * Pages from everywhere become a huge page. The kernel wants at least one of
 * them to be writable, hence not shared.
 */
TEST_F_TIMEOUT(thp, move_unaligned_and_collapse, TIMEOUT)
{
	int half = self->pages / 2;
	void *to = area_at(&self->a, 4);

	ASSERT_EQ(to, move(page(self, 0, half), self->huge, to));
	fill_pages(to, 1, contents(half));
	EXPECT_TRUE(make_huge(to, self->huge));
	EXPECT_TRUE(is_huge(to, self->huge));
	EXPECT_TRUE(pages_have(to, self->pages, contents(half)));
	EXPECT_TRUE(pages_migrate(to, 1));
	EXPECT_TRUE(pages_have(to, self->pages, contents(half)));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* Half of it moves away, comes back, and it is collapsed. */
TEST_F_TIMEOUT(thp, move_half_back_and_collapse, TIMEOUT)
{
	int half = self->pages / 2;

	ASSERT_NE(MAP_FAILED, move(page(self, 0, half), half * psize(),
				   page(self, 4, 3)));
	ASSERT_NE(MAP_FAILED, move(page(self, 4, 3), half * psize(),
				   page(self, 0, half)));
	fill_pages(page(self, 0, half), 1, contents(half));
	EXPECT_TRUE(make_huge(page(self, 0, 0), self->huge));
	EXPECT_TRUE(area_has(&self->a, 0, 2, 0));
	EXPECT_TRUE(area_migrates(&self->a, 0, 2));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

TEST_F_TIMEOUT(thp, move_whole_and_page_out, TIMEOUT)
{
	area_move(&self->a, 0, 2, 4);
	try_page_out(area_at(&self->a, 4), 2 * self->huge);
	EXPECT_TRUE(area_has(&self->a, 4, 2, 0));
	EXPECT_TRUE(pages_migrate(area_at(&self->a, 4), 8));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

static bool moves_other_half(void *arg)
{
	DATA *self = arg;
	int half = self->pages / 2;
	void *to = page(self, 6, 1);

	return move(page(self, 0, 0), half * psize(), to) == to &&
	       pages_have(to, half, contents(0)) &&
	       pages_have(page(self, 4, half), half, contents(half)) &&
	       pages_migrate(to, half) &&
	       pages_migrate(page(self, 4, half), half) &&
	       pages_have(to, half, contents(0)) &&
	       pages_have(page(self, 4, half), half, contents(half));
}

/* Parent, child and perhaps grandparent have it at three places. */
TEST_F_TIMEOUT(thp, halves_in_child, TIMEOUT)
{
	int half = self->pages / 2;
	void *to = page(self, 4, half);

	ASSERT_EQ(to, move(page(self, 0, half), half * psize(), to));
	EXPECT_TRUE(child_says(moves_other_half, self));
	EXPECT_TRUE(pages_have(to, half, contents(half)));
	EXPECT_TRUE(pages_have(page(self, 0, 0), half, contents(0)));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

static bool writes_to_moved(void *arg)
{
	DATA *self = arg;

	fill_pages(page(self, 4, 100), 1, NEW);
	return pages_have(page(self, 4, 100), 1, NEW) &&
	       pages_have(page(self, 4, 101), 100, contents(101)) &&
	       pages_migrate(page(self, 4, 96), 16);
}

TEST_F_TIMEOUT(thp, move_and_write_in_child, TIMEOUT)
{
	area_move(&self->a, 0, 1, 4);
	EXPECT_TRUE(child_says(writes_to_moved, self));
	EXPECT_TRUE(pages_have(page(self, 4, 0), self->pages, contents(0)));
	EXPECT_TRUE(pages_migrate(page(self, 4, 0), 1));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

TEST_HARNESS_MAIN
