// SPDX-License-Identifier: GPL-2.0
/* The model: what is mapped, what it holds, and whether it does. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "torture.h"

#define WORDS		(PAGE_SIZE / sizeof(uint64_t))
#define COPY_PAGES	16U

struct process self;
__thread struct actor *me;

/* A step of splitmix64. */
uint64_t draw(void)
{
	uint64_t z = me->random += 0x9e3779b97f4a7c15UL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
	return z ^ (z >> 31);
}

unsigned int below(unsigned int limit)
{
	return draw() % limit;
}

bool one_in(unsigned int n)
{
	return below(n) == 0;
}

/* FNV-1a with a final mix. */
uint64_t mix(uint64_t seed, const char *text, unsigned int nr)
{
	uint64_t hash = 0xcbf29ce484222325UL ^ seed;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3UL;
	hash = (hash ^ nr) * 0x100000001b3UL;
	hash ^= hash >> 29;
	hash *= 0xbf58476d1ce4e5b9UL;
	return hash ^ (hash >> 32);
}

char *slot_addr(unsigned int slot)
{
	if (slot >= NR_SLOTS)
		return self.heap + (slot - NR_SLOTS) * PAGE_SIZE;
	return (char *)ARENA + slot * PAGE_SIZE;
}

struct slot *slots_of(struct range r)
{
	return &self.slots[r.first];
}

/* In a profile of a few pages at a time: is it so this time, too? */
static bool takes_few(void)
{
	return options.profile->few && !one_in(options.profile->rare);
}

/* Often one, or two. */
static unsigned int pick_few(void)
{
	return 1 + below(1 + below(options.profile->few));
}

/* Mostly a few pages, sometimes whole huge pages or nearly so. */
static unsigned int pick_length(void)
{
	unsigned int nr;

	if (takes_few())
		return pick_few();
	switch (below(16)) {
	case 0:
		nr = HUGE_PAGES;
		break;
	case 1:
		nr = HUGE_PAGES - 8 + below(16);
		break;
	case 2:
		nr = 1 + below(2 * HUGE_PAGES);
		break;
	case 3 ... 7:
		nr = 1 + below(64);
		break;
	default:
		nr = 1 + below(8);
	}
	return nr < me->area.nr ? nr : me->area.nr;
}

/* The arena begins at a multiple of a huge page. */
static unsigned int pick_first(unsigned int nr)
{
	unsigned int room = me->area.nr - nr;
	unsigned int first = below(room + 1);

	switch (below(8)) {
	case 0 ... 2:			/* begins with a huge page */
		first -= first % HUGE_PAGES;
		break;
	case 3:				/* ends with one */
		first -= (first + nr) % HUGE_PAGES;
		if (first > room)
			first = room;
		break;
	}
	return me->area.first + first;
}

struct range pick_range(void)
{
	struct range r;

	r.nr = pick_length();
	r.first = pick_first(r.nr);
	return r;
}

/* Whole huge pages. */
struct range pick_huge(void)
{
	unsigned int nr, most = me->area.nr / HUGE_PAGES;

	if (takes_few())
		return pick_range();
	nr = 1 + below(most < 3 ? most : 3);
	return (struct range){
		me->area.first + below(most - nr + 1) * HUGE_PAGES,
		nr * HUGE_PAGES
	};
}

/* By how many pages a range is to grow. */
unsigned int pick_growth(void)
{
	if (takes_few())
		return pick_few();
	return one_in(4) ? HUGE_PAGES : 1 + below(64);
}

uint64_t file_tag(unsigned int page)
{
	return 0xfffeULL << 48 | (uint64_t)(page + 1) << 32;
}

uint64_t next_base(const struct slot *slot)
{
	return slot->kind == FILE_PAGE ? slot->base + (1ULL << 32) : 0;
}

static bool alike(const struct slot *a, const struct slot *b)
{
	const unsigned int flags = MAPPED | LOCKED | DONTFORK | WIPEONFORK;

	return (a->flags & flags) == (b->flags & flags) &&
	       a->kind == b->kind && a->prot == b->prot &&
	       b->base == next_base(a);
}

static bool pick_run(struct range *range, unsigned int max, bool uniform)
{
	struct range want = pick_range();
	const struct slot *slots = slots_of(me->area);
	unsigned int i, n, start = want.first - me->area.first;

	if (want.nr > max)
		want.nr = max;
	for (i = 0; i < me->area.nr; i++) {
		n = (start + i) % me->area.nr;
		if (slots[n].flags & MAPPED)
			break;
	}
	if (i == me->area.nr)
		return false;
	range->first = me->area.first + n;
	range->nr = 1;
	while (range->nr < want.nr && n + 1 < me->area.nr &&
	       slots[n + 1].flags & MAPPED &&
	       (!uniform || alike(&slots[n], &slots[n + 1]))) {
		range->nr++;
		n++;
	}
	return true;
}

/* Some pages that are all mapped. */
bool pick_mapped(struct range *range, unsigned int max)
{
	return pick_run(range, max, false);
}

/* Some pages that are mapped with equal attributes. */
bool pick_uniform(struct range *range, unsigned int max)
{
	return pick_run(range, max, true);
}

/* Where to move the source to; half of the time at a like offset. */
bool pick_place(struct range *place, struct range source)
{
	unsigned int tries, skew;

	place->nr = source.nr;
	for (tries = 0; tries < 8; tries++) {
		place->first = pick_first(place->nr);
		skew = (place->first - source.first) % HUGE_PAGES;
		if (one_in(2) && place->first - me->area.first >= skew)
			place->first -= skew;
		if (place->first + place->nr <= source.first ||
		    source.first + source.nr <= place->first)
			return true;
	}
	return false;
}

void model_unmap(struct range r)
{
	memset(slots_of(r), 0, r.nr * sizeof(struct slot));
}

/* What a child has of this thread's memory. */
void model_copy_for_child(struct slot *copy)
{
	struct range heap = { NR_SLOTS, me->owns_heap ? NR_HEAP : 0 };
	struct range parts[] = { me->area, heap };
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		for (n = 0; n < parts[i].nr; n++) {
			struct slot *slot = &copy[parts[i].first + n];

			*slot = slots_of(parts[i])[n];
			if (slot->flags & DONTFORK)
				memset(slot, 0, sizeof(*slot));
			if (slot->flags & WIPEONFORK) {
				slot->tag = slot->base;
				slot->flags &= ~FREED;
			}
			slot->flags &= ~LOCKED;
		}
	}
}

uint64_t new_tag(unsigned int slot)
{
	return (uint64_t)self.id << 48 | (uint64_t)slot << 32 | me->nr << 28 |
	       (++me->version & 0x7ffff) << 9;
}

void fill_page(uint64_t *page, uint64_t tag)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		page[i] = tag ? tag + i : 0;
}

static bool holds(const uint64_t *page, uint64_t tag, unsigned int *word)
{
	const volatile uint64_t *words = page;
	unsigned int i;

	for (i = 0; i < WORDS; i++) {
		if (words[i] != (tag ? tag + i : 0)) {
			*word = i;
			return false;
		}
	}
	return true;
}

/* Compares a page, or a copy of it, with the model. */
void check_page(unsigned int nr, const uint64_t *page, const char *how)
{
	struct slot *slot = &self.slots[nr];
	unsigned int word, again;
	uint64_t found;

	atomic_fetch_add(&shared->verifications, 1);
	if (holds(page, slot->tag, &word))
		return;
	found = page[word];
	if (slot->flags & FREED && holds(page, 0, &again)) {
		slot->tag = 0;
		slot->flags &= ~FREED;
		return;
	}
	fail("slot %u, %s, word %u: expected %#" PRIx64 ", found %#" PRIx64 ", on second look %#" PRIx64 "; page begins with %#" PRIx64 " %#" PRIx64 " and ends with %#" PRIx64 "; flags %#x prot %u kind %u",
	     nr, how, word, slot->tag ? slot->tag + word : 0, found, page[word],
	     page[0], page[1], page[WORDS - 1], slot->flags, slot->prot,
	     slot->kind);
}

void open_mem(void)
{
	if (self.mem > 0)
		close(self.mem);
	self.mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (self.mem < 0)
		fail("/proc/self/mem: %m");
}

bool poison_error(int error)
{
	return options.poison && (error == EHWPOISON || error == EFAULT ||
				  error == EIO || error == EBUSY);
}

/* A page that lost its memory to poison becomes a fresh one. */
static void heal(unsigned int nr)
{
	struct slot *slot = &self.slots[nr];

	record("heal", (struct range){ nr, 1 }, 0, -1);
	if (retry(madvise(slot_addr(nr), PAGE_SIZE, MADV_DONTNEED_LOCKED)))
		fail("slot %u: cannot drop poisoned page: %m", nr);
	slot->tag = slot->base;
	slot->flags &= ~FREED;
}

static ssize_t copy_out(void *to, struct range r, int method)
{
	struct iovec local = { to, range_len(r) };
	struct iovec remote = { range_addr(r), range_len(r) };

	if (method == BY_MEM)
		return retry(pread(self.mem, to, range_len(r),
				   (off_t)range_addr(r)));
	return retry(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}

/* Verifies through copies that the kernel makes. */
void verify_copied(struct range r, int method)
{
	static const char * const how[] = { "/proc/self/mem",
					    "process_vm_readv" };
	uint64_t buffer[COPY_PAGES * WORDS];
	ssize_t len;
	unsigned int i;

	while (r.nr) {
		struct range part = { r.first, r.nr };

		if (part.nr > COPY_PAGES)
			part.nr = COPY_PAGES;
		len = copy_out(buffer, part, method);
		if (len < (ssize_t)PAGE_SIZE) {
			if (!poison_error(errno) && !(options.poison && !len))
				fail("slots %u+%u: %s returned %zd: %m",
				     part.first, part.nr, how[method], len);
			heal(part.first);
			continue;
		}
		part.nr = len / PAGE_SIZE;
		for (i = 0; i < part.nr; i++)
			check_page(part.first + i, buffer + i * WORDS,
				   how[method]);
		r.first += part.nr;
		r.nr -= part.nr;
	}
}

/* Runs access(slot), once more if the page turns out to be poisoned. */
static void touch(unsigned int nr, void (*access)(unsigned int, uint64_t),
		  uint64_t tag)
{
	sigjmp_buf buf;

	if (!options.poison) {
		access(nr, tag);
		return;
	}
	while (sigsetjmp(buf, 0)) {
		me->on_poison = NULL;
		heal(nr);
	}
	me->on_poison = &buf;
	access(nr, tag);
	me->on_poison = NULL;
}

static void read_access(unsigned int nr, uint64_t tag)
{
	(void)tag;
	check_page(nr, (uint64_t *)slot_addr(nr), "read");
}

static void write_access(unsigned int nr, uint64_t tag)
{
	fill_page((uint64_t *)slot_addr(nr), tag);
}

void verify_slot(unsigned int nr)
{
	const struct slot *slot = &self.slots[nr];

	if (!(slot->flags & MAPPED))
		return;
	if (slot->prot & PROT_READ)
		touch(nr, read_access, 0);
	else
		verify_copied((struct range){ nr, 1 }, BY_MEM);
}

/*
 * Of few pages at a time few are read before they are overwritten: one of those that an
 * operation has touched is looked at, or else stays as it is, paged out perhaps.
 */
void look(struct range r)
{
	if (options.profile->few && one_in(2))
		verify_slot(r.first + below(r.nr));
}

/* As a debugger would, where the process itself may not write. */
static void poke(unsigned int nr, uint64_t tag)
{
	uint64_t page[WORDS];

	fill_page(page, tag);
	while (retry(pwrite(self.mem, page, PAGE_SIZE,
			    (off_t)slot_addr(nr))) != (ssize_t)PAGE_SIZE) {
		if (!options.poison)
			fail("slot %u: writing /proc/self/mem: %m", nr);
		heal(nr);
	}
}

void write_slot(unsigned int nr, uint64_t tag)
{
	struct slot *slot = &self.slots[nr];

	if (slot->prot & PROT_WRITE)
		touch(nr, write_access, tag);
	else
		poke(nr, tag);
	slot->tag = tag;
	slot->flags &= ~FREED;
}

void verify_all(void)
{
	unsigned int i;

	for (i = 0; i < me->area.nr; i++)
		verify_slot(me->area.first + i);
	if (!me->owns_heap)
		return;
	for (i = 0; i < NR_HEAP; i++)
		verify_slot(NR_SLOTS + i);
}
