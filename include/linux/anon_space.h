/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_ANON_SPACE_H
#define _LINUX_ANON_SPACE_H

#include <linux/anon_map.h>
#include <linux/anon_space_debug.h>
#include <linux/anon_space_types.h>
#include <linux/atomic.h>
#include <linux/mm_types.h>

struct folio;
struct page;
struct rmap_walk_control;

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

/**
 * anon_space_file - the file for a folio that is only ours
 * @mm: an mm that has a VMA with an anon_vma
 *
 * Context: as anon_space_is_member().
 * Return: the file.
 */
static inline struct anon_vma *anon_space_file(struct mm_struct *mm)
{
	/* Another one may become that meanwhile, and either will do. */
	return READ_ONCE(mm->anon_space.anon_vma);
}

static inline void anon_space_lock_write(struct mm_struct *mm)
{
	down_write(&mm->anon_space.rwsem);
}

static inline void anon_space_unlock_write(struct mm_struct *mm)
{
	up_write(&mm->anon_space.rwsem);
}

static inline void anon_space_lock_read(struct mm_struct *mm)
{
	down_read(&mm->anon_space.rwsem);
}

static inline void anon_space_unlock_read(struct mm_struct *mm)
{
	up_read(&mm->anon_space.rwsem);
}

/* Walks are too frequent to ask on every kernel. */
#define ANON_SPACE_ASSERTS \
	(IS_ENABLED(CONFIG_DEBUG_VM) || IS_ENABLED(CONFIG_LOCKDEP))

static inline void anon_space_assert_locked(struct mm_struct *mm)
{
	if (ANON_SPACE_ASSERTS)
		rwsem_assert_held(&mm->anon_space.rwsem);
}

static inline void anon_space_assert_write_locked(struct mm_struct *mm)
{
	if (ANON_SPACE_ASSERTS)
		rwsem_assert_held_write(&mm->anon_space.rwsem);
}

void anon_vma_init(void);

void anon_space_init(struct mm_struct *mm);
int anon_space_fork(struct mm_struct *mm, struct mm_struct *oldmm);
int anon_space_inherit_vma(struct vm_area_struct *vma,
			   struct vm_area_struct *old);
void anon_space_exit(struct mm_struct *mm);

int __anon_vma_prepare(struct vm_area_struct *vma);
void anon_space_attach_vma(struct vm_area_struct *vma);
void anon_space_forget_vma(struct vm_area_struct *vma);
struct vm_area_struct *anon_space_stand_in(struct vma_iterator *vmi,
					   struct vm_area_struct *vma,
					   struct vm_area_struct *stand_in,
					   unsigned long start,
					   unsigned long end);
void anon_space_replace_vma(struct vm_area_struct *vma,
			    struct vm_area_struct *stand_in);
void __anon_space_attach_vma(struct vm_area_struct *vma);
void __anon_space_detach_vma(struct vm_area_struct *vma);
struct vm_area_struct *__anon_space_find_vma(struct mm_struct *mm,
					     unsigned long start,
					     unsigned long end);
struct vm_area_struct *__anon_space_next_vma(struct vm_area_struct *vma,
					     unsigned long end);

bool anon_space_is_member(struct mm_struct *mm, struct anon_vma *anon_vma);
struct anon_vma *anon_space_oldest_file(struct mm_struct *mm);
struct anon_vma *anon_space_family_file(struct mm_struct *mm);
void anon_space_begin_file(struct mm_struct *mm);
void anon_space_merge_vmas(struct mm_struct *mm);
int anon_space_use_new_file(struct mm_struct *mm);
void anon_space_leave(struct anon_membership *membership);
bool anon_space_fits(struct vm_area_struct *vma, unsigned long addr,
		     struct folio *folio, struct page *page);
unsigned long anon_space_address(struct vm_area_struct *vma, pgoff_t offset);
bool anon_space_has_room(struct mm_struct *mm, unsigned long old,
			 unsigned long new, unsigned long len);
void __anon_space_grow(struct mm_struct *mm, unsigned long end,
		       unsigned long new_end);
void __anon_space_level(struct mm_struct *mm, unsigned long start,
			unsigned long end);
void __anon_space_trim(struct mm_struct *mm, unsigned long start,
		       unsigned long end);

/**
 * anon_space_run - offset of an address in the mm's file, and how far it goes on
 * @mm: the mm
 * @addr: the address
 * @end: set to the address up to which the offset goes on evenly
 *
 * Context: any. What is at @addr keeps still: mmap_lock, the lock of an attached
 * VMA there or the space lock is held.
 * Return: the offset in pages: the index of an anonymous page mapped there (INV-4).
 */
static inline pgoff_t anon_space_run(struct mm_struct *mm, unsigned long addr,
				     unsigned long *end)
{
	/* If @addr is in an extent, there is one all the time. */
	if (likely(!READ_ONCE(mm->anon_space.map.nr))) {
		*end = ULONG_MAX;
		return addr >> PAGE_SHIFT;
	}
	return anon_map_offset(&mm->anon_space.map, addr, end);
}

/**
 * anon_space_offset - offset of an address in the mm's file
 * @mm: the mm
 * @addr: the address
 *
 * Context: as anon_space_run().
 * Return: the offset in pages.
 */
static inline pgoff_t anon_space_offset(struct mm_struct *mm,
					unsigned long addr)
{
	unsigned long end;

	return anon_space_run(mm, addr, &end);
}

/**
 * anon_space_is_even - may one folio be mapped here?
 * @mm: the mm
 * @start: first address
 * @end: address behind the last
 *
 * Context: as anon_space_run(), for all of the range.
 * Return: whether the offset goes on evenly over the range.
 */
static inline bool anon_space_is_even(struct mm_struct *mm, unsigned long start,
				      unsigned long end)
{
	unsigned long run_end;

	anon_space_run(mm, start, &run_end);
	return run_end >= end;
}

/**
 * anon_space_grow - a VMA has grown at its end, by mremap()
 * @mm: the mm
 * @end: where it ended
 * @new_end: where it ends now
 *
 * Context: sleeps. mmap_lock held for writing, and the VMA locked. May take the
 * space lock.
 */
static inline void anon_space_grow(struct mm_struct *mm, unsigned long end,
				   unsigned long new_end)
{
	if (unlikely(mm->anon_space.map.nr))
		__anon_space_grow(mm, end, new_end);
}

/**
 * anon_space_level - let one folio be mapped where nothing is mapped now
 * @mm: the mm
 * @start: first address
 * @end: address behind the last
 *
 * Context: as anon_space_grow().
 */
static inline void anon_space_level(struct mm_struct *mm, unsigned long start,
				    unsigned long end)
{
	if (unlikely(!anon_space_is_even(mm, start, end)))
		__anon_space_level(mm, start, end);
}

/**
 * anon_space_trim - a part of a VMA has been emptied, by mremap()
 * @mm: the mm
 * @start: first address
 * @end: address behind the last
 *
 * Context: as anon_space_grow().
 */
static inline void anon_space_trim(struct mm_struct *mm, unsigned long start,
				   unsigned long end)
{
	if (unlikely(mm->anon_space.map.nr))
		__anon_space_trim(mm, start, end);
}

/**
 * anon_space_detach_vma - hide a VMA without pages from the reverse map
 * @vma: the VMA, whose pages have been unmapped or moved elsewhere
 *
 * Does nothing after anon_space_exit(), which hides all of them.
 *
 * Context: as anon_space_forget_vma().
 */
static inline void anon_space_detach_vma(struct vm_area_struct *vma)
{
	if (vma->anon_vma && vma->vm_mm->anon_space.anon_vma)
		anon_space_forget_vma(vma);
}

void anon_space_walk_folio(struct anon_vma *anon_vma, struct folio *folio,
			   struct rmap_walk_control *rwc);
bool anon_space_walk_range(struct mm_struct *mm, unsigned long start,
			   unsigned long end, struct folio *folio,
			   struct rmap_walk_control *rwc);
#else
static inline void anon_space_init(struct mm_struct *mm)
{
}
#endif /* CONFIG_MMU */

#ifdef CONFIG_DEBUG_ANON_SPACE
void anon_space_validate_vmas(struct mm_struct *mm);
void anon_space_check_hidden(struct mm_struct *mm, unsigned long start,
			     unsigned long end);
#else
static inline void anon_space_validate_vmas(struct mm_struct *mm)
{
}

static inline void anon_space_check_hidden(struct mm_struct *mm,
					   unsigned long start,
					   unsigned long end)
{
}
#endif

#endif /* _LINUX_ANON_SPACE_H */
