// SPDX-License-Identifier: GPL-2.0
/*
 * The stack of a new program is moved to its place after the arguments were
 * written to it. There it is memory like any other.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#define CHECK		"check-arguments"
#define ARGUMENT	(48ul << 10)	/* bytes of each */
#define MOST		64		/* of them: 3 MiB */
#define STACK		(64ul << 20)
#define RUNS		4		/* the place of the stack is random */

static void make_argument(char *argument, int nr)
{
	size_t i;

	for (i = 0; i < ARGUMENT - 1; i++)
		argument[i] = 'a' + (i / 64 + nr) % 26;
	argument[ARGUMENT - 1] = '\0';
}

/* ---- the program that is executed ---- */

struct arguments {
	int nr;
	char **at;
};

static bool are_right(void *arg)
{
	static char expected[ARGUMENT];
	struct arguments *a = arg;
	int i;

	for (i = 0; i < a->nr; i++) {
		make_argument(expected, i);
		if (strcmp(a->at[i], expected)) {
			printf("# argument %d of %d is wrong\n", i, a->nr);
			return false;
		}
	}
	return true;
}

static char *page_of(char *at)
{
	return at - (uintptr_t)at % psize();
}

static bool pages_of_arguments_migrate(struct arguments *a)
{
	int i;

	for (i = 0; i < a->nr; i++)
		if (!pages_migrate(page_of(a->at[i]), 2))
			return false;
	return true;
}

/* Everything that finds pages by where they are mapped. */
static int check_arguments(struct arguments *a)
{
	char *start = page_of(a->at[0]);
	size_t size = page_of(a->at[a->nr - 1]) - start;

	if (!are_right(a) || !child_says(are_right, a))
		return 1;
	if (!pages_of_arguments_migrate(a) || !are_right(a))
		return 2;
	if (size && madvise(start, size, MADV_PAGEOUT))
		return 3;
	if (!child_says(are_right, a) || !are_right(a))
		return 4;
	if (!pages_of_arguments_migrate(a) || !are_right(a))
		return 5;
	return is_valid() ? 0 : 6;
}

/* ---- the tests ---- */

FIXTURE(exec)
{
};

FIXTURE_VARIANT(exec)
{
	int nr;
};

FIXTURE_VARIANT_ADD(exec, one_argument) { .nr = 1 };
FIXTURE_VARIANT_ADD(exec, three_mib) { .nr = MOST };

FIXTURE_SETUP(exec)
{
}

FIXTURE_TEARDOWN(exec)
{
}

static bool executes(void *arg)
{
	static char arguments[MOST][ARGUMENT];
	char *argv[MOST + 3] = { "anon_space_exec", CHECK };
	struct rlimit limit = { STACK, STACK };
	int i, nr = *(int *)arg;

	for (i = 0; i < nr; i++) {
		make_argument(arguments[i], i);
		argv[i + 2] = arguments[i];
	}
	if (setrlimit(RLIMIT_STACK, &limit))
		return false;
	execv("/proc/self/exe", argv);
	return false;
}

/* The new program reads them, as do its children; they migrate and swap. */
TEST_F_TIMEOUT(exec, arguments, TIMEOUT)
{
	int i, nr = variant->nr;

	for (i = 0; i < RUNS; i++)
		EXPECT_TRUE(child_says(executes, &nr));
}

int main(int argc, char **argv)
{
	struct arguments a = { argc - 2, argv + 2 };

	if (argc > 2 && !strcmp(argv[1], CHECK))
		return check_arguments(&a);
	return test_harness_run(argc, argv);
}
