// SPDX-License-Identifier: GPL-2.0
/* Operations on memory that must not fail. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define MAX_MOVED	1024
#define MPOL_MF_MOVE_ALL	4

void *map(unsigned long addr, unsigned long pages)
{
	void *mem = mmap((void *)addr, pages * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			 0);

	if (mem != (void *)addr)
		die("mmap %lu pages at %#lx: %m", pages, addr);
	return mem;
}

void unmap(unsigned long addr, unsigned long pages)
{
	if (munmap((void *)addr, pages * PAGE))
		die("munmap %lu pages at %#lx: %m", pages, addr);
}

/* For huge pages; check_huge() says whether it has got them. */
void map_huge(unsigned long addr, unsigned long pages)
{
	map(addr, pages);
	if (madvise((void *)addr, pages * PAGE, MADV_HUGEPAGE))
		die("MADV_HUGEPAGE: %m");
}

void touch(unsigned long addr, unsigned long pages)
{
	unsigned long end = addr + pages * PAGE;

	for (; addr < end; addr += PAGE)
		*(volatile unsigned long *)addr = 1;
}

/* Pages from the first on get their numbers, counted from addr. */
void fill(unsigned long addr, unsigned long first, unsigned long end,
	  unsigned long stride)
{
	for (; first < end; first += stride)
		*(volatile unsigned long *)(addr + first * PAGE) = first + 1;
}

bool is_filled(unsigned long addr, unsigned long page)
{
	return *(volatile unsigned long *)addr == page + 1;
}

void check_filled(unsigned long addr, unsigned long end, unsigned long stride)
{
	unsigned long i;

	for (i = 0; i < end; i += stride)
		if (!is_filled(addr + i * PAGE, i))
			die("page %lu at %#lx is another one", i, addr);
}

void move(unsigned long from, unsigned long to, unsigned long pages)
{
	if (mremap((void *)from, pages * PAGE, pages * PAGE,
		   MREMAP_MAYMOVE | MREMAP_FIXED, to) != (void *)to)
		die("mremap %lu pages %#lx -> %#lx: %m", pages, from, to);
}

void protect(unsigned long addr, unsigned long pages, int prot)
{
	if (mprotect((void *)addr, pages * PAGE, prot))
		die("mprotect %lu pages at %#lx: %m", pages, addr);
}

/* VMAs of one page each, which the gaps between them keep from merging. */
void spread(unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++)
		map(BASE + 2 * i * PAGE, 1);
}

void touch_spread(unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++)
		touch(BASE + 2 * i * PAGE, 1);
}

void unmap_spread(unsigned long n)
{
	unmap(BASE, 2 * n);
}

/* Memory that children share. */
void *share(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap shared: %m");
	return mem;
}

void move_to_node(unsigned long addr, unsigned long pages, int node)
{
	static void *address[MAX_MOVED];
	static int nodes[MAX_MOVED], status[MAX_MOVED];
	unsigned long i;

	if (pages > MAX_MOVED)
		die("%lu pages are too many", pages);
	for (i = 0; i < pages; i++) {
		address[i] = (void *)(addr + i * PAGE);
		nodes[i] = node;
		status[i] = -1;
	}
	if (syscall(SYS_move_pages, 0, pages, address, nodes, status,
		    MPOL_MF_MOVE_ALL))
		die("move_pages to node %d: %m", node);
	for (i = 0; i < pages; i++)
		if (status[i] != node)
			die("move_pages to node %d: page %lu: status %d", node,
			    i, status[i]);
}

static unsigned long frames[MAX_MOVED];

/* For mark_frames_idle(). */
void find_frames(unsigned long addr, unsigned long pages)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned long i;

	if (fd < 0 || pages > MAX_MOVED ||
	    pread(fd, frames, pages * 8, addr / PAGE * 8) != (ssize_t)pages * 8)
		die("/proc/self/pagemap: %m");
	for (i = 0; i < pages; i++) {
		if (!(frames[i] >> 63))
			die("page %lu is not there", i);
		frames[i] &= (1UL << 55) - 1;
	}
	close(fd);
}

void mark_frames_idle(unsigned long pages)
{
	int fd = open("/sys/kernel/mm/page_idle/bitmap", O_RDWR | O_CLOEXEC);
	unsigned long i, bit;

	if (fd < 0)
		die("page_idle: %m");
	for (i = 0; i < pages; i++) {
		bit = 1UL << frames[i] % 64;
		if (pwrite(fd, &bit, 8, frames[i] / 64 * 8) != 8)
			die("page_idle: %m");
	}
	close(fd);
}

unsigned long count_vmas(void)
{
	FILE *file = fopen("/proc/self/maps", "re");
	unsigned long lines = 0;
	int c;

	if (!file)
		die("/proc/self/maps: %m");
	while ((c = getc_unlocked(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	return lines;
}
