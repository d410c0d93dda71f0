// SPDX-License-Identifier: GPL-2.0
/*
 * The first, second, third... allocation of a system call fails, until there
 * is none left.  After each call memory must be what the result says, and in
 * the end no objects may be left over.  Prints for each call how many points of
 * failure it has and which results came of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "torture.h"

#define HOME		((char *)ARENA)
#define AWAY		(HOME + (1UL << 30) + 64 * PAGE_SIZE)
#define AWAY_TABLE	(HOME + (1UL << 30))
#define TABLE		(2 * HUGE_PAGES)
#define SPACE		(4UL << 30)
#define MOST		400	/* points of failure in one call */
#define SLACK		16
#define FIXED		(MREMAP_MAYMOVE | MREMAP_FIXED)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/* What must be readable: pages of home, at some address, but for a hole. */
static struct {
	char *addr;
	unsigned int nr;
	unsigned int hole, hole_nr;
} mem;

static pid_t sleeper;
static int nth_fd;

static uint64_t tag(unsigned int nr)
{
	return (uint64_t)(nr + 1) << 16;
}

static void map_pages(unsigned int nr, int advice)
{
	unsigned int i;

	if (mmap(HOME, nr * PAGE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != HOME ||
	    madvise(HOME, nr * PAGE_SIZE, advice))
		die("mmap: %m");
	for (i = 0; i < nr; i++)
		fill_page((uint64_t *)(HOME + i * PAGE_SIZE), tag(i));
	mem.addr = HOME;
	mem.nr = nr;
	mem.hole_nr = 0;
}

static void small(void) { map_pages(16, MADV_NOHUGEPAGE); }
static void huge(void) { map_pages(HUGE_PAGES, MADV_HUGEPAGE); }
static void tables(void) { map_pages(TABLE, MADV_NOHUGEPAGE); }

/* Small pages where a huge one may be. */
static void collapsible(void)
{
	tables();
	if (madvise(HOME, TABLE * PAGE_SIZE, MADV_HUGEPAGE))
		die("MADV_HUGEPAGE: %m");
}

/* Memory like this is where do_dontunmap() moves to, some of it touched. */
static void make_room(int advice)
{
	unsigned int i;

	if (mmap(AWAY, mem.nr * PAGE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != AWAY ||
	    madvise(AWAY, mem.nr * PAGE_SIZE, advice))
		die("mmap: %m");
	for (i = 0; i < mem.nr; i += 3)
		AWAY[i * PAGE_SIZE] = 1;
}

/* Another process has the same pages. */
static void share(void)
{
	sleeper = fork();
	if (sleeper < 0)
		die("fork: %m");
	if (!sleeper) {
		pause();
		_exit(EXIT_FAILURE);
	}
}

static void small_shared(void) { small(); share(); }
static void huge_shared(void) { huge(); share(); }
static void tables_shared(void) { tables(); share(); }

static void must_move(char *from, char *to, unsigned int nr)
{
	if (mremap(from, nr * PAGE_SIZE, nr * PAGE_SIZE, FIXED, to) != to)
		die("mremap: %m");
}

static void moved_shared(void)
{
	small_shared();
	must_move(HOME, AWAY, 16);
	mem.addr = AWAY;
}

static void swapped(void)
{
	small();
	madvise(HOME, 16 * PAGE_SIZE, MADV_PAGEOUT);
}

static void small_to_room(void) { small(); make_room(MADV_NOHUGEPAGE); }
static void huge_to_room(void) { huge(); make_room(MADV_HUGEPAGE); }

static void shared_to_room(void)
{
	small_shared();
	make_room(MADV_NOHUGEPAGE);
}

static void swapped_to_room(void)
{
	swapped();
	make_room(MADV_NOHUGEPAGE);
}

static void swapped_shared(void)
{
	small_shared();
	madvise(HOME, 16 * PAGE_SIZE, MADV_PAGEOUT);
}

static int do_mmap(void)
{
	return mmap(AWAY, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_FIXED, -1, 0) == MAP_FAILED ? -1 : 0;
}

/* Between two mapped ranges, so that all three may merge. */
static int do_mmap_hole(void)
{
	return mmap(mem.addr + mem.nr * PAGE_SIZE, PAGE_SIZE,
		    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_FIXED | MAP_POPULATE, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int do_munmap(void)
{
	int ret = munmap(mem.addr + 4 * PAGE_SIZE, 8 * PAGE_SIZE);

	if (!ret) {
		mem.hole = 4;
		mem.hole_nr = 8;
	}
	return ret;
}

static int do_mprotect(void)
{
	return mprotect(mem.addr + 4 * PAGE_SIZE, 8 * PAGE_SIZE, PROT_READ);
}

/* mremap to a place or, if that is NULL, one of the kernel's choice. */
static int do_mremap(unsigned int nr, unsigned int new_nr, int flags, char *to)
{
	char *got = mremap(mem.addr, nr * PAGE_SIZE, new_nr * PAGE_SIZE, flags,
			   to);

	if (got == MAP_FAILED)
		return -1;
	mem.addr = got;
	if (new_nr < mem.nr)
		mem.nr = new_nr;
	return 0;
}

static int do_move(void) { return do_mremap(mem.nr, mem.nr, FIXED, AWAY); }

static int do_move_home(void)
{
	return do_mremap(mem.nr, mem.nr, FIXED, HOME);
}

static int do_move_table(void)
{
	return do_mremap(mem.nr, mem.nr, FIXED, AWAY_TABLE);
}

static int do_move_part(void)
{
	char *part = mem.addr + 4 * PAGE_SIZE;

	if (mremap(part, 8 * PAGE_SIZE, 8 * PAGE_SIZE, FIXED,
		   AWAY + 256 * PAGE_SIZE) == MAP_FAILED)
		return -1;
	mem.hole = 4;
	mem.hole_nr = 8;
	return 0;
}

static int do_dontunmap(void)
{
	return do_mremap(mem.nr, mem.nr, FIXED | MREMAP_DONTUNMAP, AWAY);
}

static int do_grow(void) { return do_mremap(mem.nr, mem.nr + 8, 0, NULL); }

static int do_grow_by_move(void)
{
	return do_mremap(mem.nr, mem.nr + 8, FIXED, AWAY);
}

static int do_shrink(void) { return do_mremap(mem.nr, 4, 0, NULL); }

static int do_discard(void)
{
	int ret = madvise(mem.addr + 4 * PAGE_SIZE, 8 * PAGE_SIZE,
			  MADV_DONTNEED);

	if (!ret) {
		mem.hole = 4;
		mem.hole_nr = 8;
	}
	return ret;
}

static int advise(int advice)
{
	return madvise(mem.addr + 4 * PAGE_SIZE, 8 * PAGE_SIZE, advice);
}

static int do_mergeable(void) { return advise(MADV_MERGEABLE); }
static int do_dontfork(void) { return advise(MADV_DONTFORK); }
static int do_pageout(void) { return advise(MADV_PAGEOUT); }
static int do_populate(void) { return advise(MADV_POPULATE_WRITE); }
static int do_mlock(void) { return mlock(mem.addr, 4 * PAGE_SIZE); }

static int do_collapse(void)
{
	return madvise(mem.addr, HUGE_PAGES * PAGE_SIZE, MADV_COLLAPSE);
}

static int do_brk(void)
{
	char *old = (char *)syscall(SYS_brk, 0);
	char *new = old + 4 * PAGE_SIZE;

	errno = ENOMEM;		/* of which only the old end tells */
	if ((char *)syscall(SYS_brk, new) != new)
		return -1;
	return (char *)syscall(SYS_brk, old) == old ? 0 : -1;
}

static int do_fork(void);

/*
 * Page faults of the program itself are tried again until they succeed. The
 * byte that is written is 0 before, too.
 */
static int do_write(void)
{
	unsigned int i;

	for (i = 0; i < mem.nr; i += 5)
		*(volatile char *)(mem.addr + i * PAGE_SIZE) = 0;
	return 0;
}

static int do_write_new(void)
{
	char *new = mem.addr + mem.nr * PAGE_SIZE;

	*(volatile char *)new = 0;
	return 0;
}

/* One page of room, not touched, behind those that are. */
static void small_and_room(void)
{
	small();
	if (mremap(HOME, 16 * PAGE_SIZE, 17 * PAGE_SIZE, 0) != HOME)
		die("mremap: %m");
}

static const struct call {
	const char *name;
	void (*setup)(void);
	int (*run)(void);
} calls[] = {
	{ "mmap", small, do_mmap },
	{ "mmap beside a mapping", small, do_mmap_hole },
	{ "munmap the middle", small, do_munmap },
	{ "munmap moved pages", moved_shared, do_munmap },
	{ "mprotect the middle", small, do_mprotect },
	{ "mprotect shared pages", small_shared, do_mprotect },
	{ "mremap", small, do_move },
	{ "mremap shared pages", small_shared, do_move },
	{ "mremap moved pages", moved_shared, do_move_home },
	{ "mremap the middle", small, do_move_part },
	{ "mremap the shared middle", small_shared, do_move_part },
	{ "mremap the moved middle", moved_shared, do_move_part },
	{ "mremap a huge page", huge, do_move_table },
	{ "mremap a huge page askew", huge, do_move },
	{ "mremap a shared huge page", huge_shared, do_move_table },
	{ "mremap part of a huge page", huge, do_move_part },
	{ "mremap page tables", tables, do_move_table },
	{ "mremap shared page tables", tables_shared, do_move_table },
	{ "mremap page tables askew", tables_shared, do_move },
	{ "mremap swapped pages", swapped, do_move },
	{ "mremap swapped shared pages", swapped_shared, do_move },
	{ "mremap DONTUNMAP", small, do_dontunmap },
	{ "mremap DONTUNMAP shared pages", small_shared, do_dontunmap },
	{ "mremap in place", small_to_room, do_dontunmap },
	{ "mremap in place shared pages", shared_to_room, do_dontunmap },
	{ "mremap in place a huge page", huge_to_room, do_dontunmap },
	{ "mremap in place swapped pages", swapped_to_room, do_dontunmap },
	{ "mremap to grow", small, do_grow },
	{ "mremap to grow elsewhere", small_shared, do_grow_by_move },
	{ "mremap to shrink", small_shared, do_shrink },
	{ "madvise DONTNEED", small_shared, do_discard },
	{ "madvise DONTNEED moved pages", moved_shared, do_discard },
	{ "madvise MERGEABLE", small, do_mergeable },
	{ "madvise DONTFORK", small, do_dontfork },
	{ "madvise PAGEOUT", small, do_pageout },
	{ "madvise POPULATE_WRITE", small_shared, do_populate },
	{ "madvise COLLAPSE", collapsible, do_collapse },
	{ "mlock", small, do_mlock },
	{ "brk", small, do_brk },
	{ "fork", small, do_fork },
	{ "fork with moved pages", moved_shared, do_fork },
	{ "fork with swapped pages", swapped, do_fork },
	{ "write to a new page", small_and_room, do_write_new },
	{ "write to shared pages", small_shared, do_write },
	{ "write to moved pages", moved_shared, do_write },
	{ "write to a huge page", huge_shared, do_write },
	{ "write to swapped pages", swapped_shared, do_write },
};

static void check_memory(const char *name, unsigned int nth)
{
	const uint64_t *page;
	unsigned int i, word;

	for (i = 0; i < mem.nr; i++) {
		if (mem.hole_nr && i >= mem.hole && i < mem.hole + mem.hole_nr)
			continue;
		page = (uint64_t *)(mem.addr + i * PAGE_SIZE);
		for (word = 0; word < PAGE_SIZE / sizeof(*page); word++) {
			if (page[word] != tag(i) + word)
				die("%s, failure %u: page %u word %u: expected %#" PRIx64 ", found %#" PRIx64,
				    name, nth, i, word, tag(i) + word,
				    page[word]);
		}
	}
}

static int do_fork(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		check_memory("child of fork", 0);
		_exit(EXIT_SUCCESS);
	}
	if (pid < 0)
		return -1;
	if (waitpid(pid, &status, 0) != pid || status)
		die("child of fork ended with %#x", status);
	return 0;
}

static void set_nth(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(nth_fd, text, len, 0) != len)
		die("fail-nth: %m");
}

/* True if the failure asked for did not come up. */
static bool nth_is_left(void)
{
	char text[16] = "";

	if (pread(nth_fd, text, sizeof(text) - 1, 0) <= 0)
		die("fail-nth: %m");
	set_nth(0);
	return atoi(text) != 0;
}

static void tear_down(void)
{
	if (munmap(HOME, SPACE))
		die("munmap: %m");
	if (sleeper) {
		kill(sleeper, SIGKILL);
		waitpid(sleeper, NULL, 0);
		sleeper = 0;
	}
}

static void note_result(const char **names, unsigned int *counts, int error)
{
	const char *name = error ? strerrorname_np(error) : "ok";
	unsigned int i;

	for (i = 0; names[i] && strcmp(names[i], name); i++)
		;
	names[i] = name;
	counts[i]++;
}

static void run_call(const struct call *call)
{
	struct slab_count before = count_slabs(), after;
	const char *names[MOST + 1] = { NULL };
	unsigned int counts[MOST] = { 0 }, nth, i;
	bool left = false;
	int error;

	for (nth = 1; nth < MOST && !left; nth++) {
		call->setup();
		set_nth(nth);
		error = call->run() ? errno : 0;
		left = nth_is_left();
		if (!left)
			note_result(names, counts, error);
		else if (error)
			die("%s: %s without a failure", call->name,
			    strerrorname_np(error));
		check_memory(call->name, nth);
		tear_down();
	}
	after = count_slabs_until((struct slab_count){ before.anon + SLACK,
						      before.vmas + SLACK });
	printf("failnth\t%s\t%u\t", call->name, nth - 2);
	for (i = 0; names[i]; i++)
		printf("%s%s %u", i ? ", " : "", names[i], counts[i]);
	printf("\t%+ld anon objects, %+ld VMAs\n", after.anon - before.anon,
	       after.vmas - before.vmas);
	fflush(stdout);
	if (after.anon > before.anon + SLACK || after.vmas > before.vmas + SLACK)
		die("%s: objects are left over", call->name);
	if (!left)
		die("%s: more than %u points of failure", call->name, MOST);
}

int run_failnth(int argc, char **argv)
{
	unsigned int i;

	setup_injection();
	set_probability(0);
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0)
		die("fail-nth: %m: is this a debug kernel?");
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (!argc || !strcmp(calls[i].name, argv[0]))
			run_call(&calls[i]);
	}
	return EXIT_SUCCESS;
}
