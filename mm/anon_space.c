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
 * struct anon_space, part of each mm, holds what a walk needs there: the VMAs
 * that may have anonymous pages, and records of the pages that mremap() moved
 * without being able to rewrite their index (mm/anon_moves.c).
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

#include <linux/anon_moves.h>
#include <linux/anon_space.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/rmap.h>
#include <linux/slab.h>

#include "internal.h"

/*
 * Files of dead ancestors that an mm may be a member of before its children
 * adopt one of them even though others are members as well.
 */
#define ANON_SPACE_MAX_DEAD	8

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
	anon_moves_setup();
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
	if (anon_space_fault(ANON_SPACE_FAULT_CHILD_FIRST))
		list_add(&membership->in_file, &anon_vma->members);
	else
		list_add_tail(&membership->in_file, &anon_vma->members);
	list_add_tail(&membership->in_mm, &mm->anon_space.memberships);
}

static void anon_vma_leave(struct anon_membership *membership)
{
	struct anon_vma *anon_vma = membership->anon_vma;

	anon_vma_lock_write(anon_vma);
	list_del(&membership->in_file);
	anon_vma->nr_members--;
	if (anon_vma->owner == membership->mm)
		anon_vma->owner = NULL;
	anon_vma_unlock_write(anon_vma);

	put_anon_vma(anon_vma);
	list_del(&membership->in_mm);
	kmem_cache_free(anon_membership_cachep, membership);
}

/* Give the mm a file of its own. Threads may race here: the first one wins. */
static int anon_space_create_file(struct mm_struct *mm)
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
	if (!space->anon_vma) {
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

static int anon_space_prepare(struct mm_struct *mm)
{
	/* What comes next looks at the memberships. */
	if (likely(smp_load_acquire(&mm->anon_space.anon_vma)))
		return 0;
	return anon_space_create_file(mm);
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
	list_for_each_entry(membership, &mm->anon_space.memberships, in_mm)
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
	anon_moves_init(&space->moves);
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
	if (!anon_vma->owner ||	/* a relative may have been faster */
	    anon_space_fault(ANON_SPACE_FAULT_ADOPT_OWNED)) {
		anon_vma->owner = mm;
		mm->anon_space.anon_vma = anon_vma;
	}
	anon_vma_unlock_write(anon_vma);
}

/**
 * anon_space_fork - let a child find what it will share with its parent
 * @mm: the child, without VMAs yet
 * @oldmm: the parent
 *
 * Makes @mm a member of all files of @oldmm, copies the move records, and gives
 * @mm a file of its own. This comes before any page table entry is copied: a
 * walker which has seen the parent's entry sees the child's copy of it then.
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
	/* Before the first walker can come. */
	if (!anon_space_fault(ANON_SPACE_FAULT_NO_COPY) &&
	    anon_moves_copy(&mm->anon_space.moves, &oldmm->anon_space.moves))
		return -ENOMEM;

	list_for_each_entry(old, &oldmm->anon_space.memberships, in_mm) {
		new = kmem_cache_alloc(anon_membership_cachep, GFP_KERNEL);
		if (!new)
			return -ENOMEM;
		anon_vma = old->anon_vma;
		anon_vma_lock_write(anon_vma);
		if (!anon_vma->owner ||
		    anon_space_fault(ANON_SPACE_FAULT_ADOPT_OWNED)) {
			nr_dead++;
			if (anon_vma->nr_members < nr_others) {
				nr_others = anon_vma->nr_members;
				heir = anon_vma;
			}
		}
		anon_vma_join(anon_vma, mm, new);
		anon_vma_unlock_write(anon_vma);
	}
	if (anon_space_fault(ANON_SPACE_FAULT_NO_JOIN))
		anon_vma_leave(list_first_entry(&mm->anon_space.memberships,
						struct anon_membership, in_mm));
	if ((nr_others == 1 || nr_dead > ANON_SPACE_MAX_DEAD) &&
	    !anon_space_fault(ANON_SPACE_FAULT_NO_ADOPT))
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
	if (list_empty(&space->memberships) && !space->moves.nr)
		return;

	anon_space_lock_write(mm);
	space->vmas = RB_ROOT;
	anon_moves_destroy(&space->moves);
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
	/* Pairs with READ_ONCE() and plain reads of those without the lock. */
	smp_store_release(&vma->anon_vma, space->anon_vma);
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

/**
 * anon_space_forget_vma - anon_space_detach_vma() for a VMA that is not hidden
 * @vma: a VMA in the tree, whose pages have been unmapped or moved elsewhere
 *
 * Also forgets what was recorded of pages moved there. A record that had to be
 * cut in two may stay if memory is short.
 *
 * Context: sleeps. mmap_lock held, for reading if @vma has been taken out of
 * the mm's VMAs. Takes the space lock.
 */
void anon_space_forget_vma(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;
	struct anon_space *space = &mm->anon_space;
	struct anon_move *spare = NULL;
	bool clipped;

	mmap_assert_locked(mm);
	anon_space_lock_write(mm);
	__anon_space_detach_vma(vma);
	if (space->moves.nr && !anon_space_fault(ANON_SPACE_FAULT_NO_CLIP)) {
		clipped = anon_moves_clip(&space->moves, vma->vm_start,
					  vma->vm_end, &spare);
		if (!clipped && space->moves.nr < sysctl_max_map_count)
			spare = anon_move_alloc(GFP_NOWAIT | __GFP_NOWARN);
		if (spare)
			anon_moves_clip(&space->moves, vma->vm_start,
					vma->vm_end, &spare);
	}
	anon_space_unlock_write(mm);
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
	if (unlikely(anon_space_prepare(vma->vm_mm)))
		return -ENOMEM;
	anon_space_attach_vma(vma);
	return 0;
}

/* ---- addresses and indices ---- */

/**
 * __anon_space_index - the index that a page shared by relatives has
 * @mm: the mm
 * @addr: the address at which @mm maps the page
 *
 * Context: space lock held.
 * Return: the index that a record gives, or else that of the address.
 */
pgoff_t __anon_space_index(struct mm_struct *mm, unsigned long addr)
{
	struct anon_move *move;

	anon_space_assert_locked(mm);
	move = anon_moves_find(&mm->anon_space.moves, addr, addr + PAGE_SIZE);
	return move ? anon_move_index(move, addr) : addr >> PAGE_SHIFT;
}

/**
 * anon_space_index - the index that a page shared by relatives has
 * @mm: the mm
 * @addr: the address at which @mm maps the page
 *
 * Context: sleeps. mmap_lock or the lock of the VMA there held: the answer
 * holds as long. Takes the space lock if anything was moved at all.
 * Return: the index that a record gives, or else that of the address.
 */
pgoff_t anon_space_index(struct mm_struct *mm, unsigned long addr)
{
	pgoff_t index;

	/* mremap() of this address is excluded, so it cannot come from zero. */
	if (!data_race(mm->anon_space.moves.nr))
		return addr >> PAGE_SHIFT;
	anon_space_lock_read(mm);
	index = __anon_space_index(mm, addr);
	anon_space_unlock_read(mm);
	return index;
}

/**
 * anon_space_finds - would a walk find this page if it were mapped here?
 * @mm: the mm
 * @addr: the address in @mm
 * @folio: an anonymous folio, possibly in the swap cache only
 * @page: the page of @folio
 *
 * Context: sleeps. Folio lock held; mmap_lock or the lock of the VMA at @addr
 * held: the answer holds as long as both. May take the space lock.
 * Return: whether it would.
 */
bool anon_space_finds(struct mm_struct *mm, unsigned long addr,
		      struct folio *folio, struct page *page)
{
	pgoff_t index = folio->index + folio_page_idx(folio, page);

	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);
	if (!anon_space_is_member(mm, folio_anon_vma(folio)))
		return false;
	return index == addr >> PAGE_SHIFT ||
	       index == anon_space_index(mm, addr);
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

static bool walk_moves(struct mm_struct *mm, pgoff_t first, pgoff_t last,
		       struct folio *folio, struct rmap_walk_control *rwc)
{
	struct anon_moves *moves = &mm->anon_space.moves;
	struct anon_move *move;

	for (move = anon_moves_find_index(moves, first, last); move;
	     move = anon_moves_next_index(move, first, last)) {
		pgoff_t from = max(first, move->index);
		pgoff_t to = min(last + 1, move->index + move->nr);
		unsigned long start = anon_move_addr(move, from);
		unsigned long end = anon_move_addr(move, to);

		cond_resched();
		/* All pages of the folio were looked for there. */
		if (start >> PAGE_SHIFT >= first &&
		    (end - 1) >> PAGE_SHIFT <= last)
			continue;
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
	more = walk_vmas(mm, index << PAGE_SHIFT, (index + nr) << PAGE_SHIFT,
			 folio, rwc);
	if (more && mm->anon_space.moves.nr &&
	    !anon_space_fault(ANON_SPACE_FAULT_NO_VISIT))
		more = walk_moves(mm, index, index + nr - 1, folio, rwc);
	anon_space_unlock_read(mm);
	return more;
}

/**
 * anon_space_walk_folio - visit where an anonymous folio may be mapped
 * @anon_vma: the folio's file
 * @folio: the folio, not a KSM one
 * @rwc: what to do there
 *
 * Visits in each member each VMA that has the address of the folio's index, or
 * to which a record says that pages with this index were moved, until the
 * callback says that it is enough or a lock is contended, when @rwc->contended
 * is set. A large folio may be visited more than once in a VMA. The address is
 * that of its first page which may be mapped in this place: where the VMA or the
 * record begins if that is inside of the folio.
 *
 * Context: sleeps unless @rwc->try_lock is set. File lock held. Takes the space
 * lock of one member after the other.
 */
void anon_space_walk_folio(struct anon_vma *anon_vma, struct folio *folio,
			   struct rmap_walk_control *rwc)
{
	struct anon_membership *membership;

	lockdep_assert_held(&anon_vma->rwsem);
	list_for_each_entry(membership, &anon_vma->members, in_file)
		if (!walk_member(membership->mm, folio, rwc))
			break;
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
