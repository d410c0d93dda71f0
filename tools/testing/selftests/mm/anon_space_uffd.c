// SPDX-License-Identifier: GPL-2.0
/*
 * userfaultfd with memory that was moved: UFFDIO_MOVE gives pages a new place
 * in the same way as mremap() does, the other operations act at the address
 * where the page is now.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#define NEW	0x7770000ul

FIXTURE(uffd)
{
	struct area a;
	int fd;
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define DATA	FIXTURE_DATA(uffd)

FIXTURE_VARIANT(uffd)
{
	enum area_state state;
};

FIXTURE_VARIANT_ADD(uffd, faulted) { .state = FAULTED };
FIXTURE_VARIANT_ADD(uffd, swapped) { .state = SWAPPED };
FIXTURE_VARIANT_ADD(uffd, moved) { .state = MOVED };
FIXTURE_VARIANT_ADD(uffd, huge) { .state = HUGE };

static int open_uffd(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		return -1;
	return fd;
}

/* Units 0 to 3 are filled, units 6 to 9 are registered and empty. */
FIXTURE_SETUP(uffd)
{
	area_init(&self->a, variant->state);
	area_fill(&self->a, 0, 4);
	area_map(&self->a, 6, 4);
	self->fd = open_uffd(UFFD_FEATURE_MOVE);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, uffd_register(self->fd, area_at(&self->a, 6),
				   area_size(&self->a, 4), true, false,
				   false));
}

FIXTURE_TEARDOWN(uffd)
{
	close(self->fd);
}

/* Pages that others have a reference to for a moment: again, from there. */
static bool move_range(int fd, void *to, void *from, size_t size)
{
	struct uffdio_move move;
	size_t done = 0;
	long waited = 0;

	while (done < size && be_patient(&waited)) {
		move = (struct uffdio_move) {
			.dst = (uintptr_t)to + done,
			.src = (uintptr_t)from + done,
			.len = size - done,
		};
		if (!ioctl(fd, UFFDIO_MOVE, &move))
			return true;
		if (errno != EAGAIN && errno != EBUSY)
			return false;
		if (move.move > 0)
			done += move.move;
	}
	return done == size;
}

static bool move_units(DATA *self, int from, int nr, int to)
{
	return move_range(self->fd, area_at(&self->a, to),
			 area_at(&self->a, from), area_size(&self->a, nr));
}

static bool is_good(struct area *a, int at, int nr, int first)
{
	return area_has(a, at, nr, first) && area_migrates(a, at, nr) &&
	       area_has(a, at, nr, first);
}

TEST_F_TIMEOUT(uffd, move, TIMEOUT)
{
	ASSERT_TRUE(move_units(self, 0, 4, 6));
	EXPECT_TRUE(is_good(&self->a, 6, 4, 0));
	EXPECT_EQ(0, pfn_of(0, area_at(&self->a, 0)));
}

TEST_F_TIMEOUT(uffd, move_and_mremap, TIMEOUT)
{
	ASSERT_TRUE(move_units(self, 0, 4, 6));
	area_move(&self->a, 6, 4, 11);
	EXPECT_TRUE(is_good(&self->a, 11, 4, 0));
}

TEST_F_TIMEOUT(uffd, mremap_and_move, TIMEOUT)
{
	area_move(&self->a, 0, 4, 11);
	ASSERT_TRUE(move_units(self, 11, 4, 6));
	EXPECT_TRUE(is_good(&self->a, 6, 4, 0));
}

TEST_F_TIMEOUT(uffd, move_there_and_back, TIMEOUT)
{
	ASSERT_TRUE(move_units(self, 0, 4, 6));
	ASSERT_EQ(0, uffd_register(self->fd, area_at(&self->a, 0),
				   area_size(&self->a, 4), true, false,
				   false));
	ASSERT_TRUE(move_units(self, 6, 4, 0));
	EXPECT_TRUE(is_good(&self->a, 0, 4, 0));
}

TEST_F_TIMEOUT(uffd, move_and_page_out, TIMEOUT)
{
	ASSERT_TRUE(move_units(self, 0, 4, 6));
	try_page_out(area_at(&self->a, 6), area_size(&self->a, 4));
	EXPECT_TRUE(is_good(&self->a, 6, 4, 0));
}

/* What is in the swap cache comes back as it is, at the other address. */
TEST(uffd_move_from_swap_cache)
{
	unsigned long pfn;
	void *from, *to;
	int used;
	DATA self;

	area_init(&self.a, FAULTED);
	from = area_map(&self.a, 0, 1);
	to = area_map(&self.a, 6, 1);
	fill_pages(from, 1, NEW);
	self.fd = open_uffd(UFFD_FEATURE_MOVE);
	ASSERT_LE(0, self.fd);
	ASSERT_EQ(0, uffd_register(self.fd, to, psize(), true, false, false));
	used = hold_frames(from, 1);
	pfn = pfn_of(0, from);
	ASSERT_TRUE(page_out(from, psize()));
	ASSERT_TRUE(move_units(&self, 0, 1, 6));
	EXPECT_TRUE(pages_have(to, 1, NEW));
	EXPECT_EQ(pfn, pfn_of(0, to));
	close(used);
	EXPECT_TRUE(pages_migrate(to, 1));
	EXPECT_TRUE(pages_have(to, 1, NEW));
	close(self.fd);
}

static bool has_moved(void *arg)
{
	return is_good(arg, 6, 4, 0);
}

TEST_F_TIMEOUT(uffd, move_and_fork, TIMEOUT)
{
	ASSERT_TRUE(move_units(self, 0, 4, 6));
	EXPECT_TRUE(child_says(has_moved, &self->a));
	EXPECT_TRUE(is_good(&self->a, 6, 4, 0));
}

/* A page that a child has, too, cannot be moved, and stays. */
TEST_F_TIMEOUT(uffd, shared_is_busy, TIMEOUT)
{
	struct uffdio_move move = {
		.dst = (uintptr_t)area_at(&self->a, 6),
		.src = (uintptr_t)area_at(&self->a, 0),
		.len = area_size(&self->a, 4),
	};
	long waited = 0;

	fork_waiting();
	EXPECT_TRUE(area_has(&self->a, 0, 4, 0));
	do {
		EXPECT_EQ(-1, ioctl(self->fd, UFFDIO_MOVE, &move));
	} while (errno == EAGAIN && be_patient(&waited));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_TRUE(is_good(&self->a, 0, 4, 0));
}

/* Copies and zeroes come to where the registered memory is now. */
TEST_F_TIMEOUT(uffd, copy_to_moved, TIMEOUT)
{
	struct uffdio_copy copy = {
		.src = (uintptr_t)area_at(&self->a, 0),
		.len = psize(),
	};
	struct uffdio_zeropage zero = { .range.len = psize() };

	EXPECT_TRUE(area_has(&self->a, 0, 4, 0));
	area_move(&self->a, 6, 4, 11);
	ASSERT_EQ(0, uffd_register(self->fd, area_at(&self->a, 11),
				   area_size(&self->a, 4), true, false,
				   false));
	copy.dst = (uintptr_t)area_at(&self->a, 12);
	zero.range.start = copy.dst + psize();
	EXPECT_EQ(0, ioctl(self->fd, UFFDIO_COPY, &copy));
	EXPECT_TRUE(pages_migrate(area_at(&self->a, 12), 1));
	EXPECT_TRUE(pages_have(area_at(&self->a, 12), 1,
			       *(long *)area_at(&self->a, 0)));
	if (self->a.unit > psize())
		EXPECT_EQ(0, ioctl(self->fd, UFFDIO_ZEROPAGE, &zero));
}

/* Half of a huge page, or of what was one. */
TEST_F_TIMEOUT(uffd, move_half, TIMEOUT)
{
	size_t unit = self->a.unit;
	size_t half = unit > psize() ? unit / 2 : psize();
	void *to = area_at(&self->a, 6) + half, *from = area_at(&self->a, 1);

	ASSERT_TRUE(move_range(self->fd, to, from, half));
	EXPECT_TRUE(pages_have(to, half / psize(),
			       0x1000000 + self->a.unit / psize()));
	EXPECT_TRUE(pages_migrate(to, half / psize()));
	EXPECT_TRUE(pages_have(to, half / psize(),
			       0x1000000 + self->a.unit / psize()));
}

/* ---- a huge page comes to where the offset is another one ---- */

FIXTURE(uffd_offset)
{
	char *from, *to;	/* huge pages */
	size_t size;
	int fd;
};

FIXTURE_VARIANT(uffd_offset)
{
	bool half;	/* in the lower half only */
};

FIXTURE_VARIANT_ADD(uffd_offset, even) { };
FIXTURE_VARIANT_ADD(uffd_offset, uneven) { .half = true };

FIXTURE_SETUP(uffd_offset)
{
	size_t size = table_size();

	self->size = size;
	self->from = reserve(size);
	self->to = reserve(2 * size) + size;
	map_range(self->to, size);
	map_with_other_offset(self->to, variant->half ? size / 2 : size);
	map_filled(self->from, size / psize(), NEW);
	ASSERT_TRUE(make_huge(self->from, size));
	self->fd = open_uffd(UFFD_FEATURE_MOVE);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, uffd_register(self->fd, self->to, size, true, false, false));
}

FIXTURE_TEARDOWN(uffd_offset)
{
	close(self->fd);
}

TEST_F_TIMEOUT(uffd_offset, move, TIMEOUT)
{
	char *half = self->to + self->size / 2;

	ASSERT_TRUE(move_range(self->fd, self->to, self->from, self->size));
	EXPECT_TRUE(pages_migrate(half, 1));
	EXPECT_TRUE(pages_migrate(self->to, 1));
	EXPECT_TRUE(pages_have(self->to, self->size / psize(), NEW));
}

/* ---- write protection ---- */

FIXTURE(uffd_wp)
{
	struct area a;
	int fd;
};

FIXTURE_SETUP(uffd_wp)
{
	area_init(&self->a, FAULTED);
	area_fill(&self->a, 0, 4);
	self->fd = open_uffd(UFFD_FEATURE_PAGEFAULT_FLAG_WP |
			     UFFD_FEATURE_EVENT_REMAP |
			     UFFD_FEATURE_EVENT_UNMAP);
	if (sizeof(long) < 8)
		SKIP(return, "no userfaultfd against writes");
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, uffd_register(self->fd, area_at(&self->a, 0),
				   area_size(&self->a, 4), false, true,
				   false));
}

FIXTURE_TEARDOWN(uffd_wp)
{
	close(self->fd);
}

static int write_protect(int fd, void *addr, size_t size, bool on)
{
	struct uffdio_writeprotect wp = {
		.range = { (uintptr_t)addr, size },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(fd, UFFDIO_WRITEPROTECT, &wp);
}

#define FAULT_COMES	120000	/* milliseconds until it has, or does not at all */

/* Answers one write fault; tells moves apart from it. */
struct monitor {
	int fd;
	uint64_t fault_at;
	uint64_t moved_to;
};

static void *monitor(void *arg)
{
	struct monitor *m = arg;
	struct uffd_msg msg;
	struct pollfd p = { .fd = m->fd, .events = POLLIN };

	while (!m->fault_at && poll(&p, 1, FAULT_COMES) == 1) {
		if (read(m->fd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		if (msg.event == UFFD_EVENT_REMAP)
			m->moved_to = msg.arg.remap.to;
		if (msg.event != UFFD_EVENT_PAGEFAULT)
			continue;
		m->fault_at = msg.arg.pagefault.address & -(uint64_t)psize();
		write_protect(m->fd, (void *)(uintptr_t)m->fault_at, psize(), false);
	}
	return NULL;
}

/* A protected page is protected where it was moved to, and is told of there. */
TEST_F(uffd_wp, move)
{
	struct monitor m = { .fd = self->fd };
	void *to = area_at(&self->a, 8);
	pthread_t thread;

	ASSERT_EQ(0, write_protect(self->fd, area_at(&self->a, 0),
				   area_size(&self->a, 4), true));
	ASSERT_EQ(0, pthread_create(&thread, NULL, monitor, &m));
	area_move(&self->a, 0, 4, 8);
	fill_pages(area_at(&self->a, 10), 1, NEW);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ((uintptr_t)to, m.moved_to);
	EXPECT_EQ((uintptr_t)area_at(&self->a, 10), m.fault_at);
	EXPECT_TRUE(pages_have(area_at(&self->a, 10), 1, NEW));
	EXPECT_TRUE(is_good(&self->a, 8, 2, 0));
	EXPECT_TRUE(area_migrates(&self->a, 8, 4));
}

/* The moved range stays registered, and so does not merge with what is not. */
TEST_F(uffd_wp, move_next_to_others)
{
	struct monitor m = { .fd = self->fd };
	pthread_t thread;

	area_fill(&self->a, 10, 2);
	ASSERT_EQ(0, write_protect(self->fd, area_at(&self->a, 0), psize(),
				   true));
	ASSERT_EQ(0, pthread_create(&thread, NULL, monitor, &m));
	area_move(&self->a, 0, 4, 6);
	fill_pages(area_at(&self->a, 6), 1, NEW);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_STREQ("......aaaabb", area_draw(&self->a));
	EXPECT_TRUE(is_good(&self->a, 7, 3, 1));
	EXPECT_TRUE(is_good(&self->a, 10, 2, 10));
}

/* ---- moves that a userfaultfd is not told of ---- */

FIXTURE(uffd_left)
{
	struct area a;
	int fd;
};

FIXTURE_VARIANT(uffd_left)
{
	bool part;		/* a part of the VMA moves */
};

FIXTURE_VARIANT_ADD(uffd_left, whole) { };
FIXTURE_VARIANT_ADD(uffd_left, part) { .part = true };

/* Write protection without events: what is moved is left by the userfaultfd. */
FIXTURE_SETUP(uffd_left)
{
	area_init(&self->a, FAULTED);
	area_fill(&self->a, 0, 4);
	self->fd = open_uffd(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	if (sizeof(long) < 8)
		SKIP(return, "no userfaultfd against writes");
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, uffd_register(self->fd, area_at(&self->a, 0),
				   area_size(&self->a, 4), false, true,
				   false));
	ASSERT_EQ(0, write_protect(self->fd, area_at(&self->a, 0),
				   area_size(&self->a, 4), true));
}

FIXTURE_TEARDOWN(uffd_left)
{
	close(self->fd);
}

static bool is_protected(void *addr)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = pagemap_get_entry(pagemap, addr);

	close(pagemap);
	return entry & PM_UFFD_WP;
}

/* It is no longer registered nor protected, and is equal to what was not. */
TEST_F(uffd_left, move)
{
	const int first = variant->part, nr = 4 - 2 * variant->part;

	area_fill(&self->a, 8 + nr, 2);
	ASSERT_TRUE(is_protected(area_at(&self->a, first)));
	area_move(&self->a, first, nr, 8);
	EXPECT_EQ(1, count_vmas(area_at(&self->a, 8),
				area_size(&self->a, nr + 2)));
	EXPECT_FALSE(is_protected(area_at(&self->a, 8)));
	EXPECT_FALSE(is_protected(area_at(&self->a, 8 + nr - 1)));
	fill_pages(area_at(&self->a, 8), 1, NEW);
	EXPECT_TRUE(is_good(&self->a, 9, nr - 1, first + 1));
}

/* The same where nothing else is, until it has come there. */
TEST_F(uffd_left, move_first)
{
	const int first = variant->part, nr = 4 - 2 * variant->part;

	area_move(&self->a, first, nr, 8);
	EXPECT_FALSE(is_protected(area_at(&self->a, 8)));
	area_fill(&self->a, 8 + nr, 2);
	EXPECT_EQ(1, count_vmas(area_at(&self->a, 8),
				area_size(&self->a, nr + 2)));
	fill_pages(area_at(&self->a, 8), 1, NEW);
	EXPECT_TRUE(is_good(&self->a, 9, nr - 1, first + 1));
}

TEST_HARNESS_MAIN
