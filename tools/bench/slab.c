// SPDX-License-Identifier: GPL-2.0
/* Kernel memory that address spaces take. */
#define _GNU_SOURCE
#include <unistd.h>

#include "bench.h"

#define SLAB	"/sys/kernel/slab/"
#define TRIES	40

/* Not every kernel has all of them. */
static const char * const caches[] = {
	"vm_area_struct", "vma_lock", "anon_vma", "anon_vma_chain",
	"anon_membership", "anon_extent",
};

struct slabs {
	double bytes[ARRAY_SIZE(caches)];
	double sum;
};

static double cache_bytes(const char *cache)
{
	char path[128];
	long objects;

	snprintf(path, sizeof(path), SLAB "%s/shrink", cache);
	if (access(path, F_OK))
		return 0;
	write_file(path, "1");
	snprintf(path, sizeof(path), SLAB "%s/objects", cache);
	objects = read_number(path);
	snprintf(path, sizeof(path), SLAB "%s/slab_size", cache);
	return objects * read_number(path);
}

static struct slabs count_once(void)
{
	struct slabs slabs = { .sum = 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(caches); i++) {
		slabs.bytes[i] = cache_bytes(caches[i]);
		slabs.sum += slabs.bytes[i];
	}
	return slabs;
}

/* Frees are deferred: the count is the one that stays. */
static struct slabs count_slabs(void)
{
	struct slabs last, slabs = count_once();
	int i, same = 0;

	for (i = 0; i < TRIES && same < 3; i++) {
		usleep(50000);
		last = slabs;
		slabs = count_once();
		same = slabs.sum == last.sum ? same + 1 : 0;
	}
	return slabs;
}

/* What has been added since the count, for each of a number of objects. */
static void added(const struct run *run, const struct slabs *before,
		  unsigned long nr)
{
	struct slabs after = count_slabs();
	size_t i;

	result_part(run, "", (after.sum - before->sum) / nr, "bytes");
	for (i = 0; i < ARRAY_SIZE(caches); i++)
		if (after.bytes[i])
			result_part(run, caches[i],
				    (after.bytes[i] - before->bytes[i]) / nr,
				    "bytes");
}

static void run_slab_touch(const struct run *run)
{
	struct slabs before = count_slabs();

	spread(run->n);
	touch_spread(run->n);
	added(run, &before, run->n);
	unmap_spread(run->n);
}

static void run_slab_fork(const struct run *run)
{
	struct slabs before = count_slabs();
	struct crowd *crowd;

	spread(run->n);
	touch_spread(run->n);
	crowd = crowd_start(1);
	added(run, &before, 2 * run->n);
	crowd_end(crowd);
	unmap_spread(run->n);
}

/* The last page comes first. */
static void reverse(unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++)
		move(BASE + i * PAGE, OTHER_BASE + (n - 1 - i) * PAGE, 1);
}

static void run_slab_move(const struct run *run)
{
	struct slabs before = count_slabs();

	map(BASE, run->n);
	touch(BASE, run->n);
	reverse(run->n);
	added(run, &before, run->n);
	unmap(OTHER_BASE, run->n);
}

/* The child keeps the pages, so none of them can be given a new index. */
static void run_slab_move_shared(const struct run *run)
{
	struct slabs before;
	struct crowd *crowd;

	map(BASE, run->n);
	touch(BASE, run->n);
	crowd = crowd_start(1);
	before = count_slabs();
	reverse(run->n);
	added(run, &before, run->n);
	crowd_end(crowd);
	unmap(OTHER_BASE, run->n);
}

static const struct metric metrics[] = {
	{ "slab_touch", "bytes for each of N VMAs that have a page",
	  run_slab_touch, { 1000 }, true },
	{ "slab_fork", "the same after a fork, VMAs of both processes counted",
	  run_slab_fork, { 1000 }, true },
	{ "slab_move", "bytes for each of N pages of a VMA put in reverse order",
	  run_slab_move, { 1000 }, true },
	{ "slab_move_shared", "bytes that this adds if a child shares the pages",
	  run_slab_move_shared, { 1000 }, true },
};

const struct metric_group slab_group = {
	"slab", metrics, ARRAY_SIZE(metrics)
};
