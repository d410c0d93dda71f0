// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the map from address to offset: random operations, and readers without
 * a lock.
 */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/random.h>

#include "anon_space_model.h"

#define NR_RANDOM	4000	/* random operations */
#define NR_ROUNDS	2000	/* of the writer, with a reader beside */

/* Reads all the time what must not change. */
struct reader {
	struct task_struct *task;
	struct completion started;
	const char *constant;	/* letters, and '.' for pages that change */
	unsigned long reads;
	unsigned long wrong;
};

/* What a test works on. @m is first, as the functions of the model find it there. */
struct stress {
	struct map_test m;
	struct rnd_state rnd;
	struct model model;
	bool mapped[NR_PAGES];	/* then @model holds */
	struct reader reader;
};

/* ---- random operations ---- */

/*
 * Each page of the model is mapped or not. What is not mapped may have any offset: after
 * each operation the model learns it from the map, for the invariants.
 */
static void learn(const struct anon_map *map, struct model *model,
		  const bool *known)
{
	unsigned long end;
	unsigned int page;

	for (page = 0; page < model->len; page++)
		if (!known[page])
			model->offset[page] = anon_map_offset(map, model_addr(page),
							      &end);
}

static unsigned int pick(struct stress *s, unsigned int below)
{
	return prandom_u32_state(&s->rnd) % below;
}

static void random_copy(struct kunit *test, unsigned int old, unsigned int nr)
{
	struct stress *s = test->priv;
	pgoff_t own = s->model.offset[old] - BASE;
	unsigned int new = pick(s, NR_PAGES - nr + 1);

	if (!pick(s, 4) && own <= NR_PAGES - nr)
		new = own;
	if (old < new + nr && new < old + nr)
		return;
	model_copy(test, &s->m.map, old, new, nr);
	memcpy(s->model.offset + new, s->model.offset + old,
	       nr * sizeof(*s->model.offset));
	memset(s->mapped + new, true, nr);
	memset(s->mapped + old, pick(s, 2), nr);
}

/* Only an extent that goes beyond both ends may be left in the range. */
static void random_trim(struct kunit *test, unsigned int from, unsigned int to)
{
	unsigned long start = model_addr(from), end = model_addr(to);
	struct stress *s = test->priv;
	struct anon_extent *extent;

	memset(s->mapped + from, false, to - from);
	anon_map_trim(&s->m.map, start, end);
	extent = anon_map_find(&s->m.map, start, end);
	if (extent)
		KUNIT_EXPECT_TRUE(test, extent->start < start && extent->end > end);
}

/* The offset goes on from the page before, if an extent ends there. */
static void random_grow(struct stress *s, unsigned int from, unsigned int to)
{
	pgoff_t last = from ? model_delta(&s->model, from - 1) : 0;
	bool grows = last && last != model_delta(&s->model, from);

	memset(s->mapped + from, grows, to - from);
	anon_map_grow(&s->m.map, model_addr(from), model_addr(to));
	for (; grows && from < to; from++)
		s->model.offset[from] = BASE + from + last;
}

/* The offset goes on from the page behind, if an extent begins there. */
static void random_grow_down(struct stress *s, unsigned int from,
			     unsigned int to)
{
	pgoff_t first = model_delta(&s->model, to);
	bool grows = first && first != model_delta(&s->model, to - 1) &&
		     s->model.offset[to] >= to - from;

	memset(s->mapped + from, grows, to - from);
	anon_map_grow_down(&s->m.map, model_addr(to), model_addr(from));
	for (; grows && from < to; from++)
		s->model.offset[from] = BASE + from + first;
}

/* The offset goes on from the first page. */
static void random_level(struct stress *s, unsigned int from, unsigned int to)
{
	unsigned int page;

	memset(s->mapped + from, true, to - from);
	anon_map_level(&s->m.map, model_addr(from), model_addr(to));
	for (page = from + 1; page < to; page++)
		s->model.offset[page] = s->model.offset[page - 1] + 1;
}

/* Some ranges, one after the other, have in the child what they have in the parent. */
static void random_inherit(struct kunit *test)
{
	struct stress *s = test->priv;
	unsigned int from, to;
	bool known[NR_PAGES] = {};

	s->m.scratch = s->model;
	for (from = pick(s, 8); from < NR_PAGES; from = to + pick(s, 4)) {
		to = min(from + 1 + pick(s, 12), NR_PAGES);
		model_inherit(test, from, to);
		memset(known + from, true, to - from);
	}
	learn(&s->m.child, &s->m.scratch, known);
	model_expect(test, &s->m.child, &s->m.scratch);
	KUNIT_EXPECT_LE(test, s->m.child.nr, s->m.map.nr);
	anon_map_destroy(&s->m.child);
}

static void random_operation(struct kunit *test)
{
	struct stress *s = test->priv;
	unsigned int nr = 1 + pick(s, 10), before = s->m.map.nr;
	unsigned int from = pick(s, NR_PAGES - nr + 1);
	unsigned int what = pick(s, 9);

	if (what < 3)
		random_copy(test, from, nr);
	else if (what == 3)
		random_trim(test, from, from + nr);
	else if (what == 4)
		random_grow(s, from, from + nr);
	else if (what == 5)
		random_level(s, from, from + nr);
	else if (what == 6)
		random_inherit(test);
	else if (what == 7)
		random_grow_down(s, from, from + nr);
	else
		memset(s->mapped + from, true, nr);
	if (what >= 3)
		KUNIT_EXPECT_LE(test, s->m.map.nr, before);
}

/* Any sequence of operations does what it would do to an array of pages. */
static void random_operations_match_array(struct kunit *test)
{
	struct stress *s = test->priv;
	unsigned int i, page, a, b;
	u32 seed = get_random_u32();
	pgoff_t first;

	kunit_info(test, "seed %u\n", seed);
	prandom_seed_state(&s->rnd, seed);
	s->model.len = NR_PAGES;
	for (page = 0; page < NR_PAGES; page++)
		s->model.offset[page] = BASE + page;
	for (i = 0; i < NR_RANDOM; i++) {
		random_operation(test);
		learn(&s->m.map, &s->model, s->mapped);
		model_expect(test, &s->m.map, &s->model);
		first = BASE + pick(s, NR_PAGES);
		model_expect_found(test, &s->m.map, &s->model, first, first + pick(s, 16));
		a = pick(s, NR_PAGES - 1);
		b = pick(s, NR_PAGES - 1);
		KUNIT_EXPECT_EQ(test, anon_map_equal(&s->m.map, model_addr(a), model_addr(b),
						     2 * PAGE_SIZE),
				!memcmp(s->model.offset + a, s->model.offset + b,
					2 * sizeof(first)));
		if (READ_ONCE(test->status) == KUNIT_FAILURE)
			break;
		cond_resched();
	}
	kunit_info(test, "%u operations, %u extents at the end\n", i, s->m.map.nr);
}

/* ---- readers without a lock ---- */

static int read_constants(void *data)
{
	struct stress *s = data;
	const char *constant = s->reader.constant;
	bool started = false;
	unsigned long end;
	unsigned int i;
	pgoff_t offset;

	while (!kthread_should_stop()) {
		for (i = 0; constant[i]; i++) {
			if (constant[i] == '.')
				continue;
			offset = anon_map_offset(&s->m.map, model_addr(i), &end);
			if (offset != BASE + constant[i] - 'a' ||
			    end < model_addr(i + 1) ||
			    (constant[i + 1] == constant[i] + 1 &&
			     end < model_addr(i + 2)))
				s->reader.wrong++;
			s->reader.reads++;
		}
		if (!started)
			complete(&s->reader.started);
		started = true;
		cond_resched();
	}
	return 0;
}

static void write_copy(struct stress *s, int old, int new, unsigned int nr)
{
	anon_map_copy(&s->m.map, model_addr(old), model_addr(new), nr << PAGE_SHIFT,
		      &s->m.spares);
}

static void write_trim(struct stress *s, int from, int to)
{
	anon_map_trim(&s->m.map, model_addr(from), model_addr(to));
}

/*
 * Extents that come and go at both sides rotate the trees. The nearest goes first: if
 * it has two children in the tree, what the reader looks for takes its place.
 */
static void churn(struct stress *s)
{
	int i, nr = 1 + pick(s, 6);

	for (i = 1; i <= nr; i++) {
		write_copy(s, 0, -2 * i, 1);
		write_copy(s, 0, 20 + 2 * i, 1);
	}
	for (i = 1; i <= nr; i++) {
		write_trim(s, -2 * i, 1 - 2 * i);
		write_trim(s, 20 + 2 * i, 21 + 2 * i);
	}
}

/*
 * Pages whose offset is constant, and the extent that the writer trims and grows, cuts
 * and joins:
 *
 *	page	  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20
 *	constant  a	                       c  d        g                 u
 *	extent				 |-----------------------------|
 */
static void write_round(struct stress *s)
{
	int i;

	write_trim(s, 8, 10);				/* low end */
	churn(s);
	for (i = 0; i < 4; i++) {
		write_copy(s, i, 12, 2);		/* cut */
		write_copy(s, 4, 12, 2);		/* join both */
	}
	write_copy(s, 0, 8, 2);				/* join high */
	write_copy(s, 1, 12, 1);			/* cut */
	anon_map_level(&s->m.map, model_addr(11), model_addr(14)); /* join both */
	churn(s);
	write_trim(s, 15, 20);				/* high end */
	write_copy(s, 2, 16, 1);
	anon_map_grow(&s->m.map, model_addr(15), model_addr(18)); /* over that */
}

/* A reader beside a writer never sees a wrong offset of a page that keeps its own. */
static void readers_see_constants(struct kunit *test)
{
	struct stress *s = test->priv;
	struct reader *reader = &s->reader;
	int i;

	model_build(test, &s->m.map, "abcdefghabcdefgh");
	/* More extents, so that a look-up takes long. */
	for (i = 20; i < 200; i++)
		model_copy(test, &s->m.map, 0, i % 2 ? 2 * i : -2 * i, 1);
	prandom_seed_state(&s->rnd, 1);
	reader->constant = "a.........cd..g.....u";
	init_completion(&reader->started);
	reader->task = kthread_run(read_constants, s, "anon_map_reader");
	if (IS_ERR(reader->task)) {
		reader->task = NULL;
		KUNIT_FAIL_AND_ABORT(test, "no thread");
	}
	wait_for_completion(&reader->started);
	for (i = 0; i < NR_ROUNDS; i++) {
		KUNIT_ASSERT_EQ(test, 0, anon_spares_fill(&s->m.spares, NR_PAGES,
							  GFP_KERNEL));
		write_round(s);
		cond_resched();
	}
	kthread_stop(reader->task);
	reader->task = NULL;
	kunit_info(test, "%lu reads, %u online CPUs\n", reader->reads,
		   num_online_cpus());
	KUNIT_EXPECT_EQ(test, reader->wrong, 0);
	KUNIT_EXPECT_GT(test, reader->reads, 0);
	write_trim(s, -400, 0);
	write_trim(s, 20, 400);
	model_expect_map(test, &s->m.map, "abcdefghabcdefghijst");
}

static int stress_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct stress), GFP_KERNEL);
	if (!test->priv)
		return -ENOMEM;
	model_init_test(test);
	return 0;
}

static void stress_exit(struct kunit *test)
{
	struct stress *s = test->priv;

	if (!s)
		return;
	if (s->reader.task)
		kthread_stop(s->reader.task);
	model_exit_test(test);
}

static struct kunit_case stress_cases[] = {
	KUNIT_CASE_SLOW(random_operations_match_array),
	KUNIT_CASE_SLOW(readers_see_constants),
	{}
};

static struct kunit_suite stress_suite = {
	.name = "anon_space_mapstress",
	.init = stress_init,
	.exit = stress_exit,
	.test_cases = stress_cases,
};

kunit_test_suite(stress_suite);

MODULE_DESCRIPTION("KUnit tests of the offset map of anonymous memory, at random");
MODULE_LICENSE("GPL");
