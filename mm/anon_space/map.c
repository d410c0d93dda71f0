// SPDX-License-Identifier: GPL-2.0
/*
 * At which offset of an mm's virtual anonymous file an address is mapped.
 */

/**
 * DOC: The offset map
 *
 * Each mm has a map from address to file offset, f. It is the identity, f(a) = a,
 * but in some extents: there f(a) = a + delta. An anonymous page that is mapped at
 * address a has index f(a) (INV-4). Most processes have no extent at all: they come
 * from mremap() of pages whose index it cannot rewrite, see mm/anon_space/move.c.
 *
 *	address   |     0 |  1  2  3 |     4 |  5  6 | 7
 *	extent    |       |  delta 9 |       |  -5   |
 *	f         |     0 | 10 11 12 |     4 |  0  1 | 7
 *
 * So f has no inverse: addresses 0 and 5 have equal f, with two different pages.
 * Whoever walks the reverse map compares page frames.
 *
 * f matters only where pages are mapped. Where nothing is mapped, any f is correct.
 * So an extent is never cut in two because a part of it is unmapped: that would need
 * memory.
 *
 * Extents are disjoint by address, two that touch have different deltas, none has
 * delta 0 (INV-7). They are found by address, in a plain rb-tree, and by offset, in
 * an interval tree.
 *
 * The map is changed by one task at a time. Only anon_map_offset() may run at the
 * same time. A page fault asks for f of its address under a page table lock. That f
 * does not change, but somebody may unmap what is next to the address, and trim the
 * extent that covers both. So anon_map_offset() searches the tree by address without a
 * lock, and searches again if the sequence count has changed. Extents stay extents
 * meanwhile (SLAB_TYPESAFE_BY_RCU), and rb-trees have no loops at any time.
 */

#include <linux/interval_tree_generic.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "trace.h"

static struct kmem_cache *anon_extent_cachep;

static inline unsigned long first_offset(const struct anon_extent *extent)
{
	return anon_extent_offset(extent, extent->start);
}

static inline unsigned long last_offset(const struct anon_extent *extent)
{
	return anon_extent_offset(extent, extent->end) - 1;
}

INTERVAL_TREE_DEFINE(struct anon_extent, by_offset, unsigned long, last,
		     first_offset, last_offset, static, by_offset_tree)

static struct anon_extent *to_extent(struct rb_node *node)
{
	return rb_entry_safe(node, struct anon_extent, by_addr);
}

/* ---- spares ---- */

static void free_extent(struct anon_extent *extent)
{
	anon_space_count(EXTENT_FREED, 1);
	kmem_cache_free(anon_extent_cachep, extent);
}

static struct anon_extent *spares_pop(struct anon_spares *spares)
{
	struct anon_extent *extent = spares->first;

	spares->first = extent->spare;
	spares->nr--;
	return extent;
}

/**
 * anon_spares_fill - have extents at hand
 * @spares: where to put them
 * @nr: how many there are to be
 * @gfp: allocation flags
 *
 * Context: any that @gfp allows.
 * Return: 0, or -ENOMEM if there are fewer.
 */
int anon_spares_fill(struct anon_spares *spares, unsigned long nr, gfp_t gfp)
{
	while (spares->nr < nr) {
		struct anon_extent *extent;

		extent = kmem_cache_alloc(anon_extent_cachep, gfp);
		if (!extent)
			return -ENOMEM;
		anon_space_count(EXTENT_MADE, 1);
		extent->spare = spares->first;
		spares->first = extent;
		spares->nr++;
	}
	return 0;
}

/**
 * anon_spares_free - free what was not needed
 * @spares: empty afterwards
 *
 * Context: any.
 */
void anon_spares_free(struct anon_spares *spares)
{
	while (spares->nr)
		free_extent(spares_pop(spares));
}

/* ---- looking things up ---- */

/**
 * anon_map_init - initialise an empty map
 * @map: the map
 *
 * Context: nobody else sees @map.
 */
void anon_map_init(struct anon_map *map)
{
	map->by_addr = RB_ROOT;
	map->by_offset = RB_ROOT_CACHED;
	seqcount_init(&map->seq);
	map->nr = 0;
	anon_map_set_lock(map, NULL);
}

/* May see extents that are being changed. Then the caller searches again. */
static pgoff_t lookup(const struct anon_map *map, unsigned long addr,
		      unsigned long *end)
{
	struct rb_node *node = rcu_dereference_raw(map->by_addr.rb_node);
	unsigned long next = ULONG_MAX;
	pgoff_t delta = 0;

	while (node) {
		struct anon_extent *extent = to_extent(node);
		unsigned long extent_start = READ_ONCE(extent->start);
		unsigned long extent_end = READ_ONCE(extent->end);

		if (addr < extent_start) {
			next = extent_start;
			node = rcu_dereference_raw(node->rb_left);
		} else if (addr >= extent_end) {
			node = rcu_dereference_raw(node->rb_right);
		} else {
			next = extent_end;
			delta = READ_ONCE(extent->delta);
			break;
		}
	}
	*end = next;
	return (addr >> PAGE_SHIFT) + delta;
}

/**
 * anon_map_offset - the file offset of an address
 * @map: the map
 * @addr: the address
 * @end: set to the address up to which the offset goes on evenly
 *
 * Context: any. The caller keeps f(@addr) from changing, see
 * Documentation/mm/anon_space/locking.rst. @end holds as far as the caller keeps f of
 * the addresses up to there from changing.
 * Return: the offset in pages.
 */
pgoff_t anon_map_offset(const struct anon_map *map, unsigned long addr,
			unsigned long *end)
{
	unsigned int seq;
	pgoff_t offset;

	rcu_read_lock();
	do {
		seq = read_seqcount_begin(&map->seq);
		offset = lookup(map, addr, end);
	} while (read_seqcount_retry(&map->seq, seq));
	rcu_read_unlock();
	return offset;
}

/**
 * anon_map_find - find the lowest extent in a range of addresses
 * @map: the map
 * @start: first address
 * @end: address behind the last
 *
 * Context: the caller keeps @map from changing.
 * Return: the extent, or NULL if there is none in [@start, @end).
 */
struct anon_extent *anon_map_find(const struct anon_map *map,
				  unsigned long start, unsigned long end)
{
	struct rb_node *node = map->by_addr.rb_node;
	struct anon_extent *found = NULL;

	while (node) {
		struct anon_extent *extent = to_extent(node);

		if (extent->end <= start) {
			node = node->rb_right;
		} else {
			found = extent;
			node = node->rb_left;
		}
	}
	return found && found->start < end ? found : NULL;
}

/**
 * anon_map_next - find the next extent by address
 * @extent: an extent
 * @end: address behind the last
 *
 * Context: the caller keeps the map from changing.
 * Return: the extent, or NULL if the next one begins at or after @end.
 */
struct anon_extent *anon_map_next(const struct anon_extent *extent,
				  unsigned long end)
{
	struct anon_extent *next = to_extent(rb_next(&extent->by_addr));

	return next && next->start < end ? next : NULL;
}

/**
 * anon_map_find_offset - find an extent that has one of several offsets
 * @map: the map
 * @first: first offset
 * @last: last offset
 *
 * Context: the caller keeps @map from changing.
 * Return: the extent with the lowest offset, or NULL.
 */
struct anon_extent *anon_map_find_offset(struct anon_map *map,
					 pgoff_t first, pgoff_t last)
{
	return by_offset_tree_iter_first(&map->by_offset, first, last);
}

/**
 * anon_map_next_offset - find the next extent that has one of the offsets
 * @extent: what anon_map_find_offset() or this function returned
 * @first: first offset
 * @last: last offset
 *
 * Context: the caller keeps the map from changing.
 * Return: the extent, or NULL.
 */
struct anon_extent *anon_map_next_offset(struct anon_extent *extent,
					 pgoff_t first, pgoff_t last)
{
	return by_offset_tree_iter_next(extent, first, last);
}

/* ---- changing it ---- */

/*
 * Around each change after which every lookup is correct again. Preemption is off,
 * because a reader may wait under a spinlock for the end of the change.
 */
static void change_begin(struct anon_map *map)
{
	anon_map_assert_locked(map);
	preempt_disable();
	write_seqcount_begin(&map->seq);
}

static void change_end(struct anon_map *map)
{
	write_seqcount_end(&map->seq);
	preempt_enable();
}

static void insert(struct anon_map *map, struct anon_extent *extent,
		   unsigned long start, unsigned long end, pgoff_t delta)
{
	struct rb_node **link = &map->by_addr.rb_node, *parent = NULL;

	VM_WARN_ON_ONCE(start >= end || !delta);
	WRITE_ONCE(extent->start, start);
	WRITE_ONCE(extent->end, end);
	WRITE_ONCE(extent->delta, delta);
	while (*link) {
		struct anon_extent *other = to_extent(*link);

		parent = *link;
		VM_WARN_ON_ONCE(start < other->end && other->start < end);
		link = start < other->start ? &parent->rb_left :
					      &parent->rb_right;
	}
	rb_link_node_rcu(&extent->by_addr, parent, link);
	rb_insert_color(&extent->by_addr, &map->by_addr);
	by_offset_tree_insert(extent, &map->by_offset);
	WRITE_ONCE(map->nr, map->nr + 1);
	trace_anon_space_extent(extent, EXTENT_ADDED);
}

static void erase(struct anon_map *map, struct anon_extent *extent)
{
	rb_erase(&extent->by_addr, &map->by_addr);
	by_offset_tree_remove(extent, &map->by_offset);
	WRITE_ONCE(map->nr, map->nr - 1);
	trace_anon_space_extent(extent, EXTENT_DROPPED);
}

/* The order of extents by address stays as it is. */
static void resize(struct anon_map *map, struct anon_extent *extent,
		   unsigned long start, unsigned long end)
{
	bool reorder = start != extent->start;

	if (reorder)
		by_offset_tree_remove(extent, &map->by_offset);
	WRITE_ONCE(extent->start, start);
	WRITE_ONCE(extent->end, end);
	if (reorder)
		by_offset_tree_insert(extent, &map->by_offset);
	else
		by_offset_tree_augment.propagate(&extent->by_offset, NULL);
	trace_anon_space_extent(extent, EXTENT_CHANGED);
}

static void drop(struct anon_map *map, struct anon_extent *extent)
{
	change_begin(map);
	erase(map, extent);
	change_end(map);
	free_extent(extent);
}

static void change(struct anon_map *map, struct anon_extent *extent,
		   unsigned long start, unsigned long end)
{
	change_begin(map);
	resize(map, extent, start, end);
	change_end(map);
}

/* One extent becomes two, with a gap in between. */
static void split(struct anon_map *map, struct anon_extent *extent,
		  unsigned long start, unsigned long end,
		  struct anon_spares *spares)
{
	struct anon_extent *tail = spares_pop(spares);
	unsigned long tail_end = extent->end;

	change_begin(map);
	resize(map, extent, extent->start, start);
	insert(map, tail, end, tail_end, extent->delta);
	change_end(map);
}

/* Without @spares an extent that goes beyond the range at both ends stays. */
static void cut(struct anon_map *map, unsigned long start, unsigned long end,
		struct anon_spares *spares)
{
	struct anon_extent *extent, *next;

	for (extent = anon_map_find(map, start, end); extent; extent = next) {
		cond_resched();
		next = anon_map_next(extent, end);
		if (extent->start >= start && extent->end <= end)
			drop(map, extent);
		else if (extent->start >= start)
			change(map, extent, end, extent->end);
		else if (extent->end <= end)
			change(map, extent, extent->start, start);
		else if (spares)
			split(map, extent, start, end, spares);
	}
}

/*
 * Let an extent reach up to @end, where no other one is, and join it with one that
 * begins there and has the same delta. It grows before the other one is dropped: an
 * address that was in an extent is in one at any time, so nobody reads that there is none.
 */
static void stretch(struct anon_map *map, struct anon_extent *extent,
		    unsigned long end)
{
	struct anon_extent *next = anon_map_next(extent, end + 1);

	VM_WARN_ON_ONCE(next && next->start < end);
	if (next && next->delta != extent->delta)
		next = NULL;
	change_begin(map);
	resize(map, extent, extent->start, next ? next->end : end);
	if (next)
		erase(map, next);
	change_end(map);
	if (next)
		free_extent(next);
}

/* For a range without an extent. A neighbour of equal delta grows into it. */
static void add(struct anon_map *map, unsigned long start, unsigned long end,
		pgoff_t delta, struct anon_spares *spares)
{
	struct anon_extent *low = NULL, *high;

	if (start)
		low = anon_map_find(map, start - PAGE_SIZE, start);
	if (low && low->delta == delta) {
		stretch(map, low, end);
		return;
	}
	high = anon_map_find(map, end, end + PAGE_SIZE);
	if (high && high->start == end && high->delta == delta) {
		change(map, high, start, high->end);
		return;
	}
	low = spares_pop(spares);
	change_begin(map);
	insert(map, low, start, end, delta);
	change_end(map);
}

/**
 * anon_map_equal - have two ranges the same offsets?
 * @map: the map
 * @a: first address of one range
 * @b: first address of the other
 * @len: bytes of each
 *
 * Context: the caller keeps @map from changing.
 * Return: whether f(@a + i) == f(@b + i) for all i below @len.
 */
bool anon_map_equal(const struct anon_map *map, unsigned long a,
		    unsigned long b, unsigned long len)
{
	unsigned long pos, end_a, end_b;

	for (pos = 0; pos < len; pos += min(end_a - (a + pos),
					    end_b - (b + pos)))
		if (lookup(map, a + pos, &end_a) != lookup(map, b + pos, &end_b))
			return false;
	return true;
}

/**
 * anon_map_copy_needs - how many spares anon_map_copy() takes at most
 * @map: the map
 * @old: first address to copy from
 * @new: first address to copy to
 * @len: bytes
 *
 * Context: the caller keeps @map from changing until it has called that.
 * Return: the number.
 */
unsigned long anon_map_copy_needs(const struct anon_map *map,
				  unsigned long old, unsigned long new,
				  unsigned long len)
{
	struct anon_extent *extent = anon_map_find(map, new, new + len);
	unsigned long pos, end, nr = 0;

	if (extent && extent->start < new && extent->end > new + len)
		nr++;
	for (pos = old; pos - old < len; pos = end)
		if (lookup(map, pos, &end) != (new + (pos - old)) >> PAGE_SHIFT)
			nr++;
	return nr;
}

/**
 * anon_map_copy - give one range the offsets of another one
 * @map: the map
 * @old: first address to copy from
 * @new: first address to copy to
 * @len: bytes
 * @spares: extents to use
 *
 * ASSUMPTIONS:
 * - The ranges do not overlap.
 * - Nothing is mapped in the range copied to.
 * - There are as many spares as anon_map_copy_needs().
 *
 * Context: sleeps, if that may take a while. The caller has exclusive access to @map,
 * but for lookups of other addresses than those of the range copied to.
 */
void anon_map_copy(struct anon_map *map, unsigned long old, unsigned long new,
		   unsigned long len, struct anon_spares *spares)
{
	unsigned long pos, next, end;
	pgoff_t delta;

	VM_WARN_ON_ONCE(old < new + len && new < old + len);
	cut(map, new, new + len, spares);
	for (pos = 0; pos < len; pos = next) {
		cond_resched();
		delta = lookup(map, old + pos, &end) -
			((new + pos) >> PAGE_SHIFT);
		next = min(end - old, len);
		if (delta)
			add(map, new + pos, new + next, delta, spares);
	}
}

/**
 * anon_map_trim - nothing is mapped any more in a range
 * @map: the map
 * @start: first address
 * @end: address behind the last
 *
 * Drops extents and those parts of them that are at the ends of the range. One that
 * goes beyond both ends stays: to cut it in two would take memory.
 *
 * Context: as anon_map_copy().
 */
void anon_map_trim(struct anon_map *map, unsigned long start, unsigned long end)
{
	cut(map, start, end, NULL);
}

/**
 * anon_map_grow - a mapping has grown at its end
 * @map: the map
 * @end: where it ended
 * @new_end: where it ends now; nothing is mapped in between
 *
 * If an extent ends there too, it grows with the mapping. Otherwise a mapping that
 * grows step by step, and moves in between, would have an extent for each step. No
 * offset may become greater than the greatest address, so that none can overflow.
 *
 * Context: as anon_map_copy().
 */
void anon_map_grow(struct anon_map *map, unsigned long end,
		   unsigned long new_end)
{
	struct anon_extent *extent = anon_map_find(map, end - PAGE_SIZE, end);

	if (!extent || extent->end != end ||
	    anon_extent_offset(extent, new_end) > TASK_SIZE >> PAGE_SHIFT)
		return;
	cut(map, end, new_end, NULL);
	stretch(map, extent, new_end);
}

/**
 * anon_map_grow_down - a mapping has grown at its start
 * @map: the map
 * @start: where it began
 * @new_start: where it begins now; nothing is mapped in between
 *
 * As anon_map_grow(), for a stack. No offset may become negative.
 *
 * Context: as anon_map_copy().
 */
void anon_map_grow_down(struct anon_map *map, unsigned long start,
			unsigned long new_start)
{
	struct anon_extent *extent = anon_map_find(map, start, start + PAGE_SIZE);
	struct anon_extent *low;

	if (!extent || extent->start != start ||
	    anon_extent_offset(extent, start) < (start - new_start) >> PAGE_SHIFT)
		return;
	cut(map, new_start, start, NULL);
	low = anon_map_find(map, new_start - PAGE_SIZE, new_start);
	if (low && low->delta == extent->delta)
		stretch(map, low, start);
	else
		change(map, extent, new_start, extent->end);
}

/**
 * anon_map_level - let the offset go on evenly over a range
 * @map: the map
 * @start: first address, of which the offset does not change
 * @end: address behind the last; nothing is mapped in the range
 *
 * Takes no memory, and leaves no more extents than there were.
 *
 * Context: as anon_map_copy().
 */
void anon_map_level(struct anon_map *map, unsigned long start,
		    unsigned long end)
{
	struct anon_extent *extent;

	extent = anon_map_find(map, start, start + PAGE_SIZE);

	if (!extent) {
		cut(map, start, end, NULL);
	} else if (extent->end < end) {
		cut(map, extent->end, end, NULL);
		stretch(map, extent, end);
	}
}

/**
 * anon_map_inherit - copy the offsets of a range from another map
 * @map: the map, with no extent at or after @start
 * @parent: the map to copy from
 * @start: first address
 * @end: address behind the last
 * @spares: extents to use
 *
 * If one extent of @parent covers two ranges that are inherited, one extent of @map
 * covers both, and what is between them.
 *
 * ASSUMPTIONS:
 * - There are as many spares as @parent has extents in the range.
 *
 * Context: the caller keeps @parent from changing and has exclusive access to @map.
 */
void anon_map_inherit(struct anon_map *map, const struct anon_map *parent,
		      unsigned long start, unsigned long end,
		      struct anon_spares *spares)
{
	struct anon_extent *extent = anon_map_find(parent, start, end);

	for (; extent; extent = anon_map_next(extent, end)) {
		struct anon_extent *last = to_extent(rb_last(&map->by_addr));
		unsigned long from = max(start, extent->start);

		if (last && last->end > extent->start)
			from = last->end;
		add(map, from, min(end, extent->end), extent->delta, spares);
	}
}

/**
 * anon_map_destroy - free all extents
 * @map: the map, empty afterwards
 *
 * Context: the caller has exclusive access to @map.
 */
void anon_map_destroy(struct anon_map *map)
{
	struct anon_extent *extent, *next;

	anon_map_assert_locked(map);
	rbtree_postorder_for_each_entry_safe(extent, next, &map->by_addr,
					     by_addr)
		free_extent(extent);
	anon_map_init(map);
}

/**
 * anon_map_setup - create the slab cache of extents
 *
 * Context: boot.
 */
void __init anon_map_setup(void)
{
	anon_extent_cachep = KMEM_CACHE(anon_extent, SLAB_PANIC | SLAB_ACCOUNT |
						     SLAB_TYPESAFE_BY_RCU);
}
