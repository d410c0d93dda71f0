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
 * Of the pages that an mm makes after it has forked many children none of them can have
 * one. So it begins another file for new pages now and then, of which these children are
 * no members (mm/anon_space_files.c).
 *
 * struct anon_space, part of each mm, holds what a walk needs there: the VMAs
 * that may have anonymous pages, and the map from address to file offset, which is
 * the identity but for pages that mremap() moved without being able to rewrite their
 * index (mm/anon_map.c).
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

#include <linux/anon_map.h>
#include <linux/anon_space.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/rmap.h>
#include <linux/slab.h>

#include "anon_space_trace.h"
#include "internal.h"

/*
 * Files of dead ancestors that an mm may be a member of before its children
 * adopt one of them even though others are members as well.
 */
#define ANON_SPACE_MAX_DEAD	8

/* Members that a walk comes back to. */
#define ANON_SPACE_MAX_BUSY	16

static struct kmem_cache *anon_vma_cachep;
static struct kmem_cache *anon_membership_cachep;

/* ---- files ---- */

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
	 * trylocks the file and then finds that the folio is not mapped. Taking
	 * the reference away from the last mapping and this test are full
	 * barriers, so either it sees the folio unmapped or it is seen here;
	 * let it finish before the memory gets another identity.
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

/* To the tail: an mm comes behind the one that it was forked from (INV-6). */
static void anon_vma_join(struct anon_vma *anon_vma, struct mm_struct *mm,
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

static void anon_vma_leave(struct anon_membership *membership)
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
 * Give the mm a new file for its folios to come, unless another one than @old has become
 * that: threads may race here, and the first one wins.
 */
static int anon_space_create_file(struct mm_struct *mm, struct anon_vma *old)
{
	struct anon_space *space = &mm->anon_space;
	struct anon_membership *membership;
	struct anon_vma *anon_vma;

	anon_vma = anon_vma_alloc();
	if (!anon_vma)
		return -ENOMEM;
	membership = kmem_cache_alloc(anon_membership_cachep, GFP_KERNEL);
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
	anon_space_lock_write(mm);
	list_del_init(&membership->in_mm);
	anon_space_unlock_write(mm);
	anon_vma_leave(membership);
}

static int anon_space_prepare(struct mm_struct *mm)
{
	/* What comes next looks at the memberships. */
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
	/* One may be added meanwhile, for pages to come. */
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
 * anon_space_family_file - the file of all that may be forked with a page
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
		/* That of others may change, but neither to us nor from us. */
		if (data_race(membership->anon_vma->owner) == mm)
			return membership->anon_vma;
	}
	VM_WARN_ON_ONCE(1);
	return anon_space_file(mm);
}

/* ---- the life of an mm ---- */

#ifdef CONFIG_DEBUG_ANON_SPACE
/* For INV-6: tells who the parent was, even if it has exited. */
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
	anon_map_init(&space->map);
	anon_map_set_lock(&space->map, &space->rwsem);
	anon_space_identify(mm, NULL);
}

/*
 * The child's own file may be that of a dead ancestor: a chain of processes
 * that fork and exit would collect one of each generation otherwise (INV-8).
 * One with no other member than the parent is as good as a new one. More
 * members mean more mms to look at for the pages to come.
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
 * copied: a walker which has seen the parent's entry sees the child's copy of it then.
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
	/* A first fault under a VMA lock could do it any time from now on. */
	if (anon_space_prepare(oldmm))
		return -ENOMEM;
	anon_space_begin_file(oldmm);

	list_for_each_entry(old, &oldmm->anon_space.memberships, in_mm) {
		new = kmem_cache_alloc(anon_membership_cachep, GFP_KERNEL);
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

/* ---- the VMAs that may hold anonymous pages ---- */

static struct vm_area_struct *to_vma(struct rb_node *node)
{
	return rb_entry_safe(node, struct vm_area_struct, anon_rb);
}

/**
 * __anon_space_find_vma - find the lowest VMA in a range of addresses
 * @mm: the mm
 * @start: first address
 * @end: address behind the last
 *
 * Context: space lock held.
 * Return: the VMA, or NULL if none in [@start, @end) may hold anonymous pages.
 */
struct vm_area_struct *__anon_space_find_vma(struct mm_struct *mm,
					     unsigned long start,
					     unsigned long end)
{
	struct rb_node *node = mm->anon_space.vmas.rb_node;
	struct vm_area_struct *found = NULL;

	anon_space_assert_locked(mm);
	while (node) {
		struct vm_area_struct *vma = to_vma(node);

		if (vma->vm_end <= start) {
			node = node->rb_right;
		} else {
			found = vma;
			if (vma->vm_start <= start)
				break;
			node = node->rb_left;
		}
	}
	return found && found->vm_start < end ? found : NULL;
}

/**
 * __anon_space_next_vma - find the next VMA
 * @vma: a VMA in the tree
 * @end: address behind the last
 *
 * Context: space lock held.
 * Return: the VMA, or NULL if the next one begins at or after @end.
 */
struct vm_area_struct *__anon_space_next_vma(struct vm_area_struct *vma,
					     unsigned long end)
{
	struct vm_area_struct *next;

	anon_space_assert_locked(vma->vm_mm);
	if (vma->vm_end >= end)
		return NULL;
	next = to_vma(rb_next(&vma->anon_rb));
	return next && next->vm_start < end ? next : NULL;
}

/**
 * __anon_space_attach_vma - show a VMA to the reverse map
 * @vma: the VMA; its mm has a file, and no other VMA in the tree overlaps it
 *
 * Context: space lock held for writing.
 */
void __anon_space_attach_vma(struct vm_area_struct *vma)
{
	struct anon_space *space = &vma->vm_mm->anon_space;
	struct rb_node **link = &space->vmas.rb_node, *parent = NULL;

	anon_space_assert_write_locked(vma->vm_mm);
	VM_WARN_ON_ONCE(!RB_EMPTY_NODE(&vma->anon_rb));

	while (*link) {
		struct vm_area_struct *other = to_vma(*link);

		parent = *link;
		VM_WARN_ON_ONCE(vma->vm_start < other->vm_end &&
				other->vm_start < vma->vm_end);
		if (vma->vm_start < other->vm_start)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&vma->anon_rb, parent, link);
	rb_insert_color(&vma->anon_rb, &space->vmas);
	/*
	 * It says no more than that it is in the tree. Pairs with READ_ONCE() and plain
	 * reads of those without the lock.
	 */
	smp_store_release(&vma->anon_vma, anon_space_oldest_file(vma->vm_mm));
}

/**
 * __anon_space_detach_vma - hide a VMA from the reverse map
 * @vma: a VMA that has no anonymous pages any more, or whose range was given to
 *       another one
 *
 * Context: space lock held for writing.
 */
void __anon_space_detach_vma(struct vm_area_struct *vma)
{
	anon_space_assert_write_locked(vma->vm_mm);

	if (!vma->anon_vma)
		return;
	rb_erase(&vma->anon_rb, &vma->vm_mm->anon_space.vmas);
	RB_CLEAR_NODE(&vma->anon_rb);
	vma->anon_vma = NULL;
}

/**
 * anon_space_attach_vma - show a VMA to the reverse map
 * @vma: the VMA; its mm has a file. Nothing is done if it is shown already.
 *
 * Context: sleeps. mmap_lock or the VMA lock held, so that its range does not
 * change. Takes the space lock.
 */
void anon_space_attach_vma(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	anon_space_lock_write(mm);
	if (!vma->anon_vma)
		__anon_space_attach_vma(vma);
	anon_space_unlock_write(mm);
}

/* What extents are left in the hole that a VMA leaves. */
static void trim_hole(struct vm_area_struct *vma)
{
	struct anon_map *map = &vma->vm_mm->anon_space.map;
	struct vm_area_struct *prev, *next;

	if (likely(!map->nr))
		return;
	prev = to_vma(rb_prev(&vma->anon_rb));
	next = to_vma(rb_next(&vma->anon_rb));
	anon_map_trim(map, prev ? prev->vm_end : 0,
		      next ? next->vm_start : ULONG_MAX);
}

/**
 * anon_space_forget_vma - anon_space_detach_vma() for a VMA that is not hidden
 * @vma: a VMA in the tree, whose pages have been unmapped or moved elsewhere
 *
 * Where nothing is mapped any more, from the VMA before to the one behind, extents
 * are dropped as far as that takes no memory.
 *
 * Context: sleeps. mmap_lock held, for reading if @vma has been taken out of
 * the mm's VMAs. Takes the space lock.
 */
void anon_space_forget_vma(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	mmap_assert_locked(mm);
	anon_space_lock_write(mm);
	trim_hole(vma);
	__anon_space_detach_vma(vma);
	anon_space_unlock_write(mm);
}

/**
 * anon_space_replace_vma - put a VMA where its stand-in is
 * @vma: the VMA, whose pages have been moved elsewhere
 * @stand_in: has the range that @vma is to have
 *
 * @vma does not have to be in the tree; @stand_in is, and leaves it, if @vma is.
 *
 * Context: sleeps. mmap_lock held for writing. Takes the space lock.
 */
void anon_space_replace_vma(struct vm_area_struct *vma,
			    struct vm_area_struct *stand_in)
{
	struct mm_struct *mm = vma->vm_mm;
	struct rb_root *vmas = &mm->anon_space.vmas;

	mmap_assert_write_locked(mm);
	VM_WARN_ON_ONCE(!vma->anon_vma != !stand_in->anon_vma);
	if (!vma->anon_vma) {
		vma_set_range(vma, stand_in->vm_start, stand_in->vm_end,
			      stand_in->vm_pgoff);
		return;
	}
	anon_space_lock_write(mm);
	trim_hole(vma);
	rb_erase(&vma->anon_rb, vmas);
	vma_set_range(vma, stand_in->vm_start, stand_in->vm_end,
		      stand_in->vm_pgoff);
	rb_replace_node(&stand_in->anon_rb, &vma->anon_rb, vmas);
	anon_space_unlock_write(mm);
}

/**
 * anon_space_inherit_vma - show a VMA of a child to the reverse map
 * @vma: the VMA, of which no page table entry has been copied
 * @old: the parent's, which has an anon_vma
 *
 * Pages that both are going to map have equal offsets (INV-4b).
 *
 * Context: sleeps. Both mmap_locks are held for writing. VMAs are inherited from
 * low to high addresses. Takes the space lock of the child.
 * Return: 0 or -ENOMEM, when anon_space_exit() is to clean up.
 */
int anon_space_inherit_vma(struct vm_area_struct *vma,
			   struct vm_area_struct *old)
{
	struct anon_map *old_map = &old->vm_mm->anon_space.map;
	struct mm_struct *mm = vma->vm_mm;
	struct anon_spares spares = {};
	struct anon_extent *extent;
	unsigned long nr = 0;

	mmap_assert_write_locked(mm);
	mmap_assert_write_locked(old->vm_mm);
	if (likely(!old_map->nr)) {
		anon_space_attach_vma(vma);
		return 0;
	}

	extent = anon_map_find(old_map, old->vm_start, old->vm_end);
	for (; extent; extent = anon_map_next(extent, old->vm_end))
		nr++;
	if (anon_spares_fill(&spares, nr, GFP_KERNEL)) {
		anon_spares_free(&spares);
		return -ENOMEM;
	}
	/* Walkers may be there already, for VMAs inherited before. */
	anon_space_lock_write(mm);
	anon_map_inherit(&mm->anon_space.map, old_map, old->vm_start,
			 old->vm_end, &spares);
	__anon_space_attach_vma(vma);
	anon_space_unlock_write(mm);
	anon_spares_free(&spares);
	return 0;
}

/**
 * __anon_vma_prepare - tell the reverse map that a VMA may hold anonymous pages
 * @vma: the VMA
 *
 * Only the first call for an mm allocates anything. No neighbour is looked at,
 * so the VMA lock is enough.
 *
 * Context: sleeps. mmap_lock or the VMA lock held. Takes the space lock.
 * Return: 0 or -ENOMEM.
 */
int __anon_vma_prepare(struct vm_area_struct *vma)
{
	might_sleep();
	if (!rwsem_is_locked(&vma->vm_mm->mmap_lock))
		vma_assert_locked(vma);
	if (unlikely(anon_space_prepare(vma->vm_mm)))
		return -ENOMEM;
	anon_space_attach_vma(vma);
	return 0;
}

/* ---- addresses and offsets ---- */

/**
 * anon_space_fits - may a folio of the swap cache be mapped here?
 * @vma: the VMA
 * @addr: the address
 * @folio: an anonymous folio, no KSM page
 * @page: the page of @folio
 *
 * While it is mapped nowhere it has no file and no index: who maps it first sets
 * both. Then others may map it if they find it there.
 *
 * Context: folio lock held; mmap_lock or the lock of @vma held: the answer holds as
 * long as both.
 * Return: whether it may.
 */
bool anon_space_fits(struct vm_area_struct *vma, unsigned long addr,
		     struct folio *folio, struct page *page)
{
	pgoff_t offset = anon_space_offset(vma->vm_mm, addr);
	pgoff_t idx = folio_page_idx(folio, page);

	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);
	if (!folio_mapped(folio))
		return offset >= idx;
	return offset == folio->index + idx &&
	       anon_space_is_member(vma->vm_mm, folio_anon_vma(folio));
}

/**
 * anon_space_address - where does a VMA map an offset?
 * @vma: the VMA
 * @offset: offset in the mm's file
 *
 * Several addresses may have the same offset. Who looks for a certain page has to
 * walk the reverse map.
 *
 * Context: sleeps. mmap_lock held. Takes the space lock.
 * Return: an address in @vma that has the offset, or -EFAULT.
 */
unsigned long anon_space_address(struct vm_area_struct *vma, pgoff_t offset)
{
	struct mm_struct *mm = vma->vm_mm;
	unsigned long addr = offset << PAGE_SHIFT;
	struct anon_extent *extent;

	mmap_assert_locked(mm);
	anon_space_lock_read(mm);
	if (addr >= vma->vm_start && addr < vma->vm_end &&
	    anon_space_offset(mm, addr) == offset)
		goto found;
	for (extent = anon_map_find_offset(&mm->anon_space.map, offset, offset);
	     extent; extent = anon_map_next_offset(extent, offset, offset)) {
		addr = anon_extent_addr(extent, offset);
		if (addr >= vma->vm_start && addr < vma->vm_end)
			goto found;
	}
	addr = -EFAULT;
found:
	anon_space_unlock_read(mm);
	return addr;
}

/* May others map pages of this mm? */
static bool has_relatives(struct mm_struct *mm)
{
	struct anon_membership *membership;

	/* Who joins does so under our mmap_lock, and who leaves may do it later. */
	list_for_each_entry(membership, &mm->anon_space.memberships, in_mm) {
		/* As above. */
		if (data_race(membership->anon_vma->nr_members) > 1)
			return true;
	}
	return false;
}

/**
 * anon_space_has_room - may a range be moved without too many extents? (INV-7)
 * @mm: the mm
 * @old: first address to move from, which may be in no VMA
 * @new: first address to move to
 * @len: number of bytes, not more than an address space has
 *
 * On a kernel without this each extent would be a VMA of its own, so the limit is
 * that of VMAs. It is asked before anything is changed. Private memory that moves
 * entry by entry leaves an extent only by bad luck, and may move as long as there is
 * room for that.
 *
 * Context: mmap_lock held for writing.
 * Return: whether it may.
 */
bool anon_space_has_room(struct mm_struct *mm, unsigned long old,
			 unsigned long new, unsigned long len)
{
	struct anon_map *map = &mm->anon_space.map;
	unsigned long pos, end, nr;
	struct vm_area_struct *vma;

	mmap_assert_write_locked(mm);
	if (likely(!map->nr) ||
	    (len < PMD_SIZE && map->nr < sysctl_max_map_count &&
	     !has_relatives(mm)))
		return true;
	/* However it is cut in pieces: one for each page, extent and gap at most. */
	nr = min(len >> PAGE_SHIFT, 2UL * map->nr + 1);
	if (map->nr + 1 + nr <= sysctl_max_map_count)
		return true;
	vma = vma_lookup(mm, old);
	if (!vma || !vma->anon_vma || len > vma->vm_end - old ||
	    anon_map_equal(map, old, new, len))
		return true;
	/* One more if an extent at the destination has to be cut in two. */
	nr = map->nr + 1;
	for (pos = old; pos - old < len; pos = end) {
		anon_map_offset(map, pos, &end);
		if (++nr > sysctl_max_map_count)
			return false;
	}
	return true;
}

/**
 * __anon_space_grow - anon_space_grow() if there are extents
 * @mm: the mm
 * @end: where the VMA ended
 * @new_end: where it ends now
 *
 * Context: as anon_space_grow(). Takes the space lock.
 */
void __anon_space_grow(struct mm_struct *mm, unsigned long end,
		       unsigned long new_end)
{
	mmap_assert_write_locked(mm);
	anon_space_lock_write(mm);
	anon_map_grow(&mm->anon_space.map, end, new_end);
	anon_space_unlock_write(mm);
}

/**
 * __anon_space_level - anon_space_level() if the offset is not even
 * @mm: the mm
 * @start: first address
 * @end: address behind the last
 *
 * Context: as anon_space_grow(). Takes the space lock.
 */
void __anon_space_level(struct mm_struct *mm, unsigned long start,
			unsigned long end)
{
	mmap_assert_write_locked(mm);
	anon_space_lock_write(mm);
	anon_map_level(&mm->anon_space.map, start, end);
	anon_space_unlock_write(mm);
}

/**
 * __anon_space_trim - anon_space_trim() if there are extents
 * @mm: the mm
 * @start: first address
 * @end: address behind the last
 *
 * Context: as anon_space_grow(). Takes the space lock.
 */
void __anon_space_trim(struct mm_struct *mm, unsigned long start,
		       unsigned long end)
{
	mmap_assert_write_locked(mm);
	anon_space_lock_write(mm);
	anon_map_trim(&mm->anon_space.map, start, end);
	anon_space_unlock_write(mm);
}

/* ---- walking the reverse map ---- */

/* Returns false if the walk is to end. Inline: there may be many members. */
static __always_inline bool walk_vmas(struct mm_struct *mm, unsigned long start,
				      unsigned long end, struct folio *folio,
				      struct rmap_walk_control *rwc)
{
	struct vm_area_struct *vma;

	vma = __anon_space_find_vma(mm, start, end);
	for (; vma; vma = __anon_space_next_vma(vma, end)) {
		unsigned long address = max(start, vma->vm_start);

		/* The address may have been mapped anew, to another kind. */
		if (folio_test_hugetlb(folio) != is_vm_hugetlb_page(vma))
			continue;
		if (rwc->invalid_vma && rwc->invalid_vma(vma, rwc->arg))
			continue;
		if (!rwc->rmap_one(folio, vma, address, rwc->arg))
			return false;
		if (rwc->done && rwc->done(folio))
			return false;
	}
	return true;
}

/* Where the offset is that of the address. */
static bool walk_gaps(struct mm_struct *mm, unsigned long start,
		      unsigned long end, struct folio *folio,
		      struct rmap_walk_control *rwc)
{
	struct anon_extent *extent;

	extent = anon_map_find(&mm->anon_space.map, start, end);
	for (; extent; extent = anon_map_next(extent, end)) {
		if (start < extent->start &&
		    !walk_vmas(mm, start, extent->start, folio, rwc))
			return false;
		start = extent->end;
	}
	return start >= end || walk_vmas(mm, start, end, folio, rwc);
}

static bool walk_extents(struct mm_struct *mm, pgoff_t first, pgoff_t last,
			 struct folio *folio, struct rmap_walk_control *rwc)
{
	struct anon_map *map = &mm->anon_space.map;
	struct anon_extent *extent;

	for (extent = anon_map_find_offset(map, first, last); extent;
	     extent = anon_map_next_offset(extent, first, last)) {
		unsigned long start = extent->start, end = extent->end;

		cond_resched();
		if (anon_extent_offset(extent, start) < first)
			start = anon_extent_addr(extent, first);
		if (anon_extent_offset(extent, end) > last)
			end = anon_extent_addr(extent, last + 1);
		if (!walk_vmas(mm, start, end, folio, rwc))
			return false;
	}
	return true;
}

static bool walk_lock(struct mm_struct *mm, struct rmap_walk_control *rwc)
{
	cond_resched();
	if (down_read_trylock(&mm->anon_space.rwsem))
		return true;
	if (rwc->try_lock) {
		rwc->contended = true;
		return false;
	}
	anon_space_lock_read(mm);
	return true;
}

/* Returns false if the walk is to end. */
static __always_inline bool walk_member(struct mm_struct *mm,
					struct folio *folio,
					struct rmap_walk_control *rwc)
{
	unsigned long nr = folio_nr_pages(folio);
	pgoff_t index;
	bool more;

	if (!walk_lock(mm, rwc))
		return false;
	/* mremap() rewrites it under the space lock: read it once, here. */
	index = READ_ONCE(folio->index);
	if (likely(!mm->anon_space.map.nr))
		more = walk_vmas(mm, index << PAGE_SHIFT,
				 (index + nr) << PAGE_SHIFT, folio, rwc);
	else
		more = walk_gaps(mm, index << PAGE_SHIFT,
				 (index + nr) << PAGE_SHIFT, folio, rwc) &&
		       walk_extents(mm, index, index + nr - 1, folio, rwc);
	anon_space_unlock_read(mm);
	return more;
}

/*
 * A page that is exclusive to one mm has been found where it is mapped, after a visit to
 * that mm, which owns the file (INV-9), and has no other entry. If it becomes shared after
 * that, the new entries are copies of what the visit has left.
 */
static bool is_all(struct anon_vma *anon_vma, struct mm_struct *visited,
		   struct folio *folio)
{
	if (anon_vma->owner != visited || folio_mapcount(folio) != 1)
		return false;
	/* Flags of the pages of one that is not mapped as a whole say nothing here. */
	if (folio_test_large(folio) && folio_entire_mapcount(folio) != 1)
		return false;
	return PageAnonExclusive(&folio->page);
}

/* Returns the number of visits. Inline: there is one caller. */
static __always_inline unsigned int walk_members(struct anon_vma *anon_vma,
						 struct folio *folio,
						 struct rmap_walk_control *rwc)
{
	struct mm_struct *busy[ANON_SPACE_MAX_BUSY];
	unsigned int nr_busy = 0, visited = 0, i;
	struct anon_membership *membership;

	list_for_each_entry(membership, &anon_vma->members, in_file) {
		visited++;
		if (walk_member(membership->mm, folio, rwc)) {
			if (is_all(anon_vma, membership->mm, folio))
				return visited;
			continue;
		}
		if (!rwc->contended || nr_busy == ANON_SPACE_MAX_BUSY)
			return visited;
		busy[nr_busy++] = membership->mm;
		rwc->contended = false;
	}
	for (i = 0; i < nr_busy; i++) {
		visited++;
		if (!walk_member(busy[i], folio, rwc))
			break;
	}
	return visited;
}

/**
 * anon_space_walk_folio - visit where an anonymous folio may be mapped
 * @anon_vma: the folio's file
 * @folio: the folio, not a KSM one
 * @rwc: what to do there
 *
 * Visits in each member each VMA that has addresses of the folio's offsets, until the
 * callback says that it is enough, there can be no more, or a lock is contended, when
 * @rwc->contended is set. The address is that of the first page of the folio which may
 * be mapped there; where the offset does not go on evenly from there
 * page_vma_mapped_walk() ends, and what is left is another visit. So each page table
 * entry is found once (INV-2).
 *
 * A walker that must not wait passes by members whose lock is busy, and looks at them
 * once more in the end: each of many may be busy only now and then, but one of them
 * nearly always is.
 *
 * Context: sleeps unless @rwc->try_lock is set. File lock held. Takes the space
 * lock of one member after the other.
 */
void anon_space_walk_folio(struct anon_vma *anon_vma, struct folio *folio,
			   struct rmap_walk_control *rwc)
{
	const int entries = trace_anon_space_walk_enabled() ?
			    folio_mapcount(folio) : 0;
	unsigned int visited;

	lockdep_assert_held(&anon_vma->rwsem);
	visited = walk_members(anon_vma, folio, rwc);
	trace_anon_space_walk(folio, anon_vma, visited, entries,
			      rwc->contended);
}

/**
 * anon_space_walk_range - visit the VMAs in a range of addresses
 * @mm: a member of the file
 * @start: first address
 * @end: address behind the last
 * @folio: passed to the callbacks
 * @rwc: what to do there
 *
 * Context: sleeps unless @rwc->try_lock is set. File lock held. Takes the space
 * lock.
 * Return: false if the walk is to end: the callback said so, or the lock is
 * contended and @rwc->contended set.
 */
bool anon_space_walk_range(struct mm_struct *mm, unsigned long start,
			   unsigned long end, struct folio *folio,
			   struct rmap_walk_control *rwc)
{
	bool more;

	if (!walk_lock(mm, rwc))
		return false;
	more = walk_vmas(mm, start, end, folio, rwc);
	anon_space_unlock_read(mm);
	return more;
}
