// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the map from address to offset: each operation by tables of cases.
 */

#include <kunit/test.h>

#include "anon_space_model.h"

/* ---- find and next ---- */

struct find_case {
	const char *name;
	const char *map;
	unsigned int from;
	unsigned int to;
	int found;		/* page at which the extent begins, or -1 */
};

static const struct find_case find_cases[] = {
	{ "in an empty map",		"abcdefgh", 0, 8, -1 },
	{ "in a gap",			"ghcdefab", 2, 6, -1 },
	{ "below all",			"abcabfgh", 0, 3, -1 },
	{ "above all",			"abcabfgh", 5, 8, -1 },
	{ "ending in an extent",	"abcabfgh", 0, 4, 3 },
	{ "beginning in an extent",	"abcabfgh", 4, 8, 3 },
	{ "inside of an extent",	"abuvwxgh", 3, 4, 2 },
	{ "the lower one of two",	"auvdabgh", 0, 8, 1 },
	{ "the upper one of two",	"auvdabgh", 3, 8, 4 },
	{ "the upper one of two that touch", "auvabfgh", 3, 4, 3 },
};

KUNIT_ARRAY_PARAM_DESC(find, find_cases, name);

/* anon_map_find() returns the lowest extent that overlaps. */
static void find_returns_lowest(struct kunit *test)
{
	const struct find_case *c = test->param_value;
	struct map_test *t = test->priv;
	struct anon_extent *extent;

	model_build(test, &t->map, c->map);
	extent = anon_map_find(&t->map, model_addr(c->from), model_addr(c->to));
	KUNIT_EXPECT_EQ(test, c->found, extent ? (int)model_page(extent->start) : -1);
}

/* anon_map_next() stops at the end; that it leaves none out expect_extents() shows. */
static void next_stops_at_end(struct kunit *test)
{
	struct map_test *t = test->priv;
	struct anon_extent *extent;

	model_build(test, &t->map, "xbuvefgh");
	extent = anon_map_find(&t->map, 0, ULONG_MAX);
	KUNIT_ASSERT_NOT_NULL(test, extent);
	KUNIT_EXPECT_NULL(test, anon_map_next(extent, model_addr(2)));
	extent = anon_map_next(extent, model_addr(3));
	KUNIT_ASSERT_NOT_NULL(test, extent);
	KUNIT_EXPECT_EQ(test, model_page(extent->start), 2);
	KUNIT_EXPECT_NULL(test, anon_map_next(extent, ULONG_MAX));
}

/* ---- equal ---- */

struct equal_case {
	const char *name;
	const char *map;
	unsigned int a;
	unsigned int b;
	unsigned int nr;
	bool equal;
};

static const struct equal_case equal_cases[] = {
	{ "a range and itself",		"abcdabgh", 3, 3, 5, true },
	{ "two in no extent",		"abcdefgh", 0, 4, 1, false },
	{ "an extent and none",		"abcdabgh", 0, 4, 2, true },
	{ "an extent that is too short", "abcdabgh", 0, 4, 3, false },
	{ "the first page differs",	"abcdxbcd", 0, 4, 4, false },
	{ "the last page differs",	"abcdabcx", 0, 4, 4, false },
	{ "two extents",		"xycdxyxy", 4, 6, 2, true },
	{ "one extent, shifted",	"uvwxyfgh", 0, 1, 2, false },
	{ "of several pieces",		"abijefabijef", 0, 6, 6, true },
	{ "of several pieces, one differs", "abijefabixef", 0, 6, 6, false },
};

KUNIT_ARRAY_PARAM_DESC(equal, equal_cases, name);

/* anon_map_equal() compares each page. */
static void equal_compares_offsets(struct kunit *test)
{
	const struct equal_case *c = test->param_value;
	unsigned long len = c->nr << PAGE_SHIFT;
	struct map_test *t = test->priv;

	model_build(test, &t->map, c->map);
	KUNIT_EXPECT_EQ(test, c->equal, anon_map_equal(&t->map, model_addr(c->a),
						       model_addr(c->b), len));
	KUNIT_EXPECT_EQ(test, c->equal, anon_map_equal(&t->map, model_addr(c->b),
						       model_addr(c->a), len));
}

/* ---- copy ---- */

struct copy_case {
	const char *name;
	const char *before;
	unsigned int old;
	unsigned int new;
	unsigned int nr;
	const char *after;
	unsigned int needs;
	unsigned int takes;
};

/*
 * A piece whose offsets are those of the new addresses needs no extent. Each other one
 * needs one, and one more is needed to cut an extent in two.
 */
static const struct copy_case copy_cases[] = {
	{ "from no extent",	"abcdefghijkl", 1, 8, 3, "abcdefghbcdl", 1, 1 },
	{ "an extent",		"abcdefghabcl", 8, 4, 3, "abcdabchabcl", 1, 1 },
	{ "a part of an extent", "abcdefghabcd", 9, 5, 2, "abcdebchabcd", 1, 1 },
	{ "several extents",	"mncdijghijkl", 0, 6, 6, "mncdijmncdij", 3, 3 },
	{ "a part back",	"abijefghijkl", 0, 6, 6, "abijefabijef", 2, 2 },
	{ "back",		"abcdijklabcd", 4, 8, 4, "abcdijklijkl", 0, 0 },
	{ "back, a low end",	"abcdijklabcd", 4, 8, 3, "abcdijklijkd", 0, 0 },
	{ "back, a high end",	"abcdlfgabcde", 4, 11, 1, "abcdlfgabcdl", 0, 0 },
	{ "back, where none is", "abcdijklijkl", 4, 8, 4, "abcdijklijkl", 0, 0 },
	{ "back, into an extent", "aijdefabcdef", 1, 8, 2, "aijdefabijef", 1, 1 },
	{ "into an extent",	"abcdefabcdef", 0, 8, 2, "abcdefababef", 2, 2 },
	{ "over ends and a whole", "abcdababdabc", 0, 5, 4, "abcdaabcdabc", 1, 1 },
	{ "joins low",		"abcdefgabjkl", 2, 9, 2, "abcdefgabcdl", 1, 0 },
	{ "joins high",		"abcdefghicdl", 0, 7, 2, "abcdefgabcdl", 1, 0 },
	{ "joins both",		"abcdefgabjde", 2, 9, 1, "abcdefgabcde", 1, 0 },
	{ "joins low only",	"abcdefgabjab", 2, 9, 1, "abcdefgabcab", 1, 0 },
	{ "joins high only",	"abcdefgabjbc", 0, 9, 1, "abcdefgababc", 1, 0 },
	{ "touches both",	"abcdefgabcxy", 0, 9, 1, "abcdefgabaxy", 1, 1 },
	{ "what is there",	"abcdefgabcde", 2, 9, 1, "abcdefgabcde", 2, 1 },
	{ "inside of an extent", "abmnopqrstuv", 3, 8, 2, "abmnopqrnouv", 2, 2 },
	{ "to the next pages",	"abmnopqrstuv", 3, 5, 2, "abmnonorstuv", 2, 2 },
	{ "to the pages before", "abmnopqrstuv", 7, 5, 2, "abmnorsrstuv", 2, 2 },
};

KUNIT_ARRAY_PARAM_DESC(copy, copy_cases, name);

/* The destination gets the offsets of the source, all others keep their own. */
static void copy_gives_offsets(struct kunit *test)
{
	const struct copy_case *c = test->param_value;
	struct map_test *t = test->priv;

	model_build(test, &t->map, c->before);
	KUNIT_EXPECT_EQ(test, c->needs,
			anon_map_copy_needs(&t->map, model_addr(c->old),
					    model_addr(c->new),
					    c->nr << PAGE_SHIFT));
	KUNIT_EXPECT_EQ(test, c->takes,
			model_copy(test, &t->map, c->old, c->new, c->nr));
	model_expect_map(test, &t->map, c->after);
}

/* ---- trim, grow, level ---- */

struct range_case {
	const char *name;
	const char *before;
	unsigned int from;
	unsigned int to;
	const char *after;
};

/* None of these takes memory, and the number of extents does not increase. */
static void expect_change(struct kunit *test,
			  void (*change)(struct anon_map *map,
					 unsigned long start, unsigned long end))
{
	const struct range_case *c = test->param_value;
	struct map_test *t = test->priv;
	unsigned int nr;

	model_build(test, &t->map, c->before);
	nr = t->map.nr;
	model_begin(test, 0);
	change(&t->map, model_addr(c->from), model_addr(c->to));
	model_finish(test, 0);
	model_expect_map(test, &t->map, c->after);
	KUNIT_EXPECT_LE(test, t->map.nr, nr);
}

static const struct range_case trim_cases[] = {
	{ "nothing there",	"abcdabgh", 0, 4, "abcdabgh" },
	{ "exactly one",	"abcdabgh", 4, 6, "abcdefgh" },
	{ "more than one",	"abcdabca", 3, 8, "abcdefgh" },
	{ "the low end",	"abcdabcd", 2, 6, "abcdefcd" },
	{ "the high end",	"abcdabch", 6, 8, "abcdabgh" },
	{ "the first page",	"abcdabcd", 4, 5, "abcdebcd" },
	{ "the last page",	"abcdabcd", 7, 8, "abcdabch" },
	{ "one that goes beyond", "abcdabcd", 5, 7, "abcdabcd" },
	{ "two ends and all between", "aabhabab", 2, 7, "aacdefgb" },
	{ "between two that touch", "ababxyzh", 3, 5, "abadeyzh" },
};

KUNIT_ARRAY_PARAM_DESC(trim, trim_cases, name);

/* anon_map_trim() drops the ends of extents that are in the range. */
static void trim_drops_ends(struct kunit *test)
{
	expect_change(test, anon_map_trim);
}

static const struct range_case grow_cases[] = {
	{ "nothing there",		"abcdefgh", 4, 6, "abcdefgh" },
	{ "an extent ends there",	"abcdabgh", 6, 8, "abcdabcd" },
	{ "an extent ends below",	"abcdafgh", 6, 8, "abcdafgh" },
	{ "an extent ends above",	"abcdabch", 6, 8, "abcdabch" },
	{ "an extent begins there",	"abcdabgh", 4, 6, "abcdabgh" },
	{ "joins the next",		"abcdabgd", 6, 7, "abcdabcd" },
	{ "touches the next",		"abcdabga", 6, 7, "abcdabca" },
	{ "ends below the next",	"abcdabghef", 6, 7, "abcdabchef" },
	{ "over a part of the next",	"abcdabab", 6, 7, "abcdabcb" },
	{ "over all of the next",	"abcdabah", 6, 8, "abcdabcd" },
	{ "over its own rest",		"abababef", 4, 6, "ababcdef" },
};

KUNIT_ARRAY_PARAM_DESC(grow, grow_cases, name);

/* anon_map_grow() makes an extent longer that ends where the mapping ended. */
static void grow_goes_on(struct kunit *test)
{
	expect_change(test, anon_map_grow);
}

static const struct range_case down_cases[] = {
	{ "nothing there",		"abcdefgh", 4, 2, "abcdefgh" },
	{ "an extent begins there",	"abcdxyzh", 4, 2, "abvwxyzh" },
	{ "an extent begins above",	"abcdexyh", 4, 2, "abcdexyh" },
	{ "an extent begins below",	"abcdwxyh", 5, 3, "abcdwxyh" },
	{ "an extent ends there",	"aabcefgh", 4, 3, "aabcefgh" },
	{ "joins the next",		"abvdxygh", 4, 3, "abvwxygh" },
	{ "touches the next",		"aabdxygh", 4, 3, "aabwxygh" },
	{ "over a part of the next",	"aabcxygh", 4, 3, "aabwxygh" },
	{ "over all of the next",	"ababyzgh", 4, 2, "abwxyzgh" },
	{ "over its own rest",		"uvabyzgh", 4, 2, "uvwxyzgh" },
};

KUNIT_ARRAY_PARAM_DESC(down, down_cases, name);

/* anon_map_grow_down() does the same at the start of a mapping. */
static void grow_down_goes_on(struct kunit *test)
{
	expect_change(test, anon_map_grow_down);
}

static const struct range_case level_cases[] = {
	{ "in no extent",			"abcdefgh", 1, 7, "abcdefgh" },
	{ "in none, over two",		"abababgh", 1, 6, "abcdefgh" },
	{ "in none, a low end",		"abcdabcd", 2, 6, "abcdefcd" },
	{ "in none, up to an extent",	"abcdabcd", 2, 4, "abcdabcd" },
	{ "in an extent",		"abcdabcd", 4, 7, "abcdabcd" },
	{ "from an extent",		"abcdabgh", 5, 8, "abcdabcd" },
	{ "from an extent over another", "abcdabah", 4, 8, "abcdabcd" },
	{ "from an extent, joins",	"abcdabgd", 4, 7, "abcdabcd" },
	{ "from an extent, touches",	"abcdabgx", 4, 7, "abcdabcx" },
	{ "from an extent, a low end",	"abcdabab", 4, 7, "abcdabcb" },
};

KUNIT_ARRAY_PARAM_DESC(level, level_cases, name);

/* anon_map_level() makes the offset go on evenly from that of the first page. */
static void level_goes_on(struct kunit *test)
{
	expect_change(test, anon_map_level);
}

/* Expect extents one page away from either limit to grow by no more than that. */
static void grow_stops_at_limits(struct kunit *test)
{
	unsigned long high = TASK_SIZE - 3 * PAGE_SIZE, end;
	struct map_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, 0, anon_spares_fill(&t->spares, 2, GFP_KERNEL));
	anon_map_copy(&t->map, high, model_addr(0), 2 * PAGE_SIZE, &t->spares);
	anon_map_grow(&t->map, model_addr(2), model_addr(4));
	anon_map_offset(&t->map, model_addr(0), &end);
	KUNIT_EXPECT_EQ(test, end, model_addr(2));
	anon_map_grow(&t->map, model_addr(2), model_addr(3));
	anon_map_offset(&t->map, model_addr(0), &end);
	KUNIT_EXPECT_EQ(test, end, model_addr(3));

	anon_map_copy(&t->map, PAGE_SIZE, model_addr(8), 2 * PAGE_SIZE, &t->spares);
	anon_map_grow_down(&t->map, model_addr(8), model_addr(6));
	KUNIT_EXPECT_EQ(test, BASE + 7, anon_map_offset(&t->map, model_addr(7), &end));
	anon_map_grow_down(&t->map, model_addr(8), model_addr(7));
	KUNIT_EXPECT_EQ(test, 0, anon_map_offset(&t->map, model_addr(7), &end));
}

/* ---- inherit and destroy ---- */

struct inherit_case {
	const char *name;
	const char *parent;
	struct {
		unsigned int from;
		unsigned int to;
	} ranges[3];
	const char *child;
};

static const struct inherit_case inherit_cases[] = {
	{ "nothing",		"abcdefgh", { { 0, 8 } }, "abcdefgh" },
	{ "all",		"xbabcdab", { { 0, 8 } }, "xbabcdab" },
	{ "outside of an extent", "abcdabgh", { { 0, 4 }, { 6, 8 } }, "abcdefgh" },
	{ "an end clipped",	"abcdabcd", { { 2, 6 } }, "abcdabgh" },
	{ "both ends clipped",	"ababcdgh", { { 3, 5 } }, "abcbcfgh" },
	{ "two of one extent",	"ababcdef", { { 2, 3 }, { 5, 7 } }, "ababcdeh" },
	{ "three of one extent", "ababcdef", { { 3, 4 }, { 5, 6 }, { 7, 8 } }, "abcbcdef" },
	{ "neighbours",		"ababcdef", { { 2, 4 }, { 4, 7 } }, "ababcdeh" },
	{ "two of different extents", "ababefcd", { { 2, 3 }, { 7, 8 } }, "abadefgd" },
	{ "two extents that touch", "abababef", { { 3, 5 } }, "abcbafgh" },
	{ "two of equal delta",	"abcdabghef", { { 4, 6 }, { 8, 10 } }, "abcdabghef" },
	{ "one extent and others", "xyabcdab", { { 0, 3 }, { 4, 8 } }, "xyabcdab" },
};

KUNIT_ARRAY_PARAM_DESC(inherit, inherit_cases, name);

/* The child has the offsets of the ranges, with no more extents than the parent. */
static void inherit_copies_ranges(struct kunit *test)
{
	const struct inherit_case *c = test->param_value;
	struct map_test *t = test->priv;
	unsigned int i;

	model_build(test, &t->map, c->parent);
	for (i = 0; i < ARRAY_SIZE(c->ranges) && c->ranges[i].to; i++)
		model_inherit(test, c->ranges[i].from, c->ranges[i].to);
	model_expect_map(test, &t->child, c->child);
	model_expect_map(test, &t->map, c->parent);
}

/* A child is independent of its parent, and a map is usable after its end. */
static void destroy_leaves_empty_map(struct kunit *test)
{
	struct map_test *t = test->priv;

	model_build(test, &t->map, "xbabcdab");
	model_inherit(test, 0, 8);
	anon_map_destroy(&t->map);
	model_expect_map(test, &t->map, "abcdefgh");
	model_expect_map(test, &t->child, "xbabcdab");
	model_build(test, &t->map, "abxyabgh");
}

/* Spares are filled up to a number and never below it. */
static void spares_are_counted(struct kunit *test)
{
	struct map_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, 0, anon_spares_fill(&t->spares, 3, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, t->spares.nr, 3);
	KUNIT_EXPECT_EQ(test, 0, anon_spares_fill(&t->spares, 2, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, t->spares.nr, 3);
	anon_spares_free(&t->spares);
	KUNIT_EXPECT_EQ(test, t->spares.nr, 0);
	KUNIT_EXPECT_NULL(test, t->spares.first);
}

static int map_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct map_test), GFP_KERNEL);
	if (!test->priv)
		return -ENOMEM;
	model_init_test(test);
	return 0;
}

static void map_exit(struct kunit *test)
{
	if (test->priv)
		model_exit_test(test);
}

static struct kunit_case map_cases[] = {
	KUNIT_CASE_PARAM(find_returns_lowest, find_gen_params),
	KUNIT_CASE(next_stops_at_end),
	KUNIT_CASE_PARAM(equal_compares_offsets, equal_gen_params),
	KUNIT_CASE_PARAM(copy_gives_offsets, copy_gen_params),
	KUNIT_CASE_PARAM(trim_drops_ends, trim_gen_params),
	KUNIT_CASE_PARAM(grow_goes_on, grow_gen_params),
	KUNIT_CASE_PARAM(grow_down_goes_on, down_gen_params),
	KUNIT_CASE_PARAM(level_goes_on, level_gen_params),
	KUNIT_CASE(grow_stops_at_limits),
	KUNIT_CASE_PARAM(inherit_copies_ranges, inherit_gen_params),
	KUNIT_CASE(destroy_leaves_empty_map),
	KUNIT_CASE(spares_are_counted),
	{}
};

static struct kunit_suite map_suite = {
	.name = "anon_space_map",
	.init = map_init,
	.exit = map_exit,
	.test_cases = map_cases,
};

kunit_test_suite(map_suite);

MODULE_DESCRIPTION("KUnit tests of the offset map of anonymous memory");
MODULE_LICENSE("GPL");
