// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses of an mm, and their offsets in its virtual anonymous file.
 */

#include <linux/anon_space.h>
#include <linux/mm.h>
#include <linux/rmap.h>

#include "../internal.h"

/**
 * anon_space_fits - may a folio of the swap cache be mapped here?
 * @vma: the VMA
 * @addr: the address
 * @folio: an anonymous folio, no KSM page
 * @page: the page of @folio
 *
 * While the folio is mapped nowhere it has no file and no index. Who maps it first sets
 * both. After that others may map it where its file and its index fit.
 *
 * Context: folio lock held; mmap_lock or the lock of @vma held: the answer holds as
 * long as both.
 * Return: whether it may.
 */
bool anon_space_fits(struct vm_area_struct *vma, unsigned long addr,
		     struct folio *folio, struct page *page)
{
	pgoff_t offset = anon_space_offset(vma->vm_mm, addr);
	pgoff_t idx = folio_page_idx(folio, page);

	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);
	if (!folio_mapped(folio))
		return offset >= idx;
	return offset == folio->index + idx &&
	       anon_space_is_member(vma->vm_mm, folio_anon_vma(folio));
}

/**
 * anon_space_address - where does a VMA map an offset?
 * @vma: the VMA
 * @offset: offset in the mm's file
 *
 * Several addresses may have the same offset. Who needs that of a certain page has to
 * walk the reverse map. The extents of the VMA are looked at, as a caller may ask one VMA
 * after the other, and very many extents may have the offset.
 *
 * Context: sleeps. mmap_lock held. Takes the space lock.
 * Return: an address in @vma that has the offset, or -EFAULT.
 */
unsigned long anon_space_address(struct vm_area_struct *vma, pgoff_t offset)
{
	unsigned long addr = offset << PAGE_SHIFT;
	struct mm_struct *mm = vma->vm_mm;
	struct anon_extent *extent;

	mmap_assert_locked(mm);
	anon_space_lock_read(mm);
	if (addr >= vma->vm_start && addr < vma->vm_end &&
	    anon_space_offset(mm, addr) == offset)
		goto found;
	extent = anon_map_find(&mm->anon_space.map, vma->vm_start, vma->vm_end);
	for (; extent; extent = anon_map_next(extent, vma->vm_end)) {
		addr = anon_extent_addr(extent, offset);
		if (addr >= max(extent->start, vma->vm_start) &&
		    addr < min(extent->end, vma->vm_end))
			goto found;
	}
	addr = -EFAULT;
found:
	anon_space_unlock_read(mm);
	return addr;
}

/* May others map pages of this mm? */
static bool has_relatives(struct mm_struct *mm)
{
	struct anon_membership *membership;

	/*
	 * Nobody joins meanwhile, as that takes our mmap_lock. Somebody may leave, which
	 * might as well come later.
	 */
	list_for_each_entry(membership, &mm->anon_space.memberships, in_mm) {
		/* As said above. */
		if (data_race(membership->anon_vma->nr_members) > 1)
			return true;
	}
	return false;
}

/**
 * anon_space_has_room - may a range be moved without too many extents? (INV-7)
 * @mm: the mm
 * @old: first address to move from, which may be in no VMA
 * @new: first address to move to
 * @len: number of bytes, not more than an address space has
 *
 * In a kernel without this each extent would be a VMA of its own, so the limit is
 * that of VMAs. It is checked before anything is changed. Private memory that moves
 * entry by entry rarely leaves an extent. It may move as long as there is room for one.
 *
 * Context: mmap_lock held for writing.
 * Return: whether it may.
 */
bool anon_space_has_room(struct mm_struct *mm, unsigned long old,
			 unsigned long new, unsigned long len)
{
	struct anon_map *map = &mm->anon_space.map;
	unsigned long pos, end, nr;
	struct vm_area_struct *vma;

	mmap_assert_write_locked(mm);
	if (likely(!map->nr) ||
	    (len < PMD_SIZE && map->nr < sysctl_max_map_count &&
	     !has_relatives(mm)))
		return true;
	/* The source has one piece for each page at most, and for each extent and gap. */
	nr = min(len >> PAGE_SHIFT, 2UL * map->nr + 1);
	if (map->nr + 1 + nr <= sysctl_max_map_count)
		return true;
	vma = vma_lookup(mm, old);
	if (!vma || !vma->anon_vma || len > vma->vm_end - old ||
	    anon_map_equal(map, old, new, len))
		return true;
	/* One more if an extent at the destination has to be cut in two. */
	nr = map->nr + 1;
	for (pos = old; pos - old < len; pos = end) {
		anon_map_offset(map, pos, &end);
		if (++nr > sysctl_max_map_count)
			return false;
	}
	return true;
}

/**
 * anon_space_grow_map - anon_space_grow() if there are extents
 * @mm: the mm
 * @end: where the VMA ended
 * @new_end: where it ends now
 *
 * Context: as anon_space_grow(). Takes the space lock.
 */
void anon_space_grow_map(struct mm_struct *mm, unsigned long end,
			 unsigned long new_end)
{
	mmap_assert_write_locked(mm);
	anon_space_lock_write(mm);
	anon_map_grow(&mm->anon_space.map, end, new_end);
	anon_space_unlock_write(mm);
}

/**
 * anon_space_level_map - anon_space_level() if the offset is not even
 * @mm: the mm
 * @start: first address
 * @end: address behind the last
 *
 * Context: as anon_space_grow(). Takes the space lock.
 */
void anon_space_level_map(struct mm_struct *mm, unsigned long start,
			  unsigned long end)
{
	mmap_assert_write_locked(mm);
	anon_space_lock_write(mm);
	anon_map_level(&mm->anon_space.map, start, end);
	anon_space_unlock_write(mm);
}

/**
 * anon_space_trim_map - anon_space_trim() if there are extents
 * @mm: the mm
 * @start: first address
 * @end: address behind the last
 *
 * Context: as anon_space_grow(). Takes the space lock.
 */
void anon_space_trim_map(struct mm_struct *mm, unsigned long start,
			 unsigned long end)
{
	mmap_assert_write_locked(mm);
	anon_space_lock_write(mm);
	anon_map_trim(&mm->anon_space.map, start, end);
	anon_space_unlock_write(mm);
}
