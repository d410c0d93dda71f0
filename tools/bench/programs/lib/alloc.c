// SPDX-License-Identifier: GPL-2.0
/*
 * alloc - threads that allocate, grow and free memory of all sizes
 *
 * To be run with an allocator in LD_PRELOAD.  The same seed gives the same
 * requests, so two kernels do the same work.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_THREADS	16
#define SLOTS		512
#define MIN_BITS	4
#define MAX_BITS	20
#define STRIDE		4096

struct slot {
	char *mem;
	size_t size;
};

struct worker {
	pthread_t thread;
	unsigned int seed;
	unsigned long requests;
	struct slot slots[SLOTS];
};

static size_t random_size(struct worker *worker)
{
	int bits = MIN_BITS + rand_r(&worker->seed) % (MAX_BITS - MIN_BITS);

	return (1UL << bits) + rand_r(&worker->seed) % (1UL << bits);
}

static void fill(const struct slot *slot)
{
	size_t i;

	for (i = 0; i < slot->size; i += STRIDE)
		slot->mem[i] = 1;
}

static void request(struct worker *worker)
{
	struct slot *slot = &worker->slots[rand_r(&worker->seed) % SLOTS];

	if (slot->mem && rand_r(&worker->seed) % 2) {
		free(slot->mem);
		slot->mem = NULL;
		return;
	}
	slot->size = random_size(worker);
	slot->mem = realloc(slot->mem, slot->size);
	if (!slot->mem) {
		perror("alloc");
		exit(1);
	}
	fill(slot);
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	unsigned long i;

	for (i = 0; i < worker->requests; i++)
		request(worker);
	for (i = 0; i < SLOTS; i++)
		free(worker->slots[i].mem);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct worker workers[MAX_THREADS];
	int i, threads = argc == 3 ? atoi(argv[1]) : 0;

	if (threads < 1 || threads > MAX_THREADS) {
		fprintf(stderr, "Usage: alloc THREADS REQUESTS\n");
		return 2;
	}
	for (i = 0; i < threads; i++) {
		workers[i].seed = i + 1;
		workers[i].requests = strtoul(argv[2], NULL, 10);
		if (pthread_create(&workers[i].thread, NULL, worker_main,
				   &workers[i])) {
			perror("alloc");
			return 1;
		}
	}
	for (i = 0; i < threads; i++)
		pthread_join(workers[i].thread, NULL);
	return 0;
}
