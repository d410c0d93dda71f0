// SPDX-License-Identifier: GPL-2.0
/* Allocators and collectors that work page by page. */
#include <sys/mman.h>

#include "scenario.h"

#define PAGES 16

/* Visits 0..PAGES-1 in an order that is neither up nor down. */
static size_t shuffled(size_t i)
{
	return i * 7 % PAGES;
}

/*
 *	A: |0|.|2|.|4|.|...	every second page is live
 *	B: |0|2|4|...
 */
void gather(void)
{
	size_t i, n;

	map_and_fill(page(A, 0), 2 * PAGES, 1);
	for (i = 0; i < PAGES; i++) {
		n = shuffled(i);
		move(page(A, 2 * n), page(B, n), 1);
	}
	for (i = 0; i < PAGES; i++) {
		verify(page(B, i), 1, 1 + 2 * i);
		unmap(page(A, 2 * i + 1), 1);
	}
	view("collected");
}

/*
 *	A: |0| |2| |4| |...	mapped and touched one by one
 *	A: |0|1|2|3|4|5|...	then the others
 */
void fill_holes(void)
{
	size_t i, n;

	for (i = 0; i < PAGES; i += 2)
		map_and_fill(page(A, i), 1, 1 + i);
	for (i = 0; i < PAGES; i++) {
		n = shuffled(i);
		if (n % 2)
			map_and_fill(page(A, n), 1, 1 + n);
	}
	verify(page(A, 0), PAGES, 1);
	view("filled");
}

/* As fill_holes(), but the holes are reserved memory without access. */
void commit_reserve(void)
{
	size_t i;

	map_with(page(A, 0), PAGES, PROT_NONE, 0);
	for (i = 0; i < PAGES; i += 2) {
		protect(page(A, i), 1, PROT_READ | PROT_WRITE);
		fill(page(A, i), 1, 1 + i);
	}
	for (i = 1; i < PAGES; i += 2) {
		protect(page(A, i), 1, PROT_READ | PROT_WRITE);
		fill(page(A, i), 1, 1 + i);
	}
	verify(page(A, 0), PAGES, 1);
	view("committed");
}

void guard_pages(void)
{
	size_t i;

	for (i = 0; i < PAGES; i += 4) {
		map_with(page(A, i), 1, PROT_NONE, 0);
		map_and_fill(page(A, i + 1), 3, 1 + i);
	}
	for (i = 0; i < PAGES; i += 4)
		verify(page(A, i + 1), 3, 1 + i);
	view("stacks");
}
