// SPDX-License-Identifier: GPL-2.0
/* Objects that the kernel has in use for address spaces. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "torture.h"

#define SLAB		"/sys/kernel/slab/"
#define TRIES		40
#define PATIENCE	100

/* One kernel has the first two, another the first and the others. */
static const char * const anon_caches[] = {
	"anon_vma", "anon_vma_chain", "anon_membership", "anon_extent",
};

static long count_cache(const char *cache)
{
	char path[128];
	long count;
	FILE *file;

	/* Gives back what CPUs and sanitizers keep of freed objects. */
	snprintf(path, sizeof(path), SLAB "%s/shrink", cache);
	if (access(path, F_OK))
		return 0;
	if (write_file(path, "1"))
		die("%s: %m", path);
	snprintf(path, sizeof(path), SLAB "%s/objects", cache);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%ld", &count) != 1)
		die("cannot read %s", path);
	fclose(file);
	return count;
}

static struct slab_count count_once(void)
{
	struct slab_count count = { .vmas = count_cache("vm_area_struct") };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(anon_caches); i++)
		count.anon += count_cache(anon_caches[i]);
	if (!count.anon || !count.vmas)
		die("no counts below %s", SLAB);
	return count;
}

/* Until those who may still look at what is freed have done so. */
static void wait_for_rcu(void)
{
	write_file("/sys/module/rcutree/parameters/do_rcu_barrier", "1");
}

/* Frees are deferred: the count is the one that stays. */
struct slab_count count_slabs(void)
{
	struct slab_count last, now = count_once();
	unsigned int i, same = 0;

	for (i = 0; i < TRIES && same < 3; i++) {
		usleep(50000);
		wait_for_rcu();
		last = now;
		now = count_once();
		same = now.anon == last.anon && now.vmas == last.vmas ?
			same + 1 : 0;
	}
	return now;
}

/* Until there are no more than so many: a busy host may put off even that. */
struct slab_count count_slabs_until(struct slab_count most)
{
	struct slab_count now = count_slabs();
	unsigned int i;

	for (i = 0; i < PATIENCE && (now.anon > most.anon || now.vmas > most.vmas); i++) {
		usleep(100000);
		now = count_slabs();
	}
	return now;
}
