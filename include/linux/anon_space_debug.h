/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_ANON_SPACE_DEBUG_H
#define _LINUX_ANON_SPACE_DEBUG_H

#include <linux/compiler.h>
#include <linux/types.h>

struct file_operations;
struct mm_struct;

/**
 * struct anon_space_stats - what a validation has looked at
 * @mms:         address spaces
 * @vmas:        VMAs
 * @pages:       page table entries of anonymous pages
 * @records:     move records
 * @memberships: memberships in files
 * @skipped:     of @pages, those whose reverse map could not be judged: the
 *               folio was locked, or was being mapped or unmapped all the time
 * @violations:  invariants that did not hold
 */
struct anon_space_stats {
	unsigned long mms;
	unsigned long vmas;
	unsigned long pages;
	unsigned long records;
	unsigned long memberships;
	unsigned long skipped;
	unsigned long violations;
};

/* What can be done wrong on purpose, one at a time. */
#define ANON_SPACE_FAULTS						\
	FAULT(NONE,		"none")					\
	FAULT(KEEP_INDEX,	"index-not-rewritten")			\
	FAULT(NO_RECORD,	"record-not-added")			\
	FAULT(NO_CLIP,		"record-not-clipped")			\
	FAULT(NO_COPY,		"record-not-copied")			\
	FAULT(NO_VISIT,		"record-not-visited")			\
	FAULT(TABLE,		"table-moved-over-record")		\
	FAULT(CHILD_FIRST,	"child-before-parent")			\
	FAULT(NO_JOIN,		"membership-forgotten")			\
	FAULT(ADOPT_OWNED,	"adopted-with-owner")			\
	FAULT(NO_ADOPT,		"not-adopted")				\
	FAULT(SPLIT,		"split-not-attached")			\
	FAULT(MERGE,		"merge-not-attached")			\
	FAULT(FORK,		"fork-not-attached")			\
	FAULT(STACK,		"stack-growth-pgoff")			\
	FAULT(OLD_PGOFF,	"pgoff-of-old-address")			\
	FAULT(NO_LOCK,		"move-not-locked")			\
	FAULT(REUSE_INDEX,	"reuse-without-index")			\
	FAULT(SWAPIN_FILE,	"swapin-into-own-file")			\
	FAULT(SWAPIN_INDEX,	"swapin-index-of-address")		\
	FAULT(SWAPIN_COPY,	"swapin-not-copied")

enum anon_space_fault {
#define FAULT(name, text)	ANON_SPACE_FAULT_##name,
	ANON_SPACE_FAULTS
#undef FAULT
};

#ifdef CONFIG_DEBUG_ANON_SPACE
extern enum anon_space_fault anon_space_faulty;
extern const struct file_operations anon_space_fault_fops;

/* Is this fault to be committed? Its place is that of the correct code. */
static inline bool anon_space_fault(enum anon_space_fault fault)
{
	return unlikely(READ_ONCE(anon_space_faulty) == fault);
}

int anon_space_validate(struct mm_struct *mm, struct anon_space_stats *stats);
#else
static inline bool anon_space_fault(enum anon_space_fault fault)
{
	return false;
}
#endif

#endif /* _LINUX_ANON_SPACE_DEBUG_H */
