// SPDX-License-Identifier: GPL-2.0
/*
 * vmafrag - counts the VMAs of processes and the merges that were missed
 *
 * A missed merge is a boundary between two adjacent private anonymous VMAs
 * all of whose attributes are equal. See frag.h for what cannot be seen.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ends.h"
#include "frag.h"
#include "inside.h"
#include "why.h"

static const struct {
	const char *column;
	const char *text;
} reasons[BEGINS_NR] = {
	[BEGINS_EQUAL]	= { "missed_merges", "could be merged: nothing differs" },
	[BEGINS_PERMS]	= { "permissions", "permissions differ" },
	[BEGINS_FLAGS]	= { "flags", "flags differ" },
	[BEGINS_PKEY]	= { "pkey", "protection key differs" },
	[BEGINS_NAME]	= { "name", "name differs" },
	[BEGINS_POLICY]	= { "policy", "memory policy differs" },
	[BEGINS_OTHER]	= { "other", "a file or special mapping is below" },
	[BEGINS_GAP]	= { "gap", "nothing is below" },
};

static bool tsv;
static bool list;
static bool why;
static FILE *out;

static const char usage[] =
"Usage: vmafrag [-l | -w | -t] PID...\n"
"       vmafrag [-l | -w | -t] -a\n"
"       vmafrag [-l | -w | -t] -f SMAPS [-n NUMA_MAPS]\n"
"       vmafrag [-l | -w | -t] [-o FILE] -e COMMAND [ARGUMENT...]\n"
"Count VMAs, and boundaries between private anonymous VMAs that could be\n"
"merged away because nothing differs on their two sides: missed merges.\n"
"  -a  all processes, one a line, those with most missed merges first\n"
"  -f  read a saved /proc/PID/smaps\n"
"  -n  read memory policies from a saved /proc/PID/numa_maps\n"
"  -l  list the boundaries that could be merged away\n"
"  -w, --why\n"
"      list all boundaries between private anonymous VMAs, and what differs there:\n"
"      flags as in VmFlags of /proc/PID/smaps, those below and those above\n"
"  -t  print tab-separated values\n"
"  -e  run a command, and look at each process of it when that is about to end\n"
"  -o  print to a file\n"
"  -h, --help\n"
"Columns of -a and -t:\n"
"  pid, comm      the process, and the name of its program\n"
"  vmas           all of its VMAs\n"
"  anonymous      private anonymous ones, counted in one of the next columns each,\n"
"                 by what is below: the first that holds\n"
"  missed_merges  one that nothing differs from\n"
"  permissions, flags, pkey, name, policy\n"
"                 one that this differs from\n"
"  other          a file or special mapping\n"
"  gap            nothing\n"
"Why they are two of which nothing differs, -w asks the kernel, as root, by a kprobe:\n"
"  page offset  where the lower one ends in its file, and where the upper one begins\n"
"  anon_vma     each has its own; or it is one, and was forked\n"
"Kernels with the trace event anon_space_merge tell by that what was tried.\n"
"Exit status: 0, 1 if a process could not be read, 2 for a wrong option; with -e\n"
"that of the command.\n";

static void get_comm(int pid, char *comm, size_t size)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(comm, size, file))
		snprintf(comm, size, "?");
	if (file)
		fclose(file);
	comm[strcspn(comm, "\n\t")] = '\0';
}

static void list_missed(const struct vma_map *map)
{
	size_t i;

	for (i = 1; i < map->nr; i++) {
		const struct vma *vma = &map->vma[i];

		if (!vma->anon || vma_begins(vma - 1, vma) != BEGINS_EQUAL)
			continue;
		fprintf(out, "  %lx-%lx | %lx-%lx %s %s\n", vma[-1].start,
		       vma[-1].end, vma->start, vma->end, vma->perms,
		       vma->flags);
	}
}

/* pid is 0 if the map was read from a file. */
static void report(int pid, const char *comm, const struct vma_map *map)
{
	char what[16] = "-";
	struct frag frag;
	int i;

	if (pid)
		snprintf(what, sizeof(what), "%d", pid);
	frag_count(&frag, map, 0, ULONG_MAX);
	if (tsv) {
		fprintf(out, "%s\t%s\t%zu\t%zu", what, comm, frag.vmas, frag.anon);
		for (i = 0; i < BEGINS_NR; i++)
			fprintf(out, "\t%zu", frag.begins[i]);
		fprintf(out, "\n");
	} else {
		fprintf(out, "%s %s: %zu VMAs, %zu of them private anonymous, %zu missed merges\n",
		       what, comm, frag.vmas, frag.anon,
		       frag.begins[BEGINS_EQUAL]);
		for (i = 0; i < BEGINS_NR; i++)
			if (frag.begins[i])
				fprintf(out, "%8zu  %s\n", frag.begins[i],
				       reasons[i].text);
	}
	if (list)
		list_missed(map);
	if (why)
		why_list(out, map, pid);
}

static void print_header(void)
{
	int i;

	fprintf(out, "pid\tcomm\tvmas\tanonymous");
	for (i = 0; i < BEGINS_NR; i++)
		fprintf(out, "\t%s", reasons[i].column);
	fprintf(out, "\n");
}

/*
 * With quiet, says nothing of a process that has no memory or that ended
 * after it was listed.
 */
static bool report_pid(int pid, bool quiet)
{
	struct vma_map map;
	char comm[64];
	int err;

	err = vma_map_read_pid(&map, pid);
	if (quiet && (err == -ENOENT || err == -ESRCH))
		return true;
	if (err) {
		fprintf(stderr, "vmafrag: process %d: %s\n", pid,
			err == -ENOENT || err == -ESRCH ? "no such process" :
			strerror(-err));
		return false;
	}
	if (!map.nr) {
		vma_map_free(&map);
		if (!quiet)
			fprintf(stderr, "vmafrag: process %d: has no memory: kernel thread or zombie\n",
				pid);
		return quiet;
	}
	get_comm(pid, comm, sizeof(comm));
	report(pid, comm, &map);
	vma_map_free(&map);
	return true;
}

/* ---- all processes ---- */

struct row {
	int pid;
	char comm[64];
	struct frag frag;
};

static struct row *rows;
static size_t nr_rows;

static bool add_row(int pid)
{
	struct vma_map map;
	struct row *more;
	int err;

	err = vma_map_read_pid(&map, pid);
	if (err == -ENOENT || err == -ESRCH)
		return true;	/* it has ended */
	if (err) {
		fprintf(stderr, "vmafrag: process %d: %s\n", pid,
			strerror(-err));
		return false;
	}
	if (map.nr) {
		more = reallocarray(rows, nr_rows + 1, sizeof(*rows));
		if (!more) {
			vma_map_free(&map);
			fprintf(stderr, "vmafrag: %s\n", strerror(errno));
			return false;
		}
		rows = more;
		rows[nr_rows].pid = pid;
		get_comm(pid, rows[nr_rows].comm, sizeof(rows->comm));
		frag_count(&rows[nr_rows++].frag, &map, 0, ULONG_MAX);
	}
	vma_map_free(&map);
	return true;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	size_t mx = x->frag.begins[BEGINS_EQUAL];
	size_t my = y->frag.begins[BEGINS_EQUAL];

	if (mx != my)
		return mx < my ? 1 : -1;
	if (x->frag.vmas != y->frag.vmas)
		return x->frag.vmas < y->frag.vmas ? 1 : -1;
	return x->pid - y->pid;
}

static void print_rows(void)
{
	size_t r;
	int i;

	qsort(rows, nr_rows, sizeof(*rows), compare_rows);
	fprintf(out, "%7s %-15s %6s %9s", "pid", "comm", "vmas", "anonymous");
	for (i = 0; i < BEGINS_NR; i++)
		fprintf(out, " %*s", (int)strlen(reasons[i].column),
			reasons[i].column);
	for (r = 0; r < nr_rows; r++) {
		const struct frag *frag = &rows[r].frag;

		fprintf(out, "\n%7d %-15s %6zu %9zu", rows[r].pid,
			rows[r].comm, frag->vmas, frag->anon);
		for (i = 0; i < BEGINS_NR; i++)
			fprintf(out, " %*zu", (int)strlen(reasons[i].column),
				frag->begins[i]);
	}
	fputc('\n', out);
}

static bool report_all(void)
{
	const bool one_a_line = !tsv && !list && !why;
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool ok = true;
	int pid;

	if (!proc) {
		fprintf(stderr, "vmafrag: /proc: %s\n", strerror(errno));
		return false;
	}
	while ((entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		pid = atoi(entry->d_name);
		ok &= one_a_line ? add_row(pid) : report_pid(pid, true);
	}
	closedir(proc);
	if (one_a_line)
		print_rows();
	return ok;
}

static bool report_files(const char *smaps, const char *numa_maps)
{
	struct vma_map map;
	int err;

	err = vma_map_read_files(&map, smaps, numa_maps);
	if (err) {
		fprintf(stderr, "vmafrag: %s%s%s: %s\n", smaps,
			numa_maps ? " and " : "", numa_maps ? numa_maps : "",
			err == -EINVAL ? "not smaps" : strerror(-err));
		return false;
	}
	report(0, "-", &map);
	vma_map_free(&map);
	return true;
}

static bool report_args(char **args)
{
	bool ok = true;
	char *end;
	long pid;

	for (; *args; args++) {
		pid = strtol(*args, &end, 10);
		if (*end || pid < 1 || pid > INT_MAX) {
			fprintf(stderr, "vmafrag: %s: not a process id\n",
				*args);
			ok = false;
			continue;
		}
		ok &= report_pid(pid, false);
	}
	return ok;
}

/* Fails if what was written did not arrive. */
static bool close_out(void)
{
	if (!fflush(out) && !ferror(out))
		return true;
	fprintf(stderr, "vmafrag: output: %s\n", strerror(errno));
	return false;
}

static int usage_error(void)
{
	fputs(usage, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "why", no_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	const char *smaps = NULL, *numa_maps = NULL, *file = NULL;
	bool all = false, command = false, args, ok;
	int opt, status = 0;

	while (!command && (opt = getopt_long(argc, argv, "+atlwef:n:o:h",
					      options, NULL)) != -1) {
		switch (opt) {
		case 'a':
			all = true;
			break;
		case 't':
			tsv = true;
			break;
		case 'l':
			list = true;
			break;
		case 'w':
			why = true;
			break;
		case 'e':
			command = true;
			break;
		case 'f':
			smaps = optarg;
			break;
		case 'n':
			numa_maps = optarg;
			break;
		case 'o':
			file = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return usage_error();
		}
	}
	args = optind < argc;
	if (all + args + !!smaps != 1 || (command && !args) ||
	    (numa_maps && !smaps) || list + why + tsv > 1)
		return usage_error();

	out = file ? fopen(file, "we") : stdout;
	if (!out) {
		fprintf(stderr, "vmafrag: %s: %s\n", file, strerror(errno));
		return 1;
	}
	if (tsv)
		print_header();
	if (all)
		ok = report_all();
	else if (smaps)
		ok = report_files(smaps, numa_maps);
	else if (command)
		ok = watch_ends(argv + optind, report_pid, &status);
	else
		ok = report_args(argv + optind);
	inside_end();
	ok &= close_out();
	return ok ? status : 1;
}
