// SPDX-License-Identifier: GPL-2.0
/* mremap() in one process. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "scenario.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/*
 *	A: |0 1 2 3|       |8 9 10 11|
 *	A: |0 1 2 3 4 5 6 7|8 9 10 11|
 */
void grow_in_place(void)
{
	map_and_fill(page(A, 0), 4, 1);
	map_and_fill(page(A, 8), 4, 9);
	require(mremap(page(A, 0), 4 * PAGE_SIZE, 8 * PAGE_SIZE, 0) ==
		page(A, 0), "growth in place: %s", strerror(errno));
	fill(page(A, 4), 4, 5);
	verify(page(A, 0), 12, 1);
	view("grown");
}

/*
 *	A: |8 9|  B: |0 .. 7|
 *	          B: |0 .. 7|8 9 10 11|
 */
void grow_by_move(void)
{
	map_and_fill(page(B, 0), 8, 1);
	map_and_fill(page(A, 0), 2, 9);
	require(mremap(page(A, 0), 2 * PAGE_SIZE, 4 * PAGE_SIZE,
		       MREMAP_MAYMOVE | MREMAP_FIXED, page(B, 8)) ==
		page(B, 8), "growth with a move: %s", strerror(errno));
	fill(page(B, 10), 2, 11);
	verify(page(B, 0), 12, 1);
	view("grown");
}

/*
 *	A: |0 .. 5|6 .. 9|10 .. 15|  B: |100 .. 103|
 *	A: |0 .. 5|      |10 .. 15|  B: |100 .. 103|6 .. 9|
 *	A: |0 .. 5|6 .. 9|10 .. 15|  B: |100 .. 103|
 */
void move_away_and_back(void)
{
	map_and_fill(page(A, 0), 16, 1);
	map_and_fill(page(B, 0), 4, 101);
	move(page(A, 6), page(B, 4), 4);
	verify(page(B, 4), 4, 7);
	fill(page(B, 4), 2, 201);
	view("away");
	move(page(B, 4), page(A, 6), 4);
	verify(page(A, 0), 6, 1);
	verify(page(A, 6), 2, 201);
	verify(page(A, 8), 8, 9);
	verify(page(B, 0), 4, 101);
	view("back");
}

/*
 *	A: |0 .. 7|
 *	A: |empty |0 .. 7|
 */
void dontunmap(void)
{
	map_and_fill(page(A, 0), 8, 1);
	if (mremap(page(A, 0), 8 * PAGE_SIZE, 8 * PAGE_SIZE, MREMAP_MAYMOVE |
		   MREMAP_FIXED | MREMAP_DONTUNMAP, page(A, 8)) != page(A, 8))
		fail("mremap with MREMAP_DONTUNMAP: %s", strerror(errno));
	view("moved");
	verify_zero(page(A, 0), 8);
	fill(page(A, 0), 8, 101);
	verify(page(A, 0), 8, 101);
	verify(page(A, 8), 8, 1);
	view("refilled");
}
