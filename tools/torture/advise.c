// SPDX-License-Identifier: GPL-2.0
/* Operations of madvise(), mlock() and their relatives. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "torture.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA	0x53564d41
#define PR_SET_VMA_ANON_NAME	0
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT	1
#endif

#define OFFLINE_ONE_IN	3	/* of the operations picked; memory is lost */

/* What a piece of advice does to the slots that it reaches. */
enum effect { NOTHING, DISCARDS, FREES, SETS, CLEARS };

static const struct advice {
	const char *name;
	int advice;
	enum effect effect;
	uint8_t flag;
} advices[] = {
	{ "DONTNEED",		MADV_DONTNEED,		DISCARDS },
	{ "DONTNEED_LOCKED",	MADV_DONTNEED_LOCKED,	DISCARDS },
	{ "FREE",		MADV_FREE,		FREES },
	{ "COLD",		MADV_COLD },
	{ "PAGEOUT",		MADV_PAGEOUT },
	{ "PAGEOUT",		MADV_PAGEOUT },
	{ "WILLNEED",		MADV_WILLNEED },
	{ "COLLAPSE",		MADV_COLLAPSE },
	{ "HUGEPAGE",		MADV_HUGEPAGE },
	{ "NOHUGEPAGE",		MADV_NOHUGEPAGE },
	{ "MERGEABLE",		MADV_MERGEABLE },
	{ "UNMERGEABLE",	MADV_UNMERGEABLE },
	{ "POPULATE_READ",	MADV_POPULATE_READ },
	{ "POPULATE_WRITE",	MADV_POPULATE_WRITE },
	{ "DONTFORK",		MADV_DONTFORK,		SETS, DONTFORK },
	{ "DOFORK",		MADV_DOFORK,		CLEARS, DONTFORK },
	{ "WIPEONFORK",		MADV_WIPEONFORK,	SETS, WIPEONFORK },
	{ "KEEPONFORK",		MADV_KEEPONFORK,	CLEARS, WIPEONFORK },
	{ "DONTDUMP",		MADV_DONTDUMP },
	{ "DODUMP",		MADV_DODUMP },
	{ "RANDOM",		MADV_RANDOM },
	{ "SEQUENTIAL",		MADV_SEQUENTIAL },
	{ "NORMAL",		MADV_NORMAL },
};

static void apply(struct slot *slot, const struct advice *advice)
{
	switch (advice->effect) {
	case NOTHING:
		break;
	case DISCARDS:
		slot->tag = slot->base;
		slot->flags &= ~FREED;
		break;
	case FREES:
		slot->flags |= FREED;
		break;
	case SETS:
		slot->flags |= advice->flag;
		break;
	case CLEARS:
		slot->flags &= ~advice->flag;
		break;
	}
}

/* A refusal concerns all of a uniform range alike. */
static bool must_refuse(const struct advice *advice, const struct slot *slot)
{
	switch (advice->advice) {
	case MADV_DONTNEED:
		return slot->flags & LOCKED;
	case MADV_FREE:
		return slot->flags & LOCKED || slot->kind == FILE_PAGE;
	case MADV_WIPEONFORK:
		return slot->kind != ANON;
	default:
		return false;
	}
}

/*
 * A page that was read from zram is clean, as nothing but the page is left of it, and
 * MADV_FREE does not look for other processes that have a clean page: it would be gone
 * for them as well, on stock too. So all of the range is written to first, to have pages
 * of its own, and may be swapped out again.
 */
static void unshare(struct range r)
{
	unsigned int i;

	for (i = r.first; i < r.first + r.nr; i++)
		write_slot(i, self.slots[i].tag);
	if (one_in(2))
		retry(madvise(range_addr(r), range_len(r), MADV_PAGEOUT));
}

void op_advise(void)
{
	const struct advice *advice = &advices[below(ARRAY_SIZE(advices))];
	bool refuse;
	struct range r;
	unsigned int i;
	int ret;

	if (!pick_uniform(&r, NR_SLOTS))
		return;
	/* brk() refuses to shrink a heap with a hole. */
	if (advice->flag == DONTFORK && r.first >= NR_SLOTS)
		return;
	refuse = must_refuse(advice, slots_of(r));
	if (advice->effect == FREES && !refuse)
		unshare(r);
	record(advice->name, r, 0, -1);
	ret = retry(madvise(range_addr(r), range_len(r), advice->advice));
	if (ret)
		refused(advice->name, errno);
	if (advice->effect == NOTHING)
		return;
	if (refuse != (ret != 0))
		fail("%s of %u+%u returned %d", advice->name, r.first, r.nr,
		     ret);
	for (i = 0; !ret && i < r.nr; i++)
		apply(&slots_of(r)[i], advice);
}

void op_lock(void)
{
	unsigned int i, flags = one_in(2) ? MLOCK_ONFAULT : 0;
	struct range r;

	if (!pick_mapped(&r, 32))
		return;
	record("lock", r, flags, -1);
	/* Locked even if the pages cannot be brought in. */
	if (retry(mlock2(range_addr(r), range_len(r), flags)))
		refused("mlock", errno);
	for (i = 0; i < r.nr; i++)
		slots_of(r)[i].flags |= LOCKED;
}

void op_unlock(void)
{
	struct range r;
	unsigned int i;

	if (!pick_mapped(&r, NR_SLOTS))
		return;
	record("unlock", r, 0, -1);
	if (retry(munlock(range_addr(r), range_len(r))))
		fail("munlock: %m");
	for (i = 0; i < r.nr; i++)
		slots_of(r)[i].flags &= ~LOCKED;
}

void op_name(void)
{
	static const char * const names[] = { NULL, "one", "two" };
	const char *name = names[below(ARRAY_SIZE(names))];
	struct range r;

	if (!pick_uniform(&r, NR_SLOTS))
		return;
	record("name", r, name ? name[0] : 0, -1);
	if (slots_of(r)->kind == ANON &&
	    retry(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, range_addr(r),
			range_len(r), name)))
		fail("PR_SET_VMA_ANON_NAME: %m");
}

/* Memory that is taken away does not come back: take little. */
static bool may_take(struct range *r)
{
	return options.poison && pick_uniform(r, 1) &&
	       one_in(OFFLINE_ONE_IN) && slots_of(*r)->kind == ANON &&
	       slots_of(*r)->tag && slots_of(*r)->prot & PROT_READ &&
	       (int)atomic_fetch_sub(&shared->offline_budget, 1) > 0;
}

/* The page moves elsewhere. */
void op_offline(void)
{
	struct range r;

	if (!may_take(&r))
		return;
	record("offline", r, 0, -1);
	if (madvise(range_addr(r), range_len(r), MADV_SOFT_OFFLINE))
		refused("MADV_SOFT_OFFLINE", errno);
}

/* The page is gone, for this process and for relatives that share it. */
void op_poison(void)
{
	struct range r;

	if (!may_take(&r))
		return;
	verify_slot(r.first);
	record("poison", r, 0, -1);
	if (madvise(range_addr(r), range_len(r), MADV_HWPOISON))
		refused("MADV_HWPOISON", errno);
	else
		atomic_fetch_add(&shared->poisoned, 1);
}
