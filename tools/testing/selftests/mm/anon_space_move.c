// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that mremap() moves keeps its contents, in every process that has it,
 * and the kernel finds all mappings of it afterwards. Nothing here depends on
 * whether VMAs merge.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

FIXTURE(move)
{
	struct area a;
};

FIXTURE_VARIANT(move)
{
	enum area_state state;
};

FIXTURE_VARIANT_ADD(move, unfaulted) { .state = UNFAULTED };
FIXTURE_VARIANT_ADD(move, faulted) { .state = FAULTED };
FIXTURE_VARIANT_ADD(move, forked_child) { .state = FORKED_CHILD };
FIXTURE_VARIANT_ADD(move, forked_parent) { .state = FORKED_PARENT };
FIXTURE_VARIANT_ADD(move, grandchild) { .state = GRANDCHILD };
FIXTURE_VARIANT_ADD(move, written) { .state = WRITTEN };
FIXTURE_VARIANT_ADD(move, swapped) { .state = SWAPPED };
FIXTURE_VARIANT_ADD(move, moved) { .state = MOVED };
FIXTURE_VARIANT_ADD(move, moved_shared) { .state = MOVED_SHARED };
FIXTURE_VARIANT_ADD(move, huge) { .state = HUGE };
FIXTURE_VARIANT_ADD(move, huge_forked) { .state = HUGE_FORKED };

/* All tests begin with six units. */
FIXTURE_SETUP(move)
{
	area_init(&self->a, variant->state);
	area_fill(&self->a, 0, 6);
	area_ready(&self->a);
}

FIXTURE_TEARDOWN(move)
{
}

/* @nr units from @first on are at @at now. */
static void check_moved(struct __test_metadata *_metadata, struct area *a,
			int at, int nr, int first)
{
	EXPECT_TRUE(area_has(a, at, nr, first));
	EXPECT_TRUE(area_migrates(a, at, nr));
	EXPECT_TRUE(area_has(a, at, nr, first));
	EXPECT_TRUE(area_relative_has_all(a));
}

/* What was written over has these contents. */
#define NEW_CONTENTS	0x7770000

static void write_new(struct area *a, int unit)
{
	fill_pages(area_at(a, unit), a->unit / psize(), NEW_CONTENTS);
}

static bool has_new(struct area *a, int unit)
{
	return pages_have(area_at(a, unit), a->unit / psize(), NEW_CONTENTS);
}

TEST_F_TIMEOUT(move, all, TIMEOUT)
{
	area_move(&self->a, 0, 6, 8);
	check_moved(_metadata, &self->a, 8, 6, 0);
}

TEST_F_TIMEOUT(move, first, TIMEOUT)
{
	area_move(&self->a, 0, 2, 8);
	check_moved(_metadata, &self->a, 8, 2, 0);
	check_moved(_metadata, &self->a, 2, 4, 2);
}

TEST_F_TIMEOUT(move, middle, TIMEOUT)
{
	area_move(&self->a, 2, 2, 8);
	check_moved(_metadata, &self->a, 8, 2, 2);
	check_moved(_metadata, &self->a, 0, 2, 0);
	check_moved(_metadata, &self->a, 4, 2, 4);
}

TEST_F_TIMEOUT(move, last, TIMEOUT)
{
	area_move(&self->a, 4, 2, 8);
	check_moved(_metadata, &self->a, 8, 2, 4);
	check_moved(_metadata, &self->a, 0, 4, 0);
}

TEST_F_TIMEOUT(move, there_and_back, TIMEOUT)
{
	area_move(&self->a, 1, 3, 8);
	area_move(&self->a, 8, 3, 1);
	check_moved(_metadata, &self->a, 0, 6, 0);
}

/* One unit at a time, so that all go round in a circle of seven places. */
TEST_F_TIMEOUT(move, in_a_circle, TIMEOUT)
{
	int i, hole = 6;

	for (i = 0; i < 6 * 7; i++) {
		int from = (hole + 6) % 7;

		area_move(&self->a, from, 1, hole);
		hole = from;
	}
	/* Each has gone round once. */
	EXPECT_EQ(6, hole);
	check_moved(_metadata, &self->a, 0, 6, 0);
}

TEST_F_TIMEOUT(move, swap_places, TIMEOUT)
{
	area_move(&self->a, 0, 3, 8);
	area_move(&self->a, 3, 3, 0);
	area_move(&self->a, 8, 3, 3);
	check_moved(_metadata, &self->a, 0, 3, 3);
	check_moved(_metadata, &self->a, 3, 3, 0);
}

/* Moved together, then each part further: 012345 -> 45..23..01 */
TEST_F_TIMEOUT(move, scatter, TIMEOUT)
{
	area_move(&self->a, 0, 6, 8);
	area_move(&self->a, 12, 2, 0);
	area_move(&self->a, 10, 2, 4);
	check_moved(_metadata, &self->a, 0, 2, 4);
	check_moved(_metadata, &self->a, 4, 2, 2);
	check_moved(_metadata, &self->a, 8, 2, 0);
}

/* What was there is gone, also for the reverse map. */
TEST_F_TIMEOUT(move, onto_others, TIMEOUT)
{
	area_move(&self->a, 0, 3, 3);
	check_moved(_metadata, &self->a, 3, 3, 0);
	EXPECT_STREQ("...aaa", area_draw(&self->a));
}

TEST_F_TIMEOUT(move, and_grow, TIMEOUT)
{
	void *to = area_at(&self->a, 8);

	ASSERT_EQ(to, mremap(area_at(&self->a, 2), area_size(&self->a, 2),
			     area_size(&self->a, 4),
			     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	check_moved(_metadata, &self->a, 8, 2, 2);
	EXPECT_EQ(0, *(long *)area_at(&self->a, 10));
	EXPECT_EQ(0, *(long *)area_at(&self->a, 11));
}

TEST_F_TIMEOUT(move, and_shrink, TIMEOUT)
{
	void *to = area_at(&self->a, 8);

	ASSERT_EQ(to, mremap(area_at(&self->a, 1), area_size(&self->a, 4),
			     area_size(&self->a, 2),
			     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	check_moved(_metadata, &self->a, 8, 2, 1);
	check_moved(_metadata, &self->a, 0, 1, 0);
	check_moved(_metadata, &self->a, 5, 1, 5);
}

/* The source stays mapped, and is empty. */
TEST_F_TIMEOUT(move, dontunmap, TIMEOUT)
{
	void *to = area_at(&self->a, 8);

	ASSERT_EQ(to, mremap(area_at(&self->a, 0), area_size(&self->a, 6),
			     area_size(&self->a, 6),
			     MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
			     to));
	check_moved(_metadata, &self->a, 8, 6, 0);
	EXPECT_EQ(0, *(long *)area_at(&self->a, 5));
	write_new(&self->a, 5);
	EXPECT_TRUE(has_new(&self->a, 5));
	EXPECT_TRUE(area_migrates(&self->a, 5, 1));
	check_moved(_metadata, &self->a, 8, 6, 0);
}

/* New pages at the old place do not replace the moved ones. */
TEST_F_TIMEOUT(move, and_fill_the_source, TIMEOUT)
{
	area_move(&self->a, 0, 3, 8);
	area_map(&self->a, 0, 3);
	write_new(&self->a, 1);
	EXPECT_TRUE(area_migrates(&self->a, 1, 1));
	EXPECT_TRUE(has_new(&self->a, 1));
	check_moved(_metadata, &self->a, 8, 3, 0);
	area_move(&self->a, 1, 1, 12);
	EXPECT_TRUE(area_migrates(&self->a, 12, 1));
	EXPECT_TRUE(has_new(&self->a, 12));
	check_moved(_metadata, &self->a, 8, 3, 0);
}

/* Copies of shared pages are the writer's own. */
TEST_F_TIMEOUT(move, and_write, TIMEOUT)
{
	area_move(&self->a, 0, 6, 8);
	write_new(&self->a, 10);
	EXPECT_TRUE(has_new(&self->a, 10));
	EXPECT_TRUE(area_migrates(&self->a, 10, 1));
	EXPECT_TRUE(has_new(&self->a, 10));
	check_moved(_metadata, &self->a, 8, 2, 0);
	check_moved(_metadata, &self->a, 11, 3, 3);
}

TEST_F_TIMEOUT(move, and_discard, TIMEOUT)
{
	area_move(&self->a, 0, 6, 8);
	ASSERT_EQ(0, madvise(area_at(&self->a, 9), area_size(&self->a, 2),
			     MADV_DONTNEED));
	EXPECT_EQ(0, *(long *)area_at(&self->a, 9));
	write_new(&self->a, 10);
	EXPECT_TRUE(area_migrates(&self->a, 10, 1));
	EXPECT_TRUE(has_new(&self->a, 10));
	check_moved(_metadata, &self->a, 8, 1, 0);
	check_moved(_metadata, &self->a, 11, 3, 3);
}

TEST_F_TIMEOUT(move, and_unmap_the_middle, TIMEOUT)
{
	area_move(&self->a, 0, 6, 8);
	ASSERT_EQ(0, munmap(area_at(&self->a, 10), area_size(&self->a, 2)));
	EXPECT_STREQ("........aa..bb", area_draw(&self->a));
	check_moved(_metadata, &self->a, 8, 2, 0);
	check_moved(_metadata, &self->a, 12, 2, 4);
}

TEST_F_TIMEOUT(move, and_page_out, TIMEOUT)
{
	area_move(&self->a, 0, 6, 8);
	/* Pages that others have, too, stay. */
	try_page_out(area_at(&self->a, 8), area_size(&self->a, 6));
	check_moved(_metadata, &self->a, 8, 6, 0);
}

/* Moved, paged out, moved again. */
TEST_F_TIMEOUT(move, and_page_out_and_move, TIMEOUT)
{
	area_move(&self->a, 0, 6, 8);
	try_page_out(area_at(&self->a, 8), area_size(&self->a, 6));
	area_move(&self->a, 8, 6, 1);
	check_moved(_metadata, &self->a, 1, 6, 0);
}

/* A child finds moved memory where it is now. */
struct in_child {
	struct area *a;
	int at, nr, first;
};

static bool has_and_migrates(void *arg)
{
	struct in_child *c = arg;

	return area_has(c->a, c->at, c->nr, c->first) &&
	       area_migrates(c->a, c->at, c->nr) &&
	       area_has(c->a, c->at, c->nr, c->first);
}

TEST_F_TIMEOUT(move, and_fork, TIMEOUT)
{
	struct in_child c = { &self->a, 8, 6, 0 };

	area_move(&self->a, 0, 6, 8);
	EXPECT_TRUE(child_says(has_and_migrates, &c));
	check_moved(_metadata, &self->a, 8, 6, 0);
}

/* The child moves what its parent has moved. */
static bool moves_again(void *arg)
{
	struct in_child *c = arg;

	area_move(c->a, c->at, c->nr, 0);
	c->at = 0;
	return has_and_migrates(c);
}

TEST_F_TIMEOUT(move, and_fork_and_move, TIMEOUT)
{
	struct in_child c = { &self->a, 8, 6, 0 };

	area_move(&self->a, 0, 6, 8);
	EXPECT_TRUE(child_says(moves_again, &c));
	check_moved(_metadata, &self->a, 8, 6, 0);
}

/* Only half of it, and the other half in the child. */
static bool moves_other_half(void *arg)
{
	struct in_child *c = arg;

	area_move(c->a, 3, 3, 13);
	return area_has(c->a, 8, 3, 0) && area_has(c->a, 13, 3, 3) &&
	       area_migrates(c->a, 8, 3) && area_migrates(c->a, 13, 3) &&
	       area_has(c->a, 8, 3, 0) && area_has(c->a, 13, 3, 3);
}

TEST_F_TIMEOUT(move, half_and_half_in_child, TIMEOUT)
{
	struct in_child c = { &self->a };

	area_move(&self->a, 0, 3, 8);
	EXPECT_TRUE(child_says(moves_other_half, &c));
	check_moved(_metadata, &self->a, 8, 3, 0);
	check_moved(_metadata, &self->a, 3, 3, 3);
}

/* Places are random, and the test records what is where. */
TEST_F_TIMEOUT(move, by_lot, TIMEOUT)
{
	int where[6] = { 0, 1, 2, 3, 4, 5 }, used = 0x3f, i, unit, to;
	unsigned int seed = 1;

	for (i = 0; i < 200; i++) {
		unit = rand_r(&seed) % 6;
		to = rand_r(&seed) % AREA_UNITS;
		if (used & 1 << to)
			continue;
		area_move(&self->a, where[unit], 1, to);
		used ^= 1 << to | 1 << where[unit];
		where[unit] = to;
	}
	for (unit = 0; unit < 6; unit++)
		check_moved(_metadata, &self->a, where[unit], 1, unit);
}

/* ---- where it was, and how much at once ---- */

#define FIRST	0x3000000ul
#define PAGES	8
#define ROUNDS	100

static sigjmp_buf back;

static void go_back(int signal)
{
	siglongjmp(back, 1);
}

static bool can_read(char *addr)
{
	char value;

	if (sigsetjmp(back, 0))
		return false;
	value = *addr;
	asm volatile("" : : "r" (value));
	return true;
}

/* Nothing is mapped there any more, and no processor has it in its TLB. */
TEST(old_addresses_fault)
{
	char *from = reserve(4 * PAGES * psize()), *to = from + 2 * PAGES * psize();
	struct sigaction action = { .sa_handler = go_back, .sa_flags = SA_NODEFER };
	int round, page, read = 0;

	sigaction(SIGSEGV, &action, NULL);
	for (round = 0; round < ROUNDS; round++) {
		map_filled(from, PAGES, FIRST);
		if (!move_to(from, PAGES * psize(), to))
			exit(KSFT_FAIL);
		for (page = 0; page < PAGES; page++)
			read += can_read(from + page * psize());
	}
	EXPECT_EQ(0, read);
}

/*
 * To equal memory, as much as one page table maps but for what is before the mappings. The
 * move may begin there, as nothing is mapped. There is a page table at the destination.
 */
TEST(onto_a_page_table)
{
	size_t size = table_size(), before = 8 * psize(), len = size - before;
	char *from, *to;

	from = reserve(8 * size);
	munmap(from, 8 * size);
	from = (char *)(((uintptr_t)from + size - 1) & -size) + before;
	to = from + 4 * size;
	map_range(from, size);
	map_range(to, size);
	fill_pages(from, PAGES, FIRST);
	fill_pages(to, PAGES, FIRST + 100);
	fork_waiting();
	ASSERT_EQ(to, mremap(from, len, len, MREMAP_MAYMOVE | MREMAP_FIXED |
			     MREMAP_DONTUNMAP, to));
	EXPECT_TRUE(pages_have(to, PAGES, FIRST));
	EXPECT_TRUE(pages_migrate(to, PAGES));
	EXPECT_TRUE(pages_have(to, PAGES, FIRST));
}

/* So many that a table of page tables moves, at both ends of which is something. */
TEST(table_of_tables)
{
	size_t size = table_size() * (psize() / sizeof(long));
	size_t end = size - PAGES * psize();
	char *from, *to;

	if (sizeof(long) < 8)
		SKIP(return, "the address space is too small");
	from = mmap(NULL, 5 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		    MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, from);
	from = (char *)(((uintptr_t)from + size - 1) & -size);
	to = from + 2 * size;
	fill_pages(from, PAGES, FIRST);
	fill_pages(from + end, PAGES, FIRST + PAGES);
	ASSERT_EQ(0, munmap(to, size));
	ASSERT_TRUE(move_to(from, size, to));
	EXPECT_TRUE(pages_migrate(to, PAGES));
	EXPECT_TRUE(pages_migrate(to + end, PAGES));
	EXPECT_TRUE(pages_have(to, PAGES, FIRST));
	EXPECT_TRUE(pages_have(to + end, PAGES, FIRST + PAGES));
}

TEST_HARNESS_MAIN
