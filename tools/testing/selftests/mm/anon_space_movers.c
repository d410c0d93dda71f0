// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that move different memory at once, of which some lies in the same page
 * tables. Nothing may be lost, and nobody may wait for ever.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

#define TIMES		4000

/* One page goes there and back, to where memory is mapped or to where none is. */
struct mover {
	char *from, *to;
	int flags;
	int times;
	int failed;
	pthread_t thread;
};

static void *move_there_and_back(void *arg)
{
	struct mover *m = arg;
	int i;

	for (i = 0; i < m->times; i++) {
		if (mremap(m->from, psize(), psize(), m->flags, m->to) != m->to ||
		    mremap(m->to, psize(), psize(), m->flags, m->from) != m->from)
			m->failed++;
	}
	return NULL;
}

/*
 * Two page tables. Each has, at its start, anonymous memory with a page that moves in
 * place, and behind that one page's room for what others move.
 */
#define ROOM	64	/* pages from the start */

FIXTURE(tables)
{
	char *first, *second;
	struct mover in_place;
};

FIXTURE_SETUP(tables)
{
	self->first = reserve(2 * table_size());
	self->second = self->first + table_size();
	map_filled(self->first, 2, 1);
	map_filled(self->second, 2, 101);
	self->in_place = (struct mover) {
		.from = self->first, .to = self->second, .times = TIMES,
		.flags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
	};
}

FIXTURE_TEARDOWN(tables)
{
}

static bool move_at_once(struct mover *movers[], int nr)
{
	bool good = true;
	int i;

	for (i = 0; i < nr; i++)
		if (pthread_create(&movers[i]->thread, NULL,
				   move_there_and_back, movers[i]))
			return false;
	for (i = 0; i < nr; i++)
		if (pthread_join(movers[i]->thread, NULL) ||
		    movers[i]->failed)
			good = false;
	return good;
}

static void check_in_place(struct __test_metadata *_metadata, char *first,
			   char *second)
{
	EXPECT_TRUE(pages_have(first, 2, 1));
	EXPECT_TRUE(pages_have(second + psize(), 1, 102));
	EXPECT_TRUE(pages_migrate(first, 2));
	EXPECT_TRUE(pages_have(first, 2, 1));
}

/* Memory of a file moves without the lock of the anonymous space. */
TEST_F_TIMEOUT(tables, beside_a_file, TIMEOUT)
{
	size_t room = ROOM * psize();
	struct mover file = {
		.from = self->first + room, .to = self->second + room,
		.flags = MREMAP_MAYMOVE | MREMAP_FIXED, .times = TIMES,
	};
	struct mover *movers[] = { &self->in_place, &file };

	ASSERT_EQ(file.from,
		  mmap(file.from, psize(), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	*(int *)file.from = 7;
	ASSERT_TRUE(move_at_once(movers, 2));
	EXPECT_EQ(7, *(int *)file.from);
	check_in_place(_metadata, self->first, self->second);
}

TEST_F_TIMEOUT(tables, beside_anonymous_memory, TIMEOUT)
{
	size_t room = ROOM * psize();
	struct mover other = {
		.from = self->second + room, .to = self->first + room,
		.flags = MREMAP_MAYMOVE | MREMAP_FIXED, .times = TIMES,
	};
	struct mover *movers[] = { &self->in_place, &other };

	map_filled(other.from, 1, 7);
	ASSERT_TRUE(move_at_once(movers, 2));
	EXPECT_TRUE(pages_have(other.from, 1, 7));
	check_in_place(_metadata, self->first, self->second);
}

/* In the same mappings, the other way round, with a third one in the middle. */
TEST_F_TIMEOUT(tables, in_place_all, TIMEOUT)
{
	size_t size = 16 * psize();
	struct mover back = self->in_place, third = self->in_place;
	struct mover *movers[] = { &self->in_place, &back, &third };

	map_filled(self->first, 16, 1);
	map_filled(self->second, 16, 101);
	back.from = self->second + 8 * psize();
	back.to = self->first + 8 * psize();
	third.from = self->first + 12 * psize();
	third.to = self->first + 4 * psize();
	ASSERT_TRUE(move_at_once(movers, 3));
	EXPECT_TRUE(pages_have(back.from, 1, 109));
	EXPECT_TRUE(pages_have(third.from, 1, 13));
	EXPECT_TRUE(pages_have(self->first + 13 * psize(), 3, 14));
	EXPECT_TRUE(pages_migrate(self->first, 16));
	EXPECT_TRUE(pages_migrate(self->second, 16));
	EXPECT_TRUE(pages_have(self->second + 9 * psize(), 7, 110));
	munmap(self->first + 2 * psize(), size - 2 * psize());
	munmap(self->second + 2 * psize(), size - 2 * psize());
	check_in_place(_metadata, self->first, self->second);
}

/* ---- beside who drops what is at the destination ---- */

#define DROPPED		3000	/* pages: the first is dropped long before the last */
#define ROUNDS		100

struct dropper {
	char *at;
	int go, done;	/* rounds */
};

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void wait_until(int *round, int wanted)
{
	while (__atomic_load_n(round, __ATOMIC_ACQUIRE) != wanted)
		;
}

static void *drop(void *arg)
{
	struct dropper *d = arg;
	int i;

	run_on(0);
	for (i = 1; i <= ROUNDS; i++) {
		wait_until(&d->go, i);
		if (madvise(d->at, DROPPED * psize(), MADV_DONTNEED))
			exit(KSFT_FAIL);
		__atomic_store_n(&d->done, i, __ATOMIC_RELEASE);
	}
	return NULL;
}

/*
 * What is written after the move is there, or has been dropped; and is not in a page
 * that this processor still has in its TLB, while that which moved is seen later.
 */
TEST(written_after_the_move)
{
	struct dropper d = { reserve((DROPPED + 2) * psize()) };
	volatile char *to = d.at, *from = d.at + (DROPPED + 1) * psize();
	int i, wait, nr_lost = 0;
	pthread_t thread;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one processor");
	map_filled(d.at, DROPPED + 2, 1);
	if (madvise(d.at, (DROPPED + 2) * psize(), MADV_NOHUGEPAGE))
		TH_LOG("no huge pages anyhow");
	run_on(1);
	ASSERT_EQ(0, pthread_create(&thread, NULL, drop, &d));
	for (i = 1; i <= ROUNDS; i++) {
		fill_pages(d.at, DROPPED, 1);
		*from = 77;
		*to = 5;
		wait = rand() % 5000;
		__atomic_store_n(&d.go, i, __ATOMIC_RELEASE);
		while (wait--)
			__asm__ volatile("" ::: "memory");
		ASSERT_EQ(to, mremap((void *)from, psize(), psize(),
				     MREMAP_MAYMOVE | MREMAP_FIXED |
				     MREMAP_DONTUNMAP, (void *)to));
		*to = 99;
		wait_until(&d.done, i);
		nr_lost += *to != 99 && *to;
	}
	EXPECT_EQ(0, nr_lost);
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

TEST_HARNESS_MAIN
