// SPDX-License-Identifier: GPL-2.0
/*
 * Swapped memory that was moved is brought in once, for all processes that have
 * it: each page is one page frame, and nobody makes a copy.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#define FIRST	0x1000000ul	/* contents of the first page */
#define MOST	512		/* pages */
#define CHILDREN 3
#define FEW	16

/* Pages and the processes that have them: children have them where they were forked. */
struct family {
	char *at, *born_at;
	size_t pages;
	pid_t children[CHILDREN];
};

static void have_children(struct family *f)
{
	int i;

	f->born_at = f->at;
	for (i = 0; i < CHILDREN; i++)
		f->children[i] = fork_waiting();
}

static bool children_read(struct family *f)
{
	int i;

	for (i = 0; i < CHILDREN; i++)
		if (!pages_of_have(f->children[i], f->born_at, f->pages, FIRST))
			return false;
	return true;
}

/* Pages that a child has in another frame than the parent. */
static int copies(struct family *f)
{
	int copies = 0, c;
	unsigned long pfn;
	size_t i, off;

	for (i = 0; i < f->pages; i++) {
		off = i * psize();
		pfn = pfn_of(0, f->at + off);
		for (c = 0; c < CHILDREN; c++)
			copies += !pfn || pfn != pfn_of(f->children[c],
							f->born_at + off);
	}
	return copies;
}

/* All mappings are found: with the parent's page those of the children migrate. */
static bool migrates_together(struct family *f)
{
	return pages_migrate(f->at + f->pages / 2 * psize(), FEW) &&
	       !copies(f) && pages_have(f->at, f->pages, FIRST) &&
	       children_read(f);
}

/* ---- swapped, shared, moved ---- */

FIXTURE(shared)
{
	struct family f;
};

FIXTURE_VARIANT(shared)
{
	bool one_by_one;	/* not by a whole page table */
	bool back;		/* to where it was shared */
	bool before;		/* moved once when it was not yet shared */
};

FIXTURE_VARIANT_ADD(shared, entries_away) { .one_by_one = true };
FIXTURE_VARIANT_ADD(shared, entries_away_and_back) {
	.one_by_one = true, .back = true
};

FIXTURE_VARIANT_ADD(shared, table_away) { };
FIXTURE_VARIANT_ADD(shared, table_away_and_back) { .back = true };
FIXTURE_VARIANT_ADD(shared, moved_table_away) { .before = true };
FIXTURE_VARIANT_ADD(shared, moved_table_away_and_back) {
	.before = true, .back = true
};

/* The parent moves 512 swapped pages of which three children have the entry. */
FIXTURE_SETUP(shared)
{
	size_t size = MOST * psize(), place = 2 * table_size();
	struct family *f = &self->f;

	f->pages = MOST;
	f->at = reserve(4 * place);
	map_filled(f->at, MOST, FIRST);
	if (variant->before) {
		ASSERT_TRUE(move_to(f->at, size, f->at + 2 * place));
		f->at += 2 * place;
	}
	ASSERT_TRUE(page_out(f->at, size));
	have_children(f);
	f->at += place + (variant->one_by_one ? psize() : 0);
	ASSERT_TRUE(move_to(f->born_at, size, f->at));
	if (variant->back) {
		ASSERT_TRUE(move_to(f->at, size, f->born_at));
		f->at = f->born_at;
	}
}

FIXTURE_TEARDOWN(shared)
{
}

TEST_F_TIMEOUT(shared, parent_reads_first, TIMEOUT)
{
	EXPECT_TRUE(pages_have(self->f.at, MOST, FIRST));
	EXPECT_TRUE(children_read(&self->f));
	EXPECT_EQ(0, copies(&self->f));
	EXPECT_TRUE(migrates_together(&self->f));
}

TEST_F_TIMEOUT(shared, child_reads_first, TIMEOUT)
{
	EXPECT_TRUE(children_read(&self->f));
	EXPECT_TRUE(pages_have(self->f.at, MOST, FIRST));
	EXPECT_EQ(0, copies(&self->f));
	EXPECT_TRUE(migrates_together(&self->f));
}

/* The kernel brings all in at once, process by process. */
TEST_F_TIMEOUT(shared, swapoff, TIMEOUT)
{
	ASSERT_TRUE(swap_off_and_on());
	EXPECT_EQ(0, copies(&self->f));
	EXPECT_TRUE(pages_have(self->f.at, MOST, FIRST));
	EXPECT_TRUE(children_read(&self->f));
	EXPECT_TRUE(migrates_together(&self->f));
}

/* The children get the page that their parent has brought in and moved. */
TEST(moved_before_children_read)
{
	struct family f = { .pages = 2 * FEW };
	size_t i, size = f.pages * psize();

	f.at = reserve(3 * size);
	map_filled(f.at, f.pages, FIRST);
	hold_frames(f.at, f.pages);
	ASSERT_TRUE(page_out(f.at, size));
	have_children(&f);
	ASSERT_TRUE(pages_have(f.at, f.pages, FIRST));
	/* One by one: of so few each is asked whether it is shared. */
	f.at += 2 * size;
	for (i = 0; i < size; i += psize())
		ASSERT_TRUE(move_to(f.born_at + i, psize(), f.at + i));
	EXPECT_TRUE(children_read(&f));
	EXPECT_EQ(0, copies(&f));
}

/* ---- moved and in the swap cache ---- */

#define CACHED	64

FIXTURE(cached)
{
	struct family f;
	size_t size, place;
	char *elsewhere;
	unsigned long frame[CACHED];	/* before they were paged out */
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define DATA	FIXTURE_DATA(cached)

FIXTURE_VARIANT(cached)
{
	bool one_by_one;
	bool before;	/* moved before it was paged out */
	bool after;	/* moved when it was in the swap cache */
};

FIXTURE_VARIANT_ADD(cached, table_before) { .before = true };
FIXTURE_VARIANT_ADD(cached, table_after) { .after = true };
FIXTURE_VARIANT_ADD(cached, table_before_and_after) {
	.before = true, .after = true
};

FIXTURE_VARIANT_ADD(cached, entries_before) {
	.one_by_one = true, .before = true
};

FIXTURE_VARIANT_ADD(cached, entries_after) {
	.one_by_one = true, .after = true
};

FIXTURE_VARIANT_ADD(cached, entries_before_and_after) {
	.one_by_one = true, .before = true, .after = true
};

static bool move_cached(DATA *self)
{
	char *from = self->f.at;

	self->f.at += self->place;
	return move_to(from, self->size, self->f.at);
}

/* Nobody has the pages mapped, but they are in memory, in the swap cache. */
FIXTURE_SETUP(cached)
{
	struct family *f = &self->f;
	size_t i;

	self->size = table_size();
	self->place = 2 * self->size + (variant->one_by_one ? psize() : 0);
	f->pages = CACHED;
	f->at = reserve(3 * self->place);
	map_range(f->at, self->size);
	fill_pages(f->at, CACHED, FIRST);
	if (variant->before)
		ASSERT_TRUE(move_cached(self));
	for (i = 0; i < CACHED; i++)
		self->frame[i] = pfn_of(0, f->at + i * psize());
	hold_frames(f->at, CACHED);
	ASSERT_TRUE(page_out(f->at, CACHED * psize()));
	if (variant->after)
		ASSERT_TRUE(move_cached(self));
}

FIXTURE_TEARDOWN(cached)
{
}

/* Pages that are not in the frame in which they were. */
static int other_frames(DATA *self)
{
	int others = 0;
	size_t i;

	for (i = 0; i < CACHED; i++)
		others += pfn_of(0, self->f.at + i * psize()) != self->frame[i];
	return others;
}

/* Children that are forked now, and their parent, get the frame that is there. */
TEST_F_TIMEOUT(cached, fork_and_parent_reads_first, TIMEOUT)
{
	have_children(&self->f);
	EXPECT_TRUE(pages_have(self->f.at, CACHED, FIRST));
	EXPECT_TRUE(children_read(&self->f));
	EXPECT_EQ(0, other_frames(self));
	EXPECT_EQ(0, copies(&self->f));
}

TEST_F_TIMEOUT(cached, fork_and_child_reads_first, TIMEOUT)
{
	have_children(&self->f);
	EXPECT_TRUE(children_read(&self->f));
	EXPECT_TRUE(pages_have(self->f.at, CACHED, FIRST));
	EXPECT_EQ(0, other_frames(self));
	EXPECT_EQ(0, copies(&self->f));
}

TEST_F_TIMEOUT(cached, fork_and_swapoff, TIMEOUT)
{
	have_children(&self->f);
	ASSERT_TRUE(swap_off_and_on());
	EXPECT_EQ(0, other_frames(self));
	EXPECT_EQ(0, copies(&self->f));
	EXPECT_TRUE(pages_have(self->f.at, CACHED, FIRST));
	EXPECT_TRUE(children_read(&self->f));
}

/* Nobody else has it. */
TEST_F_TIMEOUT(cached, read, TIMEOUT)
{
	EXPECT_TRUE(pages_have(self->f.at, CACHED, FIRST));
	EXPECT_EQ(0, other_frames(self));
}

TEST_F_TIMEOUT(cached, swapoff, TIMEOUT)
{
	ASSERT_TRUE(swap_off_and_on());
	EXPECT_EQ(0, other_frames(self));
	EXPECT_TRUE(pages_have(self->f.at, CACHED, FIRST));
}

TEST_HARNESS_MAIN
