// SPDX-License-Identifier: GPL-2.0
/*
 * New memory of a process that has asked KSM to merge all of it, which is mergeable
 * from the beginning, merges with what is next to it.
 *
 *	| old | new |	both mergeable: one mapping
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE	67
#endif

#define NR_PAGES	4

FIXTURE(mergeable)
{
	char *mem;
};

FIXTURE_SETUP(mergeable)
{
	if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0))
		SKIP(return, "no PR_SET_MEMORY_MERGE");
	self->mem = reserve((NR_PAGES + 2) * psize());
	self->mem += psize();
	munmap(self->mem, NR_PAGES * psize());
}

FIXTURE_TEARDOWN(mergeable)
{
	prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0);
}

static void map_page(char *mem, int i)
{
	map_range(mem + i * psize(), psize());
	mem[i * psize()] = i;
}

/* Pages that are mapped one behind the other are one mapping. */
TEST_F(mergeable, mapped_upwards)
{
	int i;

	for (i = 0; i < NR_PAGES; i++)
		map_page(self->mem, i);
	ASSERT_EQ(count_vmas(self->mem, NR_PAGES * psize()), 1);
}

/* So they are one before the other. */
TEST_F(mergeable, mapped_downwards)
{
	int i;

	for (i = NR_PAGES - 1; i >= 0; i--)
		map_page(self->mem, i);
	ASSERT_EQ(count_vmas(self->mem, NR_PAGES * psize()), 1);
}

/* A page fills the hole between two others. */
TEST_F(mergeable, hole_filled)
{
	map_page(self->mem, 0);
	map_page(self->mem, 2);
	map_page(self->mem, 1);
	ASSERT_EQ(count_vmas(self->mem, 3 * psize()), 1);
}

/* The heap grows as one mapping. */
TEST_F(mergeable, heap_grows)
{
	char *heap = sbrk(2 * psize());
	int i;

	ASSERT_NE(heap, (void *)-1);
	heap += psize() - (unsigned long)heap % psize();
	for (i = 0; i < NR_PAGES; i++) {
		ASSERT_NE(sbrk(psize()), (void *)-1);
		heap[i * psize()] = i;
	}
	ASSERT_EQ(count_vmas(heap, NR_PAGES * psize()), 1);
}

/* Old and new memory are equal when all is mergeable, or none. */
TEST(some_before_all)
{
	size_t size = psize();
	char *mem;

	prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0);
	mem = reserve(5 * size);
	map_filled(mem, 5, 1);
	if (madvise(mem + size, size, MADV_MERGEABLE))
		SKIP(return, "no KSM");
	ASSERT_EQ(3, count_vmas(mem, 5 * size));
	ASSERT_EQ(0, prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0));
	EXPECT_EQ(1, count_vmas(mem, 5 * size));
	EXPECT_TRUE(pages_have(mem, 5, 1));
	ASSERT_EQ(0, madvise(mem + 3 * size, size, MADV_UNMERGEABLE));
	EXPECT_EQ(3, count_vmas(mem, 5 * size));
	ASSERT_EQ(0, prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0));
	EXPECT_EQ(1, count_vmas(mem, 5 * size));
	EXPECT_TRUE(pages_have(mem, 5, 1));
	EXPECT_TRUE(pages_migrate(mem, 5));
}

TEST_HARNESS_MAIN
