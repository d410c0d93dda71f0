// SPDX-License-Identifier: GPL-2.0
/*
 * The VMAs of an mm that may hold anonymous pages.
 */

#include <linux/anon_space.h>
#include <linux/mm.h>

#include "../internal.h"

static struct vm_area_struct *to_vma(struct rb_node *node)
{
	return rb_entry_safe(node, struct vm_area_struct, anon_rb);
}

/**
 * __anon_space_attach_vma - show a VMA to the reverse map
 * @vma: the VMA; its mm has a file, and no other VMA in the tree overlaps it
 *
 * Context: space lock held for writing.
 */
void __anon_space_attach_vma(struct vm_area_struct *vma)
{
	struct anon_space *space = &vma->vm_mm->anon_space;
	struct rb_node **link = &space->vmas.rb_node, *parent = NULL;

	anon_space_assert_write_locked(vma->vm_mm);
	VM_WARN_ON_ONCE(!RB_EMPTY_NODE(&vma->anon_rb));

	while (*link) {
		struct vm_area_struct *other = to_vma(*link);

		parent = *link;
		VM_WARN_ON_ONCE(vma->vm_start < other->vm_end &&
				other->vm_start < vma->vm_end);
		if (vma->vm_start < other->vm_start)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&vma->anon_rb, parent, link);
	rb_insert_color(&vma->anon_rb, &space->vmas);
	/*
	 * Its value says only that @vma is in the tree. Pairs with READ_ONCE() and plain
	 * reads without the lock.
	 */
	smp_store_release(&vma->anon_vma, anon_space_oldest_file(vma->vm_mm));
}

/**
 * __anon_space_detach_vma - hide a VMA from the reverse map
 * @vma: a VMA that has no anonymous pages any more, or whose range was given to
 *       another one
 *
 * Context: space lock held for writing.
 */
void __anon_space_detach_vma(struct vm_area_struct *vma)
{
	anon_space_assert_write_locked(vma->vm_mm);

	if (!vma->anon_vma)
		return;
	rb_erase(&vma->anon_rb, &vma->vm_mm->anon_space.vmas);
	RB_CLEAR_NODE(&vma->anon_rb);
	vma->anon_vma = NULL;
}

/**
 * anon_space_attach_vma - show a VMA to the reverse map
 * @vma: the VMA; its mm has a file. Nothing is done if it is shown already.
 *
 * Context: sleeps. mmap_lock or the VMA lock held, so that its range does not
 * change. Takes the space lock.
 */
void anon_space_attach_vma(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	anon_space_lock_write(mm);
	if (!vma->anon_vma)
		__anon_space_attach_vma(vma);
	anon_space_unlock_write(mm);
}

/*
 * Drop extents in the hole between two VMAs, NULL for none, as far as that takes no
 * memory: of those that stay none ends inside of the hole.
 */
static void trim_between(struct mm_struct *mm, struct vm_area_struct *prev,
			 struct vm_area_struct *next)
{
	anon_map_trim(&mm->anon_space.map, prev ? prev->vm_end : 0,
		      next ? next->vm_start : ULONG_MAX);
}

/* The hole that a VMA leaves. */
static void trim_hole(struct vm_area_struct *vma)
{
	if (unlikely(vma->vm_mm->anon_space.map.nr))
		trim_between(vma->vm_mm, to_vma(rb_prev(&vma->anon_rb)),
			     to_vma(rb_next(&vma->anon_rb)));
}

/**
 * anon_space_trim_hole - a part of a VMA has been given up, by mremap()
 * @mm: the mm
 * @start: first address of the hole that this leaves, or any other in it
 *
 * Extents are dropped as by anon_space_forget_vma().
 *
 * Context: sleeps. mmap_lock held for writing. Takes the space lock.
 */
void anon_space_trim_hole(struct mm_struct *mm, unsigned long start)
{
	struct vm_area_struct *prev, *next;

	mmap_assert_write_locked(mm);
	if (likely(!mm->anon_space.map.nr))
		return;
	anon_space_lock_write(mm);
	next = __anon_space_find_vma(mm, start, ULONG_MAX);
	prev = to_vma(next ? rb_prev(&next->anon_rb) :
		      rb_last(&mm->anon_space.vmas));
	trim_between(mm, prev, next);
	anon_space_unlock_write(mm);
}

/**
 * anon_space_forget_vma - anon_space_detach_vma() for a VMA that is not hidden
 * @vma: a VMA in the tree, whose pages have been unmapped or moved elsewhere
 *
 * Extents are dropped where nothing is mapped any more, from the end of the VMA before
 * to the start of the VMA behind, as far as that takes no memory.
 *
 * Context: sleeps. mmap_lock held, for reading if @vma has been taken out of
 * the mm's VMAs. Takes the space lock.
 */
void anon_space_forget_vma(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	mmap_assert_locked(mm);
	anon_space_lock_write(mm);
	trim_hole(vma);
	__anon_space_detach_vma(vma);
	anon_space_unlock_write(mm);
}

/**
 * anon_space_replace_vma - put a VMA where its stand-in is
 * @vma: the VMA, whose pages have been moved elsewhere
 * @stand_in: has the range that @vma is to have
 *
 * @vma does not have to be in the tree; @stand_in is, and leaves it, if @vma is.
 *
 * Context: sleeps. mmap_lock held for writing. Takes the space lock.
 */
void anon_space_replace_vma(struct vm_area_struct *vma,
			    struct vm_area_struct *stand_in)
{
	struct mm_struct *mm = vma->vm_mm;
	struct rb_root *vmas = &mm->anon_space.vmas;

	mmap_assert_write_locked(mm);
	VM_WARN_ON_ONCE(!vma->anon_vma != !stand_in->anon_vma);
	if (!vma->anon_vma) {
		vma_set_range(vma, stand_in->vm_start, stand_in->vm_end,
			      stand_in->vm_pgoff);
		return;
	}
	anon_space_lock_write(mm);
	trim_hole(vma);
	rb_erase(&vma->anon_rb, vmas);
	vma_set_range(vma, stand_in->vm_start, stand_in->vm_end,
		      stand_in->vm_pgoff);
	rb_replace_node(&stand_in->anon_rb, &vma->anon_rb, vmas);
	anon_space_unlock_write(mm);
}

/**
 * anon_space_inherit_vma - show a VMA of a child to the reverse map
 * @vma: the VMA, of which no page table entry has been copied
 * @old: the parent's, which has an anon_vma
 *
 * Pages that both are going to map have equal offsets (INV-4b).
 *
 * Context: sleeps. Both mmap_locks are held for writing. VMAs are inherited from
 * low to high addresses. Takes the space lock of the child.
 * Return: 0 or -ENOMEM, when anon_space_exit() is to clean up.
 */
int anon_space_inherit_vma(struct vm_area_struct *vma,
			   struct vm_area_struct *old)
{
	struct anon_map *old_map = &old->vm_mm->anon_space.map;
	struct mm_struct *mm = vma->vm_mm;
	struct anon_spares spares = {};
	struct anon_extent *extent;
	unsigned long nr = 0;

	mmap_assert_write_locked(mm);
	mmap_assert_write_locked(old->vm_mm);
	if (likely(!old_map->nr)) {
		anon_space_attach_vma(vma);
		return 0;
	}

	extent = anon_map_find(old_map, old->vm_start, old->vm_end);
	for (; extent; extent = anon_map_next(extent, old->vm_end))
		nr++;
	if (anon_spares_fill(&spares, nr, GFP_KERNEL)) {
		anon_spares_free(&spares);
		return -ENOMEM;
	}
	/* Walkers may be there already, for VMAs inherited before. */
	anon_space_lock_write(mm);
	anon_map_inherit(&mm->anon_space.map, old_map, old->vm_start,
			 old->vm_end, &spares);
	__anon_space_attach_vma(vma);
	anon_space_unlock_write(mm);
	anon_spares_free(&spares);
	return 0;
}

/**
 * __anon_vma_prepare - tell the reverse map that a VMA may hold anonymous pages
 * @vma: the VMA
 *
 * Only the first call for an mm allocates anything. No neighbour is looked at,
 * so the VMA lock is enough.
 *
 * Context: sleeps. mmap_lock or the VMA lock held. Takes the space lock.
 * Return: 0 or -ENOMEM.
 */
int __anon_vma_prepare(struct vm_area_struct *vma)
{
	might_sleep();
	if (!rwsem_is_locked(&vma->vm_mm->mmap_lock))
		vma_assert_locked(vma);
	if (unlikely(anon_space_prepare(vma->vm_mm)))
		return -ENOMEM;
	anon_space_attach_vma(vma);
	return 0;
}
