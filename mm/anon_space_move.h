/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MM_ANON_SPACE_MOVE_H
#define _MM_ANON_SPACE_MOVE_H

#include <linux/anon_space.h>
#include <linux/mm.h>

struct anon_move;

/**
 * struct anon_space_move - a move of page table entries within one mm
 * @vma:       the VMA that they are moved from
 * @old_start: first address to move from
 * @old_end:   address behind the last
 * @new_start: first address to move to
 * @bridge:    address from which on a record may cover gaps
 * @anon:      may there be anonymous pages at all?
 * @plain:     are all pages anonymous ones, or the zero page?
 * @back:      does this bring back what could be moved only in part?
 * @spare:     a record for the next run, or NULL
 * @run_addr:  address of the pages kept since the space lock was taken
 * @run_index: index of the first of them
 * @run_nr:    their number, 0 if there are none
 */
struct anon_space_move {
	struct vm_area_struct *vma;
	unsigned long old_start;
	unsigned long old_end;
	unsigned long new_start;
	unsigned long bridge;
	bool anon;
	bool plain;
	bool back;
	struct anon_move *spare;
	unsigned long run_addr;
	pgoff_t run_index;
	unsigned long run_nr;
};

int anon_space_move_begin(struct anon_space_move *move,
			  struct vm_area_struct *vma, unsigned long old_addr,
			  unsigned long new_addr, unsigned long len);
void anon_space_move_back(struct anon_space_move *move,
			  struct vm_area_struct *vma, unsigned long moved);
void anon_space_move_end(struct anon_space_move *move);

int anon_space_move_reserve(struct anon_space_move *move);
bool anon_space_move_may_table(struct anon_space_move *move,
			       unsigned long old_addr, unsigned long new_addr,
			       unsigned long size);

void anon_space_move_lock(struct anon_space_move *move);
void anon_space_move_unlock(struct anon_space_move *move);
void anon_space_move_table(struct anon_space_move *move, unsigned long old_addr,
			   unsigned long new_addr, unsigned long size);
bool __anon_space_move_pte(struct anon_space_move *move, pte_t *ptep, pte_t pte,
			   unsigned long old_addr, unsigned long new_addr);
bool anon_space_move_pmd(struct anon_space_move *move, pmd_t pmd,
			 unsigned long new_addr);
bool anon_space_move_hugetlb(struct anon_space_move *move, pte_t pte,
			     unsigned long new_addr);

/* Has an entry not been moved for want of a record, and is there one now? */
static inline bool anon_space_move_retry(struct anon_space_move *move)
{
	return move->anon && !move->spare && !anon_space_move_reserve(move);
}

/* Context: as anon_space_move_pte(). */
static inline void anon_space_rewrite_index(struct folio *folio,
					    unsigned long new_addr)
{
	if (!anon_space_fault(ANON_SPACE_FAULT_KEEP_INDEX))
		WRITE_ONCE(folio->index, new_addr >> PAGE_SHIFT);
}

/*
 * If pages with this index are the next of the run, or behind a gap, they become
 * part of it. The run also covers the entries in between: those of other pages
 * are found at their own index, and a shared swap entry costs a copy when it is
 * swapped in. While moving back it has to be seen first whether a record is
 * needed at all.
 */
static inline bool anon_space_move_continues(struct anon_space_move *move,
					     pgoff_t index,
					     unsigned long new_addr,
					     unsigned long nr)
{
	unsigned long offset = index - move->run_index;

	if (!move->run_nr || move->back ||
	    offset != (new_addr - move->run_addr) >> PAGE_SHIFT)
		return false;
	move->run_nr = offset + nr;
	return true;
}

/*
 * Is it the only page of its folio, and mapped by nobody else? A move does little
 * else for each page, so this is PageCompound() and PageAnonExclusive() in one.
 */
static inline bool anon_space_is_small_exclusive(struct page *page)
{
	unsigned long mask = BIT(PG_head) | BIT(PG_anon_exclusive);

	return likely((READ_ONCE(page->flags) & mask) ==
		      BIT(PG_anon_exclusive) &&
		      !(READ_ONCE(page->compound_head) & 1));
}

/* A small page of an anonymous VMA which relatives share, and not a KSM page? */
static inline bool anon_space_is_small_shared(struct page *page)
{
	return !PageCompound(page) &&
	       ((unsigned long)page->mapping & PAGE_MAPPING_FLAGS) ==
		       PAGE_MAPPING_ANON &&
	       folio_mapcount((struct folio *)page) > 1;
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
	struct folio *folio;

	if (likely(move->plain && pte_present(pte))) {
		folio = (struct folio *)pte_page(pte);
		if (anon_space_is_small_exclusive(&folio->page)) {
			anon_space_rewrite_index(folio, new_addr);
			return true;
		}
		if (anon_space_is_small_shared(&folio->page) &&
		    (folio->index == new_addr >> PAGE_SHIFT ||
		     anon_space_move_continues(move, folio->index, new_addr,
					       1)))
			return true;
	}
	return !move->anon ||
	       __anon_space_move_pte(move, ptep, pte, old_addr, new_addr);
}

#endif /* _MM_ANON_SPACE_MOVE_H */
