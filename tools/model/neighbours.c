// SPDX-License-Identifier: GPL-2.0
/* What can be in a place before something is done there. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "model.h"

/* Calls that must not fail: otherwise the case is not what it is called. */
static void made(bool good, const char *what)
{
	if (!good)
		fail("neighbour: %s: %s", what, strerror(errno));
}

static void map(int at, int units, bool anonymous)
{
	made(mmap(address(at), units * unit_size, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE |
		  (anonymous ? MAP_ANONYMOUS : 0), anonymous ? -1 : file,
		  anonymous ? 0 : at * unit_size) != MAP_FAILED, "mmap");
}

/* Fills units, all at a place other than where the model has them. */
static void fill_at(struct model *model, int at, int units, char *place)
{
	const size_t last = unit_size - PAGE_SIZE + sizeof(unsigned long);
	static unsigned long value = 1UL << 20;
	int i;

	for (i = 0; i < units; i++, place += unit_size) {
		model->unit[at + i].value = value;
		*(volatile unsigned long *)place = value;
		*(volatile unsigned long *)(place + last) = value;
		value++;
	}
}

static void fill(struct model *model, int at, int units)
{
	fill_at(model, at, units, address(at));
}

static void perform(struct model *model, const char *name, int at, int units)
{
	const struct call call = { .from = at, .to = at + units };
	const struct operation *was = now;

	for (now = operations; strcmp(now->name, name); now++)
		;
	made(now->predict(model, &call) == 0, name);
	errno = now->perform(&call);
	made(errno == 0, name);
	now = was;
}

static void make_nothing(struct model *model, int at, int units)
{
	(void)model;
	(void)at;
	(void)units;
}

static void make_unfaulted(struct model *model, int at, int units)
{
	map(at, units, true);
	model_map(model, at, units, ANON);
}

static void make_read(struct model *model, int at, int units)
{
	make_unfaulted(model, at, units);
	verify_contents(model, "read");
}

static void make_faulted(struct model *model, int at, int units)
{
	make_unfaulted(model, at, units);
	fill(model, at, units);
}

static void make_moved(struct model *model, int at, int units)
{
	map(STAGE, units, true);
	model_map(model, at, units, ANON);
	fill_at(model, at, units, address(STAGE));
	made(mremap(address(STAGE), units * unit_size, units * unit_size,
		    MREMAP_MAYMOVE | MREMAP_FIXED, address(at)) != MAP_FAILED,
	     "mremap");
}

static void make_shared(struct model *model, int at, int units)
{
	make_faulted(model, at, units);
	keep_child();
}

static void make_moved_shared(struct model *model, int at, int units)
{
	map(STAGE, units, true);
	model_map(model, at, units, ANON);
	fill_at(model, at, units, address(STAGE));
	keep_child();
	made(mremap(address(STAGE), units * unit_size, units * unit_size,
		    MREMAP_MAYMOVE | MREMAP_FIXED, address(at)) != MAP_FAILED,
	     "mremap");
}

/* The first unit is not shared any more. */
static void make_copied(struct model *model, int at, int units)
{
	make_shared(model, at, units);
	fill(model, at, 1);
}

static void make_swapped(struct model *model, int at, int units)
{
	make_faulted(model, at, units);
	perform(model, "MADV_PAGEOUT", at, units);
}

static void make_file(struct model *model, int at, int units)
{
	map(at, units, false);
	model_map(model, at, units, PRIVATE_FILE);
}

static void make_written_file(struct model *model, int at, int units)
{
	make_file(model, at, units);
	fill(model, at, units);
}

/* With an attribute of its own. */
#define MAKE(what, name)						\
static void make_##what(struct model *model, int at, int units)		\
{									\
	make_faulted(model, at, units);					\
	perform(model, name, at, units);				\
}

MAKE(readonly, "mprotect r")
MAKE(locked, "mlock")
MAKE(named, "name")
MAKE(bound, "bind")
MAKE(registered, "register")
MAKE(dont_fork, "MADV_DONTFORK")
MAKE(mergeable, "MADV_MERGEABLE")

/* As the others, but without the difference. */
static void make_was_named(struct model *model, int at, int units)
{
	make_named(model, at, units);
	perform(model, "unname", at, units);
}

#define NEIGHBOUR(name)	{ #name, make_##name }

const struct neighbour neighbours[] = {
	NEIGHBOUR(nothing),
	NEIGHBOUR(unfaulted),
	NEIGHBOUR(read),
	NEIGHBOUR(faulted),
	NEIGHBOUR(moved),
	NEIGHBOUR(shared),
	NEIGHBOUR(moved_shared),
	NEIGHBOUR(copied),
	NEIGHBOUR(swapped),
	NEIGHBOUR(file),
	NEIGHBOUR(written_file),
	NEIGHBOUR(readonly),
	NEIGHBOUR(locked),
	NEIGHBOUR(named),
	NEIGHBOUR(was_named),
	NEIGHBOUR(bound),
	NEIGHBOUR(registered),
	NEIGHBOUR(dont_fork),
	NEIGHBOUR(mergeable),
};

const size_t nr_neighbours = ARRAY_SIZE(neighbours);
