// SPDX-License-Identifier: GPL-2.0
/*
 * Families of mms, and what the files of each have to be, for KUnit tests.
 */

#include <kunit/test.h>
#include <linux/anon_space.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "../../mm/anon_space/internal.h"
#include "anon_space_family.h"

/**
 * family_add_person - a new mm, of which the model knows no files yet
 * @f: the family
 *
 * Return: the person.
 */
struct person *family_add_person(struct family *f)
{
	struct person *p = kzalloc(sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(f->test, p);
	mmap_init_lock(&p->mm);
	mt_init_flags(&p->mm.mm_mt, MM_MT_FLAGS);
	mt_set_external_lock(&p->mm.mm_mt, &p->mm.mmap_lock);
	anon_space_init(&p->mm);
	list_add_tail(&p->list, &f->living);
	f->nr_living++;
	return p;
}

/**
 * family_add_root - somebody who has no relatives
 * @f: the family
 *
 * Return: the person.
 */
struct person *family_add_root(struct family *f)
{
	struct person *p = family_add_person(f);

	p->root = f->nr_roots++;
	return p;
}

/**
 * person_knows_file - may somebody have pages of a file?
 * @p: the person
 * @file: the file
 *
 * Return: true if the model says so.
 */
bool person_knows_file(const struct person *p, const struct anon_vma *file)
{
	unsigned int i;

	for (i = 0; i < p->nr_files; i++)
		if (p->files[i] == file)
			return true;
	return false;
}

/**
 * family_find_owner - who owns a file?
 * @f: the family
 * @file: the file
 *
 * Return: the person, NULL if the owner is dead.
 */
struct person *family_find_owner(struct family *f,
				 const struct anon_vma *file)
{
	struct person *p;
	unsigned int i;

	list_for_each_entry(p, &f->living, list)
		for (i = 0; i < p->nr_files; i++)
			if (p->files[i] == file && p->owns[i])
				return p;
	return NULL;
}

/**
 * family_fork_mm - fork an mm, without the model
 * @mm: the new one
 * @oldmm: from whom
 *
 * Context: Takes the mmap locks of both. For threads, which must not end a test.
 * Return: what anon_space_fork() says.
 */
int family_fork_mm(struct mm_struct *mm, struct mm_struct *oldmm)
{
	int ret;

	mmap_write_lock(oldmm);
	mmap_write_lock_nested(mm, SINGLE_DEPTH_NESTING);
	ret = anon_space_fork(mm, oldmm);
	mmap_write_unlock(mm);
	mmap_write_unlock(oldmm);
	return ret;
}

static void space_exit(struct mm_struct *mm)
{
	mmap_write_lock(mm);
	anon_space_exit(mm);
	mmap_write_unlock(mm);
}

/* New pages come to this file from now on. */
static void use_file(struct family *f, struct person *p)
{
	struct anon_vma *own = p->mm.anon_space.anon_vma;
	unsigned int i;

	for (i = 0; i < p->nr_files && p->files[i] != own; i++)
		;
	if (i == p->nr_files) {
		KUNIT_ASSERT_LT(f->test, p->nr_files, MAX_FILES);
		p->files[p->nr_files++] = own;
	}
	p->owns[i] = true;
}

/* The child's own file is new, or that of a dead ancestor. */
static void fork_own_file(struct family *f, struct person *child,
			  struct person *parent)
{
	struct anon_vma *own = child->mm.anon_space.anon_vma;

	KUNIT_ASSERT_NOT_NULL(f->test, own);
	KUNIT_EXPECT_NULL(f->test, family_find_owner(f, own));
	child->nr_files = parent->nr_files;
	if (!person_knows_file(parent, own))
		KUNIT_EXPECT_EQ(f->test, own->nr_members, 1);
	use_file(f, child);
}

/*
 * A parent leaves files of its own, and of the dead if there are many, that it has no
 * pages of: here it has none at all.
 */
static void leave_files(struct family *f, struct person *p)
{
	unsigned int i, nr = 0;

	for (i = 0; i < p->nr_files; i++) {
		if (anon_space_is_member(&p->mm, p->files[i])) {
			p->files[nr] = p->files[i];
			p->owns[nr++] = p->owns[i];
		} else {
			KUNIT_EXPECT_TRUE(f->test, p->owns[i] ||
					  !family_find_owner(f, p->files[i]));
		}
	}
	memset(p->owns + nr, 0, p->nr_files - nr);
	p->nr_files = nr;
}

/* The parent's is new, or what it was before. */
static void fork_parents_file(struct family *f, struct person *parent)
{
	struct anon_vma *own = parent->mm.anon_space.anon_vma;
	struct person *owner;

	leave_files(f, parent);
	owner = family_find_owner(f, own);
	KUNIT_EXPECT_TRUE(f->test, !owner || owner == parent);
	if (!owner)	/* it is new, and the child has joined it */
		KUNIT_EXPECT_EQ(f->test, own->nr_members, 2);
	use_file(f, parent);
}

/**
 * family_fork - fork somebody, and expect what the model says of both
 * @f: the family
 * @parent: from whom
 *
 * Return: the child.
 */
struct person *family_fork(struct family *f, struct person *parent)
{
	struct person *child = family_add_person(f);

	KUNIT_ASSERT_EQ(f->test, family_fork_mm(&child->mm, &parent->mm), 0);
	fork_parents_file(f, parent);
	child->parent = parent;
	child->root = parent->root;
	memcpy(child->files, parent->files, sizeof(child->files));
	fork_own_file(f, child, parent);
	return child;
}

/**
 * family_exit - somebody dies
 * @f: the family
 * @p: the person, who is freed
 */
void family_exit(struct family *f, struct person *p)
{
	struct person *child;

	space_exit(&p->mm);
	list_for_each_entry(child, &f->living, list)
		if (child->parent == p)
			child->parent = NULL;
	list_del(&p->list);
	f->nr_living--;
	kfree(p);
}

/* ---- tests ---- */

/**
 * family_init_test - begin a test with nobody
 * @test: the test, whose private data is to be the family
 *
 * Return: 0, or -ENOMEM.
 */
int family_init_test(struct kunit *test)
{
	struct family *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	INIT_LIST_HEAD(&f->living);
	f->test = test;
	test->priv = f;
	return 0;
}

/**
 * family_exit_test - all die
 * @test: the test, after family_init_test()
 */
void family_exit_test(struct kunit *test)
{
	struct family *f = test->priv;

	while (f && f->nr_living)
		family_exit(f, family_oldest(f));
}
