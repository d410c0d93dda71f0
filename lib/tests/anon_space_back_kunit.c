// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of moves that fail when pages have moved already, and are undone.
 */

#include <kunit/test.h>
#include <linux/anon_space.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/swap.h>

#include "../../mm/anon_space/internal.h"
#include "../../mm/internal.h"
#include "anon_space_states.h"

#define NO_SPLIT	(USER_WORLD + 1)

/* A move that is undone after all entries have moved. */
static void move_split_and_move_back(struct kunit *test, unsigned int page,
				     unsigned int nr, unsigned int to_page,
				     unsigned int to_split)
{
	unsigned long from = user_addr(page), to = user_addr(to_page);
	unsigned long len = user_len(nr);
	struct mm_struct *mm = current->mm;
	struct anon_space_move move;
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	vma = find_vma(mm, from);
	vma_start_write(vma);
	anon_space_move_begin(&move, vma, from, to, len);
	KUNIT_EXPECT_EQ(test, len, move_page_tables(&move, vma, from, vma, to,
						    len, true, false));
	if (to_split != NO_SPLIT)
		KUNIT_EXPECT_EQ(test, 0,
				user_split_at(vma, user_addr(to_split)));
	anon_space_move_back(&move, vma, len);
	KUNIT_EXPECT_EQ(test, len, move_page_tables(&move, vma, to, vma, from,
						    len, true, false));
	mmap_write_unlock(mm);
}

static void act_and_undo(void *data)
{
	struct world *w = data;
	struct user_mem *p = w->actor;

	/* One VMA with the area, so that there is none to make. */
	user_map(p, USER_AREA, FAR - USER_AREA);
	user_map(p, FAR, USER_AREA);
	KUNIT_ASSERT_EQ(p->test, world_count_vmas(), 1);
	move_split_and_move_back(p->test, 8, 100, FAR + 9, NO_SPLIT);
	user_check_mm(p->test, current->mm);
	move_split_and_move_back(p->test, 0, USER_AREA, FAR, NO_SPLIT);
}

static const void *gen_states(const void *prev, char *desc)
{
	const struct world_state *state = prev ? prev + sizeof(*state) :
						 world_states;

	for (; state < world_states + WORLD_NR_STATES; state++) {
		if (state->huge && !IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
			continue;
		if (state->swapped && !IS_ENABLED(CONFIG_BLK_DEV_RAM))
			continue;
		strscpy(desc, state->name, KUNIT_PARAM_DESC_SIZE);
		return state;
	}
	return NULL;
}

/* All is as it was after an undo, in each state, by entries and by whole tables. */
static void undo_in_state(struct kunit *test)
{
	const struct world_state *state = test->param_value;
	struct world *w = test->priv;

	state->enter(w);
	world_act(w, act_and_undo);
	world_check(w);
	world_check_fork_of_actor(w);
	world_check(w);
	user_exit(&w->child_task);
	w->child = NULL;
	world_check(w);
}

/* One VMA from the first page on, twice as long as the pages that are checked. */
static void map_huge_world(struct user_mem *p)
{
	unsigned long end = user_addr(USER_WORLD);

	p->huge = true;
	user_map(p, 0, USER_WORLD);
	KUNIT_EXPECT_EQ(p->test, end,
			vm_mmap(NULL, end, user_len(USER_WORLD),
				PROT_READ | PROT_WRITE, MAP_PRIVATE |
				MAP_ANONYMOUS | MAP_FIXED, 0));
	KUNIT_EXPECT_EQ(p->test, 0,
			do_madvise(current->mm, end, user_len(USER_WORLD),
				   MADV_HUGEPAGE));
}

/* What an undo moves back is found, also if it was split meanwhile. */
static void split_before_undo(struct kunit *test)
{
	struct world *w = test->priv;

	user_need_huge_pages(test);
	map_huge_world(w->parent);
	user_touch(w->parent, 0, USER_AREA, 1, 1);
	move_split_and_move_back(test, 0, USER_AREA, USER_WORLD, USER_WORLD);
	world_check(w);
	world_check_fork(w, w->parent);
}

/* The same between two page tables that move as a whole. */
static void split_between_tables_before_undo(struct kunit *test)
{
	struct world *w = test->priv;
	unsigned int i;

	user_need_huge_pages(test);
	map_huge_world(w->parent);
	for (i = 0; i < 3; i++) {
		do_madvise(current->mm, user_addr(i * USER_AREA),
			   user_len(USER_AREA),
			   i == 1 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
		user_touch(w->parent, i * USER_AREA, USER_AREA, 1, 1);
	}
	do_madvise(current->mm, user_addr(0), user_len(USER_WORLD),
		   MADV_HUGEPAGE);
	KUNIT_EXPECT_EQ(test, world_count_vmas(), 1);
	move_split_and_move_back(test, 0, 3 * USER_AREA, USER_WORLD,
				 USER_WORLD + USER_AREA);
	world_check(w);
	world_check_fork(w, w->parent);
}

/*
 * The same between two shared pages, of a shared huge page that comes to the address
 * of its index.
 */
static void split_at_its_index_before_undo(struct kunit *test)
{
	const unsigned int own = 3 * USER_AREA, area = USER_AREA;
	struct world *w = test->priv;
	struct user_mem *p = w->parent;

	user_need_huge_pages(test);
	map_huge_world(p);
	do_madvise(current->mm, user_addr(0), user_len(own), MADV_NOHUGEPAGE);
	user_touch(p, 0, 1, 1, 1);
	user_touch(p, area + 1, 1, 1, 1);
	user_touch(p, own, area, 1, 1);
	world_fork(w);
	user_move(p, 0, 1, area - 1);
	user_move(p, area + 1, 1, 2 * area);
	user_move(p, own, area, area);
	user_map(p, 0, 1);
	user_map(p, own, area);
	do_madvise(current->mm, user_addr(0), user_len(USER_WORLD),
		   MADV_HUGEPAGE);
	KUNIT_EXPECT_EQ(test, world_count_vmas(), 1);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 3);
	move_split_and_move_back(test, area - 1, area + 2, own - 1, own);
	world_check(w);
	world_check_fork(w, p);
}

/*
 * Pages that were filled at the same addresses, and moved elsewhere. When many places have
 * their offsets tables do not move as a whole any more, and the old ones are still there
 * when all moves back.
 */
static void undo_beside_many_places(struct kunit *test)
{
	const unsigned int few = 4, nr = few + 4;
	const unsigned long len = user_len(USER_AREA);
	struct world *w = test->priv;
	struct user_mem *p = w->parent;
	unsigned long to = user_addr(USER_WORLD);
	unsigned int i;

	user_need_tables(test);
	for (i = 0; i < nr; i++, to += len) {
		user_map(p, 0, USER_AREA);
		user_touch(p, 0, USER_AREA, 1, 1);
		KUNIT_EXPECT_EQ(test, to,
				user_mremap(user_addr(0), len, len,
					    MREMAP_MAYMOVE | MREMAP_FIXED, to));
	}
	if (IS_ENABLED(CONFIG_HAVE_MOVE_PMD))
		KUNIT_EXPECT_EQ(test, world_count_extents(), few);
	user_check_mm(test, current->mm);
	user_map(p, 0, FAR + USER_AREA);
	user_touch(p, 0, USER_AREA, 1, 1);
	move_split_and_move_back(test, 0, USER_AREA, FAR, NO_SPLIT);
	KUNIT_EXPECT_LE(test, world_count_extents(), few);
	world_check(w);
	world_check_fork(w, p);
	vm_munmap(user_addr(USER_WORLD), nr * len);
}

/* ---- a mapping that refuses to move ---- */

static struct page *fixed_page;

static vm_fault_t give_page(const struct vm_special_mapping *mapping,
			    struct vm_area_struct *vma, struct vm_fault *vmf)
{
	vmf->page = fixed_page;
	get_page(vmf->page);
	return 0;
}

static int refuse_to_move(const struct vm_special_mapping *mapping,
			  struct vm_area_struct *vma)
{
	return -EPERM;
}

static const struct vm_special_mapping fixed_mapping = {
	.name = "[fixed]",
	.fault = give_page,
	.mremap = refuse_to_move,
};

static void map_fixed(struct user_mem *p, unsigned int page, unsigned int nr)
{
	const unsigned long flags = VM_READ | VM_WRITE | VM_MAYREAD |
				    VM_MAYWRITE;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	vma = _install_special_mapping(mm, user_addr(page), user_len(nr), flags,
				       &fixed_mapping);
	mmap_write_unlock(mm);
	KUNIT_ASSERT_FALSE(p->test, IS_ERR(vma));
	user_want(p, page, nr, USER_ZERO);
}

/* mremap() undoes its own move, with pages of the process and with shared ones. */
static void mapping_refuses(struct kunit *test)
{
	struct world *w = test->priv;
	struct user_mem *p = w->parent;

	fixed_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, fixed_page);
	map_fixed(p, 0, USER_AREA);
	user_touch(p, 0, USER_AREA, 3, 1);
	KUNIT_EXPECT_EQ(test, -EPERM, user_try_move(p, 0, USER_AREA, FAR));
	KUNIT_EXPECT_EQ(test, -EPERM, user_try_move(p, 0, USER_AREA, FAR + 9));
	KUNIT_EXPECT_EQ(test, world_count_extents(), 0);
	world_check(w);
	world_fork(w);
	user_touch(p, 0, 64, 5, 2);
	KUNIT_EXPECT_EQ(test, -EPERM, user_try_move(p, 0, USER_AREA, FAR));
	KUNIT_EXPECT_EQ(test, -EPERM, user_try_move(p, 0, USER_AREA, FAR + 9));
	world_check(w);
	world_check_fork(w, p);
	put_page(fixed_page);
}

/* After a move that has failed: to where others have mapped pages meanwhile, nothing goes. */
static void pages_return_to_empty_places(struct kunit *test)
{
	struct world *w = test->priv;
	struct user_mem *user = w->parent;
	unsigned int i;

	world_fault(w);
	user_map(user, FAR, USER_AREA);
	user_touch(user, FAR, 32, 1, 7);
	anon_space_return_pages(current->mm, user_addr(FAR), user_addr(0),
				user_len(8));
	world_check(w);

	user_discard(user, 16, 8);
	anon_space_return_pages(current->mm, user_addr(FAR + 16), user_addr(16),
				user_len(8));
	for (i = 16; i < 24; i++)
		user_want(user, i, 1, user->want[FAR + i]);
	user_want(user, FAR + 16, 8, USER_ZERO);
	world_check(w);
	KUNIT_EXPECT_EQ(test, world_count_extents(), 0);
}

/* Nor does what was moved from the same page table. All else does. */
static void check_return(struct world *w, unsigned int others)
{
	const unsigned int nr = 2 * USER_AREA - 1;
	struct user_mem *user = w->parent;
	unsigned int i;

	anon_space_return_pages(current->mm, user_addr(FAR + 1), user_addr(0),
				user_len(nr));
	for (i = others; i < nr; i++)
		user_want(user, i, 1, user->want[FAR + 1 + i]);
	user_want(user, FAR + 1 + others, nr - others, USER_ZERO);
	world_check(w);
	KUNIT_EXPECT_EQ(user->test, world_count_extents(), 0);
}

/* What was moved is all of its VMA by now. */
static void pages_return_behind_others(struct kunit *test)
{
	struct world *w = test->priv;
	struct user_mem *user = w->parent;

	user_need_tables(test);
	world_fault(w);
	user_discard(user, 4, USER_AREA - 4);
	user_map(user, USER_AREA, USER_AREA);
	user_map(user, FAR, 2 * USER_AREA);
	user_touch(user, FAR, 2 * USER_AREA, 1, 7);
	user_unmap(user, FAR, 1);
	check_return(w, min(USER_AREA, PTRS_PER_PTE) - 1);
}

/* They have become huge meanwhile. */
static void huge_pages_return(struct kunit *test)
{
	struct world *w = test->priv;
	struct user_mem *user = w->parent;

	user_need_tables(test);
	user_need_huge_pages(test);
	world_fault_huge(w);
	user_map(user, USER_AREA, USER_AREA);
	user_map(user, FAR, 2 * USER_AREA);
	user_touch(user, FAR, 2 * USER_AREA, 1, 7);
	check_return(w, USER_AREA);
}

static struct kunit_case back_cases[] = {
	KUNIT_CASE_PARAM(undo_in_state, gen_states),
	KUNIT_CASE(split_before_undo),
	KUNIT_CASE(split_between_tables_before_undo),
	KUNIT_CASE(split_at_its_index_before_undo),
	KUNIT_CASE(undo_beside_many_places),
	KUNIT_CASE(mapping_refuses),
	KUNIT_CASE(pages_return_to_empty_places),
	KUNIT_CASE(pages_return_behind_others),
	KUNIT_CASE(huge_pages_return),
	{}
};

static struct kunit_suite back_suite = {
	.name = "anon_space_back",
	.init = world_init_test,
	.exit = world_exit_test,
	.test_cases = back_cases,
};

kunit_test_suite(back_suite);

MODULE_DESCRIPTION("KUnit tests of moves of anonymous memory that are undone");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
