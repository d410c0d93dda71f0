// SPDX-License-Identifier: GPL-2.0
/*
 * Collectors: the pages of one region are moved to another one, in an order
 * that has nothing to do with their addresses.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../uffdio_move.h"
#include "bench.h"

#define SEED	1
#define FAILED	(~0U)

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

/* Returns 0 or an errno. */
typedef int (*move_page_t)(unsigned long from, unsigned long to);

static int uffd;

static int move_by_mremap(unsigned long from, unsigned long to)
{
	return mremap((void *)from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		      to) == MAP_FAILED ? errno : 0;
}

static int move_by_dontunmap(unsigned long from, unsigned long to)
{
	return mremap((void *)from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED |
		      MREMAP_DONTUNMAP, to) == MAP_FAILED ? errno : 0;
}

static int move_by_uffd(unsigned long from, unsigned long to)
{
	struct uffdio_move move = { .dst = to, .src = from, .len = PAGE };

	return ioctl(uffd, UFFDIO_MOVE, &move) ? errno : 0;
}

static void open_uffd(unsigned long pages)
{
	struct uffdio_api api = { .api = UFFD_API,
				  .features = UFFD_FEATURE_MOVE };
	struct uffdio_register area = {
		.range = { OTHER_BASE, pages * PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &area))
		die("userfaultfd: %m");
}

static unsigned int *shuffled(unsigned long n)
{
	unsigned int *order = malloc(n * sizeof(*order)), seed = SEED, swap;
	unsigned long i, j;

	if (!order)
		die("malloc: %m");
	for (i = 0; i < n; i++)
		order[i] = i;
	for (i = n - 1; i; i--) {
		j = (((unsigned long)rand_r(&seed) << 15) ^ rand_r(&seed)) %
			(i + 1);
		swap = order[i];
		order[i] = order[j];
		order[j] = swap;
	}
	return order;
}

struct outcome {
	unsigned long moved;
	unsigned long efault;
	unsigned long enomem;
	unsigned long ebusy;
	unsigned long time;
};

/* What has failed is marked in the order. */
static void move_all(struct outcome *outcome, unsigned int *order,
		     unsigned long first, unsigned long last,
		     move_page_t move_page)
{
	unsigned long i, begin = now();
	int err;

	for (i = first; i < last; i++) {
		err = move_page(BASE + order[i] * PAGE, OTHER_BASE + i * PAGE);
		if (!err)
			outcome->moved++;
		else if (err == EFAULT)
			outcome->efault++;
		else if (err == ENOMEM)
			outcome->enomem++;
		else if (err == EBUSY)
			outcome->ebusy++;
		else
			die("moving page %lu: error %d", i, err);
		if (err)
			order[i] = FAILED;
	}
	outcome->time += now() - begin;
}

/* The next cycle moves the region on, all of it at once. */
static unsigned long move_on(struct outcome *outcome, unsigned long n)
{
	void *to = (void *)(OTHER_BASE + 0x100000000000UL);
	int err;

	if (mremap((void *)OTHER_BASE, n * PAGE, n * PAGE,
		   MREMAP_MAYMOVE | MREMAP_FIXED, to) == to)
		return (unsigned long)to;
	err = errno;
	if (err != EFAULT && err != ENOMEM)
		die("moving on: error %d", err);
	outcome->efault += err == EFAULT;
	outcome->enomem += err == ENOMEM;
	return OTHER_BASE;
}

static void check_moved(unsigned long where, const unsigned int *order,
			unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++)
		if (order[i] != FAILED &&
		    !is_filled(where + i * PAGE, order[i]))
			die("page %u has not come to place %lu", order[i], i);
}

/* How pages are moved, and what is there to begin with. */
struct collector {
	move_page_t move_page;
	bool mapped;		/* is the new region there already? */
	bool by_uffd;		/* and registered? */
	bool huge;		/* do the pages leave huge pages? */
};

static void collect(const struct run *run)
{
	const struct collector *collector = run->metric->data;
	unsigned int *order = shuffled(run->n);
	struct outcome outcome = { .moved = 0 };
	unsigned long half, end, where;

	move_all(&outcome, order, 0, run->n / 2, collector->move_page);
	half = count_vmas();
	move_all(&outcome, order, run->n / 2, run->n, collector->move_page);
	end = count_vmas();
	where = move_on(&outcome, run->n);
	check_moved(where, order, run->n);
	free(order);

	if (outcome.moved)
		result(run, (double)outcome.time / outcome.moved);
	result_part(run, "vmas_half", half, "VMAs");
	result_part(run, "vmas_end", end, "VMAs");
	result_part(run, "efault", outcome.efault, "failures");
	result_part(run, "enomem", outcome.enomem, "failures");
	result_part(run, "ebusy", outcome.ebusy, "failures");
	munmap((void *)where, run->n * PAGE);
}

static void run_collector(const struct run *run)
{
	const struct collector *collector = run->metric->data;
	unsigned long pages = (run->n + TABLE / PAGE - 1) & -(TABLE / PAGE);
	struct crowd *crowd;

	if (collector->huge)
		map_huge(BASE, pages);
	else
		map(BASE, pages);
	fill(BASE, 0, pages, 1);
	if (collector->huge)
		check_huge(BASE, pages);
	if (collector->mapped && collector->huge)
		map_huge(OTHER_BASE, run->n);
	else if (collector->mapped)
		map(OTHER_BASE, run->n);
	crowd = family_start(run);
	check_family(run, BASE);
	if (collector->by_uffd)
		open_uffd(run->n);
	collect(run);
	if (collector->by_uffd)
		close(uffd);
	family_end(crowd);
	munmap((void *)BASE, pages * PAGE);
}

static const struct collector by_mremap = { move_by_mremap };
static const struct collector by_dontunmap = { move_by_dontunmap };
static const struct collector in_place = { move_by_dontunmap, .mapped = true };
static const struct collector by_uffd = {
	move_by_uffd, .mapped = true, .by_uffd = true
};
static const struct collector by_mremap_huge = {
	move_by_mremap, .huge = true
};
static const struct collector by_dontunmap_huge = {
	move_by_dontunmap, .huge = true
};
static const struct collector in_place_huge = {
	move_by_dontunmap, .mapped = true, .huge = true
};
static const struct collector by_uffd_huge = {
	move_by_uffd, .mapped = true, .by_uffd = true, .huge = true
};

/* Of small pages and of huge ones, alone and with a child that has them, too. */
#define COLLECTOR(name, collector, what, ...)				\
	{ "collect_" name, what ", each of N pages", run_collector,	\
	  { __VA_ARGS__ }, true, .data = &(collector) },		\
	{ "collect_" name "_child", "the same, shared with a child",	\
	  run_collector, { 100000 }, true, .family = CHILD,		\
	  .data = &(collector) },					\
	{ "collect_" name "_huge", "the same, out of huge pages",	\
	  run_collector, { 100000 }, true,				\
	  .data = &(collector##_huge) },				\
	{ "collect_" name "_huge_child", "the same, shared with a child", \
	  run_collector, { 100000 }, true, .family = CHILD,		\
	  .data = &(collector##_huge) }

static const struct metric metrics[] = {
	COLLECTOR("mremap", by_mremap, "collector by mremap()",
		  10000, 50000, 100000, 200000),
	COLLECTOR("dontunmap", by_dontunmap, "by MREMAP_DONTUNMAP", 100000),
	COLLECTOR("in_place", in_place,
		  "by MREMAP_DONTUNMAP to a region that is mapped already",
		  100000),
	COLLECTOR("uffd", by_uffd, "by UFFDIO_MOVE", 100000),
};

const struct metric_group collect_group = {
	"collect", metrics, ARRAY_SIZE(metrics)
};
