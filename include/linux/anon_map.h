/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_ANON_MAP_H
#define _LINUX_ANON_MAP_H

#include <linux/anon_space_types.h>
#include <linux/mm.h>

/**
 * struct anon_extent - a range of addresses that is not mapped at its own offset
 * @by_addr:   node in anon_map.by_addr
 * @by_offset: node in anon_map.by_offset
 * @last:      largest offset in the subtree of @by_offset
 * @spare:     the next one of a struct anon_spares, while in no map
 * @start:     first address
 * @end:       address behind the last
 * @delta:     what the offset of a page is ahead of its address, never 0; both
 *             counted in pages, modulo the size of an unsigned long
 *
 * Readers without a lock follow @by_addr, and look at @start, @end and @delta.
 */
struct anon_extent {
	struct rb_node by_addr;
	struct rb_node by_offset;
	union {
		unsigned long last;
		struct anon_extent *spare;
	};
	unsigned long start;
	unsigned long end;
	pgoff_t delta;
};

/**
 * struct anon_spares - extents that are in no map
 * @first: linked by their @spare
 * @nr:    how many
 */
struct anon_spares {
	struct anon_extent *first;
	unsigned long nr;
};

/* The offset that @extent has for @addr, or would have if it reached there. */
static inline pgoff_t anon_extent_offset(const struct anon_extent *extent,
					 unsigned long addr)
{
	return (addr >> PAGE_SHIFT) + extent->delta;
}

/* The address that has this offset in @extent. */
static inline unsigned long anon_extent_addr(const struct anon_extent *extent,
					     pgoff_t offset)
{
	return (offset - extent->delta) << PAGE_SHIFT;
}

/* Under which lock a map is changed; a map without one is a test's. */
#ifdef CONFIG_LOCKDEP
static inline void anon_map_set_lock(struct anon_map *map,
				     struct rw_semaphore *lock)
{
	map->lock = lock;
}

static inline void anon_map_assert_locked(const struct anon_map *map)
{
	lockdep_assert(!map->lock || lockdep_is_held_type(map->lock, 0));
}
#else
static inline void anon_map_set_lock(struct anon_map *map,
				     struct rw_semaphore *lock)
{
}

static inline void anon_map_assert_locked(const struct anon_map *map)
{
}
#endif

void anon_map_init(struct anon_map *map);
void anon_map_destroy(struct anon_map *map);

pgoff_t anon_map_offset(const struct anon_map *map, unsigned long addr,
			unsigned long *end);

struct anon_extent *anon_map_find(const struct anon_map *map,
				  unsigned long start, unsigned long end);
struct anon_extent *anon_map_next(const struct anon_extent *extent,
				  unsigned long end);
struct anon_extent *anon_map_find_offset(struct anon_map *map,
					 pgoff_t first, pgoff_t last);
struct anon_extent *anon_map_next_offset(struct anon_extent *extent,
					 pgoff_t first, pgoff_t last);

bool anon_map_equal(const struct anon_map *map, unsigned long a,
		    unsigned long b, unsigned long len);
unsigned long anon_map_copy_needs(const struct anon_map *map,
				  unsigned long old, unsigned long new,
				  unsigned long len);
void anon_map_copy(struct anon_map *map, unsigned long old, unsigned long new,
		   unsigned long len, struct anon_spares *spares);
void anon_map_trim(struct anon_map *map, unsigned long start,
		   unsigned long end);
void anon_map_grow(struct anon_map *map, unsigned long end,
		   unsigned long new_end);
void anon_map_grow_down(struct anon_map *map, unsigned long start,
			unsigned long new_start);
void anon_map_level(struct anon_map *map, unsigned long start,
		    unsigned long end);
void anon_map_inherit(struct anon_map *map, const struct anon_map *parent,
		      unsigned long start, unsigned long end,
		      struct anon_spares *spares);

int anon_spares_fill(struct anon_spares *spares, unsigned long nr, gfp_t gfp);
void anon_spares_free(struct anon_spares *spares);

void __init anon_map_setup(void);

#endif /* _LINUX_ANON_MAP_H */
