// SPDX-License-Identifier: GPL-2.0
/* Many at once: wall time for each operation of any of them. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define MAX_THREADS	16
#define LOOPS		100
#define PAGES		16
#define CHILDREN	100
#define CHILD_LOOPS	10
#define AREA(i)		(BASE + (i) * 2 * TABLE)

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE	67
#endif

static pthread_barrier_t barrier;

struct worker {
	pthread_t thread;
	unsigned long area;
	void (*work)(unsigned long area);
};

static void work_fault(unsigned long area)
{
	touch(area, PAGES);
	if (madvise((void *)area, PAGES * PAGE, MADV_DONTNEED))
		die("MADV_DONTNEED: %m");
}

static void work_map(unsigned long area)
{
	map(area + TABLE, PAGES);
	touch(area + TABLE, PAGES);
	unmap(area + TABLE, PAGES);
}

static void work_move(unsigned long area)
{
	touch(area, PAGES);
	move(area, area + TABLE, PAGES);
	move(area + TABLE, area, PAGES);
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	int i;

	map(worker->area, PAGES);
	pthread_barrier_wait(&barrier);
	for (i = 0; i < LOOPS; i++)
		worker->work(worker->area);
	pthread_barrier_wait(&barrier);
	unmap(worker->area, PAGES);
	return NULL;
}

static void run_threads(const struct run *run, void (*work)(unsigned long area))
{
	struct worker workers[MAX_THREADS];
	unsigned long i, begin;

	if (run->n > MAX_THREADS)
		die("%lu threads are too many", run->n);
	pthread_barrier_init(&barrier, NULL, run->n + 1);
	for (i = 0; i < run->n; i++) {
		workers[i] = (struct worker){ .area = AREA(i), .work = work };
		if (pthread_create(&workers[i].thread, NULL, worker_main,
				   &workers[i]))
			die("pthread_create");
	}
	pthread_barrier_wait(&barrier);
	begin = now();
	pthread_barrier_wait(&barrier);
	result(run, (double)(now() - begin) / (run->n * LOOPS));
	for (i = 0; i < run->n; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_barrier_destroy(&barrier);
}

static void run_threads_fault(const struct run *run)
{
	run_threads(run, work_fault);
}

static void run_threads_map(const struct run *run)
{
	run_threads(run, work_map);
}

static void run_threads_move(const struct run *run)
{
	run_threads(run, work_move);
}

/*
 * A collector beside them: it moves pages from one mapping to another, and back, a
 * certain number for each of their operations.
 */
#define MOVER_PAGES	64
#define MOVER_AREA	AREA(MAX_THREADS)
#define MOVES_EACH	4

static void move_in_place(unsigned long from, unsigned long to)
{
	if (mremap((void *)from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED |
		   MREMAP_DONTUNMAP, to) == MAP_FAILED)
		die("mremap: %m");
}

static void *mover_main(void *arg)
{
	unsigned long a = MOVER_AREA, b = MOVER_AREA + TABLE, i, offset;
	const struct run *run = arg;

	map(a, MOVER_PAGES);
	map(b, MOVER_PAGES);
	touch(a, MOVER_PAGES);
	for (i = 0; i < run->n * LOOPS * MOVES_EACH / 2; i++) {
		offset = i % MOVER_PAGES * PAGE;
		move_in_place(a + offset, b + offset);
		move_in_place(b + offset, a + offset);
	}
	unmap(a, MOVER_PAGES);
	unmap(b, MOVER_PAGES);
	return NULL;
}

static void work_beside(unsigned long area)
{
	work_fault(area);
	work_map(area);
}

static void run_beside(const struct run *run)
{
	run_threads(run, work_beside);
}

static void run_beside_mover(const struct run *run)
{
	pthread_t mover;

	if (pthread_create(&mover, NULL, mover_main, (void *)run))
		die("pthread_create");
	run_threads(run, work_beside);
	pthread_join(mover, NULL);
}

static void child_main(void)
{
	int i;

	touch(BASE, PAGES);
	for (i = 0; i < CHILD_LOOPS; i++)
		work_map(BASE);
	_exit(0);
}

static void run_children(const struct run *run)
{
	unsigned long begin = now();
	pid_t pids[CHILDREN];
	int i;

	map(BASE, PAGES);
	touch(BASE, PAGES);
	for (i = 0; i < CHILDREN; i++) {
		pids[i] = start();
		if (!pids[i])
			child_main();
	}
	for (i = 0; i < CHILDREN; i++)
		finish(pids[i]);
	unmap(BASE, PAGES);
	result(run, (double)(now() - begin) / (CHILDREN * CHILD_LOOPS));
}

/* Reclaims and compacts until it is killed. */
static pid_t antagonist_start(void)
{
	pid_t pid;

	join_group();
	write_file("/sys/kernel/mm/ksm/sleep_millisecs", "1");
	write_file("/sys/kernel/mm/ksm/run", "1");
	if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0))
		die("PR_SET_MEMORY_MERGE: %m");
	pid = start();
	if (pid)
		return pid;
	for (;;) {
		reclaim_from_group();
		write_file("/proc/sys/vm/compact_memory", "1");
		usleep(1000);
	}
}

static void antagonist_end(pid_t pid)
{
	int status;

	write_file("/sys/kernel/mm/ksm/run", "0");
	if (kill(pid, SIGKILL) || waitpid(pid, &status, 0) != pid)
		die("the antagonist is gone: %m");
	if (!WIFSIGNALED(status))
		die("the antagonist ended with status %#x", status);
}

/* The same with an antagonist. */
#define WITH_RECLAIM(name)						\
static void run_##name##_reclaim(const struct run *run)		\
{									\
	pid_t pid = antagonist_start();					\
									\
	run_##name(run);						\
	antagonist_end(pid);						\
}

WITH_RECLAIM(threads_fault)
WITH_RECLAIM(threads_map)
WITH_RECLAIM(threads_move)
WITH_RECLAIM(children)

static const struct metric metrics[] = {
	{ "threads_fault", "N threads of a process fault 16 pages each",
	  run_threads_fault, { 2, 4, 8, 16 }, .processors = true },
	{ "threads_map", "N threads map, touch and unmap 16 pages each",
	  run_threads_map, { 2, 4, 8, 16 }, .processors = true },
	{ "threads_move", "N threads touch 16 pages each and move them twice",
	  run_threads_move, { 2, 4, 8, 16 }, .processors = true },
	{ "threads_beside", "N threads fault and map 16 pages each",
	  run_beside, { 3 } },
	{ "threads_beside_mover", "the same beside a thread that moves 4 pages for each",
	  run_beside_mover, { 3 } },
	{ "children_map", "100 children map, touch and unmap 16 pages each",
	  run_children, { CHILDREN } },
	{ "threads_fault_reclaim", "fault while memory is reclaimed, compacted, merged",
	  run_threads_fault_reclaim, { 2, 4, 8, 16 }, .processors = true },
	{ "threads_map_reclaim", "map, touch and unmap meanwhile",
	  run_threads_map_reclaim, { 2, 4, 8, 16 }, .processors = true },
	{ "threads_move_reclaim", "touch and move meanwhile",
	  run_threads_move_reclaim, { 2, 4, 8, 16 }, .processors = true },
	{ "children_reclaim", "100 children map, touch and unmap meanwhile",
	  run_children_reclaim, { CHILDREN } },
};

const struct metric_group contention_group = {
	"contention", metrics, ARRAY_SIZE(metrics)
};
