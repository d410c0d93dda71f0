/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_ANON_SPACE_DEBUG_H
#define _LINUX_ANON_SPACE_DEBUG_H

#include <linux/types.h>

struct mm_struct;

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
#endif

#endif /* _LINUX_ANON_SPACE_DEBUG_H */
