// SPDX-License-Identifier: GPL-2.0
/*
 * Records of moved anonymous pages.
 */

/**
 * DOC: Move records
 *
 * A folio's index says at which address its first page is mapped. mremap()
 * rewrites the index of the pages that it moves, but a page that is shared
 * through fork() has one index for several mms, so the moving mm remembers
 * instead that the pages with index I, I+1, ... are mapped at address A,
 * A + PAGE_SIZE, ...
 *
 * At any address there is at most one record, hence at most two indices that a
 * page there may have: that of the address, and the one that is recorded. That
 * holds because a page has one index: a move that meets pages of several
 * origins makes one run for each change of origin. So the records are a map from
 * address to index, and cutting a range out of it splits at most one of them.
 *
 * A record that outlives its pages is harmless. It costs a walker a visit:
 * whoever walks the reverse map compares page frames, not indices.
 *
 * No function here takes a lock or sleeps but anon_move_alloc() and
 * anon_moves_copy().
 */

#include <linux/anon_moves.h>
#include <linux/interval_tree_generic.h>
#include <linux/mm.h>
#include <linux/slab.h>

static struct kmem_cache *anon_move_cachep;

static inline unsigned long first_index(const struct anon_move *move)
{
	return move->index;
}

static inline unsigned long last_index(const struct anon_move *move)
{
	return move->index + move->nr - 1;
}

INTERVAL_TREE_DEFINE(struct anon_move, by_index, unsigned long, last,
		     first_index, last_index, static, by_index_tree)

/**
 * anon_move_alloc - allocate a record
 * @gfp: allocation flags
 *
 * Context: any that @gfp allows.
 * Return: the record, not initialised, or NULL.
 */
struct anon_move *anon_move_alloc(gfp_t gfp)
{
	return kmem_cache_alloc(anon_move_cachep, gfp);
}

/**
 * anon_move_free - free a record that is in no map
 * @move: the record, may be NULL
 *
 * Context: any.
 */
void anon_move_free(struct anon_move *move)
{
	if (move)
		kmem_cache_free(anon_move_cachep, move);
}

static struct anon_move *to_move(struct rb_node *node)
{
	return rb_entry_safe(node, struct anon_move, by_addr);
}

/**
 * anon_moves_find - find the lowest record in a range of addresses
 * @moves: the map
 * @start: first address
 * @end: address behind the last
 *
 * Context: the caller keeps @moves from changing.
 * Return: the record, or NULL if there is none in [@start, @end).
 */
struct anon_move *anon_moves_find(const struct anon_moves *moves,
				  unsigned long start, unsigned long end)
{
	struct rb_node *node = moves->by_addr.rb_node;
	struct anon_move *found = NULL;

	while (node) {
		struct anon_move *move = to_move(node);

		if (anon_move_end(move) <= start) {
			node = node->rb_right;
		} else {
			found = move;
			node = node->rb_left;
		}
	}
	return found && found->addr < end ? found : NULL;
}

/**
 * anon_moves_next - find the next record by address
 * @move: a record
 * @end: address behind the last
 *
 * Context: the caller keeps the map from changing.
 * Return: the record, or NULL if the next one begins at or after @end.
 */
struct anon_move *anon_moves_next(const struct anon_move *move,
				  unsigned long end)
{
	struct anon_move *next = to_move(rb_next(&move->by_addr));

	return next && next->addr < end ? next : NULL;
}

/**
 * anon_moves_find_index - find a record that covers one of several indices
 * @moves: the map
 * @first: first index
 * @last: last index
 *
 * Context: the caller keeps @moves from changing.
 * Return: the record with the lowest index, or NULL.
 */
struct anon_move *anon_moves_find_index(struct anon_moves *moves,
					pgoff_t first, pgoff_t last)
{
	return by_index_tree_iter_first(&moves->by_index, first, last);
}

/**
 * anon_moves_next_index - find the next record that covers one of the indices
 * @move: what anon_moves_find_index() or this function returned
 * @first: first index
 * @last: last index
 *
 * Context: the caller keeps the map from changing.
 * Return: the record, or NULL.
 */
struct anon_move *anon_moves_next_index(struct anon_move *move,
					pgoff_t first, pgoff_t last)
{
	return by_index_tree_iter_next(move, first, last);
}

static void anon_moves_insert(struct anon_moves *moves, struct anon_move *move)
{
	struct rb_node **link = &moves->by_addr.rb_node, *parent = NULL;

	VM_WARN_ON_ONCE(!move->nr || move->index == move->addr >> PAGE_SHIFT);
	while (*link) {
		struct anon_move *other = to_move(*link);

		parent = *link;
		VM_WARN_ON_ONCE(move->addr < anon_move_end(other) &&
				other->addr < anon_move_end(move));
		if (move->addr < other->addr)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&move->by_addr, parent, link);
	rb_insert_color(&move->by_addr, &moves->by_addr);
	by_index_tree_insert(move, &moves->by_index);
	moves->nr++;
}

static void anon_moves_remove(struct anon_moves *moves, struct anon_move *move)
{
	rb_erase(&move->by_addr, &moves->by_addr);
	by_index_tree_remove(move, &moves->by_index);
	if (moves->last == move)
		moves->last = NULL;
	moves->nr--;
}

/* Change the range of a record; its place in the order of addresses stays. */
static void anon_moves_resize(struct anon_moves *moves, struct anon_move *move,
			      unsigned long start, unsigned long end)
{
	bool reorder = start != move->addr;

	if (reorder)
		by_index_tree_remove(move, &moves->by_index);
	move->index = anon_move_index(move, start);
	move->addr = start;
	move->nr = (end - start) >> PAGE_SHIFT;
	if (reorder)
		by_index_tree_insert(move, &moves->by_index);
	else
		by_index_tree_augment.propagate(&move->by_index, NULL);
}

/* Do both speak of one run of pages, possibly with a gap in between? */
static bool same_run(const struct anon_move *low, const struct anon_move *high)
{
	return anon_move_index(low, high->addr) == high->index;
}

static bool continues(const struct anon_move *low, const struct anon_move *high,
		      unsigned long bridge)
{
	return same_run(low, high) && (anon_move_end(low) == high->addr ||
				       anon_move_end(low) >= bridge);
}

/* The usual case of a long move: it goes on where it was interrupted. */
static bool extend(struct anon_moves *moves, struct anon_move *low,
		   const struct anon_move *move, unsigned long bridge)
{
	unsigned long end = anon_move_end(move);

	if (low->addr >= move->addr || !continues(low, move, bridge) ||
	    anon_moves_next(low, end + 1))
		return false;
	anon_moves_resize(moves, low, low->addr, end);
	return true;
}

/**
 * anon_moves_add - record that pages are mapped away from their index
 * @moves: the map
 * @addr: address of the first page
 * @index: folio index of the first page
 * @nr: number of pages
 * @bridge: address from which on a record may cover gaps below @addr
 * @spare: a record to use; set to NULL if it is part of @moves now
 *
 * Joins the records on both sides if they belong to the same run. A gap between
 * the preceding record and @addr is closed if it begins at or after @bridge.
 *
 * ASSUMPTIONS:
 * - No record covers any of the pages.
 * - @index is not @addr >> PAGE_SHIFT.
 * - *@spare is not NULL.
 *
 * Context: the caller has exclusive access to @moves.
 */
void anon_moves_add(struct anon_moves *moves, unsigned long addr, pgoff_t index,
		    unsigned long nr, unsigned long bridge,
		    struct anon_move **spare)
{
	unsigned long end = addr + (nr << PAGE_SHIFT);
	struct anon_move *move = *spare, *low = NULL, *high;
	struct rb_node *node = moves->by_addr.rb_node;

	VM_WARN_ON_ONCE(!move || anon_moves_find(moves, addr, end));
	move->addr = addr;
	move->index = index;
	move->nr = nr;
	if (moves->last && extend(moves, moves->last, move, bridge))
		return;

	while (node) {
		struct anon_move *other = to_move(node);

		if (other->addr < addr) {
			low = other;
			node = node->rb_right;
		} else {
			node = node->rb_left;
		}
	}
	high = low ? anon_moves_next(low, ULONG_MAX) :
		     to_move(rb_first(&moves->by_addr));

	if (high && (high->addr != end || !same_run(move, high)))
		high = NULL;
	if (low && !continues(low, move, bridge))
		low = NULL;

	if (high)
		end = anon_move_end(high);
	if (high && low) {
		anon_moves_remove(moves, high);
		anon_move_free(high);
	}
	if (low) {
		anon_moves_resize(moves, low, low->addr, end);
		moves->last = low;
	} else if (high) {
		anon_moves_resize(moves, high, addr, end);
		moves->last = high;
	} else {
		*spare = NULL;
		anon_moves_insert(moves, move);
		moves->last = move;
	}
}

/**
 * anon_moves_clip - forget what is recorded of a range of addresses
 * @moves: the map
 * @start: first address
 * @end: address behind the last
 * @spare: a record to use; set to NULL if it was used. May point to NULL.
 *
 * If the range is inside of one record, that one is cut in two, which needs
 * *@spare. Without it the record stays as it is.
 *
 * Context: the caller has exclusive access to @moves.
 * Return: false if a record stayed for want of *@spare, else true.
 */
bool anon_moves_clip(struct anon_moves *moves, unsigned long start,
		     unsigned long end, struct anon_move **spare)
{
	struct anon_move *move, *next, *tail;

	for (move = anon_moves_find(moves, start, end); move; move = next) {
		unsigned long move_end = anon_move_end(move);

		next = anon_moves_next(move, end);
		if (move->addr >= start && move_end <= end) {
			anon_moves_remove(moves, move);
			anon_move_free(move);
		} else if (move->addr >= start) {
			anon_moves_resize(moves, move, end, move_end);
		} else if (move_end <= end) {
			anon_moves_resize(moves, move, move->addr, start);
		} else {
			tail = *spare;
			if (!tail)
				return false;
			*spare = NULL;
			tail->addr = end;
			tail->index = anon_move_index(move, end);
			tail->nr = (move_end - end) >> PAGE_SHIFT;
			anon_moves_resize(moves, move, move->addr, start);
			anon_moves_insert(moves, tail);
		}
	}
	return true;
}

/**
 * anon_moves_copy - copy all records into an empty map
 * @dst: the empty map
 * @src: the map to copy
 *
 * Context: sleeps. The caller keeps @src from changing and has exclusive access
 * to @dst.
 * Return: 0, or -ENOMEM, when @dst holds the records copied so far.
 */
int anon_moves_copy(struct anon_moves *dst, const struct anon_moves *src)
{
	struct rb_node *node;

	for (node = rb_first(&src->by_addr); node; node = rb_next(node)) {
		const struct anon_move *move = to_move(node);
		struct anon_move *copy = anon_move_alloc(GFP_KERNEL);

		if (!copy)
			return -ENOMEM;
		copy->addr = move->addr;
		copy->index = move->index;
		copy->nr = move->nr;
		anon_moves_insert(dst, copy);
	}
	return 0;
}

/**
 * anon_moves_destroy - free all records
 * @moves: the map, empty afterwards
 *
 * Context: the caller has exclusive access to @moves.
 */
void anon_moves_destroy(struct anon_moves *moves)
{
	struct anon_move *move, *next;

	rbtree_postorder_for_each_entry_safe(move, next, &moves->by_addr,
					     by_addr)
		anon_move_free(move);
	anon_moves_init(moves);
}

/**
 * anon_moves_setup - create the slab cache of the records
 *
 * Context: boot.
 */
void __init anon_moves_setup(void)
{
	anon_move_cachep = KMEM_CACHE(anon_move, SLAB_PANIC | SLAB_ACCOUNT);
}
