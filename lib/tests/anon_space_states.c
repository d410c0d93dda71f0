// SPDX-License-Identifier: GPL-2.0
/*
 * States of an address space and its relatives, for KUnit tests.
 *
 * They set up one VMA:
 *
 *	page	0    8    16        256        512       1024       2047
 *		|    |    |          |          |          |          |
 *		[ an area of one page table     ]          free
 */

#include <kunit/test.h>
#include <linux/anon_space.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagewalk.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../../mm/anon_space/internal.h"
#include "anon_space_states.h"

#define ELSEWHERE	1536		/* where states move from */

/* ---- what is checked ---- */

int world_count_vmas(void)
{
	VMA_ITERATOR(vmi, current->mm, user_addr(0));
	struct vm_area_struct *vma;
	int nr = 0;

	mmap_read_lock(current->mm);
	for_each_vma_range(vmi, vma, user_addr(USER_WORLD))
		nr++;
	mmap_read_unlock(current->mm);
	return nr;
}

unsigned long world_count_extents(void)
{
	return current->mm->anon_space.map.nr;
}

/* A child that writes to what it shares leaves the contents here alone. */
static void scribble(void *data)
{
	unsigned int i;

	for (i = 0; i < USER_WORLD; i += 3)
		if (user_touches(i))	/* fails where it is not writable */
			(void)put_user(0xdead, (u32 __user *)user_addr(i));
}

void world_check_fork(struct world *w, struct user_mem *p)
{
	int ret = user_fork(&w->fork_task);

	KUNIT_EXPECT_EQ(p->test, 0, ret);
	if (ret)
		return;
	user_run(&w->fork_task, user_check_contents, p);
	user_check_mm(p->test, w->fork_task.mm);
	user_run(&w->fork_task, scribble, NULL);
	user_check_contents(p);
	user_check_mm(p->test, w->fork_task.mm);
	user_check_mm(p->test, current->mm);
	user_exit(&w->fork_task);
	user_check_mm(p->test, current->mm);
}

/* All invariants, without a look at the contents. */
void world_check_mms(struct world *w)
{
	user_check_mm(w->parent->test, current->mm);
	if (w->child)
		user_check_mm(w->parent->test, w->child_task.mm);
}

/* Contents and invariants, in the parent and in the child; and no page is lost. */
void world_check(struct world *w)
{
	user_check_contents(w->parent);
	if (w->child)
		user_run(&w->child_task, user_check_contents, w->child);
	world_check_mms(w);
	user_check_lost(w->parent->test);
}

/* ---- states ---- */

static void area(struct user_mem *p)
{
	user_map(p, 0, USER_AREA);
	user_want(p, 0, USER_AREA, USER_UNTOUCHED);
}

/* The actor may be a child, whose mm is not current here. */
void world_act(struct world *w, void (*fn)(void *data))
{
	if (w->actor == w->child)
		user_run(&w->child_task, fn, w);
	else
		fn(w);
}

static void check_fork_of_actor(void *data)
{
	struct world *w = data;

	world_check_fork(w, w->actor);
}

void world_check_fork_of_actor(struct world *w)
{
	world_act(w, check_fork_of_actor);
}

void world_fork(struct world *w)
{
	struct kunit *test = w->parent->test;

	w->child = kunit_kmalloc(test, sizeof(*w->child), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w->child);
	*w->child = *w->parent;
	KUNIT_ASSERT_EQ(test, 0, user_fork(&w->child_task));
}

static void state_unfaulted(struct world *w)
{
	area(w->parent);
}

void world_fault(struct world *w)
{
	area(w->parent);
	user_touch(w->parent, 0, USER_AREA, 1, 1);
}

static void state_faulted_in_part(struct world *w)
{
	area(w->parent);
	user_touch(w->parent, 0, USER_AREA, 3, 1);
}

void world_share(struct world *w)
{
	world_fault(w);
	world_fork(w);
}

static void state_written_after_fork(struct world *w)
{
	world_share(w);
	user_touch(w->parent, 0, USER_AREA, 2, 2);
}

static void child_writes(void *data)
{
	struct user_mem *child = data;

	user_touch(child, 0, USER_AREA, 2, 3);
}

static void state_written_by_child(struct world *w)
{
	world_share(w);
	user_run(&w->child_task, child_writes, w->child);
}

static void state_child_exited(struct world *w)
{
	world_share(w);
	user_exit(&w->child_task);
	w->child = NULL;
}

static void state_in_child(struct world *w)
{
	world_share(w);
	w->actor = w->child;
}

static void state_in_child_alone(struct world *w)
{
	state_in_child(w);
	user_unmap(w->parent, 0, USER_AREA);
}

static void state_in_child_that_wrote(struct world *w)
{
	state_written_by_child(w);
	w->actor = w->child;
}

static void faulted_elsewhere(struct user_mem *p)
{
	user_map(p, ELSEWHERE, USER_AREA);
	user_want(p, ELSEWHERE, USER_AREA, USER_UNTOUCHED);
	user_touch(p, ELSEWHERE, USER_AREA, 1, 1);
}

static void state_moved_as_table(struct world *w)
{
	faulted_elsewhere(w->parent);
	user_move(w->parent, ELSEWHERE, USER_AREA, 0);
}

static void move_in_pieces(struct user_mem *p)
{
	user_move(p, ELSEWHERE, 10, 0);
	user_move(p, ELSEWHERE + 10, 245, 10);
	user_move(p, ELSEWHERE + 255, USER_AREA - 255, 255);
}

static void state_moved_in_pieces(struct world *w)
{
	faulted_elsewhere(w->parent);
	move_in_pieces(w->parent);
}

static void state_shared_and_moved(struct world *w)
{
	faulted_elsewhere(w->parent);
	world_fork(w);
	move_in_pieces(w->parent);
}

static void state_shared_moved_and_written(struct world *w)
{
	state_shared_and_moved(w);
	user_touch(w->parent, 0, USER_AREA, 2, 2);
}

static void state_moved_and_shared(struct world *w)
{
	state_shared_and_moved(w);
	user_exit(&w->child_task);
	world_fork(w);
}

static void state_in_child_that_inherited_moves(struct world *w)
{
	state_moved_and_shared(w);
	w->actor = w->child;
}

static bool has_huge_page(unsigned long addr)
{
	struct vm_area_struct *vma;
	struct folio_walk fw;
	bool huge = false;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, addr);
	if (vma && folio_walk_start(&fw, vma, addr, 0)) {
		huge = fw.level == FW_LEVEL_PMD;
		folio_walk_end(&fw, vma);
	}
	mmap_read_unlock(current->mm);
	return huge;
}

static void want_huge_pages(struct world *w)
{
	user_need_huge_pages(w->parent->test);
	w->parent->huge = true;
}

void world_fault_huge(struct world *w)
{
	want_huge_pages(w);
	world_fault(w);
	KUNIT_EXPECT_TRUE(w->parent->test, has_huge_page(user_addr(0)));
}

static void state_huge_and_shared(struct world *w)
{
	world_fault_huge(w);
	world_fork(w);
}

static void state_huge_and_moved(struct world *w)
{
	want_huge_pages(w);
	faulted_elsewhere(w->parent);
	user_move(w->parent, ELSEWHERE, USER_AREA, 0);
}

static void state_huge_shared_and_moved(struct world *w)
{
	want_huge_pages(w);
	state_shared_and_moved(w);
}

static void state_swapped(struct world *w)
{
	world_fault(w);
	user_page_out(w->parent, 0, USER_AREA);
}

static void state_swapped_and_shared(struct world *w)
{
	state_swapped(w);
	world_fork(w);
}

static void state_swapped_in_child(struct world *w)
{
	state_swapped_and_shared(w);
	w->actor = w->child;
}

static void state_swapped_and_moved(struct world *w)
{
	faulted_elsewhere(w->parent);
	user_page_out(w->parent, ELSEWHERE, USER_AREA);
	move_in_pieces(w->parent);
}

static void state_swapped_shared_and_moved(struct world *w)
{
	faulted_elsewhere(w->parent);
	user_page_out(w->parent, ELSEWHERE, USER_AREA);
	world_fork(w);
	move_in_pieces(w->parent);
}

/* Huge pages first: a fault in what is done to them alone is found at once. */
const struct world_state world_states[WORLD_NR_STATES] = {
	{ "huge",			world_fault_huge, true },
	{ "huge and shared",		state_huge_and_shared, true },
	{ "huge and moved",		state_huge_and_moved, true },
	{ "huge, shared and moved",	state_huge_shared_and_moved, true },
	{ "unfaulted",			state_unfaulted },
	{ "faulted",			world_fault },
	{ "faulted in part",		state_faulted_in_part },
	{ "shared",			world_share },
	{ "written after fork",		state_written_after_fork },
	{ "written by child",		state_written_by_child },
	{ "child exited",		state_child_exited },
	{ "in child",			state_in_child },
	{ "in child alone",		state_in_child_alone },
	{ "in child that wrote",	state_in_child_that_wrote },
	{ "moved as table",		state_moved_as_table },
	{ "moved in pieces",		state_moved_in_pieces },
	{ "shared and moved",		state_shared_and_moved },
	{ "shared, moved and written",	state_shared_moved_and_written },
	{ "moved and shared",		state_moved_and_shared },
	{ "in child that inherited moves",
					state_in_child_that_inherited_moves },
	{ "swapped",			state_swapped, false, true },
	{ "swapped and shared",		state_swapped_and_shared, false, true },
	{ "swapped, in child",		state_swapped_in_child, false, true },
	{ "swapped and moved",		state_swapped_and_moved, false, true },
	{ "swapped, shared and moved",	state_swapped_shared_and_moved, false,
					true },
};

/* ---- suites ---- */

int world_init_test(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	if (!w)
		return -ENOMEM;
	test->priv = w;
	w->parent = kunit_kzalloc(test, sizeof(*w->parent), GFP_KERNEL);
	if (!w->parent)
		return -ENOMEM;
	w->parent->test = test;
	user_want(w->parent, 0, USER_WORLD, USER_UNMAPPED);
	w->actor = w->parent;
	/* Also attaches an mm to this thread. */
	if (IS_ERR_VALUE(kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ,
				       MAP_PRIVATE | MAP_ANONYMOUS, 0)))
		return -ENOMEM;
	return 0;
}

/* Not by the thread of the test. */
void world_exit_test(struct kunit *test)
{
	struct world *w = test->priv;

	if (!w)
		return;
	user_kill(&w->fork_task);
	user_kill(&w->child_task);
}
