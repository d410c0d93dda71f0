/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of anonymous memory that knows nothing of how a kernel does it:
 * attributes and contents of an arena of units, and what calls do to them.
 * Two neighbours are one VMA if and only if their attributes are equal.
 *
 * All memory is mapped with MAP_NORESERVE: whether a VMA is accounted depends
 * on what was written to other parts of it as well.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stddef.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PAGE_SIZE	4096UL

/* Where things are, in units: neighbours begin at WINDOW. */
#define NR_UNITS	40
#define WINDOW		8
#define WINDOW_UNITS	6
#define FAR		24
/* Not part of the arena: what a case moves to its place comes from here. */
#define STAGE		48

enum kind { NOTHING, ANON, PRIVATE_FILE };

#define LOCKED		0x01
#define DONT_FORK	0x02
#define WIPE_ON_FORK	0x04
#define NO_HUGE		0x08
#define MERGEABLE	0x10
#define REGISTERED	0x20	/* with userfaultfd */
#define NAMED		0x40
#define BOUND		0x80	/* to a node, by a policy */

struct attributes {
	unsigned char kind;
	unsigned char prot;
	unsigned char flags;
};

struct unit {
	struct attributes is;
	unsigned int index;	/* in the file, in units */
	unsigned long value;	/* in its first and its last page */
};

struct model {
	struct unit unit[NR_UNITS];
	bool forked;
};

/* A call on units [from, to); a move goes to units at dst. */
struct call {
	int from;
	int to;
	int dst;
};

/*
 * What a case consists of. Each has two sides: the model's, which returns the
 * errno that is expected, and the kernel's, which returns the errno it got.
 */
struct operation {
	const char *name;
	int (*predict)(struct model *model, const struct call *call);
	int (*perform)(const struct call *call);
	/* Sets dst, once the neighbours end at unit end. */
	void (*place)(struct call *call, int end);
	int arg;		/* what predict and perform are told by "now" */
};

struct neighbour {
	const char *name;
	/* Makes units [at, at + units), in the model and in the kernel. */
	void (*make)(struct model *model, int at, int units);
};

extern const struct operation operations[];
extern const size_t nr_operations;
extern const struct neighbour neighbours[];
extern const size_t nr_neighbours;
extern const struct operation *now;

extern unsigned long unit_size;
extern int file;		/* for private mappings */
extern int uffd;
extern bool is_stock;

char *address(int unit);
unsigned long file_value(unsigned int index);

/* model.c */
bool same_vma(const struct unit *unit);		/* as the unit below it */
bool one_vma(const struct model *model, int from, int to);
void model_map(struct model *model, int at, int units, enum kind kind);
void model_unmap(struct model *model, int from, int to);
void model_move(struct model *model, int from, int units, int to);
void model_fork(struct model *model);

/* verify.c; all end the case if something is not as it should be */
bool may_be_parts(const struct model *model, int begin);
void verify_vmas(const struct model *model, const char *when);
void verify_contents(const struct model *model, const char *when);
void verify_child(const struct model *model);
void write_all(struct model *model);
void fail(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

/* main.c */
void describe_case(void);
int fork_or_fail(void);
void keep_child(void);		/* forks one that stays until the case ends */

#endif
