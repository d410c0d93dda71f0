// SPDX-License-Identifier: GPL-2.0
/*
 * commit - what the collector of .NET does with its reservation, made small
 *
 * Some heaps share one range that is reserved with PROT_NONE.  Each takes the next
 * region, commits it page by page with mprotect() and writes to it, and takes another
 * one when it is full.  In the end all is committed and has the same attributes, but
 * each region was begun next to one that was not full yet (dotnet/runtime#97316).
 *
 * Usage: commit HEAPS REGIONS RESULTS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_HEAPS	64
#define REGION_PAGES	2
#define PAGE_SIZE	4096UL
#define PAUSE		10	/* seconds, in which all of it is there to be looked at */

static char *base;
static unsigned long failed;

static void commit(unsigned long page)
{
	char *addr = base + page * PAGE_SIZE;

	if (mprotect(addr, PAGE_SIZE, PROT_READ | PROT_WRITE)) {
		if (errno != ENOMEM) {
			perror("mprotect");
			exit(1);
		}
		failed++;
		return;
	}
	*addr = 1;
}

static unsigned long count_vmas(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long lines = 0;
	int c;

	while (maps && (c = getc(maps)) != EOF)
		lines += c == '\n';
	if (maps)
		fclose(maps);
	return lines;
}

/* Each commit of each heap in turn. */
static void run(unsigned long heaps, unsigned long regions)
{
	unsigned long first, page, heap;

	for (first = 0; first < regions; first += heaps)
		for (page = 0; page < REGION_PAGES; page++)
			for (heap = 0; heap < heaps; heap++)
				commit((first + heap) * REGION_PAGES + page);
}

int main(int argc, char **argv)
{
	unsigned long heaps, regions;
	FILE *results;

	heaps = argc == 4 ? strtoul(argv[1], NULL, 10) : 0;
	regions = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	if (!heaps || heaps > MAX_HEAPS || !regions || regions % heaps) {
		fprintf(stderr, "Usage: commit HEAPS REGIONS RESULTS\n");
		return 2;
	}
	base = mmap(NULL, regions * REGION_PAGES * PAGE_SIZE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	results = fopen(argv[3], "a");
	if (base == MAP_FAILED || !results) {
		perror("commit");
		return 1;
	}
	run(heaps, regions);
	sleep(PAUSE);
	fprintf(results, "vmas_end\t%lu\tVMAs\n", count_vmas());
	fprintf(results, "failed\t%lu\tfailures\n", failed);
	return fclose(results) ? 1 : 0;
}
