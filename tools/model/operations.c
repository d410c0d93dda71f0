// SPDX-License-Identifier: GPL-2.0
/* What is done to the neighbours: by the model, and by the kernel. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <numaif.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "model.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA		0x53564d41
#define PR_SET_VMA_ANON_NAME	0
#endif

const struct operation *now;

static size_t bytes(const struct call *call)
{
	return (call->to - call->from) * unit_size;
}

static bool is_mapped(const struct model *model, int unit)
{
	return model->unit[unit].is.kind != NOTHING;
}

static int perform_munmap(const struct call *call)
{
	return munmap(address(call->from), bytes(call)) ? errno : 0;
}

static int predict_munmap(struct model *model, const struct call *call)
{
	model_unmap(model, call->from, call->to);
	return 0;
}

static int perform_mmap(const struct call *call)
{
	return mmap(address(call->from), bytes(call), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
		    -1, 0) == MAP_FAILED ? errno : 0;
}

static int predict_mmap(struct model *model, const struct call *call)
{
	model_map(model, call->from, call->to - call->from, ANON);
	return 0;
}

static int perform_mprotect(const struct call *call)
{
	return mprotect(address(call->from), bytes(call), now->arg) ?
	       errno : 0;
}

/* Goes as far as something is mapped. */
static int predict_mprotect(struct model *model, const struct call *call)
{
	int i;

	for (i = call->from; i < call->to; i++) {
		if (!is_mapped(model, i))
			return ENOMEM;
		model->unit[i].is.prot = now->arg;
	}
	return 0;
}

static int perform_mlock(const struct call *call)
{
	return mlock(address(call->from), bytes(call)) ? errno : 0;
}

/* The same, and what cannot be read cannot be brought in. */
static int predict_mlock(struct model *model, const struct call *call)
{
	int i;

	for (i = call->from; i < call->to; i++) {
		if (!is_mapped(model, i))
			return ENOMEM;
		model->unit[i].is.flags |= LOCKED;
	}
	for (i = call->from; i < call->to; i++)
		if (model->unit[i].is.prot == PROT_NONE)
			return ENOMEM;
	return 0;
}

static int perform_munlock(const struct call *call)
{
	return munlock(address(call->from), bytes(call)) ? errno : 0;
}

static int predict_munlock(struct model *model, const struct call *call)
{
	int i;

	for (i = call->from; i < call->to; i++) {
		if (!is_mapped(model, i))
			return ENOMEM;
		model->unit[i].is.flags &= ~LOCKED;
	}
	return 0;
}

/* Returns an errno if the advice is not for such memory. */
static int advise_unit(struct unit *unit, int advice)
{
	unsigned char *flags = &unit->is.flags;

	switch (advice) {
	case MADV_DONTNEED:
		if (*flags & LOCKED)
			return EINVAL;
		unit->value = unit->is.kind == PRIVATE_FILE ?
			      file_value(unit->index) : 0;
		return 0;
	case MADV_PAGEOUT:
		return *flags & LOCKED ? EINVAL : 0;
	case MADV_WIPEONFORK:
		if (unit->is.kind == PRIVATE_FILE)
			return EINVAL;
		*flags |= WIPE_ON_FORK;
		return 0;
	case MADV_KEEPONFORK:
		*flags &= ~WIPE_ON_FORK;
		return 0;
	case MADV_DONTFORK:
		*flags |= DONT_FORK;
		return 0;
	case MADV_DOFORK:
		*flags &= ~DONT_FORK;
		return 0;
	case MADV_NOHUGEPAGE:
		*flags |= NO_HUGE;
		return 0;
	case MADV_MERGEABLE:
		*flags |= MERGEABLE;
		return 0;
	case MADV_UNMERGEABLE:
		*flags &= ~MERGEABLE;
		return 0;
	}
	fail("the model does not know advice %d", advice);
}

static int perform_madvise(const struct call *call)
{
	return madvise(address(call->from), bytes(call), now->arg) ? errno : 0;
}

/* Holes are stepped over. */
static int predict_madvise(struct model *model, const struct call *call)
{
	int err, hole = 0, i;

	for (i = call->from; i < call->to; i++) {
		if (!is_mapped(model, i)) {
			hole = ENOMEM;
			continue;
		}
		err = advise_unit(model->unit + i, now->arg);
		if (err)
			return err;
	}
	return hole;
}

static int perform_name(const struct call *call)
{
	return prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, address(call->from),
		     bytes(call), now->arg ? "model" : NULL) ? errno : 0;
}

static int predict_name(struct model *model, const struct call *call)
{
	int hole = 0, i;

	for (i = call->from; i < call->to; i++) {
		struct attributes *is = &model->unit[i].is;

		if (is->kind == PRIVATE_FILE)
			return EBADF;
		if (is->kind == NOTHING)
			hole = ENOMEM;
		else
			is->flags = now->arg ? is->flags | NAMED :
				    is->flags & ~NAMED;
	}
	return hole;
}

static int perform_mbind(const struct call *call)
{
	unsigned long node = 1;

	return mbind(address(call->from), bytes(call), now->arg,
		     now->arg == MPOL_DEFAULT ? NULL : &node,
		     now->arg == MPOL_DEFAULT ? 0 : 8, 0) ? errno : 0;
}

/* All of it has to be mapped; to have no policy, a part of it. */
static int predict_mbind(struct model *model, const struct call *call)
{
	int mapped = 0, i;

	for (i = call->from; i < call->to; i++)
		mapped += is_mapped(model, i);
	if (!mapped || (now->arg != MPOL_DEFAULT &&
			mapped < call->to - call->from))
		return EFAULT;
	for (i = call->from; i < call->to; i++) {
		if (!is_mapped(model, i))
			continue;
		model->unit[i].is.flags &= ~BOUND;
		if (now->arg != MPOL_DEFAULT)
			model->unit[i].is.flags |= BOUND;
	}
	return 0;
}

static int perform_register(const struct call *call)
{
	struct uffdio_register range = {
		.range = {
			.start = (uintptr_t)address(call->from),
			.len = bytes(call),
		},
		.mode = UFFDIO_REGISTER_MODE_WP,
	};

	if (now->arg)
		return ioctl(uffd, UFFDIO_REGISTER, &range) ? errno : 0;
	return ioctl(uffd, UFFDIO_UNREGISTER, &range.range) ? errno : 0;
}

static int predict_register(struct model *model, const struct call *call)
{
	int mapped = 0, i;

	for (i = call->from; i < call->to; i++) {
		if (!is_mapped(model, i))
			continue;
		mapped++;
		model->unit[i].is.flags &= ~REGISTERED;
		if (now->arg)
			model->unit[i].is.flags |= REGISTERED;
	}
	return mapped ? 0 : EINVAL;
}

static int perform_grow(const struct call *call)
{
	return mremap(address(call->from), bytes(call), bytes(call) + unit_size,
		      0) == MAP_FAILED ? errno : 0;
}

static int predict_grow(struct model *model, const struct call *call)
{
	struct unit *last = model->unit + call->to - 1;

	if (!one_vma(model, call->from, call->to))
		return EFAULT;
	if (is_mapped(model, call->to))
		return ENOMEM;
	last[1] = *last;
	last[1].index++;
	last[1].value = last->is.kind == PRIVATE_FILE ?
			file_value(last[1].index) : 0;
	return 0;
}

static int perform_shrink(const struct call *call)
{
	return mremap(address(call->from), bytes(call), bytes(call) - unit_size,
		      0) == MAP_FAILED ? errno : 0;
}

/* It is asked at its begin only if something is mapped. */
static int predict_shrink(struct model *model, const struct call *call)
{
	if (call->to - call->from == 1)
		return EINVAL;
	if (!is_mapped(model, call->from))
		return EFAULT;
	model_unmap(model, call->to - 1, call->to);
	return 0;
}

/* now->arg: units by which it grows, or MREMAP_DONTUNMAP. */
static int perform_move(const struct call *call)
{
	const bool stay = now->arg == MREMAP_DONTUNMAP;
	const size_t more = stay ? 0 : now->arg * unit_size;

	return mremap(address(call->from), bytes(call), bytes(call) + more,
		      MREMAP_MAYMOVE | MREMAP_FIXED | (stay ? now->arg : 0),
		      address(call->dst)) == MAP_FAILED ? errno : 0;
}

/* What stays behind is empty, and is not locked. */
static void leave_behind(struct unit *unit)
{
	unit->is.flags &= ~LOCKED;
	unit->value = unit->is.kind == PRIVATE_FILE ?
		      file_value(unit->index) : 0;
}

static int predict_move(struct model *model, const struct call *call)
{
	const bool stay = now->arg == MREMAP_DONTUNMAP;
	const int more = stay ? 0 : now->arg, units = call->to - call->from;
	struct unit *last = model->unit + call->dst + units - 1;
	int i;

	if (!is_mapped(model, call->from))
		return EFAULT;
	if (call->dst < call->to && call->dst + units + more > call->from)
		return EINVAL;
	/* Even if it fails then. */
	model_unmap(model, call->dst, call->dst + units + more);
	if (!one_vma(model, call->from, call->to))
		return EFAULT;
	model_move(model, call->from, units, call->dst);
	for (i = 0; i < more; i++, last++) {
		last[1] = *last;
		last[1].index++;
		last[1].value = last->is.kind == PRIVATE_FILE ?
				file_value(last[1].index) : 0;
	}
	if (!stay)
		model_unmap(model, call->from, call->to);
	for (i = call->from; stay && i < call->to; i++)
		leave_behind(model->unit + i);
	return 0;
}

static void place_far(struct call *call, int end)
{
	(void)end;
	call->dst = FAR;
}

static void place_behind(struct call *call, int end)
{
	call->dst = end;
}

static void place_before(struct call *call, int end)
{
	(void)end;
	call->dst = WINDOW - (call->to - call->from);
}

/* Over the neighbours, and maybe over itself. */
static void place_over(struct call *call, int end)
{
	(void)end;
	call->dst = WINDOW + (call->to + 1) % WINDOW_UNITS;
}

static int perform_nothing(const struct call *call)
{
	(void)call;
	return 0;
}

static int predict_nothing(struct model *model, const struct call *call)
{
	(void)model;
	(void)call;
	return 0;
}

#define OP(name, what, arg) \
	{ name, predict_##what, perform_##what, NULL, arg }
#define MOVE(name, where, arg) \
	{ name, predict_move, perform_move, place_##where, arg }
#define ADVICE(advice)	OP(#advice, madvise, advice)

const struct operation operations[] = {
	OP("nothing", nothing, 0),
	OP("munmap", munmap, 0),
	OP("mmap", mmap, 0),
	OP("mprotect none", mprotect, PROT_NONE),
	OP("mprotect r", mprotect, PROT_READ),
	OP("mprotect rw", mprotect, PROT_READ | PROT_WRITE),
	OP("mlock", mlock, 0),
	OP("munlock", munlock, 0),
	ADVICE(MADV_DONTNEED),
	ADVICE(MADV_PAGEOUT),
	ADVICE(MADV_WIPEONFORK),
	ADVICE(MADV_KEEPONFORK),
	ADVICE(MADV_DONTFORK),
	ADVICE(MADV_DOFORK),
	ADVICE(MADV_NOHUGEPAGE),
	ADVICE(MADV_MERGEABLE),
	ADVICE(MADV_UNMERGEABLE),
	OP("name", name, 1),
	OP("unname", name, 0),
	OP("bind", mbind, MPOL_BIND),
	OP("unbind", mbind, MPOL_DEFAULT),
	OP("register", register, 1),
	OP("unregister", register, 0),
	OP("grow", grow, 0),
	OP("shrink", shrink, 0),
	MOVE("move far", far, 0),
	MOVE("move behind", behind, 0),
	MOVE("move before", before, 0),
	MOVE("move over", over, 0),
	MOVE("move far and grow", far, 1),
	MOVE("move behind and grow", behind, 1),
	MOVE("stay and move far", far, MREMAP_DONTUNMAP),
	MOVE("stay and move behind", behind, MREMAP_DONTUNMAP),
	MOVE("stay and move before", before, MREMAP_DONTUNMAP),
};

const size_t nr_operations = ARRAY_SIZE(operations);
