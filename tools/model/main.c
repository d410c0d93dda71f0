// SPDX-License-Identifier: GPL-2.0
/*
 * model - compares what a kernel does to anonymous memory with a model of it
 *
 * A case is two or three neighbours, of nineteen kinds and up to six units in
 * all, and one call on a range there. VMAs, contents and errno are those that
 * the model predicts, in the process, in a child, and after all was written.
 * The cases are numbered, and tried in an order that a seed gives.
 *
 * -T SECONDS or -n CASES, -s SEED, -u BYTES of a unit, -k for a stock kernel,
 * -c NEIGHBOURS:NUMBER for one case.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model.h"

#define ARENA		0x100000000000UL
#define MAX_NEIGHBOURS	3
#define MAX_CHILDREN	8
#define RANGES		(WINDOW_UNITS * (WINDOW_UNITS + 1) / 2)
#define STEP		1000000007UL	/* a prime that divides no number of cases */

unsigned long unit_size = PAGE_SIZE;
int file, uffd;
bool is_stock;

static struct {
	int neighbours;
	unsigned long number;
	int kind[MAX_NEIGHBOURS];
	int units[MAX_NEIGHBOURS];
	const struct operation *operation;
	struct call call;
	bool in_child;
} this;

static int kept[MAX_CHILDREN], nr_kept;
static unsigned long refused;

char *address(int unit)
{
	return (char *)ARENA + unit * unit_size;
}

unsigned long file_value(unsigned int index)
{
	return 1UL << 60 | index;
}

/* ---- cases by number ---- */

/* Neighbours are of at most so many units. */
static int max_units(int neighbours_of_case)
{
	return WINDOW_UNITS / neighbours_of_case;
}

static unsigned long nr_cases(int neighbours_of_case)
{
	unsigned long cases = nr_operations * RANGES * 2;
	int i;

	for (i = 0; i < neighbours_of_case; i++)
		cases *= nr_neighbours * max_units(neighbours_of_case);
	return cases;
}

static int digit(unsigned long *number, int base)
{
	const int value = *number % base;

	*number /= base;
	return value;
}

static void choose_case(int neighbours_of_case, unsigned long number)
{
	int i, range;

	this.neighbours = neighbours_of_case;
	this.number = number;
	for (i = 0; i < neighbours_of_case; i++) {
		this.kind[i] = digit(&number, nr_neighbours);
		this.units[i] = 1 + digit(&number,
					  max_units(neighbours_of_case));
	}
	this.operation = operations + digit(&number, nr_operations);
	this.in_child = digit(&number, 2);
	range = digit(&number, RANGES);
	this.call = (struct call){ .from = WINDOW };
	for (i = WINDOW_UNITS; range >= i; range -= i--)
		this.call.from++;
	this.call.to = this.call.from + 1 + range;
}

void describe_case(void)
{
	int i;

	printf("case %d:%lu", this.neighbours, this.number);
	for (i = 0; i < this.neighbours; i++)
		printf("%s %d %s", i ? "," : ":", this.units[i],
		       neighbours[this.kind[i]].name);
	printf("; %s of units %d to %d", this.operation->name, this.call.from,
	       this.call.to);
	if (this.operation->place)
		printf(" to %d", this.call.dst);
	printf("%s; units of %lu bytes from %p, the first neighbour at %d\n",
	       this.in_child ? " in a child" : "", unit_size, address(0),
	       WINDOW);
}

/* ---- one case ---- */

int fork_or_fail(void)
{
	int pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		fail("fork: %s", strerror(errno));
	return pid;
}

void keep_child(void)
{
	const int pid = fork_or_fail();

	if (!pid)
		for (;;)
			pause();
	kept[nr_kept++] = pid;
}

static int make_neighbours(struct model *model)
{
	int i, at = WINDOW;

	memset(model, 0, sizeof(*model));
	for (i = 0; i < this.neighbours; i++) {
		neighbours[this.kind[i]].make(model, at, this.units[i]);
		at += this.units[i];
	}
	return at;
}

/*
 * What is one VMA to the model only cannot be moved, nor grow: that fails, and
 * the model does not know what it leaves behind.
 */
static bool refuses_parts(const struct model *before, int expected, int got)
{
	const bool moves = this.operation->place ||
			   !strcmp(this.operation->name, "grow");

	if (!moves || got != EFAULT || expected == EFAULT ||
	    !may_be_parts(before, this.call.from))
		return false;
	refused++;
	return true;
}

static void unprotect(struct model *model)
{
	int i;

	for (i = 0; i < NR_UNITS; i++) {
		struct unit *unit = model->unit + i;

		if (unit->is.kind == NOTHING)
			continue;
		if (mprotect(address(i), unit_size, PROT_READ | PROT_WRITE))
			fail("mprotect of unit %d: %s", i, strerror(errno));
		unit->is.prot = PROT_READ | PROT_WRITE;
	}
}

static void run_operation(struct model *model)
{
	const struct model before = *model;
	int expected, got;

	now = this.operation;
	got = now->perform(&this.call);
	expected = now->predict(model, &this.call);
	if (refuses_parts(&before, expected, got))
		return;
	if (got != expected)
		fail("returns %s (%d), expected %s (%d)", strerror(got), got,
		     strerror(expected), expected);
	verify_vmas(model, "after the call");
	verify_contents(model, "after the call");
	verify_child(model);
	unprotect(model);
	verify_vmas(model, "all writable");
	verify_contents(model, "all writable");
	verify_child(model);
	write_all(model);
	verify_contents(model, "all written");
}

static void open_uffd(void)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		fail("userfaultfd: %s", strerror(errno));
}

/* The rest is done in a child that has inherited all of it. */
static void run_in_child(struct model *model)
{
	int pid, status;

	pid = fork_or_fail();
	if (!pid) {
		open_uffd();
		model_fork(model);
		run_operation(model);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid: %s", strerror(errno));
	if (WIFSIGNALED(status))
		fail("the child is killed by signal %d", WTERMSIG(status));
	if (status)
		_exit(1);
	verify_vmas(model, "after the child");
	verify_contents(model, "after the child");
}

static void run_case(void)
{
	struct model model;
	int end;

	end = make_neighbours(&model);
	verify_vmas(&model, "neighbours");
	verify_contents(&model, "neighbours");
	if (this.operation->place)
		this.operation->place(&this.call, end);
	if (this.in_child)
		run_in_child(&model);
	else
		run_operation(&model);
	if (munmap(address(0), NR_UNITS * unit_size))
		fail("munmap: %s", strerror(errno));
	while (nr_kept) {
		kill(kept[--nr_kept], SIGKILL);
		waitpid(kept[nr_kept], NULL, 0);
	}
}

/* ---- all of it ---- */

static void crashed(int sig)
{
	fail("killed by signal %d", sig);
}

/* Large units are to be of large folios. */
static void ask_for_large_folios(void)
{
	static const char * const sizes[] = { "", "hugepages-64kB/" };
	char path[128];
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		snprintf(path, sizeof(path),
			 "/sys/kernel/mm/transparent_hugepage/%senabled",
			 sizes[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "always", 6) != 6)
			fail("%s: %s", path, strerror(errno));
		close(fd);
	}
}

static void prepare(void)
{
	unsigned long value;
	unsigned int i;

	signal(SIGSEGV, crashed);
	signal(SIGBUS, crashed);
	open_uffd();
	if (unit_size > PAGE_SIZE)
		ask_for_large_folios();
	/* Memory of a file without a name could be given one. */
	file = open("/run/model", O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	if (file < 0 || ftruncate(file, NR_UNITS * unit_size))
		fail("file: %s", strerror(errno));
	for (i = 0; i < NR_UNITS; i++) {
		value = file_value(i);
		if (pwrite(file, &value, sizeof(value), i * unit_size) < 0 ||
		    pwrite(file, &value, sizeof(value), (i + 1) * unit_size -
			   PAGE_SIZE + sizeof(value)) < 0)
			fail("file: %s", strerror(errno));
	}
}

static void run_some(unsigned long seed, int seconds, unsigned long most)
{
	const unsigned long two = nr_cases(2), three = nr_cases(3);
	const time_t end = time(NULL) + seconds;
	unsigned long done = 0;

	printf("seed %lu, units of %lu bytes\n", seed, unit_size);
	while (time(NULL) < end && done < most && done < two + three) {
		if (done % 2 && done / 2 < two)
			choose_case(2, (seed + done / 2 * STEP) % two);
		else
			choose_case(3, (seed + done / 2 * STEP) % three);
		run_case();
		done++;
	}
	printf("%lu cases of %lu with two and %lu with three neighbours",
	       done, two, three);
	if (is_stock)
		printf(", %lu moves refused", refused);
	printf("\n");
}

int main(int argc, char **argv)
{
	unsigned long seed = time(NULL), most = ULONG_MAX, number;
	int opt, seconds = 60, count = 0;

	while ((opt = getopt(argc, argv, "T:n:s:u:c:k")) != -1) {
		if (opt == 'T')
			seconds = atoi(optarg);
		else if (opt == 'n')
			most = strtoul(optarg, NULL, 10);
		else if (opt == 's')
			seed = strtoul(optarg, NULL, 10);
		else if (opt == 'u')
			unit_size = strtoul(optarg, NULL, 10);
		else if (opt == 'k')
			is_stock = true;
		else if (opt != 'c' ||
			 sscanf(optarg, "%d:%lu", &count, &number) != 2)
			return 2;
	}
	if (unit_size < PAGE_SIZE || unit_size % PAGE_SIZE || count > 3)
		return 2;
	prepare();
	if (count) {
		choose_case(count, number);
		run_case();
		describe_case();
	} else {
		run_some(seed, seconds, most);
	}
	return 0;
}
