// SPDX-License-Identifier: GPL-2.0
/*
 * Walks of the reverse map of anonymous memory.
 */

#include <linux/anon_space.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/rmap.h>

#include "internal.h"
#include "trace.h"

/* Members that a walk comes back to. */
#define ANON_SPACE_MAX_BUSY	16

/**
 * __anon_space_find_vma - find the lowest VMA in a range of addresses
 * @mm: the mm
 * @start: first address
 * @end: address behind the last
 *
 * Context: space lock held.
 * Return: the VMA, or NULL if none in [@start, @end) may hold anonymous pages.
 */
struct vm_area_struct *__anon_space_find_vma(struct mm_struct *mm,
					     unsigned long start,
					     unsigned long end)
{
	struct rb_node *node = mm->anon_space.vmas.rb_node;
	struct vm_area_struct *found = NULL;

	anon_space_assert_locked(mm);
	while (node) {
		struct vm_area_struct *vma = rb_entry(node, struct vm_area_struct, anon_rb);

		if (vma->vm_end <= start) {
			node = node->rb_right;
		} else {
			found = vma;
			if (vma->vm_start <= start)
				break;
			node = node->rb_left;
		}
	}
	return found && found->vm_start < end ? found : NULL;
}

/**
 * __anon_space_next_vma - find the next VMA
 * @vma: a VMA in the tree
 * @end: address behind the last
 *
 * Context: space lock held.
 * Return: the VMA, or NULL if the next one begins at or after @end.
 */
struct vm_area_struct *__anon_space_next_vma(struct vm_area_struct *vma,
					     unsigned long end)
{
	struct vm_area_struct *next;

	anon_space_assert_locked(vma->vm_mm);
	if (vma->vm_end >= end)
		return NULL;
	next = rb_entry_safe(rb_next(&vma->anon_rb), struct vm_area_struct,
			     anon_rb);
	return next && next->vm_start < end ? next : NULL;
}

/* Returns false if the walk is to end. Inline: there may be many members. */
static __always_inline bool walk_vmas(struct mm_struct *mm, unsigned long start,
				      unsigned long end, struct folio *folio,
				      struct rmap_walk_control *rwc)
{
	struct vm_area_struct *vma;

	vma = __anon_space_find_vma(mm, start, end);
	for (; vma; vma = __anon_space_next_vma(vma, end)) {
		unsigned long address = max(start, vma->vm_start);

		/* The address may have been mapped anew, to another kind. */
		if (folio_test_hugetlb(folio) != is_vm_hugetlb_page(vma))
			continue;
		if (rwc->invalid_vma && rwc->invalid_vma(vma, rwc->arg))
			continue;
		if (!rwc->rmap_one(folio, vma, address, rwc->arg))
			return false;
		if (rwc->done && rwc->done(folio))
			return false;
	}
	return true;
}

/* In addresses that are in no extent. */
static bool walk_gaps(struct mm_struct *mm, unsigned long start,
		      unsigned long end, struct folio *folio,
		      struct rmap_walk_control *rwc)
{
	struct anon_extent *extent;

	extent = anon_map_find(&mm->anon_space.map, start, end);
	for (; extent; extent = anon_map_next(extent, end)) {
		if (start < extent->start &&
		    !walk_vmas(mm, start, extent->start, folio, rwc))
			return false;
		start = extent->end;
	}
	return start >= end || walk_vmas(mm, start, end, folio, rwc);
}

static bool walk_extents(struct mm_struct *mm, pgoff_t first, pgoff_t last,
			 struct folio *folio, struct rmap_walk_control *rwc)
{
	struct anon_map *map = &mm->anon_space.map;
	struct anon_extent *extent;

	for (extent = anon_map_find_offset(map, first, last); extent;
	     extent = anon_map_next_offset(extent, first, last)) {
		unsigned long start = extent->start, end = extent->end;

		cond_resched();
		if (anon_extent_offset(extent, start) < first)
			start = anon_extent_addr(extent, first);
		if (anon_extent_offset(extent, end) > last)
			end = anon_extent_addr(extent, last + 1);
		if (!walk_vmas(mm, start, end, folio, rwc))
			return false;
	}
	return true;
}

static bool walk_lock(struct mm_struct *mm, struct rmap_walk_control *rwc)
{
	cond_resched();
	if (down_read_trylock(&mm->anon_space.rwsem))
		return true;
	if (rwc->try_lock) {
		rwc->contended = true;
		return false;
	}
	anon_space_lock_read(mm);
	return true;
}

/* Returns false if the walk is to end. */
static __always_inline bool walk_member(struct mm_struct *mm,
					struct folio *folio,
					struct rmap_walk_control *rwc)
{
	unsigned long nr = folio_nr_pages(folio);
	pgoff_t index;
	bool more;

	if (!walk_lock(mm, rwc))
		return false;
	/* mremap() rewrites it under the space lock: read it once, here. */
	index = READ_ONCE(folio->index);
	if (likely(!mm->anon_space.map.nr))
		more = walk_vmas(mm, index << PAGE_SHIFT,
				 (index + nr) << PAGE_SHIFT, folio, rwc);
	else
		more = walk_gaps(mm, index << PAGE_SHIFT,
				 (index + nr) << PAGE_SHIFT, folio, rwc) &&
		       walk_extents(mm, index, index + nr - 1, folio, rwc);
	anon_space_unlock_read(mm);
	return more;
}

/*
 * Has the walk seen all entries? It has if the page is exclusive to one mm and that mm
 * has been visited: the mm owns the file (INV-9), and no other entry exists. If the page
 * becomes shared after that, the new entries are copies of what the visit has left.
 */
static bool is_all(struct anon_vma *anon_vma, struct mm_struct *visited,
		   struct folio *folio)
{
	if (anon_vma->owner != visited || folio_mapcount(folio) != 1)
		return false;
	/* If it is mapped page by page, the flag of one page says nothing of the others. */
	if (folio_test_large(folio) && folio_entire_mapcount(folio) != 1)
		return false;
	return PageAnonExclusive(&folio->page);
}

/* Returns the number of visits. Inline: there is one caller. */
static __always_inline unsigned int walk_members(struct anon_vma *anon_vma,
						 struct folio *folio,
						 struct rmap_walk_control *rwc)
{
	struct mm_struct *busy[ANON_SPACE_MAX_BUSY];
	unsigned int nr_busy = 0, visited = 0, i;
	struct anon_membership *membership;

	list_for_each_entry(membership, &anon_vma->members, in_file) {
		visited++;
		if (walk_member(membership->mm, folio, rwc)) {
			if (is_all(anon_vma, membership->mm, folio))
				return visited;
			continue;
		}
		if (!rwc->contended || nr_busy == ANON_SPACE_MAX_BUSY)
			return visited;
		busy[nr_busy++] = membership->mm;
		rwc->contended = false;
	}
	for (i = 0; i < nr_busy; i++) {
		visited++;
		if (!walk_member(busy[i], folio, rwc))
			break;
	}
	return visited;
}

/**
 * anon_space_walk_folio - visit where an anonymous folio may be mapped
 * @anon_vma: the folio's file
 * @folio: the folio, not a KSM one
 * @rwc: what to do there
 *
 * Visits in each member each VMA that has addresses of the folio's offsets, until the
 * callback says that it is enough, there can be no more, or a lock is contended, when
 * @rwc->contended is set. The address is that of the first page of the folio which may
 * be mapped there; where the offset does not go on evenly from there
 * page_vma_mapped_walk() ends, and what is left is another visit. So each page table
 * entry is found once (INV-2).
 *
 * A walker that must not wait skips members whose lock is busy, and visits them once
 * more at the end. Each of many members may be busy only now and then, but one of them
 * nearly always is.
 *
 * Context: sleeps unless @rwc->try_lock is set. File lock held. Takes the space
 * lock of one member after the other.
 */
void anon_space_walk_folio(struct anon_vma *anon_vma, struct folio *folio,
			   struct rmap_walk_control *rwc)
{
	const int entries = trace_anon_space_walk_enabled() ?
			    folio_mapcount(folio) : 0;
	unsigned int visited;

	lockdep_assert_held(&anon_vma->rwsem);
	visited = walk_members(anon_vma, folio, rwc);
	trace_anon_space_walk(folio, anon_vma, visited, entries,
			      rwc->contended);
}

/**
 * anon_space_walk_range - visit the VMAs in a range of addresses
 * @mm: a member of the file
 * @start: first address
 * @end: address behind the last
 * @folio: passed to the callbacks
 * @rwc: what to do there
 *
 * Context: sleeps unless @rwc->try_lock is set. File lock held. Takes the space
 * lock.
 * Return: false if the walk is to end: the callback said so, or the lock is
 * contended and @rwc->contended set.
 */
bool anon_space_walk_range(struct mm_struct *mm, unsigned long start,
			   unsigned long end, struct folio *folio,
			   struct rmap_walk_control *rwc)
{
	bool more;

	if (!walk_lock(mm, rwc))
		return false;
	more = walk_vmas(mm, start, end, folio, rwc);
	anon_space_unlock_read(mm);
	return more;
}
