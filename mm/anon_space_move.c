// SPDX-License-Identifier: GPL-2.0
/*
 * Moves inside the virtual anonymous file: what mremap() does to the reverse
 * map.
 */

/**
 * DOC: Moving anonymous memory
 *
 * A move from A to B changes the offset of the pages in the mm's file. While
 * the page table entries move, under the space lock and the page table locks,
 * each is looked at:
 *
 * - A page that only this mm maps gets the index of its new address. It may
 *   stay in the file of an ancestor: this mm is a member of that, too. If its
 *   entry is write-protected and a record has to be made anyway, it may keep its
 *   index, small or large.
 * - A page that is shared keeps its index, and so does what cannot be told
 *   apart from a shared page or must not be written to just now: a folio under
 *   migration, a large folio of which only a part moves. The mm records where
 *   such pages went (mm/anon_moves.c).
 * - A swap entry has no index. If only this mm has it, the folio will get one
 *   when it is swapped in; if relatives may have it, too, the index is the one
 *   that all of them agree on, that of the page before any of them moved it.
 * - A whole page table moves without a look at its pages, which all keep theirs,
 *   unless there is a record already that leads elsewhere than back home: then
 *   the entries may be of two origins, which a single record cannot say.
 *
 * Walkers of the reverse map take the space lock of one mm after that of the
 * other, and read the index inside. So they see an entry, its index and the
 * record either before or after the move.
 *
 * The space lock is kept from one table or huge page to the next, and the record
 * of what was kept is added when it is released: before memory is allocated, and
 * when anybody waits for it.
 *
 * Records are allocated outside of all locks: when there is none left for an
 * entry, the move is interrupted before that entry. Those over the source are
 * dropped only at the end, so a move that fails can go back without needing
 * any, unless a page that was rewritten cannot be rewritten again: it is under
 * migration now, or reclaim has unmapped a part of its large folio, or it was
 * part of a huge page that has been split. That must not fail, and takes one or
 * two small allocations, with no lock held that reclaim takes.
 */

#include <linux/anon_moves.h>
#include <linux/anon_space.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "anon_space_move.h"
#include "internal.h"

static struct anon_moves *to_moves(struct anon_space_move *move)
{
	return &move->vma->vm_mm->anon_space.moves;
}

/* INV-7 */
static bool has_room(struct anon_space_move *move)
{
	return to_moves(move)->nr < sysctl_max_map_count;
}

/* Does a record, if any, say that all pages of a range have this index? */
static bool covers(const struct anon_move *record, unsigned long start,
		   unsigned long end, pgoff_t index)
{
	return record && record->addr <= start && anon_move_end(record) >= end &&
	       anon_move_index(record, start) == index;
}

static bool is_recorded(struct anon_space_move *move, unsigned long start,
			unsigned long end, pgoff_t index)
{
	return covers(anon_moves_find(to_moves(move), start, end), start, end,
		      index);
}

/*
 * If any page of a range is found by a record, does that cover the range, and do
 * its pages return to the address of their index? Then one new record will do for
 * all that keep theirs.
 */
static bool is_uniform(struct anon_space_move *move, unsigned long start,
		       unsigned long end, unsigned long new_start)
{
	struct anon_move *record = anon_moves_find(to_moves(move), start, end);

	return !record || covers(record, start, end, new_start >> PAGE_SHIFT);
}

/* May pages be shared? Then it is no good to be interrupted at the first one. */
static bool has_relatives(struct mm_struct *mm)
{
	struct anon_space *space = &mm->anon_space;

	if (!list_is_singular(&space->memberships))
		return true;
	/* A guess: whoever joins or leaves meanwhile makes no difference. */
	return data_race(space->anon_vma->nr_members) > 1;
}

/**
 * anon_space_move_begin - begin to move page table entries
 * @move: to be set up
 * @vma: the VMA that they are moved from
 * @old_addr: first address to move from
 * @new_addr: first address to move to
 * @len: number of bytes
 *
 * Context: sleeps. mmap_lock held for writing; nothing is mapped at the new
 * addresses. Takes the space lock.
 * Return: 0, or -ENOMEM if a stale record at the new addresses cannot be cut.
 */
int anon_space_move_begin(struct anon_space_move *move,
			  struct vm_area_struct *vma, unsigned long old_addr,
			  unsigned long new_addr, unsigned long len)
{
	struct mm_struct *mm = vma->vm_mm;
	unsigned long new_end = new_addr + len;
	struct anon_move *record;
	gfp_t gfp = GFP_KERNEL;
	bool home, stale, clipped;

	mmap_assert_write_locked(mm);
	*move = (struct anon_space_move) {
		.vma = vma,
		.old_start = old_addr,
		.old_end = old_addr + len,
		.new_start = new_addr,
		.delta = (old_addr >> PAGE_SHIFT) - (new_addr >> PAGE_SHIFT),
		.bridge = new_addr,
		.anon = vma->anon_vma,
	};
	if (!move->anon)
		return 0;

	if (vma_is_anonymous(vma) &&
	    !(vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP)))
		move->look = ANON_SPACE_LOOK_PLAIN;
	record = anon_moves_find(to_moves(move), old_addr, move->old_end);
	home = covers(record, old_addr, move->old_end, new_addr >> PAGE_SHIFT);
	move->fresh = !record;
	move->uniform = move->fresh || home;
	stale = anon_moves_find(to_moves(move), new_addr, new_end);
	if (!stale)
		gfp |= __GFP_NORETRY | __GFP_NOWARN;
	if ((stale || (!home && has_relatives(mm))) && has_room(move))
		move->spare = anon_move_alloc(gfp);
	if (!stale)
		return 0;
	anon_space_lock_write(mm);
	clipped = anon_moves_clip(to_moves(move), new_addr, new_end,
				  &move->spare);
	anon_space_unlock_write(mm);
	return clipped ? 0 : -ENOMEM;
}

/**
 * anon_space_move_back - turn round a move that could be done only in part
 * @move: the move
 * @vma: the VMA at the addresses that were to be the new ones
 * @moved: number of bytes that were moved
 *
 * Context: mmap_lock held for writing.
 */
void anon_space_move_back(struct anon_space_move *move,
			  struct vm_area_struct *vma, unsigned long moved)
{
	mmap_assert_write_locked(vma->vm_mm);
	swap(move->old_start, move->new_start);
	move->old_end = move->old_start + moved;
	move->delta = -move->delta;
	move->bridge = move->new_start;
	move->vma = vma;
	/* It has to be seen first whether a record is needed at all. */
	move->look = ANON_SPACE_LOOK_CLOSE;
	move->fresh = false;
	move->uniform = false;
	move->back = true;
}

/**
 * anon_space_move_end - all entries have been moved
 * @move: the move
 *
 * Forgets what was recorded of pages at the addresses that they have left.
 *
 * Context: sleeps. mmap_lock held for writing. Takes the space lock.
 */
void anon_space_move_end(struct anon_space_move *move)
{
	struct mm_struct *mm = move->vma->vm_mm;
	unsigned long start = move->old_start, end = move->old_end;
	struct anon_move *record = NULL;

	mmap_assert_write_locked(mm);
	/* The stack of a new program moves down by less than its size. */
	if (move->new_start < start)
		start = max(start, move->new_start + (end - start));
	if (move->anon && start < end)
		record = anon_moves_find(to_moves(move), start, end);
	if (record) {
		/* To cut it in two takes another one. */
		if (record->addr < start && anon_move_end(record) > end &&
		    !move->spare && has_room(move))
			move->spare = anon_move_alloc(GFP_KERNEL | __GFP_NOWARN);
		anon_space_lock_write(mm);
		anon_moves_clip(to_moves(move), start, end, &move->spare);
		anon_space_unlock_write(mm);
	}
	anon_move_free(move->spare);
}

/**
 * __anon_space_move_lock - anon_space_move_lock() if @move has no lock yet
 * @move: the move
 *
 * Context: sleeps. mmap_lock held for writing. Takes the space lock.
 */
void __anon_space_move_lock(struct anon_space_move *move)
{
	if (!anon_space_fault(ANON_SPACE_FAULT_NO_LOCK))
		anon_space_lock_write(move->vma->vm_mm);
	move->locked = true;
}

/* Record the pages that were kept, before any walker can miss them. */
static void anon_space_move_flush(struct anon_space_move *move)
{
	unsigned long start = move->run_start;

	if (!move->run_delta)
		return;
	anon_space_assert_write_locked(move->vma->vm_mm);
	if (!anon_space_fault(ANON_SPACE_FAULT_NO_RECORD))
		anon_moves_add(to_moves(move), start,
			       (start >> PAGE_SHIFT) + move->run_delta,
			       ((move->run_last - start) >> PAGE_SHIFT) + 1,
			       move->bridge, &move->spare);
	move->run_delta = 0;
	if (move->look == ANON_SPACE_LOOK_AWAY)
		move->look = ANON_SPACE_LOOK_PLAIN;
}

/**
 * anon_space_move_unlock - let walkers see what was moved
 * @move: the move
 *
 * Context: releases the lock if @move has it.
 */
void anon_space_move_unlock(struct anon_space_move *move)
{
	if (!move->locked)
		return;
	anon_space_move_flush(move);
	move->locked = false;
	if (!anon_space_fault(ANON_SPACE_FAULT_NO_LOCK))
		anon_space_unlock_write(move->vma->vm_mm);
}

/**
 * anon_space_move_reserve - have a record at hand
 * @move: the move
 *
 * Context: sleeps. mmap_lock held for writing. Releases the space lock if there
 * is none yet.
 * Return: 0, or -ENOMEM, also if the mm has too many records (INV-7). While
 * moving back it does not fail.
 */
int anon_space_move_reserve(struct anon_space_move *move)
{
	gfp_t gfp = GFP_KERNEL;

	mmap_assert_write_locked(move->vma->vm_mm);
	if (!move->anon || move->spare)
		return 0;
	anon_space_move_unlock(move);
	if (move->back)
		gfp |= __GFP_NOFAIL;
	else if (!has_room(move))
		return -ENOMEM;
	move->spare = anon_move_alloc(gfp);
	return move->spare ? 0 : -ENOMEM;
}

/*
 * While moving back: are the pages found by what was recorded before the move?
 * If not, make room for a new record.
 */
static bool recorded_before(struct anon_space_move *move, pgoff_t index,
			    unsigned long new_addr, unsigned long nr)
{
	unsigned long new_end = new_addr + (nr << PAGE_SHIFT);

	if (is_recorded(move, new_addr, new_end, index))
		return true;
	anon_space_move_flush(move);
	anon_moves_clip(to_moves(move), new_addr, new_end, &move->spare);
	return false;
}

/*
 * By which index are the pages of a table found that are not found by their own
 * address? False if there are several, so that one record cannot say it.
 *
 * A table that goes back as a whole came as a whole, or has come into being
 * since: it maps the pages that a huge page was split into. All of them have
 * one origin, because no record of other pages covers a huge page that is found
 * by its own address, see anon_space_move_pmd().
 */
static bool table_index(struct anon_space_move *move, unsigned long start,
			unsigned long end, pgoff_t *index)
{
	struct anon_move *record = anon_moves_find(to_moves(move), start, end);

	*index = record ? anon_move_index(record, start) : start >> PAGE_SHIFT;
	return !record ||
	       (record->addr <= start && anon_move_end(record) >= end);
}

/*
 * A table goes back as a whole: have the record at hand that it needs, and no
 * other one in its place. To cut one in two takes a record as well.
 */
static void make_room_back(struct anon_space_move *move, pgoff_t index,
			   unsigned long new_start, unsigned long new_end)
{
	if (index == new_start >> PAGE_SHIFT ||
	    is_recorded(move, new_start, new_end, index))
		return;
	anon_space_move_unlock(move);	/* may use up the record */
	anon_space_move_reserve(move);
	anon_space_move_lock(move);
	anon_moves_clip(to_moves(move), new_start, new_end, &move->spare);
	anon_space_move_unlock(move);
	anon_space_move_reserve(move);
}

/**
 * __anon_space_move_may_table - anon_space_move_may_table() for a first table
 * @move: the move
 * @old_addr: address that the page table maps
 * @new_addr: address that it is to map
 * @size: bytes that it maps
 *
 * Context: as anon_space_move_may_table().
 * Return: as anon_space_move_may_table().
 */
bool __anon_space_move_may_table(struct anon_space_move *move,
				 unsigned long old_addr, unsigned long new_addr,
				 unsigned long size)
{
	unsigned long start = max(old_addr, move->old_start);
	unsigned long end = min(old_addr + size, move->old_end);
	unsigned long new_start = new_addr + (start - old_addr);
	pgoff_t index;

	mmap_assert_write_locked(move->vma->vm_mm);
	if (move->back) {
		if (!table_index(move, start, end, &index))
			return false;
		make_room_back(move, index, new_start, new_start + (end - start));
		return true;
	}
	if (!move->uniform && !is_uniform(move, start, end, new_start) &&
	    !anon_space_fault(ANON_SPACE_FAULT_TABLE))
		return false;
	/* A run that ends here uses up the record that is at hand. */
	if (move->delta != move->run_delta)
		anon_space_move_unlock(move);
	return !anon_space_move_reserve(move);
}

/* Returns false if a record is needed which is not there. */
static bool keep_index(struct anon_space_move *move, pgoff_t index,
		       unsigned long new_addr, unsigned long nr)
{
	pgoff_t delta = index - (new_addr >> PAGE_SHIFT);

	if (!delta)
		return true;
	if (move->back && recorded_before(move, index, new_addr, nr))
		return true;
	if (delta != move->run_delta) {
		anon_space_move_flush(move);
		if (!move->spare)
			return false;
		VM_WARN_ON_ONCE(move->fresh && delta != move->delta);
		move->run_delta = delta;
		move->run_start = new_addr;
		/*
		 * With records of the source most pages may be about to return
		 * home: a record would only stand in the way there.
		 */
		if (move->look == ANON_SPACE_LOOK_PLAIN && move->fresh)
			move->look = ANON_SPACE_LOOK_AWAY;
	}
	move->run_last = new_addr + ((nr - 1) << PAGE_SHIFT);
	return true;
}

/**
 * __anon_space_move_table - anon_space_move_table() for a first table
 * @move: the move
 * @old_addr: address that it mapped
 * @new_addr: address that it maps
 * @size: bytes that it maps
 *
 * Context: as anon_space_move_table().
 */
void __anon_space_move_table(struct anon_space_move *move,
			     unsigned long old_addr, unsigned long new_addr,
			     unsigned long size)
{
	/* The addresses may have been aligned down to those of a table. */
	unsigned long start = max(old_addr, move->old_start);
	unsigned long end = min(old_addr + size, move->old_end);
	pgoff_t index = start >> PAGE_SHIFT;
	bool kept;

	/* Moving forth, there are pages of this index if others come home. */
	if (move->back)
		table_index(move, start, end, &index);
	kept = keep_index(move, index, new_addr + (start - old_addr),
			  (end - start) >> PAGE_SHIFT);
	VM_WARN_ON_ONCE(!kept);
}

/*
 * Not exclusive, so possibly shared, but it is not: nobody else maps it, and
 * with the folio locked and not in the swap cache nobody else has an entry for
 * it: migration has the lock, and a device-exclusive entry is made of exclusive
 * pages only and is made a normal one by fork. The folio lock must not be waited
 * for under a page table lock.
 */
static bool try_to_own(struct folio *folio, struct vm_area_struct *vma,
		       unsigned long new_addr)
{
	bool mine;

	if (folio_mapcount(folio) != 1 || folio_test_swapcache(folio) ||
	    !folio_trylock(folio))
		return false;
	mine = folio_mapcount(folio) == 1 && !folio_test_swapcache(folio);
	if (mine)
		folio_move_anon_rmap(folio, vma, new_addr);
	folio_unlock(folio);
	return mine;
}

/*
 * Do all pages of the folio move together, and does nobody else map them? An
 * earlier move may have scattered them, so every entry has to be seen.
 */
static bool moves_whole(struct anon_space_move *move, struct folio *folio,
			pte_t *ptep, unsigned long old_addr,
			unsigned long new_addr)
{
	unsigned long i, nr = folio_nr_pages(folio);
	unsigned long pfn = folio_pfn(folio);

	if (move->old_end - old_addr < folio_size(folio) ||
	    pmd_addr_end(old_addr, move->old_end) - old_addr <
		    folio_size(folio) ||
	    PMD_SIZE - (new_addr & ~PMD_MASK) < folio_size(folio))
		return false;
	for (i = 0; i < nr; i++) {
		pte_t pte = ptep_get(ptep + i);

		if (!pte_present(pte) || pte_pfn(pte) != pfn + i ||
		    !PageAnonExclusive(folio_page(folio, i)))
			return false;
	}
	return true;
}

static bool move_present(struct anon_space_move *move, pte_t *ptep,
			 struct page *page, unsigned long old_addr,
			 unsigned long new_addr)
{
	struct folio *folio = page_folio(page);
	pgoff_t index;

	/* mremap() has broken KSM pages; their walks do not use the index. */
	if (!folio_test_anon(folio) || folio_test_ksm(folio))
		return true;
	if (!folio_test_large(folio)) {
		if (PageAnonExclusive(page)) {
			anon_space_rewrite_index(folio, new_addr);
			return true;
		}
		return try_to_own(folio, move->vma, new_addr) ||
		       keep_index(move, folio->index, new_addr, 1);
	}

	index = folio->index + folio_page_idx(folio, page);
	if (index == new_addr >> PAGE_SHIFT)
		return true;
	if (page == &folio->page &&
	    moves_whole(move, folio, ptep, old_addr, new_addr)) {
		anon_space_rewrite_index(folio, new_addr);
		return true;
	}
	return keep_index(move, index, new_addr, 1);
}

static bool move_swap_entry(struct anon_space_move *move, pte_t pte,
			    unsigned long old_addr, unsigned long new_addr)
{
	swp_entry_t entry = pte_to_swp_entry(pte);
	struct folio *folio;
	struct page *page;

	if (!non_swap_entry(entry))
		return pte_swp_exclusive(pte) ||
		       keep_index(move, __anon_space_index(move->vma->vm_mm,
							   old_addr),
				  new_addr, 1);
	if (!is_pfn_swap_entry(entry) || is_hwpoison_entry(entry))
		return true;
	page = pfn_swap_entry_to_page(entry);
	folio = page_folio(page);
	if (!folio_test_anon(folio) || folio_test_ksm(folio))
		return true;
	return keep_index(move, folio->index + folio_page_idx(folio, page),
			  new_addr, 1);
}

/**
 * __anon_space_move_pte - anon_space_move_pte() for all but the usual case
 * @move: the move
 * @ptep: the entry, followed by the other ones of the page table
 * @pte: its value
 * @old_addr: address that it moves from
 * @new_addr: address that it moves to
 *
 * Context: as anon_space_move_pte().
 * Return: as anon_space_move_pte().
 */
bool __anon_space_move_pte(struct anon_space_move *move, pte_t *ptep, pte_t pte,
			   unsigned long old_addr, unsigned long new_addr)
{
	struct page *page;

	anon_space_assert_write_locked(move->vma->vm_mm);
	if (!pte_present(pte))
		return move_swap_entry(move, pte, old_addr, new_addr);
	page = vm_normal_page(move->vma, old_addr, pte);
	return !page || move_present(move, ptep, page, old_addr, new_addr);
}

/* For a huge page that is mapped as a whole. */
static bool move_huge(struct anon_space_move *move, struct folio *folio,
		      bool exclusive, unsigned long new_addr)
{
	if (!exclusive)
		return keep_index(move, folio->index, new_addr,
				  folio_nr_pages(folio));
	anon_space_rewrite_index(folio, new_addr);
	return true;
}

/**
 * __anon_space_move_pmd - anon_space_move_pmd() for all but the usual case
 * @move: the move
 * @pmd: its entry, present or of a migration
 * @new_addr: address that it moves to
 *
 * Context: as anon_space_move_pte().
 * Return: as anon_space_move_pte().
 */
bool __anon_space_move_pmd(struct anon_space_move *move, pmd_t pmd,
			   unsigned long new_addr)
{
	bool present = pmd_present(pmd);
	struct folio *folio;

	anon_space_assert_write_locked(move->vma->vm_mm);
	/* DAX marks pages that files share as PAGE_MAPPING_ANON does. */
	if (present && pmd_devmap(pmd))
		return true;
	folio = present ? page_folio(pmd_page(pmd)) :
			  pfn_swap_entry_folio(pmd_to_swp_entry(pmd));
	if (!folio_test_anon(folio))
		return true;
	if (!move_huge(move, folio, present && PageAnonExclusive(&folio->page),
		       new_addr))
		return false;
	/*
	 * Found by its own address. A record of others must not cover it: if it
	 * is split, and the table goes back, that would be taken for its own.
	 */
	if (folio->index == new_addr >> PAGE_SHIFT) {
		anon_space_move_flush(move);
		move->bridge = new_addr + PMD_SIZE;
	}
	return true;
}

/**
 * anon_space_move_hugetlb - prepare the reverse map for the move of one entry
 * @move: the move
 * @pte: the entry of a hugetlb page
 * @new_addr: address that it moves to
 *
 * Context: as anon_space_move_pte().
 * Return: as anon_space_move_pte().
 */
bool anon_space_move_hugetlb(struct anon_space_move *move, pte_t pte,
			     unsigned long new_addr)
{
	bool present = pte_present(pte);
	struct folio *folio;

	if (!move->anon)
		return true;
	anon_space_assert_write_locked(move->vma->vm_mm);
	if (present)
		folio = page_folio(pte_page(pte));
	else if (is_migration_entry(pte_to_swp_entry(pte)))
		folio = pfn_swap_entry_folio(pte_to_swp_entry(pte));
	else
		return true;
	return !folio_test_anon(folio) ||
	       move_huge(move, folio,
			 present && PageAnonExclusive(&folio->page), new_addr);
}
