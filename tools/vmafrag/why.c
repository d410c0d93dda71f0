// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "frag.h"
#include "inside.h"
#include "why.h"

static bool has_word(const char *words, const char *word, size_t length)
{
	for (; *words; words += strcspn(words, " "), words += strspn(words, " "))
		if (strcspn(words, " ") == length &&
		    !strncmp(words, word, length))
			return true;
	return false;
}

/* The words that are in one list and not in the other. */
static void print_difference(FILE *out, const char *words, const char *others)
{
	size_t length;
	bool any = false;

	for (; *words; words += length, words += strspn(words, " ")) {
		length = strcspn(words, " ");
		if (has_word(others, words, length))
			continue;
		fprintf(out, "%s%.*s", any ? " " : "", (int)length, words);
		any = true;
	}
	if (!any)
		fputc('-', out);
}

/*
 * The rules of a kernel in which anonymous memory has page offsets and an
 * anon_vma of its own. Where there is neither, no merge is missed.
 */
static void print_missed(FILE *out, const struct vma *below,
			 const struct inside *low, const struct inside *high)
{
	unsigned long end;

	fprintf(out, "missed: ");
	if (!low || !high) {
		fprintf(out, "nothing differs");
		return;
	}
	end = low->pgoff + (below->end - below->start) / sysconf(_SC_PAGESIZE);
	if (end != high->pgoff)
		fprintf(out, "page offset: %lx | %lx", end, high->pgoff);
	else if (low->anon_vma && high->anon_vma &&
		 low->anon_vma != high->anon_vma)
		fprintf(out, "anon_vma: each has its own");
	else if (!low->anon_vma != !high->anon_vma &&
		 (low->forked || high->forked))
		fprintf(out, "anon_vma: one has none, that of the other was forked");
	else
		fprintf(out, "nothing differs");
}

static void print_why(FILE *out, const struct vma *below, const struct vma *vma,
		      const struct inside_map *inside)
{
	switch (vma_begins(below, vma)) {
	case BEGINS_PERMS:
		fprintf(out, "permissions: %s | %s", below->perms, vma->perms);
		break;
	case BEGINS_FLAGS:
		fprintf(out, "flags: ");
		print_difference(out, below->flags, vma->flags);
		fprintf(out, " | ");
		print_difference(out, vma->flags, below->flags);
		break;
	case BEGINS_PKEY:
		fprintf(out, "pkey: %lu | %lu", below->pkey, vma->pkey);
		break;
	case BEGINS_NAME:
		fprintf(out, "name: %s | %s", *below->name ? below->name : "-",
			*vma->name ? vma->name : "-");
		break;
	case BEGINS_POLICY:
		fprintf(out, "policy: %s | %s", below->policy, vma->policy);
		break;
	default:
		print_missed(out, below, inside_find(inside, below->start),
			     inside_find(inside, vma->start));
	}
	fputc('\n', out);
}

static bool adjacent(const struct vma *below, const struct vma *vma)
{
	return vma->anon && below->anon && below->end == vma->start;
}

static bool any_missed(const struct vma_map *map)
{
	size_t i;

	for (i = 1; i < map->nr; i++)
		if (adjacent(&map->vma[i - 1], &map->vma[i]) &&
		    vma_begins(&map->vma[i - 1], &map->vma[i]) == BEGINS_EQUAL)
			return true;
	return false;
}

void why_list(FILE *out, const struct vma_map *map, int pid)
{
	struct inside_map inside = { .vma = NULL };
	size_t i;

	if (pid && any_missed(map))
		inside_read(&inside, pid);
	for (i = 1; i < map->nr; i++) {
		const struct vma *vma = &map->vma[i], *below = vma - 1;

		if (!adjacent(below, vma))
			continue;
		fprintf(out, "  %lx-%lx | %lx-%lx ", below->start, below->end,
			vma->start, vma->end);
		print_why(out, below, vma, &inside);
	}
	inside_free(&inside);
}
