// SPDX-License-Identifier: GPL-2.0
/*
 * KSM finds its pages at the addresses where it merged them, in every process,
 * whatever moved before, meanwhile or after.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
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

#define KSM	"/sys/kernel/mm/ksm/"
#define UNPOISON	"/sys/kernel/debug/hwpoison/unpoison-pfn"
#define SCANS	4
#define SAME	0x5a
#define PAGES	6

FIXTURE(ksm)
{
	struct area a;
};

/* What has happened to the pages before they are merged. */
FIXTURE_VARIANT(ksm)
{
	bool move, fork;
};

FIXTURE_VARIANT_ADD(ksm, in_place) { };
FIXTURE_VARIANT_ADD(ksm, moved) { .move = true };
FIXTURE_VARIANT_ADD(ksm, forked) { .fork = true };
FIXTURE_VARIANT_ADD(ksm, forked_and_moved) { .fork = true, .move = true };

static void fill_same(struct area *a, int first)
{
	int i;

	for (i = 0; i < PAGES; i++)
		memset(area_at(a, first + i), SAME, psize());
}

static bool is_same(struct area *a, int first, int nr)
{
	size_t i;
	char *at = area_at(a, first);

	for (i = 0; i < nr * psize(); i++)
		if (at[i] != SAME)
			return false;
	return true;
}

/* One page for all of them? (KPF_KSM is set for all anonymous pages.) */
static bool are_one(struct area *a, int first, int nr)
{
	unsigned long pfn = pfn_of(0, area_at(a, first));
	int i;

	for (i = 1; i < nr; i++)
		if (pfn_of(0, area_at(a, first + i)) != pfn)
			return false;
	return pfn;
}

/* A page of its own for each? */
static bool are_many(struct area *a, int first, int nr)
{
	int i;

	for (i = 1; i < nr; i++)
		if (pfn_of(0, area_at(a, first)) ==
		    pfn_of(0, area_at(a, first + i)))
			return false;
	return true;
}

/* Until everything was seen a few times: merging takes two. */
static bool scan(void)
{
	long until = read_long(KSM "full_scans") + SCANS, waited = 0;
	bool done;

	write_string(KSM "run", "1");
	do {
		done = read_long(KSM "full_scans") >= until;
	} while (!done && be_patient(&waited));
	write_string(KSM "run", "0");
	return done;
}

/* A page that somebody else has a reference to for a moment is not merged: scan again. */
static bool merge_some(struct area *a, int first, int nr)
{
	long waited = 0;

	while (scan()) {
		if (are_one(a, first, nr))
			return true;
		if (!be_patient(&waited))
			break;
	}
	return false;
}

static bool merge(struct area *a, int first)
{
	return merge_some(a, first, PAGES);
}

/*
 * Unit 0 and following are six equal pages. Those of the parent may be merged,
 * too: the kernel does not find mappings that it has not scanned.
 */
FIXTURE_SETUP(ksm)
{
	wait_for_earlier_tests();
	write_string(KSM "sleep_millisecs", "0");
	write_string(KSM "pages_to_scan", "1000");
	area_init(&self->a, FAULTED);
	area_map(&self->a, variant->move ? 8 : 0, PAGES);
	fill_same(&self->a, variant->move ? 8 : 0);
	ASSERT_EQ(0, madvise(area_at(&self->a, variant->move ? 8 : 0),
			     area_size(&self->a, PAGES), MADV_MERGEABLE));
	if (variant->fork)
		go_on_in_child();
	if (variant->move)
		area_move(&self->a, 8, PAGES, 0);
}

FIXTURE_TEARDOWN(ksm)
{
	write_string(KSM "run", "2");
	write_string(KSM "run", "0");
}

TEST_F_TIMEOUT(ksm, merge_and_write, TIMEOUT)
{
	ASSERT_TRUE(merge(&self->a, 0));
	fill_pages(area_at(&self->a, 2), 1, 0x777);
	EXPECT_TRUE(pages_have(area_at(&self->a, 2), 1, 0x777));
	EXPECT_TRUE(is_same(&self->a, 0, 2));
	EXPECT_TRUE(is_same(&self->a, 3, 3));
	EXPECT_TRUE(area_migrates(&self->a, 2, 1));
	EXPECT_FALSE(are_one(&self->a, 1, 2));
}

/* All six mappings of the one page are found. */
TEST_F_TIMEOUT(ksm, migrate, TIMEOUT)
{
	ASSERT_TRUE(merge(&self->a, 0));
	EXPECT_TRUE(area_migrates(&self->a, 0, PAGES));
	EXPECT_TRUE(are_one(&self->a, 0, PAGES));
	EXPECT_TRUE(is_same(&self->a, 0, PAGES));
}

static bool has_same_at_8(void *arg)
{
	struct area *a = arg;

	return is_same(a, 8, PAGES) && area_migrates(a, 8, PAGES) &&
	       is_same(a, 8, PAGES);
}

/* A move breaks the pages, and they merge again. */
TEST_F_TIMEOUT(ksm, move, TIMEOUT)
{
	ASSERT_TRUE(merge(&self->a, 0));
	area_move(&self->a, 0, PAGES, 8);
	EXPECT_TRUE(has_same_at_8(&self->a));
	EXPECT_TRUE(merge(&self->a, 8));
	EXPECT_TRUE(has_same_at_8(&self->a));
}

TEST_F_TIMEOUT(ksm, move_part, TIMEOUT)
{
	ASSERT_TRUE(merge(&self->a, 0));
	area_move(&self->a, 2, 2, 8);
	EXPECT_TRUE(is_same(&self->a, 0, 2));
	EXPECT_TRUE(is_same(&self->a, 4, 2));
	EXPECT_TRUE(is_same(&self->a, 8, 2));
	EXPECT_TRUE(merge_some(&self->a, 8, 2));
	EXPECT_TRUE(area_migrates(&self->a, 0, 2));
	EXPECT_TRUE(area_migrates(&self->a, 4, 2));
	EXPECT_TRUE(area_migrates(&self->a, 8, 2));
}

TEST_F_TIMEOUT(ksm, move_and_unmerge, TIMEOUT)
{
	ASSERT_TRUE(merge(&self->a, 0));
	area_move(&self->a, 0, PAGES, 8);
	EXPECT_TRUE(merge(&self->a, 8));
	ASSERT_EQ(0, madvise(area_at(&self->a, 8), area_size(&self->a, PAGES),
			     MADV_UNMERGEABLE));
	EXPECT_TRUE(are_many(&self->a, 8, PAGES));
	EXPECT_TRUE(has_same_at_8(&self->a));
}

TEST_F_TIMEOUT(ksm, unmerge_all, TIMEOUT)
{
	ASSERT_TRUE(merge(&self->a, 0));
	write_string(KSM "run", "2");
	EXPECT_TRUE(are_many(&self->a, 0, PAGES));
	EXPECT_TRUE(is_same(&self->a, 0, PAGES));
	EXPECT_TRUE(area_migrates(&self->a, 0, PAGES));
}

static bool has_merged(void *arg)
{
	struct area *a = arg;

	return are_one(a, 0, PAGES) && is_same(a, 0, PAGES) &&
	       area_migrates(a, 0, PAGES) && is_same(a, 0, PAGES);
}

/* The child's mappings are found by the item of its parent. */
TEST_F_TIMEOUT(ksm, fork_merged, TIMEOUT)
{
	ASSERT_TRUE(merge(&self->a, 0));
	EXPECT_TRUE(child_says(has_merged, &self->a));
	EXPECT_TRUE(has_merged(&self->a));
}

static bool moves_merged(void *arg)
{
	struct area *a = arg;

	area_move(a, 0, PAGES, 8);
	return merge(a, 8) && has_same_at_8(a);
}

TEST_F_TIMEOUT(ksm, fork_merged_and_move, TIMEOUT)
{
	ASSERT_TRUE(merge(&self->a, 0));
	EXPECT_TRUE(child_says(moves_merged, &self->a));
	EXPECT_TRUE(has_merged(&self->a));
}

/* Shared by parent and child, merged while they are. */
TEST_F_TIMEOUT(ksm, merge_in_both, TIMEOUT)
{
	pid_t pid = fork_waiting();

	ASSERT_TRUE(merge(&self->a, 0));
	EXPECT_TRUE(area_migrates(&self->a, 0, PAGES));
	EXPECT_TRUE(is_same(&self->a, 0, PAGES));
	area_move(&self->a, 0, PAGES, 8);
	fill_pages(area_at(&self->a, 8), PAGES, 0x777);
	EXPECT_TRUE(pages_have(area_at(&self->a, 8), PAGES, 0x777));
	EXPECT_NE(0, pfn_of(pid, area_at(&self->a, 0)));
}

/* Swapped as one page, read back by each mapping. */
TEST_F_TIMEOUT(ksm, page_out, TIMEOUT)
{
	ASSERT_TRUE(merge(&self->a, 0));
	try_page_out(area_at(&self->a, 0), area_size(&self->a, PAGES));
	area_move(&self->a, 0, PAGES, 8);
	EXPECT_TRUE(has_same_at_8(&self->a));
}

/* ---- merged pages that are swapped out are merged no more ---- */

FIXTURE(ksm_swapped)
{
	struct area a;
	pid_t child;
	int at;			/* where the pages are in this process */
};

FIXTURE_VARIANT(ksm_swapped)
{
	bool move;		/* when they are swapped out */
	bool move_one;		/* of them, away from its neighbour */
	bool child_first;	/* reads them */
	bool apart;		/* none was shared before they were merged */
	bool unrelated;		/* the other process is another program */
};

FIXTURE_VARIANT_ADD(ksm_swapped, in_place) { };
FIXTURE_VARIANT_ADD(ksm_swapped, in_place_child_first) {
	.child_first = true
};

FIXTURE_VARIANT_ADD(ksm_swapped, moved) { .move = true };
FIXTURE_VARIANT_ADD(ksm_swapped, moved_child_first) {
	.move = true, .child_first = true
};

FIXTURE_VARIANT_ADD(ksm_swapped, one_moved) { .move_one = true };
FIXTURE_VARIANT_ADD(ksm_swapped, one_moved_child_first) {
	.move_one = true, .child_first = true
};

FIXTURE_VARIANT_ADD(ksm_swapped, apart) { .apart = true };
FIXTURE_VARIANT_ADD(ksm_swapped, apart_child_first) {
	.apart = true, .child_first = true
};

FIXTURE_VARIANT_ADD(ksm_swapped, unrelated) { .unrelated = true };
FIXTURE_VARIANT_ADD(ksm_swapped, unrelated_first) {
	.unrelated = true, .child_first = true
};

/* The pages of a child that only waits. */
static bool fill_same_of(pid_t child, struct area *a)
{
	char path[32], buf[PAGES * psize()];
	size_t size = sizeof(buf);
	bool done;
	int fd;

	memset(buf, SAME, size);
	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	fd = open(path, O_WRONLY);
	done = pwrite(fd, buf, size, (uintptr_t)area_at(a, 0)) == size;
	close(fd);
	return done;
}

#define OTHER		"ANON_SPACE_KSM_OTHER"
#define OTHER_AT	0x30000000ul	/* where nothing is mapped in either */

/* The other program is this one, and has equal pages until its parent ends. */
static void __attribute__((constructor)) be_other_program(void)
{
	void *at = (void *)OTHER_AT;

	if (!getenv(OTHER))
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	map_range(at, PAGES * psize());
	memset(at, SAME, PAGES * psize());
	if (madvise(at, PAGES * psize(), MADV_MERGEABLE))
		exit(KSFT_FAIL);
	close(STDIN_FILENO);
	for (;;)
		pause();
}

static pid_t start_other_program(void)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		close(ready[0]);
		dup2(ready[1], STDIN_FILENO);
		close(ready[1]);
		setenv(OTHER, "1", 1);
		execl("/proc/self/exe", "other", NULL);
		_exit(KSFT_FAIL);
	}
	close(ready[1]);
	/* It writes nothing: it is ready when it has closed the other end. */
	if (read(ready[0], &c, 1))
		return -1;
	close(ready[0]);
	return pid;
}

static bool merge_with_child(struct area *a, pid_t child)
{
	long waited = 0;

	while (pfn_of(0, area_at(a, 0)) != pfn_of(child, area_at(a, 0)))
		if (!scan() || !be_patient(&waited))
			return false;
	return true;
}

/* One page at six addresses of this process and of a child, with one entry. */
FIXTURE_SETUP(ksm_swapped)
{
	write_string(KSM "sleep_millisecs", "0");
	write_string(KSM "pages_to_scan", "1000");
	enter_cgroup();
	area_init(&self->a, FAULTED);
	if (variant->unrelated) {
		self->a.base = (char *)OTHER_AT;
		self->child = start_other_program();
		ASSERT_LT(0, self->child);
	}
	area_map(&self->a, 0, PAGES);
	ASSERT_EQ(0, madvise(area_at(&self->a, 0), area_size(&self->a, PAGES),
			     MADV_MERGEABLE));
	if (variant->apart) {
		self->child = fork_waiting();
		ASSERT_TRUE(fill_same_of(self->child, &self->a));
	}
	fill_same(&self->a, 0);
	ASSERT_TRUE(merge(&self->a, 0));
	if (!self->child)
		self->child = fork_waiting();
	ASSERT_TRUE(merge_with_child(&self->a, self->child));
	ASSERT_TRUE(cgroup_reclaim_pages(area_at(&self->a, 0), PAGES));
	if (variant->move) {
		self->at = 8;
		area_move(&self->a, 0, PAGES, 8);
	}
	if (variant->move_one)
		area_move(&self->a, PAGES - 1, 1, 8 + PAGES);
}

FIXTURE_TEARDOWN(ksm_swapped)
{
	write_string(KSM "run", "2");
	write_string(KSM "run", "0");
}

/* Not by memory of the child's own: this reads as the child would. */
static bool child_is_same(pid_t child, struct area *a)
{
	char path[32], buf[PAGES * psize()];
	size_t i, size = sizeof(buf);
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	fd = open(path, O_RDONLY);
	if (fd < 0 || pread(fd, buf, size, (uintptr_t)area_at(a, 0)) != size)
		return false;
	for (i = 0; i < size && buf[i] == SAME; i++)
		;
	return !close(fd) && i == size;
}

/* Each address has its contents, whoever comes first, and what it writes. */
TEST_F_TIMEOUT(ksm_swapped, read_back, TIMEOUT)
{
	const long copies = vmstat("anon_space_swpin_copy");
	int nr = PAGES - variant->move_one;

	if (variant->child_first)
		EXPECT_TRUE(child_is_same(self->child, &self->a));
	EXPECT_TRUE(is_same(&self->a, self->at, nr));
	if (variant->move_one)
		EXPECT_TRUE(is_same(&self->a, 8 + PAGES, 1));
	EXPECT_TRUE(child_is_same(self->child, &self->a));
	/* One page cannot be at six offsets. Stock has no such counter. */
	if (copies >= 0)
		EXPECT_GT(vmstat("anon_space_swpin_copy"), copies);
	EXPECT_TRUE(area_migrates(&self->a, self->at, nr));
	EXPECT_TRUE(is_same(&self->a, self->at, nr));
	fill_pages(area_at(&self->a, self->at), 1, 0x777);
	EXPECT_TRUE(is_same(&self->a, self->at + 1, nr - 1));
	EXPECT_TRUE(child_is_same(self->child, &self->a));
}

/* The same if the kernel brings them in, in one process after the other. */
TEST_F_TIMEOUT(ksm_swapped, swapoff, TIMEOUT)
{
	int nr = PAGES - variant->move_one;

	ASSERT_TRUE(swap_off_and_on());
	EXPECT_TRUE(is_same(&self->a, self->at, nr));
	if (variant->move_one)
		EXPECT_TRUE(is_same(&self->a, 8 + PAGES, 1));
	EXPECT_TRUE(child_is_same(self->child, &self->a));
	EXPECT_TRUE(area_migrates(&self->a, self->at, nr));
	EXPECT_TRUE(is_same(&self->a, self->at, nr));
	EXPECT_TRUE(child_is_same(self->child, &self->a));
}

/* ---- unmerging ---- */

#define MANY		4096	/* pages take a while to be unmerged */

/* Waits for its parent to say so, and does not outlive it. */
static bool may_go(int pipe[2])
{
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return read(pipe[0], &c, 1) == 1;
}

static bool let_go(int pipe[2])
{
	return write(pipe[1], "", 1) == 1;
}

/* A process with many equal pages, which comes after its parent. */
static pid_t have_many(int start[2])
{
	size_t size = MANY * psize();
	pid_t pid = fork();
	void *at;

	if (pid)
		return pid;
	if (!may_go(start))
		_exit(1);
	leave_cgroup();
	at = reserve(size);
	map_range(at, size);
	memset(at, SAME + 1, size);
	if (madvise(at, size, MADV_MERGEABLE))
		_exit(1);
	pause();
	_exit(0);
}

static pid_t unmerge_later(int start[2])
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (!may_go(start))
		_exit(1);
	write_string(KSM "run", "2");
	_exit(0);
}

FIXTURE(ksm_unmerge)
{
	struct area a;
	int many[2], unmerge[2];
	pid_t pid, pid_of_many;
};

/* Two times six pages are merged, and so are those of the other process. */
static bool merge_all(FIXTURE_DATA(ksm_unmerge) *self)
{
	int tries = 100;

	if (pipe(self->many) || pipe(self->unmerge))
		return false;
	self->pid_of_many = have_many(self->many);
	self->pid = unmerge_later(self->unmerge);
	fill_same(&self->a, 0);
	memset(area_at(&self->a, PAGES), SAME + 2, area_size(&self->a, PAGES));
	if (!let_go(self->many))
		return false;
	while (read_long(KSM "pages_sharing") < MANY / 2)
		if (!tries-- || !merge(&self->a, 0))
			return false;
	return are_one(&self->a, PAGES, PAGES);
}

/* Does the one who unmerges end well?  The other one ends in any case. */
static bool end_all(FIXTURE_DATA(ksm_unmerge) *self)
{
	int status, i;

	if (waitpid(self->pid, &status, 0) != self->pid || status)
		return false;
	kill(self->pid_of_many, SIGKILL);
	for (i = 0; i < 2; i++) {
		close(self->many[i]);
		close(self->unmerge[i]);
	}
	return waitpid(self->pid_of_many, &status, 0) == self->pid_of_many;
}

FIXTURE_SETUP(ksm_unmerge)
{
	write_string(KSM "sleep_millisecs", "0");
	write_string(KSM "pages_to_scan", "1000");
	area_init(&self->a, FAULTED);
	/* Of all pages only the first six are to be swapped. */
	enter_cgroup();
	area_map(&self->a, 0, 2 * PAGES);
	ASSERT_EQ(0, mlock(area_at(&self->a, PAGES), area_size(&self->a, PAGES)));
	ASSERT_EQ(0, madvise(area_at(&self->a, 0), area_size(&self->a, 2 * PAGES),
			     MADV_MERGEABLE));
}

FIXTURE_TEARDOWN(ksm_unmerge)
{
	write_string(KSM "run", "2");
	write_string(KSM "run", "0");
}

/*
 * All are unmerged, and it is the turn of others. A page that is in the swap cache only is
 * no KSM page for who reads it now, as nobody comes back to unmerge that. Who looks when
 * all are done, as this program had no processor in the meantime, begins again.
 */
TEST_F_TIMEOUT(ksm_unmerge, in_swap_cache, TIMEOUT)
{
	void *at = area_at(&self->a, 0);
	bool apart, in_time = false;
	int used, tries = 100;

	while (!in_time && tries--) {
		ASSERT_TRUE(merge_all(self));
		used = hold_frames(at, 1);
		ASSERT_TRUE(cgroup_reclaim_pages(at, PAGES));
		ASSERT_TRUE(let_go(self->unmerge));
		/* Those behind are unmerged next. */
		while (!are_many(&self->a, PAGES, PAGES))
			;
		EXPECT_TRUE(is_same(&self->a, 0, PAGES));
		apart = are_many(&self->a, 0, PAGES);
		in_time = read_long(KSM "pages_sharing") > MANY / 4;
		ASSERT_TRUE(end_all(self));
		close(used);
	}
	ASSERT_TRUE(in_time);
	EXPECT_TRUE(apart);
	EXPECT_TRUE(area_migrates(&self->a, 0, PAGES));
	EXPECT_TRUE(is_same(&self->a, 0, PAGES));
}

/* ---- merged by an ancestor who is dead, and not scanned since ---- */

#define GENERATIONS	12

static void leave(int signal)
{
	_exit(0);
}

/* Go on when so many generations, who all were alive at the same time, are dead. */
static void go_on_in_last_generation(void)
{
	pid_t ancestors[GENERATIONS];
	int i;

	signal(SIGUSR1, leave);
	for (i = 0; i < GENERATIONS; i++) {
		ancestors[i] = getpid();
		switch (fork()) {
		case -1:
			err(KSFT_FAIL, "fork");
		case 0:
			continue;
		}
		for (;;)
			pause();
	}
	for (i = 0; i < GENERATIONS; i++)
		kill(ancestors[i], SIGUSR1);
	for (i = 0; i < GENERATIONS; i++)
		while (!kill(ancestors[i], 0))
			usleep(1000);
}

FIXTURE(ksm_of_dead)
{
	struct area a;
};

FIXTURE_SETUP(ksm_of_dead)
{
	wait_for_earlier_tests();
	enter_cgroup();
	write_string(KSM "sleep_millisecs", "0");
	write_string(KSM "pages_to_scan", "1000");
	go_on_in_child();
	area_init(&self->a, FAULTED);
	area_map(&self->a, 0, PAGES);
	ASSERT_EQ(0, madvise(area_at(&self->a, 0), area_size(&self->a, PAGES),
			     MADV_MERGEABLE));
	fill_same(&self->a, 0);
	ASSERT_TRUE(merge(&self->a, 0));
	write_string(KSM "run", "0");
	go_on_in_last_generation();
	EXPECT_TRUE(area_migrates(&self->a, 0, PAGES));
}

FIXTURE_TEARDOWN(ksm_of_dead)
{
	EXPECT_TRUE(area_migrates(&self->a, 0, PAGES));
	EXPECT_TRUE(is_same(&self->a, 0, PAGES));
	write_string(KSM "run", "2");
	write_string(KSM "run", "0");
}

/* Who has many ancestors, all dead, forgets them when he forks; not these pages. */
TEST_F_TIMEOUT(ksm_of_dead, present, TIMEOUT)
{
	fork_waiting();
	EXPECT_TRUE(are_one(&self->a, 0, PAGES));
}

/* Nor if they are in the swap cache just then, and come back as what they were. */
TEST_F_TIMEOUT(ksm_of_dead, in_swap_cache, TIMEOUT)
{
	int used = hold_frames(area_at(&self->a, 0), 1);
	pid_t pid;

	ASSERT_TRUE(cgroup_reclaim_pages(area_at(&self->a, 0), PAGES));
	pid = fork();
	if (!pid)
		_exit(0);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_TRUE(is_same(&self->a, 0, PAGES));
	EXPECT_TRUE(are_one(&self->a, 0, PAGES));
	close(used);
}

/* ---- memory failure ---- */

static void write_hex(const char *path, unsigned long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%#lx", value);
	write_string(path, text);
}

static volatile sig_atomic_t signals;

static void count_signal(int signal, siginfo_t *info, void *context)
{
	signals++;
}

static void count_sigbus(void)
{
	struct sigaction action = {
		.sa_sigaction = count_signal, .sa_flags = SA_SIGINFO,
	};

	signals = 0;
	sigaction(SIGBUS, &action, NULL);
}

/* Asks for early SIGBUS, but has other memory where its parent has the page. */
static bool has_other_memory(struct area *a, int ready, int go)
{
	char c;

	count_sigbus();
	prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
	munmap(area_at(a, 0), area_size(a, PAGES));
	map_filled(area_at(a, 0), PAGES, 0x777);
	close(ready);
	return !read(go, &c, 1) && !signals &&
	       pages_have(area_at(a, 0), PAGES, 0x777);
}

TEST_F_TIMEOUT(ksm, failure_spares_other_memory, TIMEOUT)
{
	int ready[2], go[2], status;
	unsigned long pfn;
	pid_t pid;
	char c;

	if (access(UNPOISON, W_OK))
		SKIP(return, "no memory failure");
	ASSERT_TRUE(merge(&self->a, 0));
	pfn = pfn_of(0, area_at(&self->a, 0));
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(ready[0]);
		close(go[1]);
		_exit(!has_other_memory(&self->a, ready[1], go[0]));
	}
	close(ready[1]);
	close(go[0]);
	ASSERT_EQ(0, read(ready[0], &c, 1));
	count_sigbus();
	ASSERT_EQ(0, madvise(area_at(&self->a, 2), psize(), MADV_HWPOISON));
	EXPECT_LT(0, signals);
	close(go[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	munmap(area_at(&self->a, 0), area_size(&self->a, PAGES));
	if (!variant->fork)
		write_hex(UNPOISON, pfn);
}

TEST_HARNESS_MAIN
