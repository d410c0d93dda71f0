/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MM_ANON_SPACE_TRACE_H
#define _MM_ANON_SPACE_TRACE_H

#include <linux/mm.h>
#include <linux/vmstat.h>

#include "../vma.h"
#include "internal.h"

#include <trace/events/anon_space.h>

/* Nothing is counted unless that is configured. */
#ifdef CONFIG_ANON_SPACE_STATS
#define anon_space_count(item, nr)	count_vm_events(ANON_SPACE_##item, nr)
#else
#define anon_space_count(item, nr)	((void)(nr))
#endif

/**
 * struct anon_space_merging - what there was before a merge was tried
 * @traced:   is somebody to be told?
 * @existing: is the range that of a VMA, or a part of it?
 * @start:    first address of the range
 * @end:      address behind the last
 * @below:    what is below it
 * @above:    what is above it
 */
struct anon_space_merging {
	bool traced;
	bool existing;
	unsigned long start;
	unsigned long end;
	struct anon_space_side_info below;
	struct anon_space_side_info above;
};

void anon_space_trace_move(const struct anon_space_move *move,
			   unsigned long moved);
void anon_space_trace_merge_begin(struct anon_space_merging *merging,
				  const struct vma_merge_struct *vmg);
void anon_space_trace_merge_end(const struct anon_space_merging *merging,
				const struct vma_merge_struct *vmg);

/**
 * anon_space_move_end - entries have been moved
 * @move: the move
 * @moved: number of bytes that were moved
 *
 * Context: mmap_lock held for writing.
 */
static inline void anon_space_move_end(const struct anon_space_move *move,
				       unsigned long moved)
{
	if (IS_ENABLED(CONFIG_ANON_SPACE_STATS) ||
	    trace_anon_space_move_enabled()) {
		if (move->anon && moved)
			anon_space_trace_move(move, moved);
	}
}

/**
 * anon_space_merge_begin - a range is going to merge with its neighbours, if it can
 * @merging: to be set up
 * @vmg: the range
 *
 * Context: mmap_lock held for writing.
 */
static inline void anon_space_merge_begin(struct anon_space_merging *merging,
					  const struct vma_merge_struct *vmg)
{
	merging->existing = vmg->vma;
	merging->traced = false;
	if (trace_anon_space_merge_enabled())
		anon_space_trace_merge_begin(merging, vmg);
}

/**
 * anon_space_merge_end - a range has merged, or not
 * @merging: set up by anon_space_merge_begin()
 * @vmg: the range
 *
 * Context: mmap_lock held for writing.
 */
static inline void anon_space_merge_end(const struct anon_space_merging *merging,
					const struct vma_merge_struct *vmg)
{
	if (!vmg->file && vmg->state == VMA_MERGE_SUCCESS) {
		if (merging->existing)
			anon_space_count(MERGED_EXISTING, 1);
		else
			anon_space_count(MERGED_NEW, 1);
	}
	if (unlikely(merging->traced))
		anon_space_trace_merge_end(merging, vmg);
}

#endif /* _MM_ANON_SPACE_TRACE_H */
