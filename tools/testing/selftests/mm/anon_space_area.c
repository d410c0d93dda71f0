// SPDX-License-Identifier: GPL-2.0
/*
 * Memory in each state that it may have, in units of pages or huge pages, and its VMAs.
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../kselftest.h"
#include "anon_space_util.h"
#include "vm_util.h"

static bool is_huge(struct area *a)
{
	return a->state == HUGE || a->state == HUGE_FORKED;
}

/* Reserve twice as much: the upper half is where moved units come from. */
void area_init(struct area *a, enum area_state state)
{
	size_t align;

	memset(a, 0, sizeof(*a));
	a->state = state;
	align = table_size();
	a->unit = is_huge(a) ? align : psize();
	a->base = reserve(2 * AREA_UNITS * a->unit);
}

void *area_at(struct area *a, int unit)
{
	return a->base + unit * a->unit;
}

size_t area_size(struct area *a, int nr)
{
	return nr * a->unit;
}

void *area_map(struct area *a, int first, int nr)
{
	map_range(area_at(a, first), nr * a->unit);
	return area_at(a, first);
}

static unsigned long contents_of(struct area *a, int unit)
{
	return 0x1000000 + unit * (a->unit / psize());
}

static void fill(struct area *a, int at, int nr, int first)
{
	fill_pages(area_at(a, at), nr * (a->unit / psize()),
		   contents_of(a, first));
}

static void set_relative_at(struct area *a, int first, int nr, int at)
{
	while (nr--)
		a->relative_at[first + nr] = area_at(a, at + nr);
}

/* A new relative has what was moved before at its place. */
static void share(struct area *a)
{
	int unit;

	for (unit = 0; unit < AREA_UNITS; unit++)
		if (a->relative_at[unit])
			a->relative_at[unit] = area_at(a, unit);
	a->relative = fork_waiting();
}

/* Fill units elsewhere, share them if asked to, and move them to their place */
static void fill_and_move(struct area *a, int first, int nr)
{
	int elsewhere = AREA_UNITS + first;

	area_map(a, elsewhere, nr);
	fill(a, elsewhere, nr, first);
	if (a->state == MOVED_SHARED)
		share(a);
	set_relative_at(a, first, nr, elsewhere);
	area_move(a, elsewhere, nr, first);
}

void area_fill(struct area *a, int first, int nr)
{
	if (a->state == MOVED || a->state == MOVED_SHARED) {
		fill_and_move(a, first, nr);
		return;
	}
	area_map(a, first, nr);
	set_relative_at(a, first, nr, first);
	if (a->state == UNFAULTED)
		return;
	fill(a, first, nr, first);
	if (is_huge(a) && !make_huge(area_at(a, first), nr * a->unit))
		err(KSFT_FAIL, "MADV_COLLAPSE");
	if (a->state == SWAPPED && !page_out(area_at(a, first), nr * a->unit))
		skip_test("cannot page out: no swap?");
}

static void write_every_second_page(struct area *a)
{
	unsigned long contents;
	size_t i;
	int unit;

	for (unit = 0; unit < AREA_UNITS; unit++) {
		if (!a->relative_at[unit])
			continue;
		contents = contents_of(a, unit);
		for (i = unit % 2; i < a->unit / psize(); i += 2)
			fill_pages(area_at(a, unit) + i * psize(), 1,
				   contents + i);
	}
}

void area_ready(struct area *a)
{
	pid_t parent = getpid();

	switch (a->state) {
	case FORKED_PARENT:
		a->relative = fork_waiting();
		break;
	case GRANDCHILD:
		go_on_in_child();
		go_on_in_orphan();
		break;
	case FORKED_CHILD:
	case WRITTEN:
	case HUGE_FORKED:
		go_on_in_child();
		a->relative = parent;
		if (a->state == WRITTEN)
			write_every_second_page(a);
		break;
	default:
		break;
	}
}

void *area_move(struct area *a, int from, int nr, int to)
{
	void *addr = mremap(area_at(a, from), nr * a->unit, nr * a->unit,
			    MREMAP_MAYMOVE | MREMAP_FIXED, area_at(a, to));

	if (addr == MAP_FAILED)
		err(KSFT_FAIL, "mremap unit %d to %d", from, to);
	return addr;
}

bool area_has(struct area *a, int at, int nr, int first)
{
	size_t pages = nr * (a->unit / psize());

	if (a->state == UNFAULTED)
		return pages_are_zero(area_at(a, at), pages);
	return pages_have(area_at(a, at), pages, contents_of(a, first));
}

bool area_relative_has_all(struct area *a)
{
	int unit;

	for (unit = 0; a->relative && unit < AREA_UNITS; unit++)
		if (a->relative_at[unit] &&
		    !pages_of_have(a->relative, a->relative_at[unit],
				   a->unit / psize(), contents_of(a, unit)))
			return false;
	return true;
}

bool area_migrates(struct area *a, int first, int nr)
{
	char *addr = area_at(a, first), *end = addr + nr * a->unit;
	long migrated = 0, n;

	if (!is_huge(a)) {
		migrated = migrate_present(addr, nr);
	} else {
		for (; addr < end; addr += a->unit) {
			n = migrate_present(addr, 1);
			if (n < 0)
				return false;
			migrated += n;
		}
	}
	return a->state == UNFAULTED ? migrated >= 0 : migrated > 0;
}

/* ---- VMAs ---- */

struct vma {
	unsigned long start, end;
	bool is_reserve;
};

/* The VMA described by a line of /proc/self/maps; returns the next line. */
static char *parse_vma(char *line, struct vma *vma)
{
	char perms[5], *end = strchr(line, '\n');

	if (!end || sscanf(line, "%lx-%lx %4s", &vma->start, &vma->end,
			   perms) != 3)
		errx(KSFT_FAIL, "what is %s", line);
	vma->is_reserve = !strncmp(perms, "---", 3);
	return end + 1;
}

/* No stdio, whose buffers might be mapped while we count mappings. */
static char *read_maps(void)
{
	static char maps[1 << 20];

	read_all("/proc/self/maps", maps, sizeof(maps));
	return maps;
}

int count_vmas(void *start, size_t size)
{
	unsigned long from = (uintptr_t)start, to = from + size;
	struct vma vma;
	char *line;
	int count = 0;

	for (line = read_maps(); *line;) {
		line = parse_vma(line, &vma);
		if (vma.start < to && vma.end > from && !vma.is_reserve)
			count++;
	}
	return count;
}

const char *area_draw(struct area *a)
{
	static char drawing[AREA_UNITS + 1];
	unsigned long base = (uintptr_t)a->base, addr;
	char letter = 'a' - 1, *line;
	struct vma vma;
	int i;

	memset(drawing, '.', AREA_UNITS);
	for (line = read_maps(); *line;) {
		line = parse_vma(line, &vma);
		if (vma.is_reserve || vma.end <= base ||
		    vma.start >= base + AREA_UNITS * a->unit)
			continue;
		letter++;
		for (i = 0; i < AREA_UNITS; i++) {
			addr = base + i * a->unit;
			if (addr >= vma.start && addr < vma.end)
				drawing[i] = letter;
		}
	}
	for (i = AREA_UNITS; i && drawing[i - 1] == '.'; i--)
		drawing[i - 1] = '\0';
	return drawing;
}
