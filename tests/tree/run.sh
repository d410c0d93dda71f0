#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests of tree.py and series.py, on a kernel of three files and a project of two patches.
# One function a case, TAP on stdout; T=NAME runs one case.

set -uo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=harness/tap.sh
. "$top/harness/tap.sh"

export KSRC=$dir/kernel O=$dir/build
unset FORCE PATCH MAKEFLAGS MAKELEVEL
export GIT_CONFIG_GLOBAL=$dir/gitconfig GIT_CONFIG_NOSYSTEM=1
git config --file "$dir/gitconfig" user.name Tester
git config --file "$dir/gitconfig" user.email tester@example.org

# tree COMMAND: of whichever of the two scripts has it
tree()
{
	local script=series

	[ "$1" != tree ] || script=tree
	(cd "$dir/project" && harness/tree/$script.py "$1" 2>&1)
}

# fails COMMAND TEXT: the command fails, and its last line has the text.
fails()
{
	local out

	if out=$(tree "$1"); then
		echo "succeeded: $1"
		return 1
	fi
	tail -n 1 <<<"$out" | grep -qF -- "$2" && return
	printf 'expected: %s\ngot: %s\n' "$2" "$out"
	return 1
}

# has FILE TEXT
has() { grep -qxF -- "$2" "$1" || { echo "$1 has not: $2"; return 1; }; }
lacks() { ! grep -qxF -- "$2" "$1" || { echo "$1 has: $2"; return 1; }; }

# gives COMMAND REGEX: the output has such a line; the status does not matter.
gives()
{
	local out

	out=$(tree "$1")
	grep -qE -- "$2" <<<"$out" && return
	printf 'expected: %s\ngot: %s\n' "$2" "$out"
	return 1
}

# A kernel with mm/a.c and mm/b.c of 40 lines each, and a project with a file of
# its own and two patches: 0001 changes line 5, 0002 line 20 of mm/a.c.
setup()
{
	rm -rf "${dir:?}"/{kernel,project,build}
	mkdir -p "$dir"/kernel/mm "$dir"/project/{harness/tree,patches,mm}
	printf 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n' \
		>"$dir/kernel/Makefile"
	seq -f 'line %g' 40 | tee "$dir/kernel/mm/a.c" >"$dir/kernel/mm/b.c"

	cp "$top"/harness/tree/{tree,series}.py "$dir/project/harness/tree/"
	git -C "$dir/project" init -q
	echo 'own' >"$dir/project/mm/own.c"
	tree tree || return
	edit a.c 5 first
	PATCH=0001-first tree refresh || return
	edit a.c 20 second
	PATCH=0002-second tree refresh
}

# edit FILE LINE TEXT: in the built tree
edit() { sed -i "${2}s/.*/$3/" "$O/src/exp/mm/$1"; }

exact_patches_are_applied()
{
	has "$O/src/exp/mm/a.c" first && has "$O/src/exp/mm/a.c" second &&
		has "$O/src/exp/mm/own.c" own && tree drift
}

refresh_changes_nothing_after_tree()
{
	local before

	before=$(cat "$dir"/project/{base.lock,patches/*})
	tree tree && tree refresh &&
		[ "$before" = "$(cat "$dir"/project/{base.lock,patches/*})" ]
}

unchanged_files_keep_their_time()
{
	local before

	before=$(stat -c %y "$O"/src/exp/mm/*)
	sleep 0.1
	tree tree && [ "$before" = "$(stat -c %y "$O"/src/exp/mm/*)" ]
}

edit_goes_to_the_last_patch_of_its_file()
{
	edit a.c 30 third
	tree refresh && has "$dir/project/patches/0002-second.patch" +third
}

edit_goes_to_the_patch_that_was_named()
{
	edit a.c 33 third
	PATCH=0001 tree refresh &&
		has "$dir/project/patches/0001-first.patch" +third && tree drift
}

edit_that_a_later_patch_changes_is_refused()
{
	edit a.c 20 third
	PATCH=0001 fails refresh "a later patch changes the same lines" &&
		lacks "$dir/project/patches/0001-first.patch" +third
}

edit_of_an_unpatched_file_needs_a_patch()
{
	edit b.c 1 third
	fails refresh "no patch touches mm/b.c" &&
		PATCH=0003-third tree refresh &&
		has "$dir/project/patches/series" 0003-third.patch && tree drift
}

edit_survives_make_tree()
{
	edit a.c 30 third
	tree tree && has "$O/src/exp/mm/a.c" third &&
		gives drift '^not ok - src/exp has no edits'
}

new_file_becomes_a_file_of_ours()
{
	echo new >"$O/src/exp/mm/new.c"
	echo product >"$O/src/exp/mm/new.o"
	tree refresh && has "$dir/project/mm/new.c" new &&
		[ ! -e "$dir/project/mm/new.o" ]
}

file_edited_on_both_sides_is_refused()
{
	echo here >"$dir/project/mm/own.c"
	echo there >"$O/src/exp/mm/own.c"
	fails tree "edited both here and in src/exp: mm/own.c" &&
		fails refresh "mm/own.c is edited both here and in src/exp" &&
		FORCE=1 tree tree && has "$O/src/exp/mm/own.c" here
}

removed_patch_and_file_are_undone()
{
	sed -i /0002/d "$dir/project/patches/series"
	rm "$dir/project/patches/0002-second.patch" "$dir/project/mm/own.c"
	tree tree && lacks "$O/src/exp/mm/a.c" second &&
		has "$O/src/exp/mm/a.c" first && [ ! -e "$O/src/exp/mm/own.c" ]
}

kernel_file_is_not_overwritten()
{
	echo ours >"$dir/project/mm/b.c"
	fails tree "mm/b.c is a file of the kernel" &&
		lacks "$O/src/exp/mm/b.c" ours
}

patch_outside_the_series_is_named()
{
	touch "$dir/project/patches/0009-lost.patch"
	fails tree "0009-lost.patch is not in patches/series"
}

moved_lines_are_an_offset()
{
	sed -i '1i new first line' "$KSRC/mm/a.c"
	gives drift '^not ok - 0001-first.patch: offset' &&
		gives tree 'lines moved: 0001-first.patch, 0002-second.patch' &&
		has "$O/src/exp/mm/a.c" first
}

changed_context_is_a_three_way()
{
	sed -i '18d' "$KSRC/mm/a.c"
	gives drift '^ok - 0001-first.patch: exact' &&
		gives drift '^not ok - 0002-second.patch: three-way' &&
		gives tree 'warning: .* merged: 0002-second.patch$' &&
		has "$O/src/exp/mm/a.c" second &&
		has "$O/src/exp/mm/a.c" first &&
		lacks "$O/src/exp/mm/a.c" 'line 18' &&
		tree rebase && tree drift && has "$O/src/exp/mm/a.c" second
}

changed_context_without_the_old_source_is_a_conflict()
{
	sed -i '18d' "$KSRC/mm/a.c"
	rm -r "$O"
	fails tree '0002-second.patch (conflict)'
}

one_line_warns_of_another_source()
{
	sed -i '1i new first line' "$KSRC/mm/a.c"
	[ "$(tree tree | grep -c warning)" -eq 1 ]
}

unpatched_files_may_change()
{
	sed -i '7s/.*/theirs/' "$KSRC/mm/b.c"
	tree tree && has "$O/src/exp/mm/b.c" theirs &&
		has "$O/src/exp/mm/a.c" second
}

broken_patch_is_a_conflict()
{
	sed -i 's/^-line 20/-line 21/' "$dir/project/patches/0002-second.patch"
	gives drift '^not ok - 0002-second.patch: conflict' &&
		fails tree '0002-second.patch (conflict)'
}

conflict_is_left_to_be_solved()
{
	local repo=$O/src/rebase

	sed -i '20s/.*/theirs/' "$KSRC/mm/a.c"
	fails rebase "a patch is in conflict" &&
		fails rebase "a patch is in conflict" &&
		sed -i '/^[<=>|]\{7\}/d; /^theirs/d' "$repo/mm/a.c" &&
		git -C "$repo" add mm/a.c &&
		git -C "$repo" am -q --continue &&
		tree rebase && tree drift && has "$O/src/exp/mm/a.c" second
}

other_release_is_refused()
{
	sed -i 's/= 12/= 11/' "$KSRC/Makefile"
	fails tree "is 6.11.1, not 6.12.x"
}

failed_unpack_leaves_nothing_to_trust()
{
	seq 100 >"$KSRC/mm/unreadable.c"
	mkdir "$dir/bin"
	printf '#!/bin/sh\necho "rsync: no space" >&2\nexit 11\n' >"$dir/bin/rsync"
	chmod +x "$dir/bin/rsync"
	rm -r "$O"
	PATH=$dir/bin:$PATH fails tree "rsync failed: rsync: no space" || return
	[ ! -e "$O/src/pristine" ] && [ ! -e "$O/src/pristine.stamp" ] &&
		tree tree && has "$O/src/exp/mm/a.c" second
}

# The first patch brings mm/own.c, the second lets it grow.
grow()
{
	echo grown >>"$O/src/exp/mm/own.c"
	PATCH=0002 tree refresh &&
		git -C "$dir/project" add -A && git -C "$dir/project" commit -qm grown
}

file_of_ours_belongs_to_a_patch()
{
	has "$dir/project/patches/series" $'\tmm/own.c' || return
	echo new >"$dir/project/mm/new.c"
	gives drift '^not ok - each file of ours is in a patch' && tree tree &&
		tree refresh && tree drift &&
		[ "$(tail -n 1 "$dir/project/patches/series")" = $'\tmm/new.c' ]
}

file_of_ours_grows_in_a_later_patch()
{
	grow && has "$dir/project/patches/0002-second.patch" +grown &&
		has "$dir/project/mm/own.c" grown && tree drift &&
		tree export && [ "$(git -C "$O/src/series" show HEAD~1:mm/own.c)" = own ] &&
		[ "$(git -C "$O/src/series" show HEAD:mm/own.c)" = $'own\ngrown' ]
}

edit_of_a_file_of_ours_goes_to_the_patch_that_was_named()
{
	grow || return
	sed -i 's/^own/first/' "$O/src/exp/mm/own.c"
	PATCH=0001 fails refresh "a later patch changes the same lines" || return
	tree refresh && has "$dir/project/patches/0002-second.patch" +first &&
		tree drift
}

growth_that_does_not_fit_is_drift()
{
	grow || return
	sed -i 's/grown/other/' "$dir/project/mm/own.c"
	gives drift '^not ok - growth of files of ours fits' &&
		gives drift '^#   0002-second.patch: mm/own.c' && tree tree &&
		tree refresh && tree drift &&
		has "$dir/project/patches/0002-second.patch" +other
}

edit_above_growth_is_no_drift()
{
	{ seq 9; cat "$dir/project/mm/own.c"; } >"$O/src/exp/mm/own.c"
	PATCH=0001 tree refresh && grow || return
	sed -i '1i zero' "$dir/project/mm/own.c"
	tree tree && tree drift
}

export_and_import_change_nothing()
{
	local before

	grow || return
	before=$(cat "$dir"/project/{base.lock,patches/*,mm/*})
	tree export && tree import && tree drift &&
		[ "$before" = "$(cat "$dir"/project/{base.lock,patches/*,mm/*})" ]
}

import_takes_what_git_has_made()
{
	local repo=$O/src/series

	grow && tree export || return
	fails export "is there already"
	git -C "$repo" reset -q HEAD~1
	git -C "$repo" commit -qm second mm/a.c
	fails import "has changes that are not committed"
	echo new >"$repo/mm/new.c"
	git -C "$repo" add -A
	git -C "$repo" commit -qm 'grow, and a new file'
	tree import && tree drift && has "$dir/project/mm/new.c" new &&
		lacks "$dir/project/patches/0002-second.patch" +grown &&
		has "$dir/project/patches/0003-grow-and-a-new-file.patch" +grown
}

empty_patch_is_refused()
{
	tree export || return
	git -C "$O/src/series" commit -q --allow-empty -m nothing
	fails import "a patch became empty: nothing"
}

mails_make_the_tree()
{
	printf 'subject\n\n@tested@\n' >"$dir/project/patches/cover-letter"
	grow && tree write && has "$O/series/0000-cover-letter.patch" \
		'Subject: [PATCH 0/2] subject' &&
		has "$O/series/0001-first.patch" 'Subject: [PATCH 1/2] first' &&
		has "$O/series/0001-first.patch" +own
}

tap_cases setup
tap_end
