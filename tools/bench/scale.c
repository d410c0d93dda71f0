// SPDX-License-Identifier: GPL-2.0
/*
 * The work of well-known benchmarks, written anew: will-it-scale's brk1, mmap1, mmap2,
 * page_fault1, page_fault2, malloc1, fork1 and exec, and vm-scalability's anon-cow-seq,
 * anon-cow-rand and small-allocs. N tasks do it, children or threads, and what it costs
 * is that of one round of one of them.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define MAX_TASKS	16
#define SIZE		(4UL << 20)
#define PAGES		(SIZE / PAGE)
#define ALLOC_SIZE	(32UL << 20)	/* malloc() maps it */
#define SMALL_PAGES	2		/* a small allocation, of which */
#define SMALL_VMAS	5000		/* there are many, apart */

/* What a task does again and again, and how often. */
struct work {
	void (*round)(unsigned long task);
	unsigned int rounds;
	bool threads;
};

/* ---- will-it-scale ---- */

/* The heap, as it was after fork(), grows by a page and shrinks. */
static void round_brk(unsigned long task)
{
	char *end = sbrk(PAGE);

	(void)task;
	if (end == (char *)-1)
		die("sbrk: %m");
	*end = 1;
	if (sbrk(-(long)PAGE) == (void *)-1)
		die("sbrk: %m");
}

static void map_and_unmap(int fd, bool touched)
{
	char *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_PRIVATE, fd,
			0);
	unsigned long i;

	if (at == MAP_FAILED)
		die("mmap: %m");
	for (i = 0; touched && i < PAGES; i++)
		at[i * PAGE] = 1;
	if (munmap(at, SIZE))
		die("munmap: %m");
}

static int file;

static void round_mmap1(unsigned long task)
{
	(void)task;
	map_and_unmap(-1, false);
}

static void round_mmap2(unsigned long task)
{
	(void)task;
	map_and_unmap(file, false);
}

static void round_page_fault1(unsigned long task)
{
	(void)task;
	map_and_unmap(-1, true);
}

static void round_page_fault2(unsigned long task)
{
	(void)task;
	map_and_unmap(file, true);
}

static void round_malloc(unsigned long task)
{
	char *volatile at = malloc(ALLOC_SIZE);

	(void)task;
	if (!at)
		die("malloc: %m");
	*at = 1;
	free(at);
}

static void round_fork(unsigned long task)
{
	pid_t pid = start();

	(void)task;
	if (!pid)
		_exit(0);
	finish(pid);
}

static void round_exec(unsigned long task)
{
	pid_t pid = start();

	(void)task;
	if (!pid)
		run_program("exit");
	finish(pid);
}

/* ---- vm-scalability ---- */

/* What the parent has touched, written by each task that is a child of it. */
static unsigned char *inherited;

static void round_cow_seq(unsigned long task)
{
	unsigned long i;

	(void)task;
	for (i = 0; i < PAGES; i++)
		inherited[i * PAGE]++;
}

static void round_cow_rand(unsigned long task)
{
	unsigned long i, page = task;

	for (i = 0; i < PAGES; i++) {
		/* Each page once: the period is PAGES, a power of two. */
		page = (page * 1664525 + 1013904223) % PAGES;
		inherited[page * PAGE]++;
	}
}

static void round_small_allocs(unsigned long task)
{
	unsigned long area = BASE + (task << 36), i;

	for (i = 0; i < SMALL_VMAS; i++) {
		map(area + 2 * i * SMALL_PAGES * PAGE, SMALL_PAGES);
		touch(area + 2 * i * SMALL_PAGES * PAGE, SMALL_PAGES);
	}
	unmap(area, 2 * SMALL_VMAS * SMALL_PAGES);
}

/* ---- tasks ---- */

/* Shared with the children. */
struct meeting {
	pthread_barrier_t barrier;
	unsigned long ready;
};

static struct meeting *meeting;
static const struct work *current;

static void *task_main(void *arg)
{
	unsigned int i;

	__atomic_fetch_add(&meeting->ready, 1, __ATOMIC_RELEASE);
	pthread_barrier_wait(&meeting->barrier);
	for (i = 0; i < current->rounds; i++)
		current->round((unsigned long)arg);
	pthread_barrier_wait(&meeting->barrier);
	return NULL;
}

static void prepare_meeting(const struct run *run)
{
	pthread_barrierattr_t shared;

	meeting = share(PAGE);
	pthread_barrierattr_init(&shared);
	pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&meeting->barrier, &shared, run->n + 1);
}

/* With one processor they may be done before this goes on: look at the clock first. */
static unsigned long wait_for_tasks(const struct run *run)
{
	unsigned long begin;

	while (__atomic_load_n(&meeting->ready, __ATOMIC_ACQUIRE) < run->n)
		usleep(1000);
	begin = now();
	pthread_barrier_wait(&meeting->barrier);
	pthread_barrier_wait(&meeting->barrier);
	return now() - begin;
}

static unsigned long run_threads(const struct run *run)
{
	pthread_t threads[MAX_TASKS];
	unsigned long i, cost;

	for (i = 0; i < run->n; i++)
		if (pthread_create(&threads[i], NULL, task_main, (void *)i))
			die("no thread");
	cost = wait_for_tasks(run);
	for (i = 0; i < run->n; i++)
		pthread_join(threads[i], NULL);
	return cost;
}

static unsigned long run_children(const struct run *run)
{
	pid_t pids[MAX_TASKS];
	unsigned long i, cost;

	for (i = 0; i < run->n; i++) {
		pids[i] = start();
		if (!pids[i]) {
			task_main((void *)i);
			_exit(0);
		}
	}
	cost = wait_for_tasks(run);
	for (i = 0; i < run->n; i++)
		finish(pids[i]);
	return cost;
}

static void run_scale(const struct run *run)
{
	unsigned long cost;

	current = run->metric->data;
	if (run->n > MAX_TASKS)
		die("%lu tasks are too many", run->n);
	file = memfd_create("bench", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, SIZE))
		die("memfd: %m");
	map(OTHER_BASE, PAGES);
	touch(OTHER_BASE, PAGES);
	inherited = (unsigned char *)OTHER_BASE;
	prepare_meeting(run);
	cost = current->threads ? run_threads(run) : run_children(run);
	munmap(meeting, PAGE);
	unmap(OTHER_BASE, PAGES);
	close(file);
	result(run, (double)cost / run->n / current->rounds);
}

#define PROCESSES(fn, nr)	(&(const struct work){ fn, nr, false })
#define THREADS(fn, nr)		(&(const struct work){ fn, nr, true })
#define TASKS			{ 1, 4, 8, 16 }, .processors = true

#define METRIC(name, what, fn, nr)					\
	{ "scale_" name, "N processes: " what, run_scale, TASKS,	\
	  .data = PROCESSES(fn, nr) },					\
	{ "scale_" name "_threads", "N threads: " what, run_scale, TASKS, \
	  .data = THREADS(fn, nr) }

static const struct metric metrics[] = {
	/* Threads would take the page from each other. */
	{ "scale_brk1", "N processes: the heap grows by a page, and shrinks",
	  run_scale, TASKS, .data = PROCESSES(round_brk, 500) },
	METRIC("mmap1", "map and unmap 4 MiB", round_mmap1, 500),
	METRIC("mmap2", "map and unmap 4 MiB of a file, privately", round_mmap2,
	       500),
	METRIC("page_fault1", "map, touch and unmap 4 MiB", round_page_fault1,
	       10),
	METRIC("page_fault2", "the same of a file, privately",
	       round_page_fault2, 10),
	METRIC("malloc1", "malloc() and free() of 32 MiB", round_malloc, 500),
	METRIC("fork1", "fork, exit and wait", round_fork, 50),
	METRIC("exec", "fork, exec, exit and wait", round_exec, 20),
	METRIC("small_allocs", "map, touch and unmap 5,000 times two pages",
	       round_small_allocs, 1),
	{ "scale_cow_seq", "N children write 4 MiB of their parent in order",
	  run_scale, TASKS, .data = PROCESSES(round_cow_seq, 1) },
	{ "scale_cow_rand", "N children write 4 MiB of their parent at random",
	  run_scale, TASKS, .data = PROCESSES(round_cow_rand, 1) },
};

const struct metric_group scale_group = {
	"scale", metrics, ARRAY_SIZE(metrics)
};
