// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of what others ask about anonymous memory, or do with it: security modules,
 * and devices that want pages for themselves.
 */

#include <kunit/test.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/uaccess.h>

#include "../../mm/anon_space/internal.h"
#include "../../mm/internal.h"
#include "../../mm/swap.h"
#include "anon_space_states.h"

/* ---- security modules ---- */

#if defined(CONFIG_SECURITY) && defined(CONFIG_KPROBES) && \
	defined(CONFIG_PER_VMA_LOCK)
#define CAN_ASK	true

static struct task_struct *asked_of;
static unsigned int nr_asked, nr_unlocked;

/* A module may want to know whether there are anonymous pages, as SELinux does. */
static int ask(struct kprobe *probe, struct pt_regs *regs)
{
	struct vm_area_struct *vma =
		(struct vm_area_struct *)regs_get_kernel_argument(regs, 0);
	int seq;

	if (current != asked_of)
		return 0;
	nr_asked++;
	nr_unlocked += !vma->anon_vma && !__is_vma_write_locked(vma, &seq);
	return 0;
}

static struct kprobe ask_probe = {
	.symbol_name = "security_file_mprotect",
	.pre_handler = ask,
};

static int ask_begin(void)
{
	asked_of = current;
	nr_asked = 0;
	nr_unlocked = 0;
	return register_kprobe(&ask_probe);
}

static void ask_end(struct kunit *test)
{
	unregister_kprobe(&ask_probe);
	KUNIT_EXPECT_EQ(test, nr_asked, 1);
	KUNIT_EXPECT_EQ(test, nr_unlocked, 0);
}
#else
#define CAN_ASK	false

static int ask_begin(void)
{
	return -EOPNOTSUPP;
}

static void ask_end(struct kunit *test)
{
}
#endif

/* A first fault needs the lock of the VMA alone, so the answer would change meanwhile. */
static void no_fault_while_protection_is_asked_for(struct kunit *test)
{
	struct world *w = test->priv;

	if (!CAN_ASK)
		kunit_skip(test, "needs SECURITY, KPROBES and PER_VMA_LOCK");
	user_map(w->parent, 0, 8);
	KUNIT_ASSERT_EQ(test, 0, ask_begin());
	user_protect(w->parent, 0, 8, PROT_READ);
	ask_end(test);
	world_check(w);
}

/* ---- devices ---- */

#define NR	8	/* pages that a device wants */

/**
 * struct device_case - pages that a device wants for itself
 * @name:      as the test prints it
 * @huge:      are they the first ones of a huge page?
 * @swapcache: is that in the swap cache?
 * @nr:        how many it gets; all of a folio count as its first one
 */
struct device_case {
	const char *name;
	bool huge, swapcache;
	unsigned int nr;
};

/* What is mapped nowhere gets a new index when a page of it is swapped in. */
static const struct device_case device_cases[] = {
	{ "small pages", .nr = NR },
	{ "a folio", .huge = true, .nr = 1 },
	{ "a folio in the swap cache", .huge = true, .swapcache = true },
};

KUNIT_ARRAY_PARAM_DESC(device, device_cases, name);

/* The folio of the first page, referenced. */
static struct folio *put_into_swap_cache(struct kunit *test)
{
	struct folio *folio = user_folio_at(0);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_EXPECT_EQ(test, 0, user_swap_on());
	folio_lock(folio);
	KUNIT_EXPECT_TRUE(test, add_to_swap(folio));
	folio_unlock(folio);
	return folio;
}

static void take_out_of_swap_cache(struct kunit *test, struct folio *folio)
{
	folio_lock(folio);
	KUNIT_EXPECT_TRUE(test, folio_free_swap(folio));
	folio_unlock(folio);
	folio_put(folio);
}

/* Returns how many of the first @want pages the device has. */
static unsigned int make_exclusive(struct kunit *test, unsigned int want)
{
	struct page *pages[NR] = {};
	unsigned int i, nr = 0;
	int found = 0;

	mmap_read_lock(current->mm);
	if (IS_ENABLED(CONFIG_DEVICE_PRIVATE))
		found = make_device_exclusive_range(current->mm, user_addr(0),
						    user_addr(want), pages, NULL);
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, found, want);
	for (i = 0; i < want; i++) {
		if (!pages[i])
			continue;
		nr++;
		unlock_page(pages[i]);
		put_page(pages[i]);
	}
	return nr;
}

/* What moves meanwhile is where it should be when the process has it again. */
static void device_has_pages(struct kunit *test)
{
	const struct device_case *c = test->param_value;
	struct folio *folio = NULL;
	struct world *w = test->priv;

	if (!IS_ENABLED(CONFIG_DEVICE_PRIVATE))
		kunit_skip(test, "needs DEVICE_PRIVATE");
	if (c->huge)
		world_fault_huge(w);
	else
		world_fault(w);
	if (c->swapcache)
		folio = put_into_swap_cache(test);
	KUNIT_EXPECT_EQ(test, make_exclusive(test, NR), c->nr);
	user_move(w->parent, 0, NR, FAR);
	world_check_mms(w);
	user_check_contents(w->parent);
	if (folio)
		take_out_of_swap_cache(test, folio);
	user_unmap(w->parent, NR, USER_AREA - NR);
	world_check(w);
}

#define CROWD	40	/* children who make their parent begin more files */

static void touch_shared(void *unused)
{
	int i;

	for (i = 1; i < NR; i++)
		get_user(i, (int __user *)user_addr(i));
}

/*
 * A relative's pages are with the device, too, and not counted as mapped. Its parent has one
 * page of the folio back, forks, and looks which files it can leave.
 */
static void folio_with_device_keeps_its_file(struct kunit *test)
{
	struct anon_space *space = &current->mm->anon_space;
	struct world *w = test->priv;
	struct user_child *children;
	struct folio *folio;
	unsigned int i;

	if (!IS_ENABLED(CONFIG_DEVICE_PRIVATE))
		kunit_skip(test, "needs DEVICE_PRIVATE");
	user_need_huge_pages(test);
	children = kunit_kcalloc(test, CROWD, sizeof(*children), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, children);
	world_fault_huge(w);
	KUNIT_EXPECT_EQ(test, 0, do_madvise(current->mm, user_addr(0),
					    PAGE_SIZE, MADV_DONTFORK));
	for (i = 0; i < CROWD; i++)
		KUNIT_EXPECT_EQ(test, 0, user_fork(&children[i]));
	for (i = 1; i < CROWD; i++)
		user_exit(&children[i]);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&space->memberships), 3);

	do {
		KUNIT_EXPECT_EQ(test, make_exclusive(test, 1), 1);
		KUNIT_EXPECT_EQ(test, 0, get_user(i, (int __user *)user_addr(0)));
		KUNIT_EXPECT_EQ(test, 0, user_fork(&w->fork_task));
		user_exit(&w->fork_task);
	} while (!is_power_of_2(space->nr_forks));
	KUNIT_EXPECT_EQ(test, list_count_nodes(&space->memberships), 2);

	folio = user_folio_at(0);
	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_EXPECT_TRUE(test, anon_space_is_member(children[0].mm,
						     folio_anon_vma(folio)));
	folio_put(folio);
	user_run(&children[0], touch_shared, NULL);
	user_check_mm(test, children[0].mm);
	user_exit(&children[0]);
	world_check_mms(w);
}

static struct kunit_case others_cases[] = {
	KUNIT_CASE(no_fault_while_protection_is_asked_for),
	KUNIT_CASE_PARAM(device_has_pages, device_gen_params),
	KUNIT_CASE(folio_with_device_keeps_its_file),
	{}
};

static struct kunit_suite others_suite = {
	.name = "anon_space_others",
	.init = world_init_test,
	.exit = world_exit_test,
	.test_cases = others_cases,
};

kunit_test_suite(others_suite);

MODULE_DESCRIPTION("KUnit tests of what others do with anonymous memory");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
