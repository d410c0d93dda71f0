// SPDX-License-Identifier: GPL-2.0
/*
 * Anonymous VMAs merge whenever their attributes are equal, whatever has
 * happened to their pages. Each test does one thing to memory in each state.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mempolicy.h>
#include <linux/prctl.h>
#include <linux/userfaultfd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA		0x53564d41
#define PR_SET_VMA_ANON_NAME	0
#endif

FIXTURE(merge)
{
	struct area a;
};

FIXTURE_VARIANT(merge)
{
	enum area_state state;
};

FIXTURE_VARIANT_ADD(merge, unfaulted) { .state = UNFAULTED };
FIXTURE_VARIANT_ADD(merge, faulted) { .state = FAULTED };
FIXTURE_VARIANT_ADD(merge, forked_child) { .state = FORKED_CHILD };
FIXTURE_VARIANT_ADD(merge, forked_parent) { .state = FORKED_PARENT };
FIXTURE_VARIANT_ADD(merge, grandchild) { .state = GRANDCHILD };
FIXTURE_VARIANT_ADD(merge, written) { .state = WRITTEN };
FIXTURE_VARIANT_ADD(merge, swapped) { .state = SWAPPED };
FIXTURE_VARIANT_ADD(merge, moved) { .state = MOVED };
FIXTURE_VARIANT_ADD(merge, moved_shared) { .state = MOVED_SHARED };
FIXTURE_VARIANT_ADD(merge, huge) { .state = HUGE };
FIXTURE_VARIANT_ADD(merge, huge_forked) { .state = HUGE_FORKED };

FIXTURE_SETUP(merge)
{
	area_init(&self->a, variant->state);
}

FIXTURE_TEARDOWN(merge)
{
}

/* What was filled is where it was, and the kernel finds it. */
static void check_units(struct __test_metadata *_metadata, struct area *a,
			int first, int nr)
{
	EXPECT_TRUE(area_has(a, first, nr, first));
	EXPECT_TRUE(area_migrates(a, first, nr));
	EXPECT_TRUE(area_has(a, first, nr, first));
	EXPECT_TRUE(area_relative_has_all(a));
}

static void *protect(struct area *a, int first, int nr, int prot)
{
	if (mprotect(area_at(a, first), area_size(a, nr), prot))
		return NULL;
	return area_at(a, first);
}

/* ---- mmap, munmap ---- */

/* aaa.bbb -> aaaaaaa */
TEST_F_TIMEOUT(merge, mmap_into_hole, TIMEOUT)
{
	area_fill(&self->a, 0, 3);
	area_fill(&self->a, 4, 3);
	area_ready(&self->a);
	area_map(&self->a, 3, 1);
	EXPECT_STREQ("aaaaaaa", area_draw(&self->a));
	check_units(_metadata, &self->a, 0, 3);
	check_units(_metadata, &self->a, 4, 3);
}

/* aaa -> aaaaa */
TEST_F_TIMEOUT(merge, mmap_behind, TIMEOUT)
{
	area_fill(&self->a, 0, 3);
	area_ready(&self->a);
	area_map(&self->a, 3, 2);
	EXPECT_STREQ("aaaaa", area_draw(&self->a));
	check_units(_metadata, &self->a, 0, 3);
}

/* ..aaa -> aaaaa */
TEST_F_TIMEOUT(merge, mmap_before, TIMEOUT)
{
	area_fill(&self->a, 2, 3);
	area_ready(&self->a);
	area_map(&self->a, 0, 2);
	EXPECT_STREQ("aaaaa", area_draw(&self->a));
	check_units(_metadata, &self->a, 2, 3);
}

/* aaaaaaa -> aaa.bbb -> aaaaaaa */
TEST_F_TIMEOUT(merge, munmap_and_mmap, TIMEOUT)
{
	area_fill(&self->a, 0, 7);
	area_ready(&self->a);
	ASSERT_EQ(0, munmap(area_at(&self->a, 3), self->a.unit));
	EXPECT_STREQ("aaa.bbb", area_draw(&self->a));
	area_map(&self->a, 3, 1);
	EXPECT_STREQ("aaaaaaa", area_draw(&self->a));
	check_units(_metadata, &self->a, 0, 3);
	check_units(_metadata, &self->a, 4, 3);
}

/* Every second unit is filled, then the holes are. */
TEST_F_TIMEOUT(merge, mmap_into_all_holes, TIMEOUT)
{
	int i;

	for (i = 0; i < 9; i += 2)
		area_fill(&self->a, i, 1);
	area_ready(&self->a);
	for (i = 1; i < 9; i += 2)
		area_map(&self->a, i, 1);
	EXPECT_STREQ("aaaaaaaaa", area_draw(&self->a));
	for (i = 0; i < 9; i += 2)
		check_units(_metadata, &self->a, i, 1);
}

/* ---- attributes that come and go ---- */

typedef int (*change)(void *addr, size_t size, int how);

/* aaaaaaa -> aaabccc -> aaaaaaa: the unit in the hole changes and changes back */
static void change_and_undo(struct __test_metadata *_metadata, struct area *a,
			    change do_it, int how, int undo)
{
	area_fill(a, 0, 3);
	area_fill(a, 4, 3);
	area_ready(a);
	area_map(a, 3, 1);
	ASSERT_EQ(0, do_it(area_at(a, 3), a->unit, how));
	EXPECT_STREQ("aaabccc", area_draw(a));
	ASSERT_EQ(0, do_it(area_at(a, 3), a->unit, undo));
	EXPECT_STREQ("aaaaaaa", area_draw(a));
	check_units(_metadata, a, 0, 3);
	check_units(_metadata, a, 4, 3);
}

TEST_F_TIMEOUT(merge, mprotect, TIMEOUT)
{
	change_and_undo(_metadata, &self->a, mprotect, PROT_READ,
			PROT_READ | PROT_WRITE);
}

TEST_F_TIMEOUT(merge, madvise_dontdump, TIMEOUT)
{
	change_and_undo(_metadata, &self->a, madvise, MADV_DONTDUMP,
			MADV_DODUMP);
}

TEST_F_TIMEOUT(merge, madvise_dontfork, TIMEOUT)
{
	change_and_undo(_metadata, &self->a, madvise, MADV_DONTFORK,
			MADV_DOFORK);
}

TEST_F_TIMEOUT(merge, madvise_wipeonfork, TIMEOUT)
{
	change_and_undo(_metadata, &self->a, madvise, MADV_WIPEONFORK,
			MADV_KEEPONFORK);
}

TEST_F_TIMEOUT(merge, madvise_mergeable, TIMEOUT)
{
	change_and_undo(_metadata, &self->a, madvise, MADV_MERGEABLE,
			MADV_UNMERGEABLE);
}

TEST_F_TIMEOUT(merge, madvise_random, TIMEOUT)
{
	change_and_undo(_metadata, &self->a, madvise, MADV_RANDOM,
			MADV_NORMAL);
}

TEST_F_TIMEOUT(merge, madvise_sequential, TIMEOUT)
{
	change_and_undo(_metadata, &self->a, madvise, MADV_SEQUENTIAL,
			MADV_NORMAL);
}

static int lock(void *addr, size_t size, int how)
{
	return how ? mlock(addr, size) : munlock(addr, size);
}

TEST_F_TIMEOUT(merge, mlock, TIMEOUT)
{
	change_and_undo(_metadata, &self->a, lock, 1, 0);
}

static int bind_to_node_0(void *addr, size_t size, int mode)
{
	unsigned long node_0 = 1;

	if (mode == MPOL_DEFAULT)
		return syscall(__NR_mbind, addr, size, mode, NULL, 0, 0);
	return syscall(__NR_mbind, addr, size, mode, &node_0, 8, 0);
}

TEST_F_TIMEOUT(merge, mbind, TIMEOUT)
{
	change_and_undo(_metadata, &self->a, bind_to_node_0, MPOL_PREFERRED,
			MPOL_DEFAULT);
}

enum { REGISTER, UNREGISTER, CLOSE };

static int use_uffd(void *addr, size_t size, int how)
{
	struct uffdio_api api = { .api = UFFD_API };
	static int uffd;

	if (how == UNREGISTER)
		return uffd_unregister(uffd, addr, size);
	if (how == CLOSE)
		return close(uffd);
	uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		return -1;
	return uffd_register(uffd, addr, size, true, false, false);
}

TEST_F_TIMEOUT(merge, userfaultfd, TIMEOUT)
{
	change_and_undo(_metadata, &self->a, use_uffd, REGISTER, UNREGISTER);
}

TEST_F_TIMEOUT(merge, userfaultfd_close, TIMEOUT)
{
	change_and_undo(_metadata, &self->a, use_uffd, REGISTER, CLOSE);
}

static int name(void *addr, size_t size, int how)
{
	return prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, addr, size,
		     how ? "name" : NULL);
}

TEST_F_TIMEOUT(merge, name, TIMEOUT)
{
	change_and_undo(_metadata, &self->a, name, 1, 0);
}

/* The same change of all makes them equal again: aaa.bbb -> aaabccc -> aaaaaaa */
TEST_F_TIMEOUT(merge, mprotect_all, TIMEOUT)
{
	area_fill(&self->a, 0, 3);
	area_fill(&self->a, 4, 3);
	area_ready(&self->a);
	area_map(&self->a, 3, 1);
	ASSERT_NE(NULL, protect(&self->a, 3, 1, PROT_READ));
	EXPECT_STREQ("aaabccc", area_draw(&self->a));
	ASSERT_NE(NULL, protect(&self->a, 0, 7, PROT_READ));
	EXPECT_STREQ("aaaaaaa", area_draw(&self->a));
	ASSERT_NE(NULL, protect(&self->a, 0, 7, PROT_READ | PROT_WRITE));
	check_units(_metadata, &self->a, 0, 3);
	check_units(_metadata, &self->a, 4, 3);
}

/* Only the boundary moves: aaaabbb -> aabbbbb -> aaaaabb */
TEST_F_TIMEOUT(merge, mprotect_shifts_boundary, TIMEOUT)
{
	area_fill(&self->a, 0, 7);
	area_ready(&self->a);
	ASSERT_NE(NULL, protect(&self->a, 4, 3, PROT_READ));
	EXPECT_STREQ("aaaabbb", area_draw(&self->a));
	ASSERT_NE(NULL, protect(&self->a, 2, 2, PROT_READ));
	EXPECT_STREQ("aabbbbb", area_draw(&self->a));
	ASSERT_NE(NULL, protect(&self->a, 2, 3, PROT_READ | PROT_WRITE));
	EXPECT_STREQ("aaaaabb", area_draw(&self->a));
	check_units(_metadata, &self->a, 0, 7);
}

/* The VMA that takes over pages has none yet: aaabbbb -> aaabbcc -> aaaaaaa */
TEST_F_TIMEOUT(merge, mprotect_shifts_into_unfaulted, TIMEOUT)
{
	area_map(&self->a, 0, 3);
	ASSERT_NE(NULL, protect(&self->a, 0, 3, PROT_READ));
	area_fill(&self->a, 3, 4);
	area_ready(&self->a);
	EXPECT_STREQ("aaabbbb", area_draw(&self->a));
	ASSERT_NE(NULL, protect(&self->a, 3, 2, PROT_READ));
	EXPECT_STREQ(variant->state == UNFAULTED ? "aaaaabb" : "aaabbcc",
		     area_draw(&self->a));
	/* Memory that was writable stays accounted, see VM_ACCOUNT. */
	ASSERT_NE(NULL, protect(&self->a, 0, 7, PROT_READ | PROT_WRITE));
	EXPECT_STREQ("aaaaaaa", area_draw(&self->a));
	check_units(_metadata, &self->a, 3, 4);
}

/* ---- mremap ---- */

/* aaa.......b -> aaab */
TEST_F_TIMEOUT(merge, move_behind, TIMEOUT)
{
	area_fill(&self->a, 0, 3);
	area_fill(&self->a, 10, 1);
	area_ready(&self->a);
	area_move(&self->a, 10, 1, 3);
	EXPECT_STREQ("aaaa", area_draw(&self->a));
	check_units(_metadata, &self->a, 0, 3);
	EXPECT_TRUE(area_has(&self->a, 3, 1, 10));
	EXPECT_TRUE(area_migrates(&self->a, 3, 1));
}

/* ..aaa....b -> .baaa */
TEST_F_TIMEOUT(merge, move_before, TIMEOUT)
{
	area_fill(&self->a, 2, 3);
	area_fill(&self->a, 10, 1);
	area_ready(&self->a);
	area_move(&self->a, 10, 1, 1);
	EXPECT_STREQ(".aaaa", area_draw(&self->a));
	check_units(_metadata, &self->a, 2, 3);
	EXPECT_TRUE(area_has(&self->a, 1, 1, 10));
	EXPECT_TRUE(area_migrates(&self->a, 1, 1));
}

/* aaa.bbb...c -> aaaaaaa */
TEST_F_TIMEOUT(merge, move_between, TIMEOUT)
{
	area_fill(&self->a, 0, 3);
	area_fill(&self->a, 4, 3);
	area_fill(&self->a, 10, 1);
	area_ready(&self->a);
	area_move(&self->a, 10, 1, 3);
	EXPECT_STREQ("aaaaaaa", area_draw(&self->a));
	check_units(_metadata, &self->a, 0, 3);
	check_units(_metadata, &self->a, 4, 3);
	EXPECT_TRUE(area_has(&self->a, 3, 1, 10));
	EXPECT_TRUE(area_migrates(&self->a, 3, 1));
}

/* The destination is next to the rest of its own VMA. */
TEST_F_TIMEOUT(merge, move_next_to_itself, TIMEOUT)
{
	area_fill(&self->a, 0, 6);
	area_ready(&self->a);
	area_move(&self->a, 0, 2, 6);
	EXPECT_STREQ("..aaaaaa", area_draw(&self->a));
	check_units(_metadata, &self->a, 2, 4);
	EXPECT_TRUE(area_has(&self->a, 6, 2, 0));
	EXPECT_TRUE(area_migrates(&self->a, 6, 2));
}

TEST_F_TIMEOUT(merge, move_away_and_back, TIMEOUT)
{
	area_fill(&self->a, 0, 5);
	area_ready(&self->a);
	area_move(&self->a, 2, 1, 10);
	EXPECT_STREQ("aa.bb.....c", area_draw(&self->a));
	area_move(&self->a, 10, 1, 2);
	EXPECT_STREQ("aaaaa", area_draw(&self->a));
	check_units(_metadata, &self->a, 0, 5);
}

/* a.b.c.d -> abcd, one by one */
TEST_F_TIMEOUT(merge, gather, TIMEOUT)
{
	int i;

	for (i = 0; i < 12; i += 2)
		area_fill(&self->a, i, 1);
	area_ready(&self->a);
	for (i = 1; i < 6; i++)
		area_move(&self->a, 2 * i, 1, i);
	EXPECT_STREQ("aaaaaa", area_draw(&self->a));
	for (i = 0; i < 6; i++)
		EXPECT_TRUE(area_has(&self->a, i, 1, 2 * i));
	EXPECT_TRUE(area_migrates(&self->a, 0, 6));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* The order is reversed, so that no unit is where it was. */
TEST_F_TIMEOUT(merge, reverse, TIMEOUT)
{
	int i;

	area_fill(&self->a, 0, 6);
	area_ready(&self->a);
	for (i = 0; i < 6; i++)
		area_move(&self->a, i, 1, 13 - i);
	for (i = 0; i < 6; i++)
		area_move(&self->a, 8 + i, 1, i);
	EXPECT_STREQ("aaaaaa", area_draw(&self->a));
	for (i = 0; i < 6; i++)
		EXPECT_TRUE(area_has(&self->a, i, 1, 5 - i));
	EXPECT_TRUE(area_migrates(&self->a, 0, 6));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* aaa..bb -> aaaaaaa: grows until it meets its neighbour */
TEST_F_TIMEOUT(merge, grow, TIMEOUT)
{
	void *addr = area_at(&self->a, 0);

	area_fill(&self->a, 0, 3);
	area_fill(&self->a, 5, 2);
	area_ready(&self->a);
	ASSERT_EQ(0, munmap(area_at(&self->a, 3), area_size(&self->a, 2)));
	ASSERT_EQ(addr, mremap(addr, area_size(&self->a, 3),
			       area_size(&self->a, 5), 0));
	EXPECT_STREQ("aaaaaaa", area_draw(&self->a));
	check_units(_metadata, &self->a, 0, 3);
	check_units(_metadata, &self->a, 5, 2);
}

/* aa......bb -> ....aaaaaa */
TEST_F_TIMEOUT(merge, grow_and_move, TIMEOUT)
{
	void *to = area_at(&self->a, 4);

	area_fill(&self->a, 0, 2);
	area_fill(&self->a, 8, 2);
	area_ready(&self->a);
	ASSERT_EQ(to, mremap(area_at(&self->a, 0), area_size(&self->a, 2),
			     area_size(&self->a, 4),
			     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_STREQ("....aaaaaa", area_draw(&self->a));
	EXPECT_TRUE(area_has(&self->a, 4, 2, 0));
	EXPECT_TRUE(area_migrates(&self->a, 4, 2));
	check_units(_metadata, &self->a, 8, 2);
}

/* aaaaa -> aaa -> aaaaa */
TEST_F_TIMEOUT(merge, shrink_and_mmap, TIMEOUT)
{
	void *addr = area_at(&self->a, 0);

	area_fill(&self->a, 0, 5);
	area_ready(&self->a);
	ASSERT_EQ(addr, mremap(addr, area_size(&self->a, 5),
			       area_size(&self->a, 3), 0));
	EXPECT_STREQ("aaa", area_draw(&self->a));
	area_map(&self->a, 3, 2);
	EXPECT_STREQ("aaaaa", area_draw(&self->a));
	check_units(_metadata, &self->a, 0, 3);
}

static void *move_dontunmap(struct area *a, int from, int nr, int to)
{
	return mremap(area_at(a, from), area_size(a, nr), area_size(a, nr),
		      MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
		      area_at(a, to));
}

/* aaa.....bbb -> aaa..bbbbbb */
TEST_F_TIMEOUT(merge, move_dontunmap, TIMEOUT)
{
	area_fill(&self->a, 0, 3);
	area_fill(&self->a, 8, 3);
	area_ready(&self->a);
	ASSERT_EQ(area_at(&self->a, 5), move_dontunmap(&self->a, 0, 3, 5));
	EXPECT_STREQ("aaa..bbbbbb", area_draw(&self->a));
	EXPECT_TRUE(area_has(&self->a, 5, 3, 0));
	EXPECT_TRUE(area_migrates(&self->a, 5, 3));
	check_units(_metadata, &self->a, 8, 3);
}

/* aaa -> aaaaaa, and the first three are empty */
TEST_F_TIMEOUT(merge, move_dontunmap_next_to_itself, TIMEOUT)
{
	area_fill(&self->a, 0, 3);
	area_ready(&self->a);
	ASSERT_EQ(area_at(&self->a, 3), move_dontunmap(&self->a, 0, 3, 3));
	EXPECT_STREQ("aaaaaa", area_draw(&self->a));
	EXPECT_EQ(0, *(long *)area_at(&self->a, 0));
	EXPECT_TRUE(area_has(&self->a, 3, 3, 0));
	EXPECT_TRUE(area_migrates(&self->a, 3, 3));
}

/* ---- the heap, which is where it is ---- */

FIXTURE(heap)
{
	struct area a;
	char *start;
};

FIXTURE_VARIANT(heap)
{
	enum area_state state;
};

FIXTURE_VARIANT_ADD(heap, faulted) { .state = FAULTED };
FIXTURE_VARIANT_ADD(heap, forked_child) { .state = FORKED_CHILD };
FIXTURE_VARIANT_ADD(heap, forked_parent) { .state = FORKED_PARENT };
FIXTURE_VARIANT_ADD(heap, grandchild) { .state = GRANDCHILD };

/* Begin a VMA of our own: a page in between is not readable. */
FIXTURE_SETUP(heap)
{
	area_init(&self->a, variant->state);
	self->start = sbrk(0);
	self->start += -(uintptr_t)self->start % psize() + psize();
	ASSERT_EQ(0, brk(self->start + 3 * psize()));
	ASSERT_EQ(0, mprotect(self->start - psize(), psize(), PROT_NONE));
	fill_pages(self->start, 3, 1);
}

FIXTURE_TEARDOWN(heap)
{
}

TEST_F(heap, brk_grows)
{
	area_ready(&self->a);
	ASSERT_EQ(0, brk(self->start + 7 * psize()));
	EXPECT_EQ(1, count_vmas(self->start, 7 * psize()));
	EXPECT_TRUE(pages_have(self->start, 3, 1));
	EXPECT_TRUE(pages_migrate(self->start, 7));
}

TEST_F(heap, brk_shrinks_and_grows)
{
	area_ready(&self->a);
	ASSERT_EQ(0, brk(self->start + 2 * psize()));
	ASSERT_EQ(0, brk(self->start + 7 * psize()));
	EXPECT_EQ(1, count_vmas(self->start, 7 * psize()));
	EXPECT_TRUE(pages_have(self->start, 2, 1));
	EXPECT_TRUE(pages_migrate(self->start, 7));
}

/* The heap has got a neighbour that mmap() made. */
TEST_F(heap, brk_behind_mmap)
{
	void *behind = self->start + 3 * psize();

	area_ready(&self->a);
	ASSERT_EQ(behind, mmap(behind, psize(), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS |
			       MAP_FIXED_NOREPLACE, -1, 0));
	EXPECT_EQ(1, count_vmas(self->start, 4 * psize()));
	EXPECT_TRUE(pages_have(self->start, 3, 1));
}

/* ---- soft-dirty: new memory is, and stays so when it merges ---- */

FIXTURE(softdirty)
{
	struct area a;
	int pagemap;
};

/* aaaa: written before all was made clean. */
FIXTURE_SETUP(softdirty)
{
	area_init(&self->a, FAULTED);
	self->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->pagemap);
	area_map(&self->a, 4, 4);
	fill_pages(area_at(&self->a, 4), 4, 1);
	if (!pagemap_is_softdirty(self->pagemap, area_at(&self->a, 4)))
		SKIP(return, "no CONFIG_MEM_SOFT_DIRTY");
	clear_softdirty();
	ASSERT_FALSE(pagemap_is_softdirty(self->pagemap, area_at(&self->a, 4)));
}

FIXTURE_TEARDOWN(softdirty)
{
	close(self->pagemap);
}

/* Has it become soft-dirty although nobody has written to it? */
static bool is_new(struct area *a, int unit)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	bool ret;

	if (!pages_are_zero(area_at(a, unit), 1))
		return false;
	ret = pagemap_is_softdirty(pagemap, area_at(a, unit));
	close(pagemap);
	return ret;
}

/* Next to them, one of them faulted. */
TEST_F(softdirty, moved)
{
	area_map(&self->a, 12, 3);
	fill_pages(area_at(&self->a, 12), 1, 0x777);
	area_move(&self->a, 12, 3, 8);
	EXPECT_STREQ("....aaaaaaa", area_draw(&self->a));
	EXPECT_TRUE(is_new(&self->a, 9));
}

/* The source is not locked any more, so it merges. */
TEST_F(softdirty, dontunmap)
{
	char *source = area_map(&self->a, 8, 3);
	size_t size = area_size(&self->a, 3);

	ASSERT_EQ(0, mlock(source, size));
	ASSERT_NE(MAP_FAILED, mremap(source, size, size,
				     MREMAP_MAYMOVE | MREMAP_DONTUNMAP));
	EXPECT_STREQ("....aaaaaaa", area_draw(&self->a));
	EXPECT_TRUE(is_new(&self->a, 9));
}

static bool are_new_in_child(void *arg)
{
	return is_new(arg, 2) && is_new(arg, 9);
}

/* So it is in a child. */
TEST_F(softdirty, forked)
{
	const unsigned int onfault = 1;	/* MLOCK_ONFAULT */

	ASSERT_EQ(0, syscall(SYS_mlock2, area_map(&self->a, 1, 3),
			     area_size(&self->a, 3), onfault));
	ASSERT_EQ(0, syscall(SYS_mlock2, area_map(&self->a, 8, 3),
			     area_size(&self->a, 3), onfault));
	EXPECT_TRUE(child_says(are_new_in_child, &self->a));
}

TEST_HARNESS_MAIN
