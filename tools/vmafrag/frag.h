/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why is there a boundary between two VMAs, and could it be merged away?
 */
#ifndef FRAG_H
#define FRAG_H

#include "smaps.h"

/*
 * Why an anonymous VMA begins where it does: the first answer that holds.
 * BEGINS_EQUAL is a missed merge. The attributes are those that the kernel
 * compares, as far as /proc shows them. It does not show
 *  - which userfaultfd context a VMA is registered with,
 *  - the name of a VMA that is part of the heap or the stack,
 *  - a policy set by mbind() that equals the one of the process, and
 *    the home node of a policy.
 * VMAs that differ in these alone are counted as missed merges.
 */
enum vma_begins {
	BEGINS_EQUAL,		/* all attributes equal those below */
	BEGINS_PERMS,
	BEGINS_FLAGS,
	BEGINS_PKEY,
	BEGINS_NAME,
	BEGINS_POLICY,
	BEGINS_OTHER,		/* a file or special mapping is below */
	BEGINS_GAP,		/* nothing is below */
	BEGINS_NR
};

struct frag {
	size_t vmas;
	size_t anon;			/* private anonymous ones */
	size_t begins[BEGINS_NR];	/* adds up to anon */
};

/* prev is the VMA below, NULL if there is none. */
enum vma_begins vma_begins(const struct vma *prev, const struct vma *vma);

/* Counts the VMAs that overlap [start, end). */
void frag_count(struct frag *frag, const struct vma_map *map,
		unsigned long start, unsigned long end);

#endif
