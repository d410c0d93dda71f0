// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is moved in many small pieces: how many there may be, what it
 * costs the kernel, and what is left of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#define LIMIT	1000		/* of mappings */
#define FIRST	0x1000000ul	/* contents of what is moved */
#define OTHER	0x2000000ul	/* contents of what was there */

FIXTURE(pieces)
{
	size_t huge;		/* bytes and pages of a huge page */
	int pages;
	long max_map_count;
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define DATA	FIXTURE_DATA(pieces)

/* Of the parent, which restores the limit even if the test crashes. */
FIXTURE_TEARDOWN_PARENT(pieces)
{
	write_long(MAX_MAP_COUNT, self->max_map_count);
}

FIXTURE_SETUP(pieces)
{
	self->huge = table_size();
	self->pages = self->huge / psize();
	self->max_map_count = read_long(MAX_MAP_COUNT);
	write_long(MAX_MAP_COUNT, LIMIT);
}

static char *page(char *at, size_t nr)
{
	return at + nr * psize();
}

static bool move_page(char *from, char *to)
{
	return move_to(from, psize(), to);
}

/* ---- the limit is reached ---- */

/*
 * Pages that a child shares change their order: page i goes to place nr-1-i,
 * where something is mapped, until there may be no more pieces:
 *
 *	from  .....5678		to  OOOO43210
 *
 * Returns how many have moved.
 */
static size_t reverse(char *from, char *to, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!move_page(page(from, i), page(to, nr - 1 - i)))
			break;
	return i;
}

static bool is_reversed(char *from, char *to, size_t nr, size_t moved)
{
	size_t i;

	if (!count_vmas(page(to, nr - 1 - moved), psize())) {
		printf("# nothing is mapped at the destination\n");
		return false;
	}
	for (i = 0; i < moved; i++)
		if (!pages_have(page(to, nr - 1 - i), 1, FIRST + i))
			return false;
	return pages_have(page(from, moved), nr - moved, FIRST + moved) &&
	       pages_have(to, nr - moved, OTHER);
}

#define MANY	(LIMIT + LIMIT / 2)

/* Fill both ranges, fork a child that shares them, and reverse as many as may be. */
static size_t share_and_reverse(char *from, char *to, pid_t *child)
{
	map_filled(from, MANY, FIRST);
	map_filled(to, MANY, OTHER);
	*child = fork_waiting();
	return reverse(from, to, MANY);
}

/* ENOMEM leaves the page where it is, and what is at its destination. */
TEST_F_TIMEOUT(pieces, limit_spares_destination, TIMEOUT)
{
	char *from = reserve(2 * MANY * psize() + psize());
	char *to = page(from, MANY + 1);
	size_t moved;
	pid_t child;

	moved = share_and_reverse(from, to, &child);
	ASSERT_GT(MANY, moved);
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_LT(LIMIT / 2, moved);
	EXPECT_TRUE(is_reversed(from, to, MANY, moved));
	EXPECT_TRUE(pages_of_have(child, from, MANY, FIRST));
	EXPECT_TRUE(pages_migrate(page(to, MANY - 20), 20));
	EXPECT_TRUE(is_reversed(from, to, MANY, moved));
	EXPECT_TRUE(pages_of_have(child, from, MANY, FIRST));
}

/* The same, but what does not move is a page table, or is to grow. */
TEST_F_TIMEOUT(pieces, limit_spares_large_destination, TIMEOUT)
{
	size_t pages = self->pages, size = self->huge;
	char *table = reserve(8 * size + 2 * MANY * psize());
	char *there = table + 2 * size, *from = table + 5 * size;
	char *to = page(from, MANY + 1);
	size_t moved;
	pid_t child;

	map_filled(table, pages, FIRST);
	map_filled(there, 2 * pages, OTHER);
	moved = share_and_reverse(from, to, &child);
	ASSERT_GT(MANY, moved);
	EXPECT_FALSE(move_to(table, size, there));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_FALSE(move_to(table, size, page(there, 1)));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(MAP_FAILED, mremap(table, size, 2 * size, MREMAP_MAYMOVE |
				     MREMAP_FIXED, there));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(MAP_FAILED, mremap(table, size, size, MREMAP_MAYMOVE |
				     MREMAP_FIXED | MREMAP_DONTUNMAP, there));
	EXPECT_EQ(ENOMEM, errno);
	ASSERT_EQ(1, count_vmas(there, 2 * size));
	EXPECT_TRUE(pages_have(table, pages, FIRST));
	EXPECT_TRUE(pages_have(there, 2 * pages, OTHER));
	EXPECT_TRUE(is_reversed(from, to, MANY, moved));
	EXPECT_TRUE(pages_of_have(child, table, pages, FIRST));
}

/* What did not move does as soon as there is room again. */
TEST_F_TIMEOUT(pieces, limit_is_given_back, TIMEOUT)
{
	char *from = reserve(2 * MANY * psize() + psize());
	char *to = page(from, MANY + 1);
	size_t moved;
	pid_t child;

	moved = share_and_reverse(from, to, &child);
	ASSERT_GT(MANY, moved);
	/* Half of what was moved goes away. */
	ASSERT_EQ(0, munmap(page(to, MANY - moved / 2),
			    moved / 2 * psize()));
	EXPECT_TRUE(move_page(page(from, moved), page(to, MANY - 1 - moved)));
	EXPECT_TRUE(move_page(page(from, moved + 1),
			      page(to, MANY - 2 - moved)));
	EXPECT_TRUE(pages_have(page(to, MANY - 1 - moved), 1, FIRST + moved));
	EXPECT_TRUE(pages_of_have(child, from, MANY, FIRST));
}

/* ---- pages out of huge pages ---- */

#define HUGE_PAGES	6
#define GATHERED	3000

static char *map_huge(DATA *self, char *at, int nr)
{
	map_filled(at, nr * self->pages, FIRST);
	if (!make_huge(at, nr * self->huge))
		exit(KSFT_FAIL);
	return at;
}

/*
 * A collector takes pages from each of six huge pages in turn and puts them one
 * behind the other: more than there may be mappings.
 */
TEST_F_TIMEOUT(pieces, gather_out_of_huge_pages, TIMEOUT)
{
	char *heap = reserve(2 * (HUGE_PAGES + 1) * self->huge);
	char *to = heap + (HUGE_PAGES + 1) * self->huge;
	int i, from;

	map_huge(self, heap, HUGE_PAGES);
	for (i = 0; i < GATHERED; i++) {
		from = i % HUGE_PAGES * self->pages + i / HUGE_PAGES;
		ASSERT_TRUE(move_page(page(heap, from), page(to, i)))
			TH_LOG("%d pages have moved, errno %d", i, errno);
	}
	EXPECT_EQ(1, count_vmas(to, GATHERED * psize()));
	for (i = 0; i < GATHERED; i++) {
		from = i % HUGE_PAGES * self->pages + i / HUGE_PAGES;
		EXPECT_TRUE(pages_have(page(to, i), 1, FIRST + from));
	}
	/* The first page of each has the reference of who has split it. */
	EXPECT_TRUE(pages_migrate(to, HUGE_PAGES));
	EXPECT_TRUE(pages_migrate(page(to, 1000), 30));
	EXPECT_TRUE(page_out(page(to, 1100), 30 * psize()));
	for (i = 1000; i < 1130; i++) {
		from = i % HUGE_PAGES * self->pages + i / HUGE_PAGES;
		EXPECT_TRUE(pages_have(page(to, i), 1, FIRST + from));
	}
}

#define KPF_COMPOUND_HEAD	15
#define KPF_COMPOUND_TAIL	16
#define SCATTERED		200

/* One that a child has as well stays whole in the child, although there are many pieces. */
TEST_F_TIMEOUT(pieces, out_of_shared_huge_page, TIMEOUT)
{
	const uint64_t whole = 1ull << KPF_COMPOUND_HEAD | 1ull << KPF_COMPOUND_TAIL;
	char *start = map_huge(self, reserve(4 * self->huge), 1);
	char *from = start + self->huge, *to = start + 2 * self->huge;
	pid_t child;

	map_filled(from, SCATTERED, FIRST);
	map_range(to, 2 * SCATTERED * psize());
	child = fork_waiting();
	ASSERT_EQ(SCATTERED, reverse(from, to, SCATTERED));
	ASSERT_TRUE(move_page(page(start, 7), page(to, SCATTERED)));
	EXPECT_TRUE(page_flags(pfn_of(child, page(start, 7))) & whole);
	EXPECT_TRUE(page_flags(pfn_of(0, start)) & whole);
	EXPECT_TRUE(pages_have(page(to, SCATTERED), 1, FIRST + 7));
	EXPECT_TRUE(pages_of_have(child, start, self->pages, FIRST));
}

#define PIECES		80

/* Many pieces, none of which is anywhere else, do not keep page tables from moving whole. */
TEST_F_TIMEOUT(pieces, move_as_tables, TIMEOUT)
{
	char *start = reserve(8 * self->huge), *to = start + 4 * self->huge;
	char *shared = start + 2 * self->huge;
	const long tables = vmstat("anon_space_tables");
	pid_t child;
	int i;

	map_filled(shared, 2 * PIECES, OTHER);
	child = fork_waiting();
	map_filled(start, 2 * self->pages, FIRST);
	for (i = 0; i < PIECES; i++)
		ASSERT_TRUE(move_page(page(shared, 2 * (PIECES - 1 - i)),
				      page(start, i)));
	ASSERT_EQ(1, count_vmas(start, 2 * self->huge));
	EXPECT_TRUE(move_to(start, 2 * self->huge, to));
	/* Stock has no such counter. */
	if (tables >= 0)
		EXPECT_LE(tables + 2, vmstat("anon_space_tables"));
	for (i = 0; i < PIECES; i++)
		EXPECT_TRUE(pages_have(page(to, i), 1,
				       OTHER + 2 * (PIECES - 1 - i)));
	EXPECT_TRUE(pages_have(page(to, PIECES), 2 * self->pages - PIECES,
			       FIRST + PIECES));
	EXPECT_TRUE(pages_of_have(child, shared, 2 * PIECES, OTHER));
}

#define TIMES	16
#define FEW_EXTENTS	64	/* with fewer an mm does not split huge pages that move */
#define SLACK		16	/* extents of others */

/* Stock has neither extents nor these counters. */
static long extents(void)
{
	return vmstat("anon_space_extent_made") -
	       vmstat("anon_space_extent_freed");
}

/*
 * A huge page whose pages have moved, each to another place, and were discarded
 * leaves little behind; a new one there is found as if there had been none.
 */
TEST_F_TIMEOUT(pieces, discarded_pages_of_huge_page, TIMEOUT)
{
	size_t last = self->pages - 1;
	char *start, *to;
	long before;
	int i, nr;

	/* This test needs more than the limit. */
	write_long(MAX_MAP_COUNT, self->max_map_count);
	start = reserve((TIMES + 4) * self->huge);
	before = extents();
	for (i = 0; i < TIMES; i++) {
		map_huge(self, start, 1);
		to = start + (i + 2) * self->huge;
		for (nr = 0; nr <= last; nr++)
			ASSERT_TRUE(move_page(page(start, nr),
					      page(to, last - nr)));
		EXPECT_TRUE(pages_have(page(to, last), 1, FIRST));
		ASSERT_EQ(0, madvise(to, self->huge, MADV_DONTNEED));
	}
	EXPECT_GT(before + FEW_EXTENTS + SLACK, extents()) {
		TH_LOG("%ld extents before, %ld now", before, extents());
	}
	map_huge(self, start, 1);
	EXPECT_TRUE(are_huge(start, 1, self->huge));
	EXPECT_TRUE(pages_migrate(start, 1));
	EXPECT_TRUE(pages_have(start, self->pages, FIRST));
	EXPECT_TRUE(page_out(start, self->huge));
	EXPECT_TRUE(pages_have(start, self->pages, FIRST));
}

#define SLAB_RCU	"/sys/kernel/slab/anon_extent/destroy_by_rcu"

/* Whoever looks one up without a lock may look at it when it has been freed. */
TEST_F(pieces, extents_stay_extents)
{
	if (!access(SLAB_RCU, R_OK))
		EXPECT_EQ(1, read_long(SLAB_RCU));
}

/* ---- pieces that a child does not inherit ---- */

#define IN_PARENT	900
#define IN_CHILD	200

static bool child_moves_many(void *arg)
{
	char *from = arg, *to = page(from, IN_CHILD + 1);
	int i;

	for (i = 0; i < IN_CHILD; i++) {
		if (!move_page(page(from, i), page(to, IN_CHILD - 1 - i))) {
			printf("# %d pages have moved, errno %d\n", i, errno);
			return false;
		}
	}
	for (i = 0; i < IN_CHILD; i++)
		if (!pages_have(page(to, IN_CHILD - 1 - i), 1, FIRST + i))
			return false;
	return pages_migrate(to, IN_CHILD / 10);
}

/* 900 pieces, and 200 other pages, which the child moves as well. */
static bool child_has_room(int advice)
{
	char *from = reserve((2 * IN_PARENT + 2 * IN_CHILD + 4) * psize());
	char *to = page(from, IN_PARENT + 1);
	char *others = page(to, IN_PARENT + 1);
	int moved;

	map_filled(from, IN_PARENT, FIRST);
	map_filled(others, IN_CHILD, FIRST);
	map_range(to, IN_PARENT * psize());
	map_range(page(others, IN_CHILD + 1), IN_CHILD * psize());
	fork_waiting();
	moved = reverse(from, to, IN_PARENT);
	if (moved < IN_PARENT) {
		printf("# %d moves of the parent\n", moved);
		return false;
	}
	return !madvise(to, IN_PARENT * psize(), advice) &&
	       child_says(child_moves_many, others) &&
	       pages_have(others, IN_CHILD, FIRST) &&
	       pages_have(page(to, IN_PARENT - 1), 1, FIRST);
}

TEST_F_TIMEOUT(pieces, fork_without_pieces, TIMEOUT)
{
	EXPECT_TRUE(child_has_room(MADV_DONTFORK));
}

/* The memory is empty in the child, which has no extent for it. */
TEST_F_TIMEOUT(pieces, fork_wiped_pieces, TIMEOUT)
{
	EXPECT_TRUE(child_has_room(MADV_WIPEONFORK));
}

TEST_HARNESS_MAIN
