/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Types of the anonymous space, embedded in struct mm_struct.
 *
 * See mm/anon_space/space.c for the model, Documentation/mm/anon_space/locking.rst
 * for the rules.
 */
#ifndef _LINUX_ANON_SPACE_TYPES_H
#define _LINUX_ANON_SPACE_TYPES_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/seqlock.h>
#include <linux/types.h>

struct anon_vma;

/**
 * struct anon_map - at which offset of the mm's file an address is mapped
 * @by_addr:   the extents by address, which never overlap
 * @by_offset: the extents by offset, an interval tree, which may overlap
 * @seq:       changed under the space lock, read by anon_map_offset()
 * @nr:        number of extents
 * @lock:      the space lock, under which the map is changed; NULL if it is in none
 *
 * An address that is in no extent is mapped at the offset of its own.
 */
struct anon_map {
	struct rb_root by_addr;
	struct rb_root_cached by_offset;
	seqcount_t seq;
	unsigned int nr;
#ifdef CONFIG_LOCKDEP
	struct rw_semaphore *lock;
#endif
};

/**
 * struct anon_space - one mm seen as one virtual anonymous file
 * @rwsem:       the space lock: held for reading by walkers of the reverse map,
 *               for writing by whoever changes what they look at
 * @vmas:        the VMAs that may hold anonymous pages, by address
 * @anon_vma:    the mm's own file: what its new anonymous folios belong to. It may
 *               have had others before.
 * @memberships: the files whose folios this mm may map, oldest file first
 * @map:         at which offset of a file an address is mapped
 * @nr_forks:    forks since another file was begun, under mmap_lock
 * @looked_alone: has it looked since then which files it needs, when no relative was alive?
 * @id:          number of this mm, never used again
 * @parent:      @id of the mm that it was forked from, or 0
 */
struct anon_space {
	struct rw_semaphore rwsem;
	struct rb_root vmas;
	struct anon_vma *anon_vma;
	struct list_head memberships;
	struct anon_map map;
	unsigned int nr_forks;
	bool looked_alone;
#ifdef CONFIG_DEBUG_ANON_SPACE
	u64 id;
	u64 parent;
#endif
};

#endif /* _LINUX_ANON_SPACE_TYPES_H */
