// SPDX-License-Identifier: GPL-2.0
/*
 * grower - memory that grows in steps, in turns with a child's, to be saved by criu
 *
 * The heap and a mapping grow before and after the fork.  Then both wait for a signal.
 * Usage: grower CHILDREN
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_SIZE	4096UL
#define STEPS		100
#define RESERVED	(1UL << 30)

static char *next;

static void step(void)
{
	char *heap = sbrk(PAGE_SIZE);
	char *page = mmap(next, PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (heap == (void *)-1 || page == MAP_FAILED)
		_exit(1);
	memset(heap, 1, PAGE_SIZE);
	memset(page, 2, PAGE_SIZE);
	next += PAGE_SIZE;
}

static void grow(void)
{
	int i;

	for (i = 0; i < STEPS; i++)
		step();
}

int main(int argc, char **argv)
{
	int children = argc == 2 ? atoi(argv[1]) : 0;

	next = mmap(NULL, RESERVED, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (next == MAP_FAILED)
		return 1;
	grow();
	while (children-- > 0) {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (!pid)
			break;
	}
	grow();
	for (;;)
		pause();
}
