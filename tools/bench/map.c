// SPDX-License-Identifier: GPL-2.0
/* Mapping, first touch, protection, the heap. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define LOOPS	2000

/* The timer interrupt comes in the middle of some rounds: measure enough. */
static unsigned long rounds(const struct run *run)
{
	return run->n < LOOPS ? LOOPS / run->n : 1;
}

/* What the clock counts: the loop is one instruction a round and a jump. */
static void run_clock(const struct run *run)
{
	unsigned long i = run->n, begin = now();

	asm volatile("1: dec %0; jnz 1b" : "+r"(i));
	result(run, (double)(now() - begin) / run->n);
}

static void run_map_touch_unmap(const struct run *run)
{
	unsigned long i, begin = now();

	for (i = 0; i < rounds(run); i++) {
		map(BASE, run->n);
		touch(BASE, run->n);
		unmap(BASE, run->n);
	}
	result(run, (double)(now() - begin) / rounds(run));
}

/* What one round of spread_loop() measures. */
enum step { MAP, TOUCH, UNMAP, NR_STEPS };

/* The neighbours differ in their rights, so an anon_vma may be reused. */
static void spread_adjacent(unsigned long n)
{
	unsigned long i;

	map(BASE, n);
	for (i = 1; i < n; i += 2)
		protect(BASE + i * PAGE, 1, PROT_READ | PROT_WRITE | PROT_EXEC);
}

static void spread_loop(const struct run *run, enum step step)
{
	unsigned long i, t[NR_STEPS + 1], sum = 0;

	for (i = 0; i < rounds(run); i++) {
		t[MAP] = now();
		spread(run->n);
		t[TOUCH] = now();
		touch_spread(run->n);
		t[UNMAP] = now();
		unmap_spread(run->n);
		t[NR_STEPS] = now();
		sum += t[step + 1] - t[step];
	}
	result(run, (double)sum / rounds(run) / run->n);
}

static void run_map_vmas(const struct run *run)
{
	spread_loop(run, MAP);
}

static void run_touch_vmas(const struct run *run)
{
	spread_loop(run, TOUCH);
}

static void run_unmap_vmas(const struct run *run)
{
	spread_loop(run, UNMAP);
}

static void run_touch_adjacent(const struct run *run)
{
	unsigned long i, t, sum = 0;

	for (i = 0; i < rounds(run); i++) {
		spread_adjacent(run->n);
		t = now();
		touch(BASE, run->n);
		sum += now() - t;
		unmap(BASE, run->n);
	}
	result(run, (double)sum / rounds(run) / run->n);
}

static void run_touch_pages(const struct run *run)
{
	unsigned long i, t, sum = 0;

	for (i = 0; i < rounds(run); i++) {
		map(BASE, run->n);
		touch(BASE, 1);
		t = now();
		touch(BASE + PAGE, run->n - 1);
		sum += now() - t;
		unmap(BASE, run->n);
	}
	result(run, (double)sum / rounds(run) / (run->n - 1));
}

/*
 *	|  RW  |  RW  |  RW  |	one VMA
 *	|  RW  |  R   |  RW  |	three, after the split
 */
static void protect_loop(const struct run *run, bool want_split)
{
	unsigned long i, t, split = 0, merge = 0;

	map(BASE, 3);
	touch(BASE, 3);
	for (i = 0; i < LOOPS; i++) {
		t = now();
		protect(BASE + PAGE, 1, PROT_READ);
		split += now() - t;
		t = now();
		protect(BASE + PAGE, 1, PROT_READ | PROT_WRITE);
		merge += now() - t;
	}
	unmap(BASE, 3);
	result(run, (double)(want_split ? split : merge) / LOOPS);
}

static void run_protect_split(const struct run *run)
{
	protect_loop(run, true);
}

static void run_protect_merge(const struct run *run)
{
	protect_loop(run, false);
}

static void brk_loop(const struct run *run, bool want_grow)
{
	unsigned long i, t, grow = 0, shrink = 0;
	char *end = sbrk(0);

	end += -(unsigned long)end & (PAGE - 1);
	if (brk(end + PAGE))
		die("brk: %m");
	touch((unsigned long)end, 1);
	for (i = 0; i < LOOPS; i++) {
		t = now();
		if (brk(end + 2 * PAGE))
			die("brk: %m");
		touch((unsigned long)end + PAGE, 1);
		grow += now() - t;
		t = now();
		if (brk(end + PAGE))
			die("brk: %m");
		shrink += now() - t;
	}
	result(run, (double)(want_grow ? grow : shrink) / LOOPS);
}

static void run_brk_grow(const struct run *run)
{
	brk_loop(run, true);
}

static void run_brk_shrink(const struct run *run)
{
	brk_loop(run, false);
}

static const struct metric metrics[] = {
	{ "clock", "one round of a loop of two instructions: must be 2",
	  run_clock, { 1000000 } },
	{ "map_touch_unmap", "mmap, first touch and munmap of N pages",
	  run_map_touch_unmap, { 1, 16 } },
	{ "map_vmas", "mmap of each of N VMAs, with gaps between them",
	  run_map_vmas, { 10, 1000, 10000 } },
	{ "touch_vmas", "first touch of each of N VMAs, with gaps between them",
	  run_touch_vmas, { 10, 1000, 10000 } },
	{ "touch_adjacent", "the same of adjacent VMAs, of different rights",
	  run_touch_adjacent, { 10, 1000, 10000 } },
	{ "touch_pages", "first touch of a page of a VMA that has pages",
	  run_touch_pages, { 1000 } },
	{ "unmap_vmas", "munmap of N faulted VMAs at once, for each of them",
	  run_unmap_vmas, { 10, 1000, 10000 } },
	{ "protect_split", "mprotect that makes three VMAs of one",
	  run_protect_split, { 1 } },
	{ "protect_merge", "mprotect that makes one VMA of three",
	  run_protect_merge, { 1 } },
	{ "brk_grow", "brk that grows the heap by a page, and its first touch",
	  run_brk_grow, { 1 } },
	{ "brk_shrink", "brk that shrinks the heap by a page",
	  run_brk_shrink, { 1 } },
};

const struct metric_group map_group = {
	"map", metrics, ARRAY_SIZE(metrics)
};
