// SPDX-License-Identifier: GPL-2.0
/* Swapped-out memory, files, userfaultfd and the stack of a new program. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../vmafrag/smaps.h"
#include "../uffdio_move.h"
#include "scenario.h"

#define PAGES 8

static void require_swap(void)
{
	char line[128];
	FILE *file = fopen("/proc/swaps", "re");
	bool found;

	if (!file)
		cannot_run("/proc/swaps: %s", strerror(errno));
	/* The first line is a heading. */
	found = fgets(line, sizeof(line), file) &&
		fgets(line, sizeof(line), file);
	fclose(file);
	if (!found)
		cannot_run("no swap space is in use");
}

static void require_swapped(char *at, size_t pages, const char *when)
{
	size_t i;

	for (i = 0; i < pages; i++)
		require(is_swapped(at + i * PAGE_SIZE),
			"page %zu is not swapped out %s", i, when);
}

/* Pages that are busy for a moment are left alone: try again. */
static void swap_out(char *at, size_t pages)
{
	int tries = 0;
	size_t i;

	do {
		require(!madvise(at, pages * PAGE_SIZE, MADV_PAGEOUT),
			"MADV_PAGEOUT: %s", strerror(errno));
		for (i = 0; i < pages && is_swapped(at + i * PAGE_SIZE); i++)
			;
		if (i == pages)
			return;
	} while (try_again(&tries));
	require_swapped(at, pages, "after MADV_PAGEOUT");
}

/*
 *	A: |swapped out|  B: |0 .. 7|
 *	                  B: |0 .. 7|swapped out|
 */
void swap_move(void)
{
	require_swap();
	map_and_fill(page(A, 0), PAGES, 101);
	map_and_fill(page(B, 0), PAGES, 1);
	swap_out(page(A, 0), PAGES);
	move(page(A, 0), page(B, PAGES), PAGES);
	require_swapped(page(B, PAGES), PAGES, "after the move");
	verify(page(B, 0), PAGES, 1);
	verify(page(B, PAGES), PAGES, 101);
	view("moved");
}

static void gather_swapped(void)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		move(page(A, 2 * i), page(B, i), 1);
	require_swapped(page(B, 0), PAGES, "after the move");
	for (i = 0; i < PAGES; i++)
		verify(page(B, i), 1, 1 + 2 * i);
	fill(page(B, 0), PAGES, 101);
	verify(page(B, 0), PAGES, 101);
	unmap(page(A, 0), 2 * PAGES);
	view("child");
}

void swap_fork_move(void)
{
	require_swap();
	map_and_fill(page(A, 0), 2 * PAGES, 1);
	swap_out(page(A, 0), 2 * PAGES);
	join(spawn(gather_swapped));
	verify(page(A, 0), 2 * PAGES, 1);
	view("parent");
}

static void map_file(char *at, int fd, size_t first)
{
	void *got = mmap(at, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd,
			 first * PAGE_SIZE);

	require(got == at, "mmap of a file: %s", strerror(errno));
}

/*
 * Two halves of a file, both partly written to, come together:
 *	A: |file 0 .. 7|  B: |      |file 8 .. 15|
 *	                  B: |file 0 .. 7|8 .. 15|
 * File mappings do not count as anonymous: see how many VMAs are left.
 */
void file_move(void)
{
	size_t i;
	int fd;

	map_and_fill(page(C, 0), 2 * PAGES, 1);
	fd = memfd_create("scenario", MFD_CLOEXEC);
	require(fd >= 0 && write(fd, page(C, 0), 2 * PAGES * PAGE_SIZE) ==
		2 * PAGES * PAGE_SIZE, "memfd: %s", strerror(errno));
	unmap(page(C, 0), 2 * PAGES);

	map_file(page(A, 0), fd, 0);
	map_file(page(B, PAGES), fd, PAGES);
	for (i = 0; i < PAGES; i += 2) {
		fill(page(A, i), 1, 101 + i);
		fill(page(B, PAGES + i), 1, 101 + PAGES + i);
	}
	move(page(A, 0), page(B, 0), PAGES);
	for (i = 0; i < 2 * PAGES; i++)
		verify(page(B, i), 1, i % 2 ? 1 + i : 101 + i);
	view("moved");
}

static int uffd_open(void)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = 1 << 16,	/* UFFD_FEATURE_MOVE */
	};
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd < 0)
		cannot_run("userfaultfd: %s", strerror(errno));
	if (ioctl(fd, UFFDIO_API, &api))
		cannot_run("no UFFDIO_MOVE in this kernel: %s",
			   strerror(errno));
	return fd;
}

static void uffd_move_page(int fd, char *from, char *to)
{
	struct uffdio_move move = {
		.dst = (uintptr_t)to,
		.src = (uintptr_t)from,
		.len = PAGE_SIZE,
	};
	int tries = 0;

	while (ioctl(fd, UFFDIO_MOVE, &move))
		require((errno == EAGAIN || errno == EBUSY) && try_again(&tries),
			"UFFDIO_MOVE: %s", strerror(errno));
	require(move.move == PAGE_SIZE, "UFFDIO_MOVE moved %lld bytes",
		(long long)move.move);
}

/*
 *	A: |0|.|1|.|2|...		every second page is live
 *	B: |touched|registered|touched|	one mapping before
 *	B: |touched|0 1 2 ..  |touched|	filled, and unregistered
 */
void uffd_move(void)
{
	struct uffdio_register registration = {
		.range.start = (uintptr_t)page(B, PAGES),
		.range.len = PAGES * PAGE_SIZE,
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = uffd_open();
	size_t i;

	map_and_fill(page(A, 0), 2 * PAGES, 1);
	map(page(B, 0), 3 * PAGES);
	require(!ioctl(fd, UFFDIO_REGISTER, &registration),
		"UFFDIO_REGISTER: %s", strerror(errno));
	fill(page(B, 0), PAGES, 101);
	fill(page(B, 2 * PAGES), PAGES, 201);
	for (i = 0; i < PAGES; i++)
		uffd_move_page(fd, page(A, 2 * i), page(B, PAGES + i));
	view("filled");
	require(!ioctl(fd, UFFDIO_UNREGISTER, &registration.range),
		"UFFDIO_UNREGISTER: %s", strerror(errno));

	verify(page(B, 0), PAGES, 101);
	for (i = 0; i < PAGES; i++) {
		verify(page(A, 2 * i + 1), 1, 2 + 2 * i);
		verify_zero(page(A, 2 * i), 1);
		verify(page(B, PAGES + i), 1, 1 + 2 * i);
	}
	verify(page(B, 2 * PAGES), PAGES, 201);
	unmap(page(A, 0), 2 * PAGES);
	view("unregistered");
}

/*
 * The kernel writes the arguments to a stack at the end of the address space
 * and then moves that stack to its place: the arguments show if it did.
 */
#define ARGS		8
#define ARG_LENGTH	(8 * PAGE_SIZE)

static void exec_self(void)
{
	char fd[16], *args[ARGS + 4] = { "scenarios", "exec_stack", fd };
	int i;

	snprintf(fd, sizeof(fd), "%d", result_fd);
	for (i = 0; i < ARGS; i++) {
		args[3 + i] = calloc(1, ARG_LENGTH + 1);
		require(args[3 + i], "out of memory");
		memset(args[3 + i], 'a' + i, ARG_LENGTH);
	}
	execv("/proc/self/exe", args);
	fail("exec: %s", strerror(errno));
}

void exec_stack(void)
{
	char line[8] = "";
	FILE *file = fopen("/proc/sys/kernel/randomize_va_space", "re");

	if (!file || !fgets(line, sizeof(line), file))
		cannot_run("randomize_va_space: %s", strerror(errno));
	fclose(file);
	if (atoi(line) == 0)
		cannot_run("without randomize_va_space exec moves no stack");
	join(spawn(exec_self));
}

static char *stack_start(void)
{
	struct vma_map map;
	char *start = NULL;
	size_t i;

	require(!vma_map_read_pid(&map, getpid()), "cannot read smaps");
	for (i = 0; i < map.nr; i++)
		if (!strcmp(map.vma[i].name, "[stack]"))
			start = (char *)map.vma[i].start;
	vma_map_free(&map);
	require(start, "no stack found");
	return start;
}

/* Maps PAGES pages below the stack, and shows them with as many of it. */
int exec_stack_child(char **args)
{
	char *below;
	int i;

	result_attach(atoi(args[0]));
	below = stack_start() - PAGES * PAGE_SIZE;
	map_with(below, PAGES, PROT_READ | PROT_WRITE, MAP_GROWSDOWN);
	fill(below, PAGES, 1);
	verify(below, PAGES, 1);
	for (i = 0; i < ARGS; i++)
		verify_text(args[1 + i], 'a' + i, ARG_LENGTH);
	view_at("stack", below, 2 * PAGES);
	return EXIT_SUCCESS;
}
