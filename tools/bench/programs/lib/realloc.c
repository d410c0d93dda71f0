// SPDX-License-Identifier: GPL-2.0
/*
 * realloc - arrays that grow in turns, half as large again each time
 *
 * Half of them do so again after a fork, in the child.  Usage: realloc ARRAYS
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST	(64UL << 10)
#define LAST	(4UL << 20)
#define STRIDE	4096

static void grow(char **arrays, unsigned long nr, size_t from, size_t to)
{
	size_t size = from, last = 0, i;
	unsigned long n;

	for (; size <= to; last = size, size += size / 2) {
		for (n = 0; n < nr; n++) {
			arrays[n] = realloc(arrays[n], size);
			if (!arrays[n]) {
				perror("realloc");
				exit(1);
			}
			for (i = last; i < size; i += STRIDE)
				arrays[n][i] = 1;
		}
	}
}

int main(int argc, char **argv)
{
	unsigned long nr = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	char **arrays = calloc(nr, sizeof(*arrays));
	int status = 0;
	pid_t pid;

	if (!nr || !arrays) {
		fprintf(stderr, "Usage: realloc ARRAYS\n");
		return 2;
	}
	grow(arrays, nr, FIRST, LAST / 2);
	pid = fork();
	grow(arrays, nr / 2, LAST, LAST);
	if (pid && (waitpid(pid, &status, 0) != pid || status)) {
		fprintf(stderr, "realloc: the child failed\n");
		return 1;
	}
	return 0;
}
