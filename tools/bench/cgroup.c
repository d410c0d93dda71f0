// SPDX-License-Identifier: GPL-2.0
/* Reclaim, also of memory that is shared: MADV_PAGEOUT leaves that alone. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define GROUP	"/sys/fs/cgroup/bench"

/* What is measured shall not reclaim the memory of anybody else. */
void join_group(void)
{
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755) && errno != EEXIST)
		die(GROUP ": %m");
	write_file(GROUP "/cgroup.procs", "0");
}

/* EAGAIN if there is less to reclaim is to be expected. */
void reclaim_from_group(void)
{
	int fd = open(GROUP "/memory.reclaim", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || (write(fd, "1M", 2) < 0 && errno != EAGAIN))
		die(GROUP "/memory.reclaim: %m");
	close(fd);
}
