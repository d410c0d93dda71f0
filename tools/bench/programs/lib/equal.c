// SPDX-License-Identifier: GPL-2.0
/*
 * equal - processes as guests are for KSM: equal pages, in memory of their own
 *
 * When KSM has merged them the parent has a part reclaimed, and each writes to some of
 * its pages.  Usage: equal PROCESSES PAGES CGROUP RESULTS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KSM		"/sys/kernel/mm/ksm/"
#define PAGE_SIZE	4096UL
#define MAX_PROCESSES	1000
#define TRIES		600
#define WRITE_EVERY	8
/* As many as a busy host lets one page have; all others have a second copy. */
#define MAX_SHARING	"256"

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	/* Less was reclaimed than asked for: all that could be. */
	if (fd < 0 || (write(fd, text, strlen(text)) < 0 && errno != EAGAIN)) {
		perror(path);
		exit(1);
	}
	close(fd);
}

static unsigned long read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned long value;

	if (!file || fscanf(file, "%lu", &value) != 1) {
		perror(path);
		exit(1);
	}
	fclose(file);
	return value;
}

/* Of this process: the clock of a guest runs on while it waits. */
static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static void child(unsigned long pages)
{
	unsigned long i;
	sigset_t set;
	int sig;
	char *mem;

	mem = mmap(NULL, pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED || madvise(mem, pages * PAGE_SIZE, MADV_MERGEABLE))
		_exit(1);
	for (i = 0; i < pages; i++)
		memset(mem + i * PAGE_SIZE, 1 + i % 251, 64 + i);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigwait(&set, &sig);
	for (i = 0; i < pages; i += WRITE_EVERY)
		mem[i * PAGE_SIZE] = 0;
	_exit(0);
}

/* Until all pages but the first of each kind share one. */
static void wait_for_ksm(unsigned long nr, unsigned long pages)
{
	int i;

	for (i = 0; i < TRIES; i++) {
		if (read_number(KSM "pages_sharing") >= (nr - 1) * pages)
			return;
		usleep(100000);
	}
	fprintf(stderr, "equal: KSM shares %lu pages only\n", read_number(KSM "pages_sharing"));
	exit(1);
}

int main(int argc, char **argv)
{
	static pid_t pids[MAX_PROCESSES];
	unsigned long nr, pages, i;
	int status, failed = 0;
	char path[256];
	double start;
	FILE *results;
	sigset_t set;

	nr = argc == 5 ? strtoul(argv[1], NULL, 10) : 0;
	pages = argc == 5 ? strtoul(argv[2], NULL, 10) : 0;
	if (!nr || nr > MAX_PROCESSES || !pages || pages > 4000) {
		fprintf(stderr, "Usage: equal PROCESSES PAGES CGROUP RESULTS\n");
		return 2;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < nr; i++) {
		pids[i] = fork();
		if (!pids[i])
			child(pages);
	}
	write_file(KSM "max_page_sharing", MAX_SHARING);
	write_file(KSM "pages_to_scan", "2000");
	write_file(KSM "run", "1");
	wait_for_ksm(nr, pages);
	write_file(KSM "run", "0");

	results = fopen(argv[4], "a");
	snprintf(path, sizeof(path), "%s/memory.reclaim", argv[3]);
	start = now();
	write_file(path, "1M");
	fprintf(results, "reclaim\t%.0f\tinsn\n", now() - start);
	for (i = 0; i < nr; i++)
		kill(pids[i], SIGUSR1);
	for (i = 0; i < nr; i++)
		failed |= waitpid(pids[i], &status, 0) != pids[i] || status;
	return fclose(results) || failed;
}
