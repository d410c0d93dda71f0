// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that moves again and again, or grows, and is written in between: pages
 * of every origin are in one mapping, which still moves, and has its contents in
 * every process.
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
#define HOPS	10
#define FEW	16

/* ---- chains of moves: A -> B -> C ... ---- */

FIXTURE(chain)
{
	struct range r;
	size_t size, hop;
	pid_t child;
	char *start;
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define DATA	FIXTURE_DATA(chain)

FIXTURE_VARIANT(chain)
{
	size_t tables;
	bool one_by_one;	/* not by whole page tables */
	bool shared;		/* with a child */
};

FIXTURE_VARIANT_ADD(chain, table) { .tables = 1 };
FIXTURE_VARIANT_ADD(chain, table_shared) { .tables = 1, .shared = true };
FIXTURE_VARIANT_ADD(chain, entries) { .tables = 1, .one_by_one = true };
FIXTURE_VARIANT_ADD(chain, entries_shared) {
	.tables = 1, .one_by_one = true, .shared = true
};

FIXTURE_VARIANT_ADD(chain, many_tables) { .tables = 32 };
FIXTURE_VARIANT_ADD(chain, many_tables_shared) {
	.tables = 32, .shared = true
};

FIXTURE_SETUP(chain)
{
	self->size = variant->tables * table_size();
	self->hop = self->size;
	if (variant->one_by_one)
		self->hop += psize();
	self->r.pages = self->size / psize();
	self->r.first = FIRST;
	self->r.at = reserve((HOPS + 2) * self->hop);
	self->start = self->r.at;
	map_filled(self->r.at, self->r.pages, FIRST);
	if (variant->shared)
		self->child = fork_waiting();
}

FIXTURE_TEARDOWN(chain)
{
}

/* To the next place, with one more page of another origin. */
static bool hop(DATA *self, int nr)
{
	renew_page(self->r.at, (nr * 37 + 5) % self->r.pages, FIRST);
	if (!move_to(self->r.at, self->size, self->r.at + self->hop))
		return false;
	self->r.at += self->hop;
	return true;
}

static bool child_has_all(DATA *self)
{
	return !self->child || pages_of_have(self->child, self->start,
					     self->r.pages, FIRST);
}

/* Contents are kept, and one mapping stays one. */
TEST_F_TIMEOUT(chain, contents, TIMEOUT)
{
	int i;

	for (i = 0; i < HOPS; i++) {
		ASSERT_TRUE(hop(self, i));
		EXPECT_EQ(1, count_vmas(self->start, (HOPS + 2) * self->hop));
		EXPECT_TRUE(range_has_all(&self->r));
	}
	EXPECT_TRUE(child_has_all(self));
}

/* After each hop a new child reads the contents of all origins. */
TEST_F_TIMEOUT(chain, fork_at_each_hop, TIMEOUT)
{
	int i;

	for (i = 0; i < HOPS; i++) {
		ASSERT_TRUE(hop(self, i));
		EXPECT_TRUE(child_says(range_has_all, &self->r));
	}
	EXPECT_TRUE(range_has_all(&self->r));
	EXPECT_TRUE(child_has_all(self));
}

/* The first pages, and those of other origins, are found by migration. */
TEST_F_TIMEOUT(chain, migrate_at_each_hop, TIMEOUT)
{
	int i;

	for (i = 0; i < HOPS; i++) {
		ASSERT_TRUE(hop(self, i));
		EXPECT_TRUE(pages_migrate(self->r.at, FEW));
		EXPECT_TRUE(pages_migrate(self->r.at + (i * 37 + 4) * psize(),
					  3));
	}
	EXPECT_TRUE(range_has_all(&self->r));
	EXPECT_TRUE(child_has_all(self));
}

/* Pages move while they are swapped, and are read back or not before. */
TEST_F_TIMEOUT(chain, page_out_at_each_hop, TIMEOUT)
{
	size_t size = FEW * psize();
	bool gone;
	int i;

	for (i = 0; i < HOPS; i++) {
		ASSERT_TRUE(hop(self, i));
		/* Pages that others have as well stay. */
		gone = variant->shared ? try_page_out(self->r.at, size) :
					 page_out(self->r.at, size);
		EXPECT_NE(gone, variant->shared);
		if (i % 2)
			EXPECT_TRUE(pages_have(self->r.at, FEW, FIRST));
	}
	EXPECT_TRUE(range_has_all(&self->r));
	EXPECT_TRUE(pages_migrate(self->r.at, FEW));
	EXPECT_TRUE(range_has_all(&self->r));
	EXPECT_TRUE(child_has_all(self));
}

/* A chain that ends where it began. */
TEST_F_TIMEOUT(chain, back_to_start, TIMEOUT)
{
	int i;

	for (i = 0; i < HOPS; i++)
		ASSERT_TRUE(hop(self, i));
	ASSERT_TRUE(move_to(self->r.at, self->size, self->start));
	self->r.at = self->start;
	EXPECT_EQ(1, count_vmas(self->start, (HOPS + 2) * self->hop));
	EXPECT_TRUE(child_says(range_has_all, &self->r));
	EXPECT_TRUE(pages_migrate(self->start, FEW));
	EXPECT_TRUE(pages_migrate(self->start + 300 * psize(), FEW));
	EXPECT_TRUE(range_has_all(&self->r));
	EXPECT_TRUE(child_has_all(self));
}

/* ---- growth ---- */

#define STEPS	(sizeof(long) < 8 ? 16 : 40)	/* what 32 bits have room for */

FIXTURE(growth)
{
	struct range r;
	char *start;
	size_t step, place;	/* bytes between places */
};

FIXTURE_VARIANT(growth)
{
	bool move;	/* each time to a new place */
	bool moved;	/* once, before */
	bool fork;	/* a child after each step; it stays */
};

FIXTURE_VARIANT_ADD(growth, in_place) { };
FIXTURE_VARIANT_ADD(growth, in_place_moved) { .moved = true };
FIXTURE_VARIANT_ADD(growth, in_place_moved_forked) {
	.moved = true, .fork = true
};

FIXTURE_VARIANT_ADD(growth, moving) { .move = true };
FIXTURE_VARIANT_ADD(growth, moving_forked) { .move = true, .fork = true };

FIXTURE_SETUP(growth)
{
	int places = variant->move ? STEPS + 1 : 2;

	self->step = table_size();
	self->place = (STEPS + 2) * self->step;
	self->start = reserve(places * self->place);
	self->r.at = self->start;
	self->r.pages = self->step / psize();
	self->r.first = FIRST;
	map_filled(self->r.at, self->r.pages, FIRST);
	if (variant->moved) {
		self->r.at += self->place;
		ASSERT_TRUE(move_to(self->start, self->step, self->r.at));
	}
	if (!variant->move)
		ASSERT_EQ(0, munmap(self->r.at + self->step,
				    STEPS * self->step));
}

FIXTURE_TEARDOWN(growth)
{
}

/* 2 MiB more, 16 or 40 times: one mapping, whose contents stay. */
TEST_F_TIMEOUT(growth, by_tables, TIMEOUT)
{
	size_t step = self->step / psize(), size;
	char *to;
	int i;

	for (i = 0; i < STEPS; i++) {
		size = self->r.pages * psize();
		to = self->r.at + (variant->move ? self->place : 0);
		ASSERT_EQ(to, mremap(self->r.at, size, size + self->step,
				     variant->move ?
				     MREMAP_MAYMOVE | MREMAP_FIXED : 0, to));
		self->r.at = to;
		fill_pages(to + size, step, FIRST + self->r.pages);
		self->r.pages += step;
		ASSERT_EQ(1, count_vmas(to, self->place));
		if (variant->fork && i % 8 == 0)
			fork_waiting();
	}
	EXPECT_TRUE(range_has_all(&self->r));
	EXPECT_TRUE(child_says(range_has_all, &self->r));
	EXPECT_TRUE(pages_migrate(self->r.at + self->step, FEW));
	EXPECT_TRUE(pages_migrate(self->r.at + size, FEW));
	try_page_out(self->r.at + size - FEW * psize(), 2 * FEW * psize());
	EXPECT_TRUE(range_has_all(&self->r));
}

TEST_HARNESS_MAIN
