# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: git: add, commit, branch, merge, clone and gc of 200 files
# runs: 4
# table: yes
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null HOME=$RUN
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
export GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
git init -q -b main tree
cd tree || exit
for i in {1..200}; do
	printf 'line %s\n' {1..30} "$i" >"file$i"
done
from_here
git add .
git commit -q -m first
git checkout -q -b side
for i in {1..200..7}; do
	echo more >>"file$i"
done
git commit -q -a -m second
git checkout -q main
echo other >other
git add other
git commit -q -m third
git merge -q -m merge side
git log --stat >/dev/null
git clone -q . ../clone
git -C ../clone gc -q
