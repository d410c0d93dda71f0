// SPDX-License-Identifier: GPL-2.0
/*
 * scenarios - small programs that ask much of anonymous memory
 *
 * Each does what some real program does to its memory, shows the map that
 * comes of it, counts the merges that were missed, and verifies that every
 * page holds what it should. Prints lines of tab-separated values:
 *
 *	scenario NAME WHAT-IT-MODELS
 *	map      NAME VIEW PLACE PAGES PERMISSIONS [NAME] [FLAGS] [missed]
 *	view     NAME VIEW VMAS MISSED-MERGES
 *	result   NAME OUTCOME VMAS MISSED-MERGES CONTENTS-OK REASON
 *
 * OUTCOME is ok, failed or cannot-run. A result is the sum of its views.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"

#define TIME_LIMIT	900	/* seconds: only ends what hangs */

const struct scenario scenarios[] = {
	{ "gather", gather,
	  "A compacting collector moves the live pages of a heap into one range." },
	{ "fill_holes", fill_holes,
	  "An allocator maps pages one by one and later fills the holes between them." },
	{ "commit_reserve", commit_reserve,
	  "An allocator reserves a range and makes its pages usable one by one." },
	{ "guard_pages", guard_pages,
	  "Thread stacks with guard pages: nothing here can be merged." },
	{ "grow_in_place", grow_in_place,
	  "A buffer grows by mremap until it reaches the next one." },
	{ "grow_by_move", grow_by_move,
	  "A vector grows by mremap and moves next to memory in use." },
	{ "move_away_and_back", move_away_and_back,
	  "Part of a range is moved next to other memory, changed, and moved back." },
	{ "dontunmap", dontunmap,
	  "A collector steals pages with MREMAP_DONTUNMAP to a place right behind them." },
	{ "fork_brk", fork_brk,
	  "A forked child grows the heap that it inherited." },
	{ "fork_mmap", fork_mmap,
	  "A forked child maps memory next to what it inherited, and so does its parent." },
	{ "fork_child_moves", fork_child_moves,
	  "A forked child gathers pages that it shares with its parent." },
	{ "fork_parent_moves", fork_parent_moves,
	  "A parent gathers pages that it shares with its child." },
	{ "fork_grandchildren", fork_grandchildren,
	  "Each of three generations moves what it inherited and adds to it." },
	{ "huge_move", huge_move,
	  "A huge page is moved next to another one." },
	{ "huge_move_part", huge_move_part,
	  "The middle of a huge page is moved away and back." },
	{ "huge_move_ptes", huge_move_ptes,
	  "A huge page that is mapped page by page is moved next to another." },
	{ "huge_move_ptes_part", huge_move_ptes_part,
	  "The middle of a huge page that is mapped page by page is moved." },
	{ "swap_move", swap_move,
	  "Memory that was swapped out is moved." },
	{ "swap_fork_move", swap_fork_move,
	  "A child gathers swapped-out pages that it shares with its parent." },
	{ "file_move", file_move,
	  "Private file mappings with written pages are moved together." },
	{ "uffd_move", uffd_move,
	  "A collector fills a range with UFFDIO_MOVE and unregisters it." },
	{ "exec_stack", exec_stack,
	  "A fresh program maps more memory right below its stack." },
	{ .name = NULL },
};

static const char usage[] =
"Usage: scenarios list\n"
"       scenarios run [NAME...]\n"
"Exit status: 0, 1 if a scenario failed or could not run, 2 for a wrong\n"
"argument.\n";

static void run_child(const struct scenario *scenario)
{
	alarm(TIME_LIMIT);
	scenario->run();
	if (!result->views)
		fail("no map was shown");
	if (!result->verified)
		fail("no contents were verified");
	fflush(stdout);
	_exit(EXIT_SUCCESS);
}

static const char *contents(void)
{
	if (result->bad_contents)
		return "no";
	return result->outcome == OUTCOME_NONE ? "yes" : "unknown";
}

static bool run(const struct scenario *scenario)
{
	static const char * const outcomes[] = {
		[OUTCOME_NONE]		= "ok",
		[OUTCOME_FAILED]	= "failed",
		[OUTCOME_CANNOT_RUN]	= "cannot-run",
	};
	int status;
	pid_t pid;

	memset(result, 0, sizeof(*result));
	snprintf(result->name, sizeof(result->name), "%s", scenario->name);
	printf("scenario\t%s\t%s\n", scenario->name, scenario->models);
	fflush(stdout);

	pid = fork();
	if (!pid)
		run_child(scenario);
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("scenarios");
		exit(EXIT_FAILURE);
	}
	if (status && result->outcome == OUTCOME_NONE) {
		result->outcome = OUTCOME_FAILED;
		if (WIFSIGNALED(status))
			snprintf(result->reason, sizeof(result->reason),
				 "killed: %s", strsignal(WTERMSIG(status)));
		else
			snprintf(result->reason, sizeof(result->reason),
				 "exit status %d", WEXITSTATUS(status));
	}
	printf("result\t%s\t%s\t%zu\t%zu\t%s\t%s\n", scenario->name,
	       outcomes[result->outcome], result->vmas, result->missed,
	       contents(), result->reason);
	fflush(stdout);
	return result->outcome == OUTCOME_NONE;
}

static const struct scenario *find_in(const struct scenario *table,
				      const char *name)
{
	while (table->name && strcmp(table->name, name))
		table++;
	return table->name ? table : NULL;
}

static const struct scenario *find(const char *name)
{
	const struct scenario *scenario = find_in(scenarios, name);

	if (!scenario)
		scenario = find_in(busted, name);
	if (scenario)
		return scenario;
	fprintf(stderr, "scenarios: %s: no such scenario, see scenarios list\n",
		name);
	exit(2);
}

static bool run_all(char **names)
{
	const struct scenario *scenario;
	bool ok = true;
	int fd, i;

	for (i = 0; names[i]; i++)
		find(names[i]);

	fd = memfd_create("result", 0);
	if (fd < 0 || ftruncate(fd, sizeof(*result))) {
		perror("scenarios: memfd");
		exit(EXIT_FAILURE);
	}
	result_attach(fd);

	if (names[0]) {
		for (i = 0; names[i]; i++)
			ok &= run(find(names[i]));
	} else {
		for (scenario = scenarios; scenario->name; scenario++)
			ok &= run(scenario);
	}
	return ok;
}

int main(int argc, char **argv)
{
	const struct scenario *scenario;

	/* The heap is the subject of a scenario: malloc() must not grow it. */
	if (!mallopt(M_MMAP_THRESHOLD, 0)) {
		fputs("scenarios: mallopt failed\n", stderr);
		return EXIT_FAILURE;
	}
	if (argc > 1 && !strcmp(argv[1], "run"))
		return run_all(argv + 2) ? EXIT_SUCCESS : EXIT_FAILURE;
	if (argc > 1 && !strcmp(argv[1], "exec_stack"))
		return exec_stack_child(argv + 2);
	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (scenario = scenarios; scenario->name; scenario++)
			printf("%s\t%s\n", scenario->name, scenario->models);
		return EXIT_SUCCESS;
	}
	fputs(usage, stderr);
	return 2;
}
