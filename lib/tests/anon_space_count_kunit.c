// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of how often something is done: looks at all pages
 * of an mm.
 */

#include <kunit/test.h>
#include <linux/anon_space.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/rmap.h>
#include <linux/uaccess.h>

#include "../../mm/anon_space/internal.h"
#include "../../mm/internal.h"
#include "anon_space_states.h"

static unsigned long pfn_at(struct mm_struct *mm, unsigned long addr)
{
	pmd_t *pmd = mm_find_pmd(mm, addr);
	unsigned long pfn = 0;
	pte_t *pte;
	pmd_t pmde;

	if (!pmd)
		return 0;
	pmde = pmdp_get_lockless(pmd);
	if (pmd_trans_huge(pmde))
		return pmd_pfn(pmde) + pte_index(addr);
	pte = pte_offset_map(pmd, addr);
	if (!pte)
		return 0;
	if (pte_present(ptep_get(pte)))
		pfn = pte_pfn(ptep_get(pte));
	pte_unmap(pte);
	return pfn;
}

/* ---- looks at all pages ---- */

#define MAX_MEMBERS	16	/* of a file, before its owner begins another one */
#define NR_PAGES	32
#define NR_FORKS	20

static bool fork_another(struct kunit *test, struct user_child *child)
{
	int ret = user_fork(child);

	KUNIT_EXPECT_EQ(test, 0, ret);
	return !ret;
}

static struct anon_vma *file_in_use(void)
{
	return current->mm->anon_space.anon_vma;
}

static void unmap_page(void *data)
{
	const unsigned int *page = data;

	vm_munmap(user_addr(*page), PAGE_SIZE);
}

/*
 * So many children that two files are begun after the first one. Pages of the second are
 * shared with one of them, so that it is needed as long as it is.
 */
static unsigned int begin_two_files(struct kunit *test,
				    struct user_child *children,
				    unsigned int max)
{
	struct anon_vma *first, *second;
	unsigned int i, nr = 0;

	KUNIT_EXPECT_EQ(test, 0, put_user(1u, (u32 __user *)user_addr(0)));
	first = file_in_use();
	while (nr < max - 2 && fork_another(test, &children[nr])) {
		nr++;
		if (file_in_use() != first &&
		    file_in_use()->nr_members == MAX_MEMBERS)
			break;
	}
	second = file_in_use();
	KUNIT_EXPECT_PTR_NE(test, first, second);
	for (i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_EQ(test, 0, put_user(i, (u32 __user *)user_addr(i + 1)));
	nr += fork_another(test, &children[nr]);
	KUNIT_EXPECT_PTR_EQ(test, second, file_in_use());
	/* The one that is begun now has no other member afterwards. */
	if (fork_another(test, &children[nr]))
		user_exit(&children[nr]);
	KUNIT_EXPECT_PTR_NE(test, second, file_in_use());
	return nr;
}

/* An mm that forks looks at its pages when the number of forks has doubled. */
static void looks_become_rare(struct kunit *test)
{
	const unsigned int max = 3 * MAX_MEMBERS;
	struct user_child *children, last = {};
	struct world *w = test->priv;
	unsigned int nr, i;
	struct folio *folio;

	children = kunit_kcalloc(test, max, sizeof(*children), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, children);
	user_map(w->parent, 0, NR_PAGES + 1);
	nr = begin_two_files(test, children, max);
	for (i = 1; nr && i <= NR_FORKS; i++) {
		/* This page is ours alone, which a look finds out. */
		user_run(&children[nr - 1], unmap_page, &i);
		if (!fork_another(test, &last))
			break;
		user_exit(&last);
		folio = pfn_folio(pfn_at(current->mm, user_addr(i)));
		KUNIT_EXPECT_EQ_MSG(test, is_power_of_2(i),
				    folio_anon_vma(folio) == file_in_use(),
				    "after %u forks", i);
	}
	user_check_mm(test, current->mm);
	while (nr--)
		user_exit(&children[nr]);
	user_check_mm(test, current->mm);
}

static struct kunit_case count_cases[] = {
	KUNIT_CASE(looks_become_rare),
	{}
};

static struct kunit_suite count_suite = {
	.name = "anon_space_count",
	.init = world_init_test,
	.exit = world_exit_test,
	.test_cases = count_cases,
};

kunit_test_suite(count_suite);

MODULE_DESCRIPTION("KUnit tests of how often something is done to anonymous memory");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
