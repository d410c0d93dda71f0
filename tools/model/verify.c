// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model.h"

/* <linux/fs.h> of the host may be older than the kernel of the guest. */
struct map_query {
	__u64 size;
	__u64 query_flags;
	__u64 query_addr;
	__u64 vma_start;
	__u64 vma_end;
	__u64 vma_flags;
	__u64 vma_page_size;
	__u64 vma_offset;
	__u64 inode;
	__u32 dev_major;
	__u32 dev_minor;
	__u32 vma_name_size;
	__u32 build_id_size;
	__u64 vma_name_addr;
	__u64 build_id_addr;
};
#define MAP_QUERY		_IOWR('f', 17, struct map_query)
#define COVERING_OR_NEXT	0x10
/* The flags of a VMA that are asked here are those of mmap(). */
#define ACCESS			(PROT_READ | PROT_WRITE | PROT_EXEC)

static void show_maps(void)
{
	char line[512];
	unsigned long start;
	bool shown = false;
	FILE *maps = fopen("/proc/self/smaps", "re");

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-", &start) == 1 && strchr(line, '-') &&
		    strchr(line, '-') - line < 17)
			shown = start >= (unsigned long)address(0) &&
				start < (unsigned long)address(NR_UNITS);
		if (shown && (strchr(line, '-') || !strncmp(line, "VmF", 3)))
			fputs(line, stdout);
	}
	if (maps)
		fclose(maps);
}

void fail(const char *format, ...)
{
	va_list args;

	printf("FAILED: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	describe_case();
	show_maps();
	fflush(stdout);
	_exit(1);
}

/* A child has maps of its own. */
static int open_maps(void)
{
	static int fd = -1, owner;

	if (owner == getpid())
		return fd;
	if (fd >= 0)
		close(fd);
	fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail("/proc/self/maps: %s", strerror(errno));
	owner = getpid();
	return fd;
}

static bool next_vma(unsigned long from, struct map_query *vma)
{
	*vma = (struct map_query){
		.size = sizeof(*vma),
		.query_flags = COVERING_OR_NEXT,
		.query_addr = from,
	};
	if (!ioctl(open_maps(), MAP_QUERY, vma))
		return vma->vma_start < (unsigned long)address(NR_UNITS);
	if (errno != ENOENT)
		fail("PROCMAP_QUERY: %s", strerror(errno));
	return false;
}

/* The unit at which a VMA of the model ends that begins at a unit. */
static int end_of(const struct model *model, int begin)
{
	int end = begin + 1;

	while (end < NR_UNITS && same_vma(model->unit + end))
		end++;
	return end;
}

/*
 * Stock may have more VMAs than the model, but not other ones. So may a child
 * of those of a file: what fork() has made equal merges if it is anonymous.
 */
bool may_be_parts(const struct model *model, int begin)
{
	return is_stock || (model->forked &&
			    model->unit[begin].is.kind == PRIVATE_FILE);
}

static int verify_vma(const struct model *model, int begin,
		      const struct map_query *vma, const char *when)
{
	const unsigned long from = (unsigned long)address(begin);
	const int end = end_of(model, begin);
	const unsigned long to = (unsigned long)address(end);

	if (vma->vma_start != from || vma->vma_end > to ||
	    (vma->vma_end != to && !may_be_parts(model, begin)) ||
	    (vma->vma_flags & ACCESS) != model->unit[begin].is.prot)
		fail("%s: units %d to %d: a VMA of %#lx to %#lx, flags %#lx",
		     when, begin, end, (unsigned long)vma->vma_start,
		     (unsigned long)vma->vma_end,
		     (unsigned long)vma->vma_flags);
	return (vma->vma_end - (unsigned long)address(0)) / unit_size;
}

void verify_vmas(const struct model *model, const char *when)
{
	struct map_query vma;
	int at = 0;

	while (next_vma((unsigned long)address(at), &vma)) {
		while (at < NR_UNITS && model->unit[at].is.kind == NOTHING)
			at++;
		if (at == NR_UNITS)
			fail("%s: a VMA at %#lx, where nothing is", when,
			     (unsigned long)vma.vma_start);
		at = verify_vma(model, at, &vma, when);
		if (at == NR_UNITS)
			break;
	}
	for (; at < NR_UNITS; at++)
		if (model->unit[at].is.kind != NOTHING)
			fail("%s: unit %d is not mapped", when, at);
}

void verify_contents(const struct model *model, const char *when)
{
	const size_t last = unit_size - PAGE_SIZE + sizeof(unsigned long);
	unsigned long first_word, last_word;
	int i;

	for (i = 0; i < NR_UNITS; i++) {
		const struct unit *unit = model->unit + i;

		if (unit->is.kind == NOTHING || !(unit->is.prot & PROT_READ))
			continue;
		first_word = *(volatile unsigned long *)address(i);
		last_word = *(volatile unsigned long *)(address(i) + last);
		if (first_word != unit->value || last_word != unit->value)
			fail("%s: unit %d holds %#lx and %#lx, not %#lx", when,
			     i, first_word, last_word, unit->value);
	}
}

/* In a child of its own. */
void verify_child(const struct model *model)
{
	struct model child = *model;
	int pid, status;

	model_fork(&child);
	pid = fork_or_fail();
	if (!pid) {
		verify_vmas(&child, "in a child");
		verify_contents(&child, "in a child");
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid: %s", strerror(errno));
	if (status)
		_exit(1);
}

void write_all(struct model *model)
{
	static unsigned long value = 1UL << 40;
	const size_t last = unit_size - PAGE_SIZE + sizeof(unsigned long);
	int i;

	for (i = 0; i < NR_UNITS; i++) {
		struct unit *unit = model->unit + i;

		if (unit->is.kind == NOTHING || !(unit->is.prot & PROT_WRITE))
			continue;
		unit->value = value++;
		*(volatile unsigned long *)address(i) = unit->value;
		*(volatile unsigned long *)(address(i) + last) = unit->value;
	}
}
