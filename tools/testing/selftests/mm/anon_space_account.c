// SPDX-License-Identifier: GPL-2.0
/*
 * What mremap() moves is accounted as it was before, to the process and to its memory
 * cgroup, and has the attributes that it had.
 */
#define _GNU_SOURCE
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#define UNITS		6
#define STAT_PAGES	32	/* that memory.stat may be wrong */

static const char *const fields[] = {
	"VmPeak:", "VmSize:", "VmLck:", "VmPin:", "VmData:", "VmStk:", "VmSwap:",
	"RssAnon:",
};

struct accounts {
	long kb[ARRAY_SIZE(fields)];
	long anon;	/* of the memory cgroup, in bytes */
	long swap;
};

static void read_accounts(struct accounts *a)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		a->kb[i] = status_kb(fields[i]);
	a->anon = cgroup_stat("anon");
	a->swap = cgroup_read("memory.swap.current");
}

/* After this the program maps nothing more for itself. */
static void read_first_accounts(struct accounts *a)
{
	mremap(NULL, 0, 0, 0);
	mprotect(NULL, 0, 0);
	munmap(NULL, 0);
	read_accounts(a);
	read_accounts(a);
}

FIXTURE(account)
{
	struct area a;
	struct accounts before;
};

FIXTURE_VARIANT(account)
{
	enum area_state state;
};

FIXTURE_VARIANT_ADD(account, unfaulted) { .state = UNFAULTED };
FIXTURE_VARIANT_ADD(account, faulted) { .state = FAULTED };
FIXTURE_VARIANT_ADD(account, forked_child) { .state = FORKED_CHILD };
FIXTURE_VARIANT_ADD(account, forked_parent) { .state = FORKED_PARENT };
FIXTURE_VARIANT_ADD(account, written) { .state = WRITTEN };
FIXTURE_VARIANT_ADD(account, swapped) { .state = SWAPPED };
FIXTURE_VARIANT_ADD(account, moved_shared) { .state = MOVED_SHARED };
FIXTURE_VARIANT_ADD(account, huge) { .state = HUGE };
FIXTURE_VARIANT_ADD(account, huge_forked) { .state = HUGE_FORKED };

FIXTURE_SETUP(account)
{
	enter_cgroup();
	area_init(&self->a, variant->state);
	area_fill(&self->a, 0, UNITS);
	area_ready(&self->a);
	/* What is reserved is accounted, too. */
	ASSERT_EQ(0, munmap(area_at(&self->a, UNITS),
			    area_size(&self->a, AREA_UNITS - UNITS)));
	read_first_accounts(&self->before);
}

FIXTURE_TEARDOWN(account)
{
}

static void check_accounts(struct __test_metadata *_metadata,
			   const struct accounts *before)
{
	struct accounts now;
	size_t i;

	read_accounts(&now);
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		EXPECT_EQ(before->kb[i], now.kb[i])
			TH_LOG("%s", fields[i]);
	}
	/* A few pages may be counted late. */
	EXPECT_GT(STAT_PAGES * psize(), labs(before->anon - now.anon));
	EXPECT_EQ(before->swap, now.swap);
}

TEST_F_TIMEOUT(account, whole, TIMEOUT)
{
	area_move(&self->a, 0, UNITS, 8);
	check_accounts(_metadata, &self->before);
	EXPECT_STREQ("........aaaaaa", area_draw(&self->a));
	EXPECT_TRUE(area_has(&self->a, 8, UNITS, 0));
	EXPECT_TRUE(area_migrates(&self->a, 8, UNITS));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

TEST_F_TIMEOUT(account, whole_on_and_on, TIMEOUT)
{
	static const int hops[] = { 8, 1, 9, 2, 10, 0 };
	int at = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hops); i++) {
		area_move(&self->a, at, UNITS, hops[i]);
		at = hops[i];
		check_accounts(_metadata, &self->before);
	}
	EXPECT_TRUE(area_has(&self->a, 0, UNITS, 0));
}

/* Its start, its middle, its end, and then the rest, next to each other. */
TEST_F_TIMEOUT(account, parts, TIMEOUT)
{
	area_move(&self->a, 0, 1, 8);
	check_accounts(_metadata, &self->before);
	area_move(&self->a, 2, 2, 10);
	check_accounts(_metadata, &self->before);
	area_move(&self->a, 5, 1, 13);
	check_accounts(_metadata, &self->before);
	area_move(&self->a, 1, 1, 9);
	area_move(&self->a, 4, 1, 12);
	check_accounts(_metadata, &self->before);
	EXPECT_TRUE(area_has(&self->a, 8, UNITS, 0));
	EXPECT_TRUE(area_migrates(&self->a, 8, UNITS));
	EXPECT_TRUE(area_relative_has_all(&self->a));
}

/* What was there is unmapped, and it was accounted as well. */
TEST_F_TIMEOUT(account, onto_others, TIMEOUT)
{
	area_map(&self->a, 8, UNITS);
	area_move(&self->a, 0, UNITS, 8);
	self->before.kb[0] = status_kb("VmPeak:");
	check_accounts(_metadata, &self->before);
	EXPECT_TRUE(area_has(&self->a, 8, UNITS, 0));
}

TEST_F_TIMEOUT(account, and_unmapped, TIMEOUT)
{
	long size = area_size(&self->a, UNITS) / 1024;

	area_move(&self->a, 0, UNITS, 8);
	ASSERT_EQ(0, munmap(area_at(&self->a, 8), area_size(&self->a, UNITS)));
	EXPECT_EQ(self->before.kb[1] - size, status_kb("VmSize:"));
	EXPECT_EQ(self->before.kb[4] - size, status_kb("VmData:"));
	if (!self->a.relative)
		EXPECT_EQ(0, status_kb("VmSwap:"));
}

/* It moves and is larger at once. */
TEST_F_TIMEOUT(account, and_grown, TIMEOUT)
{
	size_t size = area_size(&self->a, UNITS);
	long more = area_size(&self->a, 2) / 1024;

	ASSERT_EQ(area_at(&self->a, 8),
		  mremap(area_at(&self->a, 0), size, size + 1024 * more,
			 MREMAP_MAYMOVE | MREMAP_FIXED, area_at(&self->a, 8)));
	EXPECT_EQ(self->before.kb[1] + more, status_kb("VmSize:"));
	EXPECT_EQ(self->before.kb[4] + more, status_kb("VmData:"));
	EXPECT_TRUE(area_has(&self->a, 8, UNITS, 0));
}

/* ---- attributes ---- */

enum attribute { NAME, POLICY, LOCKED, MERGEABLE, WIPED, NO_ACCESS, HUGE_ADVICE };

#define PAGES	64

FIXTURE(attribute)
{
	char *from, *to;
	char said[1024];
	struct accounts before;
};

FIXTURE_VARIANT(attribute)
{
	enum attribute what;
};

FIXTURE_VARIANT_ADD(attribute, name) { NAME };
FIXTURE_VARIANT_ADD(attribute, policy) { POLICY };
FIXTURE_VARIANT_ADD(attribute, locked) { LOCKED };
FIXTURE_VARIANT_ADD(attribute, mergeable) { MERGEABLE };
FIXTURE_VARIANT_ADD(attribute, wiped) { WIPED };
FIXTURE_VARIANT_ADD(attribute, no_access) { NO_ACCESS };
FIXTURE_VARIANT_ADD(attribute, huge_advice) { HUGE_ADVICE };

static int set_attribute(enum attribute what, void *addr, size_t size)
{
	unsigned long nodes = 1;

	switch (what) {
	case NAME:
		return prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, addr, size, "a b");
	case POLICY:
		return syscall(SYS_mbind, addr, size, MPOL_PREFERRED, &nodes,
			       8 * sizeof(nodes), 0);
	case LOCKED:
		return mlock(addr, size);
	case MERGEABLE:
		return madvise(addr, size, MADV_MERGEABLE);
	case WIPED:
		return madvise(addr, size, MADV_WIPEONFORK);
	case NO_ACCESS:
		return mprotect(addr, size, PROT_NONE);
	case HUGE_ADVICE:
		return madvise(addr, size, MADV_HUGEPAGE);
	}
	return -1;
}

/* What smaps says of it that does not depend on where it is. */
static void describe(void *addr, char *text, size_t size)
{
	static const char *const said[] = {
		"Size:", "Rss:", "Anonymous:", "Swap:", "Locked:", "VmFlags:",
	};
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512], start[32];
	bool here = false;
	size_t i;

	snprintf(start, sizeof(start), "%lx-", (unsigned long)addr);
	text[0] = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		if (strchr("0123456789abcdef", line[0])) {
			here = !strncmp(line, start, strlen(start));
			if (here)
				snprintf(text, size, "%s", strchr(line, ' ') + 1);
			continue;
		}
		for (i = 0; here && i < ARRAY_SIZE(said); i++)
			if (!strncmp(line, said[i], strlen(said[i])))
				strncat(text, line, size - strlen(text) - 1);
	}
	if (f)
		fclose(f);
}

FIXTURE_SETUP(attribute)
{
	size_t size = PAGES * psize();

	if (variant->what == HUGE_ADVICE && !read_pmd_pagesize())
		SKIP(return, "no transparent huge pages");
	enter_cgroup();
	self->from = reserve(size);
	self->to = reserve(size);
	map_filled(self->from, PAGES, 1);
	ASSERT_EQ(0, set_attribute(variant->what, self->from, size));
	/* What is reserved is accounted, too. */
	ASSERT_EQ(0, munmap(self->to, size));
	describe(self->from, self->said, sizeof(self->said));
	EXPECT_NE(0, strlen(self->said));
	read_first_accounts(&self->before);
}

FIXTURE_TEARDOWN(attribute)
{
}

static void check_contents(struct __test_metadata *_metadata, char *addr, size_t nr,
			   unsigned long first)
{
	ASSERT_EQ(0, mprotect(addr, nr * psize(), PROT_READ | PROT_WRITE));
	EXPECT_TRUE(pages_have(addr, nr, first));
	EXPECT_TRUE(pages_migrate(addr, nr));
	EXPECT_TRUE(pages_have(addr, nr, first));
}

TEST_F_TIMEOUT(attribute, whole, TIMEOUT)
{
	char after[sizeof(self->said)];

	ASSERT_TRUE(move_to(self->from, PAGES * psize(), self->to));
	describe(self->to, after, sizeof(after));
	EXPECT_STREQ(self->said, after);
	describe(self->from, after, sizeof(after));
	EXPECT_EQ(0, strlen(after));
	check_accounts(_metadata, &self->before);
	check_contents(_metadata, self->to, PAGES, 1);
}

TEST_F_TIMEOUT(attribute, in_two_parts, TIMEOUT)
{
	size_t half = PAGES / 2 * psize();
	char after[sizeof(self->said)];

	ASSERT_TRUE(move_to(self->from + half, half, self->to + half));
	describe(self->from, after, sizeof(after));
	EXPECT_STRNE(self->said, after);
	ASSERT_TRUE(move_to(self->from, half, self->to));
	describe(self->to, after, sizeof(after));
	EXPECT_STREQ(self->said, after);
	check_accounts(_metadata, &self->before);
	check_contents(_metadata, self->to, PAGES, 1);
}

TEST_HARNESS_MAIN
