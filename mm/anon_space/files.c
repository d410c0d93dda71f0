// SPDX-License-Identifier: GPL-2.0
/*
 * The virtual anonymous files, and which mms are members of them.
 */

#include <linux/anon_space.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "internal.h"
#include "trace.h"

static struct kmem_cache *anon_vma_cachep;
static struct kmem_cache *anon_membership_cachep;

static struct anon_vma *anon_vma_alloc(void)
{
	struct anon_vma *anon_vma;

	anon_vma = kmem_cache_alloc(anon_vma_cachep, GFP_KERNEL);
	if (anon_vma) {
		atomic_set(&anon_vma->refcount, 1);
		anon_vma->nr_members = 0;
		anon_vma->owner = NULL;
	}
	return anon_vma;
}

/**
 * __put_anon_vma - free a file to which there is no reference any more
 * @anon_vma: the file
 *
 * Context: sleeps. Takes the file lock if somebody else holds it.
 */
void __put_anon_vma(struct anon_vma *anon_vma)
{
	VM_WARN_ON_ONCE(atomic_read(&anon_vma->refcount));
	VM_WARN_ON_ONCE(!list_empty(&anon_vma->members));

	/*
	 * folio_lock_anon_vma_read() looks at the file without a reference: it
	 * trylocks the file, and then finds that the folio is not mapped, or that
	 * it belongs to another file. Whoever unmapped the folio, or gave it to
	 * another file, has taken the file lock or dropped a reference after that.
	 * Both are full barriers. So either the change is seen there, or the lock
	 * is seen here. Let the other one finish before the memory becomes another
	 * file.
	 */
	might_sleep();
	if (rwsem_is_locked(&anon_vma->rwsem)) {
		anon_vma_lock_write(anon_vma);
		anon_vma_unlock_write(anon_vma);
	}
	kmem_cache_free(anon_vma_cachep, anon_vma);
}

static void anon_vma_ctor(void *data)
{
	struct anon_vma *anon_vma = data;

	init_rwsem(&anon_vma->rwsem);
	atomic_set(&anon_vma->refcount, 0);
	INIT_LIST_HEAD(&anon_vma->members);
}

/**
 * anon_vma_init - create the slab caches
 *
 * Context: boot.
 */
void __init anon_vma_init(void)
{
	/* Walkers look at a file that may just have been freed. */
	anon_vma_cachep = kmem_cache_create("anon_vma",
					    sizeof(struct anon_vma), 0,
					    SLAB_TYPESAFE_BY_RCU | SLAB_PANIC |
					    SLAB_ACCOUNT, anon_vma_ctor);
	anon_membership_cachep = KMEM_CACHE(anon_membership,
					    SLAB_PANIC | SLAB_ACCOUNT);
	anon_map_setup();
}

/* ---- memberships ---- */

/**
 * anon_membership_alloc - allocate what makes an mm a member of a file
 *
 * Context: sleeps.
 * Return: the membership, for anon_vma_join(), or NULL.
 */
struct anon_membership *anon_membership_alloc(void)
{
	return kmem_cache_alloc(anon_membership_cachep, GFP_KERNEL);
}

/**
 * anon_vma_join - an mm becomes a member of a file
 * @anon_vma: the file
 * @mm: the mm
 * @membership: from anon_membership_alloc()
 *
 * It comes last, as an mm is behind the one that it was forked from (INV-6).
 *
 * Context: file lock held for writing; space lock held for writing, or nobody else
 * sees the memberships of @mm yet.
 */
void anon_vma_join(struct anon_vma *anon_vma, struct mm_struct *mm,
		   struct anon_membership *membership)
{
	lockdep_assert_held_write(&anon_vma->rwsem);

	membership->mm = mm;
	membership->anon_vma = anon_vma;
	get_anon_vma(anon_vma);
	anon_vma->nr_members++;
	list_add_tail(&membership->in_file, &anon_vma->members);
	/* Pairs with list_for_each_entry_lockless() in anon_space_is_member(). */
	list_add_tail_rcu(&membership->in_mm, &mm->anon_space.memberships);
	trace_anon_space_file(anon_vma, mm, anon_vma->nr_members == 1 ?
			      FILE_MADE : FILE_JOINED);
}

/**
 * anon_vma_leave - an mm is no member of a file any more
 * @membership: of an mm that maps no folio of the file; freed
 *
 * Context: sleeps. Nobody else looks at the memberships of the mm. Takes the file lock.
 */
void anon_vma_leave(struct anon_membership *membership)
{
	struct anon_vma *anon_vma = membership->anon_vma;

	anon_vma_lock_write(anon_vma);
	list_del(&membership->in_file);
	anon_vma->nr_members--;
	if (anon_vma->owner == membership->mm)
		anon_vma->owner = NULL;
	trace_anon_space_file(anon_vma, membership->mm, FILE_LEFT);
	anon_vma_unlock_write(anon_vma);

	put_anon_vma(anon_vma);
	list_del(&membership->in_mm);
	kmem_cache_free(anon_membership_cachep, membership);
}

/*
 * Give the mm a new file for its new folios, unless it uses another one than @old
 * already: threads may race here, and the first one wins.
 */
static int anon_space_create_file(struct mm_struct *mm, struct anon_vma *old)
{
	struct anon_space *space = &mm->anon_space;
	struct anon_membership *membership;
	struct anon_vma *anon_vma;

	anon_vma = anon_vma_alloc();
	if (!anon_vma)
		return -ENOMEM;
	membership = anon_membership_alloc();
	if (!membership) {
		put_anon_vma(anon_vma);
		return -ENOMEM;
	}

	anon_vma_lock_write(anon_vma);
	anon_space_lock_write(mm);
	if (space->anon_vma == old) {
		anon_vma->owner = mm;
		anon_vma_join(anon_vma, mm, membership);
		membership = NULL;
		/* Pairs with smp_load_acquire() in anon_space_prepare(). */
		smp_store_release(&space->anon_vma, anon_vma);
	}
	anon_space_unlock_write(mm);
	anon_vma_unlock_write(anon_vma);

	if (membership)
		kmem_cache_free(anon_membership_cachep, membership);
	put_anon_vma(anon_vma);	/* the membership holds its own */
	return 0;
}

/**
 * anon_space_use_new_file - let new folios come to a new file from now on
 * @mm: an mm that has a file
 *
 * Context: sleeps. mmap_lock held for writing. Takes the space lock.
 * Return: 0 or -ENOMEM, when all is as it was.
 */
int anon_space_use_new_file(struct mm_struct *mm)
{
	mmap_assert_write_locked(mm);
	return anon_space_create_file(mm, mm->anon_space.anon_vma);
}

/**
 * anon_space_leave - be no member of a file any more
 * @membership: of a living mm which maps no folio of the file, and does not use it for
 *              new ones
 *
 * Context: sleeps. mmap_lock held for writing, and all VMAs locked. Takes the space lock
 * and the file lock.
 */
void anon_space_leave(struct anon_membership *membership)
{
	struct mm_struct *mm = membership->mm;

	mmap_assert_write_locked(mm);
	VM_WARN_ON_ONCE(membership->anon_vma == mm->anon_space.anon_vma);
	/* Nobody reads the list without a lock now: that takes a VMA or mmap_lock. */
	anon_space_lock_write(mm);
	list_del_init(&membership->in_mm);
	anon_space_unlock_write(mm);
	anon_vma_leave(membership);
}

/**
 * anon_space_prepare - give an mm a file, if it has none
 * @mm: the mm
 *
 * Context: sleeps. mmap_lock or the lock of a VMA held. May take the file lock and the
 * space lock.
 * Return: 0 or -ENOMEM.
 */
int anon_space_prepare(struct mm_struct *mm)
{
	/* The caller goes on to look at the memberships. */
	if (likely(smp_load_acquire(&mm->anon_space.anon_vma)))
		return 0;
	return anon_space_create_file(mm, NULL);
}

/**
 * anon_space_is_member - may this mm map folios of this file?
 * @mm: the mm
 * @anon_vma: the file, compared only: may be a stale pointer
 *
 * Context: @mm has a VMA with an anon_vma, and does not exit meanwhile: the
 * caller holds its mmap_lock, a VMA lock or its space lock.
 * Return: whether it is.
 */
bool anon_space_is_member(struct mm_struct *mm, struct anon_vma *anon_vma)
{
	struct anon_membership *membership;

	if (likely(anon_vma == mm->anon_space.anon_vma))
		return true;
	/* One may be added meanwhile, for new pages. */
	list_for_each_entry_lockless(membership, &mm->anon_space.memberships,
				     in_mm)
		if (membership->anon_vma == anon_vma)
			return true;
	return false;
}

/**
 * anon_space_oldest_file - the file for a folio that relatives may share
 * @mm: an mm that has a VMA with an anon_vma
 *
 * All mms that an anonymous page can be shared with are members of the oldest
 * file of each of them.
 *
 * Context: as anon_space_is_member().
 * Return: the file.
 */
struct anon_vma *anon_space_oldest_file(struct mm_struct *mm)
{
	return list_first_entry(&mm->anon_space.memberships,
				struct anon_membership, in_mm)->anon_vma;
}

/**
 * anon_space_family_file - the file of an mm and all its children
 * @mm: an mm that has a VMA with an anon_vma
 *
 * Context: as anon_space_is_member().
 * Return: the oldest file that @mm owns: all its children are members.
 */
struct anon_vma *anon_space_family_file(struct mm_struct *mm)
{
	struct anon_membership *membership;

	list_for_each_entry_lockless(membership, &mm->anon_space.memberships,
				     in_mm) {
		/* The owner may change meanwhile, but neither to @mm nor from @mm. */
		if (data_race(membership->anon_vma->owner) == mm)
			return membership->anon_vma;
	}
	VM_WARN_ON_ONCE(1);
	return anon_space_file(mm);
}
