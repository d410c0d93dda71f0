// SPDX-License-Identifier: GPL-2.0
/*
 * Generations of processes which share, write and move memory: each keeps its
 * own contents at its own addresses, and the kernel finds all mappings.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#define PAGES		8
#define GENERATIONS	6

/*
 * Page p of generation g is g * 0x100 + p if it was written there, and what the
 * parent had otherwise.
 */
#define CONTENTS(generation, page)	((generation) * 0x100ul + (page))

FIXTURE(fork)
{
	struct area a;
	void *pages;
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define DATA	FIXTURE_DATA(fork)

/* What every generation does first. */
FIXTURE_VARIANT(fork)
{
	bool move;	/* to a place of its own */
	bool write;	/* the page with its own number */
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define VARIANT	FIXTURE_VARIANT(fork)

FIXTURE_VARIANT_ADD(fork, untouched) { };
FIXTURE_VARIANT_ADD(fork, moved) { .move = true };
FIXTURE_VARIANT_ADD(fork, written) { .write = true };
FIXTURE_VARIANT_ADD(fork, moved_and_written) { .move = true, .write = true };

FIXTURE_SETUP(fork)
{
	area_init(&self->a, FAULTED);
	self->pages = mmap(self->a.base, PAGES * psize(),
			   PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_NE(MAP_FAILED, self->pages);
	fill_pages(self->pages, PAGES, CONTENTS(0, 0));
}

FIXTURE_TEARDOWN(fork)
{
}

/* Be generation @generation. */
static void live(DATA *self, const VARIANT *variant,
		 int generation)
{
	void *to = self->a.base + generation * 2 * PAGES * psize();

	if (variant->move) {
		to = mremap(self->pages, PAGES * psize(), PAGES * psize(),
			    MREMAP_MAYMOVE | MREMAP_FIXED, to);
		if (to == MAP_FAILED)
			_exit(KSFT_FAIL);
		self->pages = to;
	}
	if (variant->write)
		fill_pages(self->pages + generation * psize(), 1,
			   CONTENTS(generation, generation));
}

/* Everything of the parent's but what each generation up to ours has written */
static bool has_own(DATA *self,
		    const VARIANT *variant, int generation)
{
	int page, writer;

	for (page = 0; page < PAGES; page++) {
		writer = variant->write && page <= generation ? page : 0;
		if (!pages_have(self->pages + page * psize(), 1,
				CONTENTS(writer, page)))
			return false;
	}
	return true;
}

/*
 * In a child, call the same for the next generation, and compare when all
 * younger ones have: the oldest one migrates what all of them have.
 */
static bool descend(DATA *self,
		    const VARIANT *variant, int generation)
{
	int status;
	pid_t pid;

	if (generation == GENERATIONS)
		return true;
	pid = fork();
	if (!pid) {
		live(self, variant, generation);
		_exit(!(descend(self, variant, generation + 1) &&
			has_own(self, variant, generation) &&
			pages_migrate(self->pages, PAGES) &&
			has_own(self, variant, generation)));
	}
	return pid == waitpid(pid, &status, 0) && !status;
}

TEST_F_TIMEOUT(fork, generations_one_in_another, TIMEOUT)
{
	EXPECT_TRUE(descend(self, variant, 1));
	EXPECT_TRUE(has_own(self, variant, 0));
}

/* Each parent is dead before its child does anything. */
TEST_F_TIMEOUT(fork, generations_of_orphans, TIMEOUT)
{
	void *born_at = self->pages;
	pid_t first = getpid();
	int generation;

	go_on_in_child();
	for (generation = 1; generation < GENERATIONS; generation++) {
		go_on_in_orphan();
		live(self, variant, generation);
	}
	EXPECT_TRUE(has_own(self, variant, GENERATIONS - 1));
	EXPECT_TRUE(pages_migrate(self->pages, PAGES));
	EXPECT_TRUE(has_own(self, variant, GENERATIONS - 1));
	EXPECT_TRUE(pages_of_have(first, born_at, PAGES, CONTENTS(0, 0)));
}

/* Siblings of one parent, which migrates what all of them have. */
TEST_F_TIMEOUT(fork, siblings, TIMEOUT)
{
	int i, to_child[2], status;
	char c;

	ASSERT_EQ(0, pipe(to_child));
	for (i = 1; i < GENERATIONS; i++) {
		if (fork())
			continue;
		close(to_child[1]);
		live(self, variant, i);
		/* Until the parent has closed it. */
		if (read(to_child[0], &c, 1))
			_exit(2);
		_exit(!(pages_have(self->pages, i, CONTENTS(0, 0)) &&
			pages_have(self->pages + i * psize(), 1,
				   CONTENTS(variant->write ? i : 0, i)) &&
			pages_migrate(self->pages, PAGES)));
	}
	EXPECT_TRUE(pages_migrate(self->pages, PAGES));
	close(to_child[1]);
	while (wait(&status) > 0)
		EXPECT_EQ(0, status);
	EXPECT_TRUE(pages_have(self->pages, PAGES, CONTENTS(0, 0)));
}

/* The parent writes and moves after the child was born. */
TEST_F_TIMEOUT(fork, parent_changes, TIMEOUT)
{
	void *born_at = self->pages;
	pid_t pid = fork_waiting();

	live(self, variant, 1);
	EXPECT_TRUE(pages_of_have(pid, born_at, PAGES, CONTENTS(0, 0)));
	EXPECT_TRUE(pages_have(self->pages, 1, CONTENTS(0, 0)));
	EXPECT_TRUE(pages_have(self->pages + psize(), 1,
			       CONTENTS(variant->write ? 1 : 0, 1)));
	EXPECT_TRUE(pages_have(self->pages + 2 * psize(), PAGES - 2,
			       CONTENTS(0, 2)));
	EXPECT_TRUE(pages_migrate(self->pages, PAGES));
	EXPECT_TRUE(pages_of_have(pid, born_at, PAGES, CONTENTS(0, 0)));
}

/* A daemon that forks and exits again and again. */
TEST_F_TIMEOUT(fork, two_hundred_generations, TIMEOUT)
{
	int generation;

	go_on_in_child();
	for (generation = 1; generation <= 200; generation++) {
		go_on_in_orphan();
		live(self, variant, 1 + generation % 2);
	}
	EXPECT_TRUE(has_own(self, variant, 2));
	EXPECT_TRUE(pages_migrate(self->pages, PAGES));
	EXPECT_TRUE(has_own(self, variant, 2));
}

/* ---- what does not depend on the variants ---- */

FIXTURE(flags)
{
	struct area a;
};

FIXTURE_SETUP(flags)
{
	area_init(&self->a, FAULTED);
	area_fill(&self->a, 0, 6);
}

FIXTURE_TEARDOWN(flags)
{
}

static bool moves_two_to_four(void *arg)
{
	struct area *a = arg;

	area_move(a, 2, 2, 8);
	return area_has(a, 8, 2, 2) && area_migrates(a, 8, 2) &&
	       area_has(a, 8, 2, 2);
}

static bool is_wiped(void *arg)
{
	struct area *a = arg;
	long *page = area_at(a, 2);

	if (*page)
		return false;
	fill_pages(page, 2, 0x999);
	return pages_migrate(page, 2) && pages_have(page, 2, 0x999) &&
	       area_has(a, 0, 2, 0) && area_has(a, 4, 2, 4);
}

/* The child begins with empty pages, which are its own. */
TEST_F(flags, wipe_on_fork)
{
	ASSERT_EQ(0, madvise(area_at(&self->a, 2), area_size(&self->a, 2),
			     MADV_WIPEONFORK));
	EXPECT_TRUE(child_says(is_wiped, &self->a));
	EXPECT_TRUE(area_has(&self->a, 0, 6, 0));
}

static bool is_hole(void *arg)
{
	struct area *a = arg;

	return count_vmas(area_at(a, 2), area_size(a, 2)) == 0 &&
	       area_has(a, 0, 2, 0) && area_has(a, 4, 2, 4) &&
	       area_migrates(a, 0, 2) && area_migrates(a, 4, 2);
}

TEST_F(flags, dont_fork)
{
	ASSERT_EQ(0, madvise(area_at(&self->a, 2), area_size(&self->a, 2),
			     MADV_DONTFORK));
	EXPECT_TRUE(child_says(is_hole, &self->a));
	EXPECT_TRUE(area_has(&self->a, 0, 6, 0));
}

static bool is_unlocked(void *arg)
{
	return status_kb("VmLck:") == 0 && moves_two_to_four(arg);
}

TEST_F(flags, locked)
{
	ASSERT_EQ(0, mlock(area_at(&self->a, 2), area_size(&self->a, 2)));
	EXPECT_EQ(2 * psize() / 1024, status_kb("VmLck:"));
	EXPECT_TRUE(child_says(is_unlocked, &self->a));
	EXPECT_TRUE(area_has(&self->a, 0, 6, 0));
}

static bool is_one_mapping(void *arg)
{
	struct area *a = arg;

	return count_vmas(area_at(a, 0), area_size(a, 6)) == 1 &&
	       area_has(a, 0, 6, 0) && moves_two_to_four(a);
}

/* What is locked in the parent is not locked in the child. */
TEST_F(flags, locked_is_one_mapping)
{
	ASSERT_EQ(0, mlock(area_at(&self->a, 2), area_size(&self->a, 2)));
	ASSERT_EQ(0, mlock(area_at(&self->a, 5), area_size(&self->a, 1)));
	EXPECT_EQ(4, count_vmas(area_at(&self->a, 0), area_size(&self->a, 6)));
	EXPECT_TRUE(child_says(is_one_mapping, &self->a));
	EXPECT_EQ(4, count_vmas(area_at(&self->a, 0), area_size(&self->a, 6)));
	EXPECT_TRUE(area_has(&self->a, 0, 6, 0));
}

/* Nor is it registered with a userfaultfd that does not ask for that. */
TEST_F(flags, registered_is_one_mapping)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { (uintptr_t)area_at(&self->a, 2),
			   area_size(&self->a, 2) },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0)
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, ioctl(fd, UFFDIO_API, &api));
	ASSERT_EQ(0, ioctl(fd, UFFDIO_REGISTER, &reg));
	EXPECT_EQ(3, count_vmas(area_at(&self->a, 0), area_size(&self->a, 6)));
	EXPECT_TRUE(child_says(is_one_mapping, &self->a));
	close(fd);
}

/* A child of vfork() moves the memory for its parent as well. */
TEST_F(flags, vfork)
{
	pid_t pid = vfork();

	if (!pid) {
		mremap(area_at(&self->a, 2), area_size(&self->a, 2),
		       area_size(&self->a, 2), MREMAP_MAYMOVE | MREMAP_FIXED,
		       area_at(&self->a, 8));
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_TRUE(area_has(&self->a, 8, 2, 2));
	EXPECT_TRUE(area_migrates(&self->a, 8, 2));
	EXPECT_TRUE(area_has(&self->a, 8, 2, 2));
}

/* When the child has exited, its copies are freed, and the rest is the parent's alone. */
TEST_F(flags, after_the_child)
{
	EXPECT_TRUE(child_says(moves_two_to_four, &self->a));
	area_move(&self->a, 0, 6, 8);
	fill_pages(area_at(&self->a, 8), 3, 0x999);
	EXPECT_TRUE(area_migrates(&self->a, 8, 6));
	EXPECT_TRUE(pages_have(area_at(&self->a, 8), 3, 0x999));
	EXPECT_TRUE(area_has(&self->a, 11, 3, 3));
}

/* exec drops the memory of a child: its parent still has it. */
TEST_F(flags, exec)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		area_move(&self->a, 2, 2, 8);
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(area_migrates(&self->a, 0, 6));
	EXPECT_TRUE(area_has(&self->a, 0, 6, 0));
}

TEST_HARNESS_MAIN
