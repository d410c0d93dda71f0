// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel tells of anonymous memory: trace events, counters in
 * /proc/vmstat, and /proc/PID/anon_space.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#define TRACING		"/sys/kernel/tracing/"
#define EVENTS		TRACING "events/anon_space/"
#define FIRST		0x2000000ul

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

static bool is_enabled(const char *path)
{
	char value = '0';
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, &value, 1) != 1)
		value = '0';
	if (fd >= 0)
		close(fd);
	return value == '1';
}

/* ---- trace events ---- */

/* Lines of the trace that have a text, of this task or of all. */
static int count_lines(const char *text, bool all)
{
	static char line[4096];
	char task[32];
	FILE *trace = fopen(TRACING "trace", "re");
	int nr = 0;

	if (!trace)
		return -1;
	snprintf(task, sizeof(task), "-%d ", getpid());
	while (fgets(line, sizeof(line), trace))
		if (*line != '#' && strstr(line, text) &&
		    (all || strstr(line, task)))
			nr++;
	fclose(trace);
	return nr;
}

/* The sum of the numbers that follow a text, of all tasks; -1 if there is no trace. */
static long sum_of(const char *text)
{
	static char line[4096];
	FILE *trace = fopen(TRACING "trace", "re");
	long sum = 0;
	char *at;

	if (!trace)
		return -1;
	while (fgets(line, sizeof(line), trace)) {
		at = strstr(line, text);
		if (*line != '#' && at)
			sum += atol(at + strlen(text));
	}
	fclose(trace);
	return sum;
}

/* Has this task an event that begins so, and has the other text as well? */
static bool traced(const char *text, const char *and)
{
	static char line[4096];
	char task[32];
	FILE *trace = fopen(TRACING "trace", "re");
	bool found = false;

	if (!trace)
		return false;
	snprintf(task, sizeof(task), "-%d ", getpid());
	while (!found && fgets(line, sizeof(line), trace))
		found = strstr(line, task) && strstr(line, text) &&
			strstr(line, and);
	fclose(trace);
	return found;
}

/* Counters in the order of /proc/vmstat. */
enum counter {
	MERGED_NEW, MERGED_EXISTING, REWRITTEN, KEPT, TABLES, SPLIT,
	EXTENT_MADE, EXTENT_FREED, SWPIN_COPY, NR_COUNTERS
};

static const char * const counter_names[NR_COUNTERS] = {
	"merged_new", "merged_existing", "rewritten", "kept", "tables",
	"split", "extent_made", "extent_freed", "swpin_copy",
};

static bool read_counters(unsigned long *counters)
{
	FILE *vmstat = fopen("/proc/vmstat", "re");
	char line[128], name[64];
	unsigned long value;
	int nr = 0;

	if (!vmstat)
		return false;
	while (nr < NR_COUNTERS && fgets(line, sizeof(line), vmstat))
		if (sscanf(line, "anon_space_%63s %lu", name, &value) == 2) {
			if (strcmp(name, counter_names[nr]))
				break;
			counters[nr++] = value;
		}
	fclose(vmstat);
	return nr == NR_COUNTERS;
}

FIXTURE(trace)
{
	char *at;
	size_t page;
	unsigned long before[NR_COUNTERS], after[NR_COUNTERS];
};

FIXTURE_SETUP(trace)
{
	long waited = 0;

	wait_for_earlier_tests();
	if (access(TRACING "trace", R_OK))
		mount("tracefs", TRACING, "tracefs", 0, NULL);
	ASSERT_EQ(access(EVENTS, F_OK), 0);
	if (!is_enabled(EVENTS "enable"))
		ASSERT_TRUE(write_text(EVENTS "enable", "1"));
	self->page = psize();
	self->at = reserve(2 * table_size() + 64 * self->page);
	/* What is compared has to begin at the same moment. */
	do {
		ASSERT_TRUE(read_counters(self->before));
		ASSERT_TRUE(write_text(TRACING "trace", ""));
		ASSERT_TRUE(read_counters(self->after));
	} while (memcmp(self->before, self->after, sizeof(self->after)) &&
		 be_patient(&waited));
}

FIXTURE_TEARDOWN(trace)
{
}

/* For helpers: a type that checkpatch.pl takes for one. */
#define DATA	FIXTURE_DATA(trace)

#define P(n)	(self->at + (n) * self->page)

/* By how much a counter has grown; -1 if that cannot be said. */
static long counted(DATA *self, enum counter counter)
{
	if (!read_counters(self->after))
		return -1;
	return self->after[counter] - self->before[counter];
}

TEST_F(trace, new_range_merges)
{
	char text[64];

	map_range(P(1), self->page);
	map_range(P(2), self->page);
	snprintf(text, sizeof(text), "new %p-%p merged below=fits", P(2), P(3));
	EXPECT_TRUE(traced("anon_space_merge", text));
	EXPECT_GE(counted(self, MERGED_NEW), 1);
}

TEST_F(trace, changed_range_merges)
{
	char text[96];

	map_filled(P(1), 3, FIRST);
	ASSERT_EQ(mprotect(P(2), self->page, PROT_READ), 0);
	ASSERT_EQ(mprotect(P(2), self->page, PROT_READ | PROT_WRITE), 0);
	snprintf(text, sizeof(text),
		 "existing %p-%p merged below=fits(none) above=fits(none)",
		 P(2), P(3));
	EXPECT_TRUE(traced("caller=mprotect_fixup", text));
	snprintf(text, sizeof(text),
		 "existing %p-%p separate below=itself(none) above=itself(none)",
		 P(2), P(3));
	EXPECT_TRUE(traced("anon_space_merge", text));
	EXPECT_GE(counted(self, MERGED_EXISTING), 1);
}

/* What keeps a new page at P(2) apart from the one at P(1). */
static bool says(struct __test_metadata *_metadata, char *at, const char *why)
{
	char text[96];

	map_range(at, psize());
	snprintf(text, sizeof(text), "new %p-%p separate below=%s", at,
		 at + psize(), why);
	return traced("anon_space_merge", text);
}

TEST_F(trace, why_flags)
{
	map_filled(P(1), 1, FIRST);
	ASSERT_EQ(mprotect(P(1), self->page, PROT_READ), 0);
	EXPECT_TRUE(says(_metadata, P(2), "flags(write)"));
}

TEST_F(trace, why_name)
{
	map_filled(P(1), 1, FIRST);
	ASSERT_EQ(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, P(1), self->page,
			"trace"), 0);
	EXPECT_TRUE(says(_metadata, P(2), "name(none)"));
}

TEST_F(trace, why_ksm)
{
	map_filled(P(1), 1, FIRST);
	ASSERT_EQ(madvise(P(1), self->page, MADV_MERGEABLE), 0);
	EXPECT_TRUE(says(_metadata, P(2), "ksm(mergeable)"));
}

TEST_F(trace, why_file)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);

	ASSERT_EQ(ftruncate(fd, self->page), 0);
	ASSERT_NE(mmap(P(1), self->page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_FIXED, fd, 0), MAP_FAILED);
	EXPECT_TRUE(says(_metadata, P(2), "file("));
}

TEST_F(trace, why_nothing)
{
	ASSERT_EQ(munmap(P(1), self->page), 0);
	EXPECT_TRUE(says(_metadata, P(2), "nothing(none)"));
}

TEST_F(trace, private_pages_are_rewritten)
{
	char text[128];

	map_filled(P(1), 8, FIRST);
	ASSERT_TRUE(move_to(P(1), 8 * self->page, P(32)));
	snprintf(text, sizeof(text), "%p to %p: rewritten=8 kept=0 pages, tables=0 split=0",
		 P(1), P(32));
	EXPECT_TRUE(traced("anon_space_move", text));
	EXPECT_EQ(count_lines("anon_space_extent", false), 0);
	EXPECT_GE(counted(self, REWRITTEN), 8);
}

TEST_F(trace, shared_pages_are_kept)
{
	char text[128];

	map_filled(P(1), 8, FIRST);
	fork_waiting();
	ASSERT_TRUE(move_to(P(1), 8 * self->page, P(32)));
	snprintf(text, sizeof(text), "%p to %p: rewritten=0 kept=8 pages",
		 P(1), P(32));
	EXPECT_TRUE(traced("anon_space_move", text));
	snprintf(text, sizeof(text), "added %p-%p delta=-31", P(32), P(40));
	EXPECT_TRUE(traced("anon_space_extent", text));
	EXPECT_GE(counted(self, KEPT), 8);
	EXPECT_GE(counted(self, EXTENT_MADE), 1);

	ASSERT_EQ(munmap(P(32), 8 * self->page), 0);
	snprintf(text, sizeof(text), "dropped %p-%p", P(32), P(40));
	EXPECT_TRUE(traced("anon_space_extent", text));
	EXPECT_GE(counted(self, EXTENT_FREED), 1);
}

/* A second time it moves in place: both mappings are there. */
TEST_F(trace, move_in_place)
{
	map_range(P(1), 16 * self->page);
	fill_pages(P(1), 1, FIRST);
	ASSERT_NE(mremap(P(1), self->page, self->page,
			 MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
			 P(9)), MAP_FAILED);
	EXPECT_TRUE(traced("anon_space_move",
			   "in place: rewritten=1 kept=0 pages"));
	EXPECT_GE(counted(self, REWRITTEN), 1);
}

TEST_F(trace, tables_move_whole)
{
	const size_t size = table_size();
	char *from = reserve(4 * size), *to = reserve(4 * size);

	from += size - (uintptr_t)from % size;
	to += size - (uintptr_t)to % size;
	map_range(from, size);
	if (read_pmd_pagesize())
		ASSERT_EQ(madvise(from, size, MADV_NOHUGEPAGE), 0);
	fill_pages(from, size / self->page, FIRST);
	ASSERT_TRUE(move_to(from, size, to));
	EXPECT_TRUE(traced("anon_space_move", "tables=1 split=0"));
	EXPECT_GE(counted(self, TABLES), 1);
}

TEST_F(trace, files_are_made_joined_and_left)
{
	int status;
	pid_t pid;

	map_filled(P(1), 1, FIRST);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(0);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_GE(count_lines("anon_space_file: joined", false), 1);
	EXPECT_GE(count_lines("anon_space_file: made", false), 1);
	EXPECT_GE(count_lines("anon_space_file: left", true), 2);
}

TEST_F(trace, walks_say_how_many_were_visited)
{
	map_filled(P(1), 4, FIRST);
	fork_waiting();
	ASSERT_TRUE(pages_migrate(P(1), 4));
	EXPECT_TRUE(traced("anon_space_walk", "visited=2 of 2 members, entries=2 left=0"));
}

#define CHILDREN	20	/* more than the members of a file for new pages */

/* Who has unmapped a page is not looked at when it has migrated. */
TEST_F(trace, children_that_have_unmapped_a_page)
{
	unsigned long pfn;
	long waited = 0;
	pid_t pid;
	int i;

	map_filled(P(1), 1, FIRST);
	for (i = 0; i < CHILDREN; i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (pid)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		munmap(P(1), self->page);
		for (;;)
			pause();
	}
	pfn = pfn_of(0, P(1));
	while (page_mapcount(pfn) > 1 && be_patient(&waited))
		;
	ASSERT_EQ(1, page_mapcount(pfn));
	ASSERT_TRUE(write_text(TRACING "trace", ""));
	ASSERT_TRUE(pages_migrate(P(1), 1));
	EXPECT_TRUE(traced("anon_space_walk", "entries=0 left=1"));
	EXPECT_FALSE(traced("anon_space_walk", "of 21 members, entries=0 left=1"));
}

/*
 * A huge page of a child, which its parent does not have, is not looked for there: also
 * not when a half of it was swapped and comes back to the other one.
 */
TEST_F(trace, half_swapped_stays_in_its_file)
{
	size_t size = table_size(), pages = size / self->page;
	char *huge = reserve(size), *upper = huge + size / 2;

	enter_cgroup();
	go_on_in_child();
	map_filled(huge, pages, FIRST);
	ASSERT_TRUE(make_huge(huge, size));
	ASSERT_EQ(mlock(upper, size / 2), 0);
	ASSERT_TRUE(cgroup_reclaim_pages(huge, pages / 2));
	ASSERT_EQ(munlock(upper, size / 2), 0);
	ASSERT_TRUE(pages_have(huge, pages, FIRST));
	ASSERT_TRUE(write_text(TRACING "trace", ""));
	ASSERT_TRUE(pages_migrate(huge, 1));
	EXPECT_TRUE(traced("anon_space_walk", "visited=1 of 1 members"));
}

/* Relatives that have a page in swap all get one page, wherever it has moved. */
TEST_F(trace, swapped_pages_stay_shared)
{
	pid_t child;

	map_filled(P(1), 8, FIRST);
	ASSERT_TRUE(page_out(P(1), 8 * self->page));
	child = fork_waiting();
	ASSERT_TRUE(move_to(P(1), 8 * self->page, P(32)));
	EXPECT_TRUE(pages_have(P(32), 8, FIRST));
	EXPECT_TRUE(pages_of_have(child, P(1), 8, FIRST));
	EXPECT_EQ(counted(self, SWPIN_COPY), 0);
}

/* The other way round: the child brings them in. */
TEST_F(trace, swapped_pages_of_child_stay_shared)
{
	pid_t child;

	map_filled(P(1), 8, FIRST);
	ASSERT_TRUE(page_out(P(1), 8 * self->page));
	child = fork_waiting();
	EXPECT_TRUE(pages_of_have(child, P(1), 8, FIRST));
	EXPECT_TRUE(pages_have(P(1), 8, FIRST));
	EXPECT_EQ(counted(self, SWPIN_COPY), 0);
}

/* Children that scatter what they share leave no extent when they exit. */
TEST_F(trace, extents_go_with_their_process)
{
	int i, n, status;
	long waited = 0;

	map_filled(P(1), 24, FIRST);
	for (n = 0; n < 50; n++) {
		pid_t pid = fork();

		ASSERT_GE(pid, 0);
		if (pid) {
			ASSERT_EQ(waitpid(pid, &status, 0), pid);
			ASSERT_EQ(status, 0);
			continue;
		}
		for (i = 0; i < 15; i++)
			if (!move_to(P(1 + i), self->page, P(32 + 2 * i)))
				_exit(KSFT_FAIL);
		/* With spares that its own child does not need. */
		madvise(P(32), 4 * self->page, MADV_DONTFORK);
		if (!move_to(P(17), 8 * self->page, P(100)) ||
		    mprotect(P(102), 2 * self->page, PROT_READ))
			_exit(KSFT_FAIL);
		pid = fork();
		if (!pid)
			_exit(0);
		waitpid(pid, &status, 0);
		_exit(0);
	}
	EXPECT_GE(counted(self, EXTENT_MADE), 50 * 15);
	/* Who looks at a process that ends keeps its memory for a moment. */
	while (counted(self, EXTENT_MADE) != counted(self, EXTENT_FREED) &&
	       be_patient(&waited))
		;
	EXPECT_EQ(counted(self, EXTENT_MADE), counted(self, EXTENT_FREED));
}

/* ---- both agree ---- */

#define ROUNDS	50

/* On each of two processors. */
static void work(char *at, size_t page, int cpu)
{
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (i = 0; i < ROUNDS; i++) {
		map_range(at, page);
		map_range(at + page, page);
		fill_pages(at, 2, FIRST);
		if (!move_to(at, 2 * page, at + 8 * page))
			_exit(KSFT_FAIL);
		munmap(at + 8 * page, 2 * page);
	}
}

/* What others do meanwhile is counted and traced as well. */
static bool both_agree(DATA *self)
{
	return counted(self, MERGED_NEW) + counted(self, MERGED_EXISTING) ==
	       count_lines(" merged below=", true) &&
	       counted(self, REWRITTEN) == sum_of(" rewritten=");
}

TEST_F(trace, counters_agree_with_events)
{
	long waited = 0;
	int i, status;
	pid_t pid[2];

	munmap(self->at, 64 * self->page);
	for (i = 0; i < 2; i++) {
		pid[i] = fork();
		ASSERT_GE(pid[i], 0);
		if (!pid[i]) {
			work(P(1 + 16 * i), self->page, i);
			_exit(0);
		}
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(waitpid(pid[i], &status, 0), pid[i]);
		ASSERT_EQ(status, 0);
	}
	/* Not if it is between the two looks. */
	while (!both_agree(self) && be_patient(&waited))
		;
	EXPECT_TRUE(both_agree(self));
	EXPECT_GE(counted(self, MERGED_NEW), 2 * ROUNDS);
	EXPECT_GE(counted(self, REWRITTEN), 2 * 2 * ROUNDS);
	EXPECT_EQ(counted(self, KEPT), 0);
	EXPECT_EQ(counted(self, EXTENT_MADE), 0);
}

/* ---- /proc/PID/anon_space ---- */

struct space {
	unsigned long vmas, extents, files;
	int file_lines, own, new;
	unsigned long members;		/* of the new file */
	int extent_lines;
	unsigned long start, end;	/* of the last extent */
	long delta;
	bool in_order;
};

static bool read_space(int pid, struct space *space)
{
	char line[256], owner[16], new[16], path[64];
	unsigned long members;
	FILE *file;

	memset(space, 0, sizeof(*space));
	snprintf(path, sizeof(path), "/proc/%d/anon_space", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	space->in_order =
		fscanf(file, "vmas %lu\nextents %lu\nfiles %lu\n", &space->vmas,
		       &space->extents, &space->files) == 3;
	while (fgets(line, sizeof(line), file)) {
		*new = '\0';
		if (sscanf(line, "file %*s %lu %15s %15s", &members, owner,
			   new) >= 2) {
			space->in_order &= !space->extent_lines;
			space->file_lines++;
			space->own += !strcmp(owner, "self");
			if (!strcmp(new, "new")) {
				space->new++;
				space->members = members;
			}
		} else if (sscanf(line, "extent %lx-%lx %ld", &space->start,
				  &space->end, &space->delta) == 3) {
			space->extent_lines++;
		} else {
			space->in_order = false;
		}
	}
	fclose(file);
	return true;
}

FIXTURE(proc)
{
	char *at;
	size_t page;
	struct space space;
};

FIXTURE_SETUP(proc)
{
	ASSERT_EQ(access("/proc/self/anon_space", R_OK), 0);
	self->page = psize();
	self->at = reserve(4096 * self->page);
}

FIXTURE_TEARDOWN(proc)
{
}

TEST_F(proc, itself)
{
	map_filled(P(1), 1, FIRST);
	ASSERT_TRUE(read_space(getpid(), &self->space));
	EXPECT_TRUE(self->space.in_order);
	EXPECT_GE(self->space.vmas, 1);
	EXPECT_EQ(self->space.extents, 0);
	EXPECT_EQ(self->space.extent_lines, 0);
	EXPECT_EQ(self->space.files, self->space.file_lines);
	EXPECT_EQ(self->space.own, 1);
	EXPECT_EQ(self->space.new, 1);
	EXPECT_EQ(self->space.members, 1);
}

/* A child has the files of its parent, and one of its own. */
TEST_F(proc, family)
{
	unsigned long files;
	pid_t child;

	map_filled(P(1), 1, FIRST);
	ASSERT_TRUE(read_space(getpid(), &self->space));
	files = self->space.files;
	child = fork_waiting();
	ASSERT_TRUE(read_space(getpid(), &self->space));
	EXPECT_EQ(self->space.files, files);
	EXPECT_EQ(self->space.members, 2);
	ASSERT_TRUE(read_space(child, &self->space));
	EXPECT_TRUE(self->space.in_order);
	EXPECT_EQ(self->space.files, files + 1);
	EXPECT_EQ(self->space.own, 1);
	EXPECT_EQ(self->space.members, 1);
}

TEST_F(proc, extent)
{
	map_filled(P(1), 8, FIRST);
	fork_waiting();
	ASSERT_TRUE(move_to(P(1), 8 * self->page, P(101)));
	ASSERT_TRUE(read_space(getpid(), &self->space));
	EXPECT_TRUE(self->space.in_order);
	EXPECT_EQ(self->space.extents, 1);
	EXPECT_EQ(self->space.extent_lines, 1);
	EXPECT_EQ(self->space.start, (uintptr_t)P(101));
	EXPECT_EQ(self->space.end, (uintptr_t)P(109));
	EXPECT_EQ(self->space.delta, -100);
}

/* The first page of all is no special one. */
TEST_F(proc, extent_at_zero)
{
	map_filled(P(1), 1, FIRST);
	fork_waiting();
	ASSERT_TRUE(move_to(P(1), self->page, NULL));
	ASSERT_TRUE(read_space(getpid(), &self->space));
	EXPECT_TRUE(self->space.in_order);
	EXPECT_EQ(self->space.extents, 1);
	EXPECT_EQ(self->space.extent_lines, 1);
	EXPECT_EQ(self->space.start, 0);
	EXPECT_EQ(self->space.end, self->page);
}

/*
 * The first table begins before what moves, and moves as a whole. What is between source
 * and destination keeps the hole before the destination out of that at the source, which
 * is cleaned up.
 */
TEST_F(proc, extent_of_tables)
{
	size_t table = table_size() / self->page, nr = 2 * table;

	ASSERT_EQ(munmap(self->at, 4096 * self->page), 0);
	map_filled(P(3), nr, FIRST);
	map_filled(P(3 * table), 1, FIRST);
	fork_waiting();
	ASSERT_TRUE(move_to(P(3), nr * self->page, P(4 * table + 3)));
	ASSERT_TRUE(read_space(getpid(), &self->space));
	EXPECT_EQ(self->space.extents, 1);
	EXPECT_EQ(self->space.start, (uintptr_t)P(4 * table + 3));
	EXPECT_EQ(self->space.end, (uintptr_t)P(4 * table + 3 + nr));
}

/* A source that stays mapped is empty, and is not visited. */
TEST_F(proc, emptied_source)
{
	unsigned long vmas;

	map_filled(P(1), 8, FIRST);
	ASSERT_TRUE(read_space(getpid(), &self->space));
	vmas = self->space.vmas;
	ASSERT_NE(mremap(P(1), 8 * self->page, 8 * self->page,
			 MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
			 P(101)), MAP_FAILED);
	ASSERT_TRUE(read_space(getpid(), &self->space));
	EXPECT_EQ(self->space.vmas, vmas);
}

/* More than what is read at a time. */
TEST_F(proc, many_extents)
{
	const int nr = 1000;
	int i;

	map_filled(P(1), nr, FIRST);
	fork_waiting();
	for (i = 0; i < nr; i++)
		ASSERT_TRUE(move_to(P(1 + i), self->page, P(1100 + 2 * i)));
	ASSERT_TRUE(read_space(getpid(), &self->space));
	EXPECT_TRUE(self->space.in_order);
	EXPECT_EQ(self->space.extents, nr);
	EXPECT_EQ(self->space.extent_lines, nr);
	EXPECT_EQ(self->space.start, (uintptr_t)P(1100 + 2 * (nr - 1)));
}

/* Who may not read the maps may not read this. */
TEST_F(proc, stranger)
{
	pid_t parent = getpid(), child;
	char path[64];
	int status;

	map_filled(P(1), 1, FIRST);
	snprintf(path, sizeof(path), "/proc/%d/anon_space", parent);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		if (setgid(65534) || setuid(65534))
			_exit(1);
		_exit(open(path, O_RDONLY) < 0 && errno == EACCES ? 0 : 1);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
}

TEST_F(proc, kernel_thread)
{
	int fd = open("/proc/2/anon_space", O_RDONLY | O_CLOEXEC);
	char byte;

	ASSERT_GE(fd, 0);
	EXPECT_EQ(read(fd, &byte, 1), 0);
	close(fd);
}

/* It is read while everything changes. */
TEST_F(proc, while_it_changes)
{
	struct space space;
	pid_t child;
	int i;

	map_filled(P(1), 64, FIRST);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		const pid_t parent = getppid();

		while (getppid() == parent)
			if (read_space(parent, &space) && space.vmas &&
			    !space.in_order)
				_exit(1);
		_exit(0);
	}
	for (i = 0; i < 300; i++) {
		ASSERT_TRUE(move_to(P(1 + i % 60), self->page, P(300 + i)));
		map_filled(P(1 + i % 60), 1, FIRST);
		if (i % 10 == 0 && !fork())
			_exit(0);
		if (i % 3 == 0)
			ASSERT_EQ(munmap(P(300 + i / 2), self->page), 0);
	}
	EXPECT_EQ(waitpid(child, &i, WNOHANG), 0);
	kill(child, SIGKILL);
}

TEST_HARNESS_MAIN
