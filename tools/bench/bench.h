/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an operation on anonymous memory costs, in instructions or nanoseconds.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define PAGE		4096UL
#define TABLE		(512 * PAGE)	/* what one page table maps */

/* A place where nothing else is, the same in each run. */
#define BASE		0x200000000000UL
#define OTHER_BASE	0x300000000000UL

#define MAX_SIZES	8

struct run;

/* Who else has the memory when it is measured: forked once all is touched. */
enum family { ALONE, CHILD, CHILD_GONE };

/*
 * One measurement, at several sizes. It is run in a process of its own, as
 * often as asked for, and calls result() with each figure that it has found.
 */
struct metric {
	const char *name;
	const char *what;
	void (*run)(const struct run *run);
	unsigned long sizes[MAX_SIZES];		/* up to the first zero */
	bool once;		/* much work: no warm-up, no repeats */
	bool processors;	/* a size is how many of them it uses */
	enum family family;
	const void *data;	/* what run() has to know besides */
};

struct metric_group {
	const char *name;
	const struct metric *metrics;
	size_t nr;
};

struct run {
	const struct metric *metric;
	unsigned long n;
	bool quiet;			/* a first run, to warm up */
};

extern const struct metric_group map_group, move_group, chain_group,
	grow_group, fork_group, reclaim_group, swap_group, ksm_group,
	slab_group, collect_group, contention_group, scale_group;

/*
 * Under QEMU's -icount shift=0 the TSC is the number of instructions. Other
 * machines may have a counter of them.
 */
enum clock { CLOCK_TIME, CLOCK_TSC, CLOCK_COUNTER };

/* measure.c */
void use_clock(enum clock clock);
unsigned long now(void);
const char *clock_unit(void);
void result(const struct run *run, double value);
void result_part(const struct run *run, const char *part, double value,
		 const char *unit);
__attribute__((noreturn, format(printf, 1, 2)))
void die(const char *format, ...);

/* memory.c */
void *map(unsigned long addr, unsigned long pages);
void unmap(unsigned long addr, unsigned long pages);
void map_huge(unsigned long addr, unsigned long pages);
void touch(unsigned long addr, unsigned long pages);
void fill(unsigned long addr, unsigned long first, unsigned long end,
	  unsigned long stride);
bool is_filled(unsigned long addr, unsigned long page);
void check_filled(unsigned long addr, unsigned long end, unsigned long stride);
void move(unsigned long from, unsigned long to, unsigned long pages);
void spread(unsigned long n);
void touch_spread(unsigned long n);
void unmap_spread(unsigned long n);
void protect(unsigned long addr, unsigned long pages, int prot);
void *share(size_t size);
void move_to_node(unsigned long addr, unsigned long pages, int node);
unsigned long count_vmas(void);

/* proc.c */
void check_one_vma(unsigned long addr, unsigned long pages);
void check_huge(unsigned long addr, unsigned long pages);
bool is_shared(unsigned long addr);
unsigned long count_swapped(unsigned long addr, unsigned long pages);
void read_frames(pid_t pid, unsigned long addr, unsigned long pages,
		 unsigned long *frames);

/* process.c */
pid_t start(void);
void finish(pid_t pid);
struct crowd *crowd_start(unsigned long n);
struct crowd *crowd_start_work(unsigned long n, unsigned long (*work)(void));
unsigned long crowd_work(const struct crowd *crowd);
pid_t crowd_pid(const struct crowd *crowd, unsigned long i);
void crowd_end(struct crowd *crowd);
struct crowd *family_start(const struct run *run);
void check_family(const struct run *run, unsigned long addr);
void family_end(struct crowd *crowd);
void run_program(const char *mode);

/* sysfs.c */
void write_file(const char *path, const char *text);
long read_number(const char *path);

/* cgroup.c */
void join_group(void);
void reclaim_from_group(void);
void find_frames(unsigned long addr, unsigned long pages);
void mark_frames_idle(unsigned long pages);

#endif
