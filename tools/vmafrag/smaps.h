/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads the VMAs of a process from /proc/PID/smaps and, for memory policies,
 * /proc/PID/numa_maps.
 */
#ifndef SMAPS_H
#define SMAPS_H

#include <stdbool.h>
#include <stddef.h>

struct vma {
	unsigned long start;
	unsigned long end;
	char perms[5];
	bool anon;		/* private anonymous, may be merged */
	unsigned long pkey;
	unsigned long huge_kb;	/* mapped by huge page table entries */
	const char *name;	/* as shown, "" if none */
	const char *flags;	/* VmFlags as shown, softdirty left out */
	const char *policy;	/* "" if it cannot be seen */
};

struct vma_map {
	struct vma *vma;
	size_t nr;
	size_t room;		/* allocated entries */
	char *smaps;		/* text that the names and flags point into */
	char *numa_maps;
};

/*
 * Both return 0 or a negative errno; -EINVAL for a file that is not smaps.
 * A kernel thread and a zombie have a map without VMAs. A map that was read
 * is released with vma_map_free().
 *
 * The kernel releases the lock of the address space while a long file is
 * read: the map of a running process is not a snapshot.
 */
int vma_map_read_pid(struct vma_map *map, int pid);
int vma_map_read_files(struct vma_map *map, const char *smaps,
		       const char *numa_maps);
void vma_map_free(struct vma_map *map);

#endif
