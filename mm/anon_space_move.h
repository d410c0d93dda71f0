/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MM_ANON_SPACE_MOVE_H
#define _MM_ANON_SPACE_MOVE_H

#include <linux/anon_space.h>
#include <linux/mm.h>

struct anon_move;

/**
 * enum anon_space_look - how closely a present entry has to be looked at
 * @ANON_SPACE_LOOK_CLOSE: it may map a page of any kind
 * @ANON_SPACE_LOOK_PLAIN: it maps an anonymous page, or the zero page
 * @ANON_SPACE_LOOK_AWAY:  the same, and the run goes on over all entries that
 *                         are not writable
 */
enum anon_space_look {
	ANON_SPACE_LOOK_CLOSE,
	ANON_SPACE_LOOK_PLAIN,
	ANON_SPACE_LOOK_AWAY,
};

/**
 * struct anon_space_move - a move of page table entries within one mm
 * @vma:       the VMA that they are moved from
 * @old_start: first address to move from
 * @old_end:   address behind the last
 * @new_start: first address to move to
 * @delta:     number of pages from the new addresses to the old ones
 * @bridge:    address from which on a record may cover gaps
 * @look:      how closely entries have to be looked at
 * @anon:      may there be anonymous pages at all?
 * @fresh:     is no page found by a record so far?
 * @uniform:   is one record enough for all pages that keep their index?
 * @back:      does this bring back what could be moved only in part?
 * @locked:    is the space lock held?
 * @spare:     a record for the next run, or NULL
 * @run_delta: how far the indices of the pages kept since the space lock was
 *             taken are from those of their addresses, 0 if there are none
 * @run_start: address of the first of them
 * @run_last:  address of the last
 */
struct anon_space_move {
	struct vm_area_struct *vma;
	unsigned long old_start;
	unsigned long old_end;
	unsigned long new_start;
	pgoff_t delta;
	unsigned long bridge;
	enum anon_space_look look;
	bool anon;
	bool fresh;
	bool uniform;
	bool back;
	bool locked;
	struct anon_move *spare;
	pgoff_t run_delta;
	unsigned long run_start;
	unsigned long run_last;
};

int anon_space_move_begin(struct anon_space_move *move,
			  struct vm_area_struct *vma, unsigned long old_addr,
			  unsigned long new_addr, unsigned long len);
void anon_space_move_back(struct anon_space_move *move,
			  struct vm_area_struct *vma, unsigned long moved);
void anon_space_move_end(struct anon_space_move *move);

int anon_space_move_reserve(struct anon_space_move *move);
bool __anon_space_move_may_table(struct anon_space_move *move,
				 unsigned long old_addr, unsigned long new_addr,
				 unsigned long size);

void __anon_space_move_lock(struct anon_space_move *move);
void anon_space_move_unlock(struct anon_space_move *move);
void __anon_space_move_table(struct anon_space_move *move,
			     unsigned long old_addr, unsigned long new_addr,
			     unsigned long size);
bool __anon_space_move_pte(struct anon_space_move *move, pte_t *ptep, pte_t pte,
			   unsigned long old_addr, unsigned long new_addr);
bool __anon_space_move_pmd(struct anon_space_move *move, pmd_t pmd,
			   unsigned long new_addr);
bool anon_space_move_hugetlb(struct anon_space_move *move, pte_t pte,
			     unsigned long new_addr);

/* Has an entry not been moved for want of a record, and is there one now? */
static inline bool anon_space_move_retry(struct anon_space_move *move)
{
	return move->anon && !move->spare && !anon_space_move_reserve(move);
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
	if (move->anon && !move->locked)
		__anon_space_move_lock(move);
}

/* Does a table that moves as a whole continue the run of those before it? */
static inline bool anon_space_move_goes_on(struct anon_space_move *move)
{
	return move->uniform && move->run_delta == move->delta;
}

/**
 * anon_space_move_may_table - may a page table be moved as a whole?
 * @move: the move
 * @old_addr: address that the page table maps
 * @new_addr: address that it is to map
 * @size: bytes that it maps
 *
 * Context: sleeps. mmap_lock held for writing. May take or release the space
 * lock.
 * Return: whether one record will do for all its pages, and is at hand if it is
 * needed.
 */
static inline bool anon_space_move_may_table(struct anon_space_move *move,
					     unsigned long old_addr,
					     unsigned long new_addr,
					     unsigned long size)
{
	return !move->anon || anon_space_move_goes_on(move) ||
	       __anon_space_move_may_table(move, old_addr, new_addr, size);
}

/**
 * anon_space_move_table - a whole page table has been moved
 * @move: the move
 * @old_addr: address that it mapped
 * @new_addr: address that it maps
 * @size: bytes that it maps
 *
 * ASSUMPTIONS: anon_space_move_may_table() was asked before the space lock was
 * taken for this table or one before it.
 *
 * Context: space lock held by anon_space_move_lock().
 */
static inline void anon_space_move_table(struct anon_space_move *move,
					 unsigned long old_addr,
					 unsigned long new_addr,
					 unsigned long size)
{
	if (move->anon)
		anon_space_assert_write_locked(move->vma->vm_mm);
	if (anon_space_move_goes_on(move) && old_addr + size <= move->old_end)
		move->run_last = new_addr + size - PAGE_SIZE;
	else if (move->anon)
		__anon_space_move_table(move, old_addr, new_addr, size);
}

/* Context: as anon_space_move_pte(). */
static inline void anon_space_rewrite_index(struct folio *folio,
					    unsigned long new_addr)
{
	if (!anon_space_fault(ANON_SPACE_FAULT_KEEP_INDEX))
		WRITE_ONCE(folio->index, new_addr >> PAGE_SHIFT);
}

/**
 * anon_space_move_relax - give up the space lock if it should not be kept
 * @move: the move
 * @new_addr: where the next entry moves to
 *
 * The lock is kept from one table or huge page to the next, unless somebody
 * waits, and not longer than up to the next boundary of a PUD: until then there
 * is a page table for PMDs already, so none has to be allocated.
 *
 * Context: mmap_lock held for writing. May release the space lock.
 */
static inline void anon_space_move_relax(struct anon_space_move *move,
					 unsigned long new_addr)
{
	if (move->locked &&
	    (!(new_addr & ~PUD_MASK) || need_resched() ||
	     rwsem_is_contended(&move->vma->vm_mm->anon_space.rwsem)))
		anon_space_move_unlock(move);
}

/**
 * anon_space_move_small - the usual cases of anon_space_move_pte()
 * @move: the move
 * @pte: value of the entry, may be none
 * @new_addr: address that it moves to
 *
 * A small page of our own gets its new index. One that may be shared becomes
 * part of the run, if it is the next one or behind a gap. The run also covers the
 * entries in between: those of other pages are found at their own index, and a
 * shared swap entry costs a copy when it is swapped in. A move does little else
 * for each page: all of it is in here, and nothing that can be done without. So
 * PageCompound() and PageAnonExclusive() are one test, and whether the page is
 * still shared is asked at the start of a run only. The index of a page that is
 * not anonymous means nothing, and does no harm here.
 *
 * Once there is a run, and no page was found by a record before, the page of an
 * entry that is not writable is not even looked at: it keeps its index, as those
 * of a table do that moves as a whole. It may be our own, which the next move
 * finds.
 *
 * Context: as anon_space_move_pte().
 * Return: whether it is one of these.
 */
static inline bool anon_space_move_small(struct anon_space_move *move,
					 pte_t pte, unsigned long new_addr)
{
	unsigned long flags;
	struct page *page;

	if (unlikely(move->look != ANON_SPACE_LOOK_PLAIN)) {
		if (move->look == ANON_SPACE_LOOK_CLOSE || !pte_present(pte))
			return false;
		if (!pte_write(pte)) {
			anon_space_assert_write_locked(move->vma->vm_mm);
			move->run_last = new_addr;
			return true;
		}
	} else if (!pte_present(pte)) {
		return false;
	}
	anon_space_assert_write_locked(move->vma->vm_mm);
	page = pte_page(pte);
	flags = READ_ONCE(page->flags) &
		(BIT(PG_head) | BIT(PG_anon_exclusive));
	if (page->compound_head & 1)
		return false;
	if (likely(flags == BIT(PG_anon_exclusive))) {
		anon_space_rewrite_index((struct folio *)page, new_addr);
		return true;
	}
	/* Without a run this is about one that is found by its address. */
	if (flags || page->index - (new_addr >> PAGE_SHIFT) != move->run_delta)
		return false;
	move->run_last = new_addr;
	return true;
}

/**
 * anon_space_move_pte - prepare the reverse map for the move of one entry
 * @move: the move
 * @ptep: the entry, followed by the other ones of the page table
 * @pte: its value
 * @old_addr: address that it moves from
 * @new_addr: address that it moves to
 *
 * Context: space lock held by anon_space_move_lock(), and the page table lock.
 * Return: false if anon_space_move_reserve() has to come first. Then the entry
 * must not be moved yet.
 */
static inline bool anon_space_move_pte(struct anon_space_move *move,
				       pte_t *ptep, pte_t pte,
				       unsigned long old_addr,
				       unsigned long new_addr)
{
	return !move->anon ||
	       __anon_space_move_pte(move, ptep, pte, old_addr, new_addr);
}

/**
 * anon_space_move_pmd - prepare the reverse map for the move of a huge page
 * @move: the move
 * @pmd: its entry, present or of a migration
 * @new_addr: address that it moves to
 *
 * Context: as anon_space_move_pte().
 * Return: as anon_space_move_pte().
 */
static inline bool anon_space_move_pmd(struct anon_space_move *move, pmd_t pmd,
				       unsigned long new_addr)
{
	struct folio *folio;

	if (move->look != ANON_SPACE_LOOK_CLOSE && !move->run_delta &&
	    pmd_present(pmd)) {
		anon_space_assert_write_locked(move->vma->vm_mm);
		folio = page_folio(pmd_page(pmd));
		/* The huge zero page has no such flag. */
		if (READ_ONCE(folio->flags) & BIT(PG_anon_exclusive)) {
			anon_space_rewrite_index(folio, new_addr);
			move->bridge = new_addr + PMD_SIZE;
			return true;
		}
	}
	return !move->anon || __anon_space_move_pmd(move, pmd, new_addr);
}

#endif /* _MM_ANON_SPACE_MOVE_H */
