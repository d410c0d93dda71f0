// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "smaps.h"

/* Files in /proc have no size: read until there is no more. */
static int read_file(const char *path, char **text)
{
	size_t size = 1 << 16, used = 0;
	char *buf = NULL, *bigger;
	ssize_t got;
	int fd, err = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	do {
		if (!buf || used + 1 == size) {
			size *= 2;
			bigger = realloc(buf, size);
			if (!bigger) {
				err = -ENOMEM;
				break;
			}
			buf = bigger;
		}
		got = read(fd, buf + used, size - used - 1);
		if (got < 0)
			err = -errno;
		else
			used += got;
	} while (got > 0);
	close(fd);

	if (err) {
		free(buf);
		return err;
	}
	buf[used] = '\0';
	*text = buf;
	return 0;
}

/* Ends the line at *text, and moves *text to the next one. */
static char *next_line(char **text)
{
	char *line = *text;
	char *end = strchr(line, '\n');

	if (!*line)
		return NULL;
	if (end)
		*end++ = '\0';
	else
		end = line + strlen(line);
	*text = end;
	return line;
}

static bool has_flag(const char *flags, const char *flag)
{
	for (; strlen(flags) >= 2; flags += 3)
		if (!strncmp(flags, flag, 2))
			return true;
	return false;
}

/* "rd wr sd \0" becomes "rd wr\0". */
static void tidy_flags(char *flags)
{
	char *sd, *end;

	for (sd = flags; strlen(sd) >= 2; sd += 3) {
		if (!strncmp(sd, "sd", 2)) {
			memmove(sd, sd + 2 + !!sd[2],
				strlen(sd + 2 + !!sd[2]) + 1);
			break;
		}
	}
	end = flags + strlen(flags);
	while (end > flags && end[-1] == ' ')
		*--end = '\0';
}

/*
 * [heap] and [stack] only say where the VMA is. Anything else in brackets
 * but a name given by prctl(PR_SET_VMA) is a special mapping ([vdso], [vvar],
 * [uprobes], [vsyscall]), which is never merged.
 */
static bool is_anon_name(const char *name)
{
	return !*name || !strcmp(name, "[heap]") || !strcmp(name, "[stack]") ||
	       !strncmp(name, "[anon:", 6);
}

static bool parse_header(char *line, struct vma *vma, bool *no_file)
{
	unsigned long inode, offset;
	unsigned int major, minor;
	int name = -1;

	if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %n", &vma->start,
		   &vma->end, vma->perms, &offset, &major, &minor, &inode,
		   &name) != 7 || name < 0)
		return false;
	vma->name = line + name;
	*no_file = !inode && !major && !minor;
	return true;
}

static void parse_number(const char *line, const char *field,
			 unsigned long *number)
{
	if (!strncmp(line, field, strlen(field)))
		*number = strtoul(line + strlen(field), NULL, 10);
}

static int add_vma(struct vma_map *map, struct vma *vma)
{
	if (map->nr == map->room) {
		size_t room = map->room ? map->room * 2 : 64;
		struct vma *bigger = realloc(map->vma, room * sizeof(*vma));

		if (!bigger)
			return -ENOMEM;
		map->vma = bigger;
		map->room = room;
	}
	map->vma[map->nr++] = *vma;
	return 0;
}

/* An entry is a header line, fields, and VmFlags as the last line. */
static int parse_smaps(struct vma_map *map)
{
	struct vma vma = { .name = NULL };
	char *text = map->smaps;
	bool no_file = false;
	char *line;
	int err;

	while ((line = next_line(&text))) {
		if (!vma.name) {
			if (!parse_header(line, &vma, &no_file))
				return -EINVAL;
			continue;
		}
		parse_number(line, "AnonHugePages:", &vma.huge_kb);
		parse_number(line, "ProtectionKey:", &vma.pkey);
		if (strncmp(line, "VmFlags: ", 9))
			continue;

		tidy_flags(line + 9);
		vma.flags = line + 9;
		vma.policy = "";
		vma.anon = no_file && vma.perms[3] == 'p' &&
			   is_anon_name(vma.name) &&
			   !has_flag(vma.flags, "io") &&
			   !has_flag(vma.flags, "pf") &&
			   !has_flag(vma.flags, "mm") &&
			   !has_flag(vma.flags, "de");
		err = add_vma(map, &vma);
		if (err)
			return err;
		vma = (struct vma){ .name = NULL };
	}
	return vma.name ? -EINVAL : 0;
}

/* Both files are in the order of addresses. */
static void add_policies(struct vma_map *map)
{
	char *text = map->numa_maps;
	char *line, *policy;
	unsigned long start;
	size_t i = 0;

	while ((line = next_line(&text))) {
		start = strtoul(line, &policy, 16);
		while (i < map->nr && map->vma[i].start < start)
			i++;
		if (i == map->nr || map->vma[i].start != start ||
		    *policy != ' ')
			continue;
		policy++;
		policy[strcspn(policy, " ")] = '\0';
		map->vma[i].policy = policy;
	}
}

int vma_map_read_files(struct vma_map *map, const char *smaps,
		       const char *numa_maps)
{
	int err;

	*map = (struct vma_map){ .vma = NULL };
	err = read_file(smaps, &map->smaps);
	if (!err)
		err = parse_smaps(map);
	if (!err && numa_maps)
		err = read_file(numa_maps, &map->numa_maps);
	if (err) {
		vma_map_free(map);
		return err;
	}
	if (numa_maps)
		add_policies(map);
	return 0;
}

int vma_map_read_pid(struct vma_map *map, int pid)
{
	char smaps[64], numa_maps[64];
	bool numa = access("/proc/self/numa_maps", F_OK) == 0;

	snprintf(smaps, sizeof(smaps), "/proc/%d/smaps", pid);
	snprintf(numa_maps, sizeof(numa_maps), "/proc/%d/numa_maps", pid);
	return vma_map_read_files(map, smaps, numa ? numa_maps : NULL);
}

void vma_map_free(struct vma_map *map)
{
	free(map->vma);
	free(map->smaps);
	free(map->numa_maps);
	*map = (struct vma_map){ .vma = NULL };
}
