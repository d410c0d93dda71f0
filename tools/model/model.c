// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <sys/mman.h>

#include "model.h"

static bool equal(const struct attributes *a, const struct attributes *b)
{
	return a->kind == b->kind && a->prot == b->prot &&
	       a->flags == b->flags;
}

bool same_vma(const struct unit *unit)
{
	return equal(&unit[-1].is, &unit->is) &&
	       (unit->is.kind != PRIVATE_FILE ||
		unit[-1].index + 1 == unit->index);
}

bool one_vma(const struct model *model, int from, int to)
{
	int i;

	if (model->unit[from].is.kind == NOTHING)
		return false;
	for (i = from + 1; i < to; i++)
		if (!same_vma(model->unit + i))
			return false;
	return true;
}

void model_map(struct model *model, int at, int units, enum kind kind)
{
	int i;

	for (i = at; i < at + units; i++) {
		model->unit[i] = (struct unit){
			.is = { kind, PROT_READ | PROT_WRITE, 0 },
		};
		if (kind != PRIVATE_FILE)
			continue;
		model->unit[i].index = i;
		model->unit[i].value = file_value(i);
	}
}

void model_unmap(struct model *model, int from, int to)
{
	memset(model->unit + from, 0, (to - from) * sizeof(*model->unit));
}

/* What moved is not registered any more: nobody asked for the event. */
void model_move(struct model *model, int from, int units, int to)
{
	int i;

	memcpy(model->unit + to, model->unit + from,
	       units * sizeof(*model->unit));
	for (i = to; i < to + units; i++)
		model->unit[i].is.flags &= ~REGISTERED;
}

void model_fork(struct model *model)
{
	struct unit *unit;

	model->forked = true;
	for (unit = model->unit; unit < model->unit + NR_UNITS; unit++) {
		if (unit->is.flags & DONT_FORK)
			*unit = (struct unit){ .is = { NOTHING } };
		if (unit->is.flags & WIPE_ON_FORK)
			unit->value = 0;
		unit->is.flags &= ~(LOCKED | REGISTERED);
	}
}
