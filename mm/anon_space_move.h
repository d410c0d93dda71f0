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
 * @anon:      may there be anonymous pages at all?
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
	bool anon;
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
 * Is a page with this index the next of the run, or one behind a gap? While
 * moving back it has to be seen first whether a record is needed at all.
 */
static inline bool anon_space_move_continues(struct anon_space_move *move,
					     pgoff_t index,
					     unsigned long new_addr)
{
	return move->run_nr && !move->back &&
	       index - move->run_index ==
	       (new_addr - move->run_addr) >> PAGE_SHIFT;
}

/*
 * A page that is no part of a large folio, anonymous but not of KSM. A move does
 * little else for each of its pages, so this looks at no more than it has to.
 */
static inline bool anon_space_is_small_page(struct page *page)
{
	return likely(!PageCompound(page) &&
		      ((unsigned long)page->mapping & PAGE_MAPPING_FLAGS) ==
		      PAGE_MAPPING_ANON);
}

/* Is vm_normal_page() sure to give pte_page(), if it gives a page at all? */
static inline bool anon_space_is_plain(pte_t pte)
{
	return IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL) &&
	       likely(pte_present(pte) && !pte_special(pte));
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
 * Return: false if nothing was done, because anon_space_move_reserve() has to
 * come first.
 */
static inline bool anon_space_move_pte(struct anon_space_move *move,
				       pte_t *ptep, pte_t pte,
				       unsigned long old_addr,
				       unsigned long new_addr)
{
	if (anon_space_is_plain(pte) &&
	    anon_space_is_small_page(pte_page(pte))) {
		struct folio *folio = (struct folio *)pte_page(pte);

		/* PageAnonExclusive() without its regard for huge pages. */
		if (likely(test_bit(PG_anon_exclusive, &folio->flags))) {
			anon_space_rewrite_index(folio, new_addr);
			return true;
		}
		if (folio->index == new_addr >> PAGE_SHIFT)
			return true;
		if (anon_space_move_continues(move, folio->index, new_addr) &&
		    folio_mapcount(folio) > 1) {
			move->run_nr = folio->index - move->run_index + 1;
			return true;
		}
	}
	return !move->anon ||
	       __anon_space_move_pte(move, ptep, pte, old_addr, new_addr);
}

#endif /* _MM_ANON_SPACE_MOVE_H */
