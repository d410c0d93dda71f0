// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include "../kselftest.h"
#include "anon_space_util.h"
#include "vm_util.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define TRIES		10
#define PATIENCE	20000000	/* microseconds that one thing is waited for, */
#define IN_VAIN		60000000	/* and those that all processes waste */

void skip_test(const char *reason)
{
	printf("# SKIP %s\n", reason);
	fflush(stdout);
	_exit(KSFT_SKIP);
}

/* ---- patience ---- */

static pid_t first_process;
static long *wasted;	/* by all processes: a program that fails is to end */

static void __attribute__((constructor)) begin_waiting(void)
{
	first_process = getpid();
	wasted = mmap(NULL, sizeof(*wasted), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (wasted == MAP_FAILED)
		err(KSFT_FAIL, "mmap");
}

bool be_patient(long *waited)
{
	const long most = *wasted < IN_VAIN ? PATIENCE : 1000 * TRIES;
	const long pause = 1000 + *waited / 8;

	if (*waited > most) {
		*wasted += *waited;
		return false;
	}
	*waited += pause < 100000 ? pause : 100000;
	usleep(pause < 100000 ? pause : 100000);
	return true;
}

/* Does another test have a process? Those of a test are a group. */
static bool others_are_alive(void)
{
	char own[256] = "", exe[256], path[300];
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool found = false;
	pid_t pid;
	ssize_t n;

	if (!proc || readlink("/proc/self/exe", own, sizeof(own) - 1) < 0)
		err(KSFT_FAIL, "/proc");
	while (!found && (entry = readdir(proc))) {
		if (!isdigit(entry->d_name[0]))
			continue;
		pid = atoi(entry->d_name);
		snprintf(path, sizeof(path), "/proc/%d/exe", pid);
		/* There is none without memory. */
		n = readlink(path, exe, sizeof(exe) - 1);
		exe[n < 0 ? 0 : n] = '\0';
		found = !strcmp(own, exe) && pid != first_process &&
			getpgid(pid) != getpgrp();
	}
	closedir(proc);
	return found;
}

void wait_for_earlier_tests(void)
{
	long waited = 0;

	while (others_are_alive() && be_patient(&waited))
		;
}

/* ---- files ---- */

size_t read_all(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		err(KSFT_FAIL, "%s", path);
	while ((n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	if (n < 0 || len == size - 1)
		err(KSFT_FAIL, "%s", path);
	buf[len] = '\0';
	close(fd);
	return len;
}

long read_long(const char *path)
{
	char buf[64];

	read_all(path, buf, sizeof(buf));
	return atol(buf);
}

void write_string(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		err(KSFT_FAIL, "%s", path);
	close(fd);
}

void write_long(const char *path, long value)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "%ld", value);
	write_string(path, buf);
}

static long field_of(const char *path, const char *field)
{
	char buf[8192], *at;

	read_all(path, buf, sizeof(buf));
	at = strstr(buf, field);
	if (!at)
		errx(KSFT_FAIL, "no %s in %s", field, path);
	return atol(at + strlen(field));
}

long status_kb(const char *field)
{
	return field_of("/proc/self/status", field);
}

long meminfo_kb(const char *field)
{
	return field_of("/proc/meminfo", field);
}

/* ---- contents ---- */

static unsigned long *page_at(void *addr, size_t page)
{
	return addr + page * psize();
}

void fill_pages(void *addr, size_t nr, unsigned long first)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		unsigned long *page = page_at(addr, i);

		page[0] = first + i;
		page[psize() / sizeof(*page) - 1] = ~(first + i);
	}
}

void renew_page(void *addr, size_t nr, unsigned long first)
{
	void *page = page_at(addr, nr);

	if (madvise(page, psize(), MADV_DONTNEED))
		err(KSFT_FAIL, "madvise");
	fill_pages(page, 1, first + nr);
}

bool pages_have(void *addr, size_t nr, unsigned long first)
{
	return pages_of_have(0, addr, nr, first);
}

bool range_has_all(void *arg)
{
	struct range *r = arg;

	return pages_have(r->at, r->pages, r->first);
}

/* Not by process_vm_readv(), which gives the process pages of its own. */
static void read_of(pid_t pid, void *to, void *from, size_t size)
{
	char path[32];
	int fd;

	if (!pid) {
		memcpy(to, from, size);
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || pread(fd, to, size, (uintptr_t)from) != size)
		err(KSFT_FAIL, "%s at %p", path, from);
	close(fd);
}

bool pages_of_have(pid_t pid, void *addr, size_t nr, unsigned long first)
{
	unsigned long page[psize() / sizeof(unsigned long)];
	size_t i, last = psize() / sizeof(*page) - 1;

	for (i = 0; i < nr; i++) {
		read_of(pid, page, page_at(addr, i), psize());
		if (page[0] != first + i || page[last] != ~(first + i)) {
			printf("# page %zu at %p is %#lx, not %#lx\n", i,
			       page_at(addr, i), page[0], first + i);
			return false;
		}
	}
	return true;
}

bool pages_are_zero(void *addr, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (*page_at(addr, i))
			return false;
	return true;
}

/* ---- page state ---- */

static uint64_t read_entry(const char *path, unsigned long index)
{
	int fd = open(path, O_RDONLY);
	uint64_t entry;

	if (fd < 0 || pread(fd, &entry, 8, index * 8) != 8)
		err(KSFT_FAIL, "%s", path);
	close(fd);
	return entry;
}

unsigned long pfn_of(pid_t pid, void *addr)
{
	char path[64] = "/proc/self/pagemap";
	uint64_t entry;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	entry = read_entry(path, (uintptr_t)addr >> pshift());
	return entry & PM_PRESENT ? PAGEMAP_PFN(entry) : 0;
}

uint64_t page_flags(unsigned long pfn)
{
	return read_entry("/proc/kpageflags", pfn);
}

uint64_t page_mapcount(unsigned long pfn)
{
	return read_entry("/proc/kpagecount", pfn);
}

bool is_swapped(void *addr)
{
	return read_entry("/proc/self/pagemap",
			  (uintptr_t)addr >> pshift()) & PM_SWAP;
}

/*
 * Pages that were added to the lists of reclaim by another CPU may still wait in a
 * batch of that CPU. move_pages() makes all CPUs empty theirs, also if it is to
 * move none.
 */
static void drain_batches(void)
{
	int node = 0;

	syscall(__NR_move_pages, 0, 0ul, NULL, &node, NULL, 0);
}

static bool page_out_once(void *addr, size_t size)
{
	size_t i;

	drain_batches();
	if (madvise(addr, size, MADV_PAGEOUT))
		err(KSFT_FAIL, "MADV_PAGEOUT");
	for (i = 0; i < size && is_swapped(addr + i); i += psize())
		;
	return i >= size;
}

bool try_page_out(void *addr, size_t size)
{
	int tries = TRIES;

	while (tries--) {
		if (page_out_once(addr, size))
			return true;
		usleep(1000);
	}
	return false;
}

/* Pages that somebody else has a reference to for a moment stay: try again. */
bool page_out(void *addr, size_t size)
{
	long waited = 0;

	while (!page_out_once(addr, size))
		if (!be_patient(&waited))
			return false;
	return true;
}

/* The same, or there is no free huge page. */
bool make_huge(void *addr, size_t size)
{
	long waited = 0;

	while (madvise(addr, size, MADV_COLLAPSE)) {
		if (errno == EINVAL)
			skip_test("no transparent huge pages");
		if (!be_patient(&waited))
			return false;
		drain_batches();
		write_string("/proc/sys/vm/compact_memory", "1");
	}
	return true;
}

/* Of 32 bits, check_huge_anon() compares what it has read a half of. */
bool are_huge(void *addr, int nr, size_t size)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	char line[256], start[32];
	bool is_here = false;
	long found = -1;

	snprintf(start, sizeof(start), "%lx-", (unsigned long)addr);
	while (smaps && found < 0 && fgets(line, sizeof(line), smaps)) {
		is_here |= !strncmp(line, start, strlen(start));
		if (is_here)
			sscanf(line, "AnonHugePages: %ld kB", &found);
	}
	if (smaps)
		fclose(smaps);
	return found == nr * (long)(size / 1024);
}

#define SPLIT	"/sys/kernel/debug/split_huge_pages"
#define KPF_THP	22

bool is_in_huge_page(void *addr)
{
	unsigned long pfn = pfn_of(0, addr);

	return pfn && page_flags(pfn) & 1ull << KPF_THP;
}

static bool has_huge_page(void *addr, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += psize())
		if (is_in_huge_page(addr + i))
			return true;
	return false;
}

/* One that somebody else has a reference to for a moment is not split: try again. */
void split_huge_pages(void *addr, size_t size)
{
	unsigned long start = (uintptr_t)addr;
	long waited = 0;
	char range[64];

	if (access(SPLIT, W_OK))
		skip_test("no debugfs");
	snprintf(range, sizeof(range), "%d,%#lx,%#lx", getpid(), start,
		 start + size);
	do {
		drain_batches();
		write_string(SPLIT, range);
	} while (has_huge_page(addr, size) && be_patient(&waited));
}

int hold_frames(void *addr, size_t nr)
{
	struct iovec iov = { addr, nr * psize() };
	int ends[2];

	if (pipe(ends) || fcntl(ends[1], F_SETPIPE_SZ, nr * psize()) < 0 ||
	    vmsplice(ends[1], &iov, 1, SPLICE_F_NONBLOCK) != nr * psize())
		err(KSFT_FAIL, "vmsplice");
	close(ends[1]);
	return ends[0];
}

int node_of(void *addr)
{
	int status = -1;

	if (syscall(__NR_move_pages, 0, 1UL, &addr, NULL, &status, 0))
		err(KSFT_FAIL, "move_pages");
	return status;
}

/*
 * Kernel threads may hold a page for a moment. But a mapping that the kernel
 * does not find makes every try fail.
 */
static bool page_moves_to(void *addr, int node)
{
	long waited = 0;
	int status;

	do {
		status = -1;
		if (syscall(__NR_move_pages, 0, 1UL, &addr, &node, &status,
			    MPOL_MF_MOVE_ALL) < 0)
			err(KSFT_FAIL, "move_pages");
		if (status == node)
			return true;
	} while (be_patient(&waited));
	printf("# page at %p does not move to node %d: %d\n", addr, node,
	       status);
	return false;
}

/* How many of them were present and have migrated, -1 if one has not. */
long migrate_present(void *addr, size_t nr)
{
	long migrated = 0;
	size_t i;
	int node;

	if (access("/sys/devices/system/node/node1", F_OK))
		skip_test("needs two NUMA nodes");
	for (i = 0; i < nr; i++) {
		node = node_of(page_at(addr, i));
		if (node < 0)
			continue;
		if (!page_moves_to(page_at(addr, i), !node))
			return -1;
		migrated++;
	}
	return migrated;
}

bool pages_migrate(void *addr, size_t nr)
{
	return migrate_present(addr, nr) > 0;
}

bool swap_off_and_on(void)
{
	char line[256], device[256] = "";
	FILE *swaps = fopen("/proc/swaps", "r");

	while (swaps && fgets(line, sizeof(line), swaps))
		if (line[0] == '/')
			sscanf(line, "%255s", device);
	if (swaps)
		fclose(swaps);
	return !swapoff(device) && !swapon(device, 0);
}

/* ---- cgroups ---- */

#define CGROUPS		"/sys/fs/cgroup"
#define RCU_BARRIER	"/sys/module/rcutree/parameters/do_rcu_barrier"

static char cgroup[64];

static int limit;	/* memory.max of the cgroup */

static const char *cgroup_path(const char *file)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", cgroup, file);
	return path;
}

void cgroup_write(const char *file, const char *value)
{
	write_string(cgroup_path(file), value);
}

void enter_cgroup(void)
{
	if (access(CGROUPS "/cgroup.subtree_control", W_OK))
		skip_test("no cgroup v2");
	wait_for_earlier_tests();
	write_string(CGROUPS "/cgroup.subtree_control", "+memory");
	snprintf(cgroup, sizeof(cgroup), CGROUPS "/anon_space_%d", getpid());
	if (mkdir(cgroup, 0755) && errno != EEXIST)
		err(KSFT_FAIL, "%s", cgroup);
	if (access(cgroup_path("memory.reclaim"), W_OK))
		skip_test("no memory cgroup");
	limit = open(cgroup_path("memory.max"), O_WRONLY | O_CLOEXEC);
	cgroup_allow_all();
	write_long(cgroup_path("cgroup.procs"), getpid());
}

void leave_cgroup(void)
{
	write_long(CGROUPS "/cgroup.procs", getpid());
}

long cgroup_read(const char *file)
{
	return read_long(cgroup_path(file));
}

/*
 * What processors have counted is added up every two seconds. But who asks for their
 * times gets what they are now, and all else that is counted is up to date then.
 */
static void add_up(void)
{
	char buf[4096];

	read_all(cgroup_path("cpu.stat"), buf, sizeof(buf));
}

long cgroup_stat(const char *field)
{
	add_up();
	return field_of(cgroup_path("memory.stat"), field);
}

/* Page tables may be freed a while after they are unused: when nobody can walk them. */
static void wait_for_walkers(void)
{
	if (!access(RCU_BARRIER, W_OK))
		write_string(RCU_BARRIER, "1");
	usleep(100000);
}

void cgroup_allow(long more_bytes)
{
	long used, before;

	cgroup_write("memory.swap.max", "0");
	used = read_long(cgroup_path("memory.current"));
	do {
		before = used;
		wait_for_walkers();
		used = read_long(cgroup_path("memory.current"));
	} while (used < before);
	write_long(cgroup_path("memory.max"), used + more_bytes);
}

/* At the limit no file can be opened. */
void cgroup_allow_all(void)
{
	if (write(limit, "max", 3) < 0)
		err(KSFT_FAIL, "memory.max");
	cgroup_write("memory.swap.max", "max");
}

/* It fails if there is less to reclaim. */
void cgroup_reclaim(void)
{
	int fd;

	add_up();
	fd = open(cgroup_path("memory.reclaim"), O_WRONLY);
	if (fd < 0 || (write(fd, "64M", 3) < 0 && errno != EAGAIN))
		err(KSFT_FAIL, "memory.reclaim");
	close(fd);
}

bool cgroup_reclaim_pages(void *addr, size_t nr)
{
	long waited = 0;
	size_t i;

	do {
		cgroup_reclaim();
		for (i = 0; i < nr && is_swapped(page_at(addr, i)); i++)
			;
		if (i == nr)
			return true;
	} while (be_patient(&waited));
	return false;
}

bool is_valid(void)
{
	char pid[16];
	bool valid;
	int fd = open("/sys/kernel/debug/anon_space/validate", O_WRONLY);

	if (fd < 0)
		return true;
	snprintf(pid, sizeof(pid), "%d", getpid());
	valid = write(fd, pid, strlen(pid)) > 0;
	close(fd);
	return valid;
}

long vmstat(const char *name)
{
	FILE *file = fopen("/proc/vmstat", "re");
	long value, found = -1;
	char line[128];

	if (!file)
		err(KSFT_FAIL, "/proc/vmstat");
	while (found < 0 && fscanf(file, "%127s %ld", line, &value) == 2)
		if (!strcmp(line, name))
			found = value;
	fclose(file);
	return found;
}

/* ---- ranges ---- */

size_t table_size(void)
{
	/* Without huge pages nobody says it. */
	return read_pmd_pagesize() ?: psize() * (psize() / sizeof(long));
}

void *reserve(size_t size)
{
	size_t align = table_size();
	char *start = mmap(NULL, size + 3 * align, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (start == MAP_FAILED)
		err(KSFT_FAIL, "mmap");
	return (void *)(((uintptr_t)start + 2 * align - 1) & -align);
}

void map_range(void *addr, size_t size)
{
	if (mmap(addr, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != addr)
		err(KSFT_FAIL, "mmap");
}

void map_filled(void *addr, size_t nr, unsigned long first)
{
	map_range(addr, nr * psize());
	fill_pages(addr, nr, first);
}

bool move_to(void *from, size_t size, void *to)
{
	return mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
		      to) == to;
}

void map_with_other_offset(void *addr, size_t size)
{
	char *from = reserve(psize()), *before = addr - psize();

	map_filled(from, 1, 0);
	fork_waiting();
	if (munmap(addr, size) || !move_to(from, psize(), before) ||
	    mremap(before, psize(), psize() + size, 0) != before)
		err(KSFT_FAIL, "mremap");
}

/* ---- processes ---- */

static void leave(int signal)
{
	_exit(0);
}

pid_t fork_waiting(void)
{
	pid_t parent = getpid(), pid;
	int waits[2];
	char c;

	if (pipe(waits))
		err(KSFT_FAIL, "pipe");
	pid = fork();
	if (pid < 0)
		err(KSFT_FAIL, "fork");
	if (pid) {
		/* It needs no more memory when it waits. */
		close(waits[1]);
		if (read(waits[0], &c, 1))
			err(KSFT_FAIL, "read");
		close(waits[0]);
		return pid;
	}
	signal(SIGUSR1, leave);
	prctl(PR_SET_PDEATHSIG, SIGUSR1);
	close(waits[0]);
	close(waits[1]);
	while (getppid() == parent)
		pause();
	_exit(0);
}

/* Exit after all children, with the status of the worst. */
static void end_as_children(void)
{
	int status, worst = 0;

	while (wait(&status) > 0) {
		if (WIFSIGNALED(status)) {
			signal(WTERMSIG(status), SIG_DFL);
			kill(getpid(), WTERMSIG(status));
		}
		if (worst < WEXITSTATUS(status))
			worst = WEXITSTATUS(status);
	}
	_exit(worst);
}

void go_on_in_child(void)
{
	pid_t pid;

	/* Children of children that have ended are ours. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		err(KSFT_FAIL, "PR_SET_CHILD_SUBREAPER");
	pid = fork();
	if (pid < 0)
		err(KSFT_FAIL, "fork");
	if (pid)
		end_as_children();
}

void go_on_in_orphan(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		_exit(pid < 0);
	while (getppid() == parent)
		usleep(100);
}

bool child_says(bool (*fn)(void *arg), void *arg)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		err(KSFT_FAIL, "fork");
	if (!pid)
		_exit(!fn(arg));
	if (waitpid(pid, &status, 0) != pid)
		err(KSFT_FAIL, "waitpid");
	return WIFEXITED(status) && !WEXITSTATUS(status);
}
