// SPDX-License-Identifier: GPL-2.0
/*
 * torture - many processes do random things to their memory, and verify it
 *
 * See usage below; torture.h has the overview.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "torture.h"

struct options options = {
	.seconds = 300,
	.workers = 4,
	.profile = profiles,
};

static const char usage[] =
"Usage: torture run [-T SECONDS] [-s SEED] [-p PROFILE] [-w WORKERS]\n"
"                   [-t TREE] [-i] [-m] [-x]\n"
"       torture chain NAME [COUNT]\n"
"       torture failnth\n"
"run: random operations against antagonists, which are meant for a guest: they\n"
"change the settings of the whole machine.  -t replays one tree of processes,\n"
"-a names the antagonists, -n operations to leave out; -i makes allocations fail (debug kernel), -x poisons pages;\n"
"-m: VMAs side by side that nothing keeps apart are a failure.  Profiles:\n";

static int help(int status)
{
	const struct profile *p;
	FILE *out = status ? stderr : stdout;

	fputs(usage, out);
	for (p = profiles; p->name; p++)
		fprintf(out, "  %-5s %s\n", p->name, p->what);
	return status;
}

static const struct profile *find_profile(const char *name)
{
	const struct profile *p;

	for (p = profiles; p->name; p++) {
		if (!strcmp(p->name, name))
			return p;
	}
	die("no profile %s", name);
}

static int parse_run(int argc, char **argv)
{
	int c;

	if (getrandom(&options.seed, sizeof(options.seed), 0) !=
	    sizeof(options.seed))
		die("getrandom: %m");
	while ((c = getopt(argc, argv, "T:s:p:w:t:a:n:imx")) != -1) {
		switch (c) {
		case 'T':
			options.seconds = strtoul(optarg, NULL, 0);
			break;
		case 's':
			options.seed = strtoull(optarg, NULL, 0);
			break;
		case 'p':
			options.profile = find_profile(optarg);
			break;
		case 'w':
			options.workers = strtoul(optarg, NULL, 0);
			break;
		case 't':
			options.tree = optarg;
			break;
		case 'a':
			options.antagonists = find_antagonists(optarg);
			break;
		case 'n':
			options.without = optarg;
			break;
		case 'i':
			options.inject = true;
			break;
		case 'm':
			options.merged = true;
			break;
		case 'x':
			options.poison = true;
			break;
		default:
			return help(2);
		}
	}
	if (!options.antagonists)
		options.antagonists = options.profile->antagonists;
	if (optind != argc || !options.seconds || !options.workers)
		return help(2);
	return run_torture();
}

int main(int argc, char **argv)
{
	/* The heap is the model's: malloc() must take its memory elsewhere. */
	mallopt(M_MMAP_THRESHOLD, 1);
	if (argc < 2)
		return help(2);
	if (!strcmp(argv[1], "exec"))
		return EXIT_SUCCESS;
	if (!strcmp(argv[1], "run"))
		return parse_run(argc - 1, argv + 1);
	if (!strcmp(argv[1], "chain"))
		return run_chain(argc - 2, argv + 2);
	if (!strcmp(argv[1], "failnth"))
		return run_failnth(argc - 2, argv + 2);
	return help(strcmp(argv[1], "help") ? 2 : 0);
}
