// SPDX-License-Identifier: GPL-2.0
/*
 * What a map from address to offset has to be, for the KUnit tests of it.
 */

#include <kunit/test.h>
#include <linux/sched/mm.h>

#include "anon_space_model.h"

#define FAR		4096	/* page where no test looks */
#define SLACK		8	/* spares that are not needed */

/* ---- what a map has to be ---- */

static void parse(struct model *model, const char *map)
{
	unsigned int page;

	model->len = strlen(map);
	for (page = 0; map[page]; page++)
		model->offset[page] = BASE + map[page] - 'a';
}

/**
 * model_delta - how far is an offset ahead of that of the address?
 * @model: the model
 * @page: number of the page
 *
 * Return: the number of pages; 0 behind the end of @model.
 */
pgoff_t model_delta(const struct model *model, unsigned int page)
{
	return page < model->len ? model->offset[page] - (BASE + page) : 0;
}

/* The address up to which the offset goes on evenly. */
static unsigned long even_end(const struct model *model, unsigned long page)
{
	pgoff_t first = page < model->len ? model_delta(model, page) : 0;

	while (page < model->len && model_delta(model, page) == first)
		page++;
	return page < model->len || first ? model_addr(page) : ULONG_MAX;
}

static unsigned int count_extents(const struct model *model)
{
	unsigned int page, nr = 0;

	for (page = 0; page < model->len; page++)
		if (model_delta(model, page) &&
		    (!page || model_delta(model, page) != model_delta(model, page - 1)))
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
		offset = anon_map_offset(map, model_addr(page) + page, &end);
		KUNIT_EXPECT_EQ_MSG(test, offset - BASE,
				    page + model_delta(model, page), "page %u", page);
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
		end = even_end(model, model_page(extent->start));
		KUNIT_EXPECT_EQ(test, extent->end, end);
		before = extent->delta;
		nr++;
	}
	KUNIT_EXPECT_EQ(test, nr, count_extents(model));
	KUNIT_EXPECT_EQ(test, map->nr, nr);
}

/**
 * model_expect_found - expect that each page of an extent is found by its offset
 * @test: the test
 * @map: the map
 * @model: what the offsets have to be
 * @first: first offset to look for
 * @last: last offset to look for
 *
 * Each is found once, and no other page is.
 */
void model_expect_found(struct kunit *test, struct anon_map *map,
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
			page = model_page(anon_extent_addr(extent, from));
			KUNIT_ASSERT_LT(test, page, model->len);
			times[page]++;
		}
	}
	for (page = 0; page < model->len; page++) {
		bool has = model_delta(model, page) &&
			   model->offset[page] >= first &&
			   model->offset[page] <= last;

		KUNIT_EXPECT_EQ_MSG(test, times[page], has,
				    "page %lu, offsets %lu to %lu", page,
				    first - BASE, last - BASE);
	}
}

/**
 * model_expect - expect that a map is what a model says, and keeps INV-7
 * @test: the test
 * @map: the map
 * @model: what the offsets have to be
 */
void model_expect(struct kunit *test, struct anon_map *map,
		  const struct model *model)
{
	expect_offsets(test, map, model);
	expect_extents(test, map, model);
	model_expect_found(test, map, model, 0, ULONG_MAX);
}

/**
 * model_expect_map - expect that a map is what a string says
 * @test: the test
 * @map: the map
 * @string: a letter for each page, that of its offset
 */
void model_expect_map(struct kunit *test, struct anon_map *map,
		      const char *string)
{
	struct map_test *t = test->priv;
	struct model *model = &t->scratch;
	char shown[NR_PAGES + 1];
	unsigned long end;
	pgoff_t i, first;

	parse(model, string);
	for (i = 0; i < model->len; i++) {
		pgoff_t offset = anon_map_offset(map, model_addr(i), &end) - BASE;

		shown[i] = offset < 26 ? 'a' + offset : '?';
	}
	shown[i] = '\0';
	KUNIT_EXPECT_STREQ(test, shown, string);
	model_expect(test, map, model);
	for (first = BASE; first < BASE + 26; first++)
		for (i = first; i < BASE + 26; i++)
			model_expect_found(test, map, model, first, i);
}

/* ---- making maps ---- */

/**
 * model_begin - fill the spares before a change of a map
 * @test: the test
 * @needs: how many spares the change may take
 *
 * Up to model_finish() lockdep complains of allocations that wait for reclaim, as under
 * the space lock.
 */
void model_begin(struct kunit *test, unsigned long needs)
{
	struct map_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, 0, anon_spares_fill(&t->spares, needs + SLACK,
						  GFP_KERNEL));
	t->before = t->spares.nr;
	fs_reclaim_acquire(GFP_KERNEL);
}

/**
 * model_finish - expect that a change of a map took no more spares than allowed
 * @test: the test
 * @needs: as for model_begin()
 *
 * Return: how many spares it took.
 */
unsigned long model_finish(struct kunit *test, unsigned long needs)
{
	struct map_test *t = test->priv;

	fs_reclaim_release(GFP_KERNEL);
	KUNIT_EXPECT_LE(test, t->before - t->spares.nr, needs);
	return t->before - t->spares.nr;
}

/**
 * model_copy - anon_map_copy(), with as many spares as it says it needs
 * @test: the test
 * @map: the map
 * @old: first page to copy from
 * @new: first page to copy to
 * @nr: number of pages
 *
 * Return: how many spares it took.
 */
unsigned long model_copy(struct kunit *test, struct anon_map *map,
			 int old, int new, unsigned int nr)
{
	unsigned long len = (unsigned long)nr << PAGE_SHIFT, needs;
	struct map_test *t = test->priv;

	needs = anon_map_copy_needs(map, model_addr(old), model_addr(new), len);
	model_begin(test, needs);
	anon_map_copy(map, model_addr(old), model_addr(new), len, &t->spares);
	return model_finish(test, needs);
}

/**
 * model_inherit - anon_map_inherit() from the map of a test to its child
 * @test: the test
 * @from: first page
 * @to: page behind the last
 */
void model_inherit(struct kunit *test, unsigned int from, unsigned int to)
{
	unsigned long start = model_addr(from), stop = model_addr(to), needs = 0;
	struct map_test *t = test->priv;
	struct anon_extent *extent;

	for (extent = anon_map_find(&t->map, start, stop); extent;
	     extent = anon_map_next(extent, stop))
		needs++;
	model_begin(test, needs);
	anon_map_inherit(&t->child, &t->map, start, stop, &t->spares);
	model_finish(test, needs);
}

/**
 * model_build - make a map what a string says
 * @test: the test
 * @map: the map, in which no page of the string is in an extent
 * @string: as for model_expect_map()
 *
 * Each page is copied from its own offset to a far place first, and all of them from
 * there together.
 */
void model_build(struct kunit *test, struct anon_map *map, const char *string)
{
	unsigned int i, len = strlen(string);

	for (i = 0; i < len; i++)
		model_copy(test, map, string[i] - 'a', FAR + i, 1);
	model_copy(test, map, FAR, 0, len);
	anon_map_trim(map, model_addr(FAR), model_addr(FAR + len));
	model_expect_map(test, map, string);
}

/* ---- tests ---- */

/**
 * model_init_test - begin a test with empty maps
 * @test: the test, of which @priv begins with a struct map_test
 */
void model_init_test(struct kunit *test)
{
	struct map_test *t = test->priv;

	anon_map_init(&t->map);
	anon_map_init(&t->child);
}

/**
 * model_exit_test - free all extents of a test
 * @test: the test, after model_init_test()
 */
void model_exit_test(struct kunit *test)
{
	struct map_test *t = test->priv;

	anon_map_destroy(&t->map);
	anon_map_destroy(&t->child);
	anon_spares_free(&t->spares);
}
