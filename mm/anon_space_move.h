/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MM_ANON_SPACE_MOVE_H
#define _MM_ANON_SPACE_MOVE_H

#include <linux/anon_space.h>
#include <linux/mm.h>

#include "anon_space_trace.h"

/**
 * struct anon_space_move - a move of page table entries within one mm
 * @vma:       the VMA that they are moved from
 * @old_start: first address to move from
 * @old_end:   address behind the last
 * @new_start: first address to move to
 * @keep_from: address to move from, from which on all pages keep their index
 * @split:     a large folio to be split before a part of it moves, referenced
 * @may_split: how many may still be split
 * @splits:    how many were split
 * @tables:    how many page tables moved as a whole
 * @anon:      may there be anonymous pages at all?
 * @plain:     does each present entry map an anonymous page or the zero page?
 * @few:       are there so few pages that each is worth some trouble to have no extent?
 * @stack:     is it the stack of a new program, whose pages nobody shares?
 * @back:      does this bring back what could be moved only in part?
 * @locked:    is the space lock held?
 */
struct anon_space_move {
	struct vm_area_struct *vma;
	unsigned long old_start;
	unsigned long old_end;
	unsigned long new_start;
	unsigned long keep_from;
	struct folio *split;
	unsigned int may_split;
	unsigned int splits;
	unsigned int tables;
	bool anon;
	bool plain;
	bool few;
	bool stack;
	bool back;
	bool locked;
};

void anon_space_move_begin(struct anon_space_move *move,
			   struct vm_area_struct *vma, unsigned long old_addr,
			   unsigned long new_addr, unsigned long len);
void anon_space_move_back(struct anon_space_move *move,
			  struct vm_area_struct *vma, unsigned long moved);
int __anon_space_move_keep(struct anon_space_move *move,
			   unsigned long old_addr);
bool anon_space_move_pte(struct anon_space_move *move, pte_t *ptep, pte_t pte,
			 unsigned long old_addr, unsigned long new_addr);
bool __anon_space_move_pmd(struct anon_space_move *move, pmd_t pmd,
			   unsigned long new_addr);
bool anon_space_move_hugetlb(struct anon_space_move *move, pte_t pte,
			     unsigned long old_addr, unsigned long new_addr);

bool anon_space_split(struct folio *folio);
unsigned long anon_space_move_pages(struct mm_struct *mm, unsigned long old,
				    unsigned long new, unsigned long len);
unsigned long anon_space_keep_pages(struct mm_struct *mm, unsigned long old,
				    unsigned long new, unsigned long len);

/* In mm/mremap.c. */
unsigned long move_rewritten_ptes(struct anon_space_move *move,
				  unsigned long old_addr, pte_t *old_pte,
				  unsigned long new_addr, pte_t *new_pte,
				  unsigned long nr, bool need_clear_uffd_wp,
				  bool *force_flush);

bool anon_space_may_stay(struct vm_area_struct *vma, unsigned long addr,
			 unsigned long len);
void anon_space_take_place(struct vm_area_struct *vma,
			   struct vm_area_struct *stand_in);
void anon_space_withdraw(struct vm_area_struct *stand_in);
int anon_space_remove_emptied(struct mm_struct *mm, unsigned long start,
			      unsigned long end, struct list_head *uf);

/**
 * anon_space_is_plain - does nobody but its mm know of a VMA?
 * @vma: the VMA
 *
 * Context: any.
 * Return: whether it is anonymous memory without a file and without page frames of a
 * device.
 */
static inline bool anon_space_is_plain(const struct vm_area_struct *vma)
{
	return !vma->vm_ops && !vma->vm_file &&
	       !(vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP));
}

/**
 * anon_space_move_lock - keep walkers of the reverse map out
 * @move: the move
 *
 * Context: sleeps. mmap_lock held for writing. Takes the space lock unless @move
 * has it.
 */
static inline void anon_space_move_lock(struct anon_space_move *move)
{
	if (move->anon && !move->locked) {
		anon_space_lock_write(move->vma->vm_mm);
		move->locked = true;
	}
}

/**
 * anon_space_move_unlock - let walkers see what was moved
 * @move: the move
 *
 * Context: releases the space lock if @move has it.
 */
static inline void anon_space_move_unlock(struct anon_space_move *move)
{
	if (move->locked) {
		move->locked = false;
		anon_space_unlock_write(move->vma->vm_mm);
	}
}

/**
 * anon_space_move_relax - give up the space lock if it should not be kept
 * @move: the move
 * @new_addr: where the next entry moves to
 *
 * The lock is kept from one table or huge page to the next, unless somebody
 * waits, and not longer than up to the next boundary of a PUD: until then there
 * is a page table for PMDs already, so none has to be allocated. With PREEMPT_RT,
 * where nobody can say whether somebody waits, a waiter of higher priority lends it
 * to us, and we are done with at most 512 entries soon.
 *
 * Context: mmap_lock held for writing. May release the space lock.
 */
static inline void anon_space_move_relax(struct anon_space_move *move,
					 unsigned long new_addr)
{
	struct rw_semaphore *rwsem = &move->vma->vm_mm->anon_space.rwsem;

	/* There it says so of each lock that is held. */
	const bool knows_waiters = !IS_ENABLED(CONFIG_PREEMPT_RT);

	if (move->locked &&
	    (!(new_addr & ~PUD_MASK) || need_resched() ||
	     (knows_waiters && rwsem_is_contended(rwsem))))
		anon_space_move_unlock(move);
}

/**
 * anon_space_move_end - entries have been moved
 * @move: the move
 * @moved: number of bytes that were moved
 *
 * Context: mmap_lock held for writing.
 */
static inline void anon_space_move_end(const struct anon_space_move *move,
				       unsigned long moved)
{
	if (IS_ENABLED(CONFIG_ANON_SPACE_STATS) ||
	    trace_anon_space_move_enabled()) {
		if (move->anon && moved)
			__anon_space_move_end(move, moved);
	}
}

/* Is the index of what is mapped there to be rewritten, so far? */
static inline bool anon_space_move_rewrites(const struct anon_space_move *move,
					    unsigned long old_addr)
{
	return old_addr < move->keep_from;
}

/**
 * anon_space_move_keep - what follows is moved without a look
 * @move: the move
 * @old_addr: where it begins: a whole table, or an entry whose page cannot get a new
 *            index
 *
 * Gives the destination the offsets of the source, from there to the end, so that
 * all pages may keep their index. If a large folio stood in the way it may have been
 * split instead, and entries are to be looked at as before.
 *
 * Context: sleeps. mmap_lock held for writing. If there is something to do, releases
 * the space lock and takes it in between.
 * Return: 0, or -ENOMEM. While moving back it does not fail.
 */
static inline int anon_space_move_keep(struct anon_space_move *move,
				       unsigned long old_addr)
{
	if (!anon_space_move_rewrites(move, old_addr))
		return 0;
	anon_space_move_unlock(move);
	return __anon_space_move_keep(move, old_addr);
}

/**
 * anon_space_move_small - give a small page of our own a new index
 * @page: a page that an entry of a private anonymous VMA maps
 * @index: the index
 *
 * A move does little else for each page. So PageHead() and PageAnonExclusive(), which
 * are bits of one word, are one test here, and the page is taken for its folio after
 * that. The zero page has neither bit. PageTail() asks for pages of hugetlb as well,
 * which are not mapped here.
 *
 * Context: space lock held for writing, and the page table lock of the entry.
 * Return: false if it is something else.
 */
static inline bool anon_space_move_small(struct page *page, pgoff_t index)
{
	const unsigned long mask = BIT(PG_head) | BIT(PG_anon_exclusive);

	if ((READ_ONCE(page->flags) & mask) != BIT(PG_anon_exclusive) ||
	    (READ_ONCE(page->compound_head) & 1))
		return false;
	VM_WARN_ON_ONCE_PAGE(!PageAnon(page) || PageCompound(page), page);
	WRITE_ONCE(((struct folio *)page)->index, index);
	return true;
}

/**
 * anon_space_move_pmd - give a huge page the index of its new address
 * @move: the move
 * @pmd: its entry, present or of a migration
 * @old_addr: address that it moves from
 * @new_addr: address that it moves to
 *
 * Context: as anon_space_move_pte().
 * Return: as anon_space_move_pte().
 */
static inline bool anon_space_move_pmd(struct anon_space_move *move, pmd_t pmd,
				       unsigned long old_addr,
				       unsigned long new_addr)
{
	struct folio *folio;

	if (!anon_space_move_rewrites(move, old_addr))
		return true;
	/* The usual case: our own page, and the offset is that of the address. */
	if (move->plain && pmd_present(pmd) &&
	    !move->vma->vm_mm->anon_space.map.nr) {
		folio = page_folio(pmd_page(pmd));
		if (folio_test_anon(folio) && PageAnonExclusive(&folio->page)) {
			WRITE_ONCE(folio->index, new_addr >> PAGE_SHIFT);
			return true;
		}
	}
	return __anon_space_move_pmd(move, pmd, new_addr);
}

#endif /* _MM_ANON_SPACE_MOVE_H */
