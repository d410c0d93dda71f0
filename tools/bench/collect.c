// SPDX-License-Identifier: GPL-2.0
/*
 * Collectors: the pages of one region are moved to another one, in an order
 * that has nothing to do with their addresses.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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

static void collect(const struct run *run, move_page_t move_page)
{
	unsigned int *order = shuffled(run->n);
	struct outcome outcome = { .moved = 0 };
	unsigned long half, end, where;

	move_all(&outcome, order, 0, run->n / 2, move_page);
	half = count_vmas();
	move_all(&outcome, order, run->n / 2, run->n, move_page);
	end = count_vmas();
	where = move_on(&outcome, run->n);
	check_moved(where, order, run->n);
	free(order);

	result(run, (double)outcome.time / outcome.moved);
	result_part(run, "vmas_half", half, "VMAs");
	result_part(run, "vmas_end", end, "VMAs");
	result_part(run, "efault", outcome.efault, "failures");
	result_part(run, "enomem", outcome.enomem, "failures");
	munmap((void *)where, run->n * PAGE);
	munmap((void *)BASE, run->n * PAGE);
}

static void run_mremap(const struct run *run)
{
	map(BASE, run->n);
	fill(BASE, 0, run->n, 1);
	collect(run, move_by_mremap);
}

static void run_dontunmap(const struct run *run)
{
	map(BASE, run->n);
	fill(BASE, 0, run->n, 1);
	collect(run, move_by_dontunmap);
}

static void run_uffd(const struct run *run)
{
	map(BASE, run->n);
	fill(BASE, 0, run->n, 1);
	map(OTHER_BASE, run->n);
	open_uffd(run->n);
	collect(run, move_by_uffd);
	close(uffd);
}

/* Pages leave huge pages, one by one, which the kernel splits or maps apart. */
static void run_huge(const struct run *run)
{
	unsigned long pages = (run->n + TABLE / PAGE - 1) & -(TABLE / PAGE);
	struct crowd *crowd;

	map_huge(BASE, pages);
	fill(BASE, 0, pages, 1);
	check_huge(BASE, pages);
	crowd = family_start(run);
	check_family(run, BASE);
	collect(run, move_by_mremap);
	family_end(crowd);
	munmap((void *)BASE, pages * PAGE);
}

static const struct metric metrics[] = {
	{ "collect_mremap", "mremap of each of N pages, for each page moved",
	  run_mremap, { 10000, 50000, 100000, 200000 }, true },
	{ "collect_dontunmap", "the same with MREMAP_DONTUNMAP",
	  run_dontunmap, { 10000, 50000, 100000, 200000 }, true },
	{ "collect_uffd", "the same with UFFDIO_MOVE",
	  run_uffd, { 10000, 50000, 100000, 200000 }, true },
};

static const struct metric gather_metrics[] = {
	{ "collect_huge", "mremap of each of N pages out of huge pages",
	  run_huge, { 20000, 100000 }, true },
	{ "collect_huge_child", "the same, shared with a child",
	  run_huge, { 20000, 100000 }, true, .family = CHILD },
	{ "collect_huge_gone", "the same, the child has gone",
	  run_huge, { 20000 }, true, .family = CHILD_GONE },
};

const struct metric_group gather_group = {
	"gather", gather_metrics, ARRAY_SIZE(gather_metrics)
};

const struct metric_group collect_group = {
	"collect", metrics, ARRAY_SIZE(metrics)
};
