// SPDX-License-Identifier: GPL-2.0
/*
 * Large folios that move, and where the page offset does not go on evenly: shared pages
 * that were moved there are gone, but have left theirs. No large folio may be mapped
 * across that, whoever makes it or brings it there.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#define FIRST		0x1000000ul
#define OTHERS		0x7770000ul
#define LARGE_SIZE	(64ul << 10)
#define LARGE_ENABLED	"/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

/* From @begin to @end there is the offset of @size bytes elsewhere. */
static void make_uneven(char *begin, char *end)
{
	size_t size = end - begin;
	char *from = reserve(size);

	map_filled(from, size / psize(), FIRST);
	fork_waiting();
	if (!move_to(from, size, begin) || madvise(begin, size, MADV_DONTNEED))
		exit(KSFT_FAIL);
}

/* ---- new memory ---- */

FIXTURE(uneven)
{
	char *at, *half;	/* the second half has another offset */
	size_t size;
	int pages;
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define UNEVEN	FIXTURE_DATA(uneven)

FIXTURE_VARIANT(uneven)
{
	bool huge;
};

FIXTURE_VARIANT_ADD(uneven, huge) { .huge = true };
FIXTURE_VARIANT_ADD(uneven, large) { };

FIXTURE_SETUP(uneven)
{
	size_t huge = table_size();

	if (variant->huge && !read_pmd_pagesize())
		SKIP(return, "no transparent huge pages");
	if (!variant->huge && access(LARGE_ENABLED, W_OK))
		SKIP(return, "no large folios of 64 KiB");
	if (!variant->huge)
		write_string(LARGE_ENABLED, "madvise");
	self->size = variant->huge ? huge : LARGE_SIZE;
	self->pages = self->size / psize();
	self->at = reserve(2 * huge);
	self->half = self->at + self->size / 2;
	map_filled(self->at, self->pages, FIRST);
	make_uneven(self->half, self->at + self->size);
	ASSERT_EQ(0, madvise(self->at, self->size, MADV_DONTNEED));
}

FIXTURE_TEARDOWN_PARENT(uneven)
{
	if (!variant->huge && !access(LARGE_ENABLED, W_OK))
		write_string(LARGE_ENABLED, "never");
}

/* What is faulted in there is found page by page. */
static void fault(struct __test_metadata *_metadata, UNEVEN *self)
{
	ASSERT_EQ(0, madvise(self->at, self->size, MADV_HUGEPAGE));
	fill_pages(self->at, self->pages, OTHERS);
	EXPECT_TRUE(pages_migrate(self->at, 1));
	EXPECT_TRUE(pages_migrate(self->half, self->pages / 2));
	EXPECT_TRUE(pages_have(self->at, self->pages, OTHERS));
}

TEST_F_TIMEOUT(uneven, fault, TIMEOUT)
{
	fault(_metadata, self);
}

/* A huge page is made only where there is no page table. */
TEST_F_TIMEOUT(uneven, fault_without_table, TIMEOUT)
{
	self->at = reserve(2 * table_size()) + table_size();
	self->half = self->at + self->size / 2;
	map_range(self->at, self->size);
	map_with_other_offset(self->at, self->size / 2);
	fault(_metadata, self);
}

/* A huge page that is made of what is there makes it even. */
TEST(collapse_makes_it_even)
{
	size_t size = table_size(), pages = size / psize();
	char *at = reserve(2 * size), *half = at + size / 2;

	map_filled(at, pages, FIRST);
	make_uneven(half, at + size);
	fill_pages(at, pages, OTHERS);
	ASSERT_EQ(1, count_vmas(at, size));
	ASSERT_TRUE(make_huge(at, size));
	/* Where huge pages do not migrate it is split then. */
	EXPECT_TRUE(are_huge(at, 1, size));
	EXPECT_TRUE(pages_migrate(half, 1));
	EXPECT_TRUE(pages_have(at, pages, OTHERS));
}

/* ---- a large folio that comes there ---- */

#define LARGE		(LARGE_SIZE / psize())	/* pages */
#define MORE		4			/* times as many have the other offset */

FIXTURE(folio)
{
	char *at, *half;
	char *from;	/* where a large folio is */
	size_t size;	/* of half of it */
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define DATA	FIXTURE_DATA(folio)

/* Memory may be too fragmented: make room, and try again. */
static bool map_large(char *at)
{
	long waited = 0;

	for (;;) {
		map_range(at, LARGE_SIZE);
		if (madvise(at, LARGE_SIZE, MADV_HUGEPAGE))
			return false;
		fill_pages(at, LARGE, OTHERS);
		if (pfn_of(0, at) + LARGE - 1 ==
		    pfn_of(0, at + LARGE_SIZE - psize()))
			return true;
		if (!be_patient(&waited))
			return false;
		write_string("/proc/sys/vm/compact_memory", "1");
	}
}

/*
 * What is beyond both ends of the place where the second half comes to is left as it is:
 *
 *	at            at + 4        half          at + 16
 *	|             |      the other offset ...
 */
FIXTURE_SETUP(folio)
{
	if (access(LARGE_ENABLED, W_OK))
		SKIP(return, "no large folios of 64 KiB");
	enter_cgroup();
	self->size = LARGE_SIZE / 2;
	self->at = reserve((MORE + 1) * LARGE_SIZE);
	self->half = self->at + self->size;
	map_filled(self->at, MORE * LARGE, FIRST);
	make_uneven(self->at + 4 * psize(), self->at + MORE * LARGE_SIZE);
	self->from = reserve(2 * LARGE_SIZE);
	write_string(LARGE_ENABLED, "madvise");
	ASSERT_TRUE(map_large(self->from));
}

FIXTURE_TEARDOWN_PARENT(folio)
{
	if (!access(LARGE_ENABLED, W_OK))
		write_string(LARGE_ENABLED, "never");
}

static bool comes_in_halves(DATA *self)
{
	return move_to(self->from + self->size, self->size, self->half) &&
	       move_to(self->from, self->size, self->at) &&
	       count_vmas(self->at, LARGE_SIZE) == 1;
}

static bool is_found(DATA *self)
{
	return pages_have(self->at, LARGE, OTHERS) &&
	       pages_migrate(self->at, LARGE / 2) &&
	       pages_migrate(self->half, LARGE / 2) &&
	       pages_have(self->at, LARGE, OTHERS);
}

/* In swap only. */
TEST_F_TIMEOUT(folio, swapped, TIMEOUT)
{
	ASSERT_TRUE(page_out(self->from, LARGE_SIZE));
	ASSERT_TRUE(comes_in_halves(self));
	EXPECT_TRUE(is_found(self));
}

/* In the swap cache: one half was unmapped first, then the other, which is in use. */
TEST_F_TIMEOUT(folio, in_swap_cache, TIMEOUT)
{
	char *upper = self->from + self->size;
	unsigned long pfn = pfn_of(0, self->from);

	if (sizeof(long) < 8)
		SKIP(return, "large folios are split before they are swapped");
	ASSERT_EQ(0, mlock(upper, self->size));
	ASSERT_TRUE(cgroup_reclaim_pages(self->from, LARGE / 2));
	ASSERT_EQ(0, munlock(upper, self->size));
	hold_frames(upper, 1);
	ASSERT_TRUE(cgroup_reclaim_pages(upper, LARGE / 2));
	ASSERT_TRUE(comes_in_halves(self));
	EXPECT_TRUE(pages_have(self->at, LARGE, OTHERS));
	EXPECT_EQ(pfn, pfn_of(0, self->at));
	ASSERT_EQ(0, munmap(self->at, psize()));
	EXPECT_TRUE(pages_have(self->half, LARGE / 2, OTHERS + LARGE / 2));
	EXPECT_TRUE(is_valid());
}

/*
 * To equal memory. It is in use, so it cannot be split and moved page by page. There is a
 * page more in its mapping, as all of one does not move in place.
 */
TEST_F_TIMEOUT(folio, in_place, TIMEOUT)
{
	int used = hold_frames(self->from, 1);
	char *more = self->from + LARGE_SIZE;

	map_range(more, psize());
	ASSERT_EQ(0, madvise(more, psize(), MADV_HUGEPAGE));
	ASSERT_EQ(1, count_vmas(self->from, LARGE_SIZE + psize()));
	ASSERT_EQ(0, madvise(self->at, MORE * LARGE_SIZE, MADV_HUGEPAGE));
	ASSERT_EQ(self->at, mremap(self->from, LARGE_SIZE, LARGE_SIZE,
				   MREMAP_MAYMOVE | MREMAP_FIXED |
				   MREMAP_DONTUNMAP, self->at));
	close(used);
	EXPECT_TRUE(is_found(self));
}

/* ---- to where it does go on evenly ---- */

static char *page(DATA *self, int nr)
{
	return self->from + nr * psize();
}

static bool is_found_at(char *at)
{
	return is_valid() && pages_have(at, LARGE, OTHERS) &&
	       pages_migrate(at, LARGE) && pages_have(at, LARGE, OTHERS);
}

TEST_F_TIMEOUT(folio, whole, TIMEOUT)
{
	char *to = reserve(LARGE_SIZE);
	unsigned long pfn = pfn_of(0, self->from);

	ASSERT_TRUE(move_to(self->from, LARGE_SIZE, to));
	EXPECT_EQ(pfn, pfn_of(0, to));
	EXPECT_TRUE(is_found_at(to));
}

#define KPF_MLOCKED	33

static bool is_locked(char *at)
{
	return page_flags(pfn_of(0, at)) & (1ull << KPF_MLOCKED);
}

/* Whether it is locked as a whole is asked for where it is, not for its index. */
TEST_F_TIMEOUT(folio, locked, TIMEOUT)
{
	char *to = reserve(LARGE_SIZE);

	fork_waiting();
	ASSERT_EQ(0, mprotect(self->from, LARGE_SIZE, PROT_READ));
	ASSERT_TRUE(move_to(self->from, LARGE_SIZE, to));
	ASSERT_EQ(0, mlock(to, LARGE_SIZE));
	EXPECT_TRUE(is_locked(to));
	ASSERT_EQ(0, munlock(to, LARGE_SIZE));
	EXPECT_FALSE(is_locked(to));
	EXPECT_TRUE(is_found_at(to));
}

/* What does not move is found where it is. */
TEST_F_TIMEOUT(folio, first_half, TIMEOUT)
{
	char *to = reserve(LARGE_SIZE);

	ASSERT_TRUE(move_to(self->from, self->size, to));
	EXPECT_TRUE(is_valid());
	EXPECT_TRUE(pages_migrate(self->from + self->size, LARGE / 2));
	EXPECT_TRUE(pages_migrate(to, LARGE / 2));
	EXPECT_TRUE(pages_have(to, LARGE / 2, OTHERS));
	EXPECT_TRUE(pages_have(self->from + self->size, LARGE / 2, OTHERS + LARGE / 2));
}

/* Two of its pages have changed places before. */
TEST_F_TIMEOUT(folio, scattered, TIMEOUT)
{
	char *to = reserve(2 * LARGE_SIZE), *away = to + LARGE_SIZE;

	ASSERT_TRUE(move_to(page(self, 5), psize(), away));
	ASSERT_TRUE(move_to(page(self, 9), psize(), page(self, 5)));
	ASSERT_TRUE(move_to(away, psize(), page(self, 9)));
	fill_pages(page(self, 5), 1, OTHERS + 5);
	fill_pages(page(self, 9), 1, OTHERS + 9);
	ASSERT_TRUE(move_to(self->from, LARGE_SIZE, to));
	EXPECT_TRUE(is_found_at(to));
}

/* A child has the second half, and is found, too. */
TEST_F_TIMEOUT(folio, shared_in_part, TIMEOUT)
{
	char *to = reserve(LARGE_SIZE), *upper = self->from + self->size;
	pid_t child;

	ASSERT_EQ(0, madvise(self->from, self->size, MADV_DONTFORK));
	child = fork_waiting();
	ASSERT_EQ(0, madvise(self->from, self->size, MADV_DOFORK));
	ASSERT_TRUE(move_to(self->from, LARGE_SIZE, to));
	EXPECT_TRUE(is_found_at(to));
	EXPECT_EQ(pfn_of(child, upper), pfn_of(0, to + self->size));
	EXPECT_TRUE(pages_of_have(child, upper, LARGE / 2, OTHERS + LARGE / 2));
}

TEST_HARNESS_MAIN
