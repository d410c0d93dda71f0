// SPDX-License-Identifier: GPL-2.0
/*
 * What mremap() does to anonymous VMAs.
 */

/**
 * DOC: A moved VMA stays the VMA it is
 *
 * Where a whole anonymous VMA moves to a place where it merges with nothing, no object
 * is made and none is freed: its range changes. While entries move, walkers have to find
 * them at either place, so there are two VMAs in the tree of the anonymous space: the
 * VMA at its old range, and a *stand-in* on the stack of mremap() at the new one. At the
 * end the VMA takes the place of the stand-in, or the stand-in goes.
 *
 * Only those walkers, who hold the space lock, ever see the stand-in. Among the VMAs of
 * the mm, the VMA itself is stored at both ranges meanwhile. That is safe: mmap_lock is
 * held for writing, and who tries to lock a VMA without it finds this one locked. So
 * memory for the new range is allocated before anything moves. At the end one of the
 * ranges is cleared with __GFP_NOFAIL, as munmap() does where it cannot undo what it did.
 *
 * Where a part moves, or the VMA merges at its destination, a VMA at the source shrinks,
 * is cut in two, or is removed. Nothing has to be zapped, as all of it has been moved
 * away: only the emptied page tables are freed.
 */

#include <linux/anon_space.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/userfaultfd_k.h>

#include <asm/tlb.h>

#include "internal.h"
#include "../internal.h"
#include "../vma.h"

/**
 * anon_space_may_stay - may a VMA that moves stay the VMA it is?
 * @vma: the VMA
 * @addr: first address that moves
 * @len: number of bytes that move
 *
 * It may not with a file, which finds its VMAs by their offset, nor with a userfaultfd,
 * which is told of two VMAs.
 *
 * Context: mmap_lock held for writing.
 * Return: whether it may, unless it merges at its destination.
 */
bool anon_space_may_stay(struct vm_area_struct *vma, unsigned long addr,
			 unsigned long len)
{
	mmap_assert_write_locked(vma->vm_mm);
	return addr == vma->vm_start && len == vma->vm_end - addr &&
	       anon_space_is_plain(vma) && !userfaultfd_armed(vma);
}

/**
 * anon_space_stand_in - set up the stand-in of a VMA that moves
 * @vmi: an iterator that is at the new range
 * @vma: the VMA, locked
 * @stand_in: to be set up
 * @start: first address of the new range, where nothing is mapped
 * @end: address behind the last
 *
 * Context: sleeps. mmap_lock held for writing. Takes the space lock.
 * Return: @stand_in, or NULL if there is no memory, and nothing is changed.
 */
struct vm_area_struct *anon_space_stand_in(struct vma_iterator *vmi,
					   struct vm_area_struct *vma,
					   struct vm_area_struct *stand_in,
					   unsigned long start,
					   unsigned long end)
{
	mmap_assert_write_locked(vma->vm_mm);
	memcpy(stand_in, vma, sizeof(*stand_in));
	vma_set_range(stand_in, start, end, start >> PAGE_SHIFT);
	RB_CLEAR_NODE(&stand_in->anon_rb);
	stand_in->anon_vma = NULL;

	vma_iter_config(vmi, start, end);
	mas_store_gfp(&vmi->mas, vma, GFP_KERNEL);
	if (unlikely(mas_is_err(&vmi->mas)))
		return NULL;
	if (vma->anon_vma)
		anon_space_attach_vma(stand_in);
	return stand_in;
}

/*
 * Walkers do not come here any more, and what was mapped has been moved away. Some of
 * the tables may map other VMAs as well, which are all stored. The iterator is where
 * the range was, in which nothing is stored.
 */
static void free_emptied_tables(struct mm_struct *mm, struct vma_iterator *vmi,
				unsigned long start, unsigned long end)
{
	struct vm_area_struct *prev, *next;
	struct mmu_gather tlb;

	prev = vma_prev(vmi);
	next = vma_next(vmi);
	tlb_gather_mmu(&tlb, mm);
	free_pgd_range(&tlb, start, end,
		       prev ? prev->vm_end : FIRST_USER_ADDRESS,
		       next ? next->vm_start : USER_PGTABLES_CEILING);
	tlb_finish_mmu(&tlb);
}

static void clear_stored_range(struct vma_iterator *vmi, unsigned long start,
			       unsigned long end)
{
	vma_iter_clear_gfp(vmi, start, end, GFP_KERNEL | __GFP_NOFAIL);
}

/**
 * anon_space_take_place - a VMA goes where its entries have gone
 * @vma: the VMA, locked
 * @stand_in: set up at the new range
 *
 * Context: sleeps. mmap_lock held for writing. Takes the space lock.
 */
void anon_space_take_place(struct vm_area_struct *vma,
			   struct vm_area_struct *stand_in)
{
	VMA_ITERATOR(vmi, vma->vm_mm, vma->vm_start);
	unsigned long start = vma->vm_start, end = vma->vm_end;
	struct mm_struct *mm = vma->vm_mm;

	mmap_assert_write_locked(mm);
	clear_stored_range(&vmi, start, end);
	anon_space_replace_vma(vma, stand_in);
	free_emptied_tables(mm, &vmi, start, end);
	validate_mm(mm);
}

/**
 * anon_space_withdraw - a VMA does not move after all
 * @stand_in: set up at the new range, without entries
 *
 * Context: sleeps. mmap_lock held for writing. Takes the space lock.
 */
void anon_space_withdraw(struct vm_area_struct *stand_in)
{
	VMA_ITERATOR(vmi, stand_in->vm_mm, stand_in->vm_start);
	unsigned long start = stand_in->vm_start, end = stand_in->vm_end;
	struct mm_struct *mm = stand_in->vm_mm;

	mmap_assert_write_locked(mm);
	clear_stored_range(&vmi, start, end);
	anon_space_detach_vma(stand_in);
	free_emptied_tables(mm, &vmi, start, end);
	validate_mm(mm);
}

/* All of a VMA has been moved away. */
static int remove_whole(struct vma_iterator *vmi, struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	vma_start_write(vma);
	if (vma_iter_clear_gfp(vmi, vma->vm_start, vma->vm_end, GFP_KERNEL))
		return -ENOMEM;
	vma_mark_detached(vma, true);
	mm->map_count--;
	anon_space_detach_vma(vma);
	free_emptied_tables(mm, vmi, vma->vm_start, vma->vm_end);
	remove_vma(vma, /* unreachable = */ false);
	return 0;
}

/* A part of a VMA has been moved away. */
static int remove_part(struct vma_iterator *vmi, struct vm_area_struct *vma,
		       unsigned long start, unsigned long end)
{
	struct mm_struct *mm = vma->vm_mm;
	int err;

	if (start > vma->vm_start) {
		if (end < vma->vm_end) {
			err = split_vma(vmi, vma, end, /* new_below = */ 0);
			if (err)
				return err;
		}
		err = vma_shrink(vmi, vma, vma->vm_start, start, vma->vm_pgoff);
	} else {
		err = vma_shrink(vmi, vma, end, vma->vm_end,
				 end >> PAGE_SHIFT);
	}
	if (err)
		return err;
	anon_space_trim_hole(mm, start);
	vma_iter_set(vmi, start);
	free_emptied_tables(mm, vmi, start, end);
	return 0;
}

/**
 * anon_space_remove_emptied - unmap what mremap() has moved elsewhere
 * @mm: the mm
 * @start: first address
 * @end: address behind the last
 * @uf: takes the events of userfaultfd that are to be sent
 *
 * The charge of VM_ACCOUNT has moved along, and is not given back.
 *
 * Context: sleeps. mmap_lock held for writing. The range is in one plain anonymous VMA,
 * not sealed, and has no entries. Takes the space lock.
 * Return: 0, or -ENOMEM, when it stays mapped, empty.
 */
int anon_space_remove_emptied(struct mm_struct *mm, unsigned long start,
			      unsigned long end, struct list_head *uf)
{
	VMA_ITERATOR(vmi, mm, start);
	struct vm_area_struct *vma = vma_iter_load(&vmi);
	unsigned long flags = vma->vm_flags;
	long pages = (end - start) >> PAGE_SHIFT;
	int err;

	mmap_assert_write_locked(mm);
	VM_WARN_ON_ONCE(!anon_space_is_plain(vma) || end > vma->vm_end);
	err = userfaultfd_unmap_prep(vma, start, end, uf);
	if (err)
		return err;
	if (start == vma->vm_start && end == vma->vm_end)
		err = remove_whole(&vmi, vma);
	else
		err = remove_part(&vmi, vma, start, end);
	if (err)
		return err;

	if (flags & VM_LOCKED)
		mm->locked_vm -= pages;
	vm_stat_account(mm, flags, -pages);
	validate_mm(mm);
	return 0;
}

/**
 * anon_space_merge_vmas - merge VMAs that have come to be equal
 * @mm: the mm
 *
 * For code that changes flags of VMAs and does not look at their neighbours. VMAs with a
 * file are left alone, as elsewhere. VMAs stay as they are if there is no memory.
 *
 * Context: sleeps. mmap_lock held for writing. Takes the space lock.
 */
void anon_space_merge_vmas(struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma, *merged, *prev = NULL;

	mmap_assert_write_locked(mm);
	for_each_vma(vmi, vma) {
		if (prev && prev->vm_end == vma->vm_start && !vma->vm_file &&
		    !prev->vm_file) {
			merged = vma_modify_flags(&vmi, prev, vma, vma->vm_start,
						  vma->vm_end, vma->vm_flags);
			if (!IS_ERR(merged))
				vma = merged;
		}
		prev = vma;
		cond_resched();
	}
}
