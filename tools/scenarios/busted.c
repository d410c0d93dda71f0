// SPDX-License-Identifier: GPL-2.0
/*
 * Scenarios that go wrong, for the tests of the runner: each must be reported
 * as what it is. They run only when named.
 */
#include <signal.h>

#include "scenario.h"

static void lose_contents(void)
{
	*page(A, 1) ^= 1;
	verify(page(A, 0), 2, 1);
	view("child");
}

static void busted_contents(void)
{
	map_and_fill(page(A, 0), 2, 1);
	view("before");
	lose_contents();
}

static void busted_child(void)
{
	map_and_fill(page(A, 0), 2, 1);
	join(spawn(lose_contents));
}

static void crash(void)
{
	raise(SIGSEGV);
}

static void crash_in_child(void)
{
	join(spawn(crash));
}

static void unmet(void)
{
	require(is_swapped(page(A, 0)), "not swapped out");
}

static void unable(void)
{
	cannot_run("no such device");
}

static void unverified(void)
{
	map(page(A, 0), 1);
	view("only");
}

static void unseen(void)
{
	map_and_fill(page(A, 0), 1, 1);
	verify(page(A, 0), 1, 1);
}

const struct scenario busted[] = {
	{ "busted_contents", busted_contents, "A page changes by itself." },
	{ "busted_child", busted_child, "A page of a child changes by itself." },
	{ "busted_crash", crash, "The program crashes." },
	{ "busted_crash_in_child", crash_in_child, "A child crashes." },
	{ "busted_unmet", unmet, "Memory is not swapped out." },
	{ "busted_unable", unable, "The machine lacks something." },
	{ "busted_unverified", unverified, "Nothing is verified." },
	{ "busted_unseen", unseen, "No map is shown." },
	{ .name = NULL },
};
