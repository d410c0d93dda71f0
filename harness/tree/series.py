#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The patches as a series: write edits back, cut it anew, hand it out.

  series.py refresh  edits made in src/exp -> patches/ and our files
  series.py drift    grade how each patch fits the pristine source, and our files
  series.py rebase   move patches/ and base.lock to a newer source
  series.py export   src/series: the series as a git branch on the pristine source
  series.py import   patches/, patches/series and our files from that branch
  series.py write    build/series: what "git am" takes on the pristine source

The series is a git branch on the pristine source.  patches/ has what its commits do
to files of the kernel, and how files of ours grow; patches/series says in which patch
each of those first appears.  Our files themselves are kept as they are at the end: at
a patch they are that with the hunks of all later patches taken back.  See
docs/rebasing.rst.
"""

import os
import re
import shutil
from pathlib import Path

import tree
from tree import (EXACT, EXP, OUT, PATCHES, PRISTINE, STAMP, TOP, Error, am,
                  contents, git, new_repo, note, patched_files, put, read_patch,
                  read_series, run, say, scratch_repo, sections, series, show)

REBASE = OUT / "src/rebase"
BRANCH = OUT / "src/series"
MAILS = OUT / "series"
COVER = PATCHES / "cover-letter"


# --- from the description to a branch --------------------------------------------

def growth(patch):
    """[(file of ours, its part of the diff)] of a patch."""
    _, parts = sections(read_patch(patch))
    return [(name, part) for name, part in parts if tree.is_ours(name)]


def take_back(repo, patch):
    """Take the growth of files of ours in one patch back; returns what does not fit."""
    wrong = []
    for name, part in growth(patch):
        path = repo / ".git/growth"
        path.write_text(part, errors="surrogateescape")
        if git(repo, "apply", "-R", "--whitespace=nowarn", path,
               check=False).returncode:
            wrong.append(name)
    return wrong


class Ours:
    """Files of ours, as each patch leaves them.

    versions[n] has {name: contents} of those which patch n brings or changes; wrong[n]
    those whose growth in patch n does not fit what they are in the end.
    """

    def __init__(self, final):
        described = read_series()
        self.versions = [{} for _ in described]
        self.wrong = [[] for _ in described]
        self.unnamed = set(final) - {name for _, new in described for name in new}
        with scratch_repo([]) as repo:
            for name, data in final.items():
                put(repo / name, data)
            for n in reversed(range(len(described))):
                self.step_back(repo, n, *described[n])

    def step_back(self, repo, n, patch, new):
        for name in [*new, *(name for name, _ in growth(patch))]:
            self.versions[n][name] = contents(repo / name)
        self.wrong[n] = take_back(repo, patch) + \
            [name for name in new if self.versions[n][name] is None]
        for name in new:
            put(repo / name, None)


def final_files():
    return {name: contents(TOP / name) for name in tree.overlay_files()}


def fitting_files():
    """Files of ours, with which all growth fits: those whose last edit is in its way
    as they were committed.  Returns (files, names of these)."""
    final = final_files()
    wrong = sorted({name for names in Ours(final).wrong for name in names})
    for name in wrong:
        p = git(TOP, "show", f"HEAD:{name}", check=False)
        if p.returncode:
            raise Error(f"{name} does not fit its growth in patches/")
        final[name] = p.stdout.encode(errors="surrogateescape")
    if wrong and any(Ours(final).wrong):
        raise Error(f"growth does not fit: {', '.join(wrong)}; see: make drift")
    return final, wrong


def add_ours(repo, versions):
    """Let the last commit bring its files of ours as well."""
    if not versions:
        return
    for name, data in versions.items():
        put(repo / name, data)
    git(repo, "add", "-A", "-f", "--", *versions)
    git(repo, "commit", "-q", "--amend", "--no-edit", "--allow-empty")


def make_branch(repo, final, *options):
    """Commit the whole series, files of ours included, onto what is there."""
    ours = Ours(final)
    for n, (patch, _) in enumerate(read_series()):
        am(repo, [patch], *options)
        if ours.wrong[n]:
            raise Error(f"growth of {ours.wrong[n][0]} does not fit {patch.name}")
        add_ours(repo, ours.versions[n])


# --- from a branch to the description ---------------------------------------------

def commits(repo):
    return git(repo, "rev-list", "--reverse", "base..HEAD").stdout.split()


def new_files(repo, commit):
    text = git(repo, "diff-tree", "-r", "--no-commit-id", "--name-status",
               "--no-renames", commit).stdout
    return [line.split("\t")[1] for line in text.splitlines() if
            line.startswith("A") and not (PRISTINE / line.split("\t")[1]).exists()]


def describe(repo, commit, own):
    """A commit in the one form in which patches are kept: without files that are new,
    and with the growth of others without the hashes, which each edit would change."""
    text = git(repo, "format-patch", "-1", "--stdout", "--always", "--full-index",
               "--no-stat", "--zero-commit", "--no-signature", "--no-numbered",
               "--no-renames", commit).stdout
    new = new_files(repo, commit)
    head, parts = sections(text)
    kept = [re.sub(r"^index .*\n", "", part, count=1, flags=re.M)
            if name in own else part for name, part in parts if name not in new]
    return (head + "".join(kept)).encode(errors="surrogateescape"), new


def own_files(repo):
    """Files of the branch that the pristine source has not."""
    names = git(repo, "ls-tree", "-r", "--name-only", "HEAD").stdout.split("\n")
    return {name for name in names if name and not (PRISTINE / name).exists()}


def described(repo):
    """[(text, new files)] for each commit."""
    own = own_files(repo)
    found = [describe(repo, commit, own) for commit in commits(repo)]
    for text, new in found:
        if not sections(text.decode(errors="surrogateescape"))[1] and not new:
            subject = re.search(rb"^Subject: (?:\[PATCH\] )?(.*)$", text, re.M)
            raise Error(f"a patch became empty: {subject.group(1).decode()}; take "
                        "it out of the series")
    return found


def write_description(named):
    """[(file name, text, new files)] -> patches/."""
    lines = ["# SPDX-License-Identifier: GPL-2.0"]
    for name, text, new in named:
        lines += [name, *(f"\t{path}" for path in sorted(new))]
        if contents(PATCHES / name) != text:
            put(PATCHES / name, text)
            say(f"refresh: {name}")
    put(PATCHES / "series", ("\n".join(lines) + "\n").encode())
    for path in PATCHES.glob("*.patch"):
        if path.name not in {name for name, _, _ in named}:
            path.unlink()
            say(f"refresh: {path.name} is gone")


def write_ours(repo):
    """Files of ours, as the branch has them in the end."""
    names = own_files(repo)
    for name in sorted({*names, *tree.overlay_files()}):
        data = contents(repo / name) if name in names else None
        if contents(TOP / name) != data:
            put(TOP / name, data)
            say(f"refresh: {name}")


def patch_name(number, text):
    """The name that git format-patch gives."""
    subject = re.search(r"^Subject: (?:\[PATCH\] )?(.*(?:\n .*)*)",
                        text.decode(errors="surrogateescape"), re.M).group(1)
    slug = re.sub(r"[^A-Za-z0-9_.]+", "-", subject.replace("\n", "")).strip("-.")
    return f"{number:04d}-{slug[:52].rstrip('-.')}.patch"


# --- refresh ----------------------------------------------------------------------

def wanted_patch(patches):
    """Number of the patch that PATCH= names, None if there is no PATCH="""
    wanted = os.environ.get("PATCH")
    if not wanted:
        return None
    found = [i for i, p in enumerate(patches) if p.name.startswith(wanted)]
    if len(found) > 1:
        raise Error(f"PATCH={wanted} fits several patches")
    if not found and not re.fullmatch(r"\d{4}-[\w.-]+", wanted):
        raise Error(f"PATCH={wanted} is no patch; a new one needs the form "
                    "PATCH=NNNN-topic")
    return found[0] if found else len(patches)


def target_patch(name, patches):
    """Number of the patch that an edit of this file goes to."""
    number = wanted_patch(patches)
    if number is not None:
        return number
    found = [i for i, (p, new) in enumerate(read_series()) if name in new or
             name in [n for n, _ in sections(read_patch(p))[1]]]
    if found:
        return found[-1]
    if (PRISTINE / name).exists():
        raise Error(f"no patch touches {name}: name one with PATCH=NNNN, or a new "
                    "one with PATCH=NNNN-topic")
    return len(patches) - 1		# a new file


def fold(repo, edits, patches):
    """Fold {file: contents} into the commits of their patches; a new patch last."""
    before = commits(repo)
    targets = {name: target_patch(name, patches) for name in edits}
    for number in sorted(set(targets.values())):
        files = [name for name in edits if targets[name] == number]
        for name in files:
            put(repo / name, edits[name])
        git(repo, "add", "-A", "-f", "--", *files)
        if number < len(patches):
            git(repo, "commit", "-q", "--allow-empty", f"--fixup={before[number]}")
            continue
        new = os.environ["PATCH"].removesuffix(".patch")
        who = [run("git", "-C", TOP, "config", f"user.{key}").stdout.strip()
               for key in ("name", "email")]
        git(repo, "commit", "-q", f"--author={who[0]} <{who[1]}>",
            "-m", new[5:].replace("-", " "))
        patches.append(PATCHES / f"{new}.patch")
        say(f"refresh: new patch {new}.patch; write its message")
    if git(repo, "rebase", "-q", "-i", "--autosquash", "--empty=keep", "base",
           check=False).returncode:
        raise Error("an edit does not fit its patch, as a later patch changes "
                    "the same lines; name the later one with PATCH=NNNN")


def refresh(edits):
    """Write edits, {file: contents}, and the whole series to patches/."""
    patches = series()
    final, behind = fitting_files()
    edits = {**{name: contents(TOP / name) for name in behind}, **edits}
    unnamed = Ours(final).unnamed
    for name in sorted(unnamed):
        edits.setdefault(name, final[name])
    final = {name: data for name, data in final.items() if name not in unnamed}
    with scratch_repo(sorted({*patched_files(), *edits})) as repo:
        make_branch(repo, final, "--no-3way")
        if edits:
            fold(repo, edits, patches)
        for name, data in edits.items():
            if contents(repo / name) != data:
                raise Error(f"{name} differs from the edit after the refresh")
        texts = described(repo)
        if len(texts) != len(patches):
            raise Error(f"{len(texts)} commits for {len(patches)} patches")
        write_description([(patch.name, *text) for patch, text in
                           zip(patches, texts)])
        write_ours(repo)


def command_refresh():
    tree.make_pristine()
    manifest, edits = tree.read_manifest(), {}
    for name in tree.edits():
        here = contents(TOP / name)
        edits[name] = contents(EXP / name)
        if (PRISTINE / name).exists() or here == edits[name]:
            continue
        if here is not None and tree.sha256(here) != manifest.get(name) and \
                not os.environ.get("FORCE"):
            raise Error(f"{name} is edited both here and in src/exp; keep that of "
                        "src/exp: make refresh FORCE=1")
    refresh(edits)
    tree.write_lock()
    tree.command_tree()


# --- drift and rebase -------------------------------------------------------------

def result(good, text, details=()):
    """One test result; the details only if it is a failure."""
    print(f"{'ok' if good else 'not ok'} - {text}")
    for line in () if good else details:
        print(f"#   {line}")
    return good


def same_description(repo, final):
    """Names of the patches that refresh would write in another way.  At which lines
    files of ours grow does not count: each edit above would change it."""
    make_branch(repo, final, "--no-3way")
    stale = []
    for (patch, new), (text, new_now) in zip(read_series(), described(repo)):
        was, now = ([re.sub(r"^@@ .*", "@@", part, flags=re.M)
                     if tree.is_ours(name) else part for name, part in parts]
                    for parts in (sections(read_patch(patch))[1],
                                  sections(text.decode(errors="surrogateescape"))[1]))
        heads = [sections(read_patch(patch))[0],
                 sections(text.decode(errors="surrogateescape"))[0]]
        if was != now or heads[0] != heads[1] or sorted(new) != sorted(new_now):
            stale.append(patch.name)
    return stale


def drift_of_ours():
    """[(text, details)] for each rule about files of ours."""
    ours = Ours(final_files())
    wrong = [f"{patch.name}: {name}" for (patch, _), names in
             zip(read_series(), ours.wrong) for name in names]
    return [("growth of files of ours fits", [*wrong, "to name the patch that an edit "
                                              "belongs to: make refresh PATCH=NNNN"]
             if wrong else []),
            ("each file of ours is in a patch", sorted(ours.unnamed))]


def command_drift():
    """Grades, one test result for each patch and each rule about them."""
    tree.make_pristine()
    with scratch_repo(patched_files()) as repo:
        good = [result(g == EXACT, f"{patch.name}: {g}", details)
                for patch, g, details in tree.grades(repo)]
    good += [result(not wrong, text, wrong) for text, wrong in drift_of_ours()]
    if all(good):
        with scratch_repo(patched_files()) as repo:
            stale = same_description(repo, final_files())
        good.append(result(not stale, "patches are as make refresh writes them",
                           stale))
    changed = tree.changed_blobs()
    wanted = "none" if tree.source_tree() else tree.package_version()
    locked = not changed and tree.is_same_release(wanted,
                                                  tree.read_lock()["package"])
    good.append(result(locked, f"base.lock: {tree.base_name()}",
                       [*changed, "to move the patches: make rebase"]))
    edited = tree.edits()
    good.append(result(not edited, "src/exp has no edits",
                       [*edited, "to write them back: make refresh"]))
    if not all(good):
        raise Error(f"{good.count(False)} of {len(good)} results are not ok")


def command_rebase():
    tree.make_pristine()
    stamp = REBASE / ".git/base-stamp"
    if contents(stamp) != contents(STAMP):
        shutil.rmtree(REBASE, ignore_errors=True)
        temp = REBASE.with_name("rebase.tmp")
        shutil.rmtree(temp, ignore_errors=True)
        new_repo(temp, patched_files())
        tree.add_old_objects(temp)
        put(temp / ".git/base-stamp", contents(STAMP))
        temp.rename(REBASE)
        am(REBASE, series(), "--3way", check=False)
    if (REBASE / ".git/rebase-apply").exists():
        git_dir = show(REBASE)
        raise Error(f"a patch is in conflict; solve it in {git_dir} (git am "
                    "--show-current-patch, edit, git add, git am --continue),"
                    f" then: make rebase; to start over: rm -r {git_dir}")
    found = described_with_growth()
    write_description(found)
    tree.write_lock()
    shutil.rmtree(REBASE)
    tree.command_tree()


def described_with_growth():
    """The commits of the rebase, with what the patches have of files of ours."""
    patches = read_series()
    texts = [describe(REBASE, commit, set())[0] for commit in commits(REBASE)]
    if len(texts) != len(patches):
        raise Error(f"{len(texts)} commits for {len(patches)} patches")
    found = []
    for (patch, new), text in zip(patches, texts):
        head, parts = sections(text.decode(errors="surrogateescape"))
        parts = sorted([*parts, *growth(patch)])
        text = head + "".join(part for _, part in parts)
        found.append((patch.name, text.encode(errors="surrogateescape"), new))
    return found


# --- export and import ------------------------------------------------------------

def export_to(path, tracked=(".",)):
    """A repository with the whole source, to build any commit of it.  Of the source,
    git knows the files and folders in tracked."""
    tree.require_space(2000)
    temp = path.with_name(f"{path.name}.tmp")
    shutil.rmtree(temp, ignore_errors=True)
    temp.parent.mkdir(parents=True, exist_ok=True)
    run("cp", "-a", "--reflink=auto", PRISTINE, temp)
    git(temp, "init", "-q", "-b", "series")
    git(temp, "add", "-f", "--", *tracked)
    git(temp, "commit", "-q", "-m", "base")
    git(temp, "tag", "base")
    make_branch(temp, final_files(), "--no-3way")
    temp.rename(path)


def command_export():
    tree.make_pristine()
    if BRANCH.exists():
        raise Error(f"{show(BRANCH)} is there already; take its commits: make "
                    "series-import, or drop them: rm -r")
    export_to(BRANCH)
    say(f"series: {len(commits(BRANCH))} commits in {show(BRANCH)}, from the tag base "
        "on; back: make series-import")


def command_import():
    if not BRANCH.exists():
        raise Error(f"no {show(BRANCH)}; run: make series-export")
    if git(BRANCH, "status", "--porcelain", "-uno").stdout:
        raise Error(f"{show(BRANCH)} has changes that are not committed")
    found = described(BRANCH)
    write_description([(patch_name(n, text), text, new) for n, (text, new) in
                       enumerate(found, 1)])
    write_ours(BRANCH)
    tree.write_lock()
    tree.command_tree()


# --- mails ------------------------------------------------------------------------

# Where the cover letter has a table of README.md, and what marks it there.
TABLES = {"@programs@": "programs, ", "@collectors@": "collectors, ", "@operations@": ""}


def table(kind):
    """A table of README.md, with the commits that it was measured at."""
    text = (contents(TOP / "README.md") or b"").decode()
    found = re.search(rf"<!-- {kind}written by make bench-readme -->\n(.*?)\n<!-- end -->",
                      text, re.S)
    return found.group(1) if found else "Not measured."


def tested():
    """The last result of each part of the checks, with its commit."""
    rows = (contents(OUT / "report/parts.tsv") or b"").decode().splitlines()
    lines = [f"  {row[0]:24} {row[1]:>6} passed, {row[2]} failed, {row[3]} skipped "
             f"({row[5]})" for row in (row.split("\t") for row in rows)
             if len(row) > 5]
    return "\n".join(lines) or "  nothing yet: make check"


def cover_letter(texts, stat):
    """patches/cover-letter with what it asks for."""
    body = (contents(COVER) or b"*** SUBJECT HERE ***\n\n@operations@\n").decode()
    subject, body = body.split("\n", 1)
    for mark, kind in TABLES.items():
        body = body.replace(mark, table(kind))
    body = body.replace("@tested@", tested())
    who = re.search(r"^From: (.*)", texts[0], re.M).group(1)
    date = re.search(r"^Date: (.*)", texts[0], re.M).group(1)
    return (f"From {'0' * 40} Mon Sep 17 00:00:00 2001\nFrom: {who}\nDate: {date}\n"
            f"Subject: [PATCH 0/{len(texts)}] {subject}\n{body}\n{stat}")


def command_write():
    tree.make_pristine()
    shutil.rmtree(MAILS, ignore_errors=True)
    with scratch_repo(patched_files()) as repo:
        make_branch(repo, final_files(), "--no-3way")
        git(repo, "format-patch", "-q", "--zero-commit", "--no-signature",
            "--no-renames", "--numbered", "-o", MAILS, "base..HEAD")
        stat = git(repo, "diff", "--stat=78", "--no-renames", "base").stdout
    paths = sorted(MAILS.glob("*.patch"))
    texts = [path.read_text(errors="surrogateescape") for path in paths]
    (MAILS / "0000-cover-letter.patch").write_text(cover_letter(texts, stat),
                                                   encoding="utf-8")
    check_mails(paths)
    say(f"series: {len(paths)} patches and a cover letter in {show(MAILS)}")


def check_mails(paths):
    """What "git am" makes of them is what src/exp is made of."""
    with scratch_repo(patched_files()) as repo:
        git(repo, "am", "-q", "--keep-non-patch", "--whitespace=nowarn", *paths)
        wanted = tree.wanted_files()
        wrong = [name for name, data in wanted.items()
                 if contents(repo / name) != data]
        wrong += sorted(own_files(repo) - set(wanted))
    if wrong:
        raise Error(f"git am makes another tree: {', '.join(wrong)}")
    note("series: git am makes of it what src/exp is")


if __name__ == "__main__":
    tree.main({"refresh": command_refresh, "drift": command_drift,
               "rebase": command_rebase, "export": command_export,
               "import": command_import, "write": command_write}, __doc__)
