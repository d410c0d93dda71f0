// SPDX-License-Identifier: GPL-2.0
/*
 * spawn - what UnixBench calls spawn and execl: fork and exit, or exec of itself
 *
 * Usage: spawn fork|exec N
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int fork_each(unsigned long nr)
{
	int status;

	while (nr--) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
			perror("fork");
			return 1;
		}
	}
	return 0;
}

static int exec_each(char *self, unsigned long nr)
{
	char left[24];

	if (!nr)
		return 0;
	snprintf(left, sizeof(left), "%lu", nr - 1);
	execl(self, self, "exec", left, NULL);
	perror("exec");
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "fork"))
		return fork_each(strtoul(argv[2], NULL, 10));
	if (argc == 3 && !strcmp(argv[1], "exec"))
		return exec_each(argv[0], strtoul(argv[2], NULL, 10));
	fprintf(stderr, "Usage: spawn fork|exec N\n");
	return 2;
}
