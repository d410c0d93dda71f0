// SPDX-License-Identifier: GPL-2.0
/* Moves of huge pages, whole and in part, by PMD and by page. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "scenario.h"

#define THP_ENABLED "/sys/kernel/mm/transparent_hugepage/enabled"

#define HUGE_KB (HUGE_PAGES * PAGE_SIZE / 1024)

static void require_thp(void)
{
	char line[64] = "";
	FILE *file = fopen(THP_ENABLED, "re");

	if (!file)
		cannot_run("%s: %s", THP_ENABLED, strerror(errno));
	require(fgets(line, sizeof(line), file), "cannot read " THP_ENABLED);
	fclose(file);
	if (strstr(line, "[never]"))
		cannot_run("no huge pages: " THP_ENABLED " is never");
}

static void map_advised(char *at, size_t pages, uint32_t id)
{
	map(at, pages);
	require(!madvise(at, pages * PAGE_SIZE, MADV_HUGEPAGE),
		"MADV_HUGEPAGE: %s", strerror(errno));
	fill(at, pages, id);
}

/* If there is no free one, make room: as root only. */
static void map_huge(char *at, uint32_t id)
{
	int tries = 0;
	FILE *file;

	map_advised(at, HUGE_PAGES, id);
	while (huge_kb(at, HUGE_PAGES) != HUGE_KB) {
		require(try_again(&tries), "got no huge page");
		unmap(at, HUGE_PAGES);
		file = fopen("/proc/sys/vm/compact_memory", "we");
		if (file) {
			fputs("1", file);
			fclose(file);
		}
		map_advised(at, HUGE_PAGES, id);
	}
}

/* Splits the page table entry of a huge page, but not the huge page. */
static void map_by_page(char *at)
{
	protect(at, 1, PROT_READ);
	protect(at, 1, PROT_READ | PROT_WRITE);
	require(!huge_kb(at, HUGE_PAGES), "the huge page is mapped whole");
	require(is_large_folio(at) && is_large_folio(at + PAGE_SIZE),
		"the huge page was split");
}

/*
 *	A: |   huge 1   |  B: |   huge 2   |
 *	                   B: |   huge 2   |   huge 1   |
 */
void huge_move(void)
{
	require_thp();
	map_huge(page(A, 0), 1);
	map_huge(page(B, 0), 1001);
	move(page(A, 0), page(B, HUGE_PAGES), HUGE_PAGES);
	require(huge_kb(page(B, 0), 2 * HUGE_PAGES) == 2 * HUGE_KB,
		"the move split the huge page");
	verify(page(B, 0), HUGE_PAGES, 1001);
	verify(page(B, HUGE_PAGES), HUGE_PAGES, 1);
	view("moved");
}

/* A huge page loses its middle to B, next to small pages, and gets it back. */
static void move_middle(void)
{
	const size_t from = HUGE_PAGES / 4, pages = HUGE_PAGES / 2;

	map_advised(page(B, 0), 4, 1001);
	move(page(A, from), page(B, 4), pages);
	require(is_large_folio(page(A, 0)) && is_large_folio(page(B, 4)),
		"the move split the huge page");
	verify(page(A, 0), from, 1);
	verify(page(B, 4), pages, 1 + from);
	verify(page(A, from + pages), from, 1 + from + pages);
	fill(page(B, 4), pages / 2, 2001);
	view("away");

	move(page(B, 4), page(A, from), pages);
	verify(page(B, 0), 4, 1001);
	verify(page(A, 0), from, 1);
	verify(page(A, from), pages / 2, 2001);
	verify(page(A, HUGE_PAGES / 2), HUGE_PAGES / 2, 1 + HUGE_PAGES / 2);
	view("back");
}

void huge_move_part(void)
{
	require_thp();
	map_huge(page(A, 0), 1);
	move_middle();
}

/* As huge_move(), but the first is mapped by its pages. */
void huge_move_ptes(void)
{
	require_thp();
	map_huge(page(A, 0), 1);
	map_by_page(page(A, 0));
	map_huge(page(B, 0), 1001);
	move(page(A, 0), page(B, HUGE_PAGES), HUGE_PAGES);
	require(is_large_folio(page(B, HUGE_PAGES)),
		"the move split the huge page");
	verify(page(B, 0), HUGE_PAGES, 1001);
	verify(page(B, HUGE_PAGES), HUGE_PAGES, 1);
	view("moved");
}

void huge_move_ptes_part(void)
{
	require_thp();
	map_huge(page(A, 0), 1);
	map_by_page(page(A, 0));
	move_middle();
}
