// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of walks over the members of a file: who is visited, if some of them
 * are busy or cannot have the page; and which file is locked.
 */

#include <kunit/test.h>
#include <linux/anon_space.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/poison.h>
#include <linux/rmap.h>

#include "../../mm/anon_space/internal.h"
#include "anon_space_family.h"

#define WALK_ADDR	0x60000000UL

struct busy_walk {
	struct mm_struct *busy;		/* until somebody else is visited */
	unsigned int visited;
};

static struct vm_area_struct *attach_page(struct family *f, struct person *p,
					  unsigned long flags)
{
	struct vm_area_struct *vma = vm_area_alloc(&p->mm);

	KUNIT_ASSERT_NOT_NULL(f->test, vma);
	vma->vm_start = WALK_ADDR;
	vma->vm_end = WALK_ADDR + PAGE_SIZE;
	vm_flags_init(vma, flags);
	mmap_write_lock(&p->mm);
	KUNIT_EXPECT_EQ(f->test, 0, __anon_vma_prepare(vma));
	mmap_write_unlock(&p->mm);
	return vma;
}

static void detach_page(struct vm_area_struct *vma)
{
	anon_space_lock_write(vma->vm_mm);
	__anon_space_detach_vma(vma);
	anon_space_unlock_write(vma->vm_mm);
	vm_area_free(vma);
}

static bool visit(struct folio *folio, struct vm_area_struct *vma,
		  unsigned long addr, void *arg)
{
	struct busy_walk *walk = arg;

	walk->visited++;
	if (walk->busy && vma->vm_mm != walk->busy) {
		anon_space_unlock_write(walk->busy);
		walk->busy = NULL;
	}
	return true;
}

/**
 * struct walk_world - relatives who all may have a page
 * @file:   of the page
 * @page:   the page
 * @nr:     number of relatives
 * @people: those
 * @vmas:   where they have it
 */
struct walk_world {
	struct anon_vma *file;
	struct page *page;
	int nr;
	struct person *people[3];
	struct vm_area_struct *vmas[3];
};

/* The first in the list is that of the oldest: all others come later. */
static void begin_walks(struct family *f, struct walk_world *w, int nr,
			unsigned long flags_of_first)
{
	int i;

	w->page = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(f->test, w->page);
	w->page->index = WALK_ADDR >> PAGE_SHIFT;
	w->nr = nr;
	w->people[0] = family_add_root(f);
	for (i = 1; i < nr; i++)
		w->people[i] = family_fork(f, w->people[0]);
	for (i = 0; i < nr; i++)
		w->vmas[i] = attach_page(f, w->people[i], i ? 0 : flags_of_first);
	w->file = w->people[0]->mm.anon_space.anon_vma;
	anon_vma_lock_read(w->file);
}

static void end_walks(struct walk_world *w)
{
	anon_vma_unlock_read(w->file);
	while (w->nr--)
		detach_page(w->vmas[w->nr]);
	w->page->index = 0;
	__free_page(w->page);
}

static void walk_family(struct kunit *test, bool let_go)
{
	struct busy_walk walk = { .visited = 0 };
	struct rmap_walk_control rwc = {
		.rmap_one = visit, .arg = &walk, .try_lock = true,
	};
	struct walk_world w;

	begin_walks(test->priv, &w, 3, 0);
	anon_space_lock_write(&w.people[0]->mm);
	walk.busy = let_go ? &w.people[0]->mm : NULL;
	anon_space_walk_folio(w.file, page_folio(w.page), &rwc);
	if (!let_go)
		anon_space_unlock_write(&w.people[0]->mm);
	KUNIT_EXPECT_NULL(test, walk.busy);
	KUNIT_EXPECT_EQ(test, rwc.contended, !let_go);
	KUNIT_EXPECT_EQ(test, walk.visited, let_go ? 3 : 2);
	end_walks(&w);
}

static void walk_comes_back_to_busy_member(struct kunit *test)
{
	walk_family(test, true);
}

static void walk_ends_contended_if_still_busy(struct kunit *test)
{
	walk_family(test, false);
}

/* Where a relative has hugetlb memory now there is no small page to be found. */
static void walk_passes_by_hugetlb(struct kunit *test)
{
	struct busy_walk walk = { .visited = 0 };
	struct rmap_walk_control rwc = { .rmap_one = visit, .arg = &walk };
	struct walk_world w;

	if (!IS_ENABLED(CONFIG_HUGETLB_PAGE))
		kunit_skip(test, "needs hugetlb");
	begin_walks(test->priv, &w, 2, VM_HUGETLB);
	anon_space_walk_folio(w.file, page_folio(w.page), &rwc);
	KUNIT_EXPECT_EQ(test, walk.visited, 1);
	end_walks(&w);
}

/* ---- the file of a folio ---- */

#define NR_RENEWALS	10000

/**
 * struct renewal - a folio that is mapped again and again
 * @folio:  the folio
 * @file:   what it has while it is mapped
 * @rounds: how often somebody has tried to lock its file
 * @locked: how often that was possible
 * @wrong:  how often it was not @file
 */
struct renewal {
	struct folio *folio;
	struct anon_vma *file;
	unsigned long rounds;
	unsigned long locked;
	unsigned long wrong;
};

static int lock_file(void *data)
{
	struct renewal *r = data;
	struct anon_vma *file;

	while (!kthread_should_stop()) {
		file = folio_lock_anon_vma_read(r->folio, NULL);
		if (file) {
			r->locked++;
			r->wrong += file != r->file;
			anon_vma_unlock_read(file);
		}
		/* Pairs with wait_for_reader(). */
		smp_store_release(&r->rounds, r->rounds + 1);
		cond_resched();
	}
	return 0;
}

/* It may be in the middle of a round, but of the second one it has seen the start. */
static void wait_for_reader(struct renewal *r)
{
	unsigned long seen = READ_ONCE(r->rounds);

	/* Pairs with lock_file(). */
	while (smp_load_acquire(&r->rounds) - seen < 2)
		cond_resched();
}

static void set_file(struct renewal *r, void *file)
{
	WRITE_ONCE(r->folio->mapping, file + PAGE_MAPPING_ANON);
}

/* Until it is mapped it has the file of a process that has ended, which is no memory now. */
static void map_and_unmap(struct renewal *r, unsigned int delay)
{
	set_file(r, LIST_POISON1);
	while (delay--)
		cpu_relax();
	set_file(r, r->file);
	/* As folio_add_anon_rmap_ptes(): who sees that it is mapped sees its file. */
	atomic_set_release(&r->folio->_mapcount, 0);
	wait_for_reader(r);
	atomic_set(&r->folio->_mapcount, -1);
	wait_for_reader(r);
}

/* Who has read what a folio had before it was mapped again does not take that for its file. */
static void folio_mapped_again_has_its_new_file(struct kunit *test)
{
	struct renewal r = { .rounds = 0 };
	struct task_struct *reader;
	struct walk_world w;
	unsigned int i;

	if (num_online_cpus() == 1)
		kunit_skip(test, "needs two CPUs");
	begin_walks(test->priv, &w, 1, 0);
	r.folio = page_folio(w.page);
	r.file = w.file;
	reader = kthread_run(lock_file, &r, "anon_space_reader");
	KUNIT_EXPECT_FALSE(test, IS_ERR(reader));
	if (!IS_ERR(reader)) {
		for (i = 0; i < NR_RENEWALS; i++)
			map_and_unmap(&r, i % 64);
		kthread_stop(reader);
		KUNIT_EXPECT_GT(test, r.locked, 0);
		KUNIT_EXPECT_EQ(test, r.wrong, 0);
	}
	r.folio->mapping = NULL;
	end_walks(&w);
}

static struct kunit_case walk_cases[] = {
	KUNIT_CASE(walk_comes_back_to_busy_member),
	KUNIT_CASE(walk_ends_contended_if_still_busy),
	KUNIT_CASE(walk_passes_by_hugetlb),
	KUNIT_CASE_SLOW(folio_mapped_again_has_its_new_file),
	{}
};

static struct kunit_suite walk_suite = {
	.name = "anon_space_walk",
	.init = family_init_test,
	.exit = family_exit_test,
	.test_cases = walk_cases,
};

kunit_test_suite(walk_suite);

MODULE_DESCRIPTION("KUnit tests of walks over the members of a file");
MODULE_LICENSE("GPL");
