// SPDX-License-Identifier: GPL-2.0
/*
 * bench - what operations on anonymous memory cost
 *
 * Prints a line for each figure: sample, metric, size, value, unit.
 */
#define _GNU_SOURCE
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static const struct metric_group *groups[] = {
	&map_group, &move_group, &chain_group, &grow_group, &fork_group,
	&reclaim_group, &swap_group, &ksm_group, &slab_group,
	&collect_group, &contention_group, &scale_group,
};

static const char usage[] =
"Usage: bench list\n"
"       bench [-i | -p] [-r REPEATS] [-m METRIC] run GROUP...\n"
"       bench one METRIC SIZE REPEATS [-i | -p]\n"
"Measure what operations on anonymous memory cost.\n"
"  -i  the TSC counts instructions: the kernel runs in QEMU with -icount\n"
"  -p  instructions are counted by the processor, where it can\n"
"  -m  only the metrics that match this pattern, such as @(move|chain)_*\n"
"  -r  how often to measure, 5 by default\n";

static unsigned int repeats = 5;
static const char *pattern = "*";
static const char *clock_option;

/* A machine with more processors than these shows what more of them cost. */
#define FEW_PROCESSORS	4

static void list(void)
{
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(groups); i++)
		for (j = 0; j < groups[i]->nr; j++)
			printf("%s\t%s\t%s\n", groups[i]->name,
			       groups[i]->metrics[j].name,
			       groups[i]->metrics[j].what);
}

/* A fresh process: what it inherits from this one must not be measured. */
static void spawn(const struct metric *metric, unsigned long n)
{
	char size[32], times[32];
	pid_t pid = start();

	if (pid) {
		finish(pid);
		return;
	}
	snprintf(size, sizeof(size), "%lu", n);
	snprintf(times, sizeof(times), "%u", repeats);
	execl("/proc/self/exe", "bench", "one", metric->name, size, times,
	      clock_option, NULL);
	die("cannot run itself: %m");
}

static void run_group(const struct metric_group *group)
{
	const unsigned long nr = sysconf(_SC_NPROCESSORS_ONLN);
	const struct metric *metric;
	size_t i, j;

	for (i = 0; i < group->nr; i++) {
		metric = &group->metrics[i];
		if (fnmatch(pattern, metric->name, FNM_EXTMATCH))
			continue;
		for (j = 0; j < MAX_SIZES && metric->sizes[j]; j++)
			if (!metric->processors || metric->sizes[j] <= nr ||
			    metric->sizes[j] <= FEW_PROCESSORS)
				spawn(metric, metric->sizes[j]);
	}
}

static void run_named(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		if (!strcmp(groups[i]->name, name)) {
			run_group(groups[i]);
			return;
		}
	}
	die("no group %s", name);
}

/* What spawn() has started. */
static void run_one(const char *name, const char *size, const char *times)
{
	struct run run = { .n = strtoul(size, NULL, 10) };
	unsigned long left;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(groups); i++)
		for (j = 0; j < groups[i]->nr; j++)
			if (!strcmp(groups[i]->metrics[j].name, name))
				run.metric = &groups[i]->metrics[j];
	if (!run.metric)
		die("no metric %s", name);
	left = run.metric->once ? 1 : strtoul(times, NULL, 10);
	if (!run.metric->once) {
		run.quiet = true;
		run.metric->run(&run);
		run.quiet = false;
	}
	while (left--)
		run.metric->run(&run);
}

static void set_clock(const char *option)
{
	if (option)
		use_clock(!strcmp(option, "-p") ? CLOCK_COUNTER : CLOCK_TSC);
}

static void set_options(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "im:pr:")) != -1) {
		switch (opt) {
		case 'i':
			clock_option = "-i";
			break;
		case 'p':
			clock_option = "-p";
			break;
		case 'm':
			pattern = optarg;
			break;
		case 'r':
			repeats = strtoul(optarg, NULL, 10);
			break;
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	set_clock(clock_option);
}

int main(int argc, char **argv)
{
	/* Before anything else: this is what the metric "exec" measures. */
	if (argc == 2 && !strcmp(argv[1], "exit"))
		_exit(0);
	if (argc >= 5 && !strcmp(argv[1], "one")) {
		set_clock(argv[5]);
		run_one(argv[2], argv[3], argv[4]);
		return 0;
	}

	set_options(argc, argv);
	argv += optind;
	if (argv[0] && !strcmp(argv[0], "list")) {
		list();
	} else if (argv[0] && !strcmp(argv[0], "run") && argv[1]) {
		while (*++argv)
			run_named(*argv);
	} else {
		fputs(usage, stderr);
		return 2;
	}
	return 0;
}
