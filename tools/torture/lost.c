// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that are lost: no process maps them any more, but they were not freed.
 *
 * That a process has counted more pages than it maps the kernel says itself when it
 * ends: "Bad rss-counter state". What it has not counted, but still references, is
 * found here, when all processes have ended.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <unistd.h>

#include "torture.h"

#define FLAGS		"/proc/kpageflags"
#define PATIENCE	100	/* tenths of a second */
#define SHOWN		8

static bool is_lost(uint64_t flags)
{
	const uint64_t want = 1UL << KPF_LRU | 1UL << KPF_ANON;
	const uint64_t bad = 1UL << KPF_MMAP | 1UL << KPF_SWAPCACHE |
			     1UL << KPF_HWPOISON;

	return (flags & (want | bad)) == want;
}

static unsigned long count_lost(bool show)
{
	unsigned long lost = 0, pfn = 0;
	uint64_t flags[4096];
	int fd = open(FLAGS, O_RDONLY | O_CLOEXEC);
	ssize_t i, nr;

	if (fd < 0)
		die("%s: %m", FLAGS);
	while ((nr = read(fd, flags, sizeof(flags)) / 8) > 0) {
		for (i = 0; i < nr; i++, pfn++) {
			if (!is_lost(flags[i]))
				continue;
			if (show && lost < SHOWN)
				printf("page %#lx has flags %#" PRIx64 "\n",
				       pfn, flags[i]);
			lost++;
		}
	}
	close(fd);
	return lost;
}

/* With all processes of the run gone; those of others come and go. */
bool has_lost_pages(void)
{
	unsigned int i;

	/* Of a folio with a poisoned page all pages may stay, and only one has the flag. */
	if (options.poison)
		return false;
	for (i = 0; i < PATIENCE; i++) {
		if (!count_lost(false))
			return false;
		/* What each CPU is about to put on a list, and has a reference to. */
		write_file("/proc/sys/vm/drop_caches", "1");
		usleep(100000);
	}
	printf("FAILED: %lu pages are lost, seed %#" PRIx64 "\n",
	       count_lost(false), options.seed);
	count_lost(true);
	return true;
}
