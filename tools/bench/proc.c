// SPDX-License-Identifier: GPL-2.0
/* What the kernel says of memory: is it what a metric is meant to measure? */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define PM_PRESENT	(1ULL << 63)
#define PM_SWAP		(1ULL << 62)
#define PM_EXCLUSIVE	(1ULL << 56)	/* mapped by nobody else */
#define PM_FRAME	((1ULL << 55) - 1)

struct vma {
	unsigned long start;
	unsigned long end;
	unsigned long huge;		/* bytes in huge pages */
};

static struct vma find_vma(unsigned long addr)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	struct vma vma = { .start = 0 };
	unsigned long start, end, kb;
	char line[512];

	if (!file)
		die("/proc/self/smaps: %m");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
			if (vma.start)
				break;
			if (start <= addr && addr < end)
				vma = (struct vma){ start, end, 0 };
		} else if (vma.start &&
			   sscanf(line, "AnonHugePages: %lu", &kb) == 1) {
			vma.huge = kb * 1024;
		}
	}
	fclose(file);
	return vma;
}

static void check_vma(unsigned long addr, unsigned long pages,
		      unsigned long huge)
{
	struct vma vma = find_vma(addr);

	if (vma.start != addr || vma.end != addr + pages * PAGE)
		die("%lu pages at %#lx are not one VMA: %#lx-%#lx", pages, addr,
		    vma.start, vma.end);
	if (vma.huge != huge)
		die("%lu pages at %#lx: %lu bytes in huge ones, not %lu", pages,
		    addr, vma.huge, huge);
}

/* Of small pages. */
void check_one_vma(unsigned long addr, unsigned long pages)
{
	check_vma(addr, pages, 0);
}

void check_huge(unsigned long addr, unsigned long pages)
{
	check_vma(addr, pages, pages * PAGE);
}

static uint64_t *read_pagemap(pid_t pid, unsigned long addr,
			      unsigned long pages)
{
	size_t size = pages * sizeof(uint64_t);
	uint64_t *entries = malloc(size);
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (!entries || fd < 0 ||
	    pread(fd, entries, size, addr / PAGE * sizeof(uint64_t)) !=
	    (ssize_t)size)
		die("%s: %m", path);
	close(fd);
	return entries;
}

bool is_shared(unsigned long addr)
{
	uint64_t *entry = read_pagemap(getpid(), addr, 1);
	bool shared = !(*entry & PM_EXCLUSIVE);

	free(entry);
	return shared;
}

unsigned long count_swapped(unsigned long addr, unsigned long pages)
{
	uint64_t *entries = read_pagemap(getpid(), addr, pages);
	unsigned long i, swapped = 0;

	for (i = 0; i < pages; i++)
		swapped += !!(entries[i] & PM_SWAP);
	free(entries);
	return swapped;
}

void read_frames(pid_t pid, unsigned long addr, unsigned long pages,
		 unsigned long *frames)
{
	uint64_t *entries = read_pagemap(pid, addr, pages);
	unsigned long i;

	for (i = 0; i < pages; i++) {
		frames[i] = entries[i] & PM_FRAME;
		if (!(entries[i] & PM_PRESENT) || !frames[i])
			die("process %d: no page at %#lx", pid,
			    addr + i * PAGE);
	}
	free(entries);
}
