// SPDX-License-Identifier: GPL-2.0
/*
 * mremap(MREMAP_FIXED | MREMAP_DONTUNMAP) onto memory that is mapped: pages move,
 * what was there is gone, the source is empty. If both are alike, no VMA changes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

#define FLAGS		(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)

static bool move_in_place(void *from, size_t size, void *to)
{
	return mremap(from, size, size, FLAGS, to) == to;
}

static bool are_zero(void *addr, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (*(volatile long *)((char *)addr + i * psize()))
			return false;
	return true;
}

/* ---- by what has happened to the pages ---- */

FIXTURE(place)
{
	struct area a;
};

FIXTURE_VARIANT(place)
{
	enum area_state state;
};

FIXTURE_VARIANT_ADD(place, unfaulted) { .state = UNFAULTED };
FIXTURE_VARIANT_ADD(place, faulted) { .state = FAULTED };
FIXTURE_VARIANT_ADD(place, forked_child) { .state = FORKED_CHILD };
FIXTURE_VARIANT_ADD(place, forked_parent) { .state = FORKED_PARENT };
FIXTURE_VARIANT_ADD(place, grandchild) { .state = GRANDCHILD };
FIXTURE_VARIANT_ADD(place, written) { .state = WRITTEN };
FIXTURE_VARIANT_ADD(place, swapped) { .state = SWAPPED };
FIXTURE_VARIANT_ADD(place, moved) { .state = MOVED };
FIXTURE_VARIANT_ADD(place, moved_shared) { .state = MOVED_SHARED };
FIXTURE_VARIANT_ADD(place, huge) { .state = HUGE };
FIXTURE_VARIANT_ADD(place, huge_forked) { .state = HUGE_FORKED };

/* ffffff..eeeeee: six units with contents, six with others of their own. */
#define TARGET	8
#define OTHERS	0x5550000

FIXTURE_SETUP(place)
{
	area_init(&self->a, variant->state);
	area_fill(&self->a, 0, 6);
	area_ready(&self->a);
	area_map(&self->a, TARGET, 6);
	fill_pages(area_at(&self->a, TARGET),
		   area_size(&self->a, 6) / psize(), OTHERS);
	if (variant->state == HUGE)
		ASSERT_TRUE(make_huge(area_at(&self->a, TARGET),
				      area_size(&self->a, 6)));
}

FIXTURE_TEARDOWN(place)
{
}

static size_t unit_pages(struct area *a)
{
	return a->unit / psize();
}

/* @nr units from @first on have come to @at, and their places are empty. */
static void check_moved(struct __test_metadata *_metadata, struct area *a,
			int at, int nr, int first)
{
	EXPECT_TRUE(area_has(a, at, nr, first));
	EXPECT_TRUE(area_migrates(a, at, nr));
	EXPECT_TRUE(area_has(a, at, nr, first));
	EXPECT_TRUE(area_relative_has_all(a));
	EXPECT_TRUE(are_zero(area_at(a, first), nr * unit_pages(a)));
}

static bool has_others(struct area *a, int at, int nr)
{
	size_t skipped = (at - TARGET) * unit_pages(a);

	return pages_have(area_at(a, at), nr * unit_pages(a), OTHERS + skipped);
}

TEST_F_TIMEOUT(place, all, TIMEOUT)
{
	ASSERT_TRUE(move_in_place(area_at(&self->a, 0), area_size(&self->a, 6),
				  area_at(&self->a, TARGET)));
	check_moved(_metadata, &self->a, TARGET, 6, 0);
}

TEST_F_TIMEOUT(place, middle, TIMEOUT)
{
	ASSERT_TRUE(move_in_place(area_at(&self->a, 2), area_size(&self->a, 2),
				  area_at(&self->a, TARGET + 1)));
	check_moved(_metadata, &self->a, TARGET + 1, 2, 2);
	EXPECT_TRUE(area_has(&self->a, 0, 2, 0));
	EXPECT_TRUE(area_has(&self->a, 4, 2, 4));
	EXPECT_TRUE(has_others(&self->a, TARGET, 1));
	EXPECT_TRUE(has_others(&self->a, TARGET + 3, 3));
}

/* One after the other, in another order. */
TEST_F_TIMEOUT(place, one_by_one, TIMEOUT)
{
	static const int order[] = { 3, 0, 5, 1, 4, 2 };
	int i;

	for (i = 0; i < 6; i++)
		ASSERT_TRUE(move_in_place(area_at(&self->a, order[i]),
					  area_size(&self->a, 1),
					  area_at(&self->a, TARGET + i)));
	for (i = 0; i < 6; i++)
		check_moved(_metadata, &self->a, TARGET + i, 1, order[i]);
}

TEST_F_TIMEOUT(place, within_one_mapping, TIMEOUT)
{
	ASSERT_TRUE(move_in_place(area_at(&self->a, 0), area_size(&self->a, 2),
				  area_at(&self->a, 4)));
	check_moved(_metadata, &self->a, 4, 2, 0);
	EXPECT_TRUE(area_has(&self->a, 2, 2, 2));
}

TEST_F_TIMEOUT(place, there_and_back, TIMEOUT)
{
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_TRUE(move_in_place(area_at(&self->a, 1),
					  area_size(&self->a, 3),
					  area_at(&self->a, TARGET)));
		ASSERT_TRUE(move_in_place(area_at(&self->a, TARGET),
					  area_size(&self->a, 3),
					  area_at(&self->a, 1)));
	}
	EXPECT_TRUE(area_has(&self->a, 0, 6, 0));
	EXPECT_TRUE(area_migrates(&self->a, 0, 6));
	EXPECT_TRUE(area_relative_has_all(&self->a));
	EXPECT_TRUE(are_zero(area_at(&self->a, TARGET),
			     3 * unit_pages(&self->a)));
}

/* What is written at the source afterwards is something else. */
TEST_F_TIMEOUT(place, and_fill_the_source, TIMEOUT)
{
	size_t pages = 2 * unit_pages(&self->a);

	ASSERT_TRUE(move_in_place(area_at(&self->a, 2), area_size(&self->a, 2),
				  area_at(&self->a, TARGET)));
	fill_pages(area_at(&self->a, 2), pages, OTHERS);
	EXPECT_TRUE(area_migrates(&self->a, 2, 2));
	EXPECT_TRUE(pages_have(area_at(&self->a, 2), pages, OTHERS));
	EXPECT_TRUE(area_has(&self->a, TARGET, 2, 2));
	EXPECT_TRUE(area_migrates(&self->a, TARGET, 2));
	EXPECT_TRUE(area_has(&self->a, TARGET, 2, 2));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

static bool child_has_moved(void *arg)
{
	struct area *a = arg;

	return area_has(a, TARGET, 3, 1) && area_migrates(a, TARGET, 3) &&
	       area_has(a, TARGET, 3, 1) &&
	       are_zero(area_at(a, 1), 3 * unit_pages(a));
}

TEST_F_TIMEOUT(place, and_fork, TIMEOUT)
{
	ASSERT_TRUE(move_in_place(area_at(&self->a, 1), area_size(&self->a, 3),
				  area_at(&self->a, TARGET)));
	EXPECT_TRUE(child_says(child_has_moved, &self->a));
	check_moved(_metadata, &self->a, TARGET, 3, 1);
}

TEST_F_TIMEOUT(place, and_page_out, TIMEOUT)
{
	ASSERT_TRUE(move_in_place(area_at(&self->a, 1), area_size(&self->a, 3),
				  area_at(&self->a, TARGET)));
	try_page_out(area_at(&self->a, TARGET), area_size(&self->a, 3));
	check_moved(_metadata, &self->a, TARGET, 3, 1);
}

/* As if unmapped, and mapped again. */
TEST_F_TIMEOUT(place, counters, TIMEOUT)
{
	static const char *const same[] = { "VmSize:", "VmData:", "VmLck:" };
	long before[ARRAY_SIZE(same)], peak = status_kb("VmPeak:");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(same); i++)
		before[i] = status_kb(same[i]);
	ASSERT_TRUE(move_in_place(area_at(&self->a, 2), area_size(&self->a, 3),
				  area_at(&self->a, TARGET)));
	for (i = 0; i < ARRAY_SIZE(same); i++)
		EXPECT_EQ(before[i], status_kb(same[i]));
	EXPECT_EQ(peak, status_kb("VmPeak:"));
	check_moved(_metadata, &self->a, TARGET, 3, 2);
}

/* What was at the destination is not resident any more, all else is. */
TEST_F_TIMEOUT(place, resident, TIMEOUT)
{
	size_t size = area_size(&self->a, 3);
	void *from = area_at(&self->a, 2);
	long before;

	if (variant->state == SWAPPED)
		ASSERT_TRUE(page_out(from, size));
	status_kb("RssAnon:");	/* maps what it needs itself */
	before = status_kb("RssAnon:");
	ASSERT_TRUE(move_in_place(from, size, area_at(&self->a, TARGET)));
	EXPECT_EQ(before - (long)size / 1024, status_kb("RssAnon:"));
}

/* New: no VMA is split, made, or merged again. */
TEST_F_TIMEOUT(place, vmas_are_the_same, TIMEOUT)
{
	ASSERT_TRUE(move_in_place(area_at(&self->a, 2), area_size(&self->a, 2),
				  area_at(&self->a, TARGET + 1)));
	EXPECT_STREQ("aaaaaa..bbbbbb", area_draw(&self->a));
	ASSERT_TRUE(move_in_place(area_at(&self->a, 0), area_size(&self->a, 1),
				  area_at(&self->a, TARGET + 5)));
	EXPECT_STREQ("aaaaaa..bbbbbb", area_draw(&self->a));
	check_moved(_metadata, &self->a, TARGET + 5, 1, 0);
}

/* ---- many pages, no room for VMAs ---- */

#define MANY	2048

FIXTURE(many)
{
	char *from, *to;
	long limit;
};

FIXTURE_SETUP(many)
{
	wait_for_earlier_tests();
	self->limit = read_long(MAX_MAP_COUNT);
	self->from = reserve(MANY * psize());
	self->to = reserve(MANY * psize());
	map_filled(self->from, MANY, 1);
	map_range(self->to, MANY * psize());
}

FIXTURE_TEARDOWN(many)
{
	write_long(MAX_MAP_COUNT, self->limit);
}

/* New: at the limit of VMAs, in an order that does not follow the addresses. */
TEST_F_TIMEOUT(many, no_room_under_the_limit, TIMEOUT)
{
	size_t size = psize();
	int i, failed = 0;

	write_long(MAX_MAP_COUNT, 5);
	for (i = 0; i < MANY; i++)
		failed += !move_in_place(self->from + i * size, size,
					 self->to + (i * 701) % MANY * size);
	write_long(MAX_MAP_COUNT, self->limit);
	EXPECT_EQ(0, failed);
	for (i = 0; i < MANY; i++)
		ASSERT_TRUE(pages_have(self->to + (i * 701) % MANY * size, 1,
				       1 + i));
	EXPECT_EQ(1, count_vmas(self->from, MANY * size));
	EXPECT_EQ(1, count_vmas(self->to, MANY * size));
}

/*
 * Move @nr pages, from page 300 on to page 71 on: page tables end at other pages of the
 * source than of the destination.
 */
static bool move_over_tables(char *from, char *to, size_t nr)
{
	size_t size = psize();

	return move_in_place(from + 300 * size, nr * size, to + 71 * size) &&
	       pages_have(to + 71 * size, nr, 301) &&
	       pages_migrate(to + 71 * size, nr) &&
	       pages_have(to + 71 * size, nr, 301) &&
	       are_zero(from + 300 * size, nr);
}

TEST_F_TIMEOUT(many, over_the_ends_of_tables, TIMEOUT)
{
	EXPECT_TRUE(move_over_tables(self->from, self->to, 1024));
	EXPECT_TRUE(pages_have(self->from, 300, 1));
}

/* Nothing moves, so nothing is mapped at the destination afterwards. */
TEST_F_TIMEOUT(many, source_without_page_table, TIMEOUT)
{
	size_t size = psize(), nr = 16;

	fill_pages(self->to, 1, 0x777);
	ASSERT_TRUE(move_in_place(self->to + MANY / 2 * size, nr * size,
				  self->from + 100 * size));
	EXPECT_TRUE(are_zero(self->from + 100 * size, nr));
	EXPECT_TRUE(pages_have(self->from, 100, 1));
	EXPECT_TRUE(pages_have(self->from + (100 + nr) * size, 100, 101 + nr));
}

/* Shared pages, in more than one table, onto memory in each state. */
TEST_F_TIMEOUT(many, shared_pages_onto_others, TIMEOUT)
{
	size_t size = psize(), nr = 1024;

	fill_pages(self->to, MANY, 0x5550000);
	fork_waiting();
	EXPECT_TRUE(move_over_tables(self->from, self->to, nr));
	EXPECT_TRUE(pages_have(self->to, 71, 0x5550000));
	EXPECT_TRUE(pages_have(self->to + (71 + nr) * size, 71,
			       0x5550000 + 71 + nr));
}

/* A shared page at the end, in another page table: nothing is lost. */
TEST_F_TIMEOUT(many, the_last_page_is_shared, TIMEOUT)
{
	size_t size = psize(), nr = 700;
	char *last = self->from + (300 + nr - 1) * size;

	ASSERT_EQ(0, madvise(self->from, MANY * size, MADV_DONTFORK));
	ASSERT_EQ(0, madvise(last, size, MADV_DOFORK));
	fork_waiting();
	ASSERT_EQ(0, madvise(self->from, MANY * size, MADV_DOFORK));
	EXPECT_TRUE(move_over_tables(self->from, self->to, nr));
}

/* Out of huge pages, into them, and next to them. */
TEST_F_TIMEOUT(many, out_of_huge_pages, TIMEOUT)
{
	size_t size = psize(), half = MANY / 2;

	fill_pages(self->to, MANY, OTHERS);
	ASSERT_TRUE(make_huge(self->from, MANY * size));
	ASSERT_TRUE(make_huge(self->to, MANY * size));
	ASSERT_TRUE(move_in_place(self->from + 3 * size, 16 * size,
				  self->to + 505 * size));
	EXPECT_TRUE(pages_have(self->to + 505 * size, 16, 4));
	EXPECT_TRUE(pages_have(self->to, 505, OTHERS));
	EXPECT_TRUE(pages_have(self->to + 521 * size, half, OTHERS + 521));
	EXPECT_TRUE(are_zero(self->from + 3 * size, 16));
	EXPECT_TRUE(pages_have(self->from + 19 * size, half, 20));
	EXPECT_TRUE(pages_migrate(self->to, MANY));
	EXPECT_TRUE(pages_have(self->to + 505 * size, 16, 4));
}

/*
 * Whole huge pages, to where each of them is in two page tables: all of a huge page
 * moves, so it is worth more than an extent.
 */
TEST_F_TIMEOUT(many, whole_huge_pages_stay_whole, TIMEOUT)
{
	size_t size = psize(), half = MANY / 2, i;
	char *to = self->to + 1 * size;

	ASSERT_TRUE(make_huge(self->from, MANY * size));
	ASSERT_TRUE(move_in_place(self->from, half * size, to));
	for (i = 0; i < half; i++)
		ASSERT_TRUE(is_in_huge_page(to + i * size));
	EXPECT_TRUE(pages_have(to, half, 1));
	EXPECT_TRUE(are_zero(self->from, half));
	EXPECT_TRUE(pages_have(self->from + half * size, half, 1 + half));
	EXPECT_TRUE(pages_migrate(to, half));
	EXPECT_TRUE(pages_have(to, half, 1));
	EXPECT_EQ(1, count_vmas(self->from, MANY * size));
	EXPECT_EQ(1, count_vmas(self->to, MANY * size));
}

/* Shared pages need an extent, and there is one already. */
TEST_F_TIMEOUT(many, destination_stays_at_the_limit, TIMEOUT)
{
	size_t size = psize(), nr = 16;
	char *shared = self->from + 100 * size;
	int error;

	fill_pages(self->to, 1, OTHERS);
	fork_waiting();
	ASSERT_TRUE(move_to(shared, nr * size, reserve(nr * size)));
	write_long(MAX_MAP_COUNT, 1);
	EXPECT_FALSE(move_in_place(self->from, size, self->to));
	error = errno;
	write_long(MAX_MAP_COUNT, self->limit);
	EXPECT_EQ(ENOMEM, error);
	EXPECT_TRUE(pages_have(self->from, 1, 1));
	EXPECT_TRUE(pages_have(self->to, 1, OTHERS));
}

#define VAST	(1ul << (sizeof(long) == 8 ? 41 : 29))
#define QUARTER	(VAST / 4)	/* what an entry of the first table maps, with 64 bits */

/* Nearly all of it has no page tables, nor the third quarter any table at all. */
TEST_F_TIMEOUT(many, vast_range, TIMEOUT)
{
	size_t size = psize();
	char *from = mmap(NULL, 2 * VAST + size + QUARTER, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *to;

	ASSERT_NE(MAP_FAILED, from);
	from = (char *)(((uintptr_t)from + QUARTER - 1) & -QUARTER);
	to = from + VAST + size;
	fill_pages(from, 1, 1);
	fill_pages(from + VAST / 3, 1, 2);
	fill_pages(from + VAST - size, 1, 3);
	fill_pages(to, 2, OTHERS);
	fill_pages(to + VAST / 2, 3, OTHERS);
	ASSERT_TRUE(move_in_place(from, VAST, to));
	EXPECT_TRUE(pages_have(to, 1, 1));
	EXPECT_TRUE(pages_have(to + VAST / 3, 1, 2));
	EXPECT_TRUE(pages_have(to + VAST - size, 1, 3));
	EXPECT_TRUE(are_zero(to + size, 1));
	EXPECT_TRUE(are_zero(to + VAST / 2, 3));
	EXPECT_TRUE(are_zero(from, 1));
	EXPECT_TRUE(are_zero(from + VAST / 3, 1));
	EXPECT_TRUE(are_zero(from + VAST - size, 1));

	/* The end of that quarter, to two page tables. */
	to = from + VAST + 2 * QUARTER + QUARTER / 2 + 400 * size;
	fill_pages(to + 250 * size, 1, OTHERS);
	ASSERT_TRUE(move_in_place(from + 3 * QUARTER - 300 * size, 300 * size, to));
	EXPECT_TRUE(are_zero(to + 250 * size, 1));
}

#define BIG	(64ul << 20)
#define NOISE	(8l << 10)	/* kB of others */

/* A VMA all of which has moved has no pages to be accounted for. */
TEST_F_TIMEOUT(many, all_of_a_mapping, TIMEOUT)
{
	size_t size = psize();
	char *from = reserve(BIG), *to = reserve(2 * BIG);
	long before;

	map_range(from, BIG);
	map_range(to, 2 * BIG);
	fill_pages(from, 1, 1);
	ASSERT_TRUE(move_in_place(from, BIG, to + size));
	EXPECT_TRUE(pages_have(to + size, 1, 1));
	before = meminfo_kb("Committed_AS:");
	ASSERT_EQ(0, mprotect(from, BIG, PROT_NONE));
	EXPECT_LT((long)(BIG >> 10) - NOISE,
		  before - meminfo_kb("Committed_AS:"));
}

/* Pages that somebody refers to, in the swap cache. */
TEST_F_TIMEOUT(many, from_the_swap_cache, TIMEOUT)
{
	size_t size = psize();
	int held = hold_frames(self->from, 16);

	ASSERT_TRUE(page_out(self->from, 16 * size));
	ASSERT_TRUE(move_in_place(self->from, 16 * size,
				  self->to + 7 * size));
	EXPECT_TRUE(pages_have(self->to + 7 * size, 16, 1));
	close(held);
	EXPECT_TRUE(pages_migrate(self->to + 7 * size, 16));
	EXPECT_TRUE(pages_have(self->to + 7 * size, 16, 1));
}

/*
 * A page is always at one of two places. A thread increments a counter in it, at the
 * place where it is. If it increments it at a place that the page has left, that is lost.
 */
struct counter {
	volatile long *a, *b;
	volatile bool stop;
	long counted;
};

static void *count_up(void *arg)
{
	struct counter *c = arg;

	while (!c->stop) {
		volatile long *page = *c->a ? c->a : c->b;

		/* A new page would not have the mark. */
		if (page[0])
			__atomic_fetch_add(&page[1], 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

TEST_F_TIMEOUT(many, while_a_thread_writes, TIMEOUT)
{
	struct counter c = { (long *)self->from, (long *)self->to };
	size_t size = psize();
	pthread_t thread;
	long last = 0;
	int i;

	c.a[0] = 1;
	c.a[1] = 0;
	ASSERT_EQ(0, pthread_create(&thread, NULL, count_up, &c));
	for (i = 0; i < 5000; i++) {
		ASSERT_TRUE(move_in_place(self->from, size, self->to));
		EXPECT_EQ(1, c.b[0]);
		EXPECT_LE(last, c.b[1]);
		last = c.b[1];
		ASSERT_TRUE(move_in_place(self->to, size, self->from));
		EXPECT_EQ(1, c.a[0]);
		EXPECT_LE(last, c.a[1]);
		last = c.a[1];
	}
	c.stop = true;
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

/* ---- what is special about the memory ---- */

enum special {
	NAME_OF_BOTH, NAME_OF_SOURCE, NAME_OF_TARGET, POLICY_OF_SOURCE,
	POLICY_OF_BOTH, LOCKED, LOCKED_SOURCE, KSM, FILE_TARGET, FILE_SOURCE,
	NO_ACCESS, READ_ONLY_SOURCE, NORESERVE_SOURCE, WIPEONFORK, ZERO_PAGE,
	REGISTERED, REGISTERED_SOURCE,
};

FIXTURE(special)
{
	char *from, *to;
};

FIXTURE_VARIANT(special)
{
	enum special how;
};

FIXTURE_VARIANT_ADD(special, name_of_both) { NAME_OF_BOTH };
FIXTURE_VARIANT_ADD(special, name_of_source) { NAME_OF_SOURCE };
FIXTURE_VARIANT_ADD(special, name_of_target) { NAME_OF_TARGET };
FIXTURE_VARIANT_ADD(special, policy_of_source) { POLICY_OF_SOURCE };
FIXTURE_VARIANT_ADD(special, policy_of_both) { POLICY_OF_BOTH };
FIXTURE_VARIANT_ADD(special, locked) { LOCKED };
FIXTURE_VARIANT_ADD(special, locked_source) { LOCKED_SOURCE };
FIXTURE_VARIANT_ADD(special, ksm) { KSM };
FIXTURE_VARIANT_ADD(special, file_target) { FILE_TARGET };
FIXTURE_VARIANT_ADD(special, file_source) { FILE_SOURCE };
FIXTURE_VARIANT_ADD(special, no_access) { NO_ACCESS };
FIXTURE_VARIANT_ADD(special, read_only_source) { READ_ONLY_SOURCE };
FIXTURE_VARIANT_ADD(special, noreserve_source) { NORESERVE_SOURCE };
FIXTURE_VARIANT_ADD(special, wipeonfork) { WIPEONFORK };
FIXTURE_VARIANT_ADD(special, zero_page) { ZERO_PAGE };
FIXTURE_VARIANT_ADD(special, registered) { REGISTERED };
FIXTURE_VARIANT_ADD(special, registered_source) { REGISTERED_SOURCE };

#define PAGES	4

static void set_name(void *addr)
{
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, addr, PAGES * psize(), "special");
}

static void set_policy(void *addr)
{
	unsigned long nodes = 1;

	syscall(SYS_mbind, addr, PAGES * psize(), MPOL_PREFERRED, &nodes,
		8 * sizeof(nodes), 0);
}

/* The file holds what fill_pages() writes, but other pages of it. */
static void map_file(void *addr, unsigned long first)
{
	int fd = memfd_create("inplace", 0);

	if (ftruncate(fd, PAGES * psize()) ||
	    mmap(addr, PAGES * psize(), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, fd, 0) != addr)
		skip_test("no file");
	fill_pages(addr, PAGES, first);
	if (mmap(addr, PAGES * psize(), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_FIXED, fd, 0) != addr)
		skip_test("no private mapping of a file");
	close(fd);
}

static void map_noreserve(void *addr)
{
	if (mmap(addr, PAGES * psize(), PROT_READ | PROT_WRITE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != addr)
		skip_test("no MAP_NORESERVE");
	fill_pages(addr, PAGES, 1);
}

/* For protection from writing, of which there is none here: nobody waits. */
static int register_both(char *from, char *to)
{
	struct uffdio_api api = {
		.api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_WP };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (sizeof(long) < 8)
		skip_test("no userfaultfd against writes");
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		return -1;
	reg.range.len = PAGES * psize();
	reg.range.start = (uintptr_t)from;
	if (ioctl(fd, UFFDIO_REGISTER, &reg))
		return -1;
	reg.range.start = (uintptr_t)to;
	return to && ioctl(fd, UFFDIO_REGISTER, &reg);
}

static int make_special(enum special how, char *from, char *to)
{
	size_t size = PAGES * psize();

	switch (how) {
	case NAME_OF_BOTH:
		set_name(from);
		set_name(to);
		return 0;
	case NAME_OF_SOURCE:
		set_name(from);
		return 0;
	case NAME_OF_TARGET:
		set_name(to);
		return 0;
	case POLICY_OF_BOTH:
		set_policy(to);
		set_policy(from);
		return 0;
	case POLICY_OF_SOURCE:
		set_policy(from);
		return 0;
	case LOCKED:
		return mlock(from, size) || mlock(to, size);
	case LOCKED_SOURCE:
		return mlock(from, size);
	case KSM:
		return madvise(from, size, MADV_MERGEABLE) ||
		       madvise(to, size, MADV_MERGEABLE);
	case FILE_TARGET:
		map_file(to, OTHERS);
		return 0;
	case FILE_SOURCE:
		map_file(from, 1);
		return 0;
	case NO_ACCESS:
		return mprotect(from, size, PROT_NONE) ||
		       mprotect(to, size, PROT_NONE);
	case READ_ONLY_SOURCE:
		return mprotect(from, size, PROT_READ);
	case NORESERVE_SOURCE:
		map_noreserve(from);
		return 0;
	case WIPEONFORK:
		return madvise(from, size, MADV_WIPEONFORK) ||
		       madvise(to, size, MADV_WIPEONFORK);
	case ZERO_PAGE:
		return madvise(from, size, MADV_DONTNEED) ||
		       !are_zero(from, PAGES);
	case REGISTERED:
		return register_both(from, to);
	case REGISTERED_SOURCE:
		return register_both(from, NULL);
	}
	return -1;
}

FIXTURE_SETUP(special)
{
	self->from = reserve(PAGES * psize());
	self->to = reserve(PAGES * psize());
	map_filled(self->from, PAGES, 1);
	map_filled(self->to, PAGES, OTHERS);
	ASSERT_EQ(0, make_special(variant->how, self->from, self->to));
}

FIXTURE_TEARDOWN(special)
{
}

TEST_F(special, middle)
{
	size_t size = psize();

	ASSERT_TRUE(move_in_place(self->from + size, 2 * size,
				  self->to + size));
	if (variant->how == NO_ACCESS) {
		size_t all = PAGES * size;

		ASSERT_EQ(0, mprotect(self->to, all, PROT_READ | PROT_WRITE));
		ASSERT_EQ(0, mprotect(self->from, all, PROT_READ));
	}
	EXPECT_TRUE(variant->how == ZERO_PAGE ?
		    are_zero(self->to + size, 2) :
		    pages_have(self->to + size, 2, 2));
	EXPECT_TRUE(pages_have(self->to, 1, OTHERS));
	EXPECT_TRUE(pages_have(self->to + 3 * size, 1, OTHERS + 3));
	EXPECT_TRUE(variant->how == FILE_SOURCE ?
		    pages_have(self->from + size, 2, 2) :
		    are_zero(self->from + size, 2));
}

/* The destination has the attributes of the source afterwards. */
TEST_F(special, attributes)
{
	bool alike = variant->how == NAME_OF_BOTH ||
		     variant->how == POLICY_OF_BOTH ||
		     variant->how == WIPEONFORK || variant->how == NO_ACCESS ||
		     variant->how == ZERO_PAGE;
	size_t size = psize();

	ASSERT_TRUE(move_in_place(self->from + size, 2 * size,
				  self->to + size));
	if (variant->how == LOCKED) {
		/* What has moved is locked, what is left is not. */
		EXPECT_EQ((long)(PAGES + 2) * 4, status_kb("VmLck:"));
	} else if (variant->how == LOCKED_SOURCE) {
		EXPECT_EQ((long)PAGES * 4, status_kb("VmLck:"));
	} else if (!alike && variant->how != KSM &&
		   variant->how != REGISTERED_SOURCE) {
		EXPECT_EQ(3, count_vmas(self->to, PAGES * size));
	}
}

/* ---- what fails ---- */

TEST(limit_of_the_address_space)
{
	char *from = reserve(4 * psize()), *to = reserve(4 * psize());
	struct rlimit limit = { 0, RLIM_INFINITY };

	map_filled(from, 4, 1);
	map_filled(to, 4, OTHERS);
	limit.rlim_cur = (status_kb("VmSize:") - 64) * 1024;
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	EXPECT_FALSE(move_in_place(from, 2 * psize(), to));
	EXPECT_EQ(ENOMEM, errno);
	limit.rlim_cur = RLIM_INFINITY;
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	EXPECT_TRUE(pages_have(from, 4, 1));
}

#ifndef __NR_mseal
#define __NR_mseal	462
#endif

TEST(sealed)
{
	char *from = reserve(4 * psize()), *to = reserve(4 * psize());

	map_filled(from, 4, 1);
	map_filled(to, 4, OTHERS);
	if (sizeof(long) < 8)
		SKIP(return, "no mseal()");
	ASSERT_EQ(0, syscall(__NR_mseal, from, 4 * psize(), 0));
	EXPECT_FALSE(move_in_place(from, 2 * psize(), to));
	EXPECT_EQ(EPERM, errno);
	ASSERT_EQ(0, syscall(__NR_mseal, to, 4 * psize(), 0));
	EXPECT_FALSE(move_in_place(from, 2 * psize(), to));
	EXPECT_EQ(EPERM, errno);
	EXPECT_TRUE(pages_have(from, 4, 1));
	EXPECT_TRUE(pages_have(to, 4, OTHERS));
}

TEST_HARNESS_MAIN
