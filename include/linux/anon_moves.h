/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_ANON_MOVES_H
#define _LINUX_ANON_MOVES_H

#include <linux/anon_space_types.h>
#include <linux/mm.h>

/**
 * struct anon_move - a run of pages mapped away from the address of their index
 * @by_addr:  node in anon_moves.by_addr
 * @by_index: node in anon_moves.by_index
 * @last:     largest index in the subtree of @by_index
 * @addr:     address of the first page
 * @index:    folio index of the first page, never @addr >> PAGE_SHIFT
 * @nr:       number of pages
 */
struct anon_move {
	struct rb_node by_addr;
	struct rb_node by_index;
	unsigned long last;
	unsigned long addr;
	pgoff_t index;
	unsigned long nr;
};

static inline unsigned long anon_move_end(const struct anon_move *move)
{
	return move->addr + (move->nr << PAGE_SHIFT);
}

/* The index of the page that @move finds at @addr, or would find below it. */
static inline pgoff_t anon_move_index(const struct anon_move *move,
				      unsigned long addr)
{
	return move->index + (addr >> PAGE_SHIFT) - (move->addr >> PAGE_SHIFT);
}

/* The address where @move finds the page with this @index. */
static inline unsigned long anon_move_addr(const struct anon_move *move,
					   pgoff_t index)
{
	return move->addr + ((index - move->index) << PAGE_SHIFT);
}

static inline void anon_moves_init(struct anon_moves *moves)
{
	moves->by_addr = RB_ROOT;
	moves->by_index = RB_ROOT_CACHED;
	moves->last = NULL;
	moves->nr = 0;
}

struct anon_move *anon_move_alloc(gfp_t gfp);
void anon_move_free(struct anon_move *move);

struct anon_move *anon_moves_find(const struct anon_moves *moves,
				  unsigned long start, unsigned long end);
struct anon_move *anon_moves_next(const struct anon_move *move,
				  unsigned long end);
struct anon_move *anon_moves_find_index(struct anon_moves *moves,
					pgoff_t first, pgoff_t last);
struct anon_move *anon_moves_next_index(struct anon_move *move,
					pgoff_t first, pgoff_t last);

void anon_moves_add(struct anon_moves *moves, unsigned long addr, pgoff_t index,
		    unsigned long nr, unsigned long bridge,
		    struct anon_move **spare);
bool anon_moves_clip(struct anon_moves *moves, unsigned long start,
		     unsigned long end, struct anon_move **spare);
int anon_moves_copy(struct anon_moves *dst, const struct anon_moves *src);
void anon_moves_destroy(struct anon_moves *moves);

void __init anon_moves_setup(void);

#endif /* _LINUX_ANON_MOVES_H */
