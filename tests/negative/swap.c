// SPDX-License-Identifier: GPL-2.0
/*
 * swap CASE: memory shared through fork that is swapped out and in again.
 *
 * Relatives that bring in a swapped page must end up with the same page, at the
 * place where a walk of the reverse map looks for it. A page that one of them
 * would not be found by is copied instead, silently: so page frames are compared.
 *
 * Exit status: 0 good, 1 wrong, 2 could not be tried.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE		4096UL
#define FROM		((char *)0x10000000UL)
#define TO		((char *)0x20000000UL)
#define TRIES		50

#define PM_PRESENT	(1ULL << 63)
#define PM_SWAPPED	(1ULL << 62)
#define PM_PFN		((1ULL << 55) - 1)

#define VALIDATE	"/sys/kernel/debug/anon_space/validate"
#define KSM		"/sys/kernel/mm/ksm/"
#define CGROUP		"/sys/fs/cgroup/swap-test"

struct shared {
	int go[2];		/* parent to child */
	int done[2];		/* child to parent */
};

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(2, "%s", path);
	close(fd);
}

static unsigned long read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned long n;

	if (!f || fscanf(f, "%lu", &n) != 1)
		err(2, "%s", path);
	fclose(f);
	return n;
}

static uint64_t pagemap(const char *addr)
{
	uint64_t entry;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0 || pread(fd, &entry, sizeof(entry),
			    (uintptr_t)addr / PAGE * sizeof(entry)) !=
		      sizeof(entry))
		err(2, "/proc/self/pagemap");
	close(fd);
	return entry;
}

static char *map_page(char *addr)
{
	char *p = mmap(addr, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		       0);

	if (p != addr)
		err(2, "mmap");
	memset(p, 0x5a, PAGE);
	return p;
}

static void swap_out(char *p)
{
	int i;

	for (i = 0; i < TRIES; i++) {
		if (madvise(p, PAGE, MADV_PAGEOUT))
			err(2, "MADV_PAGEOUT");
		if (pagemap(p) & PM_SWAPPED)
			return;
		usleep(100000);
	}
	errx(2, "the page is not swapped out");
}

/* Read it, which brings it in without making it private. */
static uint64_t swap_in(const char *p)
{
	uint64_t entry;

	if (*(volatile const char *)p != 0x5a)
		errx(1, "contents are lost");
	entry = pagemap(p);
	if (!(entry & PM_PRESENT))
		errx(1, "the page is not present");
	return entry & PM_PFN;
}

/* Fails if any invariant is violated in any process. */
static void validate(void)
{
	int fd = open(VALIDATE, O_WRONLY);

	if (fd < 0)
		err(2, VALIDATE);
	if (write(fd, "0", 1) != 1)
		err(1, "the validator");
	close(fd);
}

/* A child that brings in the page when told so, and tells the frame. */
static void child(struct shared *s, const char *p)
{
	uint64_t pfn;
	char go;

	if (read(s->go[0], &go, 1) != 1)
		err(2, "pipe");
	pfn = swap_in(p);
	if (write(s->done[1], &pfn, sizeof(pfn)) != sizeof(pfn) ||
	    read(s->go[0], &go, 1) != 1)
		err(2, "pipe");
	exit(0);
}

static pid_t fork_child(struct shared *s, const char *p)
{
	pid_t pid;

	if (pipe(s->go) || pipe(s->done))
		err(2, "pipe");
	pid = fork();
	if (pid < 0)
		err(2, "fork");
	if (!pid)
		child(s, p);
	return pid;
}

static uint64_t ask_child(struct shared *s)
{
	uint64_t pfn;

	if (write(s->go[1], "g", 1) != 1 ||
	    read(s->done[0], &pfn, sizeof(pfn)) != sizeof(pfn))
		err(2, "child");
	return pfn;
}

static void end_child(struct shared *s, pid_t pid)
{
	int status;

	if (write(s->go[1], "g", 1) != 1 || waitpid(pid, &status, 0) != pid)
		err(2, "child");
	if (status)
		errx(1, "the child failed");
}

static void same_page(uint64_t a, uint64_t b)
{
	if (a != b)
		errx(1, "two pages, one should be shared");
}

/* The child brings in what the parent swapped out before the fork. */
static void shared_in_child(void)
{
	char *p = map_page(FROM);
	struct shared s;
	uint64_t pfn;
	pid_t pid;

	swap_out(p);
	pid = fork_child(&s, p);
	pfn = ask_child(&s);
	same_page(pfn, swap_in(p));
	validate();
	end_child(&s, pid);
}

/* The parent moves the entry before it brings in the page. */
static void shared_and_moved(void)
{
	char *p = map_page(FROM);
	struct shared s;
	uint64_t pfn;
	pid_t pid;

	swap_out(p);
	pid = fork_child(&s, p);
	p = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, TO);
	if (p != TO)
		err(2, "mremap");
	pfn = swap_in(p);
	same_page(pfn, ask_child(&s));
	validate();
	end_child(&s, pid);
}

static void wait_for_ksm(void)
{
	unsigned long scans = read_number(KSM "full_scans");
	int i;

	write_text(KSM "pages_to_scan", "1000");
	write_text(KSM "sleep_millisecs", "10");
	write_text(KSM "run", "1");
	for (i = 0; i < 10 * TRIES; i++) {
		if (read_number(KSM "full_scans") > scans + 3)
			return;
		usleep(100000);
	}
	errx(2, "ksmd does not scan");
}

static void enter_cgroup(void)
{
	char pid[16];

	write_text("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP, 0755))
		err(2, CGROUP);
	snprintf(pid, sizeof(pid), "%d", getpid());
	write_text(CGROUP "/cgroup.procs", pid);
}

/* EAGAIN if it cannot reach the goal is to be expected. */
static void reclaim(const char *p)
{
	int i, fd = open(CGROUP "/memory.reclaim", O_WRONLY);

	if (fd < 0)
		err(2, CGROUP "/memory.reclaim");
	/* Reclaim passes it over while it waits to be put on an LRU list. */
	for (i = 0; i < 10 * TRIES && !(pagemap(p) & PM_SWAPPED); i++) {
		if (write(fd, "64M", 3) < 0 && errno != EAGAIN)
			err(2, CGROUP "/memory.reclaim");
		usleep(10000);
	}
	if (!(pagemap(p) & PM_SWAPPED))
		errx(2, "the KSM page is not swapped out");
	close(fd);
}

/* A KSM page is no longer one after swapping, but at several addresses. */
static void ksm(void)
{
	char *a, *b;

	enter_cgroup();
	a = map_page(FROM);
	b = map_page(TO);
	if (madvise(a, PAGE, MADV_MERGEABLE) ||
	    madvise(b, PAGE, MADV_MERGEABLE))
		err(2, "MADV_MERGEABLE");
	wait_for_ksm();
	if (swap_in(a) != swap_in(b))
		errx(2, "ksmd did not merge the pages");
	write_text(KSM "run", "0");
	reclaim(a);
	swap_in(a);
	swap_in(b);
	validate();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{ "shared-in-child", shared_in_child },
		{ "shared-and-moved", shared_and_moved },
		{ "ksm", ksm },
	};
	unsigned int i;

	for (i = 0; argc == 2 && i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(argv[1], cases[i].name))
			continue;
		cases[i].run();
		return 0;
	}
	fprintf(stderr, "usage: swap shared-in-child|shared-and-moved|ksm\n");
	return 2;
}
