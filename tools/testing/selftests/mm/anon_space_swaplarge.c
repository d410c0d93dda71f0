// SPDX-License-Identifier: GPL-2.0
/*
 * A huge page of which one half is swapped out and moves, while the page as a
 * whole is in the swap cache: what is brought in is that page, and no copy.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#define FIRST	0x1000000ul	/* contents of the first page */
#define FEW	16

FIXTURE(large)
{
	char *at;		/* the lower half of a huge page */
	char *to;		/* where it goes */
	size_t half;		/* its size */
	size_t pages;		/* of a half */
	unsigned long pfn;	/* of the first */
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define DATA	FIXTURE_DATA(large)

FIXTURE_VARIANT(large)
{
	bool move_upper;	/* the mapped half follows */
	bool drop_upper;	/* or goes away */
	bool in_child;		/* of a parent that does not have it */
};

FIXTURE_VARIANT_ADD(large, lower_half) { };
FIXTURE_VARIANT_ADD(large, both_halves) { .move_upper = true };
FIXTURE_VARIANT_ADD(large, lower_half_alone) { .drop_upper = true };
FIXTURE_VARIANT_ADD(large, lower_half_in_child) { .in_child = true };
FIXTURE_VARIANT_ADD(large, lower_half_alone_in_child) {
	.drop_upper = true, .in_child = true
};

FIXTURE_SETUP(large)
{
	char *upper, *upper_to;

	if (sizeof(long) < 8)
		SKIP(return, "large folios are split before they are swapped");
	self->half = table_size() / 2;
	self->pages = self->half / psize();
	enter_cgroup();
	if (variant->in_child)
		go_on_in_child();
	self->at = reserve(8 * self->half);
	upper = self->at + self->half;
	self->to = self->at + 4 * self->half + 3 * psize();
	upper_to = self->to + self->half;
	map_filled(self->at, 2 * self->pages, FIRST);
	ASSERT_TRUE(make_huge(self->at, 2 * self->half));
	self->pfn = pfn_of(0, self->at);
	/* What is locked stays mapped. */
	ASSERT_EQ(0, mlock(upper, self->half));
	ASSERT_TRUE(cgroup_reclaim_pages(self->at, self->pages));
	ASSERT_EQ(self->pfn + self->pages, pfn_of(0, upper));
	ASSERT_EQ(0, munlock(upper, self->half));
	ASSERT_TRUE(move_to(self->at, self->half, self->to));
	if (variant->move_upper)
		ASSERT_TRUE(move_to(upper, self->half, upper_to));
	if (variant->drop_upper)
		ASSERT_EQ(0, munmap(upper, self->half));
}

FIXTURE_TEARDOWN(large)
{
}

/* What is brought in is the folio that is there, page by page. */
TEST_F_TIMEOUT(large, no_copy, TIMEOUT)
{
	size_t i, others = 0;

	EXPECT_TRUE(pages_have(self->to, self->pages, FIRST));
	for (i = 0; i < self->pages; i++)
		others += pfn_of(0, self->to + i * psize()) != self->pfn + i;
	EXPECT_EQ(0, others);
	EXPECT_TRUE(pages_migrate(self->to, FEW));
	EXPECT_TRUE(pages_have(self->to, self->pages, FIRST));
}

/* So it is if another page than its first one comes first. */
TEST_F_TIMEOUT(large, from_the_middle, TIMEOUT)
{
	const size_t middle = 100;
	char *first = self->to + middle * psize();

	EXPECT_TRUE(pages_have(first, 1, FIRST + middle));
	EXPECT_EQ(self->pfn + middle, pfn_of(0, first));
	EXPECT_TRUE(pages_have(self->to, self->pages, FIRST));
	EXPECT_TRUE(pages_migrate(self->to, FEW));
	EXPECT_TRUE(pages_migrate(first, FEW));
	EXPECT_TRUE(pages_have(self->to, self->pages, FIRST));
}

/* So low that the first page of the folio would be below address zero. */
TEST_F_TIMEOUT(large, low_address, TIMEOUT)
{
	const size_t middle = 100;
	char *low = (char *)0x10000;	/* what may be mapped begins there */

	ASSERT_TRUE(move_to(self->to + middle * psize(), psize(), low));
	EXPECT_TRUE(pages_have(low, 1, FIRST + middle));
	EXPECT_TRUE(pages_migrate(low, 1));
	EXPECT_TRUE(pages_have(low, 1, FIRST + middle));
	EXPECT_TRUE(pages_have(self->to, middle, FIRST));
	EXPECT_TRUE(pages_migrate(self->to, FEW));
}

/* Its pages belong to this process alone, as they did before. */
TEST_F_TIMEOUT(large, split, TIMEOUT)
{
	EXPECT_TRUE(pages_have(self->to, self->pages, FIRST));
	split_huge_pages(self->to, self->half);
	EXPECT_TRUE(is_valid());
	EXPECT_TRUE(pages_migrate(self->to, FEW));
	EXPECT_TRUE(pages_have(self->to, self->pages, FIRST));
}

static bool reads(void *arg)
{
	DATA *self = arg;

	return pages_have(self->to, self->pages, FIRST);
}

/* No memory is needed. There is none, so a copy would be fatal. */
TEST_F_TIMEOUT(large, at_the_limit, TIMEOUT)
{
	cgroup_allow(self->half / 4);
	EXPECT_TRUE(reads(self));
}

TEST_F_TIMEOUT(large, at_the_limit_in_child, TIMEOUT)
{
	cgroup_allow(self->half / 4);
	EXPECT_TRUE(child_says(reads, self));
	EXPECT_TRUE(reads(self));
}

TEST_F_TIMEOUT(large, swapoff, TIMEOUT)
{
	size_t i, others = 0;

	ASSERT_TRUE(swap_off_and_on());
	for (i = 0; i < self->pages; i++)
		others += pfn_of(0, self->to + i * psize()) != self->pfn + i;
	EXPECT_EQ(0, others);
	EXPECT_TRUE(reads(self));
}

/*
 * Somebody is about to read from the first page, so the folio cannot be split. What is
 * written at the new address is what that one sees.
 */
TEST(in_use)
{
	size_t half = table_size() / 2, pages = half / psize();
	char *at = reserve(8 * half), *to = at + 4 * half + 3 * psize();
	struct iovec first = { .iov_base = at, .iov_len = psize() };
	unsigned long seen[psize() / sizeof(long)], pfn;
	int fds[2];

	if (sizeof(long) < 8)
		SKIP(return, "large folios are split before they are swapped");
	enter_cgroup();
	map_filled(at, 2 * pages, FIRST);
	ASSERT_TRUE(make_huge(at, 2 * half));
	pfn = pfn_of(0, at);
	ASSERT_EQ(0, mlock(at + half, half));
	ASSERT_TRUE(cgroup_reclaim_pages(at, pages));
	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ((ssize_t)psize(), vmsplice(fds[1], &first, 1, 0));
	ASSERT_EQ(pfn, pfn_of(0, at));
	ASSERT_TRUE(cgroup_reclaim_pages(at, 1));
	ASSERT_EQ(0, munlock(at + half, half));
	ASSERT_TRUE(move_to(at, half, to));
	*(unsigned long *)to = 0x777;
	EXPECT_EQ(pfn, pfn_of(0, to));
	ASSERT_EQ((ssize_t)psize(), read(fds[0], seen, psize()));
	EXPECT_EQ(0x777, seen[0]);
	EXPECT_TRUE(pages_have(to + psize(), pages - 1, FIRST + 1));
	EXPECT_TRUE(pages_have(at + half, pages, FIRST + pages));
}

/* ---- one half of it is exclusive, the other one is shared ---- */

#define CHILDREN	40	/* so many that new pages of their parent are not theirs */

static bool unmapped_of(pid_t pid, void *addr)
{
	long waited = 0;

	while (pfn_of(pid, addr)) {
		if (!be_patient(&waited))
			return false;
		cgroup_reclaim();
	}
	return true;
}

/* The parent maps its half first, and the child gets the same page, no copy. */
TEST(half_of_a_child)
{
	size_t half = table_size() / 2, pages = half / psize();
	char *at = reserve(2 * half), *upper = at + half;
	unsigned long pfn;
	pid_t child;
	int i;

	enter_cgroup();
	map_filled(at, 2 * pages, FIRST);
	ASSERT_TRUE(make_huge(at, 2 * half));
	pfn = pfn_of(0, upper);
	ASSERT_EQ(0, madvise(at, half, MADV_DONTFORK));
	/* Later it would make copies. Children do not inherit that. */
	ASSERT_EQ(0, mlock(upper, half));
	child = fork_waiting();
	for (i = 1; i < CHILDREN; i++)
		fork_waiting();
	ASSERT_TRUE(cgroup_reclaim_pages(at, pages));
	hold_frames(upper, 1);
	ASSERT_EQ(0, munmap(upper, half));
	ASSERT_TRUE(unmapped_of(child, upper));
	EXPECT_TRUE(pages_have(at, 1, FIRST));
	EXPECT_TRUE(pages_of_have(child, upper, 1, FIRST + pages));
	EXPECT_EQ(pfn, pfn_of(child, upper));
}

TEST_HARNESS_MAIN
