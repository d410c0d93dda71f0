// SPDX-License-Identifier: GPL-2.0
/*
 * Which files an mm owns.
 */

/**
 * DOC: Files for new pages
 *
 * A child that was forked before a page was made cannot have the page. As a member of
 * the page's file it is visited all the same. So an mm with many children begins another
 * file for its new pages. Only children that are forked from then on join it. These join
 * all files of the mm, so it should not own more files than it needs: one for each
 * ANON_SPACE_MAX_MEMBERS living members of the oldest, but not more than ANON_SPACE_MAX_MORE.
 * Otherwise the memberships of a family would grow with the square of its members.
 *
 * When it has that many, or is a member of many files of dead ancestors, it looks at its
 * pages. Pages which nobody else has are given to the file that it uses, and it leaves the
 * files to which none of its pages belongs any more. This takes as long as a fork. It is
 * done when the number of its forks since it began the last file has doubled, and once
 * when no child is alive that might have its pages.
 *
 * The oldest file that an mm owns is never left: all children are its members, which KSM
 * relies on. Nor is the oldest of all, on which swap-in relies. An mm with private
 * hugetlb memory leaves no file. An mm with a KSM page, be it in the swap cache, leaves
 * only files of its own: the page may have been merged for an ancestor that is dead, and
 * its mapping may be found only in the file of that one. So these mms begin no file while
 * they are members of many files of dead ancestors.
 */

#include <linux/anon_space.h>
#include <linux/hugetlb.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "../internal.h"
#include "../swap.h"

/* With more members of the file that it uses an mm may begin another one. */
#define ANON_SPACE_MAX_MEMBERS	16

/* It owns so many besides the oldest one. A thousand living children make use of them. */
#define ANON_SPACE_MAX_MORE	64

/**
 * struct files_walk - what a look at all pages is about
 * @file:     the file that the mm uses
 * @kept:     the file that was kept last
 * @nr:       length of @unneeded
 * @unneeded: memberships in files of which no page has been seen yet
 */
struct files_walk {
	struct anon_vma *file;
	struct anon_vma *kept;
	unsigned int nr;
	struct anon_membership **unneeded;
};

/*
 * NULL stands for the file of the mm for which KSM merged a page. That is our oldest one,
 * which is never left, or any file of others.
 */
static bool is_needed(const struct anon_membership *membership, struct anon_vma *file)
{
	if (file)
		return membership->anon_vma == file;
	/* The owner may change meanwhile, but neither to our mm nor from it. */
	return data_race(membership->anon_vma->owner) != membership->mm;
}

static void keep_file(struct files_walk *files, struct folio *folio)
{
	struct anon_vma *file;
	unsigned int i = 0;

	if (!folio_test_anon(folio))
		return;
	/* Read once: relatives may merge the page meanwhile. */
	file = folio_anon_vma(folio);
	/* Most pages in a row belong to one file. There may be thousands. */
	if (file && file == files->kept)
		return;
	files->kept = file;
	while (i < files->nr) {
		if (is_needed(files->unneeded[i], file))
			files->unneeded[i] = files->unneeded[--files->nr];
		else
			i++;
	}
}

/*
 * Does nobody else map it? It is locked, so it is not under migration. A large folio may
 * be mapped by many entries of ours: those of others are of members of its file. Others
 * may have device-exclusive entries, too, which are not counted: of small pages only who
 * has them to himself, of large folios all who do not map them as a whole.
 */
static bool is_mapped_here_only(struct folio *folio)
{
	if (folio_test_ksm(folio))
		return false;
	if (folio_mapcount(folio) == 1 &&
	    (!folio_test_large(folio) || folio_entire_mapcount(folio) == 1))
		return true;
	/* Members are added by forks of members: that is us alone. */
	return data_race(folio_anon_vma(folio)->nr_members) == 1;
}

/* In the swap cache others may have swap entries, and need not be members. */
static bool take(struct folio *folio, struct page *page,
		 struct vm_area_struct *vma)
{
	bool mine;

	if ((!folio_test_large(folio) && folio_mapcount(folio) != 1) ||
	    !folio_trylock(folio))
		return false;
	mine = is_mapped_here_only(folio) &&
	       (!folio_test_swapcache(folio) ||
		(!folio_test_large(folio) && PageAnonExclusive(page)));
	if (mine)
		folio_move_anon_rmap(folio, vma);
	folio_unlock(folio);
	return mine;
}

static void look_at_page(struct files_walk *files, struct vm_area_struct *vma,
			 struct page *page)
{
	struct folio *folio = page_folio(page);

	if (!folio_test_anon(folio) || folio_anon_vma(folio) == files->file)
		return;
	if (!take(folio, page, vma))
		keep_file(files, folio);
}

/*
 * A page of KSM may be mapped again as such, and one of a large folio if others of it are
 * mapped. All else is renewed, or copied if need be.
 */
static void look_at_swap_cache(struct files_walk *files, swp_entry_t entry)
{
	struct folio *folio;

	if (!IS_ENABLED(CONFIG_SWAP))
		return;
	folio = filemap_get_folio(swap_address_space(entry),
				  swap_cache_index(entry));
	if (IS_ERR(folio))
		return;
	if (folio_test_ksm(folio) ||
	    (folio_test_large(folio) && folio_mapped(folio)))
		keep_file(files, folio);
	folio_put(folio);
}

static void look_at_pte(struct files_walk *files, struct vm_area_struct *vma,
			unsigned long addr, pte_t pte)
{
	struct page *page;
	swp_entry_t entry;

	if (pte_none(pte))
		return;
	if (pte_present(pte)) {
		page = vm_normal_page(vma, addr, pte);
		if (page)
			look_at_page(files, vma, page);
		return;
	}
	entry = pte_to_swp_entry(pte);
	if (!non_swap_entry(entry))
		look_at_swap_cache(files, entry);
	else if (is_pfn_swap_entry(entry) && !is_hwpoison_entry(entry))
		keep_file(files, pfn_swap_entry_folio(entry));
}

static void look_at_pmd(struct files_walk *files, struct vm_area_struct *vma,
			pmd_t pmd)
{
	if (!pmd_present(pmd))
		keep_file(files, pfn_swap_entry_folio(pmd_to_swp_entry(pmd)));
	else if (pmd_trans_huge(pmd) && !is_huge_zero_pmd(pmd))
		look_at_page(files, vma, pmd_page(pmd));
}

static int look_at_entries(pmd_t *pmd, unsigned long addr, unsigned long end,
			   struct mm_walk *walk)
{
	struct files_walk *files = walk->private;
	spinlock_t *ptl = NULL;
	pte_t *start, *pte;

	ptl = pmd_trans_huge_lock(pmd, walk->vma);
	if (ptl) {
		look_at_pmd(files, walk->vma, *pmd);
		spin_unlock(ptl);
		return !files->nr;
	}
	start = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!start) {
		walk->action = ACTION_AGAIN;
		return 0;
	}
	for (pte = start; addr < end; pte++, addr += PAGE_SIZE)
		look_at_pte(files, walk->vma, addr, ptep_get(pte));
	pte_unmap_unlock(start, ptl);
	cond_resched();
	return !files->nr;
}

static const struct mm_walk_ops files_ops = {
	.pmd_entry = look_at_entries,
	.walk_lock = PGWALK_WRLOCK_VERIFY,
};

/*
 * Nobody else makes pages here meanwhile, of whatever file: all VMAs are locked, and stay
 * so until the mmap_lock is released. Returns whether all have been looked at.
 */
static bool look_at_pages(struct files_walk *files, struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;

	mmap_assert_write_locked(mm);
	for_each_vma(vmi, vma) {
		vma_start_write(vma);
		if (vma->anon_vma && is_vm_hugetlb_page(vma))
			return false;
	}
	vma_iter_set(&vmi, 0);
	for_each_vma(vmi, vma) {
		if (vma->anon_vma && walk_page_vma(vma, &files_ops, files))
			return false;
	}
	return true;
}

/**
 * struct files_count - files that an mm may be able to leave
 * @own:  files of its own, neither the oldest nor the one that it uses
 * @dead: files of dead ancestors, but the oldest of all
 */
struct files_count {
	unsigned int own;
	unsigned int dead;
};

/* A few of dead ancestors are left alone: most processes have some. */
static bool has_many_dead(struct files_count nr)
{
	return nr.dead > ANON_SPACE_MAX_DEAD;
}

/* Counts memberships in such files, and lists them if @unneeded is not NULL. */
static struct files_count count_files(struct mm_struct *mm,
				      struct anon_membership **unneeded)
{
	struct anon_vma *family = anon_space_family_file(mm);
	struct anon_vma *oldest = anon_space_oldest_file(mm);
	struct anon_membership *membership;
	struct files_count nr = {};

	list_for_each_entry(membership, &mm->anon_space.memberships, in_mm) {
		struct anon_vma *file = membership->anon_vma;
		/* A relative may adopt a dead one now. We may leave it all the same. */
		struct mm_struct *owner = data_race(file->owner);

		if ((owner && owner != mm) || file == family ||
		    file == oldest || file == mm->anon_space.anon_vma)
			continue;
		if (unneeded)
			unneeded[nr.own + nr.dead] = membership;
		if (owner)
			nr.own++;
		else
			nr.dead++;
	}
	return nr;
}

static void leave_files(struct mm_struct *mm, struct files_count nr)
{
	struct files_walk files = { .file = mm->anon_space.anon_vma };

	if (!nr.own && !has_many_dead(nr))
		return;
	/* All of them, as more owners may die meanwhile. None is added. */
	files.unneeded = kmalloc_array(list_count_nodes(&mm->anon_space.memberships),
				       sizeof(*files.unneeded), GFP_KERNEL);
	if (!files.unneeded)
		return;
	nr = count_files(mm, files.unneeded);
	files.nr = nr.own + nr.dead;
	if (look_at_pages(&files, mm))
		while (files.nr)
			anon_space_leave(files.unneeded[--files.nr]);
	kfree(files.unneeded);
}

/**
 * anon_space_begin_file - begin another file for new pages, if that saves visits
 * @mm: an mm that is about to be forked
 *
 * If there is no memory for it nothing is lost, but walks take longer.
 *
 * Context: sleeps. mmap_lock held for writing. May lock all VMAs. Takes file locks and
 * the space lock.
 */
void anon_space_begin_file(struct mm_struct *mm)
{
	struct anon_space *space = &mm->anon_space;
	unsigned int nr_members, may;
	struct anon_vma *family;
	struct files_count nr;
	bool owns_more, looks, alone;

	mmap_assert_write_locked(mm);
	space->nr_forks++;
	/* Relatives may join or leave meanwhile. The number affects only the cost. */
	nr_members = data_race(space->anon_vma->nr_members);
	if (likely(nr_members <= ANON_SPACE_MAX_MEMBERS && nr_members > 1))
		return;
	if (likely(nr_members == 1 && list_is_singular(&space->memberships)))
		return;

	family = anon_space_family_file(mm);
	/* As above. */
	may = min(data_race(family->nr_members) / ANON_SPACE_MAX_MEMBERS,
		  ANON_SPACE_MAX_MORE);
	owns_more = space->anon_vma != family;
	nr = count_files(mm, NULL);
	looks = is_power_of_2(space->nr_forks);
	/* As above. Once only: what was not taken then may stay for long. */
	alone = data_race(family->nr_members) == 1 && !space->looked_alone;
	if ((nr.own + owns_more >= may && (looks || alone)) ||
	    (has_many_dead(nr) && looks)) {
		leave_files(mm, nr);
		space->looked_alone |= alone;
		nr = count_files(mm, NULL);
	}
	if (nr_members > ANON_SPACE_MAX_MEMBERS && nr.own + owns_more < may &&
	    !has_many_dead(nr) && !anon_space_use_new_file(mm)) {
		space->nr_forks = 0;
		space->looked_alone = false;
	}
}

/* For a walk: where the folio is mapped. fork() may have copied the entry meanwhile. */
static bool take_for_mapper(struct folio *folio, struct vm_area_struct *vma,
			    unsigned long address, void *arg)
{
	DEFINE_FOLIO_VMA_WALK(pvmw, folio, vma, address, 0);

	if (!page_vma_mapped_walk(&pvmw))
		return true;
	if (is_mapped_here_only(folio))
		folio_move_anon_rmap(folio, vma);
	page_vma_mapped_walk_done(&pvmw);
	return false;
}

/**
 * anon_space_take_folio - give a folio with many possible mappers to the one it has
 * @folio: an anonymous folio, no KSM one, that is about to be unmapped and mapped again
 *
 * The walk that maps it again cannot know when it has found all entries. It would visit
 * all members of the file, even those that have unmapped the folio. This walk ends with
 * the entry that there is, which is usually that of the oldest member.
 *
 * The page table lock keeps the entry, and the space lock keeps the mm from using another
 * file, and so from leaving this one.
 *
 * Context: sleeps. Folio lock held. Takes the file lock and space locks.
 */
void anon_space_take_folio(struct folio *folio)
{
	struct rmap_walk_control rwc = {
		.rmap_one = take_for_mapper,
		.anon_lock = folio_lock_anon_vma_read,
	};
	unsigned int nr_members = 0;

	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);
	if (folio_test_large(folio) && folio_entire_mapcount(folio) != 1)
		return;
	/* All walks end with the owner of an exclusive page. A fork costs a visit or two. */
	if (PageAnonExclusive(&folio->page))
		return;
	/* The file of what is mapped is not freed before rcu_read_unlock(). */
	rcu_read_lock();
	if (folio_mapcount(folio) == 1) {
		/* Relatives may join or leave meanwhile. It affects only the cost. */
		nr_members = data_race(folio_anon_vma(folio)->nr_members);
	}
	rcu_read_unlock();
	/* In the swap cache others may have swap entries, and need not be members. */
	if (nr_members > ANON_SPACE_MAX_MEMBERS && !folio_test_swapcache(folio))
		rmap_walk(folio, &rwc);
}
