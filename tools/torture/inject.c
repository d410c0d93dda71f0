// SPDX-License-Identifier: GPL-2.0
/* Allocations that fail, in the tasks that ask for it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "torture.h"

#define DEBUGFS		"/sys/kernel/debug/"

static const char * const injectors[] = { "failslab", "fail_page_alloc" };

/* Switching it off may itself be hit. */
void inject(bool on)
{
	int fd, done;

	if (!options.inject)
		return;
	do {
		fd = open("/proc/thread-self/make-it-fail",
			  O_WRONLY | O_CLOEXEC);
		done = fd >= 0 && write(fd, on ? "1" : "0", 1) == 1;
		if (fd >= 0)
			close(fd);
	} while (!done);
}

static void set(const char *injector, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", injector, name);
	if (write_file(path, "%s", value))
		die("%s: %m: is this a debug kernel?", path);
}

void set_probability(unsigned int percent)
{
	char text[16];
	unsigned int i;

	snprintf(text, sizeof(text), "%u", percent);
	for (i = 0; i < ARRAY_SIZE(injectors); i++)
		set(injectors[i], "probability", text);
}

/* Only tasks that ask; also allocations that could wait. */
void setup_injection(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(injectors); i++) {
		set(injectors[i], "task-filter", "Y");
		set(injectors[i], "ignore-gfp-wait", "N");
		set(injectors[i], "interval", "1");
		set(injectors[i], "times", "-1");
		set(injectors[i], "verbose", "0");
	}
	set("fail_page_alloc", "ignore-gfp-highmem", "N");
	set("fail_page_alloc", "min-order", "0");
}
