/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the scenarios share: memory at fixed places, pages that know who they
 * are, and views of the map. Every helper ends the scenario if it fails.
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE_SIZE	4096UL
#define HUGE_PAGES	512UL	/* pages in a huge page */

/*
 * Zones A, B, C... are 1 GB each, at addresses that no kernel chooses, and
 * empty when a scenario begins. Maps show a place in them as "B+3": page 3
 * of zone B.
 */
enum zone { A, B, C, D, NR_ZONES };

char *page(enum zone zone, size_t nr);

/* Ends the scenario: it did not do what it is meant to do. */
void fail(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

/* Ends the scenario: this machine lacks what it needs. */
void cannot_run(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

#define require(condition, ...)			\
	do {					\
		if (!(condition))		\
			fail(__VA_ARGS__);	\
	} while (0)

/* Memory: new, moved to an empty place, with a given protection. */
void map(char *at, size_t pages);
void map_with(char *at, size_t pages, int prot, int flags);
void unmap(char *at, size_t pages);
void move(char *from, char *to, size_t pages);
void protect(char *at, size_t pages, int prot);

/*
 * Contents: page n is filled so that every word says "page id + n". verify()
 * fails the scenario if a page holds anything else.
 */
void fill(char *at, size_t pages, uint32_t id);
void map_and_fill(char *at, size_t pages, uint32_t id);
void verify(const char *at, size_t pages, uint32_t id);
void verify_zero(const char *at, size_t pages);
void verify_text(const char *text, char letter, size_t length);

/*
 * Prints the VMAs that overlap the zones, or the given pages with base as
 * "*+0", under a label that says which process or moment this is, and adds
 * them and their missed merges to the result. Does not show what a VMA has
 * outside the pages.
 */
void view(const char *label);
void view_at(const char *label, const char *base, size_t pages);

/* What is at an address. */
bool is_swapped(const char *at);
bool is_large_folio(const char *at);

/*
 * For what others may be in the way of for a moment: sleeps, and returns false if that
 * was tried often enough.
 */
bool try_again(int *tries);

/* Memory mapped by huge entries in all VMAs that overlap the pages. */
size_t huge_kb(const char *at, size_t pages);

/*
 * Children: end with the scenario's process, and fail the scenario if they
 * fail. A child that calls wait_for_parent() goes on when its parent calls
 * resume(), which waits for the child to come there.
 */
pid_t spawn(void (*run)(void));
void wait_for_parent(void);
void resume(pid_t pid);
void join(pid_t pid);

struct scenario {
	const char *name;
	void (*run)(void);
	const char *models;
};

extern const struct scenario scenarios[];
extern const struct scenario busted[];

enum outcome { OUTCOME_NONE, OUTCOME_FAILED, OUTCOME_CANNOT_RUN };

/* Shared by the processes of a scenario and the one that runs it. */
struct result {
	enum outcome outcome;
	bool bad_contents;
	size_t verified;	/* pages */
	size_t views;
	size_t vmas;
	size_t missed;
	char name[32];
	char reason[256];
};

extern struct result *result;
extern int result_fd;

void result_attach(int fd);

/* collect.c */
void gather(void);
void fill_holes(void);
void commit_reserve(void);
void guard_pages(void);

/* resize.c */
void grow_in_place(void);
void grow_by_move(void);
void move_away_and_back(void);
void dontunmap(void);

/* family.c */
void fork_brk(void);
void fork_mmap(void);
void fork_child_moves(void);
void fork_parent_moves(void);
void fork_grandchildren(void);

/* huge.c */
void huge_move(void);
void huge_move_part(void);
void huge_move_ptes(void);
void huge_move_ptes_part(void);

/* special.c */
void swap_move(void);
void swap_fork_move(void);
void file_move(void);
void uffd_move(void);
void exec_stack(void);
int exec_stack_child(char **args);

#endif
