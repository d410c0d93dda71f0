// SPDX-License-Identifier: GPL-2.0
/*
 * Limits and accounting: what merges and moves is neither counted twice nor
 * forgotten.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

FIXTURE(limits)
{
	struct area a;
	long kb;	/* of a unit */
};

FIXTURE_VARIANT(limits)
{
	enum area_state state;
};

FIXTURE_VARIANT_ADD(limits, unfaulted) { .state = UNFAULTED };
FIXTURE_VARIANT_ADD(limits, faulted) { .state = FAULTED };
FIXTURE_VARIANT_ADD(limits, forked_child) { .state = FORKED_CHILD };
FIXTURE_VARIANT_ADD(limits, forked_parent) { .state = FORKED_PARENT };
FIXTURE_VARIANT_ADD(limits, moved) { .state = MOVED };
FIXTURE_VARIANT_ADD(limits, moved_shared) { .state = MOVED_SHARED };

FIXTURE_SETUP(limits)
{
	wait_for_earlier_tests();
	area_init(&self->a, variant->state);
	self->kb = self->a.unit / 1024;
}

FIXTURE_TEARDOWN(limits)
{
}

static void *try_move(struct area *a, int from, int nr, int to, int new_nr)
{
	return mremap(area_at(a, from), area_size(a, nr), area_size(a, new_nr),
		      MREMAP_MAYMOVE | MREMAP_FIXED, area_at(a, to));
}

/* ---- mlock ---- */

TEST_F(limits, locked_memory_moves)
{
	area_fill(&self->a, 0, 6);
	area_ready(&self->a);
	ASSERT_EQ(0, mlock(area_at(&self->a, 0), area_size(&self->a, 6)));
	EXPECT_EQ(6 * self->kb, status_kb("VmLck:"));
	area_move(&self->a, 0, 3, 8);
	EXPECT_EQ(6 * self->kb, status_kb("VmLck:"));
	area_move(&self->a, 8, 3, 0);
	EXPECT_EQ(6 * self->kb, status_kb("VmLck:"));
	ASSERT_EQ(0, munmap(area_at(&self->a, 2), area_size(&self->a, 2)));
	EXPECT_EQ(4 * self->kb, status_kb("VmLck:"));
	ASSERT_EQ(0, munlock(area_at(&self->a, 0), area_size(&self->a, 2)));
	EXPECT_EQ(2 * self->kb, status_kb("VmLck:"));
	ASSERT_EQ(0, munmap(area_at(&self->a, 0), area_size(&self->a, 6)));
	EXPECT_EQ(0, status_kb("VmLck:"));
}

/* The rest of a locked VMA goes next to what has moved before. */
TEST_F(limits, locked_memory_merges)
{
	area_fill(&self->a, 0, 2);
	area_fill(&self->a, 4, 2);
	area_ready(&self->a);
	ASSERT_EQ(0, mlock(area_at(&self->a, 0), area_size(&self->a, 2)));
	ASSERT_EQ(0, mlock(area_at(&self->a, 4), area_size(&self->a, 2)));
	area_move(&self->a, 4, 2, 2);
	EXPECT_EQ(4 * self->kb, status_kb("VmLck:"));
	ASSERT_EQ(0, munlock(area_at(&self->a, 0), area_size(&self->a, 4)));
	EXPECT_EQ(0, status_kb("VmLck:"));
	EXPECT_TRUE(area_migrates(&self->a, 0, 4));
}

/* The source stays, and is not locked any more. */
TEST_F(limits, locked_memory_moves_dontunmap)
{
	area_fill(&self->a, 0, 3);
	area_ready(&self->a);
	ASSERT_EQ(0, mlock(area_at(&self->a, 0), area_size(&self->a, 3)));
	ASSERT_NE(MAP_FAILED,
		  mremap(area_at(&self->a, 0), area_size(&self->a, 3),
			 area_size(&self->a, 3), MREMAP_MAYMOVE |
			 MREMAP_FIXED | MREMAP_DONTUNMAP,
			 area_at(&self->a, 3)));
	EXPECT_EQ(3 * self->kb, status_kb("VmLck:"));
	EXPECT_STREQ("aaabbb", area_draw(&self->a));
	ASSERT_EQ(0, munmap(area_at(&self->a, 0), area_size(&self->a, 3)));
	EXPECT_EQ(3 * self->kb, status_kb("VmLck:"));
	ASSERT_EQ(0, munmap(area_at(&self->a, 3), area_size(&self->a, 3)));
	EXPECT_EQ(0, status_kb("VmLck:"));
}

/* Growing counts against the limit of a user who is not root. */
static bool locked_cannot_grow(void *arg)
{
	struct area *a = arg;
	struct rlimit limit = { area_size(a, 4), area_size(a, 4) };

	if (mlock(area_at(a, 0), area_size(a, 3)) ||
	    setrlimit(RLIMIT_MEMLOCK, &limit) || setuid(65534))
		return false;
	return try_move(a, 0, 3, 8, 5) == MAP_FAILED && errno == EAGAIN &&
	       try_move(a, 0, 3, 8, 4) == area_at(a, 8) &&
	       status_kb("VmLck:") == area_size(a, 4) / 1024;
}

TEST_F(limits, locked_memory_grows)
{
	area_fill(&self->a, 0, 3);
	area_ready(&self->a);
	EXPECT_TRUE(child_says(locked_cannot_grow, &self->a));
	EXPECT_TRUE(area_has(&self->a, 0, 3, 0));
}

/* ---- address space ---- */

static bool address_space_is_full(void *arg)
{
	struct area *a = arg;
	long kb = status_kb("VmSize:");
	rlim_t max = kb * 1024 + area_size(a, 1);
	struct rlimit limit = { max, max };

	if (setrlimit(RLIMIT_AS, &limit))
		return false;
	/* A move needs no more than there is, growing by two units does. */
	if (try_move(a, 0, 3, 8, 3) == MAP_FAILED ||
	    status_kb("VmSize:") != kb)
		return false;
	return try_move(a, 8, 3, 0, 5) == MAP_FAILED && errno == ENOMEM &&
	       area_has(a, 8, 3, 0);
}

/*
 * The destination is reserved address space, which would be counted against
 * what is needed: leave a hole there.
 */
TEST_F(limits, address_space)
{
	area_fill(&self->a, 0, 3);
	ASSERT_EQ(0, munmap(area_at(&self->a, 3), area_size(&self->a, 13)));
	area_ready(&self->a);
	EXPECT_TRUE(child_says(address_space_is_full, &self->a));
	EXPECT_TRUE(area_has(&self->a, 0, 3, 0));
}

/* ---- number of mappings ---- */

static int all_vmas(void)
{
	return count_vmas(NULL, -1ul);
}

/* As many VMAs as allowed: splitting fails and changes nothing. */
TEST_F(limits, map_count)
{
	int before = read_long(MAX_MAP_COUNT), errors[3], i;

	area_fill(&self->a, 0, 9);
	area_ready(&self->a);
	/* So many that neither splitting in three nor a move is possible. */
	write_long(MAX_MAP_COUNT, 1);
	errors[0] = mprotect(area_at(&self->a, 3), self->a.unit, PROT_READ) ?
		errno : 0;
	errors[1] = munmap(area_at(&self->a, 3), self->a.unit) ? errno : 0;
	errors[2] = try_move(&self->a, 3, 1, 12, 1) == MAP_FAILED ? errno : 0;
	write_long(MAX_MAP_COUNT, before);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(ENOMEM, errors[i]);
	EXPECT_STREQ("aaaaaaaaa", area_draw(&self->a));
	EXPECT_TRUE(area_has(&self->a, 0, 9, 0));
	EXPECT_TRUE(area_migrates(&self->a, 0, 9));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* A merge gives back the VMAs that a split has taken. */
TEST_F(limits, map_count_is_given_back)
{
	int before, i;

	area_fill(&self->a, 0, 9);
	area_ready(&self->a);
	before = all_vmas();
	for (i = 1; i < 9; i += 2)
		ASSERT_EQ(0, mprotect(area_at(&self->a, i), self->a.unit,
				      PROT_READ));
	EXPECT_STREQ("abcdefghi", area_draw(&self->a));
	EXPECT_EQ(before + 8, all_vmas());
	ASSERT_EQ(0, mprotect(area_at(&self->a, 0), area_size(&self->a, 9),
			      PROT_READ | PROT_WRITE));
	EXPECT_STREQ("aaaaaaaaa", area_draw(&self->a));
	EXPECT_EQ(before, all_vmas());
}

/* ---- commit accounting ---- */

#define BIG	(64ul << 20)
#define NOISE	(8l << 10)	/* kB of others */

static long committed(void)
{
	return meminfo_kb("Committed_AS:");
}

static void *map_big(void *at)
{
	return mmap(at, BIG, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);
}

static bool is_about(long kb, long expected)
{
	if (labs(kb - expected) < NOISE)
		return true;
	printf("# %ld kB, not %ld kB\n", kb, expected);
	return false;
}

FIXTURE(commit)
{
	char *room;	/* for four times BIG */
	long before;
};

FIXTURE_VARIANT(commit)
{
	bool fault;
	bool fork;
};

FIXTURE_VARIANT_ADD(commit, unfaulted) { };
FIXTURE_VARIANT_ADD(commit, faulted) { .fault = true };
FIXTURE_VARIANT_ADD(commit, forked) { .fault = true, .fork = true };

/* One BIG is mapped, and counts twice if there is a parent that has it, too. */
FIXTURE_SETUP(commit)
{
	wait_for_earlier_tests();
	self->room = mmap(NULL, 4 * BIG, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->room);
	ASSERT_NE(MAP_FAILED, map_big(self->room));
	if (variant->fault)
		fill_pages(self->room, 4, 1);
	if (variant->fork)
		go_on_in_child();
	self->before = committed();
}

FIXTURE_TEARDOWN(commit)
{
}

static long kb(unsigned long size)
{
	return size / 1024;
}

TEST_F(commit, move)
{
	void *to = self->room + 2 * BIG;

	ASSERT_EQ(to, mremap(self->room, BIG, BIG,
			     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_TRUE(is_about(committed(), self->before));
	ASSERT_EQ(0, munmap(to, BIG));
	EXPECT_TRUE(is_about(committed(), self->before - kb(BIG)));
}

TEST_F(commit, move_in_parts)
{
	unsigned long part = BIG / 4, i;
	char *to = self->room + 2 * BIG;

	for (i = 0; i < BIG; i += part)
		ASSERT_EQ(to + i, mremap(self->room + i, part, part,
					 MREMAP_MAYMOVE | MREMAP_FIXED,
					 to + i));
	EXPECT_TRUE(is_about(committed(), self->before));
	ASSERT_EQ(0, munmap(to, BIG));
	EXPECT_TRUE(is_about(committed(), self->before - kb(BIG)));
}

/* Next to itself, so that it merges with its own rest. */
TEST_F(commit, move_next_to_itself)
{
	unsigned long half = BIG / 2;
	void *to = self->room + BIG;

	ASSERT_EQ(to, mremap(self->room, half, half,
			     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_TRUE(is_about(committed(), self->before));
	ASSERT_EQ(0, munmap(self->room + half, BIG));
	EXPECT_TRUE(is_about(committed(), self->before - kb(BIG)));
}

/* The source remains accounted, too. */
TEST_F(commit, move_dontunmap)
{
	void *to = self->room + BIG;

	ASSERT_EQ(to, mremap(self->room, BIG, BIG, MREMAP_MAYMOVE |
			     MREMAP_FIXED | MREMAP_DONTUNMAP, to));
	EXPECT_TRUE(is_about(committed(), self->before + kb(BIG)));
	ASSERT_EQ(0, munmap(self->room, 2 * BIG));
	EXPECT_TRUE(is_about(committed(), self->before - kb(BIG)));
}

TEST_F(commit, grow_and_shrink)
{
	ASSERT_EQ(0, munmap(self->room + BIG, 2 * BIG));
	ASSERT_EQ(self->room, mremap(self->room, BIG, 2 * BIG, 0));
	EXPECT_TRUE(is_about(committed(), self->before + kb(BIG)));
	ASSERT_EQ(self->room, mremap(self->room, 2 * BIG, BIG / 2, 0));
	EXPECT_TRUE(is_about(committed(), self->before - kb(BIG / 2)));
	ASSERT_EQ(0, munmap(self->room, BIG / 2));
	EXPECT_TRUE(is_about(committed(), self->before - kb(BIG)));
}

TEST_F(commit, fill_hole_and_merge)
{
	ASSERT_NE(MAP_FAILED, map_big(self->room + 2 * BIG));
	ASSERT_NE(MAP_FAILED, map_big(self->room + BIG));
	EXPECT_TRUE(is_about(committed(), self->before + 2 * kb(BIG)));
	ASSERT_EQ(0, munmap(self->room, 3 * BIG));
	EXPECT_TRUE(is_about(committed(), self->before - kb(BIG)));
}

TEST_F(commit, protect_and_merge)
{
	ASSERT_EQ(0, mprotect(self->room, BIG / 2, PROT_READ));
	ASSERT_EQ(0, mprotect(self->room, BIG / 2, PROT_READ | PROT_WRITE));
	EXPECT_TRUE(is_about(committed(), self->before));
	ASSERT_EQ(0, munmap(self->room, BIG));
	EXPECT_TRUE(is_about(committed(), self->before - kb(BIG)));
}

TEST_HARNESS_MAIN
