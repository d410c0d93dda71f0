/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_ANON_SPACE_H
#define _LINUX_ANON_SPACE_H

#include <linux/anon_space_types.h>
#include <linux/atomic.h>
#include <linux/mm_types.h>

/**
 * struct anon_vma - identity of one mm's virtual anonymous file
 * @rwsem:      the file lock: protects @members, @nr_members and @owner
 * @refcount:   one for each membership and for whoever else keeps a pointer
 * @nr_members: length of @members
 * @owner:      the mm whose folios come here, or came when they were new; NULL when
 *              it has exited
 * @members:    the memberships of all mms that may map folios of this file, an
 *              mm always behind the one that it was forked from
 *
 * folio->mapping of an anonymous folio points here. The name is that of the
 * object which it replaces.
 */
struct anon_vma {
	struct rw_semaphore rwsem;
	atomic_t refcount;
	unsigned int nr_members;
	struct mm_struct *owner;
	struct list_head members;
};

/**
 * struct anon_membership - an mm may map folios of a file
 * @mm:       the mm
 * @anon_vma: the file, on which this holds a reference
 * @in_file:  entry in anon_vma.members, under the file lock
 * @in_mm:    entry in anon_space.memberships; added before the mm is seen by
 *            others, with its first anonymous fault or when it is forked; removed by its
 *            exit or, if it has no page of the file, when it is forked
 */
struct anon_membership {
	struct mm_struct *mm;
	struct anon_vma *anon_vma;
	struct list_head in_file;
	struct list_head in_mm;
};

#ifdef CONFIG_MMU
void __put_anon_vma(struct anon_vma *anon_vma);

static inline void get_anon_vma(struct anon_vma *anon_vma)
{
	atomic_inc(&anon_vma->refcount);
}

static inline void put_anon_vma(struct anon_vma *anon_vma)
{
	if (atomic_dec_and_test(&anon_vma->refcount))
		__put_anon_vma(anon_vma);
}

static inline void anon_vma_lock_write(struct anon_vma *anon_vma)
{
	down_write(&anon_vma->rwsem);
}

static inline int anon_vma_trylock_write(struct anon_vma *anon_vma)
{
	return down_write_trylock(&anon_vma->rwsem);
}

static inline void anon_vma_unlock_write(struct anon_vma *anon_vma)
{
	up_write(&anon_vma->rwsem);
}

static inline void anon_vma_lock_read(struct anon_vma *anon_vma)
{
	down_read(&anon_vma->rwsem);
}

static inline int anon_vma_trylock_read(struct anon_vma *anon_vma)
{
	return down_read_trylock(&anon_vma->rwsem);
}

static inline void anon_vma_unlock_read(struct anon_vma *anon_vma)
{
	up_read(&anon_vma->rwsem);
}

void anon_vma_init(void);

void anon_space_init(struct mm_struct *mm);
int anon_space_fork(struct mm_struct *mm, struct mm_struct *oldmm);
int anon_space_inherit_vma(struct vm_area_struct *vma,
			   struct vm_area_struct *old);
void anon_space_merge_vmas(struct mm_struct *mm);
int __anon_vma_prepare(struct vm_area_struct *vma);
#else
static inline void anon_space_init(struct mm_struct *mm)
{
}
#endif /* CONFIG_MMU */

#endif /* _LINUX_ANON_SPACE_H */
