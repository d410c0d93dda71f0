// SPDX-License-Identifier: GPL-2.0
/*
 * A move that fails half-way, because there is no memory for page tables, is
 * undone: all pages are where they were, are found there, and can move later.
 *
 * Memory fails at the limit of a memory cgroup, which page tables count against,
 * or by fault injection, where the kernel has that.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#define FIRST	0x1000000ul

/* Most of what is moved is sparse: a few pages of each page table. */
struct memory {
	char *at, *to;
	size_t size, table;
	int tables, filled;	/* page tables; the first ones are full */
	pid_t child;
};

struct kind {
	bool shared;	/* with a child */
	bool swap;	/* the pages of every second table */
	bool huge;	/* the full ones */
	bool moved;	/* once before, by whole tables */
};

#define SPARSE	3	/* pages in a table: at its beginning and its end */

static char *sparse_page(struct memory *m, char *at, int table, int nr)
{
	at += table * m->table;
	return nr ? at + m->table - nr * psize() : at;
}

static unsigned long sparse_contents(struct memory *m, int table, int nr)
{
	return FIRST + (table + m->filled) * 512ul + nr;
}

static void fill(struct memory *m, const struct kind *kind)
{
	size_t full = m->filled * m->table;
	int table, nr;

	map_range(m->at, m->size);
	fill_pages(m->at, full / psize(), FIRST);
	if (kind->huge && !make_huge(m->at, full))
		exit(KSFT_FAIL);
	for (table = m->filled; table < m->tables; table++)
		for (nr = 0; nr < SPARSE; nr++)
			fill_pages(sparse_page(m, m->at, table, nr), 1,
				   sparse_contents(m, table, nr));
}

static void swap_out(struct memory *m)
{
	int table;

	for (table = 1; table < m->tables; table += 2)
		if (madvise(m->at + table * m->table, m->table, MADV_PAGEOUT))
			exit(KSFT_FAIL);
	if (!page_out(m->at + m->table, psize()))
		exit(KSFT_FAIL);
}

/* Not to a boundary of page tables, so entries move one by one. */
static void prepare(struct memory *m, const struct kind *kind)
{
	char *room;

	m->table = table_size();
	m->size = m->tables * m->table;
	room = reserve(6 * m->size);
	m->at = room;
	fill(m, kind);
	if (kind->swap)
		swap_out(m);
	if (kind->moved) {
		m->at += 2 * m->size;
		if (!move_to(room, m->size, m->at))
			exit(KSFT_FAIL);
	}
	if (kind->shared)
		m->child = fork_waiting();
	m->to = room + 4 * m->size + 7 * psize();
}

static bool has_all_at(struct memory *m, pid_t pid, char *at)
{
	int table, nr;

	if (!pages_of_have(pid, at, m->filled * m->table / psize(), FIRST))
		return false;
	for (table = m->filled; table < m->tables; table++)
		for (nr = 0; nr < SPARSE; nr++)
			if (!pages_of_have(pid, sparse_page(m, at, table, nr),
					   1, sparse_contents(m, table, nr)))
				return false;
	return true;
}

static bool has_all(void *arg)
{
	struct memory *m = arg;

	return has_all_at(m, 0, m->at);
}

static bool migrates(struct memory *m)
{
	int table;

	if (!pages_migrate(m->at, 4) ||
	    !pages_migrate(m->at + m->filled * m->table - 2 * psize(), 3))
		return false;
	for (table = m->filled; table < m->tables; table += 7)
		if (!pages_migrate(sparse_page(m, m->at, table, 1), 1))
			return false;
	return true;
}

/* Each process has all contents, and the kernel finds the pages. */
static bool is_whole(struct memory *m, char *child_at)
{
	return has_all(m) && migrates(m) && has_all(m) &&
	       child_says(has_all, m) &&
	       (!m->child || has_all_at(m, m->child, child_at));
}

/* ---- at the limit of a memory cgroup ---- */

#define MANY_TABLES	400
#define FULL_TABLES	4

FIXTURE(goback)
{
	struct memory m;
};

FIXTURE_VARIANT(goback)
{
	struct kind kind;
};

FIXTURE_VARIANT_ADD(goback, private) { };
FIXTURE_VARIANT_ADD(goback, private_moved) { .kind = { .moved = true } };
FIXTURE_VARIANT_ADD(goback, shared) { .kind = { .shared = true } };
FIXTURE_VARIANT_ADD(goback, shared_moved) {
	.kind = { .shared = true, .moved = true }
};

FIXTURE_VARIANT_ADD(goback, swapped) { .kind = { .swap = true } };
FIXTURE_VARIANT_ADD(goback, swapped_shared) {
	.kind = { .swap = true, .shared = true }
};

FIXTURE_VARIANT_ADD(goback, swapped_shared_moved) {
	.kind = { .swap = true, .shared = true, .moved = true }
};

FIXTURE_VARIANT_ADD(goback, huge) { .kind = { .huge = true } };
FIXTURE_VARIANT_ADD(goback, huge_moved) {
	.kind = { .huge = true, .moved = true }
};

FIXTURE_VARIANT_ADD(goback, huge_shared) {
	.kind = { .huge = true, .shared = true }
};

FIXTURE_VARIANT_ADD(goback, huge_shared_moved) {
	.kind = { .huge = true, .shared = true, .moved = true }
};

/* Nobody may be killed, so allocations fail. */
FIXTURE_SETUP(goback)
{
	/* As each CPU may be charged for 64 pages in advance, it takes many tables. */
	if (sizeof(long) < 8)
		SKIP(return, "the address space is too small");
	enter_cgroup();
	write_long("/proc/self/oom_score_adj", -1000);
	self->m.tables = MANY_TABLES;
	self->m.filled = FULL_TABLES;
	prepare(&self->m, &variant->kind);
}

FIXTURE_TEARDOWN(goback)
{
}

/* With memory for fewer page tables than needed; nothing is lost. */
TEST_F_TIMEOUT(goback, page_tables, TIMEOUT)
{
	struct memory *m = &self->m;
	char *start = m->at;
	int spare;

	for (spare = 0; spare < MANY_TABLES / 4; spare += 33) {
		cgroup_allow(spare * psize());
		EXPECT_FALSE(move_to(m->at, m->size, m->to));
		EXPECT_EQ(ENOMEM, errno);
		cgroup_allow_all();
		EXPECT_EQ(1, count_vmas(m->at, m->size));
		EXPECT_EQ(0, count_vmas(m->to, m->size));
	}
	EXPECT_TRUE(is_whole(m, start));
	ASSERT_TRUE(move_to(m->at, m->size, m->to));
	m->at = m->to;
	EXPECT_TRUE(is_whole(m, start));
}

/* After the undo it is discarded, is paged out, and moves by whole tables. */
TEST_F_TIMEOUT(goback, and_move_by_tables, TIMEOUT)
{
	struct memory *m = &self->m;
	char *start = m->at, *to = m->to - 7 * psize();

	cgroup_allow(60 * psize());
	EXPECT_FALSE(move_to(m->at, m->size, m->to));
	cgroup_allow_all();
	ASSERT_EQ(0, madvise(m->at + psize(), psize(), MADV_DONTNEED));
	fill_pages(m->at + psize(), 1, FIRST + 1);
	try_page_out(m->at, 8 * psize());
	ASSERT_TRUE(move_to(m->at, m->size, to));
	m->at = to;
	EXPECT_TRUE(is_whole(m, start));
}

/* Neither more nor less is accounted than before, and it is given back at the end. */
TEST_F_TIMEOUT(goback, is_accounted, TIMEOUT)
{
	const long before = meminfo_kb("Committed_AS:");
	struct memory *m = &self->m;
	long now;

	cgroup_allow(0);
	EXPECT_FALSE(move_to(m->at, m->size, m->to));
	EXPECT_EQ(MAP_FAILED, mremap(m->at, m->size, m->size + m->table,
				     MREMAP_MAYMOVE | MREMAP_FIXED, m->to));
	EXPECT_EQ(ENOMEM, errno);
	cgroup_allow_all();
	now = meminfo_kb("Committed_AS:");
	EXPECT_GT((long)m->table / 1024, labs(now - before));
	ASSERT_EQ(0, munmap(m->at, m->size));
	now -= meminfo_kb("Committed_AS:");
	EXPECT_GT((long)m->table / 1024, labs(now - (long)m->size / 1024));
}

/* ---- by fault injection: each allocation in turn ---- */

#define FAIL_NTH	"/proc/self/fail-nth"
#define DEBUGFS		"/sys/kernel/debug/"
#define MOST		200	/* allocations of a move */

FIXTURE(inject)
{
	struct memory m;
	int fd;
};

FIXTURE_VARIANT(inject)
{
	struct kind kind;
};

FIXTURE_VARIANT_ADD(inject, private) { };
FIXTURE_VARIANT_ADD(inject, private_moved) { .kind = { .moved = true } };
FIXTURE_VARIANT_ADD(inject, shared) { .kind = { .shared = true } };
FIXTURE_VARIANT_ADD(inject, shared_moved) {
	.kind = { .shared = true, .moved = true }
};

FIXTURE_VARIANT_ADD(inject, swapped) { .kind = { .swap = true } };
FIXTURE_VARIANT_ADD(inject, swapped_shared) {
	.kind = { .swap = true, .shared = true }
};

FIXTURE_VARIANT_ADD(inject, huge) { .kind = { .huge = true } };
FIXTURE_VARIANT_ADD(inject, huge_shared) {
	.kind = { .huge = true, .shared = true }
};

FIXTURE_VARIANT_ADD(inject, huge_shared_moved) {
	.kind = { .huge = true, .shared = true, .moved = true }
};

static int open_fail_nth(void)
{
	int fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);

	if (fd < 0 || access(DEBUGFS "failslab", F_OK) ||
	    access(DEBUGFS "fail_page_alloc", F_OK))
		return -1;
	write_string(DEBUGFS "failslab/ignore-gfp-wait", "N");
	write_string(DEBUGFS "failslab/verbose", "0");
	write_string(DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N");
	write_string(DEBUGFS "fail_page_alloc/min-order", "0");
	write_string(DEBUGFS "fail_page_alloc/verbose", "0");
	return fd;
}

FIXTURE_SETUP(inject)
{
	self->fd = open_fail_nth();
	if (self->fd < 0)
		SKIP(return, "no fault injection");
	self->m.tables = 6;
	self->m.filled = 2;
	prepare(&self->m, &variant->kind);
}

FIXTURE_TEARDOWN(inject)
{
}

static void fail_begin(int fd, int nth)
{
	char value[16];

	snprintf(value, sizeof(value), "%d", nth);
	if (pwrite(fd, value, strlen(value), 0) < 0)
		exit(KSFT_FAIL);
}

/* Has an allocation failed, that is, were there as many? */
static bool fail_end(int fd)
{
	char value[16];
	int error = errno;

	if (pread(fd, value, sizeof(value), 0) < 0 ||
	    pwrite(fd, "0", 1, 0) < 0)
		exit(KSFT_FAIL);
	errno = error;
	return atoi(value) == 0;
}

/* Does the @nth allocation fail? */
static bool move_fails(int fd, struct memory *m, char *to, int nth)
{
	fail_begin(fd, nth);
	if (move_to(m->at, m->size, to))
		m->at = to;
	return fail_end(fd);
}

static void goes_back(struct __test_metadata *_metadata, int fd,
		      struct memory *m, char *to)
{
	char *start = m->at;
	int nth, failed = 0;

	for (nth = 1; nth < MOST && move_fails(fd, m, to, nth); nth++) {
		if (m->at == start) {
			EXPECT_EQ(ENOMEM, errno);
			failed++;
		}
		ASSERT_EQ(1, count_vmas(m->at, m->size));
		ASSERT_TRUE(has_all(m));
		/* Some allocations are not needed. Then begin again where it was. */
		if (m->at != start) {
			ASSERT_TRUE(move_to(m->at, m->size, start));
			m->at = start;
		}
		if (nth % 5 == 1)
			ASSERT_TRUE(is_whole(m, start));
	}
	EXPECT_GT(MOST, nth);
	EXPECT_LT(0, failed);
	EXPECT_EQ(to, m->at);
	EXPECT_TRUE(is_whole(m, start));
}

TEST_F_TIMEOUT(inject, entries, TIMEOUT)
{
	goes_back(_metadata, self->fd, &self->m, self->m.to);
}

/* Whole tables but for the first and the last. */
TEST_F_TIMEOUT(inject, tables, TIMEOUT)
{
	struct memory *m = &self->m;
	char *to = m->to - 7 * psize();

	/* Without the first pages, so that two tables are not whole. */
	ASSERT_EQ(0, munmap(m->at + m->size - psize(), psize()));
	m->tables--;
	m->size -= psize();
	goes_back(_metadata, self->fd, m, to);
}

FIXTURE(inject_file)
{
	int fd, file;
	size_t size;
};

/* Mapped, but never touched, so that there is little to allocate. */
FIXTURE_SETUP(inject_file)
{
	self->fd = open_fail_nth();
	if (self->fd < 0)
		SKIP(return, "no fault injection");
	self->size = 64ul << 20;
	self->file = memfd_create("anon_space", MFD_CLOEXEC);
	ASSERT_EQ(0, ftruncate(self->file, self->size));
}

FIXTURE_TEARDOWN(inject_file)
{
}

/* What has moved, but cannot be unmapped where it was, stays accounted there. */
TEST_F_TIMEOUT(inject_file, source_is_accounted, TIMEOUT)
{
	const long before = meminfo_kb("Committed_AS:");
	const size_t size = self->size;
	char *to = reserve(size), *at;
	bool failed = true;
	int nth;

	for (nth = 1; nth < MOST && failed; nth++) {
		at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE,
			  self->file, 0);
		ASSERT_NE(MAP_FAILED, at);
		fail_begin(self->fd, nth);
		move_to(at + size / 4, size / 2, to);
		failed = fail_end(self->fd);
		ASSERT_EQ(0, munmap(at, size));
		ASSERT_EQ(to, mmap(to, size, PROT_NONE, MAP_PRIVATE |
				   MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
				   -1, 0));
	}
	EXPECT_FALSE(failed);
	EXPECT_LT(4, nth);
	EXPECT_GT((long)size / 1024 / 4,
		  labs(meminfo_kb("Committed_AS:") - before));
}

TEST_HARNESS_MAIN
