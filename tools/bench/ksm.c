// SPDX-License-Identifier: GPL-2.0
/* KSM: its scan, and walks of the reverse map of merged pages. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define KSM		"/sys/kernel/mm/ksm/"
#define SCANS		3

static bool is_ksmd(const char *pid)
{
	char path[300], comm[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(comm, sizeof(comm), file))
		comm[0] = '\0';
	fclose(file);
	return !strcmp(comm, "ksmd\n");
}

static clockid_t ksmd_clock(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	clockid_t clock = -1;

	if (!proc)
		die("/proc: %m");
	while ((entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    is_ksmd(entry->d_name) &&
		    clock_getcpuclockid(atoi(entry->d_name), &clock))
			die("no clock of ksmd");
	closedir(proc);
	if (clock == -1)
		die("no ksmd");
	return clock;
}

/* Of the daemon; its clock has a tick of a nanosecond, as ours. */
static unsigned long ksmd_time(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		die("clock of ksmd: %m");
	return ts.tv_sec * 1000000000UL + ts.tv_nsec;
}

/* The daemon's time when it has gone to sleep after that many scans. */
static unsigned long time_after_scans(clockid_t clock, long scans)
{
	long begin = read_number(KSM "full_scans");
	unsigned long last, time = 0;
	int still = 0;

	while (still < 3) {
		last = time;
		usleep(1000);
		time = ksmd_time(clock);
		if (time == last && read_number(KSM "full_scans") - begin >= scans)
			still++;
		else
			still = 0;
	}
	return time;
}

static void ksm_start(unsigned long pages)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", pages + 100);
	write_file(KSM "run", "2");
	write_file(KSM "smart_scan", "0");
	write_file(KSM "pages_to_scan", text);
	write_file(KSM "sleep_millisecs", "20");
	write_file(KSM "run", "1");
}

/* VMAs that came from one: one file, or one anon_vma, holds their pages. */
static void split_map(unsigned long n, bool equal)
{
	unsigned long i;

	map(BASE, n);
	for (i = 0; i < n; i++)
		*(unsigned long *)(BASE + i * PAGE) = equal ? 1 : i + 1;
	for (i = 1; i < n; i += 2)
		protect(BASE + i * PAGE, 1, PROT_READ);
	if (madvise((void *)BASE, n * PAGE, MADV_MERGEABLE))
		die("MADV_MERGEABLE: %m");
}

static void run_scan(const struct run *run)
{
	clockid_t clock = ksmd_clock();
	unsigned long begin, end;
	long scans;

	split_map(run->n, false);
	ksm_start(run->n);
	/* Two for the checksums, one for the unstable tree. */
	begin = time_after_scans(clock, 3);
	scans = read_number(KSM "full_scans");
	end = time_after_scans(clock, SCANS);
	scans = read_number(KSM "full_scans") - scans;
	write_file(KSM "run", "2");
	unmap(BASE, run->n);
	result(run, (double)(end - begin) / scans / run->n);
}

static void run_walk(const struct run *run)
{
	clockid_t clock = ksmd_clock();
	unsigned long begin;

	split_map(run->n, true);
	ksm_start(run->n);
	time_after_scans(clock, 4);
	write_file(KSM "run", "0");
	if (!read_number(KSM "pages_shared"))
		die("KSM did not merge anything");
	move_to_node(BASE, 1, 0);
	begin = now();
	move_to_node(BASE, 1, 1);
	move_to_node(BASE, 1, 0);
	result(run, (double)(now() - begin) / 2);
	write_file(KSM "run", "2");
	unmap(BASE, run->n);
}

static const struct metric metrics[] = {
	{ "ksm_scan", "scan of N VMAs of different contents, for each page",
	  run_scan, { 10, 1000, 20000 } },
	{ "ksm_walk", "migration of a merged page (at most 256 times) of N VMAs",
	  run_walk, { 10, 1000, 20000 } },
};

const struct metric_group ksm_group = {
	"ksm", metrics, ARRAY_SIZE(metrics)
};
