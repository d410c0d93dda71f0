// SPDX-License-Identifier: GPL-2.0
/* Files of sysfs and procfs that must be there. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("cannot write %s to %s: %m", text, path);
	close(fd);
}

long read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long number;

	if (!file || fscanf(file, "%ld", &number) != 1)
		die("no number in %s", path);
	fclose(file);
	return number;
}
