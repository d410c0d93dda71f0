/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The anonymous space, for the code of mm/.
 */
#ifndef _MM_ANON_SPACE_INTERNAL_H
#define _MM_ANON_SPACE_INTERNAL_H

#include <linux/anon_space.h>
#include <linux/mm.h>

struct rmap_walk_control;

#ifdef CONFIG_MMU
/* ---- map.c: from address to offset ---- */

/**
 * struct anon_extent - a range of addresses that is not mapped at its own offset
 * @by_addr:   node in anon_map.by_addr
 * @by_offset: node in anon_map.by_offset
 * @last:      largest offset in the subtree of @by_offset
 * @spare:     the next one of a struct anon_spares, while in no map
 * @start:     first address
 * @end:       address behind the last
 * @delta:     what the offset of a page is ahead of its address, never 0; both
 *             counted in pages, modulo the size of an unsigned long
 *
 * Readers without a lock follow @by_addr, and look at @start, @end and @delta.
 */
struct anon_extent {
	struct rb_node by_addr;
	struct rb_node by_offset;
	union {
		unsigned long last;
		struct anon_extent *spare;
	};
	unsigned long start;
	unsigned long end;
	pgoff_t delta;
};

/**
 * struct anon_spares - extents that are in no map
 * @first: linked by their @spare
 * @nr:    how many
 */
struct anon_spares {
	struct anon_extent *first;
	unsigned long nr;
};

/* The offset that @extent has for @addr, or would have if it reached there. */
static inline pgoff_t anon_extent_offset(const struct anon_extent *extent,
					 unsigned long addr)
{
	return (addr >> PAGE_SHIFT) + extent->delta;
}

/* The address that has this offset in @extent. */
static inline unsigned long anon_extent_addr(const struct anon_extent *extent,
					     pgoff_t offset)
{
	return (offset - extent->delta) << PAGE_SHIFT;
}

/* Under which lock a map is changed. Only the map of a test has none. */
#ifdef CONFIG_LOCKDEP
static inline void anon_map_set_lock(struct anon_map *map,
				     struct rw_semaphore *lock)
{
	map->lock = lock;
}

static inline void anon_map_assert_locked(const struct anon_map *map)
{
	lockdep_assert(!map->lock || lockdep_is_held_type(map->lock, 0));
}
#else
static inline void anon_map_set_lock(struct anon_map *map,
				     struct rw_semaphore *lock)
{
}

static inline void anon_map_assert_locked(const struct anon_map *map)
{
}
#endif

void anon_map_init(struct anon_map *map);
void anon_map_destroy(struct anon_map *map);

pgoff_t anon_map_offset(const struct anon_map *map, unsigned long addr,
			unsigned long *end);

struct anon_extent *anon_map_find(const struct anon_map *map,
				  unsigned long start, unsigned long end);
struct anon_extent *anon_map_next(const struct anon_extent *extent,
				  unsigned long end);
struct anon_extent *anon_map_find_offset(struct anon_map *map,
					 pgoff_t first, pgoff_t last);
struct anon_extent *anon_map_next_offset(struct anon_extent *extent,
					 pgoff_t first, pgoff_t last);

bool anon_map_equal(const struct anon_map *map, unsigned long a,
		    unsigned long b, unsigned long len);
unsigned long anon_map_copy_needs(const struct anon_map *map,
				  unsigned long old, unsigned long new,
				  unsigned long len);
void anon_map_copy(struct anon_map *map, unsigned long old, unsigned long new,
		   unsigned long len, struct anon_spares *spares);
void anon_map_trim(struct anon_map *map, unsigned long start,
		   unsigned long end);
void anon_map_grow(struct anon_map *map, unsigned long end,
		   unsigned long new_end);
void anon_map_grow_down(struct anon_map *map, unsigned long start,
			unsigned long new_start);
void anon_map_level(struct anon_map *map, unsigned long start,
		    unsigned long end);
void anon_map_inherit(struct anon_map *map, const struct anon_map *parent,
		      unsigned long start, unsigned long end,
		      struct anon_spares *spares);

int anon_spares_fill(struct anon_spares *spares, unsigned long nr, gfp_t gfp);
void anon_spares_free(struct anon_spares *spares);

void __init anon_map_setup(void);

/* ---- the space lock ---- */

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

/* Walks are too frequent for these checks in every kernel. */
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

/* ---- files.c, new_files.c: files and their members ---- */

/*
 * Files of dead ancestors that an mm may be a member of before its children
 * adopt one of them even though others are members as well, and before it looks
 * for those that it can leave.
 */
#define ANON_SPACE_MAX_DEAD	8

/**
 * anon_space_file - the file for a folio that is only ours
 * @mm: an mm that has a VMA with an anon_vma
 *
 * Context: as anon_space_is_member().
 * Return: the file.
 */
static inline struct anon_vma *anon_space_file(struct mm_struct *mm)
{
	/* Another file may take its place meanwhile: either of them is correct. */
	return READ_ONCE(mm->anon_space.anon_vma);
}

struct anon_membership *anon_membership_alloc(void);
void anon_vma_join(struct anon_vma *anon_vma, struct mm_struct *mm,
		   struct anon_membership *membership);
void anon_vma_leave(struct anon_membership *membership);
int anon_space_prepare(struct mm_struct *mm);
int anon_space_use_new_file(struct mm_struct *mm);
void anon_space_leave(struct anon_membership *membership);
bool anon_space_is_member(struct mm_struct *mm, struct anon_vma *anon_vma);
struct anon_vma *anon_space_oldest_file(struct mm_struct *mm);
struct anon_vma *anon_space_family_file(struct mm_struct *mm);
void anon_space_begin_file(struct mm_struct *mm);
void anon_space_take_folio(struct folio *folio);

/* ---- space.c: the life of an mm ---- */

void anon_space_exit(struct mm_struct *mm);

/* ---- vmas.c: the VMAs that may hold anonymous pages ---- */

void anon_space_attach_vma(struct vm_area_struct *vma);
void anon_space_forget_vma(struct vm_area_struct *vma);
void anon_space_trim_hole(struct mm_struct *mm, unsigned long start);
void anon_space_replace_vma(struct vm_area_struct *vma,
			    struct vm_area_struct *stand_in);
void __anon_space_attach_vma(struct vm_area_struct *vma);
void __anon_space_detach_vma(struct vm_area_struct *vma);

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

/* ---- offset.c: addresses and offsets ---- */

bool anon_space_fits(struct vm_area_struct *vma, unsigned long addr,
		     struct folio *folio, struct page *page);
unsigned long anon_space_address(struct vm_area_struct *vma, pgoff_t offset);
bool anon_space_has_room(struct mm_struct *mm, unsigned long old,
			 unsigned long new, unsigned long len);
void anon_space_grow_map(struct mm_struct *mm, unsigned long end,
			 unsigned long new_end);
void anon_space_level_map(struct mm_struct *mm, unsigned long start,
			  unsigned long end);
void anon_space_trim_map(struct mm_struct *mm, unsigned long start,
			 unsigned long end);

/**
 * anon_space_run - offset of an address in the mm's file, and how far it goes on
 * @mm: the mm
 * @addr: the address
 * @end: set to the address up to which the offset goes on evenly
 *
 * Context: any. mmap_lock, the lock of an attached VMA at @addr or the space lock is
 * held, so that the offset does not change.
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
		anon_space_grow_map(mm, end, new_end);
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
		anon_space_level_map(mm, start, end);
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
		anon_space_trim_map(mm, start, end);
}

/* ---- walk.c: walks of the reverse map ---- */

struct vm_area_struct *__anon_space_find_vma(struct mm_struct *mm,
					     unsigned long start,
					     unsigned long end);
struct vm_area_struct *__anon_space_next_vma(struct vm_area_struct *vma,
					     unsigned long end);
void anon_space_walk_folio(struct anon_vma *anon_vma, struct folio *folio,
			   struct rmap_walk_control *rwc);
bool anon_space_walk_range(struct mm_struct *mm, unsigned long start,
			   unsigned long end, struct folio *folio,
			   struct rmap_walk_control *rwc);

/* ---- move.c, move_pages.c, move_vma.c: mremap() ---- */

/*
 * To find out that nobody else maps a page any more costs more than to move it, and so
 * does the split of a large folio. An extent for more pages than this is cheaper.
 */
#define ANON_SPACE_FEW_PAGES	16

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
 * @few:       does it pay to do more to avoid an extent, as there are few pages?
 * @hard:      or as many extents have these offsets?
 * @stack:     is it the stack of a new program, whose pages nobody shares?
 * @back:      does this bring back what could be moved only in part?
 * @must:      are extents made whatever it takes, as a part has moved already?
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
	bool hard;
	bool stack;
	bool back;
	bool must;
	bool locked;
};

void anon_space_move_begin(struct anon_space_move *move,
			   struct vm_area_struct *vma, unsigned long old_addr,
			   unsigned long new_addr, unsigned long len);
void anon_space_move_back(struct anon_space_move *move,
			  struct vm_area_struct *vma, unsigned long moved);
int anon_space_move_keep_rest(struct anon_space_move *move,
			      unsigned long old_addr);
bool anon_space_try_hard(struct anon_space_move *move, unsigned long old_addr);
bool anon_space_move_pte(struct anon_space_move *move, pte_t *ptep, pte_t pte,
			 unsigned long old_addr, unsigned long new_addr);
bool anon_space_move_any_pmd(struct anon_space_move *move, pmd_t pmd,
			     unsigned long new_addr);
unsigned long anon_space_movable(struct anon_space_move *move, pte_t *ptep,
				 unsigned long nr);
bool anon_space_move_hugetlb(struct anon_space_move *move, pte_t pte,
			     unsigned long old_addr, unsigned long new_addr);

bool anon_space_split(struct folio *folio);
unsigned long anon_space_move_pages(struct mm_struct *mm, unsigned long old,
				    unsigned long new, unsigned long len);
void anon_space_return_pages(struct mm_struct *mm, unsigned long new,
			     unsigned long old, unsigned long len);
unsigned long anon_space_keep_pages(struct mm_struct *mm, unsigned long old,
				    unsigned long new, unsigned long len,
				    bool rest);

/* In mm/mremap.c. */
unsigned long move_rewritten_ptes(struct anon_space_move *move,
				  unsigned long old_addr, pte_t *old_pte,
				  unsigned long new_addr, pte_t *new_pte,
				  unsigned long nr, bool need_clear_uffd_wp,
				  bool *force_flush);

bool anon_space_may_stay(struct vm_area_struct *vma, unsigned long addr,
			 unsigned long len);
struct vm_area_struct *anon_space_stand_in(struct vma_iterator *vmi,
					   struct vm_area_struct *vma,
					   struct vm_area_struct *stand_in,
					   unsigned long start,
					   unsigned long end);
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
 * waits. It is released at the next boundary of a PUD: up to there the table of PMDs
 * exists already, so none has to be allocated. With PREEMPT_RT nobody can tell whether
 * somebody waits. There a waiter of higher priority lends its priority to us, for at
 * most 512 entries.
 *
 * Context: mmap_lock held for writing. May release the space lock.
 */
static inline void anon_space_move_relax(struct anon_space_move *move,
					 unsigned long new_addr)
{
	struct rw_semaphore *rwsem = &move->vma->vm_mm->anon_space.rwsem;

	/* With PREEMPT_RT rwsem_is_contended() is true of each lock that is held. */
	const bool knows_waiters = !IS_ENABLED(CONFIG_PREEMPT_RT);

	if (move->locked &&
	    (!(new_addr & ~PUD_MASK) || need_resched() ||
	     (knows_waiters && rwsem_is_contended(rwsem))))
		anon_space_move_unlock(move);
}

/* Is the index of what is mapped at @old_addr to be rewritten, as things are? */
static inline bool anon_space_move_rewrites(const struct anon_space_move *move,
					    unsigned long old_addr)
{
	return old_addr < move->keep_from;
}

/**
 * anon_space_may_keep_table - may a table move as a whole, with the offsets of its pages?
 * @move: the move
 * @old_addr: first address of the table
 *
 * Context: mmap_lock held for writing.
 * Return: false if so many places have these offsets that its pages should not.
 */
static inline bool anon_space_may_keep_table(struct anon_space_move *move,
					     unsigned long old_addr)
{
	return !anon_space_move_rewrites(move, old_addr) ||
	       !anon_space_try_hard(move, old_addr);
}

/**
 * anon_space_move_keep - from here on pages keep their index
 * @move: the move
 * @old_addr: where it begins: a whole table, or an entry whose page cannot get a new
 *            index
 *
 * Gives the destination the offsets of the source, from @old_addr to the end, so that
 * all pages may keep their index. If the entry maps a part of a large folio, that may
 * be split instead. Then the caller looks at entries as before.
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
	return anon_space_move_keep_rest(move, old_addr);
}

/**
 * anon_space_is_small - is it a small page that nobody else maps?
 * @page: a page that an entry of a private anonymous VMA maps
 *
 * This is most of what a move does for a page, so it has to be fast. PageHead() and
 * PageAnonExclusive() are bits of one word, and are one test here. The zero page has
 * neither bit. PageTail() would look for fake heads of hugetlb too, which is not mapped here.
 *
 * Context: page table lock of the entry held.
 * Return: whether it is. Then it is a folio of its own.
 */
static inline bool anon_space_is_small(struct page *page)
{
	const unsigned long mask = BIT(PG_head) | BIT(PG_anon_exclusive);

	if ((READ_ONCE(page->flags) & mask) != BIT(PG_anon_exclusive) ||
	    (READ_ONCE(page->compound_head) & 1))
		return false;
	VM_WARN_ON_ONCE_PAGE(!PageAnon(page) || PageCompound(page), page);
	return true;
}

/**
 * anon_space_move_small - give a small page of our own a new index
 * @page: a page that an entry of a private anonymous VMA maps
 * @index: the index
 *
 * Context: space lock held for writing, and the page table lock of the entry.
 * Return: false if it is no such page.
 */
static inline bool anon_space_move_small(struct page *page, pgoff_t index)
{
	if (!anon_space_is_small(page))
		return false;
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
	return anon_space_move_any_pmd(move, pmd, new_addr);
}
#endif /* CONFIG_MMU */

/* ---- validate.c: what must hold ---- */

/**
 * struct anon_space_stats - what a validation has looked at
 * @mms:         address spaces
 * @vmas:        VMAs
 * @pages:       page table entries of anonymous pages
 * @extents:     extents of their maps
 * @memberships: memberships in files
 * @skipped:     of @pages, those whose reverse map could not be judged: the
 *               folio was locked, or was being mapped or unmapped all the time
 * @violations:  invariants that did not hold
 */
struct anon_space_stats {
	unsigned long mms;
	unsigned long vmas;
	unsigned long pages;
	unsigned long extents;
	unsigned long memberships;
	unsigned long skipped;
	unsigned long violations;
};

#ifdef CONFIG_DEBUG_ANON_SPACE
int anon_space_validate(struct mm_struct *mm, struct anon_space_stats *stats);
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

#endif /* _MM_ANON_SPACE_INTERNAL_H */
