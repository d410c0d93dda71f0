/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of torture share.
 *
 * Every process of a run has an arena of pages ("slots") at a fixed address and
 * a model in shared memory, which says what each slot must hold.  Each thread
 * owns an area, a part of the arena, that no other thread of the process
 * touches; it draws its operations from a random stream that depends on the
 * seed, the process and the thread alone.
 */
#ifndef TORTURE_H
#define TORTURE_H

#include <setjmp.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE_SIZE	4096UL
#define HUGE_PAGES	512U	/* pages in a huge page */
/* Far from everything else; of 32 bits, below the program. */
#define ARENA		((unsigned long)(sizeof(long) == 8 ? 0x200000000000 : \
							     0x20000000))
#define NR_SLOTS	8192U	/* pages of the arena */
#define NR_HEAP		512U	/* pages of the heap, slots behind the arena */
#define NR_FILE		8192U	/* pages of the file that is mapped */
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Model: what a page is and holds. */
enum kind { ANON, ZERO, FILE_PAGE };

enum slot_flag {
	MAPPED		= 1 << 0,
	FREED		= 1 << 1,	/* by MADV_FREE: may turn to zeros */
	LOCKED		= 1 << 2,
	DONTFORK	= 1 << 3,
	WIPEONFORK	= 1 << 4,
};

struct slot {
	uint64_t tag;	/* contents: word n is tag + n; 0: all words are 0 */
	uint64_t base;	/* tag of the page if nothing was written to it */
	uint8_t flags;
	uint8_t kind;
	uint8_t prot;
};

struct range {
	unsigned int first;
	unsigned int nr;
};

/* One operation, for the report of a failure. */
struct record {
	const char *name;
	struct range range;
	long arg;
	long to;
	long result;
};

#define NR_RECORDS	48
#define NR_CHILDREN	3

/* A thread of a process. */
struct actor {
	unsigned int nr;
	struct range area;
	bool owns_heap;
	uint64_t random;
	uint32_t version;
	unsigned int budget;	/* operations left */
	pid_t children[NR_CHILDREN];
	unsigned int forks;
	int pipe[2];
	struct record records[NR_RECORDS];
	unsigned long recorded;
	sigjmp_buf *on_poison;
};

/* A process; it starts as a copy of its parent's. */
struct process {
	char path[64];		/* TREE.NR+GENERATION/CHILD/CHILD/... */
	uint16_t id;		/* hash of the path */
	unsigned int depth;
	unsigned int generation;
	atomic_uint *youngest;	/* generation of the line, in shared memory */
	struct slot *slots;	/* NR_SLOTS + NR_HEAP, in shared memory */
	char *heap;
	unsigned int heap_nr;
	int mem;		/* /proc/self/mem */
};

#define MAX_LIVE	40

/* Shared by all processes of a run. */
struct shared {
	atomic_ulong operations;
	atomic_ulong verifications;
	atomic_ulong refused;
	atomic_ulong injected;
	atomic_ulong poisoned;
	atomic_ulong successors;
	atomic_uint processes;
	atomic_uint offline_budget;
	atomic_bool failed;
	atomic_bool stop;
	atomic_ulong steps[16];	/* of each antagonist */
	_Atomic pid_t live[MAX_LIVE];
};

struct options {
	uint64_t seed;
	unsigned int seconds;
	unsigned int workers;
	const char *tree;	/* replay this tree only */
	const struct profile *profile;
	unsigned int antagonists;
	const char *without;	/* operations to leave out */
	bool inject;
	bool poison;
	bool merged;		/* what is equal must be one VMA */
};

extern struct shared *shared;
extern struct options options;
extern struct process self;
extern __thread struct actor *me;
extern int file_fd, zero_fd;

/* report.c: the end of a run that fails; what led to it */
void fail(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
void die(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
struct record *record(const char *name, struct range range, long arg, long to);
void catch_signals(void);

/* model.c: slots and what they hold */
uint64_t draw(void);
unsigned int below(unsigned int limit);
bool one_in(unsigned int n);
uint64_t mix(uint64_t seed, const char *text, unsigned int nr);
char *slot_addr(unsigned int slot);
static inline char *range_addr(struct range r) { return slot_addr(r.first); }
static inline size_t range_len(struct range r) { return r.nr * PAGE_SIZE; }
struct range pick_range(void);
struct range pick_huge(void);
unsigned int pick_growth(void);
bool pick_mapped(struct range *range, unsigned int max);
bool pick_uniform(struct range *range, unsigned int max);
bool pick_place(struct range *place, struct range source);
struct slot *slots_of(struct range r);
void model_unmap(struct range r);
void model_copy_for_child(struct slot *copy);
uint64_t file_tag(unsigned int page);
uint64_t next_base(const struct slot *slot);
uint64_t new_tag(unsigned int slot);
void fill_page(uint64_t *page, uint64_t tag);
void write_slot(unsigned int slot, uint64_t tag);
void verify_slot(unsigned int slot);
void look(struct range r);
void verify_copied(struct range r, int method);
void check_page(unsigned int slot, const uint64_t *page, const char *how);
void verify_all(void);
void open_mem(void);

enum { BY_MEM, BY_VM_READV, NR_METHODS };

/* merges.c */
void verify_merges(void);

/* inject.c: allocations that fail */
void inject(bool on);
void setup_injection(void);
void set_probability(unsigned int percent);
#define retry(call) ({							\
	__typeof__(call) ret_ = (call);					\
	if ((long)ret_ == -1 && options.inject) {			\
		atomic_fetch_add(&shared->injected, 1);			\
		inject(false);						\
		ret_ = (call);						\
		inject(true);						\
	}								\
	ret_;								\
})

/* ops.c, move.c, advise.c: operations */
struct op {
	const char *name;
	unsigned int weight;	/* how often, in the profile "mix" */
	void (*run)(void);
	bool on_heap;
};

extern const struct op ops[];
void op_advise(void);
void op_lock(void);
void op_unlock(void);
void op_name(void);
void op_offline(void);
void op_poison(void);
void op_move(void);
void op_round_trip(void);
void op_chain(void);
void op_splice(void);
void op_dontunmap(void);
void op_gather(void);
void op_grow(void);
void op_shrink(void);
void op_move_shrink(void);
void op_bad_move(void);
void op_uffd(void);
void op_fork(void);
void op_spawn(void);
void refused(const char *what, int error);
bool poison_error(int error);

/* Which operations, how often, against whom. */
struct weight {
	const char *op;
	unsigned int weight;
};

struct profile {
	const char *name;
	const char *what;
	const struct weight *weights;	/* NULL: those of ops[] */
	unsigned int antagonists;
	unsigned int least, budget;	/* operations of a thread: least + below(budget) */
	bool is_line;		/* a process that ends has gone on in a child */
	unsigned int area;	/* pages of a tree, if not all of the arena */
	unsigned int few;	/* at most so many pages at a time, if not 0 ... */
	unsigned int rare;	/* ... but for one range in so many */
	unsigned int calm;	/* antagonists rest so many times as long, if not 0 */
};

extern const struct profile profiles[];
static inline unsigned int times_calm(void) { return options.profile->calm ?: 1; }
static inline unsigned int tree_area(void) { return options.profile->area ?: NR_SLOTS; }

/* process.c */
int run_torture(void);

/* antagonist.c */
enum antagonist {
	RECLAIM, PAGEOUT, COMPACT, MIGRATE, MIGRATE_ALL, SPLIT, KSM, DAMON,
	SWAPOFF, HOTPLUG, VALIDATE, READ_SPACE, PROBABILITY, NR_ANTAGONISTS
};

bool in_list(const char *list, const char *name);
unsigned int find_antagonists(const char *names);
void start_antagonists(void);
void stop_antagonists(void);
void reap_antagonists(void);
int validate(void);

/* settings.c */
int write_file(const char *path, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void settle_machine(void);

/* lost.c: pages that nobody maps, and nobody has freed */
bool has_lost_pages(void);

/* slab.c, chain.c, failnth.c */
struct slab_count {
	long anon;	/* objects of the reverse map */
	long vmas;
};

struct slab_count count_slabs(void);
struct slab_count count_slabs_until(struct slab_count most);
int run_chain(int argc, char **argv);
int run_failnth(int argc, char **argv);

#endif
