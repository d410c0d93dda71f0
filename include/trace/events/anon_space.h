/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM anon_space

#if !defined(_TRACE_ANON_SPACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_ANON_SPACE_H

#include <linux/anon_space.h>
#include <linux/mm.h>
#include <linux/tracepoint.h>
#include <trace/events/mmflags.h>

struct anon_extent;

/* What is on one side of a range that is to merge: the first that holds. */
#define ANON_SPACE_SIDES			\
	EM(SIDE_NOTHING,	"nothing")	\
	EM(SIDE_ITSELF,	"itself")	\
	EM(SIDE_SPECIAL,	"special")	\
	EM(SIDE_FILE,		"file")		\
	EM(SIDE_KSM,		"ksm")		\
	EM(SIDE_UFFD,		"uffd")		\
	EM(SIDE_FLAGS,		"flags")	\
	EM(SIDE_POLICY,	"policy")	\
	EM(SIDE_NAME,		"name")		\
	EMe(SIDE_FITS,		"fits")

#define ANON_SPACE_RESULTS			\
	EM(RESULT_SEPARATE,	"separate")	\
	EM(RESULT_MERGED,	"merged")	\
	EMe(RESULT_NOMEM,	"nomem")

#define ANON_SPACE_EXTENT_CHANGES		\
	EM(EXTENT_ADDED,	"added")	\
	EM(EXTENT_CHANGED,	"changed")	\
	EMe(EXTENT_DROPPED,	"dropped")

#define ANON_SPACE_FILE_CHANGES			\
	EM(FILE_MADE,		"made")		\
	EM(FILE_JOINED,	"joined")	\
	EM(FILE_ADOPTED,	"adopted")	\
	EMe(FILE_LEFT,		"left")

#ifndef ANON_SPACE_TRACE_ENUMS
#define ANON_SPACE_TRACE_ENUMS
#undef EM
#undef EMe
#define EM(value, name)		value,
#define EMe(value, name)	value
enum anon_space_side { ANON_SPACE_SIDES };
enum anon_space_result { ANON_SPACE_RESULTS };
enum anon_space_extent_change { ANON_SPACE_EXTENT_CHANGES };
enum anon_space_file_change { ANON_SPACE_FILE_CHANGES };

/**
 * struct anon_space_side_info - what is on one side of a range that is to merge
 * @side:    what it is
 * @differs: flags of the VMA there that are not those of the range, and the other
 *           way round
 */
struct anon_space_side_info {
	enum anon_space_side side;
	unsigned long differs;
};
#endif

#undef EM
#undef EMe
#define EM(value, name)		TRACE_DEFINE_ENUM(value);
#define EMe(value, name)	TRACE_DEFINE_ENUM(value);
ANON_SPACE_SIDES
ANON_SPACE_RESULTS
ANON_SPACE_EXTENT_CHANGES
ANON_SPACE_FILE_CHANGES
#undef EM
#undef EMe
#define EM(value, name)		{ value, name },
#define EMe(value, name)	{ value, name }

/* An anonymous range was to merge with what is below and above it. */
TRACE_EVENT(anon_space_merge,

	TP_PROTO(unsigned long start, unsigned long end, bool existing,
		 const struct anon_space_side_info *below,
		 const struct anon_space_side_info *above,
		 enum anon_space_result result, unsigned long caller),

	TP_ARGS(start, end, existing, below, above, result, caller),

	TP_STRUCT__entry(
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(bool, existing)
		__field(int, below)
		__field(unsigned long, below_differs)
		__field(int, above)
		__field(unsigned long, above_differs)
		__field(int, result)
		__field(unsigned long, caller)
	),

	TP_fast_assign(
		__entry->start = start;
		__entry->end = end;
		__entry->existing = existing;
		__entry->below = below->side;
		__entry->below_differs = below->differs;
		__entry->above = above->side;
		__entry->above_differs = above->differs;
		__entry->result = result;
		__entry->caller = caller;
	),

	TP_printk("%s 0x%lx-0x%lx %s below=%s(%s) above=%s(%s) caller=%ps",
		  __entry->existing ? "existing" : "new", __entry->start,
		  __entry->end,
		  __print_symbolic(__entry->result, ANON_SPACE_RESULTS),
		  __print_symbolic(__entry->below, ANON_SPACE_SIDES),
		  show_vma_flags(__entry->below_differs),
		  __print_symbolic(__entry->above, ANON_SPACE_SIDES),
		  show_vma_flags(__entry->above_differs),
		  (void *)__entry->caller)
);

/* mremap() has moved entries of anonymous memory, or moved them back. */
TRACE_EVENT(anon_space_move,

	TP_PROTO(unsigned long old, unsigned long new, unsigned long moved,
		 unsigned long rewritten, unsigned int tables,
		 unsigned int split, bool back, bool in_place),

	TP_ARGS(old, new, moved, rewritten, tables, split, back, in_place),

	TP_STRUCT__entry(
		__field(unsigned long, old)
		__field(unsigned long, new)
		__field(unsigned long, moved)
		__field(unsigned long, rewritten)
		__field(unsigned int, tables)
		__field(unsigned int, split)
		__field(bool, back)
		__field(bool, in_place)
	),

	TP_fast_assign(
		__entry->old = old;
		__entry->new = new;
		__entry->moved = moved;
		__entry->rewritten = rewritten;
		__entry->tables = tables;
		__entry->split = split;
		__entry->back = back;
		__entry->in_place = in_place;
	),

	TP_printk("0x%lx to 0x%lx%s%s: rewritten=%lu kept=%lu pages, tables=%u split=%u",
		  __entry->old, __entry->new, __entry->back ? " back" : "",
		  __entry->in_place ? " in place" : "", __entry->rewritten,
		  __entry->moved - __entry->rewritten, __entry->tables,
		  __entry->split)
);

/* The map from address to file offset has changed; delta is in pages. */
TRACE_EVENT(anon_space_extent,

	TP_PROTO(const struct anon_extent *extent,
		 enum anon_space_extent_change change),

	TP_ARGS(extent, change),

	TP_STRUCT__entry(
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(long, delta)
		__field(int, change)
	),

	TP_fast_assign(
		__entry->start = extent->start;
		__entry->end = extent->end;
		__entry->delta = extent->delta;
		__entry->change = change;
	),

	TP_printk("%s 0x%lx-0x%lx delta=%ld",
		  __print_symbolic(__entry->change, ANON_SPACE_EXTENT_CHANGES),
		  __entry->start, __entry->end, __entry->delta)
);

/* The members of a file have changed, under its lock. */
TRACE_EVENT(anon_space_file,

	TP_PROTO(const struct anon_vma *file, const struct mm_struct *mm,
		 enum anon_space_file_change change),

	TP_ARGS(file, mm, change),

	TP_STRUCT__entry(
		__field(const void *, file)
		__field(const void *, mm)
		__field(unsigned int, members)
		__field(int, change)
	),

	TP_fast_assign(
		__entry->file = file;
		__entry->mm = mm;
		__entry->members = file->nr_members;
		__entry->change = change;
	),

	TP_printk("%s file=%p mm=%p members=%u",
		  __print_symbolic(__entry->change, ANON_SPACE_FILE_CHANGES),
		  __entry->file, __entry->mm, __entry->members)
);

/*
 * The reverse map has been walked for a folio, which had so many entries before and
 * has so many left. Not all of those that it has must have been looked for.
 */
TRACE_EVENT(anon_space_walk,

	TP_PROTO(struct folio *folio, const struct anon_vma *file,
		 unsigned int visited, int entries, bool contended),

	TP_ARGS(folio, file, visited, entries, contended),

	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(pgoff_t, index)
		__field(const void *, file)
		__field(unsigned int, members)
		__field(unsigned int, visited)
		__field(int, entries)
		__field(int, left)
		__field(bool, contended)
	),

	TP_fast_assign(
		__entry->pfn = folio_pfn(folio);
		__entry->index = folio->index;
		__entry->file = file;
		__entry->members = file->nr_members;
		__entry->visited = visited;
		__entry->entries = entries;
		__entry->left = folio_mapcount(folio);
		__entry->contended = contended;
	),

	TP_printk("pfn=0x%lx index=0x%lx file=%p visited=%u of %u members, entries=%d left=%d%s",
		  __entry->pfn, __entry->index, __entry->file, __entry->visited,
		  __entry->members, __entry->entries, __entry->left,
		  __entry->contended ? " contended" : "")
);

#endif /* _TRACE_ANON_SPACE_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
