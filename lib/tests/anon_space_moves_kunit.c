// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of move records: the data structure alone.
 *
 * Maps are written as strings with a character for each page: '.' if nothing is
 * recorded of it, else a letter that names the run, which gives the index:
 *
 *	page	  0   1   2   3   4   5   6   7
 *	map	  .   b   b   .   a   a   .   .
 *	index		105 106     104 105
 *
 * So page 1 as 'b' and page 5 as 'a' have the same index, as two pages of one
 * mm may have that were moved one after the other.
 */

#include <kunit/test.h>
#include <linux/anon_moves.h>
#include <linux/prandom.h>
#include <linux/random.h>

#define NR_PAGES	64	/* longest map */
#define NR_RUNS		4	/* letters in random maps */
#define NR_RANDOM	20000	/* random operations */

#define NONE		'.'
#define BASE		16UL	/* page number of page 0 */
#define NO_BRIDGE	ULONG_MAX

/* What every test works on, freed even if it fails. */
struct moves_test {
	struct anon_moves moves;
	struct anon_moves copy;
	struct anon_move *spare;
};

static unsigned long to_addr(unsigned int page)
{
	return (BASE + page) << PAGE_SHIFT;
}

static unsigned int to_page(unsigned long addr)
{
	return (addr >> PAGE_SHIFT) - BASE;
}

static pgoff_t to_index(unsigned int page, char run)
{
	return page + 100 + 4 * (run - 'a');
}

static char to_run(unsigned int page, pgoff_t index)
{
	return 'a' + (index - page - 100) / 4;
}

/* The map as @moves has it. */
static void show(const struct anon_moves *moves, unsigned int len, char *map)
{
	struct anon_move *move;
	unsigned int i;

	for (i = 0; i < len; i++) {
		move = anon_moves_find(moves, to_addr(i), to_addr(i + 1));
		map[i] = move ? to_run(i, anon_move_index(move, to_addr(i))) :
				NONE;
	}
	map[len] = '\0';
}

/* As many records as there are runs without a gap. */
static unsigned int count_runs(const char *map)
{
	unsigned int i, nr = 0;

	for (i = 0; map[i]; i++)
		if (map[i] != NONE && (!i || map[i] != map[i - 1]))
			nr++;
	return nr;
}

static void expect_map(struct kunit *test, const struct anon_moves *moves,
		       const char *map)
{
	char shown[NR_PAGES + 1];

	show(moves, strlen(map), shown);
	KUNIT_EXPECT_STREQ(test, shown, map);
	KUNIT_EXPECT_EQ(test, moves->nr, count_runs(map));
}

/* Whichever page has one of the indices is found by it, and no other one. */
static void expect_index(struct kunit *test, struct anon_moves *moves,
			 const char *map, pgoff_t first, pgoff_t last)
{
	char shown[NR_PAGES + 1], wanted[NR_PAGES + 1];
	unsigned int i, len = strlen(map);
	struct anon_move *move;
	pgoff_t index;

	memset(shown, NONE, len);
	for (move = anon_moves_find_index(moves, first, last); move;
	     move = anon_moves_next_index(move, first, last)) {
		KUNIT_ASSERT_LE(test, move->index, last);
		KUNIT_ASSERT_GE(test, move->index + move->nr - 1, first);
		for (index = max(first, move->index);
		     index <= min(last, move->index + move->nr - 1); index++) {
			i = to_page(anon_move_addr(move, index));
			KUNIT_ASSERT_LT(test, i, len);
			shown[i] = to_run(i, index);
		}
	}
	for (i = 0; i < len; i++) {
		index = to_index(i, map[i]);
		wanted[i] = map[i] != NONE && index >= first && index <= last ?
			    map[i] : NONE;
	}
	shown[len] = '\0';
	wanted[len] = '\0';
	KUNIT_EXPECT_STREQ(test, shown, wanted);
}

static void need_spare(struct kunit *test, struct moves_test *t)
{
	if (!t->spare)
		t->spare = anon_move_alloc(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->spare);
}

static void build(struct kunit *test, const char *map)
{
	struct moves_test *t = test->priv;
	unsigned int i, nr;

	for (i = 0; map[i]; i += nr) {
		for (nr = 1; map[i + nr] == map[i]; nr++)
			;
		if (map[i] == NONE)
			continue;
		need_spare(test, t);
		anon_moves_add(&t->moves, to_addr(i), to_index(i, map[i]), nr,
			       NO_BRIDGE, &t->spare);
	}
	expect_map(test, &t->moves, map);
}

/* ---- find ---- */

struct find_case {
	const char *name;
	const char *map;
	unsigned int from;
	unsigned int to;
	int found;		/* page at which the record begins, or -1 */
};

static const struct find_case find_cases[] = {
	{ "in an empty map",		"........", 0, 8, -1 },
	{ "in a gap",			"aa....aa", 2, 6, -1 },
	{ "below all",			"...aa...", 0, 3, -1 },
	{ "above all",			"...aa...", 5, 8, -1 },
	{ "ending in a record",		"...aa...", 0, 4, 3 },
	{ "beginning in a record",	"...aa...", 4, 8, 3 },
	{ "inside of a record",		"..aaaa..", 3, 4, 2 },
	{ "the lower one of two",	".aa.bb..", 0, 8, 1 },
	{ "the upper one of two",	".aa.bb..", 3, 8, 4 },
	{ "the upper one of two that touch", ".aabb...", 3, 4, 3 },
};

KUNIT_ARRAY_PARAM_DESC(find, find_cases, name);

/* anon_moves_find() returns the lowest record that overlaps. */
static void find_returns_lowest(struct kunit *test)
{
	const struct find_case *c = test->param_value;
	struct moves_test *t = test->priv;
	struct anon_move *move;

	build(test, c->map);
	move = anon_moves_find(&t->moves, to_addr(c->from), to_addr(c->to));
	KUNIT_EXPECT_EQ(test, move ? (int)to_page(move->addr) : -1, c->found);
}

/* anon_moves_next() visits all of them in order and stops at the end. */
static void next_visits_in_order(struct kunit *test)
{
	struct moves_test *t = test->priv;
	struct anon_move *move;

	build(test, "a.bbc..a");
	move = anon_moves_find(&t->moves, 0, ULONG_MAX);
	KUNIT_ASSERT_NOT_NULL(test, move);
	KUNIT_EXPECT_EQ(test, to_page(move->addr), 0);
	move = anon_moves_next(move, ULONG_MAX);
	KUNIT_ASSERT_NOT_NULL(test, move);
	KUNIT_EXPECT_EQ(test, to_page(move->addr), 2);
	KUNIT_EXPECT_PTR_EQ(test, anon_moves_next(move, to_addr(4)), NULL);
	move = anon_moves_next(move, to_addr(5));
	KUNIT_ASSERT_NOT_NULL(test, move);
	KUNIT_EXPECT_EQ(test, to_page(move->addr), 4);
	move = anon_moves_next(move, ULONG_MAX);
	KUNIT_ASSERT_NOT_NULL(test, move);
	KUNIT_EXPECT_PTR_EQ(test, anon_moves_next(move, ULONG_MAX), NULL);
}

struct index_case {
	const char *name;
	const char *map;
	pgoff_t first;
	pgoff_t last;
};

static const struct index_case index_cases[] = {
	{ "of an empty map",		"........", 0, 1000 },
	{ "below all",			".aaa....", 90, 100 },
	{ "above all",			".aaa....", 104, 110 },
	{ "one of one record",		".aaa....", 102, 102 },
	{ "one of two records",		".bb.aa..", 105, 105 },
	{ "several of several records",	"cbbaaabb", 103, 108 },
	{ "of two pieces of one run",	"aaa..aaa", 102, 105 },
	{ "all",			"a.b.c.d.", 0, 1000 },
};

KUNIT_ARRAY_PARAM_DESC(index, index_cases, name);

/* Walks find all records with the index, which may overlap in this order. */
static void find_index_returns_all(struct kunit *test)
{
	const struct index_case *c = test->param_value;
	struct moves_test *t = test->priv;

	build(test, c->map);
	expect_index(test, &t->moves, c->map, c->first, c->last);
}

/* ---- add ---- */

struct add_case {
	const char *name;
	const char *before;
	unsigned int page;
	unsigned int nr;
	char run;
	int bridge;		/* page, or -1 */
	const char *after;
	bool spare_used;
};

static const struct add_case add_cases[] = {
	{ "to an empty map",	"........", 2, 3, 'a', -1, "..aaa...", true },
	{ "apart from both",	"a......b", 3, 2, 'a', -1, "a..aa..b", true },
	{ "joins left",		"aa......", 2, 3, 'a', -1, "aaaaa...", false },
	{ "joins right",	".....aa.", 2, 3, 'a', -1, "..aaaaa.", false },
	{ "joins both",		"aa...aa.", 2, 3, 'a', -1, "aaaaaaa.", false },
	{ "touches other runs",	"bb...cc.", 2, 3, 'a', -1, "bbaaacc.", true },
	{ "joins left, touches right",
				"aa...bb.", 2, 3, 'a', -1, "aaaaabb.", false },
	{ "joins right, touches left",
				"bb...aa.", 2, 3, 'a', -1, "bbaaaaa.", false },
	{ "bridges a gap",	"aa...aa.", 4, 1, 'a', 2, "aaaaaaa.", false },
	{ "bridges a gap, nothing right",
				"aa......", 4, 2, 'a', 0, "aaaaaa..", false },
	{ "bridges no gap before the move",
				"aa......", 4, 2, 'a', 3, "aa..aa..", true },
	{ "bridges no gap to the right",
				"a....aa.", 2, 2, 'a', 3, "a.aa.aa.", true },
	{ "bridges no gap to another run",
				"bb......", 4, 2, 'a', 0, "bb..aa..", true },
	{ "bridges no other run",
				"ab......", 4, 2, 'a', 0, "ab..aa..", true },
};

KUNIT_ARRAY_PARAM_DESC(add, add_cases, name);

/* anon_moves_add() joins what belongs together, and nothing else. */
static void add_joins_runs(struct kunit *test)
{
	const struct add_case *c = test->param_value;
	struct moves_test *t = test->priv;

	build(test, c->before);
	need_spare(test, t);
	anon_moves_add(&t->moves, to_addr(c->page), to_index(c->page, c->run),
		       c->nr, c->bridge < 0 ? NO_BRIDGE : to_addr(c->bridge),
		       &t->spare);
	expect_map(test, &t->moves, c->after);
	expect_index(test, &t->moves, c->after, 0, 1000);
	KUNIT_EXPECT_EQ(test, !t->spare, c->spare_used);
}

/* ---- clip ---- */

struct clip_case {
	const char *name;
	const char *before;
	unsigned int from;
	unsigned int to;
	bool spare;
	const char *after;
	bool clipped;
	bool spare_used;
};

static const struct clip_case clip_cases[] = {
	{ "nothing there",	"aa....bb", 2, 6, true,
				"aa....bb", true, false },
	{ "exactly one",	"..aaaa..", 2, 6, true,
				"........", true, false },
	{ "more than one",	".aaabb..", 0, 8, true,
				"........", true, false },
	{ "the left part",	"..aaaa..", 0, 4, true,
				"....aa..", true, false },
	{ "the right part",	"..aaaa..", 4, 8, true,
				"..aa....", true, false },
	{ "the middle",		"aaaaaaaa", 3, 5, true,
				"aaa..aaa", true, true },
	{ "the middle without a spare record",
				"aaaaaaaa", 3, 5, false,
				"aaaaaaaa", false, false },
	{ "between two parts without a spare record",
				"aaaa.bbb", 2, 6, false,
				"aa....bb", true, false },
	{ "two parts and all between",
				"aabbccaa", 1, 7, true,
				"a......a", true, false },
};

KUNIT_ARRAY_PARAM_DESC(clip, clip_cases, name);

/* anon_moves_clip() forgets the range and nothing else. */
static void clip_forgets_range(struct kunit *test)
{
	const struct clip_case *c = test->param_value;
	struct moves_test *t = test->priv;

	build(test, c->before);
	need_spare(test, t);
	if (!c->spare) {
		anon_move_free(t->spare);
		t->spare = NULL;
	}
	KUNIT_EXPECT_EQ(test, c->clipped,
			anon_moves_clip(&t->moves, to_addr(c->from),
					to_addr(c->to), &t->spare));
	expect_map(test, &t->moves, c->after);
	expect_index(test, &t->moves, c->after, 0, 1000);
	KUNIT_EXPECT_EQ(test, c->spare && !t->spare, c->spare_used);
}

/* ---- copy and destroy ---- */

/* A copy is equal, and stays so when the original changes. */
static void copy_is_independent(struct kunit *test)
{
	struct moves_test *t = test->priv;

	build(test, "aa.bbbca");
	KUNIT_ASSERT_EQ(test, anon_moves_copy(&t->copy, &t->moves), 0);
	need_spare(test, t);
	anon_moves_clip(&t->moves, to_addr(1), to_addr(5), &t->spare);
	expect_map(test, &t->moves, "a....bca");
	expect_map(test, &t->copy, "aa.bbbca");
	expect_index(test, &t->copy, "aa.bbbca", 0, 1000);
}

/* A map is empty and usable after anon_moves_destroy(). */
static void destroy_leaves_empty_map(struct kunit *test)
{
	struct moves_test *t = test->priv;

	build(test, "aa.bbbca");
	anon_moves_destroy(&t->moves);
	expect_map(test, &t->moves, "........");
	expect_index(test, &t->moves, "........", 0, 1000);
	build(test, "...dd...");
}

/* ---- random operations ---- */

static void model_add(char *map, unsigned int page, unsigned int nr, char run,
		      unsigned int bridge)
{
	int low = page - 1;

	memset(map + page, run, nr);
	while (low >= 0 && map[low] == NONE)
		low--;
	if (low >= 0 && map[low] == run && low + 1 >= bridge)
		memset(map + low, run, page - low);
}

static void random_add(struct kunit *test, char *map, struct rnd_state *rnd)
{
	struct moves_test *t = test->priv;
	unsigned int page = prandom_u32_state(rnd) % NR_PAGES;
	unsigned int want = 1 + prandom_u32_state(rnd) % 8;
	unsigned int bridge = prandom_u32_state(rnd) % (NR_PAGES + 1);
	char run = 'a' + prandom_u32_state(rnd) % NR_RUNS;
	unsigned int nr = 0;

	while (nr < want && map[page + nr] == NONE)
		nr++;
	if (!nr)
		return;
	need_spare(test, t);
	anon_moves_add(&t->moves, to_addr(page), to_index(page, run), nr,
		       to_addr(bridge), &t->spare);
	model_add(map, page, nr, run, bridge);
}

static void random_clip(struct kunit *test, char *map, struct rnd_state *rnd)
{
	struct moves_test *t = test->priv;
	unsigned int from = prandom_u32_state(rnd) % NR_PAGES;
	unsigned int nr = 1 + prandom_u32_state(rnd) % 8;
	unsigned int to = min(from + nr, NR_PAGES);

	need_spare(test, t);
	KUNIT_EXPECT_TRUE(test, anon_moves_clip(&t->moves, to_addr(from),
						to_addr(to), &t->spare));
	memset(map + from, NONE, to - from);
}

/* Any sequence of operations does what it would do to an array of pages. */
static void random_operations_match_array(struct kunit *test)
{
	struct moves_test *t = test->priv;
	char map[NR_PAGES + 1];
	u32 seed = get_random_u32();
	struct rnd_state rnd;
	unsigned int i;

	kunit_info(test, "seed %u\n", seed);
	prandom_seed_state(&rnd, seed);
	memset(map, NONE, NR_PAGES);
	map[NR_PAGES] = '\0';
	for (i = 0; i < NR_RANDOM; i++) {
		pgoff_t first = 90 + prandom_u32_state(&rnd) % 100;

		if (prandom_u32_state(&rnd) % 2)
			random_add(test, map, &rnd);
		else
			random_clip(test, map, &rnd);
		expect_map(test, &t->moves, map);
		expect_index(test, &t->moves, map, first,
			     first + prandom_u32_state(&rnd) % 16);
		if (READ_ONCE(test->status) == KUNIT_FAILURE)
			break;
		cond_resched();
	}
}

static int moves_init(struct kunit *test)
{
	struct moves_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	if (!t)
		return -ENOMEM;
	anon_moves_init(&t->moves);
	anon_moves_init(&t->copy);
	test->priv = t;
	return 0;
}

static void moves_exit(struct kunit *test)
{
	struct moves_test *t = test->priv;

	if (!t)
		return;
	anon_moves_destroy(&t->moves);
	anon_moves_destroy(&t->copy);
	anon_move_free(t->spare);
}

static struct kunit_case moves_cases[] = {
	KUNIT_CASE_PARAM(find_returns_lowest, find_gen_params),
	KUNIT_CASE(next_visits_in_order),
	KUNIT_CASE_PARAM(find_index_returns_all, index_gen_params),
	KUNIT_CASE_PARAM(add_joins_runs, add_gen_params),
	KUNIT_CASE_PARAM(clip_forgets_range, clip_gen_params),
	KUNIT_CASE(copy_is_independent),
	KUNIT_CASE(destroy_leaves_empty_map),
	KUNIT_CASE(random_operations_match_array),
	{}
};

static struct kunit_suite moves_suite = {
	.name = "anon_space_moves",
	.init = moves_init,
	.exit = moves_exit,
	.test_cases = moves_cases,
};

kunit_test_suite(moves_suite);

MODULE_DESCRIPTION("KUnit tests of the records of moved anonymous pages");
MODULE_LICENSE("GPL");
