// SPDX-License-Identifier: GPL-2.0
/*
 * One virtual anonymous file per mm: the reverse map of anonymous memory.
 */

/**
 * DOC: The anonymous space
 *
 * Every mm is one virtual anonymous file, whose page N is the memory at address
 * N << PAGE_SHIFT. The vm_pgoff of an anonymous VMA is therefore given by its
 * address, the index of an anonymous folio is the address of its first page,
 * and anonymous VMAs merge as those of an ordinary file do: whenever their
 * attributes are equal.
 *
 * struct anon_vma is the identity of such a file: folio->mapping points to it.
 * fork() makes a second file which has pages in common with the first, so the
 * child becomes a member of all files of its parent, and has one of its own for
 * the pages that it will create. A folio is looked for in all members of its
 * file:
 *
 *	folio -> anon_vma -> members (mms) -> VMAs at the address of the index
 *
 * A child cannot have a page that its parent makes after the fork. So an mm with many
 * children begins another file for its new pages now and then. The children that it has
 * are no members of that file (mm/anon_space/new_files.c).
 *
 * struct anon_space, part of each mm, holds what a walk needs there: the VMAs
 * that may have anonymous pages, and the map from address to file offset. The map is
 * the identity, except for pages that mremap() has moved and whose index it could not
 * rewrite (mm/anon_space/map.c).
 *
 * Two locks, each a rwsem: the file lock of an anon_vma, under which an mm
 * joins and leaves, and the space lock of an mm, under which its VMAs change
 * and its page table entries move. A walker holds both for reading, those of
 * one mm at a time. Nobody waits for memory under the space lock, because reclaim
 * walks the reverse map.
 *
 * An mm leaves its files when it exits, after its pages were unmapped and
 * before its page tables are freed. So a mapped folio has a member, and a
 * member mm has its page tables.
 */

#include <linux/anon_space.h>
#include <linux/mm.h>

#include "internal.h"
#include "trace.h"

#ifdef CONFIG_DEBUG_ANON_SPACE
/* For INV-6: tells which mm was the parent, even if that has exited. */
static void anon_space_identify(struct mm_struct *mm, struct mm_struct *oldmm)
{
	static atomic64_t last_id;

	mm->anon_space.id = atomic64_inc_return(&last_id);
	mm->anon_space.parent = oldmm ? oldmm->anon_space.id : 0;
}
#else
static void anon_space_identify(struct mm_struct *mm, struct mm_struct *oldmm)
{
}
#endif

/**
 * anon_space_init - initialise the space of a new mm
 * @mm: the mm, which may be a copy of another one
 *
 * Context: nobody else sees @mm.
 */
void anon_space_init(struct mm_struct *mm)
{
	struct anon_space *space = &mm->anon_space;

	init_rwsem(&space->rwsem);
	space->vmas = RB_ROOT;
	space->anon_vma = NULL;
	INIT_LIST_HEAD(&space->memberships);
	space->nr_forks = 0;
	space->looked_alone = false;
	anon_map_init(&space->map);
	anon_map_set_lock(&space->map, &space->rwsem);
	anon_space_identify(mm, NULL);
}

/*
 * The child's own file may be that of a dead ancestor. Otherwise a chain of processes
 * that fork and exit would collect one file for each generation (INV-8). A file with no
 * other member than the parent is as good as a new one. More members mean that more mms
 * are visited for each new page.
 */
static void anon_space_adopt(struct mm_struct *mm, struct anon_vma *anon_vma)
{
	anon_vma_lock_write(anon_vma);
	if (!anon_vma->owner) {	/* a relative may have been faster */
		anon_vma->owner = mm;
		mm->anon_space.anon_vma = anon_vma;
		trace_anon_space_file(anon_vma, mm, FILE_ADOPTED);
	}
	anon_vma_unlock_write(anon_vma);
}

/**
 * anon_space_fork - let a child find what it will share with its parent
 * @mm: the child, without VMAs yet
 * @oldmm: the parent
 *
 * Makes @mm a member of all files of @oldmm and gives it one of its own; @oldmm may
 * begin another one before, or leave some. This comes before any page table entry is
 * copied. So a walker that has seen the parent's entry will see the child's copy of it.
 *
 * Context: sleeps. Both mmap_locks are held for writing. Takes the file lock of
 * each file of @oldmm, one at a time.
 * Return: 0 or -ENOMEM, when anon_space_exit() is to clean up.
 */
int anon_space_fork(struct mm_struct *mm, struct mm_struct *oldmm)
{
	struct anon_vma *heir = NULL, *anon_vma;
	struct anon_membership *old, *new;
	unsigned int nr_dead = 0, nr_others = UINT_MAX;

	mmap_assert_write_locked(mm);
	mmap_assert_write_locked(oldmm);
	VM_WARN_ON_ONCE(!list_empty(&mm->anon_space.memberships));

	anon_space_identify(mm, oldmm);
	/* Now: a first fault under a VMA lock could do it at any later time. */
	if (anon_space_prepare(oldmm))
		return -ENOMEM;
	anon_space_begin_file(oldmm);

	list_for_each_entry(old, &oldmm->anon_space.memberships, in_mm) {
		new = anon_membership_alloc();
		if (!new)
			return -ENOMEM;
		anon_vma = old->anon_vma;
		anon_vma_lock_write(anon_vma);
		if (!anon_vma->owner) {
			nr_dead++;
			if (anon_vma->nr_members < nr_others) {
				nr_others = anon_vma->nr_members;
				heir = anon_vma;
			}
		}
		anon_vma_join(anon_vma, mm, new);
		anon_vma_unlock_write(anon_vma);
	}
	if (nr_others == 1 || nr_dead > ANON_SPACE_MAX_DEAD)
		anon_space_adopt(mm, heir);
	return anon_space_prepare(mm);
}

/**
 * anon_space_exit - take a dying mm out of the reverse map
 * @mm: the mm, all of whose pages have been unmapped
 *
 * Once this returns no walker is in @mm and none will come. May be called for
 * an mm whose fork failed at any point.
 *
 * Context: sleeps. mmap_lock held for writing. Takes the space lock, then the
 * file lock of each file.
 */
void anon_space_exit(struct mm_struct *mm)
{
	struct anon_space *space = &mm->anon_space;
	struct anon_membership *membership, *next;

	mmap_assert_write_locked(mm);
	if (list_empty(&space->memberships) && !space->map.nr)
		return;

	anon_space_lock_write(mm);
	space->vmas = RB_ROOT;
	anon_map_destroy(&space->map);
	anon_space_unlock_write(mm);

	list_for_each_entry_safe(membership, next, &space->memberships, in_mm)
		anon_vma_leave(membership);
	space->anon_vma = NULL;
}
