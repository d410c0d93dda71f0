// SPDX-License-Identifier: GPL-2.0
/* Operations that make, change and look at memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "torture.h"

int file_fd, zero_fd;

/* Not done, for a reason that is right under some kernel. */
void refused(const char *what, int error)
{
	me->records[(me->recorded - 1) % NR_RECORDS].result = error;
	if (poison_error(error) || error == EFAULT || error == EINVAL ||
	    error == ENOMEM || error == EBUSY || error == EAGAIN) {
		atomic_fetch_add(&shared->refused, 1);
		return;
	}
	errno = error;
	fail("%s: %m", what);
}

static void unmap(struct range r)
{
	if (retry(munmap(range_addr(r), range_len(r))))
		fail("munmap: %m");
	model_unmap(r);
}

static void op_map(void)
{
	static const int protections[] = { PROT_NONE, PROT_READ };
	struct range r = one_in(3) ? pick_huge() : pick_range();
	enum kind kind = one_in(6) ? 1 + below(2) : ANON;
	int prot = one_in(6) ? protections[below(2)] : PROT_READ | PROT_WRITE;
	int flags = MAP_PRIVATE | MAP_FIXED;
	unsigned int i, file_page = 0;
	int fd = -1;

	if (one_in(8))
		flags |= MAP_POPULATE;
	if (one_in(4))
		flags |= MAP_NORESERVE;
	if (kind == ANON) {
		flags |= MAP_ANONYMOUS;
	} else if (kind == ZERO) {
		fd = zero_fd;
	} else {
		fd = file_fd;
		file_page = below(NR_FILE - r.nr + 1);
	}
	record("map", r, kind << 8 | prot, file_page);
	if (retry(mmap(range_addr(r), range_len(r), prot, flags, fd,
		       file_page * PAGE_SIZE)) == MAP_FAILED)
		fail("mmap: %m");
	for (i = 0; i < r.nr; i++) {
		uint64_t base = kind == FILE_PAGE ? file_tag(file_page + i) : 0;

		slots_of(r)[i] = (struct slot){
			.tag = base, .base = base, .flags = MAPPED,
			.kind = kind, .prot = prot
		};
	}
}

static void op_unmap(void)
{
	struct range r = pick_range();

	record("unmap", r, 0, -1);
	unmap(r);
}

static void op_write(void)
{
	struct range r;
	unsigned int i;

	if (!pick_mapped(&r, one_in(16) ? HUGE_PAGES : 32))
		return;
	record("write", r, 0, -1);
	for (i = 0; i < r.nr; i++)
		write_slot(r.first + i, new_tag(r.first + i));
}

/* Pages for KSM: equal everywhere, now and then all zeros. */
static void op_write_same(void)
{
	uint64_t tag = one_in(4) ? 0 : 0xffffULL << 48 | (1 + below(3)) << 9;
	struct range r;
	unsigned int i;

	if (!pick_mapped(&r, 64))
		return;
	record("write_same", r, tag, -1);
	if (one_in(2))
		madvise(range_addr(r), range_len(r), MADV_MERGEABLE);
	for (i = 0; i < r.nr; i++)
		write_slot(r.first + i, tag);
}

static void op_read(void)
{
	struct range r;
	unsigned int i;

	if (!pick_mapped(&r, 64))
		return;
	record("read", r, 0, -1);
	for (i = 0; i < r.nr; i++)
		verify_slot(r.first + i);
}

static void op_read_copied(void)
{
	unsigned int i, method = below(NR_METHODS);
	struct range r;

	if (!pick_mapped(&r, 64))
		return;
	/* Only /proc/self/mem reads what the process may not. */
	for (i = 0; i < r.nr; i++) {
		if (!(slots_of(r)[i].prot & PROT_READ))
			method = BY_MEM;
	}
	record("read_copied", r, method, -1);
	verify_copied(r, method);
}

static void op_protect(void)
{
	static const int protections[] = { PROT_NONE, PROT_READ,
					   PROT_READ | PROT_WRITE,
					   PROT_READ | PROT_WRITE };
	int prot = protections[below(ARRAY_SIZE(protections))];
	struct range r;
	unsigned int i;

	if (!pick_mapped(&r, NR_SLOTS))
		return;
	record("protect", r, prot, -1);
	if (retry(mprotect(range_addr(r), range_len(r), prot)))
		fail("mprotect: %m");
	for (i = 0; i < r.nr; i++)
		slots_of(r)[i].prot = prot;
	look(r);
}

static void op_heap(void)
{
	unsigned int i, nr = below(NR_HEAP + 1);
	struct range r = { NR_SLOTS, nr };
	char *got, *want = self.heap + nr * PAGE_SIZE;

	if (!me->owns_heap)
		return;
	record("heap", r, 0, -1);
	got = (char *)syscall(SYS_brk, want);
	if (got != want && options.inject) {
		inject(false);
		got = (char *)syscall(SYS_brk, want);
		inject(true);
	}
	if (got != want)
		fail("brk to %p is %p, heap %p+%u", want, got, self.heap,
		     self.heap_nr);
	for (i = self.heap_nr; i < nr; i++)
		self.slots[NR_SLOTS + i] = (struct slot){
			.flags = MAPPED, .prot = PROT_READ | PROT_WRITE
		};
	self.heap_nr = nr;
	r.first += nr;
	r.nr = NR_HEAP - nr;
	model_unmap(r);
}

const struct op ops[] = {
	{ "map",	12, op_map },
	{ "unmap",	4,  op_unmap },
	{ "write",	20, op_write,		true },
	{ "write_same",	4,  op_write_same,	true },
	{ "read",	8,  op_read,		true },
	{ "read_copied", 6, op_read_copied,	true },
	{ "protect",	8,  op_protect,		true },
	{ "heap",	2,  op_heap },
	{ "move",	16, op_move },
	{ "round_trip",	4,  op_round_trip },
	{ "chain",	8,  op_chain },
	{ "splice",	4,  op_splice },
	{ "dontunmap",	6,  op_dontunmap },
	{ "gather",	8,  op_gather },
	{ "grow",	8,  op_grow },
	{ "shrink",	3,  op_shrink },
	{ "move_shrink", 3, op_move_shrink },
	{ "bad_move",	1,  op_bad_move },
	{ "uffd",	4,  op_uffd },
	{ "advise",	20, op_advise,		true },
	{ "lock",	2,  op_lock,		true },
	{ "unlock",	4,  op_unlock,		true },
	{ "name",	2,  op_name },
	{ "offline",	2,  op_offline },
	{ "poison",	2,  op_poison },
	{ "fork",	3,  op_fork },
	{ "spawn",	1,  op_spawn },
	{ NULL },
};
