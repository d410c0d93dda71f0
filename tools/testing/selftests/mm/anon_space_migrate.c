// SPDX-License-Identifier: GPL-2.0
/*
 * Migration of moved and shared pages, as seen from outside: all processes that
 * have a page have it on the new node, and it is still one page.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/kernel-page-flags.h>
#include <linux/mempolicy.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#define FRAGMENTS	16	/* times 32 MiB */

FIXTURE(migrate)
{
	struct area a;
	int at;		/* where the six units are in this process */
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define DATA	FIXTURE_DATA(migrate)

FIXTURE_VARIANT(migrate)
{
	enum area_state state;
	bool move;	/* after they were shared */
};

FIXTURE_VARIANT_ADD(migrate, private) { .state = FAULTED };
FIXTURE_VARIANT_ADD(migrate, private_moved) { .state = FAULTED, .move = true };
FIXTURE_VARIANT_ADD(migrate, child) { .state = FORKED_CHILD };
FIXTURE_VARIANT_ADD(migrate, child_moved) {
	.state = FORKED_CHILD, .move = true
};

FIXTURE_VARIANT_ADD(migrate, parent) { .state = FORKED_PARENT };
FIXTURE_VARIANT_ADD(migrate, parent_moved) {
	.state = FORKED_PARENT, .move = true
};

FIXTURE_VARIANT_ADD(migrate, moved_before) { .state = MOVED_SHARED };
FIXTURE_VARIANT_ADD(migrate, moved_before_and_after) {
	.state = MOVED_SHARED, .move = true
};

FIXTURE_VARIANT_ADD(migrate, huge) { .state = HUGE_FORKED };
FIXTURE_VARIANT_ADD(migrate, huge_moved) { .state = HUGE_FORKED, .move = true };

FIXTURE_SETUP(migrate)
{
	if (access("/sys/devices/system/node/node1", F_OK))
		SKIP(return, "needs two NUMA nodes");
	area_init(&self->a, variant->state);
	area_fill(&self->a, 0, 6);
	area_ready(&self->a);
	if (variant->move) {
		self->at = 8;
		area_move(&self->a, 0, 6, self->at);
	}
}

FIXTURE_TEARDOWN(migrate)
{
}

static void *unit_at(DATA *self, int unit)
{
	return area_at(&self->a, self->at + unit);
}

/* This process and its relative, if any, have the same pages. */
static bool are_shared(DATA *self)
{
	struct area *a = &self->a;
	int unit;

	for (unit = 0; a->relative && unit < 6; unit++)
		if (pfn_of(0, unit_at(self, unit)) !=
		    pfn_of(a->relative, a->relative_at[unit]))
			return false;
	return true;
}

static bool all_are_on(DATA *self, int node)
{
	int unit;

	for (unit = 0; unit < 6; unit++)
		if (node_of(unit_at(self, unit)) != node)
			return false;
	return true;
}

static bool move_pages_to(DATA *self, int node)
{
	int status[6], nodes[6], unit;
	void *pages[6];
	long waited = 0;

	for (unit = 0; unit < 6; unit++) {
		pages[unit] = unit_at(self, unit);
		nodes[unit] = node;
	}
	do {
		if (!syscall(__NR_move_pages, 0, 6ul, pages, nodes, status,
			     MPOL_MF_MOVE_ALL) && all_are_on(self, node))
			return true;
	} while (be_patient(&waited));
	return false;
}

TEST_F_TIMEOUT(migrate, stays_one_page, TIMEOUT)
{
	int i;

	for (i = 0; i < 4; i++) {
		EXPECT_TRUE(move_pages_to(self, i % 2));
		EXPECT_TRUE(are_shared(self));
	}
	EXPECT_TRUE(area_has(&self->a, self->at, 6, 0));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

TEST_F_TIMEOUT(migrate, page_flags, TIMEOUT)
{
	unsigned long pfn;
	uint64_t flags;

	ASSERT_TRUE(move_pages_to(self, 1));
	pfn = pfn_of(0, unit_at(self, 2));
	flags = page_flags(pfn);
	EXPECT_TRUE(flags & 1ull << KPF_ANON);
	EXPECT_TRUE(flags & 1ull << KPF_MMAP);
	EXPECT_EQ(self->a.relative ? 2 : 1, page_mapcount(pfn));
}

/* The number of pages on a node that numa_maps has for a VMA. */
static long numa_maps_pages(void *addr, int node)
{
	FILE *maps = fopen("/proc/self/numa_maps", "r");
	char line[512], start[32], field[8], *at;
	long pages = 0;

	snprintf(start, sizeof(start), "%lx ", (unsigned long)addr);
	snprintf(field, sizeof(field), " N%d=", node);
	while (maps && fgets(line, sizeof(line), maps)) {
		at = strstr(line, field);
		if (!strncmp(line, start, strlen(start)) && at)
			pages = atol(at + strlen(field));
	}
	if (maps)
		fclose(maps);
	return pages;
}

TEST_F_TIMEOUT(migrate, numa_maps, TIMEOUT)
{
	long pages = area_size(&self->a, 6) / psize();

	if (sizeof(long) < 8 && pages > 6)
		SKIP(return, "huge pages are split before they migrate");
	ASSERT_TRUE(move_pages_to(self, 1));
	EXPECT_EQ(pages, numa_maps_pages(unit_at(self, 0), 1));
	EXPECT_EQ(0, numa_maps_pages(unit_at(self, 0), 0));
	ASSERT_TRUE(move_pages_to(self, 0));
	EXPECT_EQ(pages, numa_maps_pages(unit_at(self, 0), 0));
}

/* The policy that a VMA gets takes its pages along. */
TEST_F_TIMEOUT(migrate, mbind, TIMEOUT)
{
	unsigned long node_1 = 2;
	long waited = 0;

	ASSERT_TRUE(move_pages_to(self, 0));
	while (!all_are_on(self, 1) && be_patient(&waited))
		ASSERT_EQ(0, syscall(__NR_mbind, unit_at(self, 0),
				     area_size(&self->a, 6), MPOL_BIND,
				     &node_1, 8ul, MPOL_MF_MOVE_ALL));
	EXPECT_TRUE(all_are_on(self, 1));
	EXPECT_TRUE(are_shared(self));
	EXPECT_TRUE(area_has(&self->a, self->at, 6, 0));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* All pages of the process, of which the relative has some. */
TEST_F_TIMEOUT(migrate, migrate_pages, TIMEOUT)
{
	unsigned long node_0 = 1, node_1 = 2;
	long waited = 0;

	ASSERT_TRUE(move_pages_to(self, 0));
	while (!all_are_on(self, 1) && be_patient(&waited))
		ASSERT_LE(0, syscall(__NR_migrate_pages, 0, 8ul, &node_0,
				     &node_1));
	EXPECT_TRUE(all_are_on(self, 1));
	EXPECT_TRUE(are_shared(self));
	EXPECT_TRUE(area_has(&self->a, self->at, 6, 0));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

static unsigned long pages_migrated(void)
{
	FILE *vmstat = fopen("/proc/vmstat", "re");
	unsigned long nr = 0;
	char line[128];

	while (vmstat && fgets(line, sizeof(line), vmstat))
		if (sscanf(line, "pgmigrate_success %lu", &nr) == 1)
			break;
	if (vmstat)
		fclose(vmstat);
	return nr;
}

/* Memory with a hole behind each page, so that there is something to compact. */
static void fragment(void)
{
	const size_t size = 64 << 20;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (at == MAP_FAILED)
		_exit(KSFT_FAIL);
	madvise(at, size, MADV_NOHUGEPAGE);
	memset(at, 1, size);
	for (i = 0; i < size; i += 2 * psize())
		madvise(at + i, psize(), MADV_DONTNEED);
}

TEST_F_TIMEOUT(migrate, compaction, TIMEOUT)
{
	unsigned long before = pages_migrated();
	int tries;

	/* What is to be moved must not be where the rest is to go. */
	for (tries = 0; tries < FRAGMENTS && pages_migrated() == before; tries++) {
		fragment();
		write_string("/proc/sys/vm/compact_memory", "1");
	}
	EXPECT_GT(pages_migrated(), before);
	EXPECT_TRUE(are_shared(self));
	EXPECT_TRUE(area_has(&self->a, self->at, 6, 0));
	EXPECT_TRUE(area_relative_has_all(&self->a));
	EXPECT_TRUE(move_pages_to(self, 1));
}

/* While the pages migrate back and forth, a child is forked, moves and reads. */
static bool moves_and_reads(void *arg)
{
	DATA *self = arg;
	int to = self->at == 8 ? 0 : 8;

	area_move(&self->a, self->at, 6, to);
	return area_has(&self->a, to, 6, 0);
}

TEST_F_TIMEOUT(migrate, while_forking, TIMEOUT)
{
	pid_t parent = getpid(), pid = fork();
	int i, status;

	if (!pid) {
		for (i = 0; getppid() == parent; i++)
			move_pages_to(self, i % 2);
		_exit(0);
	}
	for (i = 0; i < 30; i++)
		EXPECT_TRUE(child_says(moves_and_reads, self));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(area_has(&self->a, self->at, 6, 0));
	EXPECT_TRUE(area_relative_has_all(&self->a));
	EXPECT_TRUE(move_pages_to(self, 1));
	EXPECT_TRUE(are_shared(self));
}

TEST_HARNESS_MAIN
