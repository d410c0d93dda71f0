// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../vmafrag/frag.h"
#include "scenario.h"

#if __SIZEOF_LONG__ > 4
#define ZONES		((char *)0x100000000000UL)
#define ZONE_SIZE	(1UL << 30)
#else
#define ZONES		((char *)0x40000000UL)
#define ZONE_SIZE	(1UL << 28)
#endif
#define ZONE_PAGES	(ZONE_SIZE / PAGE_SIZE)

struct result *result;
int result_fd = -1;

void result_attach(int fd)
{
	result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
		      MAP_SHARED, fd, 0);
	if (result == MAP_FAILED) {
		perror("result");
		exit(EXIT_FAILURE);
	}
	result_fd = fd;
}

/* The first process of a scenario that fails gives the reason. */
static void end(enum outcome outcome, const char *format, va_list args)
{
	if (result->outcome == OUTCOME_NONE) {
		result->outcome = outcome;
		vsnprintf(result->reason, sizeof(result->reason), format,
			  args);
	}
	fflush(stdout);
	_exit(EXIT_FAILURE);
}

void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	end(OUTCOME_FAILED, format, args);
	va_end(args);
	abort();
}

void cannot_run(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	end(OUTCOME_CANNOT_RUN, format, args);
	va_end(args);
	abort();
}

char *page(enum zone zone, size_t nr)
{
	return ZONES + zone * ZONE_SIZE + nr * PAGE_SIZE;
}

/* "B+3", or the address itself outside the zones. */
static const char *place(const char *at)
{
	static char text[32];
	size_t nr = (at - ZONES) / PAGE_SIZE;

	if (at < ZONES || nr >= NR_ZONES * ZONE_PAGES)
		snprintf(text, sizeof(text), "%p", at);
	else
		snprintf(text, sizeof(text), "%c+%zu",
			 'A' + (int)(nr / ZONE_PAGES),
			 (size_t)(nr % ZONE_PAGES));
	return text;
}

void map_with(char *at, size_t pages, int prot, int flags)
{
	void *got;

	got = mmap(at, pages * PAGE_SIZE, prot, MAP_PRIVATE | MAP_ANONYMOUS |
		   MAP_FIXED_NOREPLACE | flags, -1, 0);
	require(got == at, "mmap of %zu pages at %s: %s", pages, place(at),
		strerror(errno));
}

void map(char *at, size_t pages)
{
	map_with(at, pages, PROT_READ | PROT_WRITE, 0);
}

void unmap(char *at, size_t pages)
{
	require(!munmap(at, pages * PAGE_SIZE), "munmap of %zu pages at %s: %s",
		pages, place(at), strerror(errno));
}

void move(char *from, char *to, size_t pages)
{
	void *got;

	got = mremap(from, pages * PAGE_SIZE, pages * PAGE_SIZE,
		     MREMAP_MAYMOVE | MREMAP_FIXED, to);
	require(got == to, "move of %zu pages from %s: %s", pages, place(from),
		strerror(errno));
}

void protect(char *at, size_t pages, int prot)
{
	require(!mprotect(at, pages * PAGE_SIZE, prot),
		"mprotect of %zu pages at %s: %s", pages, place(at),
		strerror(errno));
}

static uint64_t word(uint32_t id, size_t i)
{
	return (uint64_t)id << 32 | i;
}

void fill(char *at, size_t pages, uint32_t id)
{
	uint64_t *words = (uint64_t *)at;
	const size_t per_page = PAGE_SIZE / sizeof(*words);
	size_t i;

	for (i = 0; i < pages * per_page; i++)
		words[i] = word(id + i / per_page, i % per_page);
}

void map_and_fill(char *at, size_t pages, uint32_t id)
{
	map(at, pages);
	fill(at, pages, id);
}

static void verify_words(const char *at, uint64_t found, uint64_t expected)
{
	if (found == expected)
		return;
	result->bad_contents = true;
	fail("contents of %s: found %#llx, expected %#llx", place(at),
	     (unsigned long long)found, (unsigned long long)expected);
}

void verify(const char *at, size_t pages, uint32_t id)
{
	const uint64_t *words = (const uint64_t *)at;
	const size_t per_page = PAGE_SIZE / sizeof(*words);
	size_t i;

	for (i = 0; i < pages * per_page; i++)
		verify_words((const char *)&words[i], words[i],
			     word(id + i / per_page, i % per_page));
	result->verified += pages;
}

void verify_zero(const char *at, size_t pages)
{
	const uint64_t *words = (const uint64_t *)at;
	size_t i;

	for (i = 0; i < pages * PAGE_SIZE / sizeof(*words); i++)
		verify_words((const char *)&words[i], words[i], 0);
	result->verified += pages;
}

void verify_text(const char *text, char letter, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		verify_words(text + i, text[i], letter);
	verify_words(text + length, text[length], '\0');
	result->verified += length / PAGE_SIZE;
}

static void read_own_map(struct vma_map *map)
{
	int err = vma_map_read_pid(map, getpid());

	require(!err, "cannot read /proc/self/smaps: %s", strerror(-err));
}

/* The flags that the permissions do not tell: "hg um" of "rd wr mr hg um". */
static const char *extra_flags(const char *flags)
{
	static const char usual[] = "rd wr ex mr mw me ac";
	static char extra[128];
	size_t used = 0;
	char flag[3];

	extra[0] = '\0';
	for (; strlen(flags) >= 2; flags += flags[2] ? 3 : 2) {
		snprintf(flag, sizeof(flag), "%.2s", flags);
		if (!strstr(usual, flag))
			used += snprintf(extra + used, sizeof(extra) - used,
					 "%s%s", used ? " " : "", flag);
	}
	return extra;
}

/* One line of a view: the part of the VMA that is in the pages. */
static void print_vma(const char *label, char letter, unsigned long base,
		      size_t pages, const struct vma *vma, bool missed)
{
	unsigned long end = base + pages * PAGE_SIZE;
	unsigned long from = vma->start > base ? vma->start : base;
	unsigned long to = vma->end < end ? vma->end : end;

	printf("map\t%s\t%s\t%c+%lu\t%lu\t%s\t%s\t%s\t%s\n", result->name,
	       label, letter, (from - base) / PAGE_SIZE,
	       (to - from) / PAGE_SIZE, vma->perms, vma->name,
	       extra_flags(vma->flags), missed ? "missed" : "");
}

static void add_view(const char *label, char letter, const char *at,
		     size_t pages, struct frag *sum, const struct vma_map *map)
{
	unsigned long base = (unsigned long)at;
	unsigned long end = base + pages * PAGE_SIZE;
	const struct vma *prev = NULL;
	struct frag frag;
	size_t i;

	frag_count(&frag, map, base, end);
	sum->vmas += frag.vmas;
	sum->begins[BEGINS_EQUAL] += frag.begins[BEGINS_EQUAL];

	for (i = 0; i < map->nr; i++) {
		const struct vma *vma = &map->vma[i];

		if (vma->end <= base || vma->start >= end)
			continue;
		print_vma(label, letter, base, pages, vma, vma->anon &&
			  vma_begins(prev, vma) == BEGINS_EQUAL);
		prev = vma;
	}
}

static void print_view(const char *label, const struct frag *sum)
{
	size_t missed = sum->begins[BEGINS_EQUAL];

	printf("view\t%s\t%s\t%zu\t%zu\n", result->name, label, sum->vmas,
	       missed);
	fflush(stdout);
	result->views++;
	result->vmas += sum->vmas;
	result->missed += missed;
}

void view(const char *label)
{
	struct frag sum = { .vmas = 0 };
	struct vma_map map;
	int zone;

	read_own_map(&map);
	for (zone = A; zone < NR_ZONES; zone++)
		add_view(label, 'A' + zone, page(zone, 0), ZONE_PAGES, &sum,
			 &map);
	print_view(label, &sum);
	vma_map_free(&map);
}

void view_at(const char *label, const char *base, size_t pages)
{
	struct frag sum = { .vmas = 0 };
	struct vma_map map;

	read_own_map(&map);
	add_view(label, '*', base, pages, &sum, &map);
	print_view(label, &sum);
	vma_map_free(&map);
}

size_t huge_kb(const char *at, size_t pages)
{
	unsigned long start = (unsigned long)at;
	struct vma_map map;
	size_t kb = 0, i;

	read_own_map(&map);
	for (i = 0; i < map.nr; i++)
		if (map.vma[i].end > start &&
		    map.vma[i].start < start + pages * PAGE_SIZE)
			kb += map.vma[i].huge_kb;
	vma_map_free(&map);
	return kb;
}

static uint64_t read_entry(const char *path, uint64_t index)
{
	uint64_t entry;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		cannot_run("%s: %s", path, strerror(errno));
	require(pread(fd, &entry, sizeof(entry), index * sizeof(entry)) ==
		sizeof(entry), "%s: %s", path, strerror(errno));
	close(fd);
	return entry;
}

/* See Documentation/admin-guide/mm/pagemap.rst. */
#define PAGEMAP_PFN	((1ULL << 55) - 1)
#define PAGEMAP_SWAPPED	(1ULL << 62)
#define PAGEMAP_PRESENT	(1ULL << 63)
#define KPF_COMPOUND	(1ULL << 15 | 1ULL << 16)	/* head or tail */

static uint64_t read_pagemap(const char *at)
{
	return read_entry("/proc/self/pagemap", (uintptr_t)at / PAGE_SIZE);
}

bool is_swapped(const char *at)
{
	return read_pagemap(at) & PAGEMAP_SWAPPED;
}

bool is_large_folio(const char *at)
{
	uint64_t entry = read_pagemap(at);

	require(entry & PAGEMAP_PRESENT, "%s is not present", place(at));
	if (!(entry & PAGEMAP_PFN))
		cannot_run("/proc/self/pagemap hides page frames: needs root");
	return read_entry("/proc/kpageflags", entry & PAGEMAP_PFN) &
	       KPF_COMPOUND;
}

#define TRIES	1000

bool try_again(int *tries)
{
	usleep(10000);
	return ++*tries < TRIES;
}

pid_t spawn(void (*run)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	require(pid >= 0, "fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run();
	fflush(stdout);
	_exit(EXIT_SUCCESS);
}

void wait_for_parent(void)
{
	raise(SIGSTOP);
}

void resume(pid_t pid)
{
	int status;

	require(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status),
		"a child ended too early");
	kill(pid, SIGCONT);
}

void join(pid_t pid)
{
	int status;

	require(waitpid(pid, &status, 0) == pid, "waitpid: %s",
		strerror(errno));
	require(!WIFSIGNALED(status), "a child was killed: %s",
		strsignal(WTERMSIG(status)));
	require(!WEXITSTATUS(status), "a child failed with status %d",
		WEXITSTATUS(status));
}
