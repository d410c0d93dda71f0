// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the offset map: the data structure alone.
 *
 * Maps are written as strings with a letter for each page, that of its offset: 'a' is
 * the offset of the first page when it is at home, 'b' that of the second. So this one
 * has two extents, pages 4 and 5 with delta -4, pages 6 and 7 with delta -6:
 *
 *	page	 0  1  2  3  4  5  6  7
 *	map	 a  b  c  d  a  b  a  b
 *	extents		    |-----|-----|
 *
 * By INV-7 such a string says which extents there are: one for each run of pages that
 * are equally far away from home.
 */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched/mm.h>

#include "../../mm/anon_space/internal.h"

#define NR_PAGES	64	/* longest map */
#define NR_RANDOM	4000	/* random operations */
#define NR_ROUNDS	2000	/* of the writer, with a reader beside */

#define BASE		1024UL	/* page number of page 0 */
#define FAR		4096	/* page where no test looks */
#define SLACK		8	/* spares that are not needed */

/* What the offsets have to be. */
struct model {
	unsigned int len;
	pgoff_t offset[NR_PAGES];
};

/* Reads all the time what must not change. */
struct reader {
	struct task_struct *task;
	struct completion started;
	const char *constant;	/* letters, and '.' for pages that change */
	unsigned long reads;
	unsigned long wrong;
};

/* What every test works on, freed even if it fails. */
struct map_test {
	struct anon_map map;
	struct anon_map child;
	struct anon_spares spares;
	unsigned long before;	/* spares, see begin() */
	struct reader reader;
	struct rnd_state rnd;
	struct model model;
	struct model scratch;
	bool mapped[NR_PAGES];	/* of the random test: @model holds */
};

static unsigned long to_addr(int page)
{
	return (BASE + page) << PAGE_SHIFT;
}

static unsigned long to_page(unsigned long addr)
{
	return (addr >> PAGE_SHIFT) - BASE;
}

/* ---- what a map has to be ---- */

static void parse(struct model *model, const char *map)
{
	unsigned int page;

	model->len = strlen(map);
	for (page = 0; map[page]; page++)
		model->offset[page] = BASE + map[page] - 'a';
}

/* How far away from home, 0 behind the end. */
static pgoff_t delta(const struct model *model, unsigned int page)
{
	return page < model->len ? model->offset[page] - (BASE + page) : 0;
}

/* The address up to which the offset goes on evenly. */
static unsigned long even_end(const struct model *model, unsigned long page)
{
	pgoff_t first = page < model->len ? delta(model, page) : 0;

	while (page < model->len && delta(model, page) == first)
		page++;
	return page < model->len || first ? to_addr(page) : ULONG_MAX;
}

static unsigned int count_extents(const struct model *model)
{
	unsigned int page, nr = 0;

	for (page = 0; page < model->len; page++)
		if (delta(model, page) &&
		    (!page || delta(model, page) != delta(model, page - 1)))
			nr++;
	return nr;
}

static void expect_offsets(struct kunit *test, const struct anon_map *map,
			   const struct model *model)
{
	unsigned long end;
	unsigned int page;
	pgoff_t offset;

	for (page = 0; page <= model->len; page++) {
		offset = anon_map_offset(map, to_addr(page) + page, &end);
		KUNIT_EXPECT_EQ_MSG(test, offset - BASE,
				    page + delta(model, page), "page %u", page);
		KUNIT_EXPECT_EQ_MSG(test, end, even_end(model, page),
				    "page %u", page);
	}
}

/* INV-7, and no extent but those of the model. */
static void expect_extents(struct kunit *test, const struct anon_map *map,
			   const struct model *model)
{
	struct anon_extent *extent;
	unsigned long end = 0;
	unsigned int nr = 0;
	pgoff_t before = 0;

	for (extent = anon_map_find(map, 0, ULONG_MAX); extent;
	     extent = anon_map_next(extent, ULONG_MAX)) {
		KUNIT_EXPECT_LT(test, extent->start, extent->end);
		KUNIT_EXPECT_LE(test, end, extent->start);
		KUNIT_EXPECT_NE(test, extent->delta, 0);
		if (extent->start == end)
			KUNIT_EXPECT_NE(test, extent->delta, before);
		end = even_end(model, to_page(extent->start));
		KUNIT_EXPECT_EQ(test, extent->end, end);
		before = extent->delta;
		nr++;
	}
	KUNIT_EXPECT_EQ(test, nr, count_extents(model));
	KUNIT_EXPECT_EQ(test, map->nr, nr);
}

/* A page in an extent is found by its offset, once, and no other page is. */
static void expect_found(struct kunit *test, struct anon_map *map,
			 const struct model *model, pgoff_t first, pgoff_t last)
{
	unsigned char times[NR_PAGES] = {};
	pgoff_t from, to, before = 0;
	struct anon_extent *extent;
	unsigned long page;

	for (extent = anon_map_find_offset(map, first, last); extent;
	     extent = anon_map_next_offset(extent, first, last)) {
		from = anon_extent_offset(extent, extent->start);
		to = anon_extent_offset(extent, extent->end) - 1;
		KUNIT_EXPECT_LE(test, before, from);
		before = from;
		KUNIT_EXPECT_TRUE(test, from <= last && to >= first);
		for (from = max(from, first); from <= min(to, last); from++) {
			page = to_page(anon_extent_addr(extent, from));
			KUNIT_ASSERT_LT(test, page, model->len);
			times[page]++;
		}
	}
	for (page = 0; page < model->len; page++) {
		bool has = delta(model, page) && model->offset[page] >= first &&
			   model->offset[page] <= last;

		KUNIT_EXPECT_EQ_MSG(test, times[page], has,
				    "page %lu, offsets %lu to %lu", page,
				    first - BASE, last - BASE);
	}
}

static void expect_model(struct kunit *test, struct anon_map *map,
			 const struct model *model)
{
	expect_offsets(test, map, model);
	expect_extents(test, map, model);
	expect_found(test, map, model, 0, ULONG_MAX);
}

static void expect_map(struct kunit *test, struct anon_map *map,
		       const char *string)
{
	struct map_test *t = test->priv;
	struct model *model = &t->scratch;
	char shown[NR_PAGES + 1];
	unsigned long end;
	pgoff_t i, first;

	parse(model, string);
	for (i = 0; i < model->len; i++) {
		pgoff_t offset = anon_map_offset(map, to_addr(i), &end) - BASE;

		shown[i] = offset < 26 ? 'a' + offset : '?';
	}
	shown[i] = '\0';
	KUNIT_EXPECT_STREQ(test, shown, string);
	expect_model(test, map, model);
	for (first = BASE; first < BASE + 26; first++)
		for (i = first; i < BASE + 26; i++)
			expect_found(test, map, model, first, i);
}

/* ---- making maps ---- */

/*
 * Up to finish() allocations complain, as under the space lock, where reclaim waits
 * (lockdep sees that), and more spares than needed would be seen.
 */
static void begin(struct kunit *test, unsigned long needs)
{
	struct map_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, 0, anon_spares_fill(&t->spares, needs + SLACK,
						  GFP_KERNEL));
	t->before = t->spares.nr;
	fs_reclaim_acquire(GFP_KERNEL);
}

static unsigned long finish(struct kunit *test, unsigned long needs)
{
	struct map_test *t = test->priv;

	fs_reclaim_release(GFP_KERNEL);
	KUNIT_EXPECT_LE(test, t->before - t->spares.nr, needs);
	return t->before - t->spares.nr;
}

/* Returns how many spares it took. */
static unsigned long copy(struct kunit *test, struct anon_map *map,
			  int old, int new, unsigned int nr)
{
	unsigned long len = (unsigned long)nr << PAGE_SHIFT, needs;
	struct map_test *t = test->priv;

	needs = anon_map_copy_needs(map, to_addr(old), to_addr(new), len);
	begin(test, needs);
	anon_map_copy(map, to_addr(old), to_addr(new), len, &t->spares);
	return finish(test, needs);
}

/* From the map to the child. */
static void inherit(struct kunit *test, unsigned int from, unsigned int to)
{
	unsigned long start = to_addr(from), stop = to_addr(to), needs = 0;
	struct map_test *t = test->priv;
	struct anon_extent *extent;

	for (extent = anon_map_find(&t->map, start, stop); extent;
	     extent = anon_map_next(extent, stop))
		needs++;
	begin(test, needs);
	anon_map_inherit(&t->child, &t->map, start, stop, &t->spares);
	finish(test, needs);
}

/* Far away first, so that each page is copied from home. */
static void build(struct kunit *test, struct anon_map *map, const char *string)
{
	unsigned int i, len = strlen(string);

	for (i = 0; i < len; i++)
		copy(test, map, string[i] - 'a', FAR + i, 1);
	copy(test, map, FAR, 0, len);
	anon_map_trim(map, to_addr(FAR), to_addr(FAR + len));
	expect_map(test, map, string);
}

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

	build(test, &t->map, c->map);
	extent = anon_map_find(&t->map, to_addr(c->from), to_addr(c->to));
	KUNIT_EXPECT_EQ(test, c->found, extent ? (int)to_page(extent->start) : -1);
}

/* anon_map_next() stops at the end; that it leaves none out expect_extents() shows. */
static void next_stops_at_end(struct kunit *test)
{
	struct map_test *t = test->priv;
	struct anon_extent *extent;

	build(test, &t->map, "xbuvefgh");
	extent = anon_map_find(&t->map, 0, ULONG_MAX);
	KUNIT_ASSERT_NOT_NULL(test, extent);
	KUNIT_EXPECT_NULL(test, anon_map_next(extent, to_addr(2)));
	extent = anon_map_next(extent, to_addr(3));
	KUNIT_ASSERT_NOT_NULL(test, extent);
	KUNIT_EXPECT_EQ(test, to_page(extent->start), 2);
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
	{ "two at home",		"abcdefgh", 0, 4, 1, false },
	{ "home and an extent",		"abcdabgh", 0, 4, 2, true },
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

	build(test, &t->map, c->map);
	KUNIT_EXPECT_EQ(test, c->equal, anon_map_equal(&t->map, to_addr(c->a),
						       to_addr(c->b), len));
	KUNIT_EXPECT_EQ(test, c->equal, anon_map_equal(&t->map, to_addr(c->b),
						       to_addr(c->a), len));
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

/* Home needs none; others need one for each extent, and one to cut another in two. */
static const struct copy_case copy_cases[] = {
	{ "from home",		"abcdefghijkl", 1, 8, 3, "abcdefghbcdl", 1, 1 },
	{ "an extent",		"abcdefghabcl", 8, 4, 3, "abcdabchabcl", 1, 1 },
	{ "a part of an extent", "abcdefghabcd", 9, 5, 2, "abcdebchabcd", 1, 1 },
	{ "several extents",	"mncdijghijkl", 0, 6, 6, "mncdijmncdij", 3, 3 },
	{ "a part leads home",	"abijefghijkl", 0, 6, 6, "abijefabijef", 2, 2 },
	{ "home",		"abcdijklabcd", 4, 8, 4, "abcdijklijkl", 0, 0 },
	{ "home, a low end",	"abcdijklabcd", 4, 8, 3, "abcdijklijkd", 0, 0 },
	{ "home, a high end",	"abcdlfgabcde", 4, 11, 1, "abcdlfgabcdl", 0, 0 },
	{ "home, where none is", "abcdijklijkl", 4, 8, 4, "abcdijklijkl", 0, 0 },
	{ "home, into an extent", "aijdefabcdef", 1, 8, 2, "aijdefabijef", 1, 1 },
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

	build(test, &t->map, c->before);
	KUNIT_EXPECT_EQ(test, c->needs,
			anon_map_copy_needs(&t->map, to_addr(c->old),
					    to_addr(c->new),
					    c->nr << PAGE_SHIFT));
	KUNIT_EXPECT_EQ(test, c->takes,
			copy(test, &t->map, c->old, c->new, c->nr));
	expect_map(test, &t->map, c->after);
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

	build(test, &t->map, c->before);
	nr = t->map.nr;
	begin(test, 0);
	change(&t->map, to_addr(c->from), to_addr(c->to));
	finish(test, 0);
	expect_map(test, &t->map, c->after);
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

/* anon_map_trim() drops what sticks out into the range. */
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

/* anon_map_grow() has an extent go on that ends where the mapping did. */
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
	{ "at home",			"abcdefgh", 1, 7, "abcdefgh" },
	{ "at home, over two",		"abababgh", 1, 6, "abcdefgh" },
	{ "at home, a low end",		"abcdabcd", 2, 6, "abcdefcd" },
	{ "at home, up to an extent",	"abcdabcd", 2, 4, "abcdabcd" },
	{ "in an extent",		"abcdabcd", 4, 7, "abcdabcd" },
	{ "from an extent",		"abcdabgh", 5, 8, "abcdabcd" },
	{ "from an extent over another", "abcdabah", 4, 8, "abcdabcd" },
	{ "from an extent, joins",	"abcdabgd", 4, 7, "abcdabcd" },
	{ "from an extent, touches",	"abcdabgx", 4, 7, "abcdabcx" },
	{ "from an extent, a low end",	"abcdabab", 4, 7, "abcdabcb" },
};

KUNIT_ARRAY_PARAM_DESC(level, level_cases, name);

/* anon_map_level() has the offset of the first page go on evenly. */
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
	anon_map_copy(&t->map, high, to_addr(0), 2 * PAGE_SIZE, &t->spares);
	anon_map_grow(&t->map, to_addr(2), to_addr(4));
	anon_map_offset(&t->map, to_addr(0), &end);
	KUNIT_EXPECT_EQ(test, end, to_addr(2));
	anon_map_grow(&t->map, to_addr(2), to_addr(3));
	anon_map_offset(&t->map, to_addr(0), &end);
	KUNIT_EXPECT_EQ(test, end, to_addr(3));

	anon_map_copy(&t->map, PAGE_SIZE, to_addr(8), 2 * PAGE_SIZE, &t->spares);
	anon_map_grow_down(&t->map, to_addr(8), to_addr(6));
	KUNIT_EXPECT_EQ(test, BASE + 7, anon_map_offset(&t->map, to_addr(7), &end));
	anon_map_grow_down(&t->map, to_addr(8), to_addr(7));
	KUNIT_EXPECT_EQ(test, 0, anon_map_offset(&t->map, to_addr(7), &end));
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

	build(test, &t->map, c->parent);
	for (i = 0; i < ARRAY_SIZE(c->ranges) && c->ranges[i].to; i++)
		inherit(test, c->ranges[i].from, c->ranges[i].to);
	expect_map(test, &t->child, c->child);
	expect_map(test, &t->map, c->parent);
}

/* A child is independent of its parent, and a map is usable after its end. */
static void destroy_leaves_empty_map(struct kunit *test)
{
	struct map_test *t = test->priv;

	build(test, &t->map, "xbabcdab");
	inherit(test, 0, 8);
	anon_map_destroy(&t->map);
	expect_map(test, &t->map, "abcdefgh");
	expect_map(test, &t->child, "xbabcdab");
	build(test, &t->map, "abxyabgh");
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
			model->offset[page] = anon_map_offset(map, to_addr(page),
							      &end);
}

static unsigned int pick(struct map_test *t, unsigned int below)
{
	return prandom_u32_state(&t->rnd) % below;
}

static void random_copy(struct kunit *test, unsigned int old, unsigned int nr)
{
	struct map_test *t = test->priv;
	pgoff_t home = t->model.offset[old] - BASE;
	unsigned int new = pick(t, NR_PAGES - nr + 1);

	if (!pick(t, 4) && home <= NR_PAGES - nr)
		new = home;
	if (old < new + nr && new < old + nr)
		return;
	copy(test, &t->map, old, new, nr);
	memcpy(t->model.offset + new, t->model.offset + old,
	       nr * sizeof(*t->model.offset));
	memset(t->mapped + new, true, nr);
	memset(t->mapped + old, pick(t, 2), nr);
}

/* What is left in the range goes beyond both ends. */
static void random_trim(struct kunit *test, unsigned int from, unsigned int to)
{
	unsigned long start = to_addr(from), end = to_addr(to);
	struct map_test *t = test->priv;
	struct anon_extent *extent;

	memset(t->mapped + from, false, to - from);
	anon_map_trim(&t->map, start, end);
	extent = anon_map_find(&t->map, start, end);
	if (extent)
		KUNIT_EXPECT_TRUE(test, extent->start < start && extent->end > end);
}

/* The offset goes on from the page before, if an extent ends there. */
static void random_grow(struct map_test *t, unsigned int from, unsigned int to)
{
	pgoff_t last = from ? delta(&t->model, from - 1) : 0;
	bool grows = last && last != delta(&t->model, from);

	memset(t->mapped + from, grows, to - from);
	anon_map_grow(&t->map, to_addr(from), to_addr(to));
	for (; grows && from < to; from++)
		t->model.offset[from] = BASE + from + last;
}

/* The offset goes on from the page behind, if an extent begins there. */
static void random_grow_down(struct map_test *t, unsigned int from,
			     unsigned int to)
{
	pgoff_t first = delta(&t->model, to);
	bool grows = first && first != delta(&t->model, to - 1) &&
		     t->model.offset[to] >= to - from;

	memset(t->mapped + from, grows, to - from);
	anon_map_grow_down(&t->map, to_addr(to), to_addr(from));
	for (; grows && from < to; from++)
		t->model.offset[from] = BASE + from + first;
}

/* The offset goes on from the first page. */
static void random_level(struct map_test *t, unsigned int from, unsigned int to)
{
	unsigned int page;

	memset(t->mapped + from, true, to - from);
	anon_map_level(&t->map, to_addr(from), to_addr(to));
	for (page = from + 1; page < to; page++)
		t->model.offset[page] = t->model.offset[page - 1] + 1;
}

/* Some ranges, one after the other, have in the child what they have in the parent. */
static void random_inherit(struct kunit *test)
{
	struct map_test *t = test->priv;
	unsigned int from, to;
	bool known[NR_PAGES] = {};

	t->scratch = t->model;
	for (from = pick(t, 8); from < NR_PAGES; from = to + pick(t, 4)) {
		to = min(from + 1 + pick(t, 12), NR_PAGES);
		inherit(test, from, to);
		memset(known + from, true, to - from);
	}
	learn(&t->child, &t->scratch, known);
	expect_model(test, &t->child, &t->scratch);
	KUNIT_EXPECT_LE(test, t->child.nr, t->map.nr);
	anon_map_destroy(&t->child);
}

static void random_operation(struct kunit *test)
{
	struct map_test *t = test->priv;
	unsigned int nr = 1 + pick(t, 10), before = t->map.nr;
	unsigned int from = pick(t, NR_PAGES - nr + 1);
	unsigned int what = pick(t, 9);

	if (what < 3)
		random_copy(test, from, nr);
	else if (what == 3)
		random_trim(test, from, from + nr);
	else if (what == 4)
		random_grow(t, from, from + nr);
	else if (what == 5)
		random_level(t, from, from + nr);
	else if (what == 6)
		random_inherit(test);
	else if (what == 7)
		random_grow_down(t, from, from + nr);
	else
		memset(t->mapped + from, true, nr);
	if (what >= 3)
		KUNIT_EXPECT_LE(test, t->map.nr, before);
}

/* Any sequence of operations does what it would do to an array of pages. */
static void random_operations_match_array(struct kunit *test)
{
	struct map_test *t = test->priv;
	unsigned int i, page, a, b;
	u32 seed = get_random_u32();
	pgoff_t first;

	kunit_info(test, "seed %u\n", seed);
	prandom_seed_state(&t->rnd, seed);
	t->model.len = NR_PAGES;
	for (page = 0; page < NR_PAGES; page++)
		t->model.offset[page] = BASE + page;
	for (i = 0; i < NR_RANDOM; i++) {
		random_operation(test);
		learn(&t->map, &t->model, t->mapped);
		expect_model(test, &t->map, &t->model);
		first = BASE + pick(t, NR_PAGES);
		expect_found(test, &t->map, &t->model, first, first + pick(t, 16));
		a = pick(t, NR_PAGES - 1);
		b = pick(t, NR_PAGES - 1);
		KUNIT_EXPECT_EQ(test, anon_map_equal(&t->map, to_addr(a), to_addr(b),
						     2 * PAGE_SIZE),
				!memcmp(t->model.offset + a, t->model.offset + b,
					2 * sizeof(first)));
		if (READ_ONCE(test->status) == KUNIT_FAILURE)
			break;
		cond_resched();
	}
	kunit_info(test, "%u operations, %u extents at the end\n", i, t->map.nr);
}

/* ---- readers without a lock ---- */

static int read_constants(void *data)
{
	struct map_test *t = data;
	const char *constant = t->reader.constant;
	unsigned long end;
	unsigned int i;
	pgoff_t offset;

	complete(&t->reader.started);
	while (!kthread_should_stop()) {
		for (i = 0; constant[i]; i++) {
			if (constant[i] == '.')
				continue;
			offset = anon_map_offset(&t->map, to_addr(i), &end);
			if (offset != BASE + constant[i] - 'a' ||
			    end < to_addr(i + 1) ||
			    (constant[i + 1] == constant[i] + 1 &&
			     end < to_addr(i + 2)))
				t->reader.wrong++;
			t->reader.reads++;
		}
		cond_resched();
	}
	return 0;
}

static void write_copy(struct map_test *t, int old, int new, unsigned int nr)
{
	anon_map_copy(&t->map, to_addr(old), to_addr(new), nr << PAGE_SHIFT,
		      &t->spares);
}

static void write_trim(struct map_test *t, int from, int to)
{
	anon_map_trim(&t->map, to_addr(from), to_addr(to));
}

/*
 * Extents that come and go at both sides rotate the trees. The nearest goes first: if
 * it has two children in the tree, what the reader looks for takes its place.
 */
static void churn(struct map_test *t)
{
	int i, nr = 1 + pick(t, 6);

	for (i = 1; i <= nr; i++) {
		write_copy(t, 0, -2 * i, 1);
		write_copy(t, 0, 20 + 2 * i, 1);
	}
	for (i = 1; i <= nr; i++) {
		write_trim(t, -2 * i, 1 - 2 * i);
		write_trim(t, 20 + 2 * i, 21 + 2 * i);
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
static void write_round(struct map_test *t)
{
	int i;

	write_trim(t, 8, 10);				/* low end */
	churn(t);
	for (i = 0; i < 4; i++) {
		write_copy(t, i, 12, 2);		/* cut */
		write_copy(t, 4, 12, 2);		/* join both */
	}
	write_copy(t, 0, 8, 2);				/* join high */
	write_copy(t, 1, 12, 1);			/* cut */
	anon_map_level(&t->map, to_addr(11), to_addr(14)); /* join both */
	churn(t);
	write_trim(t, 15, 20);				/* high end */
	write_copy(t, 2, 16, 1);
	anon_map_grow(&t->map, to_addr(15), to_addr(18)); /* over that */
}

/* A reader beside a writer never sees a wrong offset of a page that keeps its own. */
static void readers_see_constants(struct kunit *test)
{
	struct map_test *t = test->priv;
	struct reader *reader = &t->reader;
	int i;

	build(test, &t->map, "abcdefghabcdefgh");
	/* Other extents, so that a reader is on the way for long. */
	for (i = 20; i < 200; i++)
		copy(test, &t->map, 0, i % 2 ? 2 * i : -2 * i, 1);
	prandom_seed_state(&t->rnd, 1);
	reader->constant = "a.........cd..g.....u";
	init_completion(&reader->started);
	reader->task = kthread_run(read_constants, t, "anon_map_reader");
	if (IS_ERR(reader->task)) {
		reader->task = NULL;
		KUNIT_FAIL_AND_ABORT(test, "no thread");
	}
	wait_for_completion(&reader->started);
	for (i = 0; i < NR_ROUNDS; i++) {
		KUNIT_ASSERT_EQ(test, 0, anon_spares_fill(&t->spares, NR_PAGES,
							  GFP_KERNEL));
		write_round(t);
		cond_resched();
	}
	kthread_stop(reader->task);
	reader->task = NULL;
	kunit_info(test, "%lu reads, %u online CPUs\n", reader->reads,
		   num_online_cpus());
	KUNIT_EXPECT_EQ(test, reader->wrong, 0);
	KUNIT_EXPECT_GT(test, reader->reads, 0);
	write_trim(t, -400, 0);
	write_trim(t, 20, 400);
	expect_map(test, &t->map, "abcdefghabcdefghijst");
}

static int map_init(struct kunit *test)
{
	struct map_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	if (!t)
		return -ENOMEM;
	anon_map_init(&t->map);
	anon_map_init(&t->child);
	test->priv = t;
	return 0;
}

static void map_exit(struct kunit *test)
{
	struct map_test *t = test->priv;

	if (!t)
		return;
	if (t->reader.task)
		kthread_stop(t->reader.task);
	anon_map_destroy(&t->map);
	anon_map_destroy(&t->child);
	anon_spares_free(&t->spares);
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
	KUNIT_CASE_SLOW(random_operations_match_array),
	KUNIT_CASE_SLOW(readers_see_constants),
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
