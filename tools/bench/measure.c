// SPDX-License-Identifier: GPL-2.0
/* The clock, and how figures are handed over. */
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

#include "bench.h"

static bool instructions;

/* Under QEMU's -icount shift=0 the TSC is the number of instructions. */
void count_instructions(void)
{
	instructions = true;
}

const char *clock_unit(void)
{
	return instructions ? "insn" : "ns";
}

unsigned long now(void)
{
	struct timespec ts;

	if (instructions)
		return __rdtsc();
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
