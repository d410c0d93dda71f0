// SPDX-License-Identifier: GPL-2.0
/* Operations that move memory: mremap() and UFFDIO_MOVE. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../uffdio_move.h"
#include "torture.h"

#define SPLICE_PAGES	16U	/* what fits into a pipe */

/* Old contents of a range that moves to a place the kernel chose. */
static __thread struct slot saved[NR_SLOTS];

static void unmap_after_failure(struct range r)
{
	if (retry(munmap(range_addr(r), range_len(r))))
		fail("munmap after a failed move: %m");
	model_unmap(r);
}

/* Refused where the source is not one VMA: the target may be gone by then. */
static bool move(struct range from, struct range to)
{
	record("move", from, 0, to.first);
	if (retry(mremap(range_addr(from), range_len(from), range_len(to),
			 MREMAP_MAYMOVE | MREMAP_FIXED, range_addr(to))) ==
	    MAP_FAILED) {
		refused("mremap", errno);
		unmap_after_failure(to);
		return false;
	}
	memcpy(slots_of(to), slots_of(from), from.nr * sizeof(struct slot));
	model_unmap(from);
	look(to);
	return true;
}

void op_move(void)
{
	struct range from, to;

	if (pick_uniform(&from, NR_SLOTS) && pick_place(&to, from))
		move(from, to);
}

void op_round_trip(void)
{
	unsigned int trips = 1 + below(4);
	struct range from, to;

	if (!pick_uniform(&from, NR_SLOTS) || !pick_place(&to, from))
		return;
	while (trips-- && move(from, to) && move(to, from)) {
		verify_slot(from.first);
		verify_slot(from.first + from.nr - 1);
	}
}

/* On and on, never back, and written in between. */
void op_chain(void)
{
	unsigned int hops = 2 + below(6), slot;
	struct range from, to;

	if (!pick_uniform(&from, NR_SLOTS))
		return;
	while (hops-- && pick_place(&to, from) && move(from, to)) {
		from = to;
		slot = from.first + below(from.nr);
		if (slots_of(from)->prot & PROT_WRITE)
			write_slot(slot, new_tag(slot));
		verify_slot(from.first);
		verify_slot(from.first + from.nr - 1);
	}
}

/* Pages that a pipe refers to move while it does. */
void op_splice(void)
{
	uint64_t page[PAGE_SIZE / sizeof(uint64_t)];
	struct range from, to;
	unsigned int i, nr;
	struct iovec iov;
	ssize_t len;
	bool moved;

	if (!pick_uniform(&from, SPLICE_PAGES) || !pick_place(&to, from))
		return;
	for (nr = 0; nr < from.nr && !(slots_of(from)[nr].flags & FREED); nr++)
		;
	if (!nr || !(slots_of(from)->prot & PROT_READ))
		return;
	iov = (struct iovec){ range_addr(from), nr * PAGE_SIZE };
	record("splice", from, nr, to.first);
	len = retry(vmsplice(me->pipe[1], &iov, 1, SPLICE_F_NONBLOCK));
	if (len <= 0) {
		if (!poison_error(errno))
			fail("vmsplice of %u pages returned %zd: %m", nr, len);
		return;
	}
	moved = move(from, to);
	for (i = 0; i < len / PAGE_SIZE; i++) {
		if (retry(read(me->pipe[0], page, PAGE_SIZE)) !=
		    (ssize_t)PAGE_SIZE)
			fail("reading the pipe: %m");
		check_page((moved ? to : from).first + i, page, "pipe");
	}
}

/* Brings a mapping made at a place of the kernel's choice into the area. */
static void bring_back(char *where, unsigned int nr)
{
	struct range to = pick_range();

	to.nr = nr;
	if (to.first + nr > me->area.first + me->area.nr)
		to.first = me->area.first + me->area.nr - nr;
	record("bring_back", to, 0, -1);
	if (retry(mremap(where, nr * PAGE_SIZE, nr * PAGE_SIZE,
			 MREMAP_MAYMOVE | MREMAP_FIXED, range_addr(to))) ==
	    MAP_FAILED)
		fail("bringing back %u pages from %p: %m", nr, where);
	memcpy(slots_of(to), saved, nr * sizeof(struct slot));
	look(to);
}

/* The source stays mapped, and empty. */
static void model_emptied(struct range r)
{
	unsigned int i;

	for (i = 0; i < r.nr; i++) {
		slots_of(r)[i].tag = slots_of(r)[i].base;
		slots_of(r)[i].flags &= ~FREED;
	}
}

void op_dontunmap(void)
{
	int flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
	struct range from, to;
	char *got;

	if (!pick_uniform(&from, NR_SLOTS) || !pick_place(&to, from))
		return;
	if (slots_of(from)->flags & LOCKED) {
		record("unlock", from, 0, -1);
		if (retry(munlock(range_addr(from), range_len(from))))
			fail("munlock: %m");
		for (unsigned int i = 0; i < from.nr; i++)
			slots_of(from)[i].flags &= ~LOCKED;
	}
	if (!one_in(4))
		flags |= MREMAP_FIXED;
	record("dontunmap", from, flags, to.first);
	got = retry(mremap(range_addr(from), range_len(from), range_len(from),
			   flags, range_addr(to)));
	if (got == MAP_FAILED) {
		refused("mremap", errno);
		if (flags & MREMAP_FIXED)
			unmap_after_failure(to);
		return;
	}
	memcpy(saved, slots_of(from), from.nr * sizeof(struct slot));
	model_emptied(from);
	if (got == range_addr(to))
		memcpy(slots_of(to), saved, from.nr * sizeof(struct slot));
	else
		bring_back(got, from.nr);
	look(from);
	look(to);
}

/* Memory like that of the source, where it is plain. */
static void map_room(struct range r)
{
	unsigned int i;

	if (retry(mmap(range_addr(r), range_len(r), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)) ==
	    MAP_FAILED)
		fail("mmap: %m");
	for (i = 0; i < r.nr; i++)
		slots_of(r)[i] = (struct slot){
			.flags = MAPPED, .prot = PROT_READ | PROT_WRITE
		};
}

static struct range pick_part(struct range r, unsigned int nr)
{
	return (struct range){ r.first + below(r.nr - nr + 1), nr };
}

/* Some pages go where others are mapped, and the source stays mapped. */
static bool move_in_place(struct range from, struct range to)
{
	record("in_place", from, 0, to.first);
	if (retry(mremap(range_addr(from), range_len(from), range_len(from),
			 MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
			 range_addr(to))) == MAP_FAILED) {
		refused("mremap", errno);
		unmap_after_failure(to);
		return false;
	}
	memcpy(slots_of(to), slots_of(from), from.nr * sizeof(struct slot));
	model_emptied(from);
	return true;
}

/* As a collector that compacts memory: a few pages at a time, from here and there. */
void op_gather(void)
{
	unsigned int times = 1 + below(12), nr;
	struct range from, to, part, place;

	if (!pick_uniform(&from, HUGE_PAGES + 8) || !pick_place(&to, from) ||
	    slots_of(from)->kind != ANON || slots_of(from)->flags & LOCKED ||
	    slots_of(from)->prot != (PROT_READ | PROT_WRITE))
		return;
	record("gather", from, times, to.first);
	map_room(to);
	while (times--) {
		nr = 1 + below(from.nr < 16 ? from.nr : 16);
		part = pick_part(from, nr);
		place = pick_part(to, nr);
		if (one_in(2))
			write_slot(place.first, new_tag(place.first));
		if (one_in(2))
			write_slot(part.first, new_tag(part.first));
		if (one_in(4) ? !move_in_place(place, part) :
				!move_in_place(part, place))
			return;
		verify_slot(part.first);
		verify_slot(place.first);
	}
}

/* How far a range may grow: in the area, and to the end of the file. */
static unsigned int room_to_grow(struct range r)
{
	unsigned int room = me->area.first + me->area.nr - r.first - r.nr;
	const struct slot *last = slots_of(r) + r.nr - 1;
	unsigned int page;

	if (last->kind != FILE_PAGE)
		return room;
	page = (uint32_t)(last->base >> 32) & 0xffff;
	return room < NR_FILE - page ? room : NR_FILE - page;
}

static void model_grow(struct slot *slots, unsigned int old, unsigned int new)
{
	unsigned int i;

	for (i = old; i < new; i++) {
		slots[i] = slots[i - 1];
		slots[i].base = next_base(&slots[i - 1]);
		slots[i].tag = slots[i].base;
		slots[i].flags &= ~FREED;
	}
}

void op_grow(void)
{
	int flags = one_in(2) ? MREMAP_MAYMOVE : 0;
	struct range from, to;
	unsigned int room;
	char *got;

	if (!pick_uniform(&from, NR_SLOTS))
		return;
	room = room_to_grow(from);
	if (!room)
		return;
	to = from;
	to.nr += pick_growth();
	if (to.nr > from.nr + room)
		to.nr = from.nr + room;
	record("grow", from, flags, to.nr);
	got = retry(mremap(range_addr(from), range_len(from), range_len(to),
			   flags));
	if (got == MAP_FAILED) {
		refused("mremap", errno);
		return;
	}
	memcpy(saved, slots_of(from), from.nr * sizeof(struct slot));
	model_grow(saved, from.nr, to.nr);
	if (got == range_addr(from)) {
		memcpy(slots_of(to), saved, to.nr * sizeof(struct slot));
		look(to);
		return;
	}
	model_unmap(from);
	bring_back(got, to.nr);
}

void op_shrink(void)
{
	struct range from, rest;

	if (!pick_mapped(&from, NR_SLOTS) || from.nr < 2)
		return;
	rest.nr = 1 + below(from.nr - 1);
	rest.first = from.first + from.nr - rest.nr;
	record("shrink", from, 0, from.nr - rest.nr);
	if (retry(mremap(range_addr(from), range_len(from),
			 range_len(from) - range_len(rest), 0)) !=
	    range_addr(from))
		fail("mremap to a smaller size: %m");
	model_unmap(rest);
}

/* One call that shrinks and moves. */
void op_move_shrink(void)
{
	struct range from, to, rest;

	if (!pick_uniform(&from, NR_SLOTS) || from.nr < 2 ||
	    !pick_place(&to, from))
		return;
	rest.nr = 1 + below(from.nr - 1);
	rest.first = from.first + from.nr - rest.nr;
	to.nr -= rest.nr;
	record("move_shrink", from, to.nr, to.first);
	if (retry(mremap(range_addr(from), range_len(from), range_len(to),
			 MREMAP_MAYMOVE | MREMAP_FIXED, range_addr(to))) ==
	    MAP_FAILED) {
		refused("mremap", errno);
		unmap_after_failure(to);
		unmap_after_failure(rest);
		return;
	}
	memcpy(slots_of(to), slots_of(from), to.nr * sizeof(struct slot));
	model_unmap(from);
	look(to);
}

/* Wrong arguments change nothing. */
void op_bad_move(void)
{
	const int fixed = MREMAP_MAYMOVE | MREMAP_FIXED;
	struct range r;
	char *addr, *got;
	size_t len;

	if (!pick_uniform(&r, NR_SLOTS))
		return;
	addr = range_addr(r);
	len = range_len(r);
	record("bad_move", r, 0, -1);
	switch (below(7)) {
	case 0:		/* not aligned */
		got = mremap(addr + 1, len, len, MREMAP_MAYMOVE);
		break;
	case 1:		/* target not aligned */
		got = mremap(addr, len, len, fixed, ARENA + 8);
		break;
	case 2:		/* source and target overlap */
		got = mremap(addr, len, len, fixed, addr);
		break;
	case 3:		/* to nothing */
		got = mremap(addr, len, 0, MREMAP_MAYMOVE);
		break;
	case 4:		/* private memory twice */
		got = mremap(addr, 0, len, MREMAP_MAYMOVE);
		break;
	case 5:		/* fixed without leave to move */
		got = mremap(addr, len, len, MREMAP_FIXED, ARENA);
		break;
	default:	/* neither moved nor unmapped: two sizes */
		got = mremap(addr, len, len + PAGE_SIZE,
			     MREMAP_MAYMOVE | MREMAP_DONTUNMAP, ARENA);
	}
	if (got != MAP_FAILED || errno != EINVAL)
		fail("wrong arguments of mremap: got %p: %m", got);
	verify_slot(r.first);
	verify_slot(r.first + r.nr - 1);
}

static int open_uffd(struct range r)
{
	struct uffdio_api api = { .api = UFFD_API,
				  .features = UFFD_FEATURE_MOVE };
	struct uffdio_register reg = {
		.range = { (unsigned long)range_addr(r), range_len(r) },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = retry(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK));

	if (fd < 0)
		fail("userfaultfd: %m");
	if (retry(ioctl(fd, UFFDIO_API, &api)) ||
	    retry(ioctl(fd, UFFDIO_REGISTER, &reg)))
		fail("userfaultfd setup: %m");
	return fd;
}

/* A child that was forked meanwhile has the file, too: closing is not enough. */
static void close_uffd(int fd, struct range r)
{
	struct uffdio_range range = { (unsigned long)range_addr(r),
				      range_len(r) };

	if (retry(ioctl(fd, UFFDIO_UNREGISTER, &range)))
		fail("UFFDIO_UNREGISTER: %m");
	close(fd);
}

static long uffd_move(int fd, struct range from, struct range to)
{
	struct uffdio_move args = {
		.dst = (unsigned long)range_addr(to),
		.src = (unsigned long)range_addr(from),
		.len = range_len(from),
		.mode = UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES,
	};
	unsigned char in[HUGE_PAGES + 8];
	unsigned int tries;
	int error;

	for (tries = 0; tries < 10; tries++) {
		if (!ioctl(fd, UFFDIO_MOVE, &args) || args.move > 0)
			return args.move;
		if (errno != EAGAIN)
			break;
	}
	error = errno;
	/*
	 * MADV_COLLAPSE may fill the range with zeroes before it is registered.
	 * Anything else in it does not fit the model, and fails when it is read.
	 * A huge page under migration is taken for one of a device: ENOENT. That
	 * is also said of a range that is not mapped, which must not be.
	 */
	if (error == ENOENT && (mincore(range_addr(from), range_len(from), in) ||
				mincore(range_addr(to), range_len(to), in)))
		fail("UFFDIO_MOVE: a range is not mapped");
	refused("UFFDIO_MOVE", error == EEXIST || error == ENOENT ? EBUSY :
								    error);
	return 0;
}

/* Pages move into a fresh range; it may stop at any page it cannot move. */
void op_uffd(void)
{
	struct range from, to;
	unsigned int i, moved;
	int fd;

	if (!pick_uniform(&from, HUGE_PAGES + 8) || !pick_place(&to, from) ||
	    slots_of(from)->kind != ANON ||
	    slots_of(from)->prot != (PROT_READ | PROT_WRITE))
		return;
	record("uffd", from, 0, to.first);
	map_room(to);
	fd = open_uffd(to);
	moved = uffd_move(fd, from, to) / PAGE_SIZE;
	for (i = 0; i < moved; i++) {
		slots_of(to)[i].tag = slots_of(from)[i].tag;
		slots_of(to)[i].flags |= slots_of(from)[i].flags & FREED;
	}
	from.nr = moved;
	model_emptied(from);
	close_uffd(fd, to);
}
