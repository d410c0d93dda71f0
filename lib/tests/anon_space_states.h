/* SPDX-License-Identifier: GPL-2.0 */
/*
 * States of an address space and its relatives, for KUnit tests, and how to check
 * them.
 */
#ifndef _ANON_SPACE_STATES_H
#define _ANON_SPACE_STATES_H

#include "anon_space_user.h"

#define FAR		1024		/* where to move to */
#define WORLD_NR_STATES	25

/**
 * struct world - the processes of a test
 * @parent:     the test itself
 * @child:      forked by the state, or NULL
 * @actor:      who does the operation: one of them
 * @child_task: the process of @child
 * @fork_task:  forked after the operation
 */
struct world {
	struct user_mem *parent;
	struct user_mem *child;
	struct user_mem *actor;
	struct user_child child_task;
	struct user_child fork_task;
};

/**
 * struct world_state - what has happened to the area before an operation
 * @name:    as the test prints it
 * @enter:   makes it so
 * @huge:    does it need transparent huge pages?
 * @swapped: are there pages in swap, which a look at their contents brings back?
 */
struct world_state {
	const char *name;
	void (*enter)(struct world *w);
	bool huge;
	bool swapped;
};

extern const struct world_state world_states[WORLD_NR_STATES];

int world_init_test(struct kunit *test);
void world_exit_test(struct kunit *test);
int world_count_vmas(void);
unsigned long world_count_extents(void);
void world_check_fork(struct world *w, struct user_mem *p);
void world_act(struct world *w, void (*fn)(void *data));
void world_check_fork_of_actor(struct world *w);
void world_check_mms(struct world *w);
void world_check(struct world *w);
void world_fork(struct world *w);
void world_fault(struct world *w);
void world_share(struct world *w);
void world_fault_huge(struct world *w);

#endif /* _ANON_SPACE_STATES_H */
