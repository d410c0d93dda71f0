// SPDX-License-Identifier: GPL-2.0
/*
 * Long chains of the same thing: moves, generations, children.  Memory is
 * verified on the way, and the objects that the kernel has for it must not
 * grow with the length of the chain.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "torture.h"

#define PAGES		16U
#define TAG(n)		((uint64_t)(n) << 16)
#define SLACK		64	/* objects that come and go in a live system */
#define REPORTS		5
#define SHORT_CHAIN	64	/* generations */

static char *const home = (char *)ARENA;
static char *const away = (char *)ARENA + (1UL << 30);

static void map_pages(void)
{
	unsigned int i;

	if (mmap(home, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) !=
	    home)
		die("mmap: %m");
	for (i = 0; i < PAGES; i++)
		fill_page((uint64_t *)(home + i * PAGE_SIZE), TAG(i + 1));
}

static void check(const char *where, unsigned int nr, uint64_t tag)
{
	const uint64_t *page = (uint64_t *)(where + nr * PAGE_SIZE);
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*page); i++) {
		if (page[i] != tag + i)
			die("page %u word %u at %p: expected %#" PRIx64 ", found %#" PRIx64,
			    nr, i, where, tag + i, page[i]);
	}
}

static void check_pages(const char *where)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		check(where, i, TAG(i + 1));
}

static void move_page(char *from, char *to, unsigned int nr)
{
	if (mremap(from + nr * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE,
		   MREMAP_MAYMOVE | MREMAP_FIXED, to + nr * PAGE_SIZE) ==
	    MAP_FAILED)
		die("mremap: %m");
}

static void wait_for(pid_t pid)
{
	int status;

	if (pid < 0)
		die("fork: %m");
	if (waitpid(pid, &status, 0) != pid || status)
		die("process %d ended with status %#x", pid, status);
}

/* Not more objects than before, however long the chain was. */
static void compare(const char *when, struct slab_count before,
		    struct slab_count now)
{
	printf("# %s: %ld anon objects, %ld VMAs, before %ld, %ld\n", when,
	       now.anon, now.vmas, before.anon, before.vmas);
	fflush(stdout);
	if (now.anon > before.anon + SLACK || now.vmas > before.vmas + SLACK)
		die("%s: objects have grown in number", when);
}

static struct slab_count at_most(struct slab_count before)
{
	before.anon += SLACK;
	before.vmas += SLACK;
	return before;
}

static void expect_same(const char *when, struct slab_count before)
{
	compare(when, before, count_slabs_until(at_most(before)));
}

/* Private or shared memory is moved back and forth page by page. */
static void bounce(unsigned int count, bool shared_pages)
{
	struct slab_count before;
	pid_t sleeper = 0;
	unsigned int i;

	map_pages();
	if (shared_pages) {
		sleeper = fork();
		if (!sleeper)
			pause();
	}
	before = count_slabs();
	for (i = 0; i < count; i++) {
		unsigned int nr = i * 7 % PAGES;

		move_page(home, away, nr);
		check(away, nr, TAG(nr + 1));
		move_page(away, home, nr);
		if (i % (count / REPORTS + 1) == 0)
			expect_same("moving", before);
	}
	check_pages(home);
	expect_same("moved", before);
	if (sleeper) {
		kill(sleeper, SIGKILL);
		waitpid(sleeper, NULL, 0);
	}
}

static void bounce_private(unsigned int count)
{
	bounce(count, false);
}

static void bounce_shared(unsigned int count)
{
	bounce(count, true);
}

/* Each generation moves and writes a page, and its parent is gone by then. */
static void __attribute__((noreturn)) daemon_chain(unsigned int left, int done)
{
	unsigned int nr;
	pid_t pid;

	for (;;) {
		nr = left % PAGES;
		check_pages(home);
		move_page(home, away, nr);
		check(away, nr, TAG(nr + 1));
		fill_page((uint64_t *)(away + nr * PAGE_SIZE), TAG(nr + 1));
		move_page(away, home, nr);
		if (!left--)
			break;
		pid = fork();
		if (pid < 0)
			die("fork: %m");
		if (pid)
			_exit(EXIT_SUCCESS);
	}
	if (write(done, "x", 1) != 1)
		die("write: %m");
	pause();
	_exit(EXIT_SUCCESS);
}

/* Each parent waits for its child to have a child, then exits. */
static void __attribute__((noreturn)) overlap(unsigned int left, int ready,
					      int done)
{
	int pair[2];
	char byte;
	pid_t pid;

	check_pages(home);
	fill_page((uint64_t *)home, TAG(1));
	if (!left) {
		if (write(ready, "x", 1) != 1 || write(done, "x", 1) != 1)
			die("write: %m");
		pause();
		_exit(EXIT_SUCCESS);
	}
	if (pipe(pair))
		die("pipe: %m");
	pid = fork();
	if (pid < 0)
		die("fork: %m");
	if (!pid) {
		close(pair[0]);
		close(ready);
		overlap(left - 1, pair[1], done);
	}
	close(pair[1]);
	if (write(ready, "x", 1) != 1)
		die("write: %m");
	if (read(pair[0], &byte, 1) != 1)
		die("a child ended too early");
	_exit(EXIT_SUCCESS);
}

static void __attribute__((noreturn)) orphan_chain(unsigned int left, int done)
{
	int unused[2];

	if (pipe(unused))
		die("pipe: %m");
	overlap(left, unused[1], done);
}

/* Objects in use while the last generation of a chain lives; no more than so many? */
static struct slab_count
count_chain(void (*chain)(unsigned int, int), unsigned int count,
	    struct slab_count most)
{
	struct slab_count objects;
	int done[2];
	char byte;
	pid_t pid;

	if (pipe(done))
		die("pipe: %m");
	pid = fork();
	if (!pid) {
		close(done[0]);
		chain(count, done[1]);
	}
	wait_for(pid);
	close(done[1]);
	if (read(done[0], &byte, 1) != 1)
		die("the chain of %u broke", count);
	close(done[0]);
	objects = count_slabs_until(most);
	kill(0, SIGUSR1);	/* ends the last one's pause() */
	return objects;
}
/* A long chain ends with no more objects than a short one. */
static void run_generations(void (*chain)(unsigned int, int),
			    unsigned int count)
{
	const struct slab_count any = { LONG_MAX, LONG_MAX };
	struct slab_count few, many;

	map_pages();
	few = count_chain(chain, SHORT_CHAIN, any);
	many = count_chain(chain, count, at_most(few));
	compare("last generation lives", few, many);
}

static void generations(unsigned int count)
{
	run_generations(daemon_chain, count);
}

static void orphans(unsigned int count)
{
	run_generations(orphan_chain, count);
}

/* Live children of one parent: all of them gone, all of their objects gone. */
static void children(unsigned int count)
{
	pid_t *pids = calloc(count, sizeof(*pids));
	struct slab_count before;
	unsigned int i;

	if (!pids)
		die("no memory");
	map_pages();
	before = count_slabs();
	for (i = 0; i < count; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork %u: %m", i);
		if (!pids[i]) {
			pause();
			_exit(EXIT_FAILURE);
		}
	}
	fill_page((uint64_t *)home, TAG(1));
	if (madvise(home, PAGES * PAGE_SIZE, MADV_PAGEOUT))
		die("MADV_PAGEOUT: %m");
	check_pages(home);
	for (i = 0; i < count; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	free(pids);
	check_pages(home);
	expect_same("children are gone", before);
}

static const struct {
	const char *name;
	void (*run)(unsigned int count);
	unsigned int count;
} chains[] = {
	{ "bounce_private", bounce_private, 1000000 },
	{ "bounce_shared", bounce_shared, 1000000 },
	{ "generations", generations, 10000 },
	{ "orphans", orphans, 300 },
	{ "children", children, 1000 },
};

static void ignore(int sig)
{
	(void)sig;
}

int run_chain(int argc, char **argv)
{
	unsigned int i, count;

	/* Ends the last generation, which pauses; not this process. */
	setpgid(0, 0);
	signal(SIGUSR1, ignore);
	for (i = 0; argc && i < ARRAY_SIZE(chains); i++) {
		if (strcmp(chains[i].name, argv[0]))
			continue;
		count = argc > 1 ? strtoul(argv[1], NULL, 0) : chains[i].count;
		chains[i].run(count);
		printf("%s %u: done\n", argv[0], count);
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "torture: no chain %s\n", argc ? argv[0] : "");
	return 2;
}
