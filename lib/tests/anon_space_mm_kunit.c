// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of what operations on address spaces do to the reverse map.
 *
 * Each operation is done in each state. After both, the memory has the contents
 * that it should have in each process, there are as many VMAs as equal
 * attributes allow, whatever the state, and the validator finds nothing wrong
 * in any of the processes; then the same in a child forked from it.
 *
 * The states set up one VMA:
 *
 *	page	0    8    16        256        512       1024       2047
 *		|    |    |          |          |          |          |
 *		[ an area of one page table     ]          free
 */

#include <kunit/test.h>
#include <linux/anon_moves.h>
#include <linux/anon_space.h>
#include <linux/huge_mm.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagewalk.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>
#include <linux/uaccess.h>

#include "../../mm/anon_space_move.h"
#include "../../mm/internal.h"
#include "anon_space_user.h"

#define FAR		1024		/* where to move to */
#define ELSEWHERE	1536		/* where states move from */

struct world {
	struct user_mem *parent;		/* the test */
	struct user_mem *child;		/* forked by the state, or NULL */
	struct user_mem *actor;		/* who does the operation */
	struct user_child child_task;
	struct user_child fork_task;	/* forked after the operation */
};

/* ---- what is checked ---- */

static int count_vmas(void)
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

static unsigned long count_records(void)
{
	return current->mm->anon_space.moves.nr;
}

/* A child that writes to what it shares leaves the contents here alone. */
static void scribble(void *data)
{
	unsigned int i;

	for (i = 0; i < USER_WORLD; i += 3)
		if (user_touches(i))	/* fails where it is not writable */
			(void)put_user(0xdead, (u32 __user *)user_addr(i));
}

static void check_fork(struct world *w, struct user_mem *p)
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

static void check_all(struct world *w)
{
	user_check_contents(w->parent);
	user_check_mm(w->parent->test, current->mm);
	if (w->child) {
		user_run(&w->child_task, user_check_contents, w->child);
		user_check_mm(w->parent->test, w->child_task.mm);
	}
}

/* ---- states ---- */

static void area(struct user_mem *p)
{
	user_map(p, 0, USER_AREA);
	user_want(p, 0, USER_AREA, USER_UNTOUCHED);
}

static void fork_child(struct world *w)
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

static void state_faulted(struct world *w)
{
	area(w->parent);
	user_touch(w->parent, 0, USER_AREA, 1, 1);
}

static void state_faulted_in_part(struct world *w)
{
	area(w->parent);
	user_touch(w->parent, 0, USER_AREA, 3, 1);
}

static void state_shared(struct world *w)
{
	state_faulted(w);
	fork_child(w);
}

static void state_written_after_fork(struct world *w)
{
	state_shared(w);
	user_touch(w->parent, 0, USER_AREA, 2, 2);
}

static void child_writes(void *data)
{
	struct user_mem *child = data;

	user_touch(child, 0, USER_AREA, 2, 3);
}

static void state_written_by_child(struct world *w)
{
	state_shared(w);
	user_run(&w->child_task, child_writes, w->child);
}

static void state_child_exited(struct world *w)
{
	state_shared(w);
	user_exit(&w->child_task);
	w->child = NULL;
}

static void state_in_child(struct world *w)
{
	state_shared(w);
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
	fork_child(w);
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
	fork_child(w);
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

static void state_huge(struct world *w)
{
	w->parent->huge = true;
	state_faulted(w);
	KUNIT_EXPECT_TRUE(w->parent->test, has_huge_page(user_addr(0)));
}

static void state_huge_and_shared(struct world *w)
{
	state_huge(w);
	fork_child(w);
}

static void state_huge_and_moved(struct world *w)
{
	w->parent->huge = true;
	faulted_elsewhere(w->parent);
	user_move(w->parent, ELSEWHERE, USER_AREA, 0);
}

static void state_huge_shared_and_moved(struct world *w)
{
	w->parent->huge = true;
	state_shared_and_moved(w);
}

struct state {
	const char *name;
	void (*enter)(struct world *w);
	bool huge;
};

static const struct state states[] = {
	{ "unfaulted",			state_unfaulted },
	{ "faulted",			state_faulted },
	{ "faulted in part",		state_faulted_in_part },
	{ "shared",			state_shared },
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
	{ "huge",			state_huge, true },
	{ "huge and shared",		state_huge_and_shared, true },
	{ "huge and moved",		state_huge_and_moved, true },
	{ "huge, shared and moved",	state_huge_shared_and_moved, true },
};

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
	const struct state *state;
};

static const void *gen_pairs(const void *prev, char *desc)
{
	static struct pair pairs[ARRAY_SIZE(operations) * ARRAY_SIZE(states)];
	struct pair *pair = prev ? (struct pair *)prev + 1 : pairs;
	unsigned int i;

	for (; pair < pairs + ARRAY_SIZE(pairs); pair++) {
		i = pair - pairs;
		pair->state = &states[i / ARRAY_SIZE(operations)];
		pair->operation = &operations[i % ARRAY_SIZE(operations)];
		if (pair->state->huge &&
		    !IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
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

	KUNIT_EXPECT_EQ(p->test, count_vmas(), 1);
	pair->operation->run(p);
	KUNIT_EXPECT_EQ(p->test, count_vmas(), pair->operation->vmas);
}

static void act_fork(void *data)
{
	struct world *w = data;

	check_fork(w, w->actor);
}

static void run_actor(struct world *w, void (*fn)(void *data))
{
	if (w->actor == w->child)
		user_run(&w->child_task, fn, w);
	else
		fn(w);
}

/* Contents, number of VMAs and all invariants are right. */
static void operation_in_state(struct kunit *test)
{
	const struct pair *pair = test->param_value;
	struct world *w = test->priv;

	pair->state->enter(w);
	check_all(w);
	run_actor(w, act);
	check_all(w);
	run_actor(w, act_fork);
	check_all(w);
	user_exit(&w->child_task);
	w->child = NULL;
	check_all(w);
}

/* ---- what states and operations do not cover ---- */

/* Move records are for shared pages only. */
static void move_of_private_pages_leaves_no_record(struct kunit *test)
{
	struct world *w = test->priv;

	state_faulted(w);
	op_move_away_and_back(w->parent);
	KUNIT_EXPECT_EQ(test, count_records(), 0);
	op_exchange(w->parent);
	KUNIT_EXPECT_EQ(test, count_records(), 0);
	check_all(w);
}

/* However often the same pages move, one record is enough. */
static void moves_of_shared_pages_leave_one_record(struct kunit *test)
{
	struct world *w = test->priv;
	unsigned int i, to, at = 8;

	state_shared(w);
	for (i = 0; i < 199; i++) {
		to = FAR + i % 50 * 8;
		user_move(w->parent, at, 8, to);
		at = to;
	}
	KUNIT_EXPECT_EQ(test, count_records(), 1);
	user_check_mm(test, current->mm);
	user_move(w->parent, at, 8, 8);
	KUNIT_EXPECT_EQ(test, count_records(), 0);
	check_all(w);
}

/* Records go with the pages, also from the middle of a run. */
static void unmap_forgets_records(struct kunit *test)
{
	struct world *w = test->priv;

	state_shared(w);
	op_move_away(w->parent);
	KUNIT_EXPECT_EQ(test, count_records(), 1);
	user_unmap(w->parent, FAR + 2, 2);
	KUNIT_EXPECT_EQ(test, count_records(), 2);
	check_all(w);
	user_unmap(w->parent, FAR, 8);
	KUNIT_EXPECT_EQ(test, count_records(), 0);
	check_all(w);
}

/* A hole in a run makes two, but not more than an mm may have (INV-7). */
static void holes_in_a_run_are_limited(struct kunit *test)
{
	struct world *w = test->priv;
	int limit = sysctl_max_map_count;
	unsigned int i;

	state_shared(w);
	op_move_all(w->parent);
	sysctl_max_map_count = 16;
	for (i = 1; i < 64; i += 2) {
		user_unmap(w->parent, FAR + i, 1);
		user_map(w->parent, FAR + i, 1);
		KUNIT_EXPECT_LE(test, count_records(), 16);
	}
	sysctl_max_map_count = limit;
	KUNIT_EXPECT_EQ(test, count_vmas(), 1);
	check_all(w);
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
	KUNIT_EXPECT_EQ(test, count_vmas(), 1);
	check_all(w);
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
	KUNIT_EXPECT_EQ(test, count_vmas(), 1);
	check_all(w);
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
	KUNIT_EXPECT_EQ(test, count_vmas(), 2);
	user_touch(w->parent, c->touched, 8, 1, 1);
	protect_exec(w->parent, c->page, c->nr, c->exec);
	KUNIT_EXPECT_EQ(test, count_vmas(), c->vmas);
	check_all(w);
	fork_child(w);
	check_all(w);
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
	KUNIT_EXPECT_EQ(test, count_vmas(), 1);
	check_all(w);
	fork_child(w);
	check_all(w);
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
	check_all(w);
	fork_child(w);
	user_move(w->parent, 0, 8, FAR);
	user_touch(w->parent, FAR, 8, 3, 2);
	check_all(w);
}

static int split_huge_page_at(struct vm_area_struct *vma, unsigned long addr)
{
	struct folio_walk fw;
	struct folio *folio = folio_walk_start(&fw, vma, addr, 0);
	int err;

	if (!folio)
		return -ENOENT;
	folio_get(folio);
	folio_walk_end(&fw, vma);
	lru_add_drain_all();
	folio_lock(folio);
	err = split_folio(folio);
	folio_unlock(folio);
	folio_put(folio);
	return err;
}

/* What a failed move takes back is found, also if it was split meanwhile. */
static void split_before_the_way_back(struct kunit *test)
{
	unsigned long from = user_addr(0), to = user_addr(FAR);
	unsigned long len = user_len(USER_AREA);
	struct world *w = test->priv;
	struct anon_space_move move;
	struct vm_area_struct *vma;

	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
		kunit_skip(test, "needs CONFIG_TRANSPARENT_HUGEPAGE");
	state_huge(w);
	user_map(w->parent, USER_AREA, USER_WORLD - USER_AREA);
	mmap_write_lock(current->mm);
	vma = find_vma(current->mm, from);
	KUNIT_EXPECT_EQ(test, 0,
			anon_space_move_begin(&move, vma, from, to, len));
	KUNIT_EXPECT_EQ(test, len, move_page_tables(&move, vma, from, vma, to,
						    len, true, false));
	KUNIT_EXPECT_EQ(test, 0, split_huge_page_at(vma, to));
	anon_space_move_back(&move, vma, len);
	KUNIT_EXPECT_EQ(test, len, move_page_tables(&move, vma, to, vma, from,
						    len, true, false));
	anon_space_move_end(&move);
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, count_records(), 1);
	check_all(w);
}

static int mm_init_test(struct kunit *test)
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
static void mm_exit_test(struct kunit *test)
{
	struct world *w = test->priv;

	if (!w)
		return;
	user_kill(&w->fork_task);
	user_kill(&w->child_task);
}

static struct kunit_case mm_cases[] = {
	KUNIT_CASE_PARAM_ATTR(operation_in_state, gen_pairs,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE(move_of_private_pages_leaves_no_record),
	KUNIT_CASE(moves_of_shared_pages_leave_one_record),
	KUNIT_CASE(unmap_forgets_records),
	KUNIT_CASE(holes_in_a_run_are_limited),
	KUNIT_CASE(gathered_pages_are_one_vma),
	KUNIT_CASE(fault_apart_merges_later),
	KUNIT_CASE_PARAM(merge_with_unfaulted, merge_gen_params),
	KUNIT_CASE(stack_growth_keeps_offset),
	KUNIT_CASE(private_file_pages_have_index_of_address),
	KUNIT_CASE(split_before_the_way_back),
	{}
};

static struct kunit_suite mm_suite = {
	.name = "anon_space_mm",
	.init = mm_init_test,
	.exit = mm_exit_test,
	.test_cases = mm_cases,
};

kunit_test_suite(mm_suite);

MODULE_DESCRIPTION("KUnit tests of the reverse map of real address spaces");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
