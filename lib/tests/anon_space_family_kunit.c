// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of files and their members over forks and exits.
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
#include "anon_space_family.h"

#define MAX_MMS		24	/* living at a time in random families */
#define NR_RANDOM	4000	/* random forks and exits */
#define NR_GENERATIONS	10000
/* Files of dead ancestors an mm may collect, whatever its history. */
#define MAX_DEAD	9
#define MAX_MORE	64	/* files that an mm owns besides its oldest one */
#define MAX_MEMBERS	16	/* of a file, before its owner begins another one */

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
	struct person *owner = family_find_owner(f, file), *other;
	unsigned int at = member_position(file, &p->mm), nr = 0;

	KUNIT_EXPECT_TRUE(f->test, anon_space_is_member(&p->mm, file));
	KUNIT_EXPECT_NE(f->test, at, 0);
	/* INV-6 */
	if (p->parent && person_knows_file(p->parent, file))
		KUNIT_EXPECT_LT(f->test,
				member_position(file, &p->parent->mm), at);
	list_for_each_entry(other, &f->living, list)
		nr += person_knows_file(other, file);
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
	KUNIT_EXPECT_PTR_EQ(f->test, p,
			    family_find_owner(f, p->mm.anon_space.anon_vma));
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
	struct person *parent = family_add_root(f);
	struct person *child = family_fork(f, parent);

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
	struct person *parent = family_add_root(f);
	struct person *first = family_fork(f, parent);
	struct person *second = family_fork(f, parent);
	struct anon_vma *file = parent->mm.anon_space.anon_vma;

	family_exit(f, parent);
	check_family(f);
	KUNIT_EXPECT_NULL(test, file->owner);
	KUNIT_EXPECT_EQ(test, file->nr_members, 2);
	family_exit(f, first);
	KUNIT_EXPECT_EQ(test, file->nr_members, 1);
	family_exit(f, second);
}

/* A grandchild adopts the file of the dead grandparent. */
static void fork_adopts_file_of_dead(struct kunit *test)
{
	struct family *f = test->priv;
	struct person *old = family_add_root(f);
	struct person *parent = family_fork(f, old);
	struct anon_vma *file = old->mm.anon_space.anon_vma;
	struct person *child;

	family_exit(f, old);
	child = family_fork(f, parent);
	check_family(f);
	KUNIT_EXPECT_PTR_EQ(test, child->mm.anon_space.anon_vma, file);
	KUNIT_EXPECT_EQ(test, child->nr_files, 2);
}

/* A file whose owner lives is never adopted. */
static void fork_adopts_no_file_with_owner(struct kunit *test)
{
	struct family *f = test->priv;
	struct person *parent = family_add_root(f);
	unsigned int i;

	for (i = 0; i < 20; i++)
		family_fork(f, parent);
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
	struct person *parent = family_add_root(f), *last;
	unsigned int i;

	for (i = 0; i < 10 * MAX_MEMBERS; i++) {
		last = family_fork(f, parent);
		KUNIT_EXPECT_LE(test, parent->mm.anon_space.anon_vma->nr_members,
				MAX_MEMBERS + 1);
	}
	check_family(f);
	KUNIT_EXPECT_GE(test, count_owned(parent), 10);
	KUNIT_EXPECT_LE(test, count_owned(parent), 11);
	KUNIT_EXPECT_EQ(test, last->nr_files, parent->nr_files + 1);
	KUNIT_EXPECT_TRUE(test, person_knows_file(last, parent->mm.anon_space.anon_vma));
}

/* So that the memberships of a family do not grow with the square of its members. */
static void files_of_many_children_are_bounded(struct kunit *test)
{
	struct family *f = test->priv;
	struct person *parent = family_add_root(f);
	unsigned int i, most = 0;

	/* When it has as many as it may have it leaves those without pages: all of them. */
	for (i = 0; i < (MAX_MORE + 6) * MAX_MEMBERS; i++) {
		family_fork(f, parent);
		most = max(most, count_owned(parent));
	}
	KUNIT_EXPECT_EQ(test, most, 1 + MAX_MORE);
	check_family(f);
}

/* When all children are dead the files that were begun for them are left. */
static void files_of_the_dead_are_left(struct kunit *test)
{
	struct family *f = test->priv;
	struct person *parent = family_add_root(f), *p, *next;
	unsigned int i, round;

	for (round = 0; round < 5; round++) {
		/* The number of forks has not just doubled when they die. */
		for (i = 0; i < 5 * MAX_MEMBERS + round; i++) {
			family_fork(f, parent);
			KUNIT_EXPECT_LE(test, parent->nr_files,
					i / MAX_MEMBERS + 2);
			KUNIT_EXPECT_LE(test,
					parent->mm.anon_space.anon_vma->nr_members,
					2 * MAX_MEMBERS + 1);
		}
		check_family(f);
		list_for_each_entry_safe(p, next, &f->living, list)
			if (p != parent)
				family_exit(f, p);
	}
}

/* However many children come and go, a server has files for those that live. */
static void new_files_are_bounded(struct kunit *test)
{
	const unsigned int living = 3 * MAX_MEMBERS;
	struct family *f = test->priv;
	struct person *parent = family_add_root(f), *next;
	unsigned int i;

	for (i = 0; i < NR_GENERATIONS; i++) {
		family_fork(f, parent);
		if (f->nr_living > living) {
			next = list_next_entry(parent, list);
			family_exit(f, next);
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
	struct person *old = family_add_root(f);
	struct person *parent = family_fork(f, old);
	struct person *first, *second;

	family_exit(f, old);
	first = family_fork(f, parent);
	second = family_fork(f, parent);
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
	unsigned int nr_living;	/* at the same time */
	unsigned int bound;	/* of files of an mm */
};

/* If nobody but its parent has a file of the dead, a child adopts it at once. */
static const struct chain_case chain_cases[] = {
	{ "parent exits before the child forks",
	  EXIT_BEFORE_FORK, 1, 2 },
	{ "child forks before the parent exits",
	  FORK_BEFORE_EXIT, 2, MAX_DEAD + 2 },
	{ "grandchild forks before the parent exits",
	  TWO_BEFORE_EXIT, 3, MAX_DEAD + 3 },
	{ "siblings stay for some generations",
	  CHILDREN_STAY, 5, MAX_DEAD + 5 },
};

KUNIT_ARRAY_PARAM_DESC(chain, chain_cases, name);

/* However long a chain of forks and exits is, nothing accumulates (INV-8). */
static void chain_of_forks_is_bounded(struct kunit *test)
{
	const struct chain_case *c = test->param_value;
	struct family *f = test->priv;
	struct person *last = family_add_root(f);
	unsigned int i, most = 0;

	for (i = 0; i < NR_GENERATIONS; i++) {
		if (c->chain == CHILDREN_STAY && f->nr_living < c->nr_living)
			family_fork(f, last);
		last = family_fork(f, last);
		while (f->nr_living > c->nr_living)
			family_exit(f, family_oldest(f));
		most = max(most, last->nr_files);
		KUNIT_ASSERT_LE(test, last->nr_files, c->bound);
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
	struct person *server = family_add_root(f), *heir, *p, *next;
	unsigned int i, j, most = 0;

	for (i = 0; i < NR_GENERATIONS / 20; i++) {
		heir = server;
		for (j = 0; j < 2 * MAX_MEMBERS + i % 2; j++)
			heir = family_fork(f, server);
		check_family(f);
		list_for_each_entry_safe(p, next, &f->living, list)
			if (p != heir)
				family_exit(f, p);
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

	forker->ret = family_fork_mm(&forker->child->mm, &forker->parent->mm);
	complete(&forker->done);
	return 0;
}

/* Returns when it waits for a lock that the test has. */
static void begin_fork(struct family *f, struct forker *forker,
		       struct person *parent)
{
	forker->parent = parent;
	forker->child = family_add_person(f);
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
	struct person *parents[2], *last = family_add_root(f);
	unsigned int i, nr = 0;
	struct anon_vma *file;

	for (i = 0; i < MAX_DEAD + 1; i++)
		last = family_fork(f, last);
	file = last->mm.anon_space.anon_vma;
	for (i = 0; i < 2; i++)
		parents[i] = family_fork(f, last);
	/* Who has a child does not look which files are needed. */
	for (i = 0; i < 2; i++)
		family_fork(f, parents[i]);
	for (i = 0; i < MAX_DEAD + 2; i++)
		family_exit(f, family_oldest(f));
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
		nr += person_knows_file(parents[i],
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
			family_add_root(f);
		else if (dice < 55 && f->nr_living < MAX_MMS)
			family_fork(f, pick(f, &rnd));
		else
			family_exit(f, pick(f, &rnd));
		check_family(f);
		if (READ_ONCE(test->status) == KUNIT_FAILURE)
			break;
		cond_resched();
	}
}

static struct kunit_case family_cases[] = {
	KUNIT_CASE(fork_joins_parents_file),
	KUNIT_CASE(exit_of_parent_leaves_file),
	KUNIT_CASE(fork_adopts_file_of_dead),
	KUNIT_CASE(fork_adopts_no_file_with_owner),
	KUNIT_CASE(siblings_adopt_once),
	KUNIT_CASE(new_files_for_new_pages),
	KUNIT_CASE(files_of_many_children_are_bounded),
	KUNIT_CASE(files_of_the_dead_are_left),
	KUNIT_CASE(new_files_are_bounded),
	KUNIT_CASE_PARAM(chain_of_forks_is_bounded, chain_gen_params),
	KUNIT_CASE(chain_of_servers_is_bounded),
	KUNIT_CASE(relatives_adopt_once),
	KUNIT_CASE_SLOW(random_families_match_model),
	{}
};

static struct kunit_suite family_suite = {
	.name = "anon_space_family",
	.init = family_init_test,
	.exit = family_exit_test,
	.test_cases = family_cases,
};

kunit_test_suite(family_suite);

MODULE_DESCRIPTION("KUnit tests of files and their members");
MODULE_LICENSE("GPL");
