// SPDX-License-Identifier: GPL-2.0
/*
 * Neighbours in one mapping that were faulted in at different places: what is
 * done to them as one, and what a child finds.
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

#define FIRST	0x1000000ul
#define FEW	16

/* ---- moved next to memory that was never touched ---- */

FIXTURE(untouched)
{
	struct area a;
};

FIXTURE_VARIANT(untouched)
{
	enum area_state state;	/* of what is moved */
	bool before, behind;	/* where the untouched memory is */
};

FIXTURE_VARIANT_ADD(untouched, before) { .state = FAULTED, .before = true };
FIXTURE_VARIANT_ADD(untouched, behind) { .state = FAULTED, .behind = true };
FIXTURE_VARIANT_ADD(untouched, both) {
	.state = FAULTED, .before = true, .behind = true
};

FIXTURE_VARIANT_ADD(untouched, swapped_both) {
	.state = SWAPPED, .before = true, .behind = true
};

FIXTURE_VARIANT_ADD(untouched, huge_both) {
	.state = HUGE, .before = true, .behind = true
};

/* Units 12 to 14 go between untouched memory: "uuuAAAuuu". */
FIXTURE_SETUP(untouched)
{
	area_init(&self->a, variant->state);
	if (variant->before)
		area_map(&self->a, 0, 3);
	if (variant->behind)
		area_map(&self->a, 6, 3);
	area_fill(&self->a, 12, 3);
	area_move(&self->a, 12, 3, 3);
}

FIXTURE_TEARDOWN(untouched)
{
}

static bool has_moved(void *arg)
{
	struct area *a = arg;

	return area_has(a, 3, 3, 12);
}

static bool has_and_migrates(void *arg)
{
	struct area *a = arg;

	return has_moved(a) && area_migrates(a, 3, 3) && has_moved(a);
}

/* fork() copies what has moved, although nothing was ever faulted in there. */
TEST_F_TIMEOUT(untouched, fork, TIMEOUT)
{
	EXPECT_TRUE(child_says(has_moved, &self->a));
	EXPECT_TRUE(child_says(has_and_migrates, &self->a));
	EXPECT_TRUE(has_and_migrates(&self->a));
}

/* The same when the memory around it was touched in between. */
TEST_F_TIMEOUT(untouched, touch_and_fork, TIMEOUT)
{
	if (variant->before)
		fill_pages(area_at(&self->a, 2), 1, FIRST);
	if (variant->behind)
		fill_pages(area_at(&self->a, 6), 1, FIRST);
	EXPECT_TRUE(child_says(has_and_migrates, &self->a));
	if (variant->before)
		EXPECT_TRUE(pages_have(area_at(&self->a, 2), 1, FIRST));
	if (variant->behind)
		EXPECT_TRUE(pages_have(area_at(&self->a, 6), 1, FIRST));
	EXPECT_TRUE(has_and_migrates(&self->a));
}

static bool moves_out(void *arg)
{
	struct area *a = arg;

	area_move(a, 3, 3, 12);
	return area_has(a, 12, 3, 12) && area_migrates(a, 12, 3) &&
	       area_has(a, 12, 3, 12);
}

/* A child takes it out again. */
TEST_F_TIMEOUT(untouched, fork_and_move, TIMEOUT)
{
	EXPECT_TRUE(child_says(moves_out, &self->a));
	EXPECT_TRUE(has_and_migrates(&self->a));
}

/* ---- every second page, or huge page, of a range that is shared ---- */

FIXTURE(range)
{
	char *start, *at;	/* in the first child, and here */
	size_t huge, pages;	/* bytes of a huge page; all pages */
	pid_t child;
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define DATA	FIXTURE_DATA(range)

FIXTURE_VARIANT(range)
{
	bool move;
	bool one_by_one;
};

FIXTURE_VARIANT_ADD(range, in_place) { };
FIXTURE_VARIANT_ADD(range, moved_by_tables) { .move = true };
FIXTURE_VARIANT_ADD(range, moved_one_by_one) {
	.move = true, .one_by_one = true
};

#define HUGE_PAGES	8

/*
 * Small pages for eight huge ones, which a child has as well. @start and the
 * place elsewhere are parts of a reserve, with the size of two ranges each.
 */
FIXTURE_SETUP(range)
{
	size_t size;

	self->huge = table_size();
	size = HUGE_PAGES * self->huge;
	self->pages = size / psize();
	self->start = reserve(8 * size);
	self->at = self->start;
	if (variant->one_by_one)
		self->start += psize();
	map_filled(self->start, self->pages, FIRST);
	self->child = fork_waiting();
	self->at += variant->move ? 2 * size : 0;
	if (variant->move)
		ASSERT_TRUE(move_to(self->start, size, self->at));
}

FIXTURE_TEARDOWN(range)
{
}

static char *huge_page(DATA *self, int nr)
{
	return self->at + nr * self->huge;
}

static bool has_all(void *arg)
{
	DATA *self = arg;

	return pages_have(self->at, self->pages, FIRST);
}

static bool child_has_all(DATA *self)
{
	return pages_of_have(self->child, self->start, self->pages, FIRST);
}

/* The kernel wants one page of it to be writable, hence not shared. */
static bool collapse_every_second(DATA *self)
{
	int per = self->huge / psize(), nr;

	for (nr = 0; nr < HUGE_PAGES; nr += 2) {
		fill_pages(huge_page(self, nr), 1, FIRST + nr * per);
		if (!make_huge(huge_page(self, nr), self->huge))
			return false;
	}
	return are_huge(self->at, HUGE_PAGES / 2, self->huge);
}

static bool borders_migrate(DATA *self)
{
	int nr;

	for (nr = 0; nr < HUGE_PAGES; nr++)
		if (!pages_migrate(huge_page(self, nr), 1) ||
		    (nr % 2 && !pages_migrate(huge_page(self, nr), FEW)) ||
		    (nr % 2 && !pages_migrate(huge_page(self, nr + 1) -
					      FEW * psize(), FEW)))
			return false;
	return true;
}

static bool migrates(void *arg)
{
	return has_all(arg) && borders_migrate(arg) && has_all(arg);
}

/* Huge pages and small ones that are shared take turns, in every process. */
TEST_F_TIMEOUT(range, collapse_every_second, TIMEOUT)
{
	ASSERT_TRUE(collapse_every_second(self));
	EXPECT_EQ(1, count_vmas(self->at, self->pages * psize()));
	EXPECT_TRUE(child_says(migrates, self));
	EXPECT_TRUE(migrates(self));
	EXPECT_TRUE(child_has_all(self));
}

static bool moves_on(void *arg)
{
	DATA *self = arg;
	size_t size = self->pages * psize();
	char *from = self->at;

	self->at += 2 * size + self->huge;
	if (!move_to(from, size, self->at) || !migrates(self))
		return false;
	from = self->at;
	self->at += psize();
	/* Down by less than its size: by way of another place. */
	return move_to(from, size, from - 2 * size) &&
	       move_to(from - 2 * size, size, self->at) && has_all(self);
}

TEST_F_TIMEOUT(range, collapse_and_move, TIMEOUT)
{
	pid_t second;
	char *before = self->at;

	ASSERT_TRUE(collapse_every_second(self));
	EXPECT_TRUE(child_says(moves_on, self));
	second = fork_waiting();
	EXPECT_TRUE(moves_on(self));
	EXPECT_TRUE(child_says(has_all, self));
	EXPECT_TRUE(pages_of_have(second, before, self->pages, FIRST));
	EXPECT_TRUE(child_has_all(self));
}

/* Split by munmap() of a page, then both parts move. */
TEST_F_TIMEOUT(range, collapse_split_and_move, TIMEOUT)
{
	size_t per = self->huge / psize(), hole = 2 * per + 7;
	size_t rest = self->pages - hole - 1;
	char *to = self->at + 2 * self->pages * psize();

	ASSERT_TRUE(collapse_every_second(self));
	fork_waiting();
	ASSERT_EQ(0, munmap(self->at + hole * psize(), psize()));
	ASSERT_TRUE(move_to(self->at, hole * psize(), to));
	to += (hole + 1) * psize();
	ASSERT_TRUE(move_to(self->at + (hole + 1) * psize(), rest * psize(),
			    to));
	self->at = to - (hole + 1) * psize();
	EXPECT_TRUE(pages_have(self->at, hole, FIRST));
	EXPECT_TRUE(pages_have(to, rest, FIRST + hole + 1));
	EXPECT_TRUE(pages_migrate(to - FEW * psize(), FEW - 1));
	EXPECT_TRUE(pages_migrate(to, FEW));
	EXPECT_TRUE(pages_have(self->at, hole, FIRST));
	EXPECT_TRUE(pages_have(to, rest, FIRST + hole + 1));
	EXPECT_TRUE(child_has_all(self));
}

#define SCATTERED	64	/* pages */

/* MREMAP_DONTUNMAP takes every second page out; new ones take their places. */
TEST_F_TIMEOUT(range, dontunmap_every_second, TIMEOUT)
{
	char *to = self->at + 3 * self->pages * psize();
	size_t i, off;

	for (i = 1; i < SCATTERED; i += 2) {
		off = i * psize();
		ASSERT_EQ(to + off, mremap(self->at + off, psize(), psize(),
					   MREMAP_MAYMOVE | MREMAP_FIXED |
					   MREMAP_DONTUNMAP, to + off));
	}
	EXPECT_EQ(1, count_vmas(self->at, self->pages * psize()));
	for (i = 0; i < SCATTERED; i++) {
		off = i * psize();
		if (i % 2) {
			EXPECT_TRUE(pages_have(to + off, 1, FIRST + i));
			EXPECT_EQ(0, *(long *)(self->at + off));
			fill_pages(self->at + off, 1, FIRST + i);
			EXPECT_TRUE(pages_migrate(to + off, 1));
			EXPECT_TRUE(pages_have(to + off, 1, FIRST + i));
		}
		EXPECT_TRUE(pages_migrate(self->at + off, 1));
	}
	EXPECT_TRUE(has_all(self));
	EXPECT_TRUE(child_has_all(self));
	EXPECT_TRUE(child_says(moves_on, self));
	EXPECT_TRUE(moves_on(self));
	EXPECT_TRUE(child_has_all(self));
}

TEST_HARNESS_MAIN
