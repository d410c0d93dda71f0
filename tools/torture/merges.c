// SPDX-License-Identifier: GPL-2.0
/* Are there neighbours that nothing keeps apart? */
#define _GNU_SOURCE
#include <unistd.h>

#include "../vmafrag/frag.h"
#include "torture.h"

/*
 * Only at rest: while threads change memory, what is read of two VMAs is not of one time.
 * An allocation that fails may leave VMAs apart.
 */
void verify_merges(void)
{
	const unsigned long start = ARENA, end = start + NR_SLOTS * PAGE_SIZE;
	struct vma_map map = { NULL };
	size_t i;

	if (!options.merged || options.inject)
		return;
	if (vma_map_read_pid(&map, getpid()))
		fail("/proc/self/smaps: %m");
	for (i = 1; i < map.nr; i++) {
		const struct vma *vma = &map.vma[i];

		if (vma->anon && vma->start >= start && vma->start < end &&
		    vma_begins(vma - 1, vma) == BEGINS_EQUAL)
			fail("missed merge at %#lx: %s %s", vma->start,
			     vma->perms, vma->flags);
	}
	vma_map_free(&map);
}
