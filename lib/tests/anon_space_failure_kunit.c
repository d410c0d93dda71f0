// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of operations that run out of memory.
 *
 * Each operation is done again and again, by a child of the process that set up
 * the state, with the first allocation failing, of a page or in a slab, then the
 * second one, until there are no more: only that one, or all that follow as well.
 * If it has failed, the memory is as it was before, else as it should be afterwards.
 * All invariants hold.
 */

#include <kunit/test.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/swap.h>
#include <linux/uaccess.h>

#include "../../mm/anon_space/internal.h"
#include "../../mm/internal.h"
#include "anon_space_user.h"

#define FAR		1024	/* where to move to */
#define END		USER_AREA	/* of a page table, where tables have so many entries */
#define LAST		(FAR + 256)	/* a place around page FAR + END, where another one ends */
#define BEYOND		64		/* pages mapped beyond the area */
#define MAX_ALLOCS	500	/* of one operation */

struct world {
	struct user_mem *mem;		/* of the child */
	const struct failing_op *op;
	struct user_child child_task;
	struct user_child fork_task;	/* forked by the child */
	unsigned int nth;		/* allocation to fail */
	bool for_good;			/* and all after it? */
	bool failed;			/* was there one? */
	bool refused;			/* has the operation failed? */
};

/* ---- failing the n-th allocation of a task, and those after it ---- */

#if defined(CONFIG_FAILSLAB) && defined(CONFIG_FAIL_PAGE_ALLOC) && \
	defined(CONFIG_KPROBES) && defined(CONFIG_FUNCTION_ERROR_INJECTION)
#define CAN_FAIL	true

static struct task_struct *fail_task;
static unsigned int fail_after;
static bool fail_for_good;

static bool fails(gfp_t gfp)
{
	if (READ_ONCE(fail_task) != current || gfp & __GFP_NOFAIL)
		return false;
	if (fail_after)
		return !--fail_after;
	return fail_for_good;
}

static int fail_slab_handler(struct kprobe *probe, struct pt_regs *regs)
{
	if (!fails(regs_get_kernel_argument(regs, 1)))
		return 0;
	regs_set_return_value(regs, -ENOMEM);
	override_function_with_return(regs);
	return 1;
}

static int fail_page_handler(struct kprobe *probe, struct pt_regs *regs)
{
	if (!fails(regs_get_kernel_argument(regs, 0)))
		return 0;
	regs_set_return_value(regs, true);
	override_function_with_return(regs);
	return 1;
}

/* A probe that has one is not optimised: those cannot change what is returned. */
static void fail_nothing_after(struct kprobe *probe, struct pt_regs *regs,
			       unsigned long flags)
{
}

static struct kprobe fail_slab_probe = {
	.symbol_name = "should_failslab",
	.pre_handler = fail_slab_handler,
	.post_handler = fail_nothing_after,
};

static struct kprobe fail_page_probe = {
	.symbol_name = "should_fail_alloc_page",
	.pre_handler = fail_page_handler,
	.post_handler = fail_nothing_after,
};

static struct kprobe *fail_probes[] = { &fail_slab_probe, &fail_page_probe };

static void fail_begin(unsigned int nth, bool for_good)
{
	fail_after = nth;
	fail_for_good = for_good;
	WRITE_ONCE(fail_task, current);
}

/* Returns whether an allocation failed. */
static bool fail_end(void)
{
	WRITE_ONCE(fail_task, NULL);
	return !fail_after;
}

static int fail_register(void)
{
	return register_kprobes(fail_probes, ARRAY_SIZE(fail_probes));
}

static void fail_unregister(void)
{
	unregister_kprobes(fail_probes, ARRAY_SIZE(fail_probes));
}
#else
#define CAN_FAIL	false

static void fail_begin(unsigned int nth, bool for_good)
{
}

static bool fail_end(void)
{
	return false;
}

static int fail_register(void)
{
	return 0;
}

static void fail_unregister(void)
{
}
#endif

/* ---- operations, which return 0 or an error ---- */

static int op_move(struct world *w)
{
	return user_try_move(w->mem, 8, 8, FAR);
}

static int op_move_all(struct world *w)
{
	return user_try_move(w->mem, 0, USER_AREA, FAR);
}

static int op_move_within(struct world *w)
{
	return user_try_move(w->mem, 8, 8, 250);
}

static int op_move_start(struct world *w)
{
	return user_try_move(w->mem, 0, 8, FAR);
}

static int op_move_tables(struct world *w)
{
	return user_try_move(w->mem, END - 10, 19, FAR);
}

/* To a mapping that is there already. */
static int op_move_in_place(struct world *w)
{
	return user_try_move_out(w->mem, 8, 8, FAR + 3);
}

/* There is no page table yet where the rest goes. */
static int op_move_in_place_over_tables(struct world *w)
{
	return user_try_move_out(w->mem, END - 6, 12, FAR + END - 6);
}

static int op_unmap(struct world *w)
{
	int ret = vm_munmap(user_addr(8), user_len(8));

	if (!ret)
		user_want(w->mem, 8, 8, USER_UNMAPPED);
	return ret;
}

static int op_discard(struct world *w)
{
	int ret = do_madvise(current->mm, user_addr(8), user_len(8),
			     MADV_DONTNEED);

	if (!ret)
		user_want(w->mem, 8, 8, USER_ZERO);
	return ret;
}

static int op_write(struct world *w)
{
	u32 value = 0x12345;
	int ret = put_user(value, (u32 __user *)user_addr(8));

	if (!ret)
		w->mem->want[8] = value;
	return ret;
}

static int op_first_write(struct world *w)
{
	unsigned long addr;
	int ret;

	/* What may fail is the mapping or the fault. */
	addr = vm_mmap(NULL, user_addr(FAR), user_len(1),
		       PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0);
	if (IS_ERR_VALUE(addr))
		return addr;
	user_want(w->mem, FAR, 1, USER_ZERO);
	ret = put_user(7, (u32 __user *)addr);
	if (!ret)
		w->mem->want[FAR] = 7;
	return ret;
}

static int op_fork(struct world *w)
{
	return user_fork(&w->fork_task);
}

struct failing_op {
	const char *name;
	int (*run)(struct world *w);
	bool moved;	/* in a process that moved what it shares */
	bool mapped;	/* with something at the destination */
	bool tables;	/* with pages of its own, and another mapping, around tables' ends */
	bool shared;	/* but these pages are shared, too */
	unsigned int own;	/* first page of some of its own, before shared ones */
	unsigned int nr_own;
	bool may_succeed;	/* without the memory it asks for */
};

static const struct failing_op failing_ops[] = {
	{ "move",				op_move },
	{ "move of moved pages",		op_move, true },
	{ "move of the start",			op_move_start },
	{ "move in place",			op_move_in_place, false, true },
	{ "move in place of moved pages",	op_move_in_place, true, true },
	{ "move in place over tables",		op_move_in_place_over_tables,
	  .tables = true },
	{ "move in place of shared pages over tables",
	  op_move_in_place_over_tables, .tables = true, .shared = true },
	{ "move of own and shared pages",	op_move, .own = 8, .nr_own = 4 },
	{ "move of own and moved pages",	op_move, true, .own = 8,
						.nr_own = 4 },
	{ "move of own and shared tables",	op_move_tables, .own = END - 10,
						.nr_own = 13 },
	{ "move of own and moved tables",	op_move_tables, true,
						.own = END - 10, .nr_own = 13 },
	{ "move of all",			op_move_all },
	{ "move of all moved pages",		op_move_all, true },
	{ "move over pages",			op_move_within },
	{ "move of moved pages over others",	op_move_within, true },
	{ "unmap",				op_unmap },
	{ "unmap of moved pages",		op_unmap, true },
	{ "discard of moved pages",		op_discard, true,
						.may_succeed = true },
	{ "write to shared page",		op_write },
	{ "first write",			op_first_write },
	{ "fork",				op_fork },
	{ "fork after move",			op_fork, true },
};

KUNIT_ARRAY_PARAM_DESC(failing, failing_ops, name);

/* ---- each allocation fails in turn ---- */

static void run_failing(void *data)
{
	const struct anon_map *map = &current->mm->anon_space.map;
	struct world *w = data;
	unsigned long nr;
	int ret;

	if (w->op->tables && !w->op->shared)
		user_touch(w->mem, END - 6, 12, 1, 4);
	user_touch(w->mem, w->op->own, w->op->nr_own, 1, 4);
	nr = map->nr;
	fail_begin(w->nth, w->for_good);
	ret = w->op->run(w);
	w->failed = fail_end();
	w->refused = ret;
	if (!w->failed)
		KUNIT_EXPECT_EQ(w->mem->test, 0, ret);
	/* What fails leaves nothing behind. */
	if (ret)
		KUNIT_EXPECT_LE(w->mem->test, map->nr, nr);
	user_check_contents(w->mem);
	user_check_mm(w->mem->test, current->mm);
	if (w->fork_task.pid) {
		user_run(&w->fork_task, user_check_contents, w->mem);
		user_check_mm(w->mem->test, w->fork_task.mm);
		user_exit(&w->fork_task);
	}
}

static void set_up(struct kunit *test, struct world *w)
{
	/* One more process with these pages, besides parent and child. */
	user_map(w->mem, w->op->moved ? FAR + USER_AREA : 0, USER_AREA);
	user_touch(w->mem, w->op->moved ? FAR + USER_AREA : 0, USER_AREA, 1, 1);
	/* Otherwise the area is a VMA of its own. */
	if (w->op->tables || w->op->own + w->op->nr_own > USER_AREA) {
		user_map(w->mem, USER_AREA, BEYOND);
		user_touch(w->mem, USER_AREA, BEYOND, 1, 1);
	}
	if (w->op->mapped) {
		user_map(w->mem, FAR, USER_AREA);
		user_touch(w->mem, FAR, USER_AREA, 1, 3);
	}
	if (w->op->tables) {
		user_map(w->mem, LAST, USER_WORLD - LAST);
		user_touch(w->mem, LAST, FAR + END - LAST, 1, 3);
		/* A look would make a page table. */
		user_want(w->mem, FAR + END, USER_WORLD - FAR - END,
			  USER_UNTOUCHED);
	}
	KUNIT_ASSERT_EQ(test, 0, user_fork(&w->child_task));
	if (w->op->moved) {
		user_move(w->mem, FAR + USER_AREA, 12, 0);
		user_move(w->mem, FAR + USER_AREA + 12, USER_AREA - 12, 12);
	}
	user_exit(&w->child_task);
}

static void fail_each_in_turn(struct kunit *test, struct world *w)
{
	struct user_mem *before = kunit_kmalloc(test, sizeof(*before), GFP_KERNEL);
	unsigned int refused = 0;

	KUNIT_ASSERT_NOT_NULL(test, before);
	*before = *w->mem;
	for (w->nth = 1; w->nth < MAX_ALLOCS; w->nth++) {
		KUNIT_ASSERT_EQ(test, 0, user_fork(&w->child_task));
		user_run(&w->child_task, run_failing, w);
		user_exit(&w->child_task);
		refused += w->refused;
		*w->mem = *before;
		user_check_contents(w->mem);
		user_check_mm(test, current->mm);
		if (!w->failed || READ_ONCE(test->status) == KUNIT_FAILURE)
			break;
	}
	KUNIT_EXPECT_FALSE(test, w->failed);
	/* With nothing to be had it has to fail, or nothing was denied to it. */
	if (w->for_good && w->nth > 1 && !w->op->may_succeed)
		KUNIT_EXPECT_GT(test, refused, 0);
	kunit_info(test, "%s: %u allocations failed%s, %u times it did\n",
		   w->op->name, w->nth - 1,
		   w->for_good ? ", with all after them" : "", refused);
}

static void operation_without_memory(struct kunit *test)
{
	struct world *w = test->priv;

	if (!CAN_FAIL)
		kunit_skip(test, "needs FAILSLAB, FAIL_PAGE_ALLOC and KPROBES");
	w->op = test->param_value;
	set_up(test, w);
	fail_each_in_turn(test, w);
	w->for_good = true;
	fail_each_in_turn(test, w);
}

/* The undo of a failed move cannot fail, whatever memory it needs. */
static void undo_without_memory(struct kunit *test)
{
	const unsigned long from = user_addr(0), to = user_addr(FAR);
	const unsigned long len = user_len(USER_AREA);
	struct mm_struct *mm = current->mm;
	struct world *w = test->priv;
	struct anon_space_move move;
	struct vm_area_struct *vma;

	if (!CAN_FAIL)
		kunit_skip(test, "needs FAILSLAB, FAIL_PAGE_ALLOC and KPROBES");
	user_need_huge_pages(test);
	w->mem->huge = true;
	user_map(w->mem, 0, USER_WORLD);
	user_touch(w->mem, 0, USER_AREA, 1, 1);
	mmap_write_lock(mm);
	vma = find_vma(mm, from);
	vma_start_write(vma);
	anon_space_move_begin(&move, vma, from, to, len);
	KUNIT_EXPECT_EQ(test, len, move_page_tables(&move, vma, from, vma, to,
						    len, true, false));
	/* Pages that cannot get their old index again. */
	KUNIT_EXPECT_EQ(test, 0, user_split_at(vma, to));
	anon_space_move_back(&move, vma, len);
	fail_begin(1, true);
	KUNIT_EXPECT_EQ(test, len, move_page_tables(&move, vma, to, vma, from,
						    len, true, false));
	fail_end();
	mmap_write_unlock(mm);
	user_check_contents(w->mem);
	user_check_mm(test, mm);
}

static int failure_init(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	if (!w)
		return -ENOMEM;
	test->priv = w;
	w->mem = kunit_kzalloc(test, sizeof(*w->mem), GFP_KERNEL);
	if (!w->mem)
		return -ENOMEM;
	w->mem->test = test;
	user_want(w->mem, 0, USER_WORLD, USER_UNMAPPED);
	/* Also attaches an mm to this thread. */
	if (IS_ERR_VALUE(kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ,
				       MAP_PRIVATE | MAP_ANONYMOUS, 0)))
		return -ENOMEM;
	return 0;
}

/* Not by the thread of the test. */
static void failure_exit(struct kunit *test)
{
	struct world *w = test->priv;

	if (!w)
		return;
	user_kill(&w->fork_task);
	user_kill(&w->child_task);
}

static int failure_suite_init(struct kunit_suite *suite)
{
	return fail_register();
}

static void failure_suite_exit(struct kunit_suite *suite)
{
	fail_unregister();
}

static struct kunit_case failure_cases[] = {
	KUNIT_CASE_PARAM_ATTR(operation_without_memory, failing_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE(undo_without_memory),
	{}
};

static struct kunit_suite failure_suite = {
	.name = "anon_space_failure",
	.suite_init = failure_suite_init,
	.suite_exit = failure_suite_exit,
	.init = failure_init,
	.exit = failure_exit,
	.test_cases = failure_cases,
};

kunit_test_suite(failure_suite);

MODULE_DESCRIPTION("KUnit tests of operations without memory");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
