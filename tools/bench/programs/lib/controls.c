// SPDX-License-Identifier: GPL-2.0
/*
 * controls - memory that no kernel can merge, or that has a file
 *
 * alternate  every second page of a range is made read-only, and writable again
 * stacks     threads, each with a guard page, all there at the same time
 * wasm       sandboxes: large reservations, each committed a bit more in turns
 * memfd      pages of a file in memory that are mapped over others, as Mesh does
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_SIZE	4096UL
#define ALTERNATE_PAGES	20000UL
#define THREADS		400
#define SANDBOXES	50
#define SANDBOX_SIZE	(1UL << 32)
#define SANDBOX_STEP	(64UL << 10)
#define SANDBOX_STEPS	20
#define MESH_PAGES	10000UL

static void check(bool works, const char *what)
{
	if (!works) {
		perror(what);
		exit(1);
	}
}

static char *map(size_t size, int prot, int flags, int fd)
{
	void *addr = mmap(NULL, size, prot, flags, fd, 0);

	check(addr != MAP_FAILED, "mmap");
	return addr;
}

static void alternate(void)
{
	char *addr = map(ALTERNATE_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1);
	unsigned long i;

	memset(addr, 1, ALTERNATE_PAGES * PAGE_SIZE);
	for (i = 0; i < ALTERNATE_PAGES; i += 2)
		check(!mprotect(addr + i * PAGE_SIZE, PAGE_SIZE, PROT_READ), "mprotect");
	for (i = 0; i < ALTERNATE_PAGES; i += 2)
		check(!mprotect(addr + i * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE),
		      "mprotect");
}

static pthread_barrier_t barrier;

static void *wait_for_all(void *arg)
{
	volatile char frame[3 * 4096];

	frame[0] = 1;
	pthread_barrier_wait(&barrier);
	return frame[0] ? arg : NULL;
}

static void stacks(void)
{
	static pthread_t threads[THREADS];
	int i;

	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (i = 0; i < THREADS; i++)
		check(!pthread_create(&threads[i], NULL, wait_for_all, NULL), "thread");
	pthread_barrier_wait(&barrier);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void wasm(void)
{
	char *sandbox[SANDBOXES];
	unsigned long step, i;

	for (i = 0; i < SANDBOXES; i++)
		sandbox[i] = map(SANDBOX_SIZE, PROT_NONE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	for (step = 0; step < SANDBOX_STEPS; step++) {
		for (i = 0; i < SANDBOXES; i++) {
			char *addr = sandbox[i] + step * SANDBOX_STEP;

			check(!mprotect(addr, SANDBOX_STEP, PROT_READ | PROT_WRITE),
			      "mprotect");
			memset(addr, 1, SANDBOX_STEP);
		}
	}
}

/* The upper half is mapped page by page over what the lower half has. */
static void memfd(void)
{
	int fd = memfd_create("mesh", 0);
	unsigned long i;
	char *addr;

	check(fd >= 0 && !ftruncate(fd, MESH_PAGES * PAGE_SIZE), "memfd");
	addr = map(MESH_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	memset(addr, 1, MESH_PAGES * PAGE_SIZE);
	for (i = 0; i < MESH_PAGES / 2; i++) {
		char *page = addr + (i + MESH_PAGES / 2) * PAGE_SIZE;
		off_t offset = (i ^ 1) * PAGE_SIZE;

		check(mmap(page, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			   fd, offset) == page, "mmap");
		*page = 2;
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} controls[] = {
	{ "alternate", alternate },
	{ "stacks", stacks },
	{ "wasm", wasm },
	{ "memfd", memfd },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(controls) / sizeof(*controls); i++) {
		if (argc == 2 && !strcmp(argv[1], controls[i].name)) {
			controls[i].run();
			return 0;
		}
	}
	fprintf(stderr, "Usage: controls alternate|stacks|wasm|memfd\n");
	return 2;
}
