// SPDX-License-Identifier: GPL-2.0
/* Children. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

struct crowd {
	unsigned long nr;
	int leave;			/* closing it ends the children */
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

/* Children that have a copy of all memory, and do nothing. */
struct crowd *crowd_start(unsigned long n)
{
	struct crowd *crowd = malloc(sizeof(*crowd) + n * sizeof(pid_t));
	int pipe_fd[2];
	char c;

	if (!crowd || pipe(pipe_fd))
		die("pipe: %m");
	crowd->leave = pipe_fd[1];
	for (crowd->nr = 0; crowd->nr < n; crowd->nr++) {
		crowd->pids[crowd->nr] = start();
		if (crowd->pids[crowd->nr])
			continue;
		close(pipe_fd[1]);
		_exit(read(pipe_fd[0], &c, 1) ? 1 : 0);
	}
	close(pipe_fd[0]);
	return crowd;
}

void crowd_end(struct crowd *crowd)
{
	close(crowd->leave);
	while (crowd->nr)
		finish(crowd->pids[--crowd->nr]);
	free(crowd);
}

/* Becomes this program anew; main() looks at the mode first of all. */
void run_program(const char *mode)
{
	execl("/proc/self/exe", "bench", mode, NULL);
	_exit(127);
}
