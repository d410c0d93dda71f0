/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of the map from address to offset, for KUnit tests: an array of offsets.
 *
 * Maps are written as strings with a letter for each page, that of its offset: 'a' is
 * the offset of the address of page 0, 'b' that of page 1. So this one has two extents,
 * pages 4 and 5 with delta -4, pages 6 and 7 with delta -6:
 *
 *	page	 0  1  2  3  4  5  6  7
 *	map	 a  b  c  d  a  b  a  b
 *	extents		    |-----|-----|
 *
 * By INV-7 such a string says which extents there are: one for each run of pages of
 * equal delta, unless that is 0.
 */
#ifndef _ANON_SPACE_MODEL_H
#define _ANON_SPACE_MODEL_H

#include "../../mm/anon_space/internal.h"

struct kunit;

#define NR_PAGES	64	/* longest map */
#define BASE		1024UL	/* page number of page 0 */

/**
 * struct model - what the offsets have to be
 * @len:    number of pages
 * @offset: offset of each
 */
struct model {
	unsigned int len;
	pgoff_t offset[NR_PAGES];
};

/**
 * struct map_test - what every test of a map works on
 * @map:     the map
 * @child:   what inherits from it
 * @spares:  extents to use
 * @before:  how many there were in model_begin()
 * @scratch: what one function expects
 */
struct map_test {
	struct anon_map map;
	struct anon_map child;
	struct anon_spares spares;
	unsigned long before;
	struct model scratch;
};

static inline unsigned long model_addr(int page)
{
	return (BASE + page) << PAGE_SHIFT;
}

static inline unsigned long model_page(unsigned long addr)
{
	return (addr >> PAGE_SHIFT) - BASE;
}

pgoff_t model_delta(const struct model *model, unsigned int page);
void model_expect_found(struct kunit *test, struct anon_map *map,
			const struct model *model, pgoff_t first, pgoff_t last);
void model_expect(struct kunit *test, struct anon_map *map,
		  const struct model *model);
void model_expect_map(struct kunit *test, struct anon_map *map,
		      const char *string);

void model_begin(struct kunit *test, unsigned long needs);
unsigned long model_finish(struct kunit *test, unsigned long needs);
unsigned long model_copy(struct kunit *test, struct anon_map *map,
			 int old, int new, unsigned int nr);
void model_inherit(struct kunit *test, unsigned int from, unsigned int to);
void model_build(struct kunit *test, struct anon_map *map, const char *string);

void model_init_test(struct kunit *test);
void model_exit_test(struct kunit *test);

#endif /* _ANON_SPACE_MODEL_H */
