/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the anon_space_* tests have in common: an area of address space in which
 * they map, move and compare pages.
 *
 * An area consists of units (a page or a huge page). Unit n is filled with
 * contents that only it has, so contents that were moved can be told. Around
 * the area and in it, addresses are reserved with PROT_NONE: what a test maps
 * there has no neighbours but those that it made.
 *
 * Functions whose failure would be that of the test's own preparation end the
 * test program.
 */
#ifndef ANON_SPACE_UTIL_H
#define ANON_SPACE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define AREA_UNITS	16

/* Of a test: it only ends what hangs, as a busy host may stop a guest for long. */
#define TIMEOUT		900
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	TIMEOUT

/*
 * For loops that wait for a condition, or do again what others were in the way of. Each
 * sleeps for a moment; false if that was long enough. @waited begins with 0.
 */
bool be_patient(long *waited);

/*
 * Until no process of an earlier test is left: they end when their parent has. For tests
 * of what is counted, limited or merged for all processes.
 */
void wait_for_earlier_tests(void);

/* What has happened to memory before a test does something to it. */
enum area_state {
	UNFAULTED,
	FAULTED,
	FORKED_CHILD,	/* the test goes on in the child, the parent waits */
	FORKED_PARENT,	/* the test goes on in the parent, the child waits */
	GRANDCHILD,	/* as the child, and the parent is dead */
	WRITTEN,	/* as the child, which has copied every second page */
	SWAPPED,
	MOVED,		/* from elsewhere, private */
	MOVED_SHARED,	/* from elsewhere, where a child still has it */
	HUGE,		/* units are huge pages */
	HUGE_FORKED,	/* as the child */
};

struct area {
	enum area_state state;
	char *base;
	size_t unit;
	/* A process that shares what was filled, 0 if none. */
	pid_t relative;
	/* Where the relative has each unit. */
	char *relative_at[AREA_UNITS];
};

void area_init(struct area *a, enum area_state state);

/* Map units; area_fill() also gives them contents and the state. */
void *area_map(struct area *a, int first, int nr);
void area_fill(struct area *a, int first, int nr);

/* The last step of preparation: fork if the state says so. */
void area_ready(struct area *a);

void *area_at(struct area *a, int unit);
size_t area_size(struct area *a, int nr);

/* mremap() of nr units to another place, which may be mapped. */
void *area_move(struct area *a, int from, int nr, int to);

/* Do the units at @at have the contents that @first and following got? */
bool area_has(struct area *a, int at, int nr, int first);

/* Does the relative, if any, still have what was filled? */
bool area_relative_has_all(struct area *a);

/*
 * Can the kernel find all mappings of these units? It must, to migrate them.
 */
bool area_migrates(struct area *a, int first, int nr);

/*
 * The VMAs of the area, one letter per unit, dots for what is not mapped: "aab"
 * are two units in one VMA and one in the next. Trailing dots are left out.
 */
const char *area_draw(struct area *a);

/* The same for any range. */
int count_vmas(void *start, size_t size);

/* For single pages at any address. */
struct range {
	char *at;
	size_t pages;
	unsigned long first;	/* contents of the first page */
};

/* For a struct range; an argument of child_says(). */
bool range_has_all(void *arg);
void fill_pages(void *addr, size_t nr, unsigned long first);
bool pages_have(void *addr, size_t nr, unsigned long first);
bool pages_are_zero(void *addr, size_t nr);
/* Discard page @nr of such a range, and fill it anew with what it had. */
void renew_page(void *addr, size_t nr, unsigned long first);
bool pages_of_have(pid_t pid, void *addr, size_t nr, unsigned long first);
/* Those that are present; false if none is. */
bool pages_migrate(void *addr, size_t nr);
/* How many were present and have migrated, -1 if one has not. */
long migrate_present(void *addr, size_t nr);
/* As much as goes, as others may have the pages as well; is all of it swapped? */
bool try_page_out(void *addr, size_t size);
bool page_out(void *addr, size_t size);
bool make_huge(void *addr, size_t size);
void split_huge_pages(void *addr, size_t size);
/* All of the VMA that begins at @addr is so many, mapped as a whole. */
bool are_huge(void *addr, int nr, size_t size);
bool is_in_huge_page(void *addr);	/* mapped by a page table or not */
bool is_swapped(void *addr);
/* What the validator says, on kernels that have it. */
bool is_valid(void);
/* A line of /proc/vmstat, -1 on kernels that have it not. */
long vmstat(const char *name);

/*
 * For ranges of any size. What is reserved begins with a page table, has no
 * neighbours, and counts as no VMA.
 */
void *reserve(size_t size);
void map_range(void *addr, size_t size);
void map_filled(void *addr, size_t nr, unsigned long first);
/*
 * Maps a range where nothing has ever been, not even a page table, with the page offset
 * that goes on from a shared page which was moved before it. The page before it and all
 * of it have to be reserved.
 */
void map_with_other_offset(void *addr, size_t size);
/* mremap() with MREMAP_FIXED; false with errno if it fails. */
bool move_to(void *from, size_t size, void *to);

/*
 * The pages keep their frames when they are paged out: they stay in the swap
 * cache, as somebody refers to them. Returns what to close to end that.
 */
int hold_frames(void *addr, size_t nr);

/* Physical page, 0 if not present; flags of it as in /proc/kpageflags. */
unsigned long pfn_of(pid_t pid, void *addr);
uint64_t page_flags(unsigned long pfn);
uint64_t page_mapcount(unsigned long pfn);
int node_of(void *addr);

/* Fork a child that waits, and leaves at the end of the test. */
pid_t fork_waiting(void);
/*
 * Fork, and return in the child only; the test ends when the child and all that
 * come from it have.
 */
void go_on_in_child(void);
/* The same, but the parent is dead; only below go_on_in_child(). */
void go_on_in_orphan(void);
/* Run @fn in a child; returns whether it said so. */
bool child_says(bool (*fn)(void *arg), void *arg);

#define MAX_MAP_COUNT	"/proc/sys/vm/max_map_count"

/* Returns the number of bytes; what is read ends with a 0. */
size_t read_all(const char *path, char *buf, size_t size);
long read_long(const char *path);
void write_long(const char *path, long value);
void write_string(const char *path, const char *value);
long status_kb(const char *field);	/* of /proc/self/status */
long meminfo_kb(const char *field);

/* Bring in everything that is swapped. */
bool swap_off_and_on(void);

/* A cgroup of its own for this process and its children to come. */
void enter_cgroup(void);
void leave_cgroup(void);	/* for the one above all */
void cgroup_write(const char *file, const char *value);
void cgroup_allow(long more_bytes);	/* than are in use, and no swap */
void cgroup_allow_all(void);
void cgroup_reclaim(void);
/* Until these are swapped; the kernel looks at the length of its lists now and then. */
bool cgroup_reclaim_pages(void *addr, size_t nr);
long cgroup_read(const char *file);
long cgroup_stat(const char *field);	/* of memory.stat */

/* What a page table maps; that of a huge page, if the kernel has them. */
size_t table_size(void);

void skip_test(const char *reason);

#endif
