// SPDX-License-Identifier: GPL-2.0
/*
 * Moves inside the virtual anonymous file: what mremap() does to the reverse
 * map.
 */

/**
 * DOC: Moving anonymous memory
 *
 * A page that is mapped at address a has the index f(a), the offset that the map of
 * its mm has for that address (mm/anon_space/map.c, INV-4). A move from A to B may hold to
 * that in two ways:
 *
 * - *Rewrite*: the page gets the index f(B). Each entry has to be looked at, and nobody
 *   else may map the page, because it has only one index. No extent is added.
 * - *Keep*: f of B becomes what f of A was, and no page has to be looked at.
 *
 * Each move rewrites from its start up to the first entry whose index it cannot
 * rewrite, and keeps from there to its end. So it changes from one to the other at most
 * once. For each piece of f that it keeps, usually one, it adds an extent at most, where
 * stock mremap() adds a VMA. A page table that moves as a whole is kept: no page in it
 * has to be looked at.
 *
 * A walk visits all places that have the offset of its page. A program may fill the same
 * addresses again and again, and move each load to a place of its own, with its offsets.
 * When it has done so four times a move tries harder to rewrite: it looks into page tables,
 * finds out which pages have become ours alone, and splits large folios.
 *
 *	source        | ours  ours  | shared  ours  ours |
 *	destination   |    f(B)     |        f(A)        |
 *
 * For what is kept, the destination has its offsets before the first entry is there,
 * and the source has them until it is unmapped. So INV-4 holds for an entry at either
 * place, walkers find it at either place, and the space lock may be released between
 * any two entries.
 *
 * A move that stops half-way is undone by a move of the same kind. What was kept fits
 * where it came from. What was rewritten is rewritten again. That may have become
 * impossible: reclaim has split a huge page, or a page is under migration. Then the rest
 * is kept. The extents for that, of 80 bytes each, are allocated with __GFP_NOFAIL. No
 * lock is held that reclaim takes, except that of a file of hugetlb.
 *
 * Who walks the reverse map takes the space lock of one mm after that of the other,
 * and reads the index inside, so it sees an entry and its index either before or
 * after the move.
 */

#include <linux/anon_space.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "../internal.h"
#include "../swap.h"
#include "internal.h"
#include "trace.h"

/* One large folio may begin before the range, and one may end behind it. */
#define ANON_SPACE_SPLITS	2

/*
 * The parts of a large folio that move apart have an extent each, as they have a VMA in
 * stock, as long as the mm has few extents: a large folio is worth more than these. A
 * program that gathers thousands of pages out of large folios has them split.
 */
#define ANON_SPACE_FEW_EXTENTS	64

/* So many extents may have an offset before pages that have it are given another one. */
#define ANON_SPACE_FEW_PLACES	4

static struct anon_map *to_map(struct anon_space_move *move)
{
	return &move->vma->vm_mm->anon_space.map;
}

static unsigned long to_new(struct anon_space_move *move, unsigned long old_addr)
{
	return move->new_start + (old_addr - move->old_start);
}

/**
 * anon_space_move_begin - begin to move page table entries
 * @move: to be set up
 * @vma: the VMA that they are moved from
 * @old_addr: first address to move from
 * @new_addr: first address to move to
 * @len: number of bytes
 *
 * Context: mmap_lock held for writing and the VMAs locked; nothing is mapped at the
 * new addresses.
 */
void anon_space_move_begin(struct anon_space_move *move,
			   struct vm_area_struct *vma, unsigned long old_addr,
			   unsigned long new_addr, unsigned long len)
{
	mmap_assert_write_locked(vma->vm_mm);
	*move = (struct anon_space_move) {
		.vma = vma,
		.old_start = old_addr,
		.old_end = old_addr + len,
		.new_start = new_addr,
		.anon = vma->anon_vma,
	};
	if (!move->anon)
		return;
	move->keep_from = move->old_end;
	if (to_map(move)->nr >= ANON_SPACE_FEW_EXTENTS)
		move->may_split = ANON_SPACE_SPLITS;
	move->plain = vma_is_anonymous(vma) &&
		      !(vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP));
	move->few = len <= ANON_SPACE_FEW_PAGES * PAGE_SIZE;
	move->stack = vma_is_temporary_stack(vma);
	/* The offsets are equal already, for example if pages move back. */
	if (unlikely(to_map(move)->nr) && !move->stack &&
	    anon_map_equal(to_map(move), old_addr, new_addr, len))
		move->keep_from = old_addr;
}

/**
 * anon_space_move_back - set up the move that undoes a part of a move
 * @move: the move that has stopped half-way, set up anew
 * @vma: the VMA at what were to be the new addresses
 * @moved: number of bytes that were moved
 *
 * Context: mmap_lock held for writing.
 */
void anon_space_move_back(struct anon_space_move *move,
			  struct vm_area_struct *vma, unsigned long moved)
{
	mmap_assert_write_locked(vma->vm_mm);
	if (move->anon)
		move->keep_from = min(to_new(move, move->keep_from),
				      move->new_start + moved);
	move->splits = 0;
	move->tables = 0;
	swap(move->old_start, move->new_start);
	move->old_end = move->old_start + moved;
	move->vma = vma;
	move->back = true;
	move->must = true;
}

/**
 * anon_space_split - split a large folio of which a part moves
 * @folio: the folio, exclusive, with a reference which is dropped
 *
 * Its pages go on one by one. As with UFFDIO_MOVE, which does the same, that fails if
 * somebody else uses the folio.
 *
 * Context: sleeps. mmap_lock or the lock of its VMA held, and nothing that a walk of
 * the reverse map takes.
 * Return: whether it was split.
 */
bool anon_space_split(struct folio *folio)
{
	bool done = false;

	if (folio_trylock(folio)) {
		done = folio_test_large(folio) && !folio_test_writeback(folio) &&
		       !split_folio(folio);
		folio_unlock(folio);
	}
	folio_put(folio);
	anon_space_count(SPLIT, done);
	return done;
}

static bool split(struct anon_space_move *move)
{
	struct folio *folio = move->split;

	move->split = NULL;
	move->may_split--;
	if (!anon_space_split(folio))
		return false;
	move->splits++;
	return true;
}

/*
 * Do many other places have the offsets of the rest? On the average: some may have a few
 * of these offsets each. These places may be pieces of the rest, too. Not more than a few
 * are looked at, and a few pieces: each may have the same offsets, and find all the others.
 */
static bool is_crowded(struct anon_space_move *move, unsigned long addr)
{
	unsigned long end, nr = 0, pieces = 0, pages = 0, start = addr;
	struct anon_map *map = to_map(move);
	struct anon_extent *extent;
	pgoff_t first, last;

	for (; addr < move->old_end && pieces < ANON_SPACE_FEW_EXTENTS; addr = end) {
		pieces++;
		first = anon_map_offset(map, addr, &end);
		end = min(end, move->old_end);
		last = first + ((end - addr) >> PAGE_SHIFT) - 1;
		extent = anon_map_find_offset(map, first, last);
		for (; extent; extent = anon_map_next_offset(extent, first, last)) {
			if (extent->start <= addr && addr < extent->end)
				continue;
			if (++nr >= ANON_SPACE_FEW_EXTENTS)
				return true;
			pages += min(anon_extent_offset(extent, extent->end), last + 1) -
				 max(anon_extent_offset(extent, extent->start), first);
		}
	}
	return pages >= ANON_SPACE_FEW_PLACES * ((addr - start) >> PAGE_SHIFT);
}

/**
 * anon_space_try_hard - is it worth much to rewrite the rest of a move?
 * @move: the move
 * @old_addr: where the rest begins, or a table that begins before the range
 *
 * Context: mmap_lock held for writing.
 * Return: whether it is, as many extents have the offsets of the rest.
 */
bool anon_space_try_hard(struct anon_space_move *move, unsigned long old_addr)
{
	mmap_assert_write_locked(move->vma->vm_mm);
	if (move->hard || move->back || !to_map(move)->nr ||
	    !is_crowded(move, max(old_addr, move->old_start)))
		return move->hard;
	move->hard = true;
	move->few = true;
	move->may_split = UINT_MAX;
	return true;
}

/**
 * anon_space_move_keep_rest - anon_space_move_keep() if entries were rewritten so far
 * @move: the move
 * @old_addr: where to begin
 *
 * Context: as anon_space_move_keep().
 * Return: as anon_space_move_keep().
 */
int anon_space_move_keep_rest(struct anon_space_move *move, unsigned long old_addr)
{
	struct mm_struct *mm = move->vma->vm_mm;
	struct anon_map *map = to_map(move);
	struct anon_spares spares = {};
	gfp_t gfp = GFP_KERNEL | (move->must ? __GFP_NOFAIL : 0);
	unsigned long new_addr, len;

	mmap_assert_write_locked(mm);
	VM_WARN_ON_ONCE(move->locked);
	if (move->split && split(move))
		return 0;
	/* Source and destination may overlap, and all its pages are its own. */
	if (WARN_ON_ONCE(move->stack))
		return -ENOMEM;

	/* Tables may begin before the range. */
	old_addr = max(old_addr, move->old_start);
	/* So may one from which on all is kept already. */
	if (old_addr >= move->keep_from)
		return 0;
	/* Then the entry is looked at again. */
	if (!move->hard && anon_space_try_hard(move, old_addr))
		return 0;
	new_addr = to_new(move, old_addr);
	len = move->old_end - old_addr;
	/* anon_space_move_begin() has compared the whole, and found it to differ. */
	if (!map->nr || (old_addr == move->old_start && !move->back) ||
	    !anon_map_equal(map, old_addr, new_addr, len)) {
		if (anon_spares_fill(&spares,
				     anon_map_copy_needs(map, old_addr, new_addr,
							 len), gfp)) {
			anon_spares_free(&spares);
			return -ENOMEM;
		}
		anon_space_lock_write(mm);
		anon_map_copy(map, old_addr, new_addr, len, &spares);
		anon_space_unlock_write(mm);
		anon_spares_free(&spares);
	}
	move->keep_from = old_addr;
	return 0;
}

/*
 * The page is not exclusive, so others may share it. They do not if nobody else maps
 * it, the folio is locked, and it is not in the swap cache. Then there is no other entry
 * for it: migration would hold the folio lock. Device-exclusive entries of a small page
 * are made when it is exclusive, and fork makes them normal ones; and a folio that is
 * mapped as a whole has none. We must not wait for the folio lock under a page table lock.
 */
static bool try_to_own(struct folio *folio, struct vm_area_struct *vma,
		       pgoff_t index)
{
	bool mine;

	if (folio_mapcount(folio) != 1 || folio_test_swapcache(folio) ||
	    !folio_trylock(folio))
		return false;
	/* KSM may have merged it for a relative that has exited. */
	mine = folio_mapcount(folio) == 1 && !folio_test_swapcache(folio) &&
	       !folio_test_ksm(folio);
	if (mine) {
		folio_move_anon_rmap(folio, vma);
		WRITE_ONCE(folio->index, index);
	}
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
	unsigned long i, nr = folio_nr_pages(folio), size = folio_size(folio);
	unsigned long pfn = folio_pfn(folio);

	if (pmd_addr_end(old_addr, move->keep_from) - old_addr < size ||
	    PMD_SIZE - (new_addr & ~PMD_MASK) < size ||
	    !anon_space_is_even(move->vma->vm_mm, new_addr, new_addr + size))
		return false;
	for (i = 0; i < nr; i++) {
		pte_t pte = ptep_get(ptep + i);

		if (!pte_present(pte) || pte_pfn(pte) != pfn + i ||
		    !PageAnonExclusive(folio_page(folio, i)))
			return false;
	}
	return true;
}

static void ask_for_split(struct anon_space_move *move, struct folio *folio)
{
	if (!move->few || !move->may_split)
		return;
	folio_get(folio);
	move->split = folio;
}

static bool move_large(struct anon_space_move *move, struct folio *folio,
		       struct page *page, pte_t *ptep, unsigned long old_addr,
		       unsigned long new_addr, pgoff_t index)
{
	if (moves_whole(move, folio, ptep, old_addr, new_addr)) {
		WRITE_ONCE(folio->index, index);
		return true;
	}
	if (PageAnonExclusive(page))
		ask_for_split(move, folio);
	return false;
}

/* mremap() has unshared KSM pages. Walks of those that are left use no index. */
static bool may_keep_index(struct folio *folio, struct page *page, pgoff_t index)
{
	return !folio_test_anon(folio) || folio_test_ksm(folio) ||
	       folio->index + folio_page_idx(folio, page) == index;
}

static bool move_present(struct anon_space_move *move, pte_t *ptep,
			 struct page *page, unsigned long old_addr,
			 unsigned long new_addr)
{
	pgoff_t index = anon_space_offset(move->vma->vm_mm, new_addr);
	struct folio *folio = page_folio(page);

	if (may_keep_index(folio, page, index))
		return true;
	if (folio_test_large(folio))
		return move_large(move, folio, page, ptep, old_addr, new_addr,
				  index);
	if (PageAnonExclusive(page) || move->stack) {
		WRITE_ONCE(folio->index, index);
		return true;
	}
	return move->few && try_to_own(folio, move->vma, index);
}

/*
 * Of a large folio in the swap cache other pages may be mapped, so that it has an index.
 * It cannot be split while somebody has a reference to this page, for I/O perhaps, and
 * then this page has to be mapped again, and no copy. Large folios do not come into the
 * swap cache but when they are swapped out.
 */
static bool is_of_large_folio(struct anon_space_move *move, swp_entry_t entry)
{
	struct folio *folio;
	bool is_large;

	if (!IS_ENABLED(CONFIG_SWAP) ||
	    !(READ_ONCE(swp_swap_info(entry)->swap_map[swp_offset(entry)]) &
	      SWAP_HAS_CACHE))
		return false;
	folio = filemap_get_folio(swap_address_space(entry),
				  swap_cache_index(entry));
	if (IS_ERR(folio))
		return false;
	is_large = folio_test_large(folio);
	if (is_large)
		ask_for_split(move, folio);
	folio_put(folio);
	return is_large;
}

/*
 * Relatives that share a swap entry must have equal f (INV-4b). One of our own alone has
 * no index, as a rule.
 */
static bool move_swap_entry(struct anon_space_move *move, pte_t pte,
			    unsigned long old_addr, unsigned long new_addr)
{
	swp_entry_t entry = pte_to_swp_entry(pte);
	struct mm_struct *mm = move->vma->vm_mm;
	pgoff_t index = anon_space_offset(mm, new_addr);
	struct folio *folio;
	struct page *page;

	if (!non_swap_entry(entry))
		return move->stack || anon_space_offset(mm, old_addr) == index ||
		       (pte_swp_exclusive(pte) && !is_of_large_folio(move, entry));
	if (!is_pfn_swap_entry(entry) || is_hwpoison_entry(entry))
		return true;
	page = pfn_swap_entry_to_page(entry);
	folio = page_folio(page);
	return may_keep_index(folio, page, index);
}

/**
 * anon_space_move_pte - give the page of one entry the index of its new address
 * @move: the move
 * @ptep: the entry, not none, followed by the other ones of the page table
 * @pte: its value
 * @old_addr: address that it moves from
 * @new_addr: address that it moves to
 *
 * Context: space lock held by anon_space_move_lock(), and the page table lock.
 * Return: false if that cannot be done: anon_space_move_keep() has to come before the
 * entry moves.
 */
bool anon_space_move_pte(struct anon_space_move *move, pte_t *ptep, pte_t pte,
			 unsigned long old_addr, unsigned long new_addr)
{
	struct page *page;

	anon_space_assert_write_locked(move->vma->vm_mm);
	if (!pte_present(pte))
		return move_swap_entry(move, pte, old_addr, new_addr);
	page = vm_normal_page(move->vma, old_addr, pte);
	return !page || move_present(move, ptep, page, old_addr, new_addr);
}

/* Most pages are small ones of our own: do little for each of them. */
static unsigned long small_in_row(const struct anon_space_move *move,
				  pte_t *ptep, unsigned long nr)
{
	unsigned long i;

	for (i = 0; move->plain && i < nr; i++) {
		pte_t pte = ptep_get(ptep + i);

		if (!pte_present(pte) || !anon_space_is_small(pte_page(pte)))
			break;
	}
	return i;
}

/* How many entries can move together? As move_present(), for a page of our own. */
static unsigned long movable_present(struct anon_space_move *move, pte_t *ptep,
				     struct page *page, unsigned long old_addr,
				     unsigned long new_addr)
{
	pgoff_t index = anon_space_offset(move->vma->vm_mm, new_addr);
	struct folio *folio = page_folio(page);

	if (may_keep_index(folio, page, index))
		return 1;
	if (!folio_test_large(folio))
		return PageAnonExclusive(page);
	return moves_whole(move, folio, ptep, old_addr, new_addr) ?
	       folio_nr_pages(folio) : 0;
}

static unsigned long movable_entry(struct anon_space_move *move, pte_t *ptep,
				   unsigned long old_addr,
				   unsigned long new_addr)
{
	pte_t pte = ptep_get(ptep);
	struct page *page;

	if (pte_none(pte))
		return 1;
	if (!pte_present(pte))
		return move_swap_entry(move, pte, old_addr, new_addr);
	page = vm_normal_page(move->vma, old_addr, pte);
	return page ? movable_present(move, ptep, page, old_addr, new_addr) : 1;
}

/**
 * anon_space_movable - how far can anon_space_move_pte() go on?
 * @move: the move; neither of a stack nor of few pages
 * @ptep: its first entry
 * @nr: number of entries, all in one page table at either end
 *
 * Changes nothing. Who must move all of them or none asks first.
 *
 * Context: page table lock held. The answer holds as long as that and the space lock.
 * Return: how many entries there are before one whose page cannot get the index of its
 * new address.
 */
unsigned long anon_space_movable(struct anon_space_move *move, pte_t *ptep,
				 unsigned long nr)
{
	unsigned long i, n;

	VM_WARN_ON_ONCE(move->few || move->stack);
	for (i = 0; i < nr; i += n) {
		n = small_in_row(move, ptep + i, nr - i) ?:
		    movable_entry(move, ptep + i,
				  move->old_start + i * PAGE_SIZE,
				  move->new_start + i * PAGE_SIZE);
		if (!n)
			break;
	}
	return i;
}

/* For an entry that maps the whole of a folio. */
static bool move_whole(struct anon_space_move *move, struct folio *folio,
		       bool present, unsigned long new_addr)
{
	struct mm_struct *mm = move->vma->vm_mm;
	unsigned long run_end;
	pgoff_t index = anon_space_run(mm, new_addr, &run_end);

	if (!folio_test_anon(folio))
		return true;
	/* Nothing was mapped there: trim_hole() has left one extent at most. */
	if (WARN_ON_ONCE(run_end - new_addr < folio_size(folio)))
		return false;
	if (folio->index == index)
		return true;
	if (!present)
		return false;
	if (!PageAnonExclusive(&folio->page))
		return move->hard && try_to_own(folio, move->vma, index);
	WRITE_ONCE(folio->index, index);
	return true;
}

/**
 * anon_space_move_any_pmd - anon_space_move_pmd() for all but the usual case
 * @move: the move
 * @pmd: its entry, present or of a migration
 * @new_addr: address that it moves to
 *
 * Context: as anon_space_move_pte().
 * Return: as anon_space_move_pte().
 */
bool anon_space_move_any_pmd(struct anon_space_move *move, pmd_t pmd,
			     unsigned long new_addr)
{
	bool present = pmd_present(pmd);

	anon_space_assert_write_locked(move->vma->vm_mm);
	/* DAX marks pages that files share as PAGE_MAPPING_ANON does. */
	if (present && pmd_devmap(pmd))
		return true;
	return move_whole(move, present ? page_folio(pmd_page(pmd)) :
			  pfn_swap_entry_folio(pmd_to_swp_entry(pmd)),
			  present, new_addr);
}

/**
 * anon_space_move_hugetlb - give a hugetlb page the index of its new address
 * @move: the move
 * @pte: its entry, not none
 * @old_addr: address that it moves from
 * @new_addr: address that it moves to
 *
 * Context: as anon_space_move_pte().
 * Return: as anon_space_move_pte().
 */
bool anon_space_move_hugetlb(struct anon_space_move *move, pte_t pte,
			     unsigned long old_addr, unsigned long new_addr)
{
	bool present = pte_present(pte);

	if (!anon_space_move_rewrites(move, old_addr))
		return true;
	anon_space_assert_write_locked(move->vma->vm_mm);
	if (!present && !is_migration_entry(pte_to_swp_entry(pte)))
		return true;
	return move_whole(move, present ? page_folio(pte_page(pte)) :
			  pfn_swap_entry_folio(pte_to_swp_entry(pte)),
			  present, new_addr);
}
