// SPDX-License-Identifier: GPL-2.0
/*
 * Memory failure of moved and shared pages: the processes that have the page,
 * and no others, get SIGBUS at the address where each of them has it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#define UNPOISON	"/sys/kernel/debug/hwpoison/unpoison-pfn"

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

FIXTURE(failure)
{
	struct area a;
	int at;			/* where the four units are now */
	unsigned long pfn;	/* of the one that fails */
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define DATA	FIXTURE_DATA(failure)

FIXTURE_VARIANT(failure)
{
	enum area_state state;
	bool move;		/* after they were shared */
};

FIXTURE_VARIANT_ADD(failure, private) { .state = FAULTED };
FIXTURE_VARIANT_ADD(failure, private_moved) { .state = FAULTED, .move = true };
FIXTURE_VARIANT_ADD(failure, child) { .state = FORKED_CHILD };
FIXTURE_VARIANT_ADD(failure, child_moved) {
	.state = FORKED_CHILD, .move = true
};

FIXTURE_VARIANT_ADD(failure, parent) { .state = FORKED_PARENT };
FIXTURE_VARIANT_ADD(failure, parent_moved) {
	.state = FORKED_PARENT, .move = true
};

FIXTURE_VARIANT_ADD(failure, moved_before) { .state = MOVED_SHARED };

#define BAD	2	/* the unit that fails */

#define EARLY_KILL	"/proc/sys/vm/memory_failure_early_kill"

FIXTURE_SETUP(failure)
{
	if (access(EARLY_KILL, F_OK))
		SKIP(return, "no memory failure");
	area_init(&self->a, variant->state);
	area_fill(&self->a, 0, 4);
	area_ready(&self->a);
	if (variant->move) {
		self->at = 8;
		area_move(&self->a, 0, 4, self->at);
	}
	self->pfn = pfn_of(0, area_at(&self->a, self->at + BAD));
}

FIXTURE_TEARDOWN(failure)
{
}

static void *bad_at(DATA *self)
{
	return area_at(&self->a, self->at + BAD);
}

static sigjmp_buf back;
static siginfo_t info;

static void remember(int signal, siginfo_t *i, void *context)
{
	info = *i;
	siglongjmp(back, 1);
}

static void catch_sigbus(void)
{
	struct sigaction action = {
		.sa_sigaction = remember,
		.sa_flags = SA_SIGINFO,
	};

	memset(&info, 0, sizeof(info));
	sigaction(SIGBUS, &action, NULL);
}

/* The compiler must not leave it out. */
static void read_byte(char *addr)
{
	char value = *addr;

	asm volatile("" : : "r" (value));
}

/* 0 if the page can be read, else the si_code of SIGBUS at this address. */
static int reading_gives(void *addr)
{
	catch_sigbus();
	if (!sigsetjmp(back, 1)) {
		read_byte(addr);
		return 0;
	}
	return info.si_addr == addr ? info.si_code : -1;
}

/* Returns whether this process got SIGBUS for it at once. */
static bool poison(void *addr)
{
	catch_sigbus();
	if (!sigsetjmp(back, 1)) {
		if (madvise(addr, psize(), MADV_HWPOISON))
			perror("MADV_HWPOISON");
		return false;
	}
	return info.si_addr == addr && info.si_code == BUS_MCEERR_AR;
}

/* The page can be used again when nobody has it any more. */
static void unpoison(unsigned long pfn)
{
	char value[32];

	snprintf(value, sizeof(value), "%#lx", pfn);
	write_string(UNPOISON, value);
}

static bool others_are_good(struct area *a, int at)
{
	return area_has(a, at, 2, 0) && area_has(a, at + 3, 1, 3) &&
	       area_migrates(a, at, 2) && area_migrates(a, at + 3, 1) &&
	       area_has(a, at, 2, 0) && area_has(a, at + 3, 1, 3);
}

TEST_F(failure, sigbus_at_the_address)
{
	EXPECT_TRUE(poison(bad_at(self)));
	EXPECT_EQ(BUS_MCEERR_AR, reading_gives(bad_at(self)));
	EXPECT_TRUE(others_are_good(&self->a, self->at));
	munmap(bad_at(self), psize());
}

/* No process that has the page can read it any more, at its own address. */
static bool relative_cannot_read(struct area *a)
{
	char path[32], c;
	int fd;
	bool failed;

	snprintf(path, sizeof(path), "/proc/%d/mem", a->relative);
	fd = open(path, O_RDONLY);
	failed = pread(fd, &c, 1, (uintptr_t)a->relative_at[BAD]) < 0;
	close(fd);
	return failed;
}

TEST_F(failure, relative)
{
	EXPECT_TRUE(poison(bad_at(self)));
	if (self->a.relative)
		EXPECT_TRUE(relative_cannot_read(&self->a));
	EXPECT_TRUE(others_are_good(&self->a, self->at));
}

/* A child that wrote to the page before has a copy, which is good. */
TEST_F(failure, copy_is_good)
{
	int ready[2], go[2], status;
	bool good;
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(go[1]);
		close(ready[0]);
		fill_pages(bad_at(self), 1, 0x777);
		close(ready[1]);
		good = !read(go[0], &c, 1) &&
		       !reading_gives(bad_at(self)) &&
		       pages_have(bad_at(self), 1, 0x777) &&
		       others_are_good(&self->a, self->at);
		_exit(!good);
	}
	close(ready[1]);
	EXPECT_EQ(0, read(ready[0], &c, 1));
	EXPECT_TRUE(poison(bad_at(self)));
	close(go[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(BUS_MCEERR_AR, reading_gives(bad_at(self)));
}

/* A process that asks for early SIGBUS gets it, with its own address. */
TEST_F(failure, early_kill)
{
	void *elsewhere = area_at(&self->a, 13);
	int ready[2], status;
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
		area_move(&self->a, self->at + BAD, 1, 13);
		catch_sigbus();
		if (sigsetjmp(back, 1))
			_exit(!(info.si_addr == elsewhere &&
				info.si_code == BUS_MCEERR_AO));
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	EXPECT_EQ(0, read(ready[0], &c, 1));
	EXPECT_TRUE(poison(bad_at(self)));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* A poisoned entry moves, too. */
TEST_F(failure, move_poisoned)
{
	EXPECT_TRUE(poison(bad_at(self)));
	area_move(&self->a, self->at, 4, 4);
	EXPECT_EQ(BUS_MCEERR_AR, reading_gives(area_at(&self->a, 4 + BAD)));
	EXPECT_TRUE(others_are_good(&self->a, 4));
}

static bool moves_poisoned(void *arg)
{
	DATA *self = arg;

	area_move(&self->a, self->at, 4, 4);
	return reading_gives(area_at(&self->a, 4 + BAD)) == BUS_MCEERR_AR &&
	       others_are_good(&self->a, 4);
}

TEST_F(failure, fork_poisoned)
{
	EXPECT_TRUE(poison(bad_at(self)));
	EXPECT_TRUE(child_says(moves_poisoned, self));
	EXPECT_EQ(BUS_MCEERR_AR, reading_gives(bad_at(self)));
	EXPECT_TRUE(others_are_good(&self->a, self->at));
}

/* No process gets a signal: all get the same new page. */
TEST_F(failure, soft_offline)
{
	unsigned long pfn;
	long waited = 0;
	int ret;

	/* Busy is a page that somebody else has a reference to for a moment. */
	do {
		ret = madvise(bad_at(self), psize(), MADV_SOFT_OFFLINE);
	} while (ret && errno == EBUSY && be_patient(&waited));
	ASSERT_EQ(0, ret);
	pfn = pfn_of(0, bad_at(self));
	EXPECT_NE(self->pfn, pfn);
	if (self->a.relative)
		EXPECT_EQ(pfn, pfn_of(self->a.relative,
				      self->a.relative_at[BAD]));
	EXPECT_TRUE(area_has(&self->a, self->at, 4, 0));
	EXPECT_TRUE(area_relative_has_all(&self->a));
	EXPECT_TRUE(area_migrates(&self->a, self->at, 4));
	unpoison(self->pfn);
}

/* ---- huge pages ---- */

FIXTURE(failure_huge)
{
	struct area a;
};

FIXTURE_VARIANT(failure_huge)
{
	enum area_state state;
	bool move;
};

FIXTURE_VARIANT_ADD(failure_huge, private) { .state = HUGE };
FIXTURE_VARIANT_ADD(failure_huge, moved) { .state = HUGE, .move = true };
FIXTURE_VARIANT_ADD(failure_huge, shared) { .state = HUGE_FORKED };
FIXTURE_VARIANT_ADD(failure_huge, shared_and_moved) {
	.state = HUGE_FORKED, .move = true
};

FIXTURE_SETUP(failure_huge)
{
	if (access(EARLY_KILL, F_OK))
		SKIP(return, "no memory failure");
	area_init(&self->a, variant->state);
	area_fill(&self->a, 0, 1);
	area_ready(&self->a);
	if (variant->move)
		area_move(&self->a, 0, 1, 3);
}

FIXTURE_TEARDOWN(failure_huge)
{
}

/* Only one of its pages is lost. */
TEST_F(failure_huge, one_page)
{
	char *start = area_at(&self->a, variant->move ? 3 : 0);

	EXPECT_TRUE(poison(start + 7 * psize()));
	EXPECT_EQ(BUS_MCEERR_AR, reading_gives(start + 7 * psize()));
	EXPECT_TRUE(pages_have(start, 7, 0x1000000));
	EXPECT_TRUE(pages_have(start + 8 * psize(), 100, 0x1000008));
	EXPECT_TRUE(pages_migrate(start, 7));
	EXPECT_TRUE(pages_migrate(start + 8 * psize(), 8));
	EXPECT_TRUE(pages_have(start + 8 * psize(), 100, 0x1000008));
}

/* It stays large as long as others use it. Whoever is killed is told which page it is. */
static void fail_while_used(struct __test_metadata *_metadata, char *start,
			    size_t size)
{
	char *bad = start + 7 * psize();
	int used = hold_frames(start + psize(), 1);

	EXPECT_TRUE(poison(bad));
	EXPECT_EQ(BUS_MCEERR_AR, info.si_code);
	close(used);
	/* A large one with a bad page in it is not to be freed as such. */
	split_huge_pages(start, size);
	EXPECT_TRUE(pages_have(start, 7, 0x1000000));
	EXPECT_TRUE(pages_migrate(start, 7));
}

TEST_F(failure_huge, while_it_is_used)
{
	fail_while_used(_metadata, area_at(&self->a, variant->move ? 3 : 0),
			self->a.unit);
}

/* The same, mapped page by page. */
TEST_F(failure_huge, while_it_is_used_in_parts)
{
	char *start = area_at(&self->a, variant->move ? 3 : 0);

	ASSERT_EQ(0, mprotect(start + 3 * psize(), psize(), PROT_READ));
	ASSERT_EQ(0, mprotect(start + 3 * psize(), psize(), PROT_READ | PROT_WRITE));
	fail_while_used(_metadata, start, self->a.unit);
}

TEST_HARNESS_MAIN
