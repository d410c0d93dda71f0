// SPDX-License-Identifier: GPL-2.0
/*
 * mremap() from one distant place to the next, never back. What a hop costs
 * should not depend on those before it, so each has a figure of its own.
 *
 *	| place 0 |	| place 1 |	| place 2 |	...	one VMA, always
 *	     `---------------^ `-------------^
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "bench.h"

#define HOPS		10UL
#define DISTANCE	(1UL << 40)

struct chain {
	unsigned long unit;	/* pages of what N counts */
	unsigned long stride;	/* pages from one that is touched to the next */
	unsigned long off;	/* each place is off the last one's alignment */
	bool huge;
};

/*
 * A table moves as a whole if both places are aligned to what it maps, which
 * is 2 MiB for one of page table entries and 1 GiB for one of these tables.
 */
static const struct chain pages = { .unit = 1, .stride = 1, .off = PAGE };
static const struct chain tables = { .unit = 1, .stride = 1 };
static const struct chain sparse = { .unit = 1, .stride = 512, .off = TABLE };
static const struct chain upper = { .unit = 1, .stride = 512 };
static const struct chain huge = { .unit = 512, .stride = 1, .huge = true };

static unsigned long place(const struct chain *chain, unsigned long hop)
{
	return BASE + hop * (DISTANCE + chain->off);
}

static void check(const struct chain *chain, unsigned long addr,
		  unsigned long pages)
{
	if (chain->huge)
		check_huge(addr, pages);
	else
		check_one_vma(addr, pages);
	check_filled(addr, pages, chain->stride);
}

static void hop_all(const struct run *run, unsigned long *times)
{
	const struct chain *chain = run->metric->data;
	unsigned long i, t, pages = run->n * chain->unit;
	struct crowd *crowd;

	if (chain->huge)
		map_huge(BASE, pages);
	else
		map(BASE, pages);
	fill(BASE, 0, pages, chain->stride);
	check(chain, BASE, pages);
	crowd = family_start(run);
	for (i = 0; i < HOPS; i++) {
		t = now();
		move(place(chain, i), place(chain, i + 1), pages);
		times[i] += now() - t;
	}
	check(chain, place(chain, HOPS), pages);
	check_family(run, place(chain, HOPS));
	family_end(crowd);
	unmap(place(chain, HOPS), pages);
}

/* The timer interrupt comes in the middle of some hops: do enough of them. */
static unsigned long rounds(const struct run *run)
{
	const struct chain *chain = run->metric->data;

	return run->n * chain->unit < 1000 ? 100 : 4;
}

static void run_chain(const struct run *run)
{
	unsigned long times[HOPS] = { 0 }, nr = rounds(run), sum = 0, i;
	char part[16];

	for (i = 0; i < nr; i++)
		hop_all(run, times);
	for (i = 0; i < HOPS; i++)
		sum += times[i];
	result(run, (double)sum / (nr * HOPS));
	for (i = 0; i < HOPS; i++) {
		snprintf(part, sizeof(part), "hop%lu", i + 1);
		result_part(run, part, (double)times[i] / nr, clock_unit());
	}
}

/*
 * One page table's memory is filled, always at the same addresses, and moved to a place
 * of its own: N times. Then one page of each is swapped out.
 */
static void run_promote(const struct run *run)
{
	const struct chain *chain = run->metric->data;
	unsigned long i, t, moves = 0, out = 0;

	for (i = 0; i < run->n; i++) {
		map(BASE, 512);
		fill(BASE, 0, 512, chain->stride);
		t = now();
		move(BASE, OTHER_BASE + i * TABLE, 512);
		moves += now() - t;
	}
	for (i = 0; i < run->n; i++) {
		t = now();
		if (madvise((void *)(OTHER_BASE + i * TABLE), PAGE, MADV_PAGEOUT))
			die("MADV_PAGEOUT: %m");
		out += now() - t;
	}
	for (i = 0; i < run->n; i++)
		check_filled(OTHER_BASE + i * TABLE, 512, chain->stride);
	unmap(OTHER_BASE, run->n * 512);
	result(run, (double)moves / run->n);
	result_part(run, "swap_out", (double)out / run->n, clock_unit());
}

#define CHAIN(name, what, of, ...)					\
	{ name, "ten hops by mremap of " what,				\
	  run_chain, __VA_ARGS__, .data = &(of) },			\
	{ name "_child", "ten hops, a child shares " what,		\
	  run_chain, __VA_ARGS__, .family = CHILD, .data = &(of) },	\
	{ name "_gone", "ten hops, a child that has gone shared " what,	\
	  run_chain, __VA_ARGS__, .family = CHILD_GONE, .data = &(of) }

static const struct metric metrics[] = {
	CHAIN("chain_pages", "N pages, page table entries", pages,
	      { 1, 256 }),
	CHAIN("chain_tables", "N pages, whole page tables", tables,
	      { 512, 16384 }),
	CHAIN("chain_sparse", "N pages, tables with a page each", sparse,
	      { 262144 }),
	CHAIN("chain_upper", "N pages, whole tables of these tables", upper,
	      { 262144 }),
	CHAIN("chain_huge", "N huge pages", huge, { 32 }),
	{ "promote", "N times a full page table, to a new place each",
	  run_promote, { 100 }, .data = &tables },
	{ "promote_sparse", "N times a page table with one page, as well",
	  run_promote, { 100, 1000 }, .data = &upper },
};

const struct metric_group chain_group = {
	"chain", metrics, ARRAY_SIZE(metrics)
};
