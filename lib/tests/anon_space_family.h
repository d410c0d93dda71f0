/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of families, for KUnit tests of files and their members.
 *
 * The mms have neither VMAs nor page tables: fork() and exit() of the anonymous
 * space alone. The model of a family knows who was forked from whom, and for
 * each living mm the set of files whose pages it may map, which is that of its
 * parent at the time of the fork and the files of its own.
 */
#ifndef _ANON_SPACE_FAMILY_H
#define _ANON_SPACE_FAMILY_H

#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/types.h>

struct anon_vma;
struct kunit;

#define MAX_FILES	80	/* of one mm */

/**
 * struct person - a living mm
 * @parent:   from whom it was forked, NULL if that one is dead or there was none
 * @list:     in &family.living
 * @root:     which family, for relatives
 * @nr_files: number of files
 * @files:    those whose pages it may map
 * @owns:     which of them are its own
 * @mm:       the mm, which has an array at its end
 */
struct person {
	struct person *parent;
	struct list_head list;
	unsigned int root;
	unsigned int nr_files;
	struct anon_vma *files[MAX_FILES];
	bool owns[MAX_FILES];
	struct mm_struct mm;
};

/**
 * struct family - all who live, relatives or not
 * @test:      to which failures are reported
 * @living:    persons, the oldest first
 * @nr_living: number of them
 * @nr_roots:  how many had no parent
 */
struct family {
	struct kunit *test;
	struct list_head living;
	unsigned int nr_living;
	unsigned int nr_roots;
};

static inline struct person *family_oldest(struct family *f)
{
	return list_first_entry(&f->living, struct person, list);
}

struct person *family_add_person(struct family *f);
struct person *family_add_root(struct family *f);
bool person_knows_file(const struct person *p, const struct anon_vma *file);
struct person *family_find_owner(struct family *f,
				 const struct anon_vma *file);
int family_fork_mm(struct mm_struct *mm, struct mm_struct *oldmm);
struct person *family_fork(struct family *f, struct person *parent);
void family_exit(struct family *f, struct person *p);

int family_init_test(struct kunit *test);
void family_exit_test(struct kunit *test);

#endif /* _ANON_SPACE_FAMILY_H */
