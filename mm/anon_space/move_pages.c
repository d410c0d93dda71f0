// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that move from mapping to mapping, and change no VMA.
 */

/**
 * DOC: Moves in place
 *
 * mremap(MREMAP_FIXED | MREMAP_DONTUNMAP) leaves the source mapped, empty, and maps its
 * pages at the destination, where what was mapped before is dropped. If there is memory
 * with the same attributes at the destination already, the VMAs are the same before and
 * after. So no VMA is touched: the locks of the VMAs for reading are enough, as for
 * UFFDIO_MOVE, and the limit of VMAs is not reached. This is for programs that gather pages
 * one by one.
 *
 * The pages get the index of their new address. If that cannot be done for one of them,
 * for example because it is shared, nothing is moved in this way. Then mmap_lock is taken
 * for writing, and the destination gets the offsets of the source, as mremap() otherwise
 * does.
 *
 * Faults of other threads may run meanwhile, in both ranges. An entry moves under both
 * page table locks, so each fault comes before the move or after it. A page that is
 * faulted in at the destination before is dropped, as if it had been there from the
 * start. Faults see a move as one step if no page table boundary divides the range, at
 * the source or the destination. Otherwise they see one step for each part.
 */

#include <linux/anon_space.h>
#include <linux/cacheflush.h>
#include <linux/hugetlb.h>
#include <linux/ksm.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/pgalloc.h>
#include <linux/rmap.h>
#include <linux/security.h>
#include <linux/swapops.h>
#include <linux/userfaultfd_k.h>

#include <asm/tlbflush.h>

#include "../internal.h"
#include "../vma.h"
#include "internal.h"
#include "trace.h"

/*
 * Others may make new obstacles again and again. After so many the move is left to
 * mmap_lock. A place may hold many large folios, each of which is an obstacle.
 */
#define MAX_TRIES	(2 * PTRS_PER_PTE)

/* What stops a move, until something has been done about it. */
enum obstacle {
	NOTHING,
	OCCUPIED,	/* something is mapped at the destination */
	AGAIN,		/* something has changed meanwhile: look again */
	LARGE,		/* a large folio of our own: split it */
	MIGRATES,	/* wait for the end of a migration */
	IMPOSSIBLE,	/* an index that cannot be rewritten */
};

/**
 * struct place - a part of the range, in one page table at either end
 * @src:      VMA to move from
 * @dst:      VMA to move to, may be the same
 * @from:     first address of the whole range to move from
 * @to:       its end
 * @back:     does it move back, so that what is mapped at the destination stays?
 * @old:      first address to move from
 * @new:      first address to move to
 * @nr:       number of pages, of more than a page table if there is none at the source
 * @src_pmd:  entry of the page table at the source, if there is one
 * @folio:    what is to be split, referenced
 * @waiting:  address of the migration entry that was found
 * @notified: what secondary MMUs have to leave alone at present, or NULL
 */
struct place {
	struct vm_area_struct *src;
	struct vm_area_struct *dst;
	unsigned long from;
	unsigned long to;
	bool back;
	unsigned long old;
	unsigned long new;
	unsigned long nr;
	pmd_t *src_pmd;
	struct folio *folio;
	unsigned long waiting;
	struct mmu_notifier_range *notified;
};

/* ---- what may move ---- */

/*
 * A large folio that is not in one page table at either end. If the range ends in it, its
 * parts get apart. If all of it moves, an extent costs less than the folio is worth. What
 * moves back gets no extent.
 */
static enum obstacle look_at_large(struct place *place, struct folio *folio,
				   unsigned long first)
{
	if (!place->back && folio_nr_pages(folio) > ANON_SPACE_FEW_PAGES &&
	    first >= place->from && first + folio_size(folio) <= place->to)
		return IMPOSSIBLE;
	folio_get(folio);
	place->folio = folio;
	return LARGE;
}

static enum obstacle look_at_present(struct place *place, struct page *page,
				     unsigned long addr)
{
	struct folio *folio = page_folio(page);

	if (!folio_test_anon(folio) || folio_test_ksm(folio) ||
	    !PageAnonExclusive(page))
		return IMPOSSIBLE;
	if (!folio_test_large(folio))
		return NOTHING;
	return look_at_large(place, folio,
			     addr - folio_page_idx(folio, page) * PAGE_SIZE);
}

static enum obstacle look_at_entry(struct place *place, pte_t pte,
				   unsigned long addr)
{
	swp_entry_t entry;
	struct page *page;

	if (pte_none(pte))
		return NOTHING;
	if (pte_present(pte)) {
		page = vm_normal_page(place->src, addr, pte);
		return page ? look_at_present(place, page, addr) : NOTHING;
	}
	entry = pte_to_swp_entry(pte);
	if (!non_swap_entry(entry))
		return pte_swp_exclusive(pte) ? NOTHING : IMPOSSIBLE;
	if (is_migration_entry(entry)) {
		place->waiting = addr;
		return MIGRATES;
	}
	/* Markers and poisoned pages have no index. */
	return is_pfn_swap_entry(entry) && !is_hwpoison_entry(entry) ?
		IMPOSSIBLE : NOTHING;
}

/*
 * Only exclusive pages move here, so @few is not set. For a page that is not exclusive,
 * the folio lock would be needed to find out that nobody else maps it.
 */
static void set_up_move(struct anon_space_move *move, const struct place *place)
{
	*move = (struct anon_space_move) {
		.vma = place->src,
		.old_start = place->old,
		.old_end = place->old + place->nr * PAGE_SIZE,
		.new_start = place->new,
		.keep_from = place->old + place->nr * PAGE_SIZE,
		.anon = true,
		.plain = true,
	};
}

/* Under the page table lock of the source. Only with the space lock is it certain. */
static enum obstacle look_at_table(struct place *place, pte_t *src_pte)
{
	struct anon_space_move move;
	unsigned long nr;

	lockdep_assert_held(pte_lockptr(place->src->vm_mm, place->src_pmd));
	set_up_move(&move, place);
	nr = anon_space_movable(&move, src_pte, place->nr);
	if (likely(nr == place->nr))
		return NOTHING;
	return look_at_entry(place, ptep_get(src_pte + nr),
			     place->old + nr * PAGE_SIZE) ?: IMPOSSIBLE;
}

static bool is_empty(pte_t *pte, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++)
		if (!pte_none(ptep_get(pte + i)))
			return false;
	return true;
}

/* ---- obstacles ---- */

static bool is_huge(pmd_t pmd)
{
	return is_swap_pmd(pmd) || pmd_trans_huge(pmd) || pmd_devmap(pmd);
}

static enum obstacle look_at_huge(struct place *place)
{
	enum obstacle obstacle = IMPOSSIBLE;
	spinlock_t *ptl = pmd_lock(place->src->vm_mm, place->src_pmd);
	pmd_t pmd = *place->src_pmd;

	if (!is_huge(pmd)) {
		obstacle = AGAIN;
	} else if (is_pmd_migration_entry(pmd)) {
		place->waiting = place->old;
		obstacle = MIGRATES;
	} else if (pmd_trans_huge(pmd) && !is_huge_zero_pmd(pmd) &&
		   PageAnonExclusive(pmd_page(pmd))) {
		obstacle = look_at_large(place, pmd_folio(pmd),
					 place->old & PMD_MASK);
	}
	spin_unlock(ptl);
	return obstacle;
}

static void wait_for_migration(struct place *place)
{
	struct mm_struct *mm = place->src->vm_mm;

	/* It may be a driver that migrates pages, and waits for the end of this first. */
	if (place->notified)
		mmu_notifier_invalidate_range_end(place->notified);
	if (is_pmd_migration_entry(pmdp_get_lockless(place->src_pmd)))
		pmd_migration_entry_wait(mm, place->src_pmd);
	else
		migration_entry_wait(mm, place->src_pmd, place->waiting);
	if (place->notified)
		mmu_notifier_invalidate_range_start(place->notified);
}

/* Nothing is locked but the VMAs. Returns whether to look again. */
static bool overcome(struct place *place, enum obstacle obstacle)
{
	cond_resched();
	switch (obstacle) {
	case OCCUPIED:
		if (place->back)
			return false;
		zap_page_range_single(place->dst, place->new,
				      place->nr * PAGE_SIZE, NULL);
		return true;
	case AGAIN:
		return true;
	case LARGE:
		return anon_space_split(place->folio);
	case MIGRATES:
		wait_for_migration(place);
		return true;
	default:
		return false;
	}
}

/* ---- moving ---- */

/*
 * Who has zapped an entry may flush it from the TLBs after its lock is released. Nobody
 * may write to the old page at the destination any more when there is a new one, nor read
 * at the source what has moved away. Under the page table lock.
 */
static void flush_zapped(const struct place *place)
{
	unsigned long len = place->nr * PAGE_SIZE;

	if (likely(!mm_tlb_flush_pending(place->src->vm_mm)))
		return;
	flush_tlb_range(place->src, place->old, place->old + len);
	flush_tlb_range(place->dst, place->new, place->new + len);
}

/*
 * All entries or none. An entry that has been at the destination cannot be taken back
 * without a notice to secondary MMUs, which look without these locks.
 */
static enum obstacle move_entries(struct place *place, pte_t *src_pte,
				  pte_t *dst_pte)
{
	struct anon_space_move move;
	enum obstacle obstacle;
	bool force_flush = false;
	unsigned long moved;

	/* No folio is split for what cannot move back. */
	if (place->back && !is_empty(dst_pte, place->nr))
		return OCCUPIED;
	/* Looked at first: what is at the destination stays if nothing can move. */
	obstacle = look_at_table(place, src_pte);
	if (obstacle != NOTHING)
		return obstacle;
	if (!is_empty(dst_pte, place->nr))
		return OCCUPIED;

	set_up_move(&move, place);
	flush_zapped(place);
	flush_tlb_batched_pending(place->src->vm_mm);
	arch_enter_lazy_mmu_mode();
	moved = move_rewritten_ptes(&move, place->old, src_pte, place->new,
				    dst_pte, place->nr, false, &force_flush);
	arch_leave_lazy_mmu_mode();
	VM_WARN_ON_ONCE(moved != place->nr);
	if (force_flush)
		flush_tlb_range(place->src, move.old_start, move.old_end);
	return NOTHING;
}

/*
 * The lock of the VMA keeps tables where they are: only those of emptied VMAs are
 * freed, and collapse locks the VMA for writing.
 */
static enum obstacle move_table(struct place *place, pmd_t *dst_pmd)
{
	struct mm_struct *mm = place->src->vm_mm;
	enum obstacle obstacle = AGAIN;
	spinlock_t *src_ptl, *dst_ptl;
	pte_t *src_pte, *dst_pte;

	anon_space_lock_write(mm);
	src_pte = pte_offset_map_nolock(mm, place->src_pmd, place->old,
					&src_ptl);
	if (!src_pte)
		goto unlock;
	dst_pte = pte_offset_map_nolock(mm, dst_pmd, place->new, &dst_ptl);
	if (!dst_pte)
		goto unmap;
	double_pt_lock(src_ptl, dst_ptl);
	obstacle = move_entries(place, src_pte, dst_pte);
	double_pt_unlock(src_ptl, dst_ptl);
	pte_unmap(dst_pte);
unmap:
	pte_unmap(src_pte);
unlock:
	anon_space_unlock_write(mm);
	return obstacle;
}

static pmd_t *alloc_pmd(struct mm_struct *mm, unsigned long addr)
{
	p4d_t *p4d = p4d_alloc(mm, pgd_offset(mm, addr), addr);
	pud_t *pud = p4d ? pud_alloc(mm, p4d, addr) : NULL;

	return pud ? pmd_alloc(mm, pud, addr) : NULL;
}

static bool has_table(pmd_t *pmdp)
{
	pmd_t pmd;

	if (!pmdp)
		return false;
	pmd = pmdp_get_lockless(pmdp);
	return !pmd_none(pmd);
}

/* Nothing is mapped at the source, so nothing may stay mapped at the destination. */
static enum obstacle drop(struct place *place)
{
	struct mm_struct *mm = place->src->vm_mm;
	spinlock_t *ptl = NULL;

	/* There may have been a huge page. */
	if (place->src_pmd) {
		ptl = pmd_lock(mm, place->src_pmd);
		flush_zapped(place);
		spin_unlock(ptl);
	}
	/* If the source has no table of page tables, the place may be in several of these. */
	if (!place->src_pmd ||
	    has_table(mm_find_pmd(mm, place->new)))
		overcome(place, OCCUPIED);
	return NOTHING;
}

/* Looks for obstacles, and moves nothing. */
static enum obstacle look_at_place(struct place *place)
{
	struct mm_struct *mm = place->src->vm_mm;
	enum obstacle obstacle;
	spinlock_t *ptl = NULL;
	pte_t *pte;

	if (!has_table(place->src_pmd))
		return NOTHING;
	if (is_huge(pmdp_get_lockless(place->src_pmd)))
		return look_at_huge(place);
	pte = pte_offset_map_lock(mm, place->src_pmd, place->old, &ptl);
	if (!pte)
		return AGAIN;
	obstacle = look_at_table(place, pte);
	pte_unmap_unlock(pte, ptl);
	return obstacle;
}

static enum obstacle move_place(struct place *place)
{
	struct mm_struct *mm = place->src->vm_mm;
	pmd_t *dst_pmd;

	if (!has_table(place->src_pmd))
		return drop(place);
	if (is_huge(pmdp_get_lockless(place->src_pmd)))
		return look_at_huge(place);

	dst_pmd = alloc_pmd(mm, place->new);
	if (!dst_pmd)
		return IMPOSSIBLE;
	if (is_huge(pmdp_get_lockless(dst_pmd)))
		return (place->back ? NOTHING : look_at_place(place)) ?: OCCUPIED;
	if (pte_alloc(mm, dst_pmd))
		return IMPOSSIBLE;
	return move_table(place, dst_pmd);
}

/* How far there is no table of page tables, from @addr on. */
static unsigned long without_tables(struct mm_struct *mm, unsigned long addr,
				    unsigned long end)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud;

	/* Each end is within the one above: a level that is folded has none of its own. */
	end = pgd_addr_end(addr, end);
	if (!pgd_present(*pgd))
		return end - addr;
	p4d = p4d_offset(pgd, addr);
	end = p4d_addr_end(addr, end);
	if (!p4d_present(*p4d))
		return end - addr;
	pud = pud_offset(p4d, addr);
	end = pud_addr_end(addr, end);
	if (!pud_present(*pud))
		return end - addr;
	return 0;
}

static unsigned long in_one_table(unsigned long old, unsigned long new,
				  unsigned long len)
{
	len = min(len, PMD_SIZE - (old & ~PMD_MASK));
	return min(len, PMD_SIZE - (new & ~PMD_MASK));
}

/*
 * Where the source has no page tables, the place is as large as that: there may be
 * terabytes. A page that is faulted in there from now on comes after the move.
 */
static void find_place(struct place *place, unsigned long len)
{
	struct mm_struct *mm = place->src->vm_mm;
	unsigned long n = without_tables(mm, place->old, place->old + len);

	place->src_pmd = n ? NULL : mm_find_pmd(mm, place->old);
	place->nr = (n ?: in_one_table(place->old, place->new, len)) >> PAGE_SHIFT;
}

/*
 * Ends at the first place where @step gives up. What moves back passes by such places.
 * Returns the number of bytes for which it did not.
 */
static unsigned long step_through(const struct place *range, unsigned long len,
				  enum obstacle (*step)(struct place *))
{
	struct place place = *range;
	enum obstacle obstacle;
	unsigned long pos, done = 0;
	unsigned int tries;

	for (pos = 0; pos < len; pos += place.nr << PAGE_SHIFT) {
		cond_resched();
		place.old = range->old + pos;
		place.new = range->new + pos;
		for (tries = 0; tries < MAX_TRIES; tries++) {
			find_place(&place, len - pos);
			obstacle = step(&place);
			if (obstacle == NOTHING || !overcome(&place, obstacle))
				break;
		}
		if (obstacle == NOTHING)
			done += place.nr << PAGE_SHIFT;
		else if (!range->back)
			break;
	}
	return done;
}

/*
 * If the range is more than one place, an obstacle in the last one would leave the others
 * moved. So look at all of them first. After that only a race can make an obstacle. Then
 * the rest may need extents, whatever the limit: so begin only if it is not reached.
 */
static bool may_begin(const struct place *range, unsigned long len)
{
	const struct anon_map *map = &range->src->vm_mm->anon_space.map;

	if (range->back || in_one_table(range->old, range->new, len) == len)
		return true;
	/* Others may add or free extents at any time. */
	return data_race(map->nr) < sysctl_max_map_count &&
	       step_through(range, len, look_at_place) == len;
}

static unsigned long move_range(struct place *range, unsigned long len)
{
	struct mmu_notifier_range notified;
	unsigned long moved;

	if (!may_begin(range, len))
		return 0;
	/* A fault may map a first page at the source at any time. */
	if (unlikely(anon_vma_prepare(range->dst)))
		return 0;

	flush_cache_range(range->src, range->old, range->old + len);
	mmu_notifier_range_init(&notified, MMU_NOTIFY_UNMAP, 0,
				range->src->vm_mm, range->old,
				range->old + len);
	range->notified = &notified;
	mmu_notifier_invalidate_range_start(&notified);
	moved = step_through(range, len, move_place);
	mmu_notifier_invalidate_range_end(&notified);
	if (!moved)
		return 0;
	anon_space_count(REWRITTEN, moved >> PAGE_SHIFT);
	trace_anon_space_move(range->old, range->new, moved >> PAGE_SHIFT,
			      moved >> PAGE_SHIFT, /* tables = */ 0,
			      /* split = */ 0, range->back,
			      /* in_place = */ true);
	return moved;
}

/* ---- which VMAs ---- */

/* All other VMAs are left to mremap(), which does more for them or refuses them. */
static bool may_move_here(struct vm_area_struct *vma)
{
	const unsigned long others = VM_SHARED | VM_LOCKED | VM_LOCKONFAULT |
				     VM_HUGETLB | VM_DONTEXPAND | VM_MERGEABLE;

	return anon_space_is_plain(vma) && !(vma->vm_flags & others) &&
	       !userfaultfd_armed(vma) && can_modify_vma(vma);
}

static bool are_equal(struct vm_area_struct *a, struct vm_area_struct *b)
{
	if (a == b)
		return true;
	if (a->vm_flags != b->vm_flags || a->vm_file != b->vm_file ||
	    a->vm_ops != b->vm_ops ||
	    !mpol_equal(vma_policy(a), vma_policy(b)))
		return false;
#ifdef CONFIG_ANON_VMA_NAME
	/* anon_vma_name() wants mmap_lock, but the VMA lock is as good. */
	return anon_vma_name_eq(a->anon_name, b->anon_name);
#else
	return true;
#endif
}

static bool holds(struct vm_area_struct *vma, unsigned long start,
		  unsigned long len)
{
	return vma && start >= vma->vm_start && len <= vma->vm_end - start;
}

/*
 * When all of a VMA has moved, stock takes it for one that never had pages: mprotect() and
 * core dumps ask. And it does not take the destination for one that has, if the source
 * never had. So these are left to mremap(), too.
 */
static bool stays_attached(struct vm_area_struct *src, unsigned long len)
{
	return READ_ONCE(src->anon_vma) && len < src->vm_end - src->vm_start;
}

/*
 * With both VMAs locked, by their own locks or by mmap_lock. What was moved may be all of
 * its VMA when it has to go back.
 */
static bool changes_no_vma(struct vm_area_struct *src,
			   struct vm_area_struct *dst, unsigned long old,
			   unsigned long new, unsigned long len, bool back)
{
	if (!holds(src, old, len) || !holds(dst, new, len) ||
	    !(back || stays_attached(src, len)) || !may_move_here(src) ||
	    !are_equal(src, dst))
		return false;
	/* As if the destination were unmapped first, and then mapped again. */
	return back || (may_expand_vm(src->vm_mm, src->vm_flags, 0) &&
			!security_mmap_addr(new));
}

static unsigned long move_if_equal(struct vm_area_struct *src,
				   struct vm_area_struct *dst,
				   unsigned long old, unsigned long new,
				   unsigned long len, bool back)
{
	struct place range = {
		.src = src, .dst = dst, .from = old, .to = old + len,
		.back = back, .old = old, .new = new,
	};

	return changes_no_vma(src, dst, old, new, len, back) ?
		move_range(&range, len) : 0;
}

static bool lock_vmas(struct mm_struct *mm, unsigned long old,
		      unsigned long new, struct vm_area_struct **src,
		      struct vm_area_struct **dst)
{
	*src = lock_vma_under_rcu(mm, old);
	if (!*src)
		return false;
	*dst = *src;
	if (new >= (*src)->vm_start && new < (*src)->vm_end)
		return true;
	*dst = lock_vma_under_rcu(mm, new);
	if (*dst)
		return true;
	vma_end_read(*src);
	return false;
}

/* To move page tables as a whole is cheaper. mremap() does that, and changes VMAs. */
static bool moves_tables(unsigned long old, unsigned long new, unsigned long len)
{
	return !((old ^ new) & ~PMD_MASK) &&
	       ALIGN(old, PMD_SIZE) + PMD_SIZE <= old + len;
}

static unsigned long lock_and_move(struct mm_struct *mm, unsigned long old,
				   unsigned long new, unsigned long len,
				   bool back)
{
	struct vm_area_struct *src, *dst;
	unsigned long moved;

	if (!len || offset_in_page(new) || old + len < old || new + len < new ||
	    (old < new + len && new < old + len) || moves_tables(old, new, len))
		return 0;

	if (lock_vmas(mm, old, new, &src, &dst)) {
		moved = move_if_equal(src, dst, old, new, len, back);
		vma_end_read(src);
		if (dst != src)
			vma_end_read(dst);
		return moved;
	}
	if (back)
		mmap_read_lock(mm);
	else if (mmap_read_lock_killable(mm))
		return 0;
	src = vma_lookup(mm, old);
	dst = vma_lookup(mm, new);
	moved = move_if_equal(src, dst, old, new, len, back);
	mmap_read_unlock(mm);
	return moved;
}

/**
 * anon_space_move_pages - move pages to a mapping that is there already
 * @mm: the mm of the caller
 * @old: first address to move from, a multiple of the page size
 * @new: first address to move to, anything
 * @len: number of bytes, a multiple of the page size
 *
 * What was mapped at the destination is dropped, and nothing is left at the source, as
 * after mremap(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP).
 *
 * Context: sleeps. No lock held. Takes the locks of the VMAs or mmap_lock for reading,
 * the space lock, and two page table locks.
 * Return: how many bytes are done, from the start: all or, as a rule, none, when the
 * VMAs or pages are not such as can be moved here, or anything is wrong. It is a part
 * only if there was an obstacle that was not there at first.
 */
unsigned long anon_space_move_pages(struct mm_struct *mm, unsigned long old,
				    unsigned long new, unsigned long len)
{
	return lock_and_move(mm, old, new, len, /* back = */ false);
}

/**
 * anon_space_return_pages - move back what anon_space_move_pages() has moved
 * @mm: the mm of the caller
 * @new: first address that was moved to
 * @old: first address that was moved from
 * @len: number of bytes
 *
 * For a move whose rest has failed. A page that somebody has mapped at an old address
 * meanwhile stays, and so does what was moved from the same page table. So does a large
 * folio in use that got to a place where it is not in one page table.
 *
 * Context: as anon_space_move_pages().
 */
void anon_space_return_pages(struct mm_struct *mm, unsigned long new,
			     unsigned long old, unsigned long len)
{
	lock_and_move(mm, new, old, len, /* back = */ true);
}

/* mmap_lock and the VMAs are locked: nobody else changes the VMAs and what they map. */
static unsigned long move_or_keep(struct vm_area_struct *src,
				  struct vm_area_struct *dst, unsigned long old,
				  unsigned long new, unsigned long len, bool rest)
{
	struct anon_space_move move;
	unsigned long moved;

	zap_page_range_single(dst, new, len, NULL);
	anon_space_move_begin(&move, src, old, new, len);
	move.must = rest;
	moved = move_page_tables(&move, src, old, dst, new, len, false, false);
	if (moved == len) {
		anon_space_trim(src->vm_mm, old, old + len);
		return new;
	}
	anon_space_move_back(&move, dst, moved);
	move_page_tables(&move, dst, new, src, old, moved, true, false);
	anon_space_trim(src->vm_mm, new, new + len);
	return -ENOMEM;
}

/**
 * anon_space_keep_pages - move pages to a mapping that is there already, shared or not
 * @mm: the mm of the caller
 * @old: first address to move from
 * @new: first address to move to, which does not overlap
 * @len: number of bytes
 * @rest: has the part before it been moved by anon_space_move_pages()?
 *
 * As anon_space_move_pages(), but where the index of a page cannot be rewritten, the
 * destination gets the offsets of the source. For a rest that may be more extents than
 * there is room for: one such move at most for each thread of the mm.
 *
 * Context: sleeps. mmap_lock held for writing. Takes the space lock.
 * Return: @new, -ENOMEM when what was mapped at the destination may be gone and all
 * else is as it was, or -EAGAIN if VMAs have to change.
 */
unsigned long anon_space_keep_pages(struct mm_struct *mm, unsigned long old,
				    unsigned long new, unsigned long len, bool rest)
{
	struct vm_area_struct *src = vma_lookup(mm, old);
	struct vm_area_struct *dst = vma_lookup(mm, new);

	mmap_assert_write_locked(mm);
	if (moves_tables(old, new, len) ||
	    !changes_no_vma(src, dst, old, new, len, /* back = */ false))
		return -EAGAIN;
	if (!rest && !anon_space_has_room(mm, old, new, len))
		return -ENOMEM;
	vma_start_write(src);
	vma_start_write(dst);
	if (unlikely(anon_vma_prepare(dst)))
		return -ENOMEM;
	return move_or_keep(src, dst, old, new, len, rest);
}
