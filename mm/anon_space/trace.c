// SPDX-License-Identifier: GPL-2.0
/*
 * Trace events of the anonymous space, and why VMAs do not merge.
 */

#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/userfaultfd_k.h>

#include "../internal.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

#define UFFD_FLAGS	(VM_UFFD_MISSING | VM_UFFD_WP | VM_UFFD_MINOR)

/* What is_mergeable_vma() asks, one after the other. */
static enum anon_space_side compare(const struct vma_merge_struct *vmg,
				    struct vm_area_struct *vma,
				    unsigned long differs)
{
	if ((vmg->flags | vma->vm_flags) & VM_SPECIAL)
		return SIDE_SPECIAL;
	if (vma->vm_file || (vma->vm_ops && vma->vm_ops->close))
		return SIDE_FILE;
	if (differs == VM_MERGEABLE)
		return SIDE_KSM;
	if ((differs && !(differs & ~UFFD_FLAGS)) ||
	    !is_mergeable_vm_userfaultfd_ctx(vma, vmg->uffd_ctx))
		return SIDE_UFFD;
	if (differs)
		return SIDE_FLAGS;
	if (!mpol_equal(vmg->policy, vma_policy(vma)))
		return SIDE_POLICY;
	if (!anon_vma_name_eq(anon_vma_name(vma), vmg->anon_name))
		return SIDE_NAME;
	return SIDE_FITS;
}

static struct anon_space_side_info look(const struct vma_merge_struct *vmg,
					struct vm_area_struct *vma)
{
	struct anon_space_side_info info = {};

	if (!vma)
		return info;
	info.differs = (vma->vm_flags ^ vmg->flags) & ~VM_SOFTDIRTY;
	info.side = compare(vmg, vma, info.differs);
	return info;
}

/**
 * anon_space_trace_merge_begin - anon_space_merge_begin() if that is traced
 * @merging: to be set up
 * @vmg: the range
 *
 * Context: as anon_space_merge_begin().
 */
void anon_space_trace_merge_begin(struct anon_space_merging *merging,
				  const struct vma_merge_struct *vmg)
{
	const struct anon_space_side_info itself = { .side = SIDE_ITSELF };
	struct vm_area_struct *below = vmg->prev, *above = vmg->next;
	const struct vm_area_struct *vma = vmg->vma;

	mmap_assert_write_locked(vmg->mm);
	if (vmg->file)
		return;
	/* Only for a new range is @vmg->next what is above it. */
	if (vma)
		above = find_vma(vmg->mm, vmg->end);
	if (below && below->vm_end != vmg->start)
		below = NULL;
	if (above && above->vm_start != vmg->end)
		above = NULL;

	merging->traced = true;
	merging->start = vmg->start;
	merging->end = vmg->end;
	merging->below = vma && vmg->start > vma->vm_start ? itself :
			 look(vmg, below);
	merging->above = vma && vmg->end < vma->vm_end ? itself :
			 look(vmg, above);
}

/**
 * anon_space_trace_merge_end - anon_space_merge_end() if that is traced
 * @merging: set up by anon_space_merge_begin()
 * @vmg: the range
 *
 * Context: as anon_space_merge_end().
 */
void anon_space_trace_merge_end(const struct anon_space_merging *merging,
				const struct vma_merge_struct *vmg)
{
	enum anon_space_result result = RESULT_SEPARATE;

	mmap_assert_write_locked(vmg->mm);
	if (vmg->state == VMA_MERGE_SUCCESS)
		result = RESULT_MERGED;
	else if (merging->below.side == SIDE_FITS ||
		 merging->above.side == SIDE_FITS)
		result = RESULT_NOMEM;
	trace_anon_space_merge(merging->start, merging->end, merging->existing,
			       &merging->below, &merging->above, result,
			       vmg->caller);
}

/**
 * anon_space_trace_move - anon_space_move_end() if somebody wants to know
 * @move: the move
 * @moved: number of bytes that were moved
 *
 * Pages are counted as the range has them, whether or not something is mapped.
 *
 * Context: mmap_lock held for writing.
 */
void anon_space_trace_move(const struct anon_space_move *move,
			   unsigned long moved)
{
	unsigned long looked_at = move->keep_from - move->old_start;
	unsigned long rewritten = min(looked_at, moved) >> PAGE_SHIFT;

	moved >>= PAGE_SHIFT;
	anon_space_count(REWRITTEN, rewritten);
	anon_space_count(KEPT, moved - rewritten);
	anon_space_count(TABLES, move->tables);
	trace_anon_space_move(move->old_start, move->new_start, moved,
			      rewritten, move->tables, move->splits,
			      move->back, /* in_place = */ false);
}
