// SPDX-License-Identifier: GPL-2.0
/*
 * Swapped memory that is moved, forked and read back in any order: whoever has
 * the swap entry gets the contents, and the kernel finds all mappings of the
 * page that was read back.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#define NEW	0x7770000ul
#define TIMES	10

FIXTURE(swap)
{
	struct area a;
};

FIXTURE_VARIANT(swap)
{
	bool child_reads;	/* first, that is, before its parent */
	bool child_moves;
	bool parent_moves;
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define VARIANT	FIXTURE_VARIANT(swap)

FIXTURE_VARIANT_ADD(swap, parent_reads_first) { };
FIXTURE_VARIANT_ADD(swap, child_reads_first) { .child_reads = true };
FIXTURE_VARIANT_ADD(swap, parent_moves) { .parent_moves = true };
FIXTURE_VARIANT_ADD(swap, parent_moves_child_reads_first) {
	.parent_moves = true, .child_reads = true
};

FIXTURE_VARIANT_ADD(swap, child_moves) { .child_moves = true };
FIXTURE_VARIANT_ADD(swap, child_moves_and_reads_first) {
	.child_moves = true, .child_reads = true
};

FIXTURE_VARIANT_ADD(swap, both_move) {
	.parent_moves = true, .child_moves = true
};

FIXTURE_VARIANT_ADD(swap, both_move_child_reads_first) {
	.parent_moves = true, .child_moves = true, .child_reads = true
};

/* Units 0 to 5 are filled and in memory. */
FIXTURE_SETUP(swap)
{
	area_init(&self->a, FAULTED);
	area_fill(&self->a, 0, 6);
}

FIXTURE_TEARDOWN(swap)
{
}

static bool swap_out(struct area *a, int first, int nr)
{
	return page_out(area_at(a, first), area_size(a, nr));
}

static bool is_good(struct area *a, int at, int nr, int first)
{
	return area_has(a, at, nr, first) && area_migrates(a, at, nr) &&
	       area_has(a, at, nr, first);
}

static bool child_is_good(struct area *a, bool moves)
{
	if (moves)
		area_move(a, 0, 6, 7);
	return is_good(a, moves ? 7 : 0, 6, 0);
}

/*
 * Fork with everything swapped out, and let parent and child move and read as
 * the variant says. Pipes tell who is next: nothing to read means go.
 */
static bool run_child(struct area *a, const VARIANT *variant,
		      void (*meanwhile)(struct area *a))
{
	int child_goes[2], child_is_done[2], status;
	bool good = true;
	pid_t pid;
	char c;

	if (pipe(child_goes) || pipe(child_is_done))
		return false;
	pid = fork();
	if (!pid) {
		close(child_goes[1]);
		close(child_is_done[0]);
		if (!variant->child_reads)
			good = !read(child_goes[0], &c, 1);
		good = child_is_good(a, variant->child_moves) && good;
		close(child_is_done[1]);
		/* Stay for as long as the parent looks at the pages. */
		if (read(child_goes[0], &c, 1))
			good = false;
		_exit(!good);
	}
	close(child_is_done[1]);
	if (variant->child_reads)
		good = !read(child_is_done[0], &c, 1);
	meanwhile(a);
	good = is_good(a, variant->parent_moves ? 10 : 0, 6, 0) && good;
	close(child_goes[1]);
	return waitpid(pid, &status, 0) == pid && !status && good;
}

static void stay(struct area *a)
{
}

static void move_to_10(struct area *a)
{
	area_move(a, 0, 6, 10);
}

/* The parent moves it, if at all, after the fork. */
TEST_F_TIMEOUT(swap, fork_then_move, TIMEOUT)
{
	ASSERT_TRUE(swap_out(&self->a, 0, 6));
	EXPECT_TRUE(run_child(&self->a, variant,
			      variant->parent_moves ? move_to_10 : stay));
}

/* The page that was read back is written by one of them, and paged out again */
static void read_write_page_out(struct area *a)
{
	if (!area_has(a, 0, 6, 0))
		_exit(KSFT_FAIL);
	fill_pages(area_at(a, 0), 1, NEW);
	if (!swap_out(a, 0, 1) || !pages_have(area_at(a, 0), 1, NEW))
		_exit(KSFT_FAIL);
	fill_pages(area_at(a, 0), 1, 0x1000000);
}

/* The same where the pages have moved, to and back. */
static void move_read_write_page_out(struct area *a)
{
	area_move(a, 0, 6, 10);
	if (!area_has(a, 10, 6, 0))
		_exit(KSFT_FAIL);
	fill_pages(area_at(a, 10), 1, NEW);
	if (!swap_out(a, 10, 1) || !pages_have(area_at(a, 10), 1, NEW))
		_exit(KSFT_FAIL);
	fill_pages(area_at(a, 10), 1, 0x1000000);
	area_move(a, 10, 6, 0);
}

TEST_F_TIMEOUT(swap, fork_then_write_and_page_out, TIMEOUT)
{
	FIXTURE_VARIANT(swap) v = *variant;

	v.parent_moves = false;
	ASSERT_TRUE(swap_out(&self->a, 0, 6));
	EXPECT_TRUE(run_child(&self->a, &v, read_write_page_out));
}

TEST_F_TIMEOUT(swap, fork_then_move_write_and_page_out, TIMEOUT)
{
	FIXTURE_VARIANT(swap) v = *variant;

	v.parent_moves = false;
	ASSERT_TRUE(swap_out(&self->a, 0, 6));
	EXPECT_TRUE(run_child(&self->a, &v, move_read_write_page_out));
}

/* ---- one process ---- */

FIXTURE(swap_private)
{
	struct area a;
};

FIXTURE_SETUP(swap_private)
{
	area_init(&self->a, FAULTED);
	area_fill(&self->a, 0, 6);
}

FIXTURE_TEARDOWN(swap_private)
{
}

TEST_F(swap_private, move_then_read)
{
	ASSERT_TRUE(swap_out(&self->a, 0, 6));
	area_move(&self->a, 0, 6, 8);
	EXPECT_TRUE(is_good(&self->a, 8, 6, 0));
}

/* Read, so that the page is in the swap cache, too, when it moves. */
TEST_F(swap_private, read_then_move)
{
	ASSERT_TRUE(swap_out(&self->a, 0, 6));
	EXPECT_TRUE(area_has(&self->a, 0, 6, 0));
	area_move(&self->a, 0, 6, 8);
	EXPECT_TRUE(is_good(&self->a, 8, 6, 0));
}

TEST_F(swap_private, again_and_again)
{
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_TRUE(swap_out(&self->a, i, 6));
		if (i % 2)
			EXPECT_TRUE(area_has(&self->a, i, 6, 0));
		area_move(&self->a, i, 6, AREA_UNITS);
		area_move(&self->a, AREA_UNITS, 6, i + 1);
	}
	EXPECT_TRUE(is_good(&self->a, 10, 6, 0));
}

TEST_F(swap_private, fill_the_source)
{
	ASSERT_TRUE(swap_out(&self->a, 0, 6));
	area_move(&self->a, 0, 6, 8);
	area_map(&self->a, 0, 6);
	fill_pages(area_at(&self->a, 0), 6, NEW);
	ASSERT_TRUE(swap_out(&self->a, 0, 6));
	EXPECT_TRUE(is_good(&self->a, 8, 6, 0));
	EXPECT_TRUE(pages_have(area_at(&self->a, 0), 6, NEW));
}

TEST_F(swap_private, dontneed_and_swap_places)
{
	ASSERT_TRUE(swap_out(&self->a, 0, 6));
	ASSERT_EQ(0, madvise(area_at(&self->a, 2), area_size(&self->a, 2),
			     MADV_DONTNEED));
	area_move(&self->a, 0, 3, 8);
	area_move(&self->a, 3, 3, 0);
	area_move(&self->a, 8, 3, 3);
	EXPECT_EQ(0, *(long *)area_at(&self->a, 5));
	EXPECT_EQ(0, *(long *)area_at(&self->a, 0));
	EXPECT_TRUE(is_good(&self->a, 1, 2, 4));
	EXPECT_TRUE(is_good(&self->a, 3, 2, 0));
}

/* The kernel reads all back at once: shared, moved, and elsewhere in a child. */
static bool moves_child(void *arg)
{
	struct area *a = arg;

	area_move(a, 0, 6, 8);
	return swap_off_and_on() && is_good(a, 8, 6, 0);
}

TEST_F_TIMEOUT(swap_private, swapoff, TIMEOUT)
{
	ASSERT_TRUE(swap_out(&self->a, 0, 6));
	EXPECT_TRUE(child_says(moves_child, &self->a));
	EXPECT_TRUE(is_good(&self->a, 0, 6, 0));
}

/* ---- reclaim of shared pages, by a memory cgroup ---- */

FIXTURE(reclaim)
{
	struct area a;
};

FIXTURE_VARIANT(reclaim)
{
	enum area_state state;
};

FIXTURE_VARIANT_ADD(reclaim, private) { .state = FAULTED };
FIXTURE_VARIANT_ADD(reclaim, forked_child) { .state = FORKED_CHILD };
FIXTURE_VARIANT_ADD(reclaim, forked_parent) { .state = FORKED_PARENT };
FIXTURE_VARIANT_ADD(reclaim, grandchild) { .state = GRANDCHILD };
FIXTURE_VARIANT_ADD(reclaim, moved_shared) { .state = MOVED_SHARED };

FIXTURE_SETUP(reclaim)
{
	enter_cgroup();
	area_init(&self->a, variant->state);
	area_fill(&self->a, 0, 6);
	area_ready(&self->a);
}

FIXTURE_TEARDOWN(reclaim)
{
}

static bool is_present(struct area *a, int unit)
{
	return pfn_of(0, area_at(a, unit));
}

/* All of the cgroup's memory, until these units are gone. */
static bool reclaim_units(struct area *a, int first, int nr)
{
	long waited = 0;
	int i;

	do {
		cgroup_reclaim();
		for (i = first; i < first + nr && !is_present(a, i); i++)
			;
		if (i == first + nr)
			return true;
	} while (be_patient(&waited));
	return false;
}

TEST_F_TIMEOUT(reclaim, in_place, TIMEOUT)
{
	EXPECT_TRUE(reclaim_units(&self->a, 0, 6));
	EXPECT_TRUE(is_good(&self->a, 0, 6, 0));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

TEST_F_TIMEOUT(reclaim, moved, TIMEOUT)
{
	area_move(&self->a, 0, 6, 8);
	EXPECT_TRUE(reclaim_units(&self->a, 8, 6));
	EXPECT_TRUE(is_good(&self->a, 8, 6, 0));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

TEST_F_TIMEOUT(reclaim, move_reclaimed, TIMEOUT)
{
	EXPECT_TRUE(reclaim_units(&self->a, 0, 6));
	area_move(&self->a, 0, 6, 8);
	EXPECT_TRUE(is_good(&self->a, 8, 6, 0));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/*
 * Twice, at two places, the second time with what others have read back.
 * Pages that two processes have read are active, and may stay.
 */
TEST_F_TIMEOUT(reclaim, move_and_again, TIMEOUT)
{
	int i;

	EXPECT_TRUE(reclaim_units(&self->a, 0, 6));
	area_move(&self->a, 0, 6, 8);
	EXPECT_TRUE(area_relative_has_all(&self->a));
	EXPECT_TRUE(area_has(&self->a, 8, 6, 0));
	for (i = 0; i < TIMES; i++)
		cgroup_reclaim();
	area_move(&self->a, 8, 6, 2);
	EXPECT_TRUE(is_good(&self->a, 2, 6, 0));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

TEST_HARNESS_MAIN
