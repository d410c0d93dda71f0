// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that grows by mremap() many times, in place or to a new place each
 * time. The mean of the last calls shows if it becomes slower on the way.
 *
 *	| start |               in front of each call all is touched,
 *	| start | step |        which is not measured
 *	| start | step | step |
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "bench.h"

#define CALLS		100UL
#define LAST		10UL
#define START		10UL		/* steps that a child has, too */
#define DISTANCE	(1UL << 36)
#define ROUNDS		10UL		/* of small steps: much is touched */
#define BIG		2048UL		/* KiB */

static const bool in_place = true, moving;

struct times {
	unsigned long all;
	unsigned long last;
};

static void grow(const struct run *run, unsigned long *addr,
		 unsigned long size, unsigned long step)
{
	bool stay = *(const bool *)run->metric->data;
	unsigned long to = stay ? *addr : *addr + DISTANCE;
	int flags = stay ? 0 : MREMAP_MAYMOVE | MREMAP_FIXED;

	if (mremap((void *)*addr, size, size + step, flags, to) != (void *)to)
		die("mremap that grows at call %lu: %m", size / step);
	*addr = to;
}

static void grow_all(const struct run *run, unsigned long step,
		     struct times *times)
{
	unsigned long i, t, addr = BASE, size = START * step;
	struct crowd *crowd;

	map(addr, size / PAGE);
	fill(addr, 0, size / PAGE, 1);
	crowd = family_start(run);
	for (i = 0; i < CALLS; i++) {
		t = now();
		grow(run, &addr, size, step);
		t = now() - t;
		times->all += t;
		if (i >= CALLS - LAST)
			times->last += t;
		fill(addr, size / PAGE, (size + step) / PAGE, 1);
		size += step;
	}
	check_one_vma(addr, size / PAGE);
	check_filled(addr, size / PAGE, 1);
	check_family(run, addr);
	family_end(crowd);
	unmap(addr, size / PAGE);
}

static void run_grow(const struct run *run)
{
	unsigned long i, nr = run->n < BIG ? ROUNDS : 1;
	struct times times = { 0 };

	for (i = 0; i < nr; i++)
		grow_all(run, run->n * 1024, &times);
	result(run, (double)times.all / (nr * CALLS));
	result_part(run, "last", (double)times.last / (nr * LAST),
		    clock_unit());
}

#define GROW(name, what, how)						\
	{ name, what, run_grow, { 4, 64, BIG }, .data = &(how) },	\
	{ name "_child", what ", a child shares the first ten steps",	\
	  run_grow, { 4, 64, BIG }, .family = CHILD, .data = &(how) },	\
	{ name "_gone", what ", the child has gone",			\
	  run_grow, { 4, 64, BIG }, .family = CHILD_GONE, .data = &(how) }

static const struct metric metrics[] = {
	GROW("grow_place", "mremap that grows by N KiB in place, 100 times",
	     in_place),
	GROW("grow_move", "mremap that grows by N KiB and moves, 100 times",
	     moving),
};

const struct metric_group grow_group = {
	"grow", metrics, ARRAY_SIZE(metrics)
};
