// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the tree of the VMAs that may hold anonymous pages.
 *
 * The VMAs are in no other tree than this. The model is an array that says for
 * each page which of them it belongs to.
 */

#include <kunit/test.h>
#include <linux/anon_space.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched/mm.h>

#include "../../mm/anon_space/internal.h"

#define NR_PAGES	64
#define MAX_VMAS	16
#define NR_RANDOM	20000
#define NOBODY		-1
#define BASE		0x60000000UL

struct tree {
	struct kunit *test;
	struct mm_struct *mm;
	struct vm_area_struct *vmas[MAX_VMAS];	/* NULL if not attached */
	int owner[NR_PAGES];
};

static unsigned long to_addr(unsigned int page)
{
	return BASE + ((unsigned long)page << PAGE_SHIFT);
}

static void attach(struct tree *t, int nr, unsigned int start, unsigned int end)
{
	struct vm_area_struct *vma = vm_area_alloc(t->mm);

	KUNIT_ASSERT_NOT_NULL(t->test, vma);
	vma->vm_start = to_addr(start);
	vma->vm_end = to_addr(end);
	vma->vm_pgoff = vma->vm_start >> PAGE_SHIFT;
	mmap_write_lock(t->mm);
	KUNIT_EXPECT_EQ(t->test, 0, __anon_vma_prepare(vma));
	mmap_write_unlock(t->mm);
	t->vmas[nr] = vma;
	while (start < end)
		t->owner[start++] = nr;
}

static void detach(struct tree *t, int nr)
{
	struct vm_area_struct *vma = t->vmas[nr];
	unsigned int i;

	anon_space_lock_write(t->mm);
	__anon_space_detach_vma(vma);
	anon_space_unlock_write(t->mm);
	KUNIT_EXPECT_NULL(t->test, vma->anon_vma);
	vm_area_free(vma);
	t->vmas[nr] = NULL;
	for (i = 0; i < NR_PAGES; i++)
		if (t->owner[i] == nr)
			t->owner[i] = NOBODY;
}

/* All VMAs in a range are found, each once, and in order. */
static void check_range(struct tree *t, unsigned int start, unsigned int end)
{
	struct vm_area_struct *vma;
	unsigned int i;
	int last = NOBODY;

	anon_space_lock_read(t->mm);
	vma = __anon_space_find_vma(t->mm, to_addr(start), to_addr(end));
	for (i = start; i < end; i++) {
		if (t->owner[i] == NOBODY || t->owner[i] == last)
			continue;
		last = t->owner[i];
		KUNIT_EXPECT_PTR_EQ(t->test, vma, t->vmas[last]);
		if (!vma)
			break;
		vma = __anon_space_next_vma(vma, to_addr(end));
	}
	KUNIT_EXPECT_NULL(t->test, vma);
	anon_space_unlock_read(t->mm);
}

static bool is_free(struct tree *t, unsigned int start, unsigned int end)
{
	for (; start < end; start++)
		if (t->owner[start] != NOBODY)
			return false;
	return true;
}

/*
 *	page	0    4    8    12   16
 *		     [ 0  )    [ 1 )
 */
struct range_case {
	const char *name;
	unsigned int start;
	unsigned int end;
};

static const struct range_case range_cases[] = {
	{ "before all", 0, 4 },
	{ "up to the first page", 0, 5 },
	{ "inside of one", 5, 7 },
	{ "exactly one", 4, 8 },
	{ "the gap", 8, 12 },
	{ "from one to the other", 7, 13 },
	{ "the last page of the last", 15, 16 },
	{ "behind all", 16, 20 },
	{ "everything", 0, NR_PAGES },
};

KUNIT_ARRAY_PARAM_DESC(range, range_cases, name);

static void find_in_range(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	struct tree *t = test->priv;

	attach(t, 1, 12, 16);
	attach(t, 0, 4, 8);
	check_range(t, c->start, c->end);
}

/* A second prepare of the same VMA changes nothing. */
static void attach_twice_is_once(struct kunit *test)
{
	struct tree *t = test->priv;

	attach(t, 0, 4, 8);
	mmap_write_lock(t->mm);
	KUNIT_EXPECT_EQ(test, 0, __anon_vma_prepare(t->vmas[0]));
	mmap_write_unlock(t->mm);
	check_range(t, 0, NR_PAGES);
	KUNIT_EXPECT_PTR_EQ(test, t->vmas[0]->anon_vma,
			    t->mm->anon_space.anon_vma);
}

static void random_step(struct tree *t, struct rnd_state *rnd)
{
	int nr = prandom_u32_state(rnd) % MAX_VMAS;
	unsigned int start = prandom_u32_state(rnd) % NR_PAGES;
	unsigned int end = start + 1 + prandom_u32_state(rnd) % 8;

	end = min(end, NR_PAGES);
	if (!t->vmas[nr]) {
		if (is_free(t, start, end))
			attach(t, nr, start, end);
	} else {
		detach(t, nr);
	}
	start = prandom_u32_state(rnd) % NR_PAGES;
	check_range(t, start, start + 1 +
		    prandom_u32_state(rnd) % (NR_PAGES - start));
}

/* Random VMAs come and go: the same as in the array is found. */
static void random_vmas_match_array(struct kunit *test)
{
	u64 seed = get_random_u64();
	struct tree *t = test->priv;
	struct rnd_state rnd;
	unsigned int i;

	kunit_info(test, "seed %llx\n", seed);
	prandom_seed_state(&rnd, seed);
	for (i = 0; i < NR_RANDOM; i++)
		random_step(t, &rnd);
	check_range(t, 0, NR_PAGES);
}

static int vmas_init(struct kunit *test)
{
	struct tree *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned int i;

	if (!t)
		return -ENOMEM;
	t->mm = mm_alloc();
	if (!t->mm)
		return -ENOMEM;
	t->test = test;
	for (i = 0; i < NR_PAGES; i++)
		t->owner[i] = NOBODY;
	test->priv = t;
	return 0;
}

static void vmas_exit(struct kunit *test)
{
	struct tree *t = test->priv;
	unsigned int i;

	if (!t)
		return;
	for (i = 0; i < MAX_VMAS; i++)
		if (t->vmas[i])
			detach(t, i);
	mmput(t->mm);
}

static struct kunit_case vmas_cases[] = {
	KUNIT_CASE_PARAM(find_in_range, range_gen_params),
	KUNIT_CASE(attach_twice_is_once),
	KUNIT_CASE(random_vmas_match_array),
	{}
};

static struct kunit_suite vmas_suite = {
	.name = "anon_space_vmas",
	.init = vmas_init,
	.exit = vmas_exit,
	.test_cases = vmas_cases,
};

kunit_test_suite(vmas_suite);
