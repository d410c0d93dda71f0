// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inside.h"

#define TRACING		"/sys/kernel/tracing"
#define BUFFER_KB	"16384"
#define MAX_WORDS	24	/* struct vm_area_struct is not longer */
#define SOME_PGOFF	0x1357924L

/*
 * Where things are in struct vm_area_struct depends on the configuration of
 * the kernel. It begins with vm_start. The others are found by looking at a
 * VMA of our own.
 */
enum { WORD_START, WORD_PGOFF, WORD_ANON_VMA, WORD_NEXT, WORD_PREV, NR_WORDS };

struct probe {
	int word[MAX_WORDS];
	int nr;
};

static char group[32], instance[64];
static bool defined;

static bool fail(const char *what)
{
	fprintf(stderr, "vmafrag: why VMAs of which nothing differs are two is not known: %s: %s\n",
		what, strerror(errno));
	return false;
}

/* open() must not look for the end of a file that has none. */
static bool put(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags);
	bool ok = fd >= 0 &&
		  write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return ok;
}

static bool put_instance(const char *file, const char *text)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", instance, file);
	return put(path, O_TRUNC, text);
}

static void undefine(void)
{
	char text[64];

	if (!defined)
		return;
	put_instance("events/enable", "0");
	rmdir(instance);
	snprintf(text, sizeof(text), "-:%s/vma\n", group);
	put(TRACING "/kprobe_events", O_APPEND, text);
	defined = false;
}

static bool define(const struct probe *probe)
{
	char text[MAX_WORDS * 24 + 64], file[96], filter[48];
	int length, i;

	snprintf(group, sizeof(group), "vmafrag_%d", getpid());
	snprintf(instance, sizeof(instance), TRACING "/instances/%s", group);
	length = snprintf(text, sizeof(text), "p:%s/vma show_smap", group);
	for (i = 0; i < probe->nr; i++)
		length += snprintf(text + length, sizeof(text) - length,
				   " w%d=+%zu($arg2):x64", i,
				   probe->word[i] * sizeof(long));
	snprintf(text + length, sizeof(text) - length, "\n");
	if (!put(TRACING "/kprobe_events", O_APPEND, text))
		return fail(TRACING "/kprobe_events");
	defined = true;
	snprintf(filter, sizeof(filter), "common_pid == %d\n", getpid());
	snprintf(file, sizeof(file), "events/%s/vma/filter", group);
	if (mkdir(instance, 0700) || !put_instance("buffer_size_kb", BUFFER_KB) ||
	    !put_instance(file, filter))
		return fail(instance);
	*strrchr(file, '/') = '\0';
	strcat(file, "/enable");
	return put_instance(file, "1") || fail(instance);
}

/* Reads a file of /proc for the sake of the probe. */
static bool read_smaps(int pid)
{
	char path[64], buf[1 << 16];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(path);
	while ((got = read(fd, buf, sizeof(buf))) > 0)
		;
	close(fd);
	return got == 0 || fail(path);
}

/* A line of the trace: "... vma: (show_smap+0x0/0x460) w0=0x... w1=0x..." */
static int parse_line(const char *line, unsigned long *words, int nr)
{
	int i;

	for (i = 0; i < nr && (line = strstr(line, "=0x")); i++)
		words[i] = strtoul(++line, NULL, 16);
	return i;
}

typedef bool (*look_t)(const unsigned long *words, void *arg);

static bool look_at(int pid, int nr, look_t look, void *arg)
{
	unsigned long words[MAX_WORDS];
	char path[96], *line = NULL;
	bool ok = true;
	size_t size = 0;
	FILE *file;

	if (!put_instance("trace", "") || !read_smaps(pid))
		return false;
	snprintf(path, sizeof(path), "%s/trace", instance);
	file = fopen(path, "re");
	if (!file)
		return fail(path);
	while (ok && getline(&line, &size, file) > 0)
		if (*line != '#' && parse_line(line, words, nr) == nr)
			ok = look(words, arg);
	ok &= !ferror(file);
	free(line);
	fclose(file);
	return ok;
}

/* ---- where things are ---- */

struct own {
	unsigned long start;
	unsigned long words[MAX_WORDS];
	bool found;
};

static bool look_at_own(const unsigned long *words, void *arg)
{
	struct own *own = arg;

	if (words[0] == own->start) {
		memcpy(own->words, words, sizeof(own->words));
		own->found = true;
	}
	return true;
}

static bool find_words(const struct own *before, const struct own *after,
		       struct probe *probe)
{
	const unsigned long *was = before->words, *is = after->words;
	int i, pgoff = -1, anon_vma = -1;

	for (i = 2; i < MAX_WORDS; i++) {
		if (is[i] == SOME_PGOFF)
			pgoff = i;
		if (!was[i] && is[i] && was[i - 1] == was[i - 2] &&
		    is[i - 1] == is[i - 2] && was[i - 1] != is[i - 1])
			anon_vma = i;
	}
	*probe = (struct probe){ .nr = NR_WORDS };
	probe->word[WORD_PGOFF] = pgoff;
	probe->word[WORD_ANON_VMA] = anon_vma;
	probe->word[WORD_NEXT] = anon_vma - 2;
	probe->word[WORD_PREV] = anon_vma - 1;
	errno = ENOTSUP;
	return (pgoff > 0 && anon_vma > 0) || fail("struct vm_area_struct");
}

/* A file, so that the VMA has an offset, with a page that is its own. */
static bool calibrate(struct probe *probe)
{
	const long page = sysconf(_SC_PAGESIZE);
	struct own before = { .found = false }, after;
	const int fd = memfd_create("vmafrag", MFD_CLOEXEC);
	bool ok = false;
	char *map;

	for (probe->nr = 0; probe->nr < MAX_WORDS; probe->nr++)
		probe->word[probe->nr] = probe->nr;
	if (fd < 0 || ftruncate(fd, (SOME_PGOFF + 1) * page))
		return fail("memfd");
	map = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		   fd, SOME_PGOFF * page);
	close(fd);
	if (map == MAP_FAILED)
		return fail("mmap");
	before.start = (unsigned long)map;
	after = before;
	if (define(probe) && look_at(getpid(), MAX_WORDS, look_at_own, &before)) {
		*map = 1;
		ok = look_at(getpid(), MAX_WORDS, look_at_own, &after) &&
		     before.found && after.found;
	}
	undefine();
	munmap(map, page);
	return ok && find_words(&before, &after, probe);
}

/* ---- the VMAs of a process ---- */

static bool look_at_vma(const unsigned long *words, void *arg)
{
	struct inside_map *map = arg;
	struct inside *more;

	if (!(map->nr & (map->nr - 1))) {
		more = reallocarray(map->vma, map->nr ? 2 * map->nr : 1,
				    sizeof(*more));
		if (!more)
			return fail("memory");
		map->vma = more;
	}
	map->vma[map->nr++] = (struct inside){
		.start = words[WORD_START],
		.pgoff = words[WORD_PGOFF],
		.anon_vma = words[WORD_ANON_VMA],
		.forked = words[WORD_NEXT] != words[WORD_PREV],
	};
	return true;
}

bool inside_read(struct inside_map *map, int pid)
{
	static bool tried, ready;
	struct probe probe;

	*map = (struct inside_map){ .vma = NULL };
	if (!tried) {
		tried = true;
		ready = calibrate(&probe) && define(&probe);
	}
	return ready && look_at(pid, NR_WORDS, look_at_vma, map);
}

void inside_free(struct inside_map *map)
{
	free(map->vma);
	*map = (struct inside_map){ .vma = NULL };
}

void inside_end(void)
{
	undefine();
}

static int compare_starts(const void *a, const void *b)
{
	const struct inside *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

const struct inside *inside_find(const struct inside_map *map,
				 unsigned long start)
{
	return bsearch(&(struct inside){ .start = start }, map->vma, map->nr,
		       sizeof(*map->vma), compare_starts);
}
