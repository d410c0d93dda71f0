/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What processes do, for KUnit tests: system calls and memory accesses on the
 * attached mm, and children with mms of their own.
 */
#ifndef _ANON_SPACE_USER_H
#define _ANON_SPACE_USER_H

#include <linux/completion.h>
#include <linux/mm_types.h>
#include <linux/types.h>

struct kunit;

/* Pages are numbered. Those of the area belong to one page table, or on s390 to two. */
#define USER_AREA	512	/* pages of the area, and of each later one */
#define USER_WORLD	2048	/* pages in all */

/* What a page should hold, if it is not stamped by user_touch() */
#define USER_ZERO	0u
#define USER_UNTOUCHED	1u	/* mapped, but not to be looked at */
#define USER_UNMAPPED	2u

/**
 * struct user_mem - what an mm should look like
 * @test: to which failures are reported
 * @huge: is memory to be mapped with huge pages?
 * @want: contents of the pages
 */
struct user_mem {
	struct kunit *test;
	bool huge;
	u32 want[USER_WORLD];
};

/* All of these act on current->mm, and keep record in @user. */
unsigned long user_addr(unsigned int page);
void user_need_tables(struct kunit *test);
void user_need_huge_pages(struct kunit *test);
void user_need_migration(struct kunit *test, bool huge);
size_t user_len(unsigned int nr);
void user_want(struct user_mem *user, unsigned int page, unsigned int nr,
	       u32 value);
void user_map(struct user_mem *user, unsigned int page, unsigned int nr);
void user_unmap(struct user_mem *user, unsigned int page, unsigned int nr);
void user_protect(struct user_mem *user, unsigned int page, unsigned int nr,
		  unsigned long prot);
void user_discard(struct user_mem *user, unsigned int page, unsigned int nr);
void user_page_out(struct user_mem *user, unsigned int page, unsigned int nr);
long user_mremap(unsigned long addr, size_t old_len, size_t new_len,
		 unsigned long flags, unsigned long new_addr);
void user_resize(struct user_mem *user, unsigned int page, unsigned int nr,
		 unsigned int new_nr);
void user_move_and_grow(struct user_mem *user, unsigned int from,
			unsigned int nr, unsigned int to, unsigned int new_nr);
long user_try_grow(struct user_mem *user, unsigned int page, unsigned int nr,
		   unsigned int new_nr);
void user_move(struct user_mem *user, unsigned int from, unsigned int nr,
	       unsigned int to);
long user_try_move(struct user_mem *user, unsigned int from, unsigned int nr,
		   unsigned int to);
long user_try_move_out(struct user_mem *user, unsigned int from,
		       unsigned int nr, unsigned int to);
void user_move_out(struct user_mem *user, unsigned int from, unsigned int nr,
		   unsigned int to);
int user_split_at(struct vm_area_struct *vma, unsigned long addr);
struct folio *user_folio_at(unsigned int page);
struct folio *user_migrate_begin(unsigned int page);
void user_migrate_end(struct folio *folio);
void user_move_there_and_back(struct user_mem *user, unsigned int page,
			      unsigned int nr, unsigned long addr);
bool user_touches(unsigned int page);
void user_touch(struct user_mem *user, unsigned int page, unsigned int nr,
		unsigned int step, u32 who);
void user_check_contents(void *user);
void user_check_lost(struct kunit *test);
void user_check_mm(struct kunit *test, struct mm_struct *mm);

/**
 * struct user_child - a process forked from the test
 * @mm:   its mm
 * @pid:  its number, 0 if there is none
 * @fn:   what it is to do next, NULL to exit
 * @arg:  argument of @fn
 * @go:   completed when @fn is set
 * @done: completed when @fn has returned, and before the child exits
 */
struct user_child {
	struct mm_struct *mm;
	pid_t pid;
	void (*fn)(void *arg);
	void *arg;
	struct completion go;
	struct completion done;
};

int user_swap_on(void);

int user_fork(struct user_child *child);
void user_run(struct user_child *child, void (*fn)(void *arg), void *arg);
void user_kill(struct user_child *child);
void user_exit(struct user_child *child);

#endif /* _ANON_SPACE_USER_H */
