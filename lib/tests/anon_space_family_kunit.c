// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of files and their members over forks and exits.
 *
 * The mms have neither VMAs nor page tables: fork() and exit() of the anonymous
 * space alone. The model of a family knows who was forked from whom, and for
 * each living mm the set of files whose pages it may map, which is that of its
 * parent at the time of the fork and the files of its own.
 */

#include <kunit/test.h>
#include <linux/anon_space.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/rmap.h>

#include "../../mm/anon_space/internal.h"

#define MAX_MMS		24	/* living at a time in random families */
#define MAX_FILES	64	/* of one mm */
#define NR_RANDOM	4000	/* random forks and exits */
#define NR_GENERATIONS	10000
/* Files of dead ancestors an mm may collect, whatever its history. */
#define MAX_DEAD	9
#define MAX_MEMBERS	16	/* of a file, before its owner begins another one */

struct person {
	struct person *parent;	/* NULL if it is dead, too */
	struct list_head list;
	unsigned int root;	/* which family, for relatives */
	unsigned int nr_files;
	struct anon_vma *files[MAX_FILES];
	bool owns[MAX_FILES];
	struct mm_struct mm;	/* has an array at its end */
};

struct family {
	struct kunit *test;
	struct list_head living;
	unsigned int nr_living;
	unsigned int nr_roots;
};

/* ---- the world ---- */

static struct person *person_alloc(struct family *f)
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

static struct person *new_root(struct family *f)
{
	struct person *p = person_alloc(f);

	p->root = f->nr_roots++;
	return p;
}

static bool knows_file(const struct person *p, const struct anon_vma *file)
{
	unsigned int i;

	for (i = 0; i < p->nr_files; i++)
		if (p->files[i] == file)
			return true;
	return false;
}

static struct person *find_owner(struct family *f, const struct anon_vma *file)
{
	struct person *p;

	unsigned int i;

	list_for_each_entry(p, &f->living, list)
		for (i = 0; i < p->nr_files; i++)
			if (p->files[i] == file && p->owns[i])
				return p;
	return NULL;
}

static int space_fork(struct mm_struct *mm, struct mm_struct *oldmm)
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
	KUNIT_EXPECT_NULL(f->test, find_owner(f, own));
	child->nr_files = parent->nr_files;
	if (!knows_file(parent, own))
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
					  !find_owner(f, p->files[i]));
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
	owner = find_owner(f, own);
	KUNIT_EXPECT_TRUE(f->test, !owner || owner == parent);
	if (!owner)	/* it is new, and the child has joined it */
		KUNIT_EXPECT_EQ(f->test, own->nr_members, 2);
	use_file(f, parent);
}

static struct person *fork_person(struct family *f, struct person *parent)
{
	struct person *child = person_alloc(f);

	KUNIT_ASSERT_EQ(f->test, space_fork(&child->mm, &parent->mm), 0);
	fork_parents_file(f, parent);
	child->parent = parent;
	child->root = parent->root;
	memcpy(child->files, parent->files, sizeof(child->files));
	fork_own_file(f, child, parent);
	return child;
}

static void exit_person(struct family *f, struct person *p)
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

/* ---- what must hold ---- */

static unsigned int member_position(const struct anon_vma *file,
				    const struct mm_struct *mm)
{
	struct anon_membership *membership;
	unsigned int i = 0;

	list_for_each_entry(membership, &file->members, in_file) {
		i++;
		if (membership->mm == mm)
			return i;
	}
	return 0;
}

static void check_file(struct family *f, struct person *p,
		       struct anon_vma *file)
{
	struct person *owner = find_owner(f, file), *other;
	unsigned int at = member_position(file, &p->mm), nr = 0;

	KUNIT_EXPECT_TRUE(f->test, anon_space_is_member(&p->mm, file));
	KUNIT_EXPECT_NE(f->test, at, 0);
	/* INV-6 */
	if (p->parent && knows_file(p->parent, file))
		KUNIT_EXPECT_LT(f->test,
				member_position(file, &p->parent->mm), at);
	list_for_each_entry(other, &f->living, list)
		nr += knows_file(other, file);
	KUNIT_EXPECT_EQ(f->test, file->nr_members, nr);
	KUNIT_EXPECT_EQ(f->test, list_count_nodes(&file->members), nr);
	KUNIT_EXPECT_EQ(f->test, atomic_read(&file->refcount), nr);
	KUNIT_EXPECT_PTR_EQ(f->test, file->owner, owner ? &owner->mm : NULL);
}

static void check_person(struct family *f, struct person *p)
{
	struct list_head *memberships = &p->mm.anon_space.memberships;
	struct person *other;
	unsigned int i;

	KUNIT_EXPECT_EQ(f->test, list_count_nodes(memberships), p->nr_files);
	for (i = 0; i < p->nr_files; i++)
		check_file(f, p, p->files[i]);
	if (!p->nr_files)
		return;
	KUNIT_EXPECT_PTR_EQ(f->test, find_owner(f, p->mm.anon_space.anon_vma),
			    p);
	/* Where shared pages are put that come back from swap. */
	list_for_each_entry(other, &f->living, list)
		if (other->root == p->root)
			KUNIT_EXPECT_PTR_EQ(f->test,
					    anon_space_oldest_file(&other->mm),
					    anon_space_oldest_file(&p->mm));
}

static void check_family(struct family *f)
{
	struct person *p;

	list_for_each_entry(p, &f->living, list)
		check_person(f, p);
}

/* Files of p without an owner. */
static unsigned int count_dead(struct person *p)
{
	unsigned int i, nr = 0;

	for (i = 0; i < p->nr_files; i++)
		nr += !p->files[i]->owner;
	return nr;
}

/* ---- small families ---- */

/* A child joins the file of its parent and gets one of its own. */
static void fork_joins_parents_file(struct kunit *test)
{
	struct family *f = test->priv;
	struct person *parent = new_root(f);
	struct person *child = fork_person(f, parent);

	check_family(f);
	KUNIT_EXPECT_EQ(test, parent->nr_files, 1);
	KUNIT_EXPECT_EQ(test, child->nr_files, 2);
	KUNIT_EXPECT_PTR_NE(test, child->mm.anon_space.anon_vma,
			    parent->mm.anon_space.anon_vma);
	KUNIT_EXPECT_PTR_EQ(test, anon_space_oldest_file(&child->mm),
			    parent->mm.anon_space.anon_vma);
}

/* A file lives on while a child is a member. */
static void exit_of_parent_leaves_file(struct kunit *test)
{
	struct family *f = test->priv;
	struct person *parent = new_root(f);
	struct person *first = fork_person(f, parent);
	struct person *second = fork_person(f, parent);
	struct anon_vma *file = parent->mm.anon_space.anon_vma;

	exit_person(f, parent);
	check_family(f);
	KUNIT_EXPECT_NULL(test, file->owner);
	KUNIT_EXPECT_EQ(test, file->nr_members, 2);
	exit_person(f, first);
	KUNIT_EXPECT_EQ(test, file->nr_members, 1);
	exit_person(f, second);
}

/* A grandchild adopts the file of the dead grandparent. */
static void fork_adopts_file_of_dead(struct kunit *test)
{
	struct family *f = test->priv;
	struct person *old = new_root(f);
	struct person *parent = fork_person(f, old);
	struct anon_vma *file = old->mm.anon_space.anon_vma;
	struct person *child;

	exit_person(f, old);
	child = fork_person(f, parent);
	check_family(f);
	KUNIT_EXPECT_PTR_EQ(test, child->mm.anon_space.anon_vma, file);
	KUNIT_EXPECT_EQ(test, child->nr_files, 2);
}

/* A file whose owner lives is never adopted. */
static void fork_adopts_no_file_with_owner(struct kunit *test)
{
	struct family *f = test->priv;
	struct person *parent = new_root(f);
	unsigned int i;

	for (i = 0; i < 20; i++)
		fork_person(f, parent);
	check_family(f);
}

static unsigned int count_owned(struct person *p)
{
	unsigned int i, nr = 0;

	for (i = 0; i < p->nr_files; i++)
		nr += p->owns[i];
	return nr;
}

/* A child that was forked before is no member of the file of new pages. */
static void new_files_for_new_pages(struct kunit *test)
{
	struct family *f = test->priv;
	struct person *parent = new_root(f), *last;
	unsigned int i;

	for (i = 0; i < 10 * MAX_MEMBERS; i++) {
		last = fork_person(f, parent);
		KUNIT_EXPECT_LE(test, parent->mm.anon_space.anon_vma->nr_members,
				MAX_MEMBERS + 1);
	}
	check_family(f);
	KUNIT_EXPECT_GE(test, count_owned(parent), 10);
	KUNIT_EXPECT_LE(test, count_owned(parent), 11);
	KUNIT_EXPECT_EQ(test, last->nr_files, parent->nr_files + 1);
	KUNIT_EXPECT_TRUE(test, knows_file(last, parent->mm.anon_space.anon_vma));
}

/* When all children are dead the files that were begun for them are left. */
static void files_of_the_dead_are_left(struct kunit *test)
{
	struct family *f = test->priv;
	struct person *parent = new_root(f), *p, *next;
	unsigned int i, round;

	for (round = 0; round < 5; round++) {
		for (i = 0; i < 5 * MAX_MEMBERS; i++) {
			fork_person(f, parent);
			KUNIT_EXPECT_LE(test, parent->nr_files,
					i / MAX_MEMBERS + 2);
			KUNIT_EXPECT_LE(test,
					parent->mm.anon_space.anon_vma->nr_members,
					2 * MAX_MEMBERS + 1);
		}
		check_family(f);
		list_for_each_entry_safe(p, next, &f->living, list)
			if (p != parent)
				exit_person(f, p);
	}
}

/* However many children come and go, a server has files for those that live. */
static void new_files_are_bounded(struct kunit *test)
{
	const unsigned int living = 3 * MAX_MEMBERS;
	struct family *f = test->priv;
	struct person *parent = new_root(f), *next;
	unsigned int i;

	for (i = 0; i < NR_GENERATIONS; i++) {
		fork_person(f, parent);
		if (f->nr_living > living) {
			next = list_next_entry(parent, list);
			exit_person(f, next);
		}
		KUNIT_ASSERT_LE(test, parent->nr_files,
				1 + (living + 1) / MAX_MEMBERS);
	}
	check_family(f);
}

/* Only one of two siblings adopts it, the other one gets a new file. */
static void siblings_adopt_once(struct kunit *test)
{
	struct family *f = test->priv;
	struct person *old = new_root(f);
	struct person *parent = fork_person(f, old);
	struct person *first, *second;

	exit_person(f, old);
	first = fork_person(f, parent);
	second = fork_person(f, parent);
	check_family(f);
	KUNIT_EXPECT_PTR_NE(test, first->mm.anon_space.anon_vma,
			    second->mm.anon_space.anon_vma);
}

/* ---- chains of daemons ---- */

enum chain {
	EXIT_BEFORE_FORK,	/* the parent exits, then its child forks */
	FORK_BEFORE_EXIT,	/* the child forks while its parent lives */
	TWO_BEFORE_EXIT,	/* so do the child and the grandchild */
	CHILDREN_STAY,		/* of each generation one more child lives on */
};

struct chain_case {
	const char *name;
	enum chain chain;
	unsigned int lag;	/* generations that live at the same time */
};

static const struct chain_case chain_cases[] = {
	{ "parent exits before the child forks",	EXIT_BEFORE_FORK, 1 },
	{ "child forks before the parent exits",	FORK_BEFORE_EXIT, 2 },
	{ "grandchild forks before the parent exits",	TWO_BEFORE_EXIT, 3 },
	{ "siblings stay for some generations",		CHILDREN_STAY, 3 },
};

KUNIT_ARRAY_PARAM_DESC(chain, chain_cases, name);

static struct person *oldest(struct family *f)
{
	return list_first_entry(&f->living, struct person, list);
}

/* However long a chain of forks and exits is, nothing accumulates (INV-8). */
static void chain_of_forks_is_bounded(struct kunit *test)
{
	const struct chain_case *c = test->param_value;
	struct family *f = test->priv;
	struct person *last = new_root(f);
	unsigned int i, most = 0, bound = MAX_DEAD + 2 * c->lag;

	for (i = 0; i < NR_GENERATIONS; i++) {
		if (c->chain == CHILDREN_STAY && f->nr_living < 5)
			fork_person(f, last);
		last = fork_person(f, last);
		while (f->nr_living > (c->chain == CHILDREN_STAY ? 5 : c->lag))
			exit_person(f, oldest(f));
		most = max(most, last->nr_files);
		KUNIT_ASSERT_LE(test, last->nr_files, bound);
		KUNIT_ASSERT_LE(test, count_dead(last), bound);
		if (!(i % 97))
			check_family(f);
		if (READ_ONCE(test->status) == KUNIT_FAILURE)
			break;
	}
	kunit_info(test, "at most %u files of an mm\n", most);
}

/* Nor where each heir is one of so many that the parent has begun other files. */
static void chain_of_servers_is_bounded(struct kunit *test)
{
	struct family *f = test->priv;
	struct person *server = new_root(f), *heir, *p, *next;
	unsigned int i, j, most = 0;

	for (i = 0; i < NR_GENERATIONS / 20; i++) {
		heir = server;
		for (j = 0; j < 2 * MAX_MEMBERS + i % 2; j++)
			heir = fork_person(f, server);
		check_family(f);
		list_for_each_entry_safe(p, next, &f->living, list)
			if (p != heir)
				exit_person(f, p);
		server = heir;
		most = max(most, server->nr_files);
		KUNIT_ASSERT_LE(test, server->nr_files, 2 * MAX_DEAD);
		if (READ_ONCE(test->status) == KUNIT_FAILURE)
			break;
	}
	kunit_info(test, "at most %u files of an mm\n", most);
}

/* ---- forks at the same time ---- */

/**
 * struct forker - a thread that forks one person from another
 * @child:  who is forked
 * @parent: from whom
 * @task:   the thread
 * @ret:    what the fork has returned
 * @done:   completed at the end
 */
struct forker {
	struct person *child;
	struct person *parent;
	struct task_struct *task;
	int ret;
	struct completion done;
};

static int fork_in_thread(void *data)
{
	struct forker *forker = data;

	forker->ret = space_fork(&forker->child->mm, &forker->parent->mm);
	complete(&forker->done);
	return 0;
}

/* Returns when it waits for a lock that the test has. */
static void begin_fork(struct family *f, struct forker *forker,
		       struct person *parent)
{
	forker->parent = parent;
	forker->child = person_alloc(f);
	init_completion(&forker->done);
	forker->task = kthread_create(fork_in_thread, forker, "forker");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(f->test, forker->task);
	get_task_struct(forker->task);
	wake_up_process(forker->task);
	while (READ_ONCE(forker->task->__state) != TASK_UNINTERRUPTIBLE &&
	       !completion_done(&forker->done))
		msleep(20);
	KUNIT_EXPECT_FALSE(f->test, completion_done(&forker->done));
}

static void end_fork(struct family *f, struct forker *forker)
{
	wait_for_completion(&forker->done);
	put_task_struct(forker->task);
	KUNIT_EXPECT_EQ(f->test, forker->ret, 0);
}

/*
 * Two relatives with more files of the dead than they should have fork, and both have
 * chosen the same one for the child when the first of them takes it.
 */
static void relatives_adopt_once(struct kunit *test)
{
	struct forker forkers[2] = {};
	struct family *f = test->priv;
	struct person *parents[2], *last = new_root(f);
	unsigned int i, nr = 0;
	struct anon_vma *file;

	for (i = 0; i < MAX_DEAD + 1; i++)
		last = fork_person(f, last);
	file = last->mm.anon_space.anon_vma;
	for (i = 0; i < 2; i++)
		parents[i] = fork_person(f, last);
	/* Who has a child does not look which files are needed. */
	for (i = 0; i < 2; i++)
		fork_person(f, parents[i]);
	for (i = 0; i < MAX_DEAD + 2; i++)
		exit_person(f, oldest(f));
	KUNIT_EXPECT_EQ(test, count_dead(parents[0]), MAX_DEAD + 2);

	/* The last of them that a child joins. */
	anon_vma_lock_write(file);
	for (i = 0; i < 2; i++)
		begin_fork(f, &forkers[i], parents[i]);
	anon_vma_unlock_write(file);
	for (i = 0; i < 2; i++)
		end_fork(f, &forkers[i]);
	KUNIT_EXPECT_PTR_NE(test, forkers[0].child->mm.anon_space.anon_vma,
			    forkers[1].child->mm.anon_space.anon_vma);
	for (i = 0; i < 2; i++)
		nr += knows_file(parents[i],
				 forkers[i].child->mm.anon_space.anon_vma);
	KUNIT_EXPECT_EQ(test, nr, 1);
}

/* ---- random families ---- */

static struct person *pick(struct family *f, struct rnd_state *rnd)
{
	unsigned int i = prandom_u32_state(rnd) % f->nr_living;
	struct person *p;

	list_for_each_entry(p, &f->living, list)
		if (!i--)
			break;
	return p;
}

/* Any sequence of forks and exits leaves what the model says. */
static void random_families_match_model(struct kunit *test)
{
	struct family *f = test->priv;
	u32 seed = get_random_u32();
	struct rnd_state rnd;
	unsigned int i;

	kunit_info(test, "seed %u\n", seed);
	prandom_seed_state(&rnd, seed);
	for (i = 0; i < NR_RANDOM; i++) {
		unsigned int dice = prandom_u32_state(&rnd) % 100;

		if (!f->nr_living || (dice < 5 && f->nr_living < MAX_MMS))
			new_root(f);
		else if (dice < 55 && f->nr_living < MAX_MMS)
			fork_person(f, pick(f, &rnd));
		else
			exit_person(f, pick(f, &rnd));
		check_family(f);
		if (READ_ONCE(test->status) == KUNIT_FAILURE)
			break;
		cond_resched();
	}
}

/* ---- walkers that must not wait ---- */

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
	w->people[0] = new_root(f);
	for (i = 1; i < nr; i++)
		w->people[i] = fork_person(f, w->people[0]);
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

static int family_init(struct kunit *test)
{
	struct family *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	INIT_LIST_HEAD(&f->living);
	f->test = test;
	test->priv = f;
	return 0;
}

static void family_exit(struct kunit *test)
{
	struct family *f = test->priv;

	while (f && f->nr_living)
		exit_person(f, oldest(f));
}

static struct kunit_case family_cases[] = {
	KUNIT_CASE(fork_joins_parents_file),
	KUNIT_CASE(exit_of_parent_leaves_file),
	KUNIT_CASE(fork_adopts_file_of_dead),
	KUNIT_CASE(fork_adopts_no_file_with_owner),
	KUNIT_CASE(siblings_adopt_once),
	KUNIT_CASE(new_files_for_new_pages),
	KUNIT_CASE(files_of_the_dead_are_left),
	KUNIT_CASE(new_files_are_bounded),
	KUNIT_CASE_PARAM(chain_of_forks_is_bounded, chain_gen_params),
	KUNIT_CASE(chain_of_servers_is_bounded),
	KUNIT_CASE(relatives_adopt_once),
	KUNIT_CASE_SLOW(random_families_match_model),
	KUNIT_CASE(walk_comes_back_to_busy_member),
	KUNIT_CASE(walk_ends_contended_if_still_busy),
	KUNIT_CASE(walk_passes_by_hugetlb),
	{}
};

static struct kunit_suite family_suite = {
	.name = "anon_space_family",
	.init = family_init,
	.exit = family_exit,
	.test_cases = family_cases,
};

kunit_test_suite(family_suite);

MODULE_DESCRIPTION("KUnit tests of files and their members");
MODULE_LICENSE("GPL");
