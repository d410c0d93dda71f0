// SPDX-License-Identifier: GPL-2.0
/*
 * Antagonists: processes that do to the memory of random others what the
 * kernel does to it under load.  A step that hits a process in the middle of
 * its end may fail; an antagonist without one successful step is reported.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <numaif.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "torture.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define VALIDATOR	"/sys/kernel/debug/anon_space/validate"
#define DAMON_ADMIN	"/sys/kernel/mm/damon/admin/kdamonds/"
#define NR_VICTIMS	64	/* pages in one call */

static pid_t antagonists[NR_ANTAGONISTS];

static pid_t victim(void)
{
	return shared->live[below(MAX_LIVE)];
}

static char *victim_addr(void)
{
	return (char *)ARENA + below(tree_area()) * PAGE_SIZE;
}

/* A call ends at the first page that is not mapped. */
static size_t victim_len(void)
{
	return (1 + below(options.profile->few ?: 256)) * PAGE_SIZE;
}

static int reclaim(void)
{
	return write_file("/sys/fs/cgroup/torture/memory.reclaim", "%uM",
			  1 + below(32));
}

static int pageout(void)
{
	static const int advices[] = { MADV_PAGEOUT, MADV_PAGEOUT, MADV_COLD,
				       MADV_COLLAPSE, MADV_WILLNEED };
	pid_t pid = victim();
	struct iovec iov[4];
	unsigned int i;
	int fd, ret;

	fd = pid ? syscall(SYS_pidfd_open, pid, 0) : -1;
	if (fd < 0)
		return -1;
	for (i = 0; i < ARRAY_SIZE(iov); i++)
		iov[i] = (struct iovec){ victim_addr(),
					 victim_len() };
	ret = syscall(SYS_process_madvise, fd, iov, ARRAY_SIZE(iov),
		      advices[below(ARRAY_SIZE(advices))], 0);
	close(fd);
	return ret < 0 ? -1 : 0;
}

static int compact(void)
{
	return write_file("/proc/sys/vm/compact_memory", "1");
}

static int migrate(void)
{
	int nodes[NR_VICTIMS], status[NR_VICTIMS];
	char *first = victim_addr();
	void *pages[NR_VICTIMS];
	pid_t pid = victim();
	unsigned int i;

	for (i = 0; i < NR_VICTIMS; i++) {
		pages[i] = first + i * PAGE_SIZE;
		nodes[i] = below(2);
	}
	if (!pid)
		return -1;
	return move_pages(pid, NR_VICTIMS, pages, nodes, status,
			  MPOL_MF_MOVE_ALL);
}

static int migrate_all(void)
{
	unsigned long nodes[2] = { 1, 2 };
	unsigned int to = below(2);
	pid_t pid = victim();

	if (!pid)
		return -1;
	return migrate_pages(pid, 8 * sizeof(nodes[0]), &nodes[!to],
			     &nodes[to]) < 0 ? -1 : 0;
}

static int split(void)
{
	char *first = victim_addr();
	pid_t pid = victim();

	if (!pid)
		return -1;
	return write_file("/sys/kernel/debug/split_huge_pages", "%d,%p,%p,%u",
			  pid, first, first + (1 + below(2048)) * PAGE_SIZE,
			  one_in(2) ? 0 : 2 + below(6));
}

static int ksm(void)
{
	return write_file("/sys/kernel/mm/ksm/run", "2") ?:
	       write_file("/sys/kernel/mm/ksm/run", "1");
}

/* Pages out what it finds in a process for a while. */
static int damon(void)
{
	static const char * const most[] = { "sz", "nr_accesses", "age" };
	pid_t pid = victim();
	char path[128];
	unsigned int i;
	int ret;

	if (!pid)
		return -1;
	ret = write_file(DAMON_ADMIN "nr_kdamonds", "1") ?:
	      write_file(DAMON_ADMIN "0/contexts/nr_contexts", "1") ?:
	      write_file(DAMON_ADMIN "0/contexts/0/operations", "vaddr") ?:
	      write_file(DAMON_ADMIN "0/contexts/0/targets/nr_targets", "1") ?:
	      write_file(DAMON_ADMIN "0/contexts/0/targets/0/pid_target", "%d",
			 pid) ?:
	      write_file(DAMON_ADMIN "0/contexts/0/schemes/nr_schemes", "1") ?:
	      write_file(DAMON_ADMIN "0/contexts/0/schemes/0/action",
			 "pageout");
	for (i = 0; !ret && i < ARRAY_SIZE(most); i++) {
		snprintf(path, sizeof(path), DAMON_ADMIN
			 "0/contexts/0/schemes/0/access_pattern/%s/max",
			 most[i]);
		ret = write_file(path, "%lu", 1UL << 30);
	}
	if (ret || write_file(DAMON_ADMIN "0/state", "on"))
		return -1;
	usleep(500000);
	/* It ends by itself with its target. */
	write_file(DAMON_ADMIN "0/state", "off");
	return 0;
}

static int swap_off(void)
{
	static const char device[] = "/dev/zram0";
	int ret = swapoff(device);

	if (!ret && swapon(device, 0))
		fail("swapon: %m");
	return ret;
}

static int hotplug(void)
{
	const char path[] = "/sys/devices/system/cpu/cpu1/online";

	return write_file(path, "0") ?: write_file(path, "1");
}

/* A kernel of ours shows the file of each process; what it shows is in order. */
static int read_space(void)
{
	const pid_t pid = victim();
	char path[64], line[256];
	unsigned long extents;
	int lines = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/anon_space", pid);
	file = pid ? fopen(path, "re") : NULL;
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		lines++;
		if (lines == 2 && sscanf(line, "extents %lu", &extents) != 1) {
			printf("FAILED: %s: %s", path, line);
			shared->failed = true;
		}
	}
	fclose(file);
	return lines > 2 ? 0 : -1;
}

/* Without the validator there is nothing to do. */
int validate(void)
{
	if (access(VALIDATOR, F_OK))
		return 0;
	if (!write_file(VALIDATOR, "0"))
		return 0;
	printf("FAILED: validator: %m, seed %#" PRIx64 "\n", options.seed);
	fflush(stdout);
	return -1;
}

static int validate_step(void)
{
	if (access(VALIDATOR, F_OK))
		return -1;
	if (validate())
		shared->failed = true;
	return 0;
}

static int raise_probability(void)
{
	static const unsigned int percent[] = { 1, 2, 5, 10, 20, 30 };
	static time_t start;
	unsigned int i;

	if (!options.inject)
		return -1;
	if (!start)
		start = time(NULL);
	i = (time(NULL) - start) * ARRAY_SIZE(percent) / (options.seconds + 1);
	set_probability(percent[i < ARRAY_SIZE(percent) ? i : 0]);
	return 0;
}

static const struct {
	const char *name;
	int (*step)(void);
	unsigned int pause;	/* milliseconds */
} table[NR_ANTAGONISTS] = {
	[RECLAIM]	= { "reclaim", reclaim, 100 },
	[PAGEOUT]	= { "process_madvise", pageout, 5 },
	[COMPACT]	= { "compact", compact, 500 },
	[MIGRATE]	= { "move_pages", migrate, 2 },
	[MIGRATE_ALL]	= { "migrate_pages", migrate_all, 100 },
	[SPLIT]		= { "split_huge_pages", split, 20 },
	[KSM]		= { "ksm", ksm, 15000 },
	[DAMON]		= { "damon", damon, 500 },
	[SWAPOFF]	= { "swapoff", swap_off, 20000 },
	[HOTPLUG]	= { "hotplug", hotplug, 15000 },
	[VALIDATE]	= { "validate", validate_step, 2000 },
	[READ_SPACE]	= { "anon_space", read_space, 1 },
	[PROBABILITY]	= { "probability", raise_probability, 1000 },
};

static unsigned long microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000UL + now.tv_nsec / 1000;
}

/*
 * It rests as long as it has worked: migration without end keeps all others
 * waiting for their pages.
 */
static void __attribute__((noreturn)) run_antagonist(unsigned int nr)
{
	unsigned long rest = table[nr].pause * 1000UL * times_calm(), worked = 0;
	static struct actor actor;
	unsigned long begin;

	me = &actor;
	me->random = mix(options.seed, table[nr].name, 0);
	snprintf(self.path, sizeof(self.path), "%s", table[nr].name);
	for (;;) {
		usleep(worked > rest ? worked : rest);
		begin = microseconds();
		if (!table[nr].step())
			atomic_fetch_add(&shared->steps[nr], 1);
		worked = microseconds() - begin;
	}
}

unsigned int find_antagonists(const char *names)
{
	unsigned int i, set = 0;

	for (i = 0; i < NR_ANTAGONISTS; i++) {
		if (in_list(names, table[i].name))
			set |= 1U << i;
	}
	return set;
}

void start_antagonists(void)
{
	unsigned int i;

	if (options.inject)
		setup_injection();
	fflush(stdout);
	for (i = 0; i < NR_ANTAGONISTS; i++) {
		if (!(options.antagonists & 1U << i))
			continue;
		antagonists[i] = fork();
		if (antagonists[i] < 0)
			die("fork: %m");
		if (!antagonists[i])
			run_antagonist(i);
	}
}

/* The others can finish undisturbed. */
void stop_antagonists(void)
{
	unsigned int i;

	for (i = 0; i < NR_ANTAGONISTS; i++) {
		if (antagonists[i])
			kill(antagonists[i], SIGKILL);
	}
}

void reap_antagonists(void)
{
	unsigned int i;
	int status;

	printf("antagonists:");
	for (i = 0; i < NR_ANTAGONISTS; i++) {
		if (!antagonists[i])
			continue;
		if (waitpid(antagonists[i], &status, 0) != antagonists[i] ||
		    (WIFEXITED(status) && WEXITSTATUS(status)))
			shared->failed = true;
		printf(" %s %lu", table[i].name, shared->steps[i]);
	}
	printf("\n");
}
