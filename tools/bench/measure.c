// SPDX-License-Identifier: GPL-2.0
/* The clock, and how figures are handed over. */
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bench.h"

static enum clock clock_used = CLOCK_TIME;
static int counter;

void use_clock(enum clock clock)
{
	/* In this process and those that it is going to start. */
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.inherit = 1,
		.exclude_hv = 1,
	};

	clock_used = clock;
	if (clock != CLOCK_COUNTER)
		return;
	counter = syscall(SYS_perf_event_open, &attr, 0, -1, -1,
			  PERF_FLAG_FD_CLOEXEC);
	if (counter < 0)
		die("no counter of instructions: %m");
}

const char *clock_unit(void)
{
	return clock_used == CLOCK_TIME ? "ns" : "insn";
}

unsigned long now(void)
{
	struct timespec ts;
	unsigned long value;

	if (clock_used == CLOCK_TSC)
		return __rdtsc();
	if (clock_used == CLOCK_COUNTER) {
		if (read(counter, &value, sizeof(value)) != sizeof(value))
			die("the counter of instructions: %m");
		return value;
	}
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000UL + ts.tv_nsec;
}

void result_part(const struct run *run, const char *part, double value,
		 const char *unit)
{
	if (run->quiet)
		return;
	printf("sample\t%s%s%s\t%lu\t%.3f\t%s\n", run->metric->name,
	       *part ? "." : "", part, run->n, value, unit);
	fflush(stdout);
}

void result(const struct run *run, double value)
{
	result_part(run, "", value, clock_unit());
}

void die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "bench: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(1);
}
