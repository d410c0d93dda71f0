/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel knows of VMAs and /proc does not show: seen by a kprobe on
 * show_smap(), which is called for each VMA when smaps is read.
 */
#ifndef INSIDE_H
#define INSIDE_H

#include <stdbool.h>
#include <stddef.h>

struct inside {
	unsigned long start;
	unsigned long pgoff;
	unsigned long anon_vma;		/* 0 if nothing was faulted in */
	bool forked;			/* more than one is on its chain */
};

struct inside_map {
	struct inside *vma;
	size_t nr;
};

/*
 * Needs root, and a kernel with CONFIG_KPROBE_EVENTS. Where that is not so,
 * fails and has said so on stderr, once. inside_end() takes the probe away.
 */
bool inside_read(struct inside_map *map, int pid);
void inside_free(struct inside_map *map);
void inside_end(void);

/* NULL if there is none. */
const struct inside *inside_find(const struct inside_map *map,
				 unsigned long start);

#endif
