// SPDX-License-Identifier: GPL-2.0
/*
 * What cannot be done fails as ever, with the same error, and changes nothing.
 * Only where VMAs have become one, what needs one VMA succeeds.
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

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

#define MOVE		MREMAP_MAYMOVE
#define MOVE_TO		(MREMAP_MAYMOVE | MREMAP_FIXED)
#define KEEP		(MREMAP_MAYMOVE | MREMAP_DONTUNMAP)
#define KEEP_TO		(MOVE_TO | MREMAP_DONTUNMAP)

/* No process has so much; and so far behind the area there is no memory of processes. */
#define PAGES_OF_ADDRESS_SPACE	(sizeof(long) < 8 ? 0xc0000 : 0x1000000000)
#define PAGES_TO_KERNEL		(sizeof(long) < 8 ? 0x10000 : 0x1000000000)

FIXTURE(mremap)
{
	struct area a;
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define DATA	FIXTURE_DATA(mremap)

/* In pages of the area, which is aaaa..bbCd: C is read-only. */
FIXTURE_VARIANT(mremap)
{
	int flags;
	double from, old, new, to;
	int error;
};

/* ---- addresses and sizes ---- */

FIXTURE_VARIANT_ADD(mremap, from_unaligned) {
	MOVE_TO, 0.5, 1, 1, 12, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, to_unaligned) {
	MOVE_TO, 0, 1, 1, 12.5, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, new_size_zero) {
	MOVE_TO, 0, 1, 0, 12, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, old_size_zero) {
	MOVE_TO, 0, 0, 1, 12, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, onto_itself) {
	MOVE_TO, 0, 2, 2, 0, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, overlap_above) {
	MOVE_TO, 0, 2, 2, 1, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, overlap_below) {
	MOVE_TO, 2, 2, 2, 1, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, overlap_of_larger) {
	MOVE_TO, 2, 1, 3, 0, EINVAL
};

/* ---- what is there ---- */

FIXTURE_VARIANT_ADD(mremap, nothing_there) {
	MOVE_TO, 4, 1, 1, 12, EFAULT
};

FIXTURE_VARIANT_ADD(mremap, hole_behind) {
	MOVE_TO, 2, 3, 3, 12, EFAULT
};

FIXTURE_VARIANT_ADD(mremap, hole_before) {
	MOVE_TO, 5, 3, 3, 12, EFAULT
};

FIXTURE_VARIANT_ADD(mremap, two_protections) {
	MOVE_TO, 7, 2, 2, 12, EFAULT
};

FIXTURE_VARIANT_ADD(mremap, three_protections) {
	MOVE_TO, 6, 4, 4, 12, EFAULT
};

FIXTURE_VARIANT_ADD(mremap, two_protections_and_grow) {
	MOVE_TO, 7, 2, 3, 12, EFAULT
};

FIXTURE_VARIANT_ADD(mremap, no_room_to_grow) {
	0, 6, 2, 3, 0, ENOMEM
};

FIXTURE_VARIANT_ADD(mremap, grow_the_middle) {
	0, 1, 1, 2, 0, ENOMEM
};

/* ---- flags ---- */

FIXTURE_VARIANT_ADD(mremap, unknown_flag) {
	8 | MOVE_TO, 0, 1, 1, 12, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, fixed_alone) {
	MREMAP_FIXED, 0, 1, 1, 12, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, dontunmap_alone) {
	MREMAP_DONTUNMAP, 0, 1, 1, 12, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, dontunmap_and_grow) {
	KEEP, 0, 1, 2, 12, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, dontunmap_and_shrink) {
	KEEP, 0, 2, 1, 12, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, dontunmap_onto_itself) {
	KEEP_TO, 0, 2, 2, 1, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, dontunmap_two_protections) {
	KEEP_TO, 7, 2, 2, 12, EFAULT
};

FIXTURE_VARIANT_ADD(mremap, dontunmap_hole) {
	KEEP_TO, 2, 3, 3, 12, EFAULT
};

/* ---- to what is mapped: bb is as aaaa, c is not ---- */

FIXTURE_VARIANT_ADD(mremap, dontunmap_from_unaligned) {
	KEEP_TO, 0.5, 1, 1, 6, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, dontunmap_to_unaligned) {
	KEEP_TO, 0, 1, 1, 6.5, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, dontunmap_overlap_below) {
	KEEP_TO, 1, 2, 2, 0, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, dontunmap_size_zero) {
	KEEP_TO, 0, 0, 0, 6, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, dontunmap_from_hole) {
	KEEP_TO, 4, 1, 1, 6, EFAULT
};

FIXTURE_VARIANT_ADD(mremap, dontunmap_to_kernel) {
	KEEP_TO, 0, 1, 1, PAGES_TO_KERNEL, EINVAL
};

/* ---- sizes and addresses that no process has ---- */

FIXTURE_VARIANT_ADD(mremap, to_kernel) {
	MOVE_TO, 0, 1, 1, PAGES_TO_KERNEL, EINVAL
};

FIXTURE_VARIANT_ADD(mremap, too_large) {
	MOVE, 0, 1, PAGES_OF_ADDRESS_SPACE, 0, ENOMEM
};

FIXTURE_VARIANT_ADD(mremap, too_large_to) {
	MOVE_TO, 0, 1, PAGES_OF_ADDRESS_SPACE, 12, EINVAL
};

#define DRAWING	"aaaa..bbcd"

FIXTURE_SETUP(mremap)
{
	area_init(&self->a, FAULTED);
	area_fill(&self->a, 0, 4);
	area_fill(&self->a, 6, 4);
	ASSERT_EQ(0, munmap(area_at(&self->a, 4), area_size(&self->a, 2)));
	ASSERT_EQ(0, mprotect(area_at(&self->a, 8), psize(), PROT_READ));
	ASSERT_STREQ(DRAWING, area_draw(&self->a));
}

FIXTURE_TEARDOWN(mremap)
{
}

static void *page(DATA *self, double page)
{
	return self->a.base + (long)(page * psize());
}

TEST_F(mremap, fails)
{
	errno = 0;
	EXPECT_EQ(MAP_FAILED,
		  mremap(page(self, variant->from), variant->old * psize(),
			 variant->new * psize(), variant->flags,
			 page(self, variant->to)));
	EXPECT_EQ(variant->error, errno);
	EXPECT_STREQ(DRAWING, area_draw(&self->a));
	EXPECT_TRUE(area_has(&self->a, 0, 4, 0));
	EXPECT_TRUE(area_has(&self->a, 6, 4, 6));
	EXPECT_TRUE(area_migrates(&self->a, 0, 4));
	EXPECT_TRUE(area_migrates(&self->a, 6, 4));
}

/* ---- memory that was several VMAs ---- */

FIXTURE(parts)
{
	struct area a;
};

FIXTURE_VARIANT(parts)
{
	enum area_state state;
};

FIXTURE_VARIANT_ADD(parts, unfaulted) { .state = UNFAULTED };
FIXTURE_VARIANT_ADD(parts, faulted) { .state = FAULTED };
FIXTURE_VARIANT_ADD(parts, forked_child) { .state = FORKED_CHILD };
FIXTURE_VARIANT_ADD(parts, swapped) { .state = SWAPPED };
FIXTURE_VARIANT_ADD(parts, moved) { .state = MOVED };
FIXTURE_VARIANT_ADD(parts, moved_shared) { .state = MOVED_SHARED };
FIXTURE_VARIANT_ADD(parts, huge) { .state = HUGE };

/* aaa.bbb, and the hole is filled. */
FIXTURE_SETUP(parts)
{
	area_init(&self->a, variant->state);
	area_fill(&self->a, 0, 3);
	area_fill(&self->a, 4, 3);
	area_ready(&self->a);
	area_map(&self->a, 3, 1);
}

FIXTURE_TEARDOWN(parts)
{
}

TEST_F(parts, move)
{
	void *to = area_at(&self->a, 8);

	ASSERT_EQ(to, mremap(area_at(&self->a, 0), area_size(&self->a, 7),
			     area_size(&self->a, 7), MOVE_TO, to));
	EXPECT_TRUE(area_has(&self->a, 8, 3, 0));
	EXPECT_TRUE(area_has(&self->a, 12, 3, 4));
	EXPECT_TRUE(area_migrates(&self->a, 8, 7));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

TEST_F(parts, move_dontunmap)
{
	void *to = area_at(&self->a, 8);

	ASSERT_EQ(to, mremap(area_at(&self->a, 0), area_size(&self->a, 7),
			     area_size(&self->a, 7), KEEP_TO, to));
	EXPECT_TRUE(area_has(&self->a, 8, 3, 0));
	EXPECT_TRUE(area_has(&self->a, 12, 3, 4));
	EXPECT_TRUE(area_migrates(&self->a, 8, 7));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

TEST_F(parts, grow)
{
	void *addr = area_at(&self->a, 0);

	ASSERT_EQ(0, munmap(area_at(&self->a, 7), area_size(&self->a, 2)));
	ASSERT_EQ(addr, mremap(addr, area_size(&self->a, 7),
			       area_size(&self->a, 9), 0));
	EXPECT_EQ(0, *(long *)area_at(&self->a, 8));
	EXPECT_TRUE(area_has(&self->a, 4, 3, 4));
	EXPECT_TRUE(area_migrates(&self->a, 0, 9));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* Shrinking never needed one VMA. */
TEST_F(parts, shrink)
{
	void *addr = area_at(&self->a, 0);

	ASSERT_EQ(addr, mremap(addr, area_size(&self->a, 7),
			       area_size(&self->a, 2), 0));
	EXPECT_STREQ("aa", area_draw(&self->a));
	EXPECT_TRUE(area_has(&self->a, 0, 2, 0));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* ---- other calls, over a hole ---- */

FIXTURE(hole)
{
	struct area a;
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define HOLE_DATA	FIXTURE_DATA(hole)

FIXTURE_SETUP(hole)
{
	area_init(&self->a, FAULTED);
	area_fill(&self->a, 0, 6);
	area_move(&self->a, 2, 1, 8);
}

FIXTURE_TEARDOWN(hole)
{
}

static void *start(HOLE_DATA *self)
{
	return area_at(&self->a, 0);
}

/* What comes before the hole is done. */
TEST_F(hole, mprotect)
{
	EXPECT_EQ(-1, mprotect(start(self), 6 * psize(), PROT_READ));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_STREQ("aa.bbb..c", area_draw(&self->a));
	EXPECT_EQ(0, mprotect(start(self), 2 * psize(),
			      PROT_READ | PROT_WRITE));
	fill_pages(start(self), 1, 0x777);
	EXPECT_TRUE(area_migrates(&self->a, 0, 6));
}

TEST_F(hole, mlock)
{
	EXPECT_EQ(-1, mlock(start(self), 6 * psize()));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(0, munmap(start(self), 6 * psize()));
	EXPECT_EQ(0, status_kb("VmLck:"));
}

TEST_F(hole, madvise)
{
	EXPECT_EQ(-1, madvise(start(self), 6 * psize(), MADV_DONTNEED));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(0, *(long *)area_at(&self->a, 5));
	EXPECT_TRUE(area_has(&self->a, 8, 1, 2));
}

TEST_F(hole, msync)
{
	EXPECT_EQ(-1, msync(start(self), 6 * psize(), MS_SYNC));
	EXPECT_EQ(ENOMEM, errno);
}

TEST_F(hole, munmap)
{
	EXPECT_EQ(0, munmap(start(self), 6 * psize()));
	EXPECT_STREQ("........a", area_draw(&self->a));
	EXPECT_TRUE(area_has(&self->a, 8, 1, 2));
	EXPECT_TRUE(area_migrates(&self->a, 8, 1));
}

TEST_F(hole, map_fixed_noreplace)
{
	EXPECT_EQ(MAP_FAILED,
		  mmap(start(self), 3 * psize(), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		       0));
	EXPECT_EQ(EEXIST, errno);
	EXPECT_STREQ("aa.bbb..c", area_draw(&self->a));
}

TEST_HARNESS_MAIN
