// SPDX-License-Identifier: GPL-2.0
/*
 * Processes: workers grow one tree of processes after the other.  A tree
 * depends on the seed and its own path alone, so it can be replayed.  In a line
 * that is so but for how long a process goes on beside its successors.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "torture.h"

#define MAX_THREADS	4
#define MIN_AREA	(2 * HUGE_PAGES)
#define MAX_DEPTH	4
#define GENERATIONS	200	/* of a line */
#define LINE_BUDGET	20	/* operations, as generations matter more */
#define MAX_OLDER	12	/* that live beside the youngest; the kernel minds 8 dead ones */
#define MODEL_SIZE	((NR_SLOTS + NR_HEAP) * sizeof(struct slot))
#define GRACE		1080	/* seconds that processes get to end */

struct shared *shared;
static struct actor actors[MAX_THREADS];
static const struct op *wheel[1024];
static unsigned int wheel_size;

static const struct weight move_weights[] = {
	{ "map", 6 }, { "write", 12 }, { "read", 4 }, { "move", 30 },
	{ "round_trip", 12 }, { "splice", 6 }, { "dontunmap", 8 },
	{ "gather", 16 }, { "chain", 8 },
	{ "grow", 6 }, { "move_shrink", 4 }, { "uffd", 8 }, { "fork", 6 },
	{ "write_same", 4 }, { NULL }
};

static const struct weight fork_weights[] = {
	{ "map", 4 }, { "write", 16 }, { "read", 8 }, { "move", 4 },
	{ "fork", 16 }, { "spawn", 2 }, { "unmap", 2 }, { NULL }
};

static const struct weight line_weights[] = {
	{ "map", 3 }, { "write", 20 }, { "write_same", 10 }, { "read", 8 },
	{ "move", 8 }, { "chain", 4 }, { "gather", 4 }, { "dontunmap", 2 },
	{ "advise", 6 }, { "protect", 2 }, { "uffd", 2 }, { "fork", 3 }, { NULL }
};

/* Mostly one call each; the long ones, processes above all, are rare. */
static const struct weight small_weights[] = {
	{ "write", 240 }, { "read", 200 }, { "move", 120 }, { "map", 80 },
	{ "protect", 80 }, { "advise", 60 }, { "unmap", 50 },
	{ "dontunmap", 30 }, { "grow", 30 }, { "shrink", 20 },
	{ "move_shrink", 20 }, { "heap", 15 }, { "write_same", 15 },
	{ "read_copied", 15 }, { "name", 10 }, { "unlock", 10 }, { "gather", 6 },
	{ "lock", 5 }, { "chain", 4 }, { "round_trip", 4 }, { "bad_move", 4 },
	{ "splice", 3 }, { "uffd", 2 }, { "fork", 1 }, { NULL }
};

const struct profile profiles[] = {
	{ "mix", "everything against everything", NULL, ~0U, 30, 300 },
	{ "move", "moves of inherited memory against migration, reclaim, split",
	  move_weights, 1 << MIGRATE | 1 << MIGRATE_ALL | 1 << PAGEOUT |
	  1 << RECLAIM | 1 << SPLIT | 1 << KSM | 1 << VALIDATE |
	  1 << READ_SPACE | 1 << PROBABILITY, 30, 300 },
	{ "fork", "fork and exit against migration", fork_weights,
	  1 << MIGRATE | 1 << MIGRATE_ALL | 1 << COMPACT | 1 << VALIDATE |
	  1 << READ_SPACE | 1 << PROBABILITY, 30, 300 },
	{ "line", "descendants of the dead, with their pages and KSM's",
	  line_weights,
	  1 << MIGRATE | 1 << MIGRATE_ALL | 1 << PAGEOUT | 1 << RECLAIM |
	  1 << COMPACT | 1 << SPLIT | 1 << KSM | 1 << SWAPOFF | 1 << VALIDATE |
	  1 << READ_SPACE | 1 << PROBABILITY, 0, LINE_BUDGET, .is_line = true },
	{ "small", "a few pages at a time, many times", small_weights,
	  1 << MIGRATE | 1 << MIGRATE_ALL | 1 << PAGEOUT | 1 << RECLAIM |
	  1 << COMPACT | 1 << SPLIT | 1 << KSM | 1 << VALIDATE |
	  1 << READ_SPACE | 1 << PROBABILITY, 4000, 12000, .area = MIN_AREA,
	  .few = 8, .rare = 256, .calm = 10 },
	{ NULL },
};

/* Is the name in a list with commas? */
bool in_list(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (; *list; list += strcspn(list, ",") + 1) {
		if (!strncmp(list, name, len) &&
		    (list[len] == ',' || !list[len]))
			return true;
		if (!list[strcspn(list, ",")])
			break;
	}
	return false;
}

static unsigned int weight_of(const struct op *op)
{
	const struct weight *w = options.profile->weights;

	if (options.without && in_list(options.without, op->name))
		return 0;
	if (!w)
		return op->weight;
	for (; w->op; w++) {
		if (!strcmp(w->op, op->name))
			return w->weight;
	}
	return 0;
}

static void build_wheel(void)
{
	const struct op *op;
	unsigned int i;

	for (op = ops; op->name; op++) {
		for (i = weight_of(op); i; i--) {
			if (wheel_size == ARRAY_SIZE(wheel))
				die("profile %s: weights add up to too much",
				    options.profile->name);
			wheel[wheel_size++] = op;
		}
	}
}

static bool ending(void)
{
	return shared->stop || shared->failed;
}

static void step(void)
{
	const struct op *op = wheel[below(wheel_size)];
	struct range area = me->area;
	unsigned long recorded = me->recorded;

	if (op->on_heap && me->owns_heap && one_in(10))
		me->area = (struct range){ NR_SLOTS, NR_HEAP };
	op->run();
	me->area = area;
	/* Not what found nothing to work on. */
	if (me->recorded != recorded)
		atomic_fetch_add(&shared->operations, 1);
}

/* Of a child that failed, the reason has been told by itself, if it could. */
static void check_status(pid_t pid, int status)
{
	if (WIFSIGNALED(status) && !shared->failed)
		fail("process %d was killed by signal %d", pid,
		     WTERMSIG(status));
	if (status && !shared->failed)
		fail("process %d ended with status %d", pid,
		     WEXITSTATUS(status));
}

static bool reap(pid_t *child, int flags)
{
	int status;

	if (*child && waitpid(*child, &status, flags) == *child) {
		check_status(*child, status);
		*child = 0;
	}
	return !*child;
}

static void reap_all(void)
{
	for (unsigned int i = 0; i < NR_CHILDREN; i++)
		reap(&me->children[i], 0);
}

static void *run_thread(void *arg)
{
	unsigned int i;

	me = arg;
	if (pipe2(me->pipe, O_CLOEXEC))
		fail("pipe: %m");
	if (options.inject)
		inject(true);
	for (i = 0; i < me->budget && !ending(); i++)
		step();
	if (options.inject)
		inject(false);
	verify_all();
	reap_all();
	close(me->pipe[0]);
	close(me->pipe[1]);
	return NULL;
}

static unsigned int enter_live(void)
{
	unsigned int i;
	pid_t none;

	for (i = 0; i < MAX_LIVE; i++) {
		none = 0;
		if (atomic_compare_exchange_strong(&shared->live[i], &none,
						   getpid()))
			break;
	}
	return i;
}

static void leave_live(unsigned int i)
{
	if (i < MAX_LIVE)
		shared->live[i] = 0;
	atomic_fetch_sub(&shared->processes, 1);
}

/* Divides the area; the first thread is this one. */
static unsigned int set_up_threads(struct range area)
{
	unsigned int i, nr, size, most = area.nr / MIN_AREA;

	memset(actors, 0, sizeof(actors));
	me = &actors[0];
	me->random = mix(options.seed, self.path, 0);
	nr = 1 + below(MAX_THREADS);
	if (nr > most)
		nr = most ?: 1;
	size = area.nr / nr / HUGE_PAGES * HUGE_PAGES;
	for (i = 0; i < nr; i++) {
		me = &actors[i];
		me->nr = i;
		me->random = mix(options.seed, self.path, i + 1);
		me->area.first = area.first + i * size;
		me->area.nr = i < nr - 1 ? size : area.nr - i * size;
		me->budget = options.profile->least +
			     below(options.profile->budget);
	}
	me = &actors[0];
	me->owns_heap = true;
	return nr;
}

static void go_on_in_line(void);

/* Runs a process from here to its end. */
static void __attribute__((noreturn)) run_process(struct range area)
{
	pthread_t threads[MAX_THREADS];
	unsigned int i, nr, live;

	self.id = mix(options.seed, self.path, 0);
	nr = set_up_threads(area);
	live = enter_live();
	for (i = 1; i < nr; i++) {
		errno = pthread_create(&threads[i], NULL, run_thread,
				       &actors[i]);
		if (errno)
			fail("pthread_create: %m");
	}
	run_thread(&actors[0]);
	for (i = 1; i < nr; i++)
		pthread_join(threads[i], NULL);
	verify_merges();
	if (options.profile->is_line && !self.depth)
		go_on_in_line();
	leave_live(live);
	if (one_in(8))
		execl("/proc/self/exe", "torture", "exec", NULL);
	_exit(EXIT_SUCCESS);
}

static struct slot *new_model(void)
{
	struct slot *slots = mmap(NULL, MODEL_SIZE, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (slots == MAP_FAILED)
		fail("mmap of a model: %m");
	return slots;
}

/* The memory of the parent's other threads is in an unknown state. */
static void drop_others_memory(void)
{
	struct range before = { 0, me->area.first };
	struct range after = { me->area.first + me->area.nr, 0 };

	after.nr = NR_SLOTS - after.first;
	if ((before.nr && munmap(range_addr(before), range_len(before))) ||
	    (after.nr && munmap(range_addr(after), range_len(after))))
		fail("munmap in a child: %m");
	if (me->owns_heap)
		return;
	/*
	 * fork() copies the end of the heap without a lock: if another thread
	 * was in brk(), it may not fit the mappings.  Begin a new heap there.
	 */
	if (munmap(self.heap, NR_HEAP * PAGE_SIZE))
		fail("munmap of the heap: %m");
	self.heap = (char *)syscall(SYS_brk, 0);
	self.heap_nr = 0;
}

static void __attribute__((noreturn)) run_child(struct slot *model)
{
	inject(false);
	munmap(self.slots, MODEL_SIZE);
	self.slots = model;
	open_mem();
	drop_others_memory();
	verify_all();
	verify_merges();
	run_process(me->area);
}

static void name_child(void)
{
	size_t len = strlen(self.path);

	snprintf(self.path + len, sizeof(self.path) - len, "/%u.%u", me->nr,
		 me->forks);
	self.depth++;
}

static void name_successor(void)
{
	size_t len = strcspn(self.path, "+");

	self.generation++;
	snprintf(self.path + len, sizeof(self.path) - len, "+%u",
		 self.generation);
	*self.youngest = self.generation;
	atomic_fetch_add(&shared->successors, 1);
}

/*
 * The memory of a line is that of one thread.  A child is the next generation.  This
 * one works on beside it and some more, and then ends before them: what they have
 * from it is left to them.
 */
static void go_on_in_line(void)
{
	struct slot *model;
	unsigned int older;
	pid_t pid;

	me = &actors[0];
	if (ending() || self.generation == GENERATIONS) {
		*self.youngest = UINT_MAX;
		return;
	}
	older = self.generation + below(MAX_OLDER + 1);
	model = new_model();
	model_copy_for_child(model);
	record("succeed", me->area, self.generation, older);
	atomic_fetch_add(&shared->processes, 1);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		name_successor();
		run_child(model);
	}
	if (pid < 0)
		fail("fork: %m");
	munmap(model, MODEL_SIZE);
	while (!ending() && *self.youngest < older) {
		me->budget = LINE_BUDGET;
		run_thread(me);
		verify_merges();
	}
}

static pid_t *free_child(void)
{
	unsigned int i;

	for (i = 0; i < NR_CHILDREN; i++) {
		if (reap(&me->children[i], WNOHANG))
			return &me->children[i];
	}
	return NULL;
}

void op_fork(void)
{
	pid_t *child = free_child();
	struct slot *model;
	pid_t pid;

	me->forks++;
	if (!child || self.depth == MAX_DEPTH)
		return;
	if (atomic_fetch_add(&shared->processes, 1) >= MAX_LIVE) {
		atomic_fetch_sub(&shared->processes, 1);
		return;
	}
	record("fork", me->area, 0, me->forks);
	inject(false);
	model = new_model();
	model_copy_for_child(model);
	inject(options.inject);
	pid = retry(fork());
	if (!pid) {
		name_child();
		run_child(model);
	}
	munmap(model, MODEL_SIZE);
	if (pid > 0) {
		*child = pid;
		return;
	}
	refused("fork", errno);
	atomic_fetch_sub(&shared->processes, 1);
}

/* A program of its own, started as a shell would. */
void op_spawn(void)
{
	int status;
	pid_t pid;

	record("spawn", me->area, 0, -1);
	inject(false);
	pid = vfork();
	if (!pid) {
		execl("/proc/self/exe", "torture", "exec", NULL);
		_exit(EXIT_FAILURE);
	}
	if (pid < 0)
		refused("vfork", errno);
	else if (waitpid(pid, &status, 0) == pid)
		check_status(pid, status);
	inject(options.inject);
}

static void __attribute__((noreturn)) run_tree(const char *path)
{
	snprintf(self.path, sizeof(self.path), "%s", path);
	self.slots = new_model();
	self.youngest = mmap(NULL, sizeof(*self.youngest),
			     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			     -1, 0);
	if (self.youngest == MAP_FAILED)
		fail("mmap: %m");
	open_mem();
	run_process((struct range){ 0, options.profile->is_line ? MIN_AREA :
				    tree_area() });
}

/* Those of a line, of whatever generation, are left to the worker in the end. */
static void plant_tree(const char *path)
{
	int status;
	pid_t pid;

	atomic_fetch_add(&shared->processes, 1);
	pid = fork();
	if (pid < 0)
		fail("fork: %m");
	if (!pid)
		run_tree(path);
	for (;;) {
		pid = waitpid(-1, &status, 0);
		if (pid < 0)
			break;
		check_status(pid, status);
	}
}

static void __attribute__((noreturn)) run_worker(unsigned int nr)
{
	char path[32];
	unsigned int i;

	snprintf(self.path, sizeof(self.path), "worker %u", nr);
	me = &actors[0];
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		fail("prctl: %m");
	if (options.tree) {
		plant_tree(options.tree);
		_exit(EXIT_SUCCESS);
	}
	for (i = 0; !ending(); i++) {
		snprintf(path, sizeof(path), "%u.%u", nr, i);
		plant_tree(path);
	}
	_exit(EXIT_SUCCESS);
}

static void show_file(pid_t pid, const char *name)
{
	char path[64], buffer[4096];
	ssize_t len = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		len = read(fd, buffer, sizeof(buffer));
		close(fd);
	}
	printf("--- %s\n%.*s\n", path, (int)(len > 0 ? len : 0), buffer);
}

static void report_hang(void)
{
	unsigned int i;

	printf("FAILED: processes still run %d s after the end, seed %#" PRIx64 "\n",
	       GRACE, options.seed);
	for (i = 0; i < MAX_LIVE; i++) {
		if (!shared->live[i])
			continue;
		show_file(shared->live[i], "wchan");
		show_file(shared->live[i], "stack");
	}
	shared->failed = true;
}

/* Waits for workers until end (0: for ever); true if all have ended. */
static bool wait_for_workers(pid_t *workers, time_t end)
{
	unsigned int i, running;

	for (;;) {
		for (i = 0, running = 0; i < options.workers; i++)
			running += !reap(&workers[i], WNOHANG);
		if (!running || time(NULL) >= end)
			return !running;
		if (shared->failed && !shared->stop)
			return false;
		usleep(100000);
	}
}

static void prepare(void)
{
	uint64_t page[PAGE_SIZE / sizeof(uint64_t)];
	unsigned int i;

	file_fd = memfd_create("torture", MFD_CLOEXEC);
	zero_fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	if (file_fd < 0 || zero_fd < 0)
		die("cannot open files: %m");
	for (i = 0; i < NR_FILE; i++) {
		fill_page(page, file_tag(i));
		if (write(file_fd, page, sizeof(page)) != sizeof(page))
			die("cannot write a file: %m");
	}
	/* A whole page off what is in use; see mallopt() in main(). */
	self.heap = (char *)(((unsigned long)sbrk(0) + PAGE_SIZE - 1) &
			     -PAGE_SIZE);
	snprintf(self.path, sizeof(self.path), "torture");
	me = &actors[0];
	me->random = options.seed;
	catch_signals();
	build_wheel();
}

/* What the kernel did meanwhile. */
static void show_vmstat(void)
{
	static const char * const names[] = {
		"pswpin", "pswpout", "pgmigrate_success", "compact_success",
		"thp_fault_alloc", "thp_collapse_alloc", "thp_split_page",
		"thp_split_pmd", "ksm_swpin_copy", "cow_ksm", "pglazyfreed",
	};
	FILE *file = fopen("/proc/vmstat", "re");
	char name[64];
	unsigned long value;
	unsigned int i;

	if (!file)
		die("/proc/vmstat: %m");
	printf("kernel:");
	while (fscanf(file, "%63s %lu", name, &value) == 2) {
		for (i = 0; i < ARRAY_SIZE(names); i++) {
			if (!strcmp(name, names[i]))
				printf(" %s %lu", name, value);
		}
	}
	printf("\n");
	fclose(file);
}

static void summary(time_t start)
{
	show_vmstat();
	printf("%lu operations, %lu verifications in %ld s; %lu refused, %lu failures injected, %lu pages poisoned, %lu successors\n",
	       shared->operations, shared->verifications, time(NULL) - start,
	       shared->refused, shared->injected, shared->poisoned,
	       shared->successors);
}

int run_torture(void)
{
	pid_t workers[options.workers];
	time_t start = time(NULL);
	unsigned int i;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("mmap: %m");
	shared->offline_budget = 2000;
	printf("seed %#" PRIx64 ", profile %s: %s\n", options.seed,
	       options.profile->name, options.profile->what);
	prepare();
	settle_machine();
	start_antagonists();
	fflush(stdout);
	for (i = 0; i < options.workers; i++) {
		workers[i] = fork();
		if (workers[i] < 0)
			die("fork: %m");
		if (!workers[i])
			run_worker(i);
	}
	wait_for_workers(workers, start + options.seconds);
	shared->stop = true;
	stop_antagonists();
	if (!wait_for_workers(workers, time(NULL) + GRACE))
		report_hang();
	reap_antagonists();
	if (validate() || (!shared->failed && has_lost_pages()))
		shared->failed = true;
	summary(start);
	fflush(stdout);
	return shared->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
