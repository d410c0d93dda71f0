// SPDX-License-Identifier: GPL-2.0
/*
 * What a process says when it finds that something is wrong: the seed, who it
 * is, and what it did last.  One write(), as others may be writing too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "torture.h"

struct text {
	char buffer[65536];
	size_t len;
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *text, const char *format, ...)
{
	size_t room = sizeof(text->buffer) - text->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->buffer + text->len, room, format, args);
	va_end(args);
	if (n > 0)
		text->len += (size_t)n < room ? (size_t)n : room - 1;
}

struct record *record(const char *name, struct range range, long arg, long to)
{
	struct record *r = &me->records[me->recorded++ % NR_RECORDS];

	*r = (struct record){ name, range, arg, to, 0 };
	return r;
}

static void add_records(struct text *text)
{
	unsigned long i = 0;

	if (me->recorded > NR_RECORDS)
		i = me->recorded - NR_RECORDS;
	add(text, "  last operations (slot+pages argument to: result):\n");
	for (; i < me->recorded; i++) {
		const struct record *r = &me->records[i % NR_RECORDS];

		add(text, "  %6lu %-12s %u+%u", i, r->name, r->range.first,
		    r->range.nr);
		if (r->arg)
			add(text, " %#lx", r->arg);
		if (r->to >= 0)
			add(text, " to %ld", r->to);
		if (r->result)
			add(text, ": %s", strerrorname_np(r->result) ?: "?");
		add(text, "\n");
	}
}

static void add_id(struct text *text, const char *path)
{
	add(text, " %s=%04x", path, (uint16_t)mix(options.seed, path, 0));
}

/* Tags begin with the id of the process that wrote: tell the ancestors. */
static void add_ancestors(struct text *text)
{
	char path[sizeof(self.path)];
	unsigned int generation;
	char *end;

	snprintf(path, sizeof(path), "%s", self.path);
	add(text, "  ids:");
	add_id(text, path);
	while ((end = strrchr(path, '/'))) {
		*end = '\0';
		add_id(text, path);
	}
	end = strchr(path, '+');
	for (generation = self.generation; end && generation--;) {
		snprintf(end, path + sizeof(path) - end, generation ? "+%u" : "",
			 generation);
		add_id(text, path);
	}
	add(text, " same=ffff file=fffe\n");
}

static void add_maps(struct text *text)
{
	FILE *maps = fopen("/proc/self/maps", "re");

	if (!maps)
		return;
	add(text, "  maps:\n");
	text->len += fread(text->buffer + text->len, 1,
			   sizeof(text->buffer) - text->len, maps);
	fclose(maps);
}

void fail(const char *format, ...)
{
	static struct text text;
	char what[512];
	va_list args;

	if (options.inject)
		inject(false);
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);

	if (!me)
		die("%s", what);
	/* Threads of one process: the first one reports. */
	if (atomic_exchange(&shared->failed, true))
		_exit(EXIT_FAILURE);
	add(&text, "FAILED: %s\n  seed %#" PRIx64 " process %s (pid %d) thread %u, slots %u+%u at %p\n",
	    what, options.seed, self.path, getpid(), me->nr, me->area.first,
	    me->area.nr, slot_addr(me->area.first));
	add_ancestors(&text);
	add(&text, "  replay: torture run -p %s -s %#" PRIx64 " -t %.*s%s%s\n",
	    options.profile->name, options.seed,
	    (int)strcspn(self.path, "+/"), self.path,
	    options.inject ? " -i" : "", options.poison ? " -x" : "");
	add_records(&text);
	add_maps(&text);
	if (write(STDOUT_FILENO, text.buffer, text.len) < 0)
		_exit(EXIT_FAILURE + 1);
	_exit(EXIT_FAILURE);
}

void die(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	va_start(args, format);
	fprintf(stderr, "torture: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	if (shared)
		shared->failed = true;
	_exit(EXIT_FAILURE);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	unsigned long addr = (unsigned long)info->si_addr;

	(void)context;
	if (sig == SIGBUS && options.poison && me &&
	    (info->si_code == BUS_MCEERR_AR || info->si_code == BUS_MCEERR_AO)) {
		if (me->on_poison)
			siglongjmp(*me->on_poison, 1);
		return;		/* a mere announcement */
	}
	fail("signal %d code %d at %#lx (slot %ld)", sig, info->si_code, addr,
	     (long)(addr - ARENA) / (long)PAGE_SIZE);
}

void catch_signals(void)
{
	struct sigaction action = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}
