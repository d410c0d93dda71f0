// SPDX-License-Identifier: GPL-2.0
/*
 * Anonymous pages in other than anonymous VMAs: private mappings of files and
 * of /dev/zero, private hugetlb. The page offset of these VMAs is that in the
 * file; the index of their anonymous pages is their address nevertheless.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/loop.h>

#include "../kselftest_harness.h"
#include "anon_space_util.h"
#include "vm_util.h"

#define UNITS		6
#define IN_FILE		0x100ul
#define WRITTEN_HERE	0x200ul

#ifndef MFD_HUGETLB
#define MFD_HUGETLB	0x0004u
#endif

FIXTURE(file)
{
	struct area a;
	int fd;
	int at;		/* where the units are now */
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define DATA	FIXTURE_DATA(file)

enum kind { REGULAR, ZERO, HUGETLB, DISK };

FIXTURE_VARIANT(file)
{
	enum kind kind;
	bool fork;	/* after the pages were written */
	bool move;	/* after that */
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define VARIANT	FIXTURE_VARIANT(file)

FIXTURE_VARIANT_ADD(file, regular) { .kind = REGULAR };
FIXTURE_VARIANT_ADD(file, regular_moved) { .kind = REGULAR, .move = true };
FIXTURE_VARIANT_ADD(file, regular_forked) { .kind = REGULAR, .fork = true };
FIXTURE_VARIANT_ADD(file, regular_forked_and_moved) {
	.kind = REGULAR, .fork = true, .move = true
};

FIXTURE_VARIANT_ADD(file, zero) { .kind = ZERO };
FIXTURE_VARIANT_ADD(file, zero_moved) { .kind = ZERO, .move = true };
FIXTURE_VARIANT_ADD(file, zero_forked) { .kind = ZERO, .fork = true };
FIXTURE_VARIANT_ADD(file, zero_forked_and_moved) {
	.kind = ZERO, .fork = true, .move = true
};

/* The flags of its pages say that they are on a disk by the bit of exclusive pages. */
FIXTURE_VARIANT_ADD(file, disk) { .kind = DISK };
FIXTURE_VARIANT_ADD(file, disk_moved) { .kind = DISK, .move = true };

FIXTURE_VARIANT_ADD(file, hugetlb) { .kind = HUGETLB };
FIXTURE_VARIANT_ADD(file, hugetlb_moved) { .kind = HUGETLB, .move = true };
FIXTURE_VARIANT_ADD(file, hugetlb_forked) { .kind = HUGETLB, .fork = true };
FIXTURE_VARIANT_ADD(file, hugetlb_forked_and_moved) {
	.kind = HUGETLB, .fork = true, .move = true
};

/* The loop device is removed when nobody has it open any more. */
static int open_disk(void)
{
	struct loop_config config = { .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), fd = -1;
	char path[32];

	config.fd = memfd_create("anon_space_disk", MFD_CLOEXEC);
	if (control < 0 || ftruncate(config.fd, UNITS * psize()))
		return -1;
	snprintf(path, sizeof(path), "/dev/loop%d",
		 ioctl(control, LOOP_CTL_GET_FREE));
	close(control);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config)) {
		close(fd);
		fd = -1;
	}
	close(config.fd);
	return fd;
}

static int open_kind(enum kind kind)
{
	if (kind == DISK)
		return open_disk();
	if (kind == ZERO)
		return open("/dev/zero", O_RDWR);
	return memfd_create("anon_space_file",
			    kind == HUGETLB ? MFD_HUGETLB : 0);
}

/* The first page of each unit tells the unit. */
static bool fill_file(int fd, enum kind kind, size_t unit)
{
	void *pages;
	int i;

	if (kind != DISK && ftruncate(fd, UNITS * unit))
		return false;
	pages = mmap(NULL, UNITS * unit, PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	if (pages == MAP_FAILED)
		return false;
	for (i = 0; i < UNITS; i++)
		fill_pages(pages + i * unit, 1, IN_FILE + i);
	return !munmap(pages, UNITS * unit);
}

static unsigned long in_file(const VARIANT *variant, int unit)
{
	return variant->kind == ZERO ? 0 : IN_FILE + unit;
}

/* Every second unit is written, so is anonymous, the others come from the file */
static bool has_units(DATA *self,
		      const VARIANT *variant, int at)
{
	int i;

	for (i = 0; i < UNITS; i++) {
		void *page = area_at(&self->a, at + i);

		if (i % 2 && !pages_have(page, 1, WRITTEN_HERE + i))
			return false;
		if (i % 2 == 0 &&
		    *(unsigned long *)page != in_file(variant, i))
			return false;
	}
	return true;
}

static bool migrate_units(DATA *self, int at)
{
	int i;

	for (i = 1; i < UNITS; i += 2)
		if (!pages_migrate(area_at(&self->a, at + i), 1))
			return false;
	return true;
}

FIXTURE_SETUP(file)
{
	int i;

	/* Huge pages do not migrate there, nor is a disk's cache in high memory. */
	if (sizeof(long) < 8 &&
	    (variant->kind == DISK || variant->kind == HUGETLB))
		SKIP(return, "no migration of such a mapping");
	area_init(&self->a, variant->kind == HUGETLB ? HUGE : FAULTED);
	if (variant->kind == HUGETLB && get_free_hugepages() < 3 * UNITS)
		SKIP(return, "needs %d free huge pages", 3 * UNITS);
	self->fd = open_kind(variant->kind);
	if (self->fd < 0 && variant->kind == DISK)
		SKIP(return, "no loop device");
	ASSERT_LE(0, self->fd);
	if (variant->kind != ZERO)
		ASSERT_TRUE(fill_file(self->fd, variant->kind, self->a.unit));
	ASSERT_NE(MAP_FAILED,
		  mmap(area_at(&self->a, 0), area_size(&self->a, UNITS),
		       PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
		       self->fd, 0));
	for (i = 1; i < UNITS; i += 2)
		fill_pages(area_at(&self->a, i), 1, WRITTEN_HERE + i);
	/* What comes from the file is mapped when it moves. */
	ASSERT_TRUE(has_units(self, variant, 0));
	if (variant->fork)
		go_on_in_child();
	if (variant->move) {
		area_move(&self->a, 0, UNITS, 8);
		self->at = 8;
	}
}

FIXTURE_TEARDOWN(file)
{
}

TEST_F_TIMEOUT(file, migrate, TIMEOUT)
{
	EXPECT_TRUE(has_units(self, variant, self->at));
	EXPECT_TRUE(is_valid());
	EXPECT_TRUE(migrate_units(self, self->at));
	EXPECT_TRUE(has_units(self, variant, self->at));
	EXPECT_TRUE(is_valid());
}

TEST_F_TIMEOUT(file, move, TIMEOUT)
{
	int to = self->at == 8 ? 1 : 9;

	area_move(&self->a, self->at, UNITS, to);
	EXPECT_TRUE(has_units(self, variant, to));
	EXPECT_TRUE(migrate_units(self, to));
	EXPECT_TRUE(has_units(self, variant, to));
}

TEST_F_TIMEOUT(file, move_and_back, TIMEOUT)
{
	int to = self->at == 8 ? 1 : 9;

	area_move(&self->a, self->at, UNITS, to);
	area_move(&self->a, to, UNITS, self->at);
	EXPECT_TRUE(migrate_units(self, self->at));
	EXPECT_TRUE(has_units(self, variant, self->at));
}

TEST_F_TIMEOUT(file, write_after_move, TIMEOUT)
{
	int to = self->at == 8 ? 1 : 9;

	area_move(&self->a, self->at, UNITS, to);
	fill_pages(area_at(&self->a, to + 2), 1, 0x777);
	fill_pages(area_at(&self->a, to + 3), 1, 0x778);
	EXPECT_TRUE(pages_migrate(area_at(&self->a, to + 2), 1));
	EXPECT_TRUE(pages_migrate(area_at(&self->a, to + 3), 1));
	EXPECT_TRUE(pages_have(area_at(&self->a, to + 2), 1, 0x777));
	EXPECT_TRUE(pages_have(area_at(&self->a, to + 3), 1, 0x778));
	EXPECT_TRUE(pages_have(area_at(&self->a, to + 1), 1,
			       WRITTEN_HERE + 1));
}

static bool moves_and_migrates(void *arg)
{
	DATA *self = arg;
	int to = self->at == 8 ? 1 : 9;

	area_move(&self->a, self->at, UNITS, to);
	return pages_have(area_at(&self->a, to + 3), 1, WRITTEN_HERE + 3) &&
	       migrate_units(self, to) &&
	       pages_have(area_at(&self->a, to + 3), 1, WRITTEN_HERE + 3);
}

TEST_F_TIMEOUT(file, child_moves, TIMEOUT)
{
	EXPECT_TRUE(child_says(moves_and_migrates, self));
	EXPECT_TRUE(has_units(self, variant, self->at));
	EXPECT_TRUE(migrate_units(self, self->at));
	EXPECT_TRUE(has_units(self, variant, self->at));
}

/* A child looks for its pages while its parent has other memory, of small pages, there. */
TEST_F_TIMEOUT(file, parent_has_other_memory, TIMEOUT)
{
	char *at = area_at(&self->a, self->at), c;
	int go[2], status;
	pid_t pid;

	ASSERT_EQ(0, pipe(go));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(go[1]);
		_exit(read(go[0], &c, 1) ||
		      !has_units(self, variant, self->at) ||
		      !migrate_units(self, self->at) ||
		      !has_units(self, variant, self->at));
	}
	ASSERT_EQ(0, munmap(at, area_size(&self->a, UNITS)));
	map_range(at, area_size(&self->a, UNITS));
	fill_pages(at, UNITS, 0x777);
	close(go[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(pages_have(at, UNITS, 0x777));
}

/* What was written is discarded: the contents of the file are read again. */
TEST_F_TIMEOUT(file, discard, TIMEOUT)
{
	unsigned long *page = area_at(&self->a, self->at + 3);

	ASSERT_EQ(0, madvise(page, self->a.unit, MADV_DONTNEED));
	EXPECT_EQ(in_file(variant, 3), *page);
	fill_pages(page, 1, 0x777);
	EXPECT_TRUE(pages_migrate(page, 1));
	EXPECT_TRUE(pages_have(page, 1, 0x777));
	EXPECT_TRUE(migrate_units(self, self->at));
}

/* ---- merging: as ever by file and offset, and now by nothing else ---- */

FIXTURE(file_merge)
{
	struct area a;
	int fd;
};

/* For helpers: a type that checkpatch.pl takes for one. */
#define FILE_MERGE_DATA	FIXTURE_DATA(file_merge)

FIXTURE_SETUP(file_merge)
{
	area_init(&self->a, FAULTED);
	self->fd = open_kind(REGULAR);
	ASSERT_TRUE(fill_file(self->fd, REGULAR, self->a.unit));
}

FIXTURE_TEARDOWN(file_merge)
{
}

static void map_file(struct __test_metadata *_metadata,
		     FILE_MERGE_DATA *self, int at, int nr, int offset)
{
	ASSERT_NE(MAP_FAILED,
		  mmap(area_at(&self->a, at), area_size(&self->a, nr),
		       PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
		       self->fd, area_size(&self->a, offset)));
}

/* aa.bbb, both written to, get the page in between. */
TEST_F(file_merge, written_neighbours)
{
	map_file(_metadata, self, 0, 2, 0);
	map_file(_metadata, self, 3, 3, 3);
	fill_pages(area_at(&self->a, 1), 1, 0x777);
	fill_pages(area_at(&self->a, 3), 1, 0x778);
	map_file(_metadata, self, 2, 1, 2);
	EXPECT_STREQ("aaaaaa", area_draw(&self->a));
	EXPECT_TRUE(pages_have(area_at(&self->a, 1), 1, 0x777));
	EXPECT_TRUE(pages_have(area_at(&self->a, 2), 1, IN_FILE + 2));
	EXPECT_TRUE(pages_have(area_at(&self->a, 3), 1, 0x778));
	EXPECT_TRUE(pages_migrate(area_at(&self->a, 0), 6));
}

/* With another offset they do not merge. */
TEST_F(file_merge, other_offset)
{
	map_file(_metadata, self, 0, 2, 0);
	map_file(_metadata, self, 2, 2, 3);
	fill_pages(area_at(&self->a, 0), 4, 0x777);
	EXPECT_STREQ("aabb", area_draw(&self->a));
	EXPECT_TRUE(pages_migrate(area_at(&self->a, 0), 4));
	EXPECT_TRUE(pages_have(area_at(&self->a, 0), 4, 0x777));
}

/* Moved away and back, written meanwhile. */
static void move_away_and_back(struct __test_metadata *_metadata,
			       FILE_MERGE_DATA *self)
{
	map_file(_metadata, self, 0, 6, 0);
	fill_pages(area_at(&self->a, 2), 2, 0x777);
	area_move(&self->a, 2, 2, 10);
	fill_pages(area_at(&self->a, 10), 1, 0x666);
	area_move(&self->a, 10, 2, 2);
	EXPECT_STREQ("aaaaaa", area_draw(&self->a));
	EXPECT_TRUE(pages_have(area_at(&self->a, 2), 1, 0x666));
	EXPECT_TRUE(pages_have(area_at(&self->a, 3), 1, 0x778));
	EXPECT_TRUE(pages_migrate(area_at(&self->a, 0), 6));
}

TEST_F(file_merge, moved_away_and_back)
{
	move_away_and_back(_metadata, self);
}

/* The kernel takes it for anonymous, but it has a file, and offsets in that file. */
TEST_F(file_merge, dev_zero_moved_away_and_back)
{
	self->fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	move_away_and_back(_metadata, self);
}

/* Without pages it has no offsets in that file to keep. */
TEST_F(file_merge, dev_zero_without_pages)
{
	self->fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	map_file(_metadata, self, 0, 3, 0);
	area_move(&self->a, 2, 1, 8);
	area_move(&self->a, 0, 1, 9);
	EXPECT_STREQ(".a......bb", area_draw(&self->a));
	fill_pages(area_at(&self->a, 8), 2, 0x777);
	EXPECT_TRUE(pages_migrate(area_at(&self->a, 8), 2));
	EXPECT_TRUE(pages_have(area_at(&self->a, 8), 2, 0x777));
}

/* A private file mapping and anonymous memory never merge. */
TEST_F(file_merge, not_with_anonymous)
{
	map_file(_metadata, self, 0, 2, 0);
	fill_pages(area_at(&self->a, 0), 2, 0x777);
	area_map(&self->a, 2, 2);
	fill_pages(area_at(&self->a, 2), 2, 0x888);
	EXPECT_STREQ("aabb", area_draw(&self->a));
	EXPECT_TRUE(pages_migrate(area_at(&self->a, 0), 4));
	EXPECT_TRUE(pages_have(area_at(&self->a, 0), 2, 0x777));
	EXPECT_TRUE(pages_have(area_at(&self->a, 2), 2, 0x888));
}

TEST_HARNESS_MAIN
