// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that a process shares with its children, and has moved, is swapped out
 * and brought in again, first by the parent, then by each child in turn.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

#define PAGES		256UL			/* half a page table of them */
#define TRIES		1000			/* to reclaim */

static void page_out(void)
{
	int i;

	for (i = 0; i < TRIES; i++) {
		reclaim_from_group();
		if (count_swapped(BASE, PAGES) == PAGES)
			return;
	}
	die("of %lu pages only %lu are swapped out", PAGES,
	    count_swapped(BASE, PAGES));
}

/* The time to read all, which copies nothing that has to be shared. */
static unsigned long read_in(unsigned long addr)
{
	unsigned long i, filled = 0, begin = now();

	for (i = 0; i < PAGES; i++)
		filled += is_filled(addr + i * PAGE, i);
	begin = now() - begin;
	if (filled != PAGES)
		die("%lu pages at %#lx are other ones", PAGES - filled, addr);
	return begin;
}

static unsigned long read_in_child(void)
{
	return read_in(BASE);
}

static int compare(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a;
	unsigned long y = *(const unsigned long *)b;

	return (x > y) - (x < y);
}

/* Pages of memory that parent and children have, all together. */
static unsigned long count_frames(const struct crowd *crowd, unsigned long n,
				  unsigned long addr)
{
	unsigned long i, nr = (n + 1) * PAGES, distinct = 1;
	unsigned long *frames = malloc(nr * sizeof(*frames));

	if (!frames)
		die("malloc: %m");
	read_frames(getpid(), addr, PAGES, frames);
	for (i = 0; i < n; i++)
		read_frames(crowd_pid(crowd, i), BASE, PAGES,
			    frames + (i + 1) * PAGES);
	qsort(frames, nr, sizeof(*frames), compare);
	for (i = 1; i < nr; i++)
		distinct += frames[i] != frames[i - 1];
	free(frames);
	return distinct;
}

/* From where all is in swap, of parent and children, to the end. */
static void read_all(const struct run *run, struct crowd *crowd,
		     unsigned long addr)
{
	unsigned long own = read_in(addr), others = crowd_work(crowd);

	result(run, (double)own / PAGES);
	result_part(run, "children", (double)others / (run->n * PAGES),
		    clock_unit());
	result_part(run, "memory", count_frames(crowd, run->n, addr), "pages");
	crowd_end(crowd);
}

/* The parent moves it while it is in swap, entry by entry. */
static void run_moved_swapin(const struct run *run)
{
	unsigned long t, to = OTHER_BASE + PAGE;
	struct crowd *crowd;

	join_group();
	map(BASE, PAGES);
	fill(BASE, 0, PAGES, 1);
	crowd = crowd_start_work(run->n, read_in_child);
	page_out();
	t = now();
	move(BASE, to, PAGES);
	result_part(run, "move", now() - t, clock_unit());
	check_one_vma(to, PAGES);
	read_all(run, crowd, to);
	unmap(to, PAGES);
}

/*
 * The parent moves it away before, has pages made there, and moves it back, all
 * by whole page tables. The children never had the other half.
 */
static void run_moved_back_swapin(const struct run *run)
{
	struct crowd *crowd;

	join_group();
	map(BASE, 2 * PAGES);
	fill(BASE, 0, PAGES, 1);
	crowd = crowd_start_work(run->n, read_in_child);
	move(BASE, OTHER_BASE, 2 * PAGES);
	fill(OTHER_BASE, PAGES, 2 * PAGES, 1);
	move(OTHER_BASE, BASE, 2 * PAGES);
	page_out();
	read_all(run, crowd, BASE);
	check_one_vma(BASE, 2 * PAGES);
	check_filled(BASE, 2 * PAGES, 1);
	unmap(BASE, 2 * PAGES);
}

static const struct metric metrics[] = {
	{ "moved_swapin", "a page shared by N children, moved in swap, is read",
	  run_moved_swapin, { 1, 10, 100 } },
	{ "moved_back_swapin", "one that the parent had elsewhere and back before",
	  run_moved_back_swapin, { 1, 10, 100 } },
};

const struct metric_group swap_group = {
	"swap", metrics, ARRAY_SIZE(metrics)
};
