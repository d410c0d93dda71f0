// SPDX-License-Identifier: GPL-2.0
/* mremap(). */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "bench.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

#define LOOPS	1000

/* There and back again: each way is one move. */
static void move_loop(const struct run *run, unsigned long to,
		      unsigned long pages)
{
	unsigned long i, begin = now();

	for (i = 0; i < LOOPS / 2; i++) {
		move(BASE, to, pages);
		move(to, BASE, pages);
	}
	result(run, (double)(now() - begin) / LOOPS);
}

static void run_move_tables(const struct run *run)
{
	map(BASE, run->n);
	touch(BASE, run->n);
	move_loop(run, OTHER_BASE, run->n);
	unmap(BASE, run->n);
}

/* A page off the alignment of a page table: entry by entry. */
static void run_move_pages(const struct run *run)
{
	map(BASE, run->n);
	touch(BASE, run->n);
	move_loop(run, OTHER_BASE + PAGE, run->n);
	unmap(BASE, run->n);
}

static void run_move_shared(const struct run *run)
{
	struct crowd *crowd;

	map(BASE, run->n);
	touch(BASE, run->n);
	crowd = crowd_start(1);
	move_loop(run, OTHER_BASE + PAGE, run->n);
	crowd_end(crowd);
	unmap(BASE, run->n);
}

static void run_move_untouched(const struct run *run)
{
	map(BASE, run->n);
	move_loop(run, OTHER_BASE + PAGE, run->n);
	unmap(BASE, run->n);
}

static void run_move_huge(const struct run *run)
{
	unsigned long pages = run->n * TABLE / PAGE;

	map(BASE, pages);
	if (madvise((void *)BASE, pages * PAGE, MADV_HUGEPAGE))
		die("MADV_HUGEPAGE: %m");
	touch(BASE, pages);
	move_loop(run, OTHER_BASE, pages);
	unmap(BASE, pages);
}

/*
 *	| left | page | right |	one VMA
 *	| left |      | right |	page is elsewhere
 *	| left | page | right |	one VMA again: this move is measured
 */
static void merge_loop(const struct run *run, unsigned long left,
		       unsigned long right)
{
	unsigned long page = BASE + left * PAGE, pages = left + 1 + right;
	unsigned long i, t, sum = 0, vmas;

	map(BASE, pages);
	touch(BASE, pages);
	vmas = count_vmas();
	for (i = 0; i < LOOPS; i++) {
		move(page, OTHER_BASE, 1);
		t = now();
		move(OTHER_BASE, page, 1);
		sum += now() - t;
	}
	if (count_vmas() != vmas)
		die("%s: not merged", run->metric->name);
	unmap(BASE, pages);
	result(run, (double)sum / LOOPS);
}

static void run_merge_left(const struct run *run)
{
	merge_loop(run, 1, 0);
}

static void run_merge_right(const struct run *run)
{
	merge_loop(run, 0, 1);
}

static void run_merge_both(const struct run *run)
{
	merge_loop(run, 1, 1);
}

/*
 * Between two mappings that are there all the time, as collectors do. If all of a mapping
 * moves both kernels do more, as it has no pages then.
 */
static void run_in_place(const struct run *run)
{
	unsigned long i, begin, len = run->n * PAGE;

	map(BASE, run->n + 1);
	map(OTHER_BASE, run->n + 1);
	touch(BASE, run->n);
	begin = now();
	for (i = 0; i < LOOPS; i++) {
		unsigned long from = i & 1 ? OTHER_BASE : BASE;
		unsigned long to = i & 1 ? BASE : OTHER_BASE;

		if (mremap((void *)from, len, len, MREMAP_MAYMOVE |
			   MREMAP_FIXED | MREMAP_DONTUNMAP, to) == MAP_FAILED)
			die("mremap: %m");
	}
	result(run, (double)(now() - begin) / LOOPS);
	unmap(BASE, run->n + 1);
	unmap(OTHER_BASE, run->n + 1);
}

static void run_grow(const struct run *run)
{
	unsigned long i, begin = now();
	void *mem;

	for (i = 0; i < LOOPS; i++) {
		map(BASE, 1);
		touch(BASE, 1);
		mem = mremap((void *)BASE, PAGE, 2 * PAGE, 0);
		if (mem == MAP_FAILED)
			die("mremap: %m");
		touch(BASE + PAGE, 1);
		unmap(BASE, 2);
	}
	result(run, (double)(now() - begin) / LOOPS);
}

static const struct metric metrics[] = {
	{ "move_pages", "mremap of N pages, page table entries",
	  run_move_pages, { 1, 16, 256 } },
	{ "move_shared", "the same of pages that a child shares",
	  run_move_shared, { 1, 16, 256 } },
	{ "move_untouched", "mremap of N pages that were never touched",
	  run_move_untouched, { 1, 256 } },
	{ "move_tables", "mremap of N pages, whole page tables",
	  run_move_tables, { 512, 16384 } },
	{ "move_huge", "mremap of N huge pages", run_move_huge, { 1, 16 } },
	{ "move_merge_left", "mremap of a page into a merge with the left side",
	  run_merge_left, { 1 } },
	{ "move_merge_right", "mremap of a page into a merge with the right side",
	  run_merge_right, { 1 } },
	{ "move_merge_both", "mremap of a page into a merge with both sides",
	  run_merge_both, { 1 } },
	{ "move_in_place", "mremap(DONTUNMAP) of N pages to an equal mapping",
	  run_in_place, { 1, 16, 256 } },
	{ "move_grow", "mmap, mremap that grows in place, munmap", run_grow,
	  { 1 } },
};

const struct metric_group move_group = {
	"move", metrics, ARRAY_SIZE(metrics)
};
