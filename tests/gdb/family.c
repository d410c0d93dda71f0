// SPDX-License-Identifier: GPL-2.0
/*
 * A process that has moved two of four pages that its child has as well. Prints both
 * process IDs and the frame of the first page that moved, and waits for stdin to end.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	4096UL
#define AT	((char *)0x100000000000)

static int die(const char *what)
{
	perror(what);
	return 1;
}

static unsigned long frame_of(char *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (pread(fd, &entry, sizeof(entry), (uintptr_t)at / PAGE * 8) != 8)
		return 0;
	close(fd);
	return entry & ((1UL << 55) - 1);
}

int main(void)
{
	int i, child;
	char byte;

	if (mmap(AT, 4 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return die("mmap");
	for (i = 0; i < 4; i++)
		AT[i * PAGE] = 1;
	child = fork();
	if (child < 0)
		return die("fork");
	if (!child)
		for (;;)
			pause();
	if (mremap(AT, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		   AT + 64 * PAGE) == MAP_FAILED)
		return die("mremap");
	printf("%d %d %lu\n", getpid(), child, frame_of(AT + 64 * PAGE));
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	kill(child, SIGKILL);
	return 0;
}
