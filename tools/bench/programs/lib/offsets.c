// SPDX-License-Identifier: GPL-2.0
/*
 * Where kprobes find what vma_merge_new_range() and vma_modify() decide by.
 * Compiled to assembly by harness/bench/bench_merges.py, with the options of the
 * kernel's own mm/vma.c, and never run.
 */
#include "vma_internal.h"
#include "vma.h"

#define OFFSET(type, field) ({						\
	asm volatile("\n.ascii \"@offset " #type " " #field " %c0\""	\
		     : : "i" (offsetof(struct type, field)));		\
})

static void __used offsets(void)
{
	OFFSET(vma_merge_struct, prev);
	OFFSET(vma_merge_struct, next);
	OFFSET(vma_merge_struct, vma);
	OFFSET(vma_merge_struct, start);
	OFFSET(vma_merge_struct, end);
	OFFSET(vma_merge_struct, pgoff);
	OFFSET(vma_merge_struct, flags);
	OFFSET(vma_merge_struct, file);
	OFFSET(vma_merge_struct, policy);
	OFFSET(vma_merge_struct, uffd_ctx);
	OFFSET(vma_merge_struct, anon_name);
	OFFSET(vm_area_struct, vm_start);
	OFFSET(vm_area_struct, vm_end);
	OFFSET(vm_area_struct, vm_pgoff);
	OFFSET(vm_area_struct, vm_flags);
	OFFSET(vm_area_struct, vm_file);
	OFFSET(vm_area_struct, vm_policy);
	OFFSET(vm_area_struct, vm_userfaultfd_ctx);
	OFFSET(vm_area_struct, anon_name);
}
