// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of what operations on address spaces do to the reverse map.
 *
 * Each operation is done in each state. After both, the memory has the contents
 * that it should have in each process, there are as many VMAs as equal
 * attributes allow, whatever the state, and the validator finds nothing wrong
 * in any of the processes; then the same in a child forked from it.
 */

#include <kunit/test.h>
#include <linux/anon_space.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagewalk.h>
#include <linux/personality.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>
#include <linux/uaccess.h>

#include "../../mm/anon_space/internal.h"
#include "../../mm/internal.h"
#include "anon_space_states.h"

/* ---- operations ---- */

static void op_nothing(struct user_mem *p)
{
}

static void op_split(struct user_mem *p)
{
	user_protect(p, 8, 8, PROT_READ);
}

static void op_split_and_merge(struct user_mem *p)
{
	op_split(p);
	user_protect(p, 8, 8, PROT_READ | PROT_WRITE);
}

static void op_boundary_up(struct user_mem *p)
{
	user_protect(p, 0, 256, PROT_READ);
	user_protect(p, 256, 8, PROT_READ);
}

static void op_boundary_down(struct user_mem *p)
{
	user_protect(p, 0, 256, PROT_READ);
	user_protect(p, 248, 8, PROT_READ | PROT_WRITE);
}

static void op_hole(struct user_mem *p)
{
	user_unmap(p, 8, 8);
}

static void op_split_and_unmap(struct user_mem *p)
{
	op_split(p);
	user_unmap(p, 0, USER_AREA);
}

static void op_hole_filled(struct user_mem *p)
{
	op_hole(p);
	user_map(p, 8, 8);
}

static void op_hole_filled_and_touched(struct user_mem *p)
{
	op_hole_filled(p);
	user_touch(p, 8, 8, 1, 4);
}

static void op_discard(struct user_mem *p)
{
	user_discard(p, 8, 8);
	user_touch(p, 8, 8, 2, 4);
}

static void op_move_away(struct user_mem *p)
{
	user_move(p, 8, 8, FAR);
}

static void op_move_away_and_back(struct user_mem *p)
{
	op_move_away(p);
	user_move(p, FAR, 8, 8);
}

static void op_move_on(struct user_mem *p)
{
	op_move_away(p);
	user_move(p, FAR, 8, FAR + 100);
}

static void op_move_behind(struct user_mem *p)
{
	user_move(p, 8, 8, USER_AREA);
}

static void op_move_and_write(struct user_mem *p)
{
	op_move_away(p);
	user_touch(p, FAR, 8, 2, 4);
}

static void op_move_over(struct user_mem *p)
{
	user_move(p, 8, 8, 250);
}

static void op_exchange(struct user_mem *p)
{
	user_move(p, 0, 8, FAR);
	user_move(p, 8, 8, 0);
	user_move(p, FAR, 8, 8);
}

static void op_move_keeping_source(struct user_mem *p)
{
	user_move_out(p, 8, 8, FAR);
	user_touch(p, 8, 8, 2, 4);
}

/* To memory that is mapped, and holds something else. */
static void op_move_in_place(struct user_mem *p)
{
	user_map(p, FAR, USER_AREA);
	user_touch(p, FAR, USER_AREA, 3, 4);
	user_move_out(p, 8, 8, FAR + 4);
	user_touch(p, 8, 8, 2, 4);
}

static void op_move_in_place_within(struct user_mem *p)
{
	user_move_out(p, 0, 8, 250);
	user_touch(p, 0, 8, 2, 4);
}

/* A page table ends behind 12 pages of the source, and behind 7 of the destination. */
static void op_move_in_place_over_tables(struct user_mem *p)
{
	const unsigned int from = USER_AREA - 12, to = FAR + USER_AREA - 7;

	user_map(p, USER_AREA, 64);
	user_touch(p, USER_AREA, 64, 1, 4);
	user_map(p, FAR, USER_AREA + 64);
	user_touch(p, FAR, USER_AREA + 64, 3, 4);
	user_move_out(p, from, 24, to);
	user_move_out(p, to, 24, from);
	user_move_out(p, from, 24, to);
}

/* What is mapped there has nothing yet. */
static void op_move_in_place_to_untouched(struct user_mem *p)
{
	user_map(p, FAR, USER_AREA);
	user_move_out(p, 8, 8, FAR + 4);
}

static void op_move_all_keeping_source(struct user_mem *p)
{
	user_move_out(p, 0, USER_AREA, FAR);
	user_touch(p, 0, USER_AREA, 2, 4);
}

static void op_move_all(struct user_mem *p)
{
	user_move(p, 0, USER_AREA, FAR);
}

static void op_move_all_and_back(struct user_mem *p)
{
	op_move_all(p);
	user_move(p, FAR, USER_AREA, 0);
}

static void op_move_all_on(struct user_mem *p)
{
	op_move_all(p);
	user_move(p, FAR, USER_AREA, 3);
}

static void op_move_all_then_hole(struct user_mem *p)
{
	op_move_all(p);
	user_unmap(p, FAR + 8, 8);
	user_map(p, FAR + 8, 8);
	user_touch(p, FAR + 8, 8, 1, 4);
}

static void op_grow(struct user_mem *p)
{
	user_resize(p, 0, USER_AREA, USER_AREA + 8);
	user_touch(p, USER_AREA, 8, 1, 4);
}

static void op_shrink(struct user_mem *p)
{
	user_resize(p, 0, USER_AREA, 256);
}

struct operation {
	const char *name;
	void (*run)(struct user_mem *p);
	int vmas;	/* then, in every state */
};

static const struct operation operations[] = {
	{ "nothing",			op_nothing,			1 },
	{ "split",			op_split,			3 },
	{ "split and merge",		op_split_and_merge,		1 },
	{ "split and unmap",		op_split_and_unmap,		0 },
	{ "boundary up",		op_boundary_up,			2 },
	{ "boundary down",		op_boundary_down,		2 },
	{ "hole",			op_hole,			2 },
	{ "hole filled",		op_hole_filled,			1 },
	{ "hole filled and touched",	op_hole_filled_and_touched,	1 },
	{ "discard",			op_discard,			1 },
	{ "move away",			op_move_away,			3 },
	{ "move away and back",		op_move_away_and_back,		1 },
	{ "move away and on",		op_move_on,			3 },
	{ "move behind",		op_move_behind,			2 },
	{ "move and write",		op_move_and_write,		3 },
	{ "move over",			op_move_over,			2 },
	{ "exchange",			op_exchange,			1 },
	{ "move keeping source",	op_move_keeping_source,		2 },
	{ "move in place",		op_move_in_place,		2 },
	{ "move in place, one VMA",	op_move_in_place_within,	1 },
	{ "move in place over tables",	op_move_in_place_over_tables,	2 },
	{ "move in place to untouched",	op_move_in_place_to_untouched,	2 },
	{ "move all keeping source",	op_move_all_keeping_source,	2 },
	{ "move all",			op_move_all,			1 },
	{ "move all and back",		op_move_all_and_back,		1 },
	{ "move all and on",		op_move_all_on,			1 },
	{ "move all, hole filled",	op_move_all_then_hole,		1 },
	{ "grow",			op_grow,			1 },
	{ "shrink",			op_shrink,			1 },
};

/* ---- each operation in each state ---- */

struct pair {
	const struct operation *operation;
	const struct world_state *state;
};

static const void *gen_pairs(const void *prev, char *desc)
{
	static struct pair pairs[ARRAY_SIZE(operations) * WORLD_NR_STATES];
	struct pair *pair = prev ? (struct pair *)prev + 1 : pairs;
	unsigned int i;

	for (; pair < pairs + ARRAY_SIZE(pairs); pair++) {
		i = pair - pairs;
		pair->state = &world_states[i / ARRAY_SIZE(operations)];
		pair->operation = &operations[i % ARRAY_SIZE(operations)];
		if (pair->state->huge &&
		    !IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
			continue;
		if (pair->state->swapped && !IS_ENABLED(CONFIG_BLK_DEV_RAM))
			continue;
		snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s: %s",
			 pair->state->name, pair->operation->name);
		return pair;
	}
	return NULL;
}

static void act(void *data)
{
	struct world *w = data;
	struct user_mem *p = w->actor;
	const struct pair *pair = p->test->param_value;

	KUNIT_EXPECT_EQ(p->test, world_count_vmas(), 1);
	pair->operation->run(p);
	KUNIT_EXPECT_EQ(p->test, world_count_vmas(), pair->operation->vmas);
}

/* Contents, number of VMAs and all invariants are right. */
static void operation_in_state(struct kunit *test)
{
	const struct pair *pair = test->param_value;
	struct world *w = test->priv;

	pair->state->enter(w);
	if (pair->state->swapped)
		world_check_mms(w);
	else
		world_check(w);
	world_act(w, act);
	world_check(w);
	world_check_fork_of_actor(w);
	world_check(w);
	user_exit(&w->child_task);
	w->child = NULL;
	world_check(w);
}

/* ---- what states and operations do not cover ---- */

static unsigned int members_of_file_of(unsigned int page)
{
	unsigned long addr = user_addr(page);
	struct vm_area_struct *vma;
	unsigned int nr = 0;
	struct folio_walk fw;
	struct folio *folio;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	folio = vma ? folio_walk_start(&fw, vma, addr, 0) : NULL;
	if (folio) {
		nr = folio_anon_vma(folio)->nr_members;
		folio_walk_end(&fw, vma);
	}
	mmap_read_unlock(current->mm);
	return nr;
}

static void exit_all(struct user_child *children, unsigned int nr)
{
	while (nr--)
		user_exit(&children[nr]);
}

#define MOST_MEMBERS	17	/* of a new file, the mm and 16 children */

/* The parent writes a page that all before have, after each fork. */
static struct user_child *fork_crowd(struct kunit *test, struct world *w,
				     unsigned int nr)
{
	struct user_child *children;
	unsigned int i;

	children = kunit_kcalloc(test, nr, sizeof(*children), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, children);
	world_fault(w);
	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_EQ(test, user_fork(&children[i]), 0);
		user_touch(w->parent, i / 2, 1, 1, 4);
		KUNIT_EXPECT_GT(test, members_of_file_of(i / 2), 0);
		KUNIT_EXPECT_LE(test, members_of_file_of(i / 2), MOST_MEMBERS);
	}
	return children;
}

/*
 * Children that were forked before are not asked for new pages; when they are dead, what
 * all of them could have had comes to one file.
 */
static void new_pages_have_new_files(struct kunit *test)
{
	const unsigned int nr = 40;
	struct user_child *children;
	struct world *w = test->priv;
	struct list_head *files = &current->mm->anon_space.memberships;

	children = fork_crowd(test, w, nr);
	KUNIT_EXPECT_EQ(test, members_of_file_of(USER_AREA - 1), nr + 1);
	KUNIT_EXPECT_EQ(test, list_count_nodes(files), 3);
	user_map(w->parent, FAR, 64);
	user_touch(w->parent, FAR, 64, 1, 5);
	KUNIT_EXPECT_GT(test, members_of_file_of(FAR), 0);
	KUNIT_EXPECT_LE(test, members_of_file_of(FAR), MOST_MEMBERS);

	KUNIT_EXPECT_EQ(test, user_fork(&w->fork_task), 0);
	KUNIT_EXPECT_LE(test, members_of_file_of(FAR), MOST_MEMBERS + 1);
	user_run(&w->fork_task, user_check_contents, w->parent);
	user_check_mm(test, w->fork_task.mm);
	user_check_mm(test, current->mm);
	user_exit(&w->fork_task);
	exit_all(children, nr);

	KUNIT_EXPECT_EQ(test, user_fork(&w->fork_task), 0);
	KUNIT_EXPECT_EQ(test, list_count_nodes(files), 2);
	user_run(&w->fork_task, user_check_contents, w->parent);
	user_check_mm(test, w->fork_task.mm);
	user_exit(&w->fork_task);
	world_check(w);
}

static void fork_another(void *child)
{
	user_fork(child);
}

static void touch_first_pages(void *mem)
{
	user_touch(mem, 0, 16, 1, 5);
}

/* The owner of an adopted file is not the first to be asked for its pages. */
static void pages_of_an_adopted_file_are_found(struct kunit *test)
{
	struct world *w = test->priv;
	struct user_child *child, *grandchild, *heir;
	struct anon_membership *first;
	struct user_mem *mem;

	child = kunit_kcalloc(test, 3, sizeof(*child), GFP_KERNEL);
	mem = kunit_kmalloc(test, sizeof(*mem), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, child);
	KUNIT_ASSERT_NOT_NULL(test, mem);
	grandchild = child + 1;
	heir = child + 2;
	world_fault(w);
	*mem = *w->parent;

	KUNIT_ASSERT_EQ(test, user_fork(child), 0);
	user_run(child, fork_another, grandchild);
	user_exit(child);
	user_run(grandchild, fork_another, heir);
	first = list_first_entry(&heir->mm->anon_space.anon_vma->members,
				 struct anon_membership, in_file);
	KUNIT_EXPECT_PTR_EQ(test, first->mm, grandchild->mm);
	user_run(heir, touch_first_pages, mem);
	user_check_mm(test, heir->mm);
	user_run(heir, user_check_contents, mem);
	user_exit(heir);
	user_exit(grandchild);
	world_check(w);
}

/* A file that others are members of is not adopted: they would be asked for all pages. */
static void a_file_of_others_is_not_adopted(struct kunit *test)
{
	struct user_child *child, *grandchild, *sibling, *heir;
	struct world *w = test->priv;

	child = kunit_kcalloc(test, 4, sizeof(*child), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, child);
	grandchild = child + 1;
	sibling = child + 2;
	heir = child + 3;
	world_fault(w);
	KUNIT_ASSERT_EQ(test, user_fork(child), 0);
	user_run(child, fork_another, grandchild);
	user_run(child, fork_another, sibling);
	user_exit(child);
	user_run(grandchild, fork_another, heir);
	KUNIT_EXPECT_EQ(test, heir->mm->anon_space.anon_vma->nr_members, 1);
	user_exit(heir);
	user_exit(sibling);
	user_exit(grandchild);
	world_check(w);
}

/* Who takes all locks of an mm keeps walkers out. */
static void all_locks_are_those_of_walkers(struct kunit *test)
{
	struct rw_semaphore *lock = &current->mm->anon_space.rwsem;
	struct world *w = test->priv;

	world_fault(w);
	mmap_write_lock(current->mm);
	KUNIT_EXPECT_EQ(test, 0, mm_take_all_locks(current->mm));
	KUNIT_EXPECT_TRUE(test, rwsem_is_locked(lock));
	mm_drop_all_locks(current->mm);
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(lock));
	mmap_write_unlock(current->mm);
	world_check(w);
}

/* Who has used a page has done so, although it cannot be said of its child just now. */
static void references_count_beside_a_busy_mm(struct kunit *test)
{
	struct world *w = test->priv;
	struct folio *folio;
	unsigned long flags;

	world_fault(w);
	KUNIT_ASSERT_EQ(test, 0, user_fork(&w->fork_task));
	user_check_contents(w->parent);
	folio = user_folio_at(0);
	KUNIT_ASSERT_NOT_NULL(test, folio);
	anon_space_lock_write(w->fork_task.mm);
	KUNIT_EXPECT_GT(test, folio_referenced(folio, 0, NULL, &flags), 0);
	KUNIT_EXPECT_EQ(test, folio_referenced(folio, 0, NULL, &flags), -1);
	anon_space_unlock_write(w->fork_task.mm);
	folio_put(folio);
	user_exit(&w->fork_task);
	world_check(w);
}

/* As reclaim does: lockdep knows then that nobody may wait for memory under the lock. */
static void take_locks_of_reclaim(struct mm_struct *mm)
{
	fs_reclaim_acquire(GFP_KERNEL);
	anon_space_lock_read(mm);
	anon_space_unlock_read(mm);
	fs_reclaim_release(GFP_KERNEL);
}

/* For the second of two page tables there is no table yet, which takes memory. */
static void move_to_a_new_table_of_tables(struct kunit *test)
{
	unsigned long end = ALIGN(user_addr(USER_WORLD), PUD_SIZE);
	const unsigned int nr = 2 * USER_AREA;
	struct world *w = test->priv;

	user_need_tables(test);
	if (end + user_len(USER_AREA) > TASK_SIZE)
		kunit_skip(test, "no such address");
	take_locks_of_reclaim(current->mm);
	user_map(w->parent, 0, nr);
	user_touch(w->parent, 0, nr, 1, 1);
	user_move_there_and_back(w->parent, 0, nr, end - user_len(USER_AREA));
	world_check(w);
}

/* What a living child has is not taken away from it: its file stays. */
static void files_of_shared_pages_stay(struct kunit *test)
{
	const unsigned int nr = 40, stays = 20;
	struct user_child *children;
	struct world *w = test->priv;
	struct list_head *files = &current->mm->anon_space.memberships;
	unsigned int i;

	children = fork_crowd(test, w, nr);
	/* It has pages of the first two files, and is no member of the third. */
	for (i = 0; i < nr; i++)
		if (i != stays)
			user_exit(&children[i]);
	KUNIT_EXPECT_EQ(test, current->mm->anon_space.anon_vma->nr_members, 1);
	KUNIT_EXPECT_EQ(test, user_fork(&w->fork_task), 0);
	KUNIT_EXPECT_EQ(test, list_count_nodes(files), 3);
	user_check_mm(test, current->mm);
	user_check_mm(test, children[stays].mm);
	user_check_mm(test, w->fork_task.mm);
	user_run(&w->fork_task, user_check_contents, w->parent);
	user_exit(&w->fork_task);
	user_exit(&children[stays]);
	world_check(w);
}

/*
 * A page that cannot be taken to the file in use keeps its old one. That is not tried again
 * at each fork: it takes as long as a fork.
 */
static void who_is_alone_looks_once(struct kunit *test)
{
	const unsigned int nr = 40, in_second_file = 12;
	struct anon_space *space = &current->mm->anon_space;
	struct user_child *children;
	struct world *w = test->priv;
	struct folio *folio;

	children = fork_crowd(test, w, nr);
	exit_all(children, nr);
	folio = user_folio_at(in_second_file);
	KUNIT_ASSERT_NOT_NULL(test, folio);
	folio_lock(folio);
	KUNIT_EXPECT_EQ(test, user_fork(&w->fork_task), 0);
	user_exit(&w->fork_task);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&space->memberships), 3);
	folio_unlock(folio);
	folio_put(folio);
	while (!is_power_of_2(space->nr_forks + 1)) {
		KUNIT_EXPECT_EQ(test, user_fork(&w->fork_task), 0);
		user_exit(&w->fork_task);
		KUNIT_EXPECT_EQ(test, list_count_nodes(&space->memberships), 3);
	}
	KUNIT_EXPECT_EQ(test, user_fork(&w->fork_task), 0);
	user_exit(&w->fork_task);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&space->memberships), 2);
	world_check(w);
}

/* Many pages of one folio are taken like one. */
static void pages_of_a_large_folio_have_new_files(struct kunit *test)
{
	const unsigned int nr = 40, in_second_file = 24;
	struct list_head *files = &current->mm->anon_space.memberships;
	struct user_child *children;
	struct world *w = test->priv;
	struct folio *folio;
	unsigned int i;

	user_need_huge_pages(test);
	children = kunit_kcalloc(test, nr, sizeof(*children), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, children);
	world_fault(w);
	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_EQ(test, user_fork(&children[i]), 0);
		if (i != in_second_file)
			continue;
		w->parent->huge = true;
		user_map(w->parent, FAR, USER_AREA);
		user_touch(w->parent, FAR, USER_AREA, 1, 5);
		user_unmap(w->parent, FAR, 1);
	}
	KUNIT_EXPECT_EQ(test, list_count_nodes(files), 3);
	folio = user_folio_at(FAR + 1);
	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_EXPECT_TRUE(test, folio_test_large(folio));
	folio_put(folio);
	exit_all(children, nr);

	KUNIT_EXPECT_EQ(test, user_fork(&w->fork_task), 0);
	KUNIT_EXPECT_EQ(test, list_count_nodes(files), 2);
	user_check_mm(test, w->fork_task.mm);
	user_exit(&w->fork_task);
	world_check(w);
}

/* Faulted one by one and brought together, pages are one VMA. */
static void gathered_pages_are_one_vma(struct kunit *test)
{
	struct world *w = test->priv;
	unsigned int i;

	for (i = 0; i < 16; i++) {
		user_map(w->parent, 2 * i, 1);
		user_touch(w->parent, 2 * i, 1, 1, 1);
	}
	for (i = 0; i < 16; i++)
		user_move(w->parent, 2 * i, 1, FAR + 15 - i);
	KUNIT_EXPECT_EQ(test, world_count_vmas(), 1);
	world_check(w);
}

/* The page between two VMAs that were faulted apart joins them. */
static void fault_apart_merges_later(struct kunit *test)
{
	struct world *w = test->priv;

	user_map(w->parent, 0, 4);
	user_map(w->parent, 8, 4);
	user_touch(w->parent, 0, 4, 1, 1);
	user_touch(w->parent, 8, 4, 1, 1);
	user_map(w->parent, 4, 4);
	KUNIT_EXPECT_EQ(test, world_count_vmas(), 1);
	world_check(w);
}

struct merge_case {
	const char *name;
	unsigned int touched;	/* page of the half that is faulted */
	unsigned int page;	/* what gets the attributes of its neighbour */
	unsigned int nr;
	bool exec;
	int vmas;
};

/*
 *	page	0        4        8        12       16
 *		[ executable      | not executable   ]
 */
static const struct merge_case merge_cases[] = {
	{ "left faulted, right joins",	0, 8, 8, true, 1 },
	{ "right faulted, right joins",	8, 8, 8, true, 1 },
	{ "left faulted, left joins",	0, 0, 8, false, 1 },
	{ "right faulted, left joins",	8, 0, 8, false, 1 },
	{ "left faulted, left grows",	0, 8, 4, true, 2 },
	{ "right faulted, left grows",	8, 8, 4, true, 2 },
	{ "left faulted, right grows",	0, 4, 4, false, 2 },
	{ "right faulted, right grows",	8, 4, 4, false, 2 },
};

KUNIT_ARRAY_PARAM_DESC(merge, merge_cases, name);

static void protect_exec(struct user_mem *p, unsigned int page, unsigned int nr,
			 bool exec)
{
	user_protect(p, page, nr,
		     PROT_READ | PROT_WRITE | (exec ? PROT_EXEC : 0));
}

/* A VMA that takes over faulted pages is found by rmap from then on. */
static void merge_with_unfaulted(struct kunit *test)
{
	const struct merge_case *c = test->param_value;
	struct world *w = test->priv;

	user_map(w->parent, 0, 8);
	protect_exec(w->parent, 0, 8, true);
	user_map(w->parent, 8, 8);
	KUNIT_EXPECT_EQ(test, world_count_vmas(), 2);
	user_touch(w->parent, c->touched, 8, 1, 1);
	protect_exec(w->parent, c->page, c->nr, c->exec);
	KUNIT_EXPECT_EQ(test, world_count_vmas(), c->vmas);
	world_check(w);
	world_fork(w);
	world_check(w);
}

/* A stack that grows keeps page offset and tree right. */
static void stack_growth_keeps_offset(struct kunit *test)
{
	struct world *w = test->priv;
	unsigned long addr = user_addr(FAR);

	KUNIT_ASSERT_EQ(test, addr,
			vm_mmap(NULL, addr, user_len(4), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED |
				MAP_GROWSDOWN, 0));
	user_touch(w->parent, FAR, 4, 1, 1);
	user_touch(w->parent, FAR - 4, 4, 1, 2);
	KUNIT_EXPECT_EQ(test, world_count_vmas(), 1);
	world_check(w);
	world_fork(w);
	world_check(w);
}

static void set_flags_at(unsigned int page, vm_flags_t flags)
{
	mmap_write_lock(current->mm);
	vm_flags_set(vma_lookup(current->mm, user_addr(page)), flags);
	mmap_write_unlock(current->mm);
}

/* The stack of a new program moves before anybody looks for its pages. */
static void stack_of_exec_has_index_of_address(struct kunit *test)
{
	const unsigned int from = 2 * USER_AREA, to = USER_AREA;
	struct mm_struct *mm = current->mm;
	struct world *w = test->priv;
	struct user_mem *p = w->parent;

	user_map(p, from, USER_AREA);
	user_touch(p, from, USER_AREA, 1, 1);
	set_flags_at(from, VM_STACK_FLAGS | VM_STACK_INCOMPLETE_SETUP);
	mmap_write_lock(mm);
	KUNIT_EXPECT_EQ(test, 0,
			relocate_vma_down(vma_lookup(mm, user_addr(from)),
					  user_len(from - to)));
	vm_flags_clear(vma_lookup(mm, user_addr(to)),
		       VM_STACK_INCOMPLETE_SETUP);
	mmap_write_unlock(mm);
	memcpy(p->want + to, p->want + from, USER_AREA * sizeof(p->want[0]));
	user_want(p, from, USER_AREA, USER_UNMAPPED);
	world_check(w);
	world_check_fork(w, p);
}

/* An anonymous index is never a file offset. */
static void private_file_pages_have_index_of_address(struct kunit *test)
{
	struct world *w = test->priv;
	struct file *file = shmem_kernel_file_setup("anon_space",
						    user_len(16), 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_EXPECT_EQ(test, user_addr(0),
			vm_mmap(file, user_addr(0), user_len(8),
				PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_FIXED, user_len(8)));
	fput(file);
	user_touch(w->parent, 0, 8, 2, 1);
	world_check(w);
	world_fork(w);
	user_move(w->parent, 0, 8, FAR);
	user_touch(w->parent, FAR, 8, 3, 2);
	world_check(w);
}

static struct kunit_case mm_cases[] = {
	KUNIT_CASE_PARAM_ATTR(operation_in_state, gen_pairs,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE(new_pages_have_new_files),
	KUNIT_CASE(files_of_shared_pages_stay),
	KUNIT_CASE(who_is_alone_looks_once),
	KUNIT_CASE(pages_of_a_large_folio_have_new_files),
	KUNIT_CASE(pages_of_an_adopted_file_are_found),
	KUNIT_CASE(a_file_of_others_is_not_adopted),
	KUNIT_CASE(all_locks_are_those_of_walkers),
	KUNIT_CASE(references_count_beside_a_busy_mm),
	KUNIT_CASE(move_to_a_new_table_of_tables),
	KUNIT_CASE(gathered_pages_are_one_vma),
	KUNIT_CASE(fault_apart_merges_later),
	KUNIT_CASE_PARAM(merge_with_unfaulted, merge_gen_params),
	KUNIT_CASE(stack_growth_keeps_offset),
	KUNIT_CASE(stack_of_exec_has_index_of_address),
	KUNIT_CASE(private_file_pages_have_index_of_address),
	{}
};

static struct kunit_suite mm_suite = {
	.name = "anon_space_mm",
	.init = world_init_test,
	.exit = world_exit_test,
	.test_cases = mm_cases,
};

kunit_test_suite(mm_suite);

MODULE_DESCRIPTION("KUnit tests of the reverse map of real address spaces");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
