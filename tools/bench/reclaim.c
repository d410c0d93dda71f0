// SPDX-License-Identifier: GPL-2.0
/* Walks of the reverse map: reclaim and migration. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define SWAP_PAGES	2000
#define MIGRATE_PAGES	512
#define NEWER_PAGES	256

/* Pages of one repeated word: the swap device has next to nothing to do. */
static void swap_loop(const struct run *run, bool want_in)
{
	unsigned long begin, out, in;

	map(BASE, SWAP_PAGES);
	touch(BASE, SWAP_PAGES);
	begin = now();
	if (madvise((void *)BASE, SWAP_PAGES * PAGE, MADV_PAGEOUT))
		die("MADV_PAGEOUT: %m");
	out = now() - begin;
	begin = now();
	touch(BASE, SWAP_PAGES);
	in = now() - begin;
	unmap(BASE, SWAP_PAGES);
	result(run, (double)(want_in ? in : out) / SWAP_PAGES);
}

static void run_swap_out(const struct run *run)
{
	swap_loop(run, false);
}

static void run_swap_in(const struct run *run)
{
	swap_loop(run, true);
}

static void migrate_loop(const struct run *run, unsigned long addr)
{
	unsigned long begin;

	move_to_node(addr, MIGRATE_PAGES, 0);
	begin = now();
	move_to_node(addr, MIGRATE_PAGES, 1);
	move_to_node(addr, MIGRATE_PAGES, 0);
	result(run, (double)(now() - begin) / (2 * MIGRATE_PAGES));
}

static void run_migrate(const struct run *run)
{
	struct crowd *crowd;

	map(BASE, MIGRATE_PAGES);
	touch(BASE, MIGRATE_PAGES);
	crowd = crowd_start(run->n - 1);
	migrate_loop(run, BASE);
	crowd_end(crowd);
	unmap(BASE, MIGRATE_PAGES);
}

/* Nobody else has the pages, but the children might. */
static void run_migrate_copied(const struct run *run)
{
	struct crowd *crowd;

	map(BASE, MIGRATE_PAGES);
	touch(BASE, MIGRATE_PAGES);
	crowd = crowd_start(run->n - 1);
	touch(BASE, MIGRATE_PAGES);
	migrate_loop(run, BASE);
	crowd_end(crowd);
	unmap(BASE, MIGRATE_PAGES);
}

static unsigned long unmap_pages(void)
{
	unmap(BASE, MIGRATE_PAGES);
	return 0;
}

/* The children had them, and the parent has not written to them since. */
static void run_migrate_unmapped(const struct run *run)
{
	struct crowd *crowd;

	map(BASE, MIGRATE_PAGES);
	touch(BASE, MIGRATE_PAGES);
	crowd = crowd_start_work(run->n - 1, unmap_pages);
	crowd_work(crowd);
	migrate_loop(run, BASE);
	crowd_end(crowd);
	unmap(BASE, MIGRATE_PAGES);
}

/* The children do not even have the VMA. */
static void run_migrate_newer(const struct run *run)
{
	struct crowd *crowd;

	map(BASE, 1);
	touch(BASE, 1);
	crowd = crowd_start(run->n - 1);
	map(OTHER_BASE, MIGRATE_PAGES);
	touch(OTHER_BASE, MIGRATE_PAGES);
	migrate_loop(run, OTHER_BASE);
	crowd_end(crowd);
	unmap(OTHER_BASE, MIGRATE_PAGES);
	unmap(BASE, 1);
}

/* One of several siblings has written the pages. */
static void run_migrate_child(const struct run *run)
{
	struct crowd *crowd;
	pid_t pid;

	map(BASE, MIGRATE_PAGES);
	touch(BASE, MIGRATE_PAGES);
	crowd = crowd_start(run->n - 1);
	pid = start();
	if (!pid) {
		touch(BASE, MIGRATE_PAGES);
		migrate_loop(run, BASE);
		_exit(0);
	}
	finish(pid);
	crowd_end(crowd);
	unmap(BASE, MIGRATE_PAGES);
}

/*
 * Walkers of pages that the parent has made after it has forked all children but one, who
 * shares them if the pages are shared at all.
 */
static void newer_loop(const struct run *run, bool shared,
		       unsigned long (*walk)(void))
{
	struct crowd *crowd, *last;

	map(BASE, 1);
	touch(BASE, 1);
	crowd = crowd_start(run->n - 2);
	map(OTHER_BASE, NEWER_PAGES);
	touch(OTHER_BASE, NEWER_PAGES);
	last = crowd_start(1);
	if (!shared)
		touch(OTHER_BASE, NEWER_PAGES);
	result(run, (double)walk() / NEWER_PAGES);
	crowd_end(last);
	crowd_end(crowd);
	unmap(OTHER_BASE, NEWER_PAGES);
	unmap(BASE, 1);
}

static unsigned long walk_by_migration(void)
{
	unsigned long begin;

	move_to_node(OTHER_BASE, NEWER_PAGES, 0);
	begin = now();
	move_to_node(OTHER_BASE, NEWER_PAGES, 1);
	return now() - begin;
}

static unsigned long walk_by_idle_tracking(void)
{
	unsigned long begin;

	find_frames(OTHER_BASE, NEWER_PAGES);
	begin = now();
	mark_frames_idle(NEWER_PAGES);
	return now() - begin;
}

static unsigned long walk_by_reclaim(void)
{
	unsigned long begin = now();

	reclaim_from_group();
	return now() - begin;
}

static void run_newer_shared_migrate(const struct run *run)
{
	newer_loop(run, true, walk_by_migration);
}

static void run_newer_shared_idle(const struct run *run)
{
	newer_loop(run, true, walk_by_idle_tracking);
}

static void run_newer_idle(const struct run *run)
{
	newer_loop(run, false, walk_by_idle_tracking);
}

/* Nobody else is in the group but the last child. */
static void run_newer_shared_reclaim(const struct run *run)
{
	join_group();
	newer_loop(run, true, walk_by_reclaim);
}

static const struct metric metrics[] = {
	{ "swap_out", "a page is written to swap", run_swap_out, { 1 } },
	{ "swap_in", "a page is brought in by a fault", run_swap_in, { 1 } },
	{ "migrate", "migration of a page that N processes share", run_migrate,
	  { 1, 10, 100 } },
	{ "migrate_copied", "of one that the parent copied on write, N processes",
	  run_migrate_copied, { 10, 100 } },
	{ "migrate_unmapped", "of one that N - 1 children have unmapped",
	  run_migrate_unmapped, { 10, 100, 1000 } },
	{ "migrate_newer", "of one in a VMA newer than the N - 1 children",
	  run_migrate_newer, { 10, 100 } },
	{ "migrate_child", "of one that a child has written, N - 1 siblings",
	  run_migrate_child, { 10, 100 } },
	{ "newer_shared_migrate",
	  "of one that the parent, older than N - 2 children, shares with the last",
	  run_newer_shared_migrate, { 10, 100, 1000 } },
	{ "newer_shared_reclaim", "reclaim of the same",
	  run_newer_shared_reclaim, { 10, 100, 1000 } },
	{ "newer_shared_idle", "idle page tracking of the same",
	  run_newer_shared_idle, { 10, 100, 1000 } },
	{ "newer_idle", "of one that the parent has copied after that",
	  run_newer_idle, { 10, 100, 1000 } },
};

const struct metric_group reclaim_group = {
	"reclaim", metrics, ARRAY_SIZE(metrics)
};
