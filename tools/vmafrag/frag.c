// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "frag.h"

static const char *given_name(const struct vma *vma)
{
	return !strncmp(vma->name, "[anon:", 6) ? vma->name : "";
}

enum vma_begins vma_begins(const struct vma *prev, const struct vma *vma)
{
	if (!prev || prev->end != vma->start)
		return BEGINS_GAP;
	if (!prev->anon)
		return BEGINS_OTHER;
	if (strcmp(prev->perms, vma->perms))
		return BEGINS_PERMS;
	if (strcmp(prev->flags, vma->flags))
		return BEGINS_FLAGS;
	if (prev->pkey != vma->pkey)
		return BEGINS_PKEY;
	if (strcmp(given_name(prev), given_name(vma)))
		return BEGINS_NAME;
	if (strcmp(prev->policy, vma->policy))
		return BEGINS_POLICY;
	return BEGINS_EQUAL;
}

void frag_count(struct frag *frag, const struct vma_map *map,
		unsigned long start, unsigned long end)
{
	const struct vma *prev = NULL;
	size_t i;

	*frag = (struct frag){ .vmas = 0 };
	for (i = 0; i < map->nr; i++) {
		const struct vma *vma = &map->vma[i];

		if (vma->end <= start || vma->start >= end)
			continue;
		frag->vmas++;
		if (vma->anon) {
			frag->anon++;
			frag->begins[vma_begins(prev, vma)]++;
		}
		prev = vma;
	}
}
