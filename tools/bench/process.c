// SPDX-License-Identifier: GPL-2.0
/* Children. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PATIENCE	60000		/* milliseconds */

struct crowd {
	unsigned long nr;
	int leave;			/* closing it ends the children */
	int go;				/* a byte for each that is to work */
	int done;			/* what the work has returned */
	pid_t pids[];
};

/* As fork(), for a child that ends with _exit(). */
pid_t start(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %m");
	return pid;
}

void finish(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("waitpid: %m");
	if (status)
		die("a child ended with status %#x", status);
}

static void make_pipe(int fds[2])
{
	if (pipe(fds))
		die("pipe: %m");
}

/* Works once, if asked to, and stays until the end of the crowd. */
__attribute__((noreturn))
static void join_crowd(int leave, int go, int done,
		       unsigned long (*work)(void))
{
	unsigned long value;
	char c;

	if (work && read(go, &c, 1) == 1) {
		value = work();
		if (write(done, &value, sizeof(value)) != sizeof(value))
			_exit(1);
	}
	_exit(read(leave, &c, 1) ? 1 : 0);
}

/* Children that have a copy of all memory, and work when told to. */
struct crowd *crowd_start_work(unsigned long n, unsigned long (*work)(void))
{
	struct crowd *crowd = malloc(sizeof(*crowd) + n * sizeof(pid_t));
	int leave[2], go[2], done[2];

	if (!crowd)
		die("malloc: %m");
	make_pipe(leave);
	make_pipe(go);
	make_pipe(done);
	crowd->leave = leave[1];
	crowd->go = go[1];
	crowd->done = done[0];
	for (crowd->nr = 0; crowd->nr < n; crowd->nr++) {
		crowd->pids[crowd->nr] = start();
		if (crowd->pids[crowd->nr])
			continue;
		close(leave[1]);
		close(go[1]);
		join_crowd(leave[0], go[0], done[1], work);
	}
	close(leave[0]);
	close(go[0]);
	close(done[1]);
	return crowd;
}

/* Children that have a copy of all memory, and do nothing. */
struct crowd *crowd_start(unsigned long n)
{
	return crowd_start_work(n, NULL);
}

/* One after the other, as each is to be measured alone. Returns the sum. */
unsigned long crowd_work(const struct crowd *crowd)
{
	struct pollfd done = { .fd = crowd->done, .events = POLLIN };
	unsigned long i, value, sum = 0;

	for (i = 0; i < crowd->nr; i++) {
		/* One that has died says nothing. */
		if (write(crowd->go, "", 1) != 1 ||
		    poll(&done, 1, PATIENCE) != 1 ||
		    read(crowd->done, &value, sizeof(value)) != sizeof(value))
			die("a child does not work: %m");
		sum += value;
	}
	return sum;
}

pid_t crowd_pid(const struct crowd *crowd, unsigned long i)
{
	return crowd->pids[i];
}

void crowd_end(struct crowd *crowd)
{
	close(crowd->leave);
	close(crowd->go);
	close(crowd->done);
	while (crowd->nr)
		finish(crowd->pids[--crowd->nr]);
	free(crowd);
}

/* To be called when all memory is touched. */
struct crowd *family_start(const struct run *run)
{
	if (run->metric->family == ALONE)
		return NULL;
	if (run->metric->family == CHILD)
		return crowd_start(1);
	crowd_end(crowd_start(1));
	return NULL;
}

void check_family(const struct run *run, unsigned long addr)
{
	if ((run->metric->family == CHILD) != is_shared(addr))
		die("%s: the page at %#lx is%s shared", run->metric->name, addr,
		    is_shared(addr) ? "" : " not");
}

void family_end(struct crowd *crowd)
{
	if (crowd)
		crowd_end(crowd);
}

/* Becomes this program anew; main() looks at the mode first of all. */
void run_program(const char *mode)
{
	execl("/proc/self/exe", "bench", mode, NULL);
	_exit(127);
}
