// SPDX-License-Identifier: GPL-2.0
/* Memory that processes share since a fork. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scenario.h"

#define PAGES 8

static char *heap;

static void grow_heap(size_t nr, uint32_t id)
{
	require(!brk(heap + (nr + PAGES) * PAGE_SIZE), "brk: %s",
		strerror(errno));
	fill(heap + nr * PAGE_SIZE, PAGES, id);
}

static void grow_inherited_heap(void)
{
	grow_heap(PAGES, 101);
	verify(heap, PAGES, 1);
	verify(heap + PAGES * PAGE_SIZE, PAGES, 101);
	view_at("child", heap, 2 * PAGES);
}

void fork_brk(void)
{
	heap = sbrk(0);
	heap += -(uintptr_t)heap % PAGE_SIZE;
	grow_heap(0, 1);
	join(spawn(grow_inherited_heap));
	grow_heap(PAGES, 201);
	verify(heap, PAGES, 1);
	verify(heap + PAGES * PAGE_SIZE, PAGES, 201);
	view_at("parent", heap, 2 * PAGES);
}

static void map_next_to_inherited(void)
{
	map_and_fill(page(A, 2 * PAGES), PAGES, 101);
	map_and_fill(page(A, 0), PAGES, 201);
	verify(page(A, 0), PAGES, 201);
	verify(page(A, PAGES), PAGES, 1);
	verify(page(A, 2 * PAGES), PAGES, 101);
}

static void map_in_child(void)
{
	map_next_to_inherited();
	view("child");
}

void fork_mmap(void)
{
	map_and_fill(page(A, PAGES), PAGES, 1);
	join(spawn(map_in_child));
	map_next_to_inherited();
	view("parent");
}

/* Moves every second page from A to B, and writes to half of those. */
static void gather_shared(void)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		move(page(A, 2 * i), page(B, i), 1);
	for (i = 0; i < PAGES; i += 2)
		fill(page(B, i), 1, 101 + i);
	for (i = 0; i < PAGES; i++) {
		verify(page(B, i), 1, i % 2 ? 1 + 2 * i : 101 + i);
		verify(page(A, 2 * i + 1), 1, 2 + 2 * i);
		unmap(page(A, 2 * i + 1), 1);
	}
}

static void gather_in_child(void)
{
	gather_shared();
	view("child");
	wait_for_parent();
	verify(page(B, 1), 1, 3);
}

void fork_child_moves(void)
{
	pid_t pid;

	map_and_fill(page(A, 0), 2 * PAGES, 1);
	pid = spawn(gather_in_child);
	resume(pid);
	verify(page(A, 0), 2 * PAGES, 1);
	fill(page(A, 0), 2 * PAGES, 301);
	join(pid);
	verify(page(A, 0), 2 * PAGES, 301);
	view("parent");
}

static void verify_in_child(void)
{
	wait_for_parent();
	verify(page(A, 0), 2 * PAGES, 1);
	fill(page(A, 0), 2 * PAGES, 301);
	verify(page(A, 0), 2 * PAGES, 301);
	view("child");
}

void fork_parent_moves(void)
{
	pid_t pid;

	map_and_fill(page(A, 0), 2 * PAGES, 1);
	pid = spawn(verify_in_child);
	gather_shared();
	resume(pid);
	join(pid);
	verify(page(B, 1), 1, 3);
	view("parent");
}

/*
 * Generation g moves what it finds in zone g to zone g + 1 in the opposite
 * order, page by page, and maps a page of its own behind it:
 *	A: |1 2 .. 8|
 *	B: |8 .. 2 1|100|
 *	C: |100|1 2 .. 8|101|
 */
static unsigned int generation;
static uint32_t ids[PAGES + NR_ZONES];

static void move_inherited(void)
{
	const size_t pages = PAGES + generation;
	uint32_t old[PAGES + NR_ZONES];
	const enum zone zone = generation;
	size_t i;

	memcpy(old, ids, sizeof(old));
	for (i = 0; i < pages; i++) {
		move(page(zone, i), page(zone + 1, pages - 1 - i), 1);
		ids[pages - 1 - i] = old[i];
	}
	ids[pages] = 100 + generation;
	map_and_fill(page(zone + 1, pages), 1, ids[pages]);
}

static void live(void)
{
	static const char * const labels[] = { "parent", "child", "grandchild" };
	const unsigned int self = generation;
	size_t i;

	move_inherited();
	if (self < 2) {
		generation++;
		join(spawn(live));
	}
	for (i = 0; i <= PAGES + self; i++)
		verify(page(self + 1, i), 1, ids[i]);
	view(labels[self]);
}

void fork_grandchildren(void)
{
	size_t i;

	map_and_fill(page(A, 0), PAGES, 1);
	for (i = 0; i < PAGES; i++)
		ids[i] = 1 + i;
	live();
}
