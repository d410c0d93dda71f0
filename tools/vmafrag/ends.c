// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ends.h"

#define TRACED	(PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK | \
		 PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE)

/* The command begins when the pipe is closed: then it is traced. */
static int start(char **command)
{
	int go[2];
	char none;
	int pid;

	if (pipe(go)) {
		fprintf(stderr, "vmafrag: pipe: %s\n", strerror(errno));
		return -1;
	}
	pid = fork();
	if (pid < 0)
		fprintf(stderr, "vmafrag: fork: %s\n", strerror(errno));
	if (pid == 0) {
		close(go[1]);
		while (read(go[0], &none, 1) < 0 && errno == EINTR)
			;
		close(go[0]);
		execvp(command[0], command);
		fprintf(stderr, "vmafrag: %s: %s\n", command[0],
			strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(go[0]);
	if (pid > 0 && ptrace(PTRACE_SEIZE, pid, 0, TRACED)) {
		fprintf(stderr, "vmafrag: %s: %s\n", command[0],
			strerror(errno));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(go[1]);
	return pid;
}

/* Of the threads of a process one is enough, which has its number. */
static bool is_process(int tid)
{
	char line[64], path[64];
	bool same = false;
	FILE *file;
	int tgid;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Tgid: %d", &tgid) == 1)
			same = tgid == tid;
	fclose(file);
	return same;
}

/* A process that stopped goes on, with its signal if it was that. */
static void go_on(int tid, int status)
{
	const int sig = WSTOPSIG(status), event = status >> 16;

	if (event != PTRACE_EVENT_STOP)
		ptrace(PTRACE_CONT, tid, 0, event ? 0 : sig);
	else if (sig == SIGTRAP)
		ptrace(PTRACE_CONT, tid, 0, 0);
	else
		ptrace(PTRACE_LISTEN, tid, 0, 0);
}

bool watch_ends(char **command, bool (*look)(int pid, bool quiet),
		int *status)
{
	const int first = start(command);
	int tid, stopped;
	bool ok = true;

	if (first < 0)
		return false;
	for (;;) {
		tid = waitpid(-1, &stopped, __WALL);
		if (tid < 0 && errno == EINTR)
			continue;
		if (tid < 0)
			break;
		if (WIFSTOPPED(stopped)) {
			if (stopped >> 16 == PTRACE_EVENT_EXIT &&
			    is_process(tid))
				ok &= look(tid, true);
			go_on(tid, stopped);
		} else if (tid == first) {
			*status = WIFEXITED(stopped) ? WEXITSTATUS(stopped) :
				  128 + WTERMSIG(stopped);
		}
	}
	return ok;
}
