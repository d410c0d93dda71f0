/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WHY_H
#define WHY_H

#include <stdio.h>

#include "smaps.h"

/*
 * Lists the boundaries between private anonymous VMAs, and what differs there.
 * pid is 0 if the map is not that of a process that lives.
 */
void why_list(FILE *out, const struct vma_map *map, int pid);

#endif
