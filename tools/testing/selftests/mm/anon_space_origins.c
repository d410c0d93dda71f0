// SPDX-License-Identifier: GPL-2.0
/*
 * One mapping whose pages come from more places than there may be mappings: it
 * moves as any other does.
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

#define FIRST	0x1000000ul	/* contents of the first page, at any time */
/* Less where the address space is small: of mappings; and tables. */
#define LIMIT	(sizeof(long) < 8 ? 300 : 1000)
#define TABLES	(sizeof(long) < 8 ? 30 : 100)
#define ROUNDS	12
#define FEW	16

FIXTURE(origins)
{
	size_t table;
	long max_map_count;
};

/* Of the parent, which restores the limit even if the test crashes. */
FIXTURE_TEARDOWN_PARENT(origins)
{
	write_long(MAX_MAP_COUNT, self->max_map_count);
}

FIXTURE_VARIANT(origins)
{
	bool one_by_one;
};

FIXTURE_VARIANT_ADD(origins, by_tables) { };
FIXTURE_VARIANT_ADD(origins, one_by_one) { .one_by_one = true };

FIXTURE_SETUP(origins)
{
	self->table = table_size();
	self->max_map_count = read_long(MAX_MAP_COUNT);
	write_long(MAX_MAP_COUNT, LIMIT);
}

/* One mapping with twice as many changes of origin as there may be mappings. */
TEST_F_TIMEOUT(origins, move_alternating_origins, TIMEOUT)
{
	size_t size = 4 * self->table, i;
	size_t off = variant->one_by_one ? psize() : 0;
	char *s = reserve(8 * size), *d = s + 2 * size + off;
	struct range e = { s + 4 * size + 2 * off, size / psize(), FIRST };
	pid_t child;

	map_filled(s, e.pages, FIRST);
	fork_waiting();
	ASSERT_TRUE(move_to(s, size, d));
	for (i = 1; i < e.pages; i += 2)
		renew_page(d, i, FIRST);
	child = fork_waiting();
	map_filled(e.at, e.pages, ~FIRST);
	EXPECT_TRUE(move_to(d, size, e.at)) {
		/* After ENOMEM what was there is still there. */
		EXPECT_TRUE(pages_have(e.at, e.pages, ~FIRST));
		e.at = d;
	}
	EXPECT_EQ(1, count_vmas(e.at, size));
	EXPECT_TRUE(range_has_all(&e));
	EXPECT_TRUE(child_says(range_has_all, &e));
	EXPECT_TRUE(pages_of_have(child, d, e.pages, FIRST));
	EXPECT_TRUE(pages_migrate(e.at + 500 * psize(), FEW));
	EXPECT_TRUE(range_has_all(&e));
	EXPECT_TRUE(pages_of_have(child, d, e.pages, FIRST));
}

/* The same origins, made by MREMAP_DONTUNMAP of every second shared page. */
TEST_F_TIMEOUT(origins, dontunmap_every_second, TIMEOUT)
{
	size_t size = 4 * self->table, i;
	size_t off = variant->one_by_one ? psize() : 0;
	char *s = reserve(10 * size), *d = s + 2 * size + off;
	char *scratch = s + 8 * size;
	struct range e = { s + 4 * size + 2 * off, size / psize(), FIRST };
	pid_t before, child;

	map_filled(s, e.pages, FIRST);
	before = fork_waiting();
	ASSERT_TRUE(move_to(s, size, d));
	child = fork_waiting();
	for (i = 1; i < e.pages; i += 2)
		ASSERT_EQ(scratch, mremap(d + i * psize(), psize(), psize(),
					  MREMAP_MAYMOVE | MREMAP_FIXED |
					  MREMAP_DONTUNMAP, scratch));
	EXPECT_TRUE(pages_have(scratch, 1, FIRST + i - 2));
	for (i = 1; i < e.pages; i += 2) {
		EXPECT_EQ(0, *(long *)(d + i * psize()));
		fill_pages(d + i * psize(), 1, FIRST + i);
	}
	fork_waiting();
	EXPECT_TRUE(move_to(d, size, e.at))
		e.at = d;
	EXPECT_EQ(1, count_vmas(e.at, size));
	EXPECT_TRUE(range_has_all(&e));
	EXPECT_TRUE(child_says(range_has_all, &e));
	EXPECT_TRUE(pages_migrate(e.at + 500 * psize(), FEW));
	EXPECT_TRUE(range_has_all(&e));
	EXPECT_TRUE(pages_of_have(child, d, e.pages, FIRST));
	EXPECT_TRUE(pages_of_have(before, s, e.pages, FIRST));
}

/* Reserved, so that holes do not count as mappings. */
static void reserve_again(char *at, size_t size)
{
	if (mmap(at, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		 MAP_NORESERVE | MAP_FIXED, -1, 0) != at)
		_exit(KSFT_FAIL);
}

/* 30 or 100 tables that grow in turn by a page, each time to a new place. */
TEST_F_TIMEOUT(origins, tables_grow_one_by_one, TIMEOUT)
{
	size_t size = self->table, place = 2 * self->table, i;
	size_t off = variant->one_by_one ? psize() : 0;
	char *room = reserve((ROUNDS + 1) * (TABLES + 1) * place), *from, *to;
	int round;

	/* Touched are the last page of a table, and those that are added. */
	for (i = 0; i < TABLES; i++) {
		map_range(room + i * place, size);
		fill_pages(room + i * place + size - psize(), 1, FIRST);
	}
	for (round = 0; round < ROUNDS; round++) {
		from = room;
		room += (TABLES + 1) * place + off;
		to = room;
		fork_waiting();
		for (i = 0; i < TABLES; i++, from += place, to += place) {
			ASSERT_EQ(to, mremap(from, size, size + psize(),
					     MREMAP_MAYMOVE | MREMAP_FIXED,
					     to));
			reserve_again(from, size);
			fill_pages(to + size, 1, FIRST + 1 + round);
		}
		size += psize();
	}
	for (i = 0; i < TABLES; i++) {
		from = room + i * place + self->table - psize();
		EXPECT_TRUE(pages_have(from, 1 + ROUNDS, FIRST));
		EXPECT_TRUE(pages_migrate(from, 2));
		EXPECT_TRUE(pages_have(from, 1 + ROUNDS, FIRST));
	}
}

TEST_HARNESS_MAIN
