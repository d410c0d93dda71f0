/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Types of the anonymous space, embedded in struct mm_struct.
 *
 * See mm/anon_space.c for the model and docs/locking.rst for the rules.
 */
#ifndef _LINUX_ANON_SPACE_TYPES_H
#define _LINUX_ANON_SPACE_TYPES_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/types.h>

struct anon_move;
struct anon_vma;

/**
 * struct anon_moves - where moved pages of one mm are mapped
 * @by_addr:  the records by address, which never overlap
 * @by_index: the records by folio index, an interval tree, which may overlap
 * @last:     the record that was added to last, or NULL if that is gone
 * @nr:       number of records
 *
 * A plain data structure: whoever owns it provides the locking.
 */
struct anon_moves {
	struct rb_root by_addr;
	struct rb_root_cached by_index;
	struct anon_move *last;
	unsigned long nr;
};

/**
 * struct anon_space - one mm seen as one virtual anonymous file
 * @rwsem:       the space lock: held for reading by walkers of the reverse map,
 *               for writing by whoever changes what they look at
 * @vmas:        the VMAs that may hold anonymous pages, by address
 * @anon_vma:    the mm's own file: what its new anonymous folios belong to
 * @memberships: the files whose folios this mm may map, oldest file first
 * @moves:       where to find moved folios that kept their old index
 * @id:          number of this mm, never used again
 * @parent:      @id of the mm that it was forked from, or 0
 */
struct anon_space {
	struct rw_semaphore rwsem;
	struct rb_root vmas;
	struct anon_vma *anon_vma;
	struct list_head memberships;
	struct anon_moves moves;
#ifdef CONFIG_DEBUG_ANON_SPACE
	u64 id;
	u64 parent;
#endif
};

#endif /* _LINUX_ANON_SPACE_TYPES_H */
