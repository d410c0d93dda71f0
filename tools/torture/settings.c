// SPDX-License-Identifier: GPL-2.0
/* What the machine is set to before a run. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "torture.h"

#define THP	"/sys/kernel/mm/transparent_hugepage/"
#define KSM	"/sys/kernel/mm/ksm/"
#define GROUP	"/sys/fs/cgroup/torture"

static const struct setting {
	const char *path;
	const char *value;
	bool rests;	/* milliseconds, of an antagonist */
} settings[] = {
	{ "/proc/sys/vm/overcommit_memory", "1" },
	{ THP "enabled", "always" },
	{ THP "defrag", "defer+madvise" },
	{ THP "hugepages-16kB/enabled", "always" },
	{ THP "hugepages-64kB/enabled", "always" },
	{ THP "khugepaged/scan_sleep_millisecs", "20", true },
	{ THP "khugepaged/alloc_sleep_millisecs", "0" },
	{ THP "khugepaged/pages_to_scan", "1024" },
	{ KSM "max_page_sharing", "8" },
	{ KSM "sleep_millisecs", "5", true },
	{ KSM "pages_to_scan", "500" },
	{ KSM "run", "1" },
	{ "/proc/sys/kernel/numa_balancing", "1" },
};

int write_file(const char *path, const char *format, ...)
{
	char buffer[256];
	int error, fd, len;
	va_list args;
	ssize_t done;

	va_start(args, format);
	len = vsnprintf(buffer, sizeof(buffer), format, args);
	va_end(args);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	done = write(fd, buffer, len);
	error = errno;
	close(fd);
	errno = error;
	return done == len ? 0 : -1;
}

/* A third of the memory for all; over it, processes are slowed, not killed. */
static int join_memory_cgroup(void)
{
	unsigned long bytes = sysconf(_SC_PHYS_PAGES) * PAGE_SIZE;

	if (mkdir(GROUP, 0755) && errno != EEXIST)
		return -1;
	return write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory") ||
	       write_file(GROUP "/memory.high", "%lu", bytes / 3) ||
	       write_file(GROUP "/cgroup.procs", "0");
}

void settle_machine(void)
{
	const struct setting *s;

	for (s = settings; s < settings + ARRAY_SIZE(settings); s++) {
		if (s->rests ? write_file(s->path, "%u", atoi(s->value) * times_calm()) :
			       write_file(s->path, "%s", s->value))
			printf("without %s = %s: %m\n", s->path, s->value);
	}
	if (join_memory_cgroup())
		printf("without memory cgroup: %m\n");
}
