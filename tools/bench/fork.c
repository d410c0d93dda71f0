// SPDX-License-Identifier: GPL-2.0
/* fork(), execve(), exit() and copying on write. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define COW_PAGES	2000
#define CHAIN_PAGES	16
#define CROWD_VMAS	30
#define CROWD_FORKS	20

static unsigned long *stamp;		/* shared with the children */

static void fork_loop(const struct run *run)
{
	unsigned long i, loops = run->n < 1000 ? 50 : 5;
	unsigned long begin = now();
	pid_t pid;

	for (i = 0; i < loops; i++) {
		pid = start();
		if (!pid)
			_exit(0);
		finish(pid);
	}
	result(run, (double)(now() - begin) / loops);
}

static void run_fork(const struct run *run)
{
	spread(run->n);
	touch_spread(run->n);
	fork_loop(run);
	unmap_spread(run->n);
}

/* VMAs of a grandparent, all of whose pages were written by the parent. */
static void run_fork_grandchild(const struct run *run)
{
	pid_t pid;

	spread(run->n);
	touch_spread(run->n);
	pid = start();
	if (!pid) {
		touch_spread(run->n);
		fork_loop(run);
		_exit(0);
	}
	finish(pid);
	unmap_spread(run->n);
}

/* A process with N faulted VMAs of its own, from the stamp on. */
static unsigned long leave(const struct run *run, const char *mode)
{
	pid_t pid = start();

	if (!pid) {
		spread(run->n);
		touch_spread(run->n);
		*stamp = now();
		if (mode)
			run_program(mode);
		_exit(0);
	}
	finish(pid);
	return now() - *stamp;
}

static void leave_loop(const struct run *run, const char *mode)
{
	unsigned long i, sum = 0, loops = run->n < 1000 ? 50 : 2;

	stamp = share(PAGE);
	for (i = 0; i < loops; i++)
		sum += leave(run, mode);
	munmap(stamp, PAGE);
	result(run, (double)sum / loops);
}

static void run_exit(const struct run *run)
{
	leave_loop(run, NULL);
}

static void run_exec(const struct run *run)
{
	leave_loop(run, "exit");
}

static void run_cow_child(const struct run *run)
{
	unsigned long begin;
	pid_t pid;

	map(BASE, COW_PAGES);
	touch(BASE, COW_PAGES);
	pid = start();
	if (!pid) {
		begin = now();
		touch(BASE, COW_PAGES);
		result(run, (double)(now() - begin) / COW_PAGES);
		_exit(0);
	}
	finish(pid);
	unmap(BASE, COW_PAGES);
}

static void run_cow_parent(const struct run *run)
{
	struct crowd *crowd;
	unsigned long begin;

	map(BASE, COW_PAGES);
	touch(BASE, COW_PAGES);
	crowd = crowd_start(1);
	begin = now();
	touch(BASE, COW_PAGES);
	result(run, (double)(now() - begin) / COW_PAGES);
	crowd_end(crowd);
	unmap(BASE, COW_PAGES);
}

/* The child has gone: the page is written to again without a copy. */
static void run_cow_reuse(const struct run *run)
{
	unsigned long begin;

	map(BASE, COW_PAGES);
	touch(BASE, COW_PAGES);
	crowd_end(crowd_start(1));
	begin = now();
	touch(BASE, COW_PAGES);
	result(run, (double)(now() - begin) / COW_PAGES);
	unmap(BASE, COW_PAGES);
}

/* One more of a parent that has many, with 30 VMAs, all faulted in. */
static void run_fork_crowd(const struct run *run)
{
	struct crowd *crowd;
	unsigned long begin;
	int i;

	for (i = 0; i < CROWD_VMAS; i++) {
		map(BASE + 2 * i * PAGE, 1);
		touch(BASE + 2 * i * PAGE, 1);
	}
	crowd = crowd_start(run->n);
	begin = now();
	for (i = 0; i < CROWD_FORKS; i++) {
		pid_t pid = start();

		if (!pid)
			_exit(0);
		finish(pid);
	}
	result(run, (double)(now() - begin) / CROWD_FORKS);
	crowd_end(crowd);
	for (i = 0; i < CROWD_VMAS; i++)
		unmap(BASE + 2 * i * PAGE, 1);
}

static void chain(unsigned long depth)
{
	for (; depth; depth--) {
		touch(BASE, CHAIN_PAGES);
		if (start())
			_exit(0);
	}
	*stamp = now();
	_exit(0);
}

/* Each child forks, and its parent exits. */
static void run_fork_chain(const struct run *run)
{
	unsigned long begin;
	int status;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		die("PR_SET_CHILD_SUBREAPER: %m");
	stamp = share(PAGE);
	map(BASE, CHAIN_PAGES);
	touch(BASE, CHAIN_PAGES);
	begin = now();
	if (!start())
		chain(run->n);
	while (wait(&status) > 0)
		if (status)
			die("a child ended with status %#x", status);
	result(run, (double)(*stamp - begin) / run->n);
	munmap(stamp, PAGE);
	unmap(BASE, CHAIN_PAGES);
}

static const struct metric metrics[] = {
	{ "fork_exit", "fork of a process with N faulted VMAs, exit, wait",
	  run_fork, { 10, 1000, 10000 } },
	{ "fork_grandchild", "the same, VMAs inherited and written by the parent",
	  run_fork_grandchild, { 10, 1000, 10000 } },
	{ "exit", "exit of a process with N faulted VMAs, wait", run_exit,
	  { 10, 1000, 10000 } },
	{ "exec", "exec by a process with N faulted VMAs, exit, wait", run_exec,
	  { 10, 1000, 10000 } },
	{ "cow_child", "write to a shared page by the child", run_cow_child,
	  { 1 } },
	{ "cow_parent", "write to a shared page by the parent", run_cow_parent,
	  { 1 } },
	{ "cow_reuse", "write to a page that was shared", run_cow_reuse,
	  { 1 } },
	{ "fork_crowd", "fork of a process with N children, exit, wait",
	  run_fork_crowd, { 10, 100, 1000 } },
	{ "fork_chain", "N generations: fork, write 16 pages, exit",
	  run_fork_chain, { 10, 100, 1000 } },
};

const struct metric_group fork_group = {
	"fork", metrics, ARRAY_SIZE(metrics)
};
