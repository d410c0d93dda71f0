#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The kernel source trees: unpack and patch.

  tree.py pristine   src/pristine: the Debian source, or a copy of KSRC
  tree.py tree       src/exp: pristine + our files (overlay) + patches
  tree.py list-patches | list-patched | list-ours
                     names of patches, patched files, our own kernel files

Patches are applied by "git am" in a throw-away repository of just the patched
files; the result is copied to src/exp where it differs, so builds stay
incremental.  Hunks of files of ours are left out: they say which patch a file grew
in, for series.py.  src/exp.manifest holds the hash of all that was put there, which
tells edits from our own output.  See docs/rebasing.rst.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PACKAGE = "linux-source-6.12"
TARBALL = Path(f"/usr/src/{PACKAGE}.tar.xz")
RELEASE = "6.12."

TOP = Path(__file__).resolve().parents[2]
OUT = Path(os.environ.get("O") or TOP / "build").resolve()
PATCHES = TOP / "patches"
LOCK = TOP / "base.lock"
PRISTINE = OUT / "src/pristine"
STAMP = OUT / "src/pristine.stamp"
OLD = OUT / "src/pristine.old"
EXP = OUT / "src/exp"
MANIFEST = OUT / "src/exp.manifest"

# Where our own kernel files live, and what tells them from build products.
OVERLAY = ("Documentation", "arch", "fs", "include", "kernel", "lib", "mm",
           "scripts/gdb", "tools/mm", "tools/testing")
SOURCE_NAME = re.compile(r"\.(c|h|S|rst|sh|py|config|kunitconfig|txt)$|"
                         r"(^|/)(Makefile|Kconfig|Kbuild|config)$")

EXACT, OFFSET, THREE_WAY, CONFLICT = "exact", "offset", "three-way", "conflict"


class Error(Exception):
    """A message for the user; ends the program."""


def say(text):
    print(f"==> {text}", flush=True)


def note(text):
    print(f"    {text}", flush=True)


def show(path):
    """Path as the user would type it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("../..") else relative


def run(*argv, cwd=None, env=None, check=True):
    """Run a command; an Error has the first line of its output."""
    p = subprocess.run([str(a) for a in argv], cwd=cwd, env=env, text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       stdin=subprocess.DEVNULL, errors="surrogateescape")
    if check and p.returncode:
        lines = (p.stderr or p.stdout).strip().splitlines() or ["no output"]
        raise Error(f"{argv[0]} failed: {lines[0]}")
    return p


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def blob_hash(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def contents(path):
    """Contents of a file, None if there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def put(path, data):
    """Write, or with None delete, a file; never leave half of it."""
    if data is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = path.with_name(path.name + ".tmp~")
    temp.write_bytes(data)
    if path.exists():
        shutil.copymode(path, temp)
    elif path.suffix in (".sh", ".py"):
        temp.chmod(0o755)
    os.replace(temp, path)


def require_space(megabytes):
    (OUT / "src").mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(OUT / "src").free >> 20
    if free < megabytes:
        raise Error(f"no disk space: {show(OUT)} has {free} MB free, "
                    f"{megabytes} MB are needed")


# --- the pristine source ---------------------------------------------------

def package_version():
    p = run("dpkg-query", "-W", "-f=${Version}", PACKAGE, check=False)
    if p.returncode or not TARBALL.exists():
        raise Error(f"{PACKAGE} is not installed; run: make setup")
    return p.stdout.strip()


def is_same_release(version, locked):
    """Debian builds a version again for its older releases: 6.12.1-1 is
    6.12.1-1~deb12u1 there, of the same source."""
    return locked and version.split("~deb")[0] == locked.split("~deb")[0]


def kernel_release(tree):
    text = (contents(tree / "Makefile") or b"").decode(errors="replace")
    found = [re.search(rf"^{key} = (\d+)$", text, re.M)
             for key in ("VERSION", "PATCHLEVEL", "SUBLEVEL")]
    if not all(found):
        raise Error(f"{tree} is no kernel source tree")
    return ".".join(m.group(1) for m in found)


def source_tree():
    """KSRC as a path, None to use the package."""
    ksrc = os.environ.get("KSRC")
    return Path(ksrc).resolve() if ksrc else None


def fingerprint(tree):
    """Hash of the names, sizes and times of all files of a tree."""
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(tree):
        folders[:] = sorted(f for f in folders if f != ".git")
        for name in sorted(files):
            path = os.path.join(folder, name)
            stat = os.lstat(path)
            digest.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n"
                          .encode(errors="surrogateescape"))
    return digest.hexdigest()


def make_pristine():
    """Have the wanted source in src/pristine."""
    start = time.monotonic()
    ksrc = source_tree()
    if ksrc:
        release = kernel_release(ksrc)
        if not release.startswith(RELEASE):
            raise Error(f"KSRC={ksrc} is {release}, not {RELEASE}x")
        key = f"ksrc {ksrc} {fingerprint(ksrc)}"
        what = f"copying {ksrc} ({release})"
    else:
        version, stat = package_version(), TARBALL.stat()
        key = f"package {version} {stat.st_size} {stat.st_mtime_ns}"
        what = f"unpacking {PACKAGE} {version}"
    if contents(STAMP) == key.encode():
        return

    say(f"pristine: {what}")
    require_space(4000)
    if edited := edits():
        if not os.environ.get("FORCE"):
            raise Error("the kernel source changed, but src/exp has edits: " +
                        ", ".join(edited) + "; drop them: make tree FORCE=1")
    temp = PRISTINE.with_name("pristine.tmp")
    shutil.rmtree(temp, ignore_errors=True)
    temp.mkdir()
    try:
        if ksrc:
            copy_ksrc(ksrc, temp)
        else:
            check_tarball(version)
            run("tar", "-xf", TARBALL, "-C", temp, "--strip-components=1")
    except Error:
        shutil.rmtree(temp)
        raise
    replace_pristine(temp, key)
    note(f"pristine: done in {time.monotonic() - start:.0f} s; "
         "again: make pristine")


def check_tarball(version):
    lock = read_lock()
    digest = sha256(TARBALL.read_bytes())
    if version == lock["package"] and digest != lock["tarball"]:
        raise Error(f"{TARBALL} is damaged: sha256 {digest}, base.lock has "
                    f"{lock['tarball']} for {version}")


def copy_ksrc(ksrc, temp):
    run("rsync", "-a", "--exclude=/.git", f"{ksrc}/", f"{temp}/")
    if (temp / ".config").exists() or (temp / "include/config").exists():
        env = {k: v for k, v in os.environ.items()
               if k not in ("O", "V", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        run("make", "-C", temp, "mrproper", env=env)


def replace_pristine(temp, key):
    """Put temp in place.  What was made from the old source goes: its files
    may be newer than those of the new one, and make would trust them.  Of the
    old source only the patched files stay, for three-way merges."""
    STAMP.unlink(missing_ok=True)
    keep_old_base()
    MANIFEST.unlink(missing_ok=True)
    for stale in (EXP, OUT / "kernel", OUT / "kunit", PRISTINE):
        if stale.exists():
            shutil.rmtree(stale)
    temp.rename(PRISTINE)
    put(STAMP, key.encode())


# --- patches and our own files -----------------------------------------------

def read_series():
    """[(path of a patch, [files of ours that first appear in it])], in order.

    In patches/series these files follow their patch, a line each, indented.
    """
    found = []
    for line in (contents(PATCHES / "series") or b"").decode().splitlines():
        name = line.split("#")[0].strip()
        if not name:
            continue
        if not line[0].isspace():
            found.append((PATCHES / name, []))
        elif found:
            found[-1][1].append(name)
        else:
            raise Error(f"patches/series names {name} before any patch")
    return found


def series():
    """Paths of the patches, in order."""
    paths = [path for path, _ in read_series()]
    for path in paths:
        if not path.exists():
            raise Error(f"patches/series names {path.name}: no such file")
    listed = set(paths)
    for path in sorted(PATCHES.glob("*.patch")):
        if path not in listed:
            raise Error(f"patches/{path.name} is not in patches/series")
    return paths


def sections(text):
    """(what comes before the diff, [(path, its part of the diff)]) of a patch."""
    head, *parts = re.split(r"^(?=diff --git )", text, flags=re.M)
    return head, [(re.match(r"diff --git a/(\S+) b/\S+\n", part).group(1), part)
                  for part in parts]


def read_patch(path):
    return path.read_text(errors="surrogateescape")


def is_ours(name):
    """Is it a file of ours, or was it one?"""
    return (name.startswith(OVERLAY) and (TOP / name).exists()) or \
        any(name in names for _, names in read_series())


def files_of(patch):
    """Kernel files that a patch touches."""
    _, parts = sections(read_patch(patch))
    return sorted({name for name, _ in parts if not is_ours(name)})


def patched_files():
    return sorted({name for patch in series() for name in files_of(patch)})


def overlay_files():
    """Our own kernel files."""
    names = []
    for top in OVERLAY:
        for folder, folders, files in os.walk(TOP / top):
            folders[:] = [f for f in folders if f != "__pycache__"]
            for name in files:
                path = str((Path(folder) / name).relative_to(TOP))
                if SOURCE_NAME.search(path):
                    names.append(path)
    return sorted(names)


# --- the throw-away repository -------------------------------------------------

def git(repo, *args, check=True):
    env = {"PATH": os.environ["PATH"], "HOME": str(repo), "LC_ALL": "C",
           "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
           "GIT_CEILING_DIRECTORIES": str(repo.parent),
           "GIT_AUTHOR_NAME": "anon-space developers",
           "GIT_AUTHOR_EMAIL": "anon-space@example.org",
           "GIT_COMMITTER_NAME": "anon-space developers",
           "GIT_COMMITTER_EMAIL": "anon-space@example.org",
           "GIT_SEQUENCE_EDITOR": "true", "GIT_EDITOR": "true"}
    return run("git", *args, cwd=repo, env=env, check=check)


def new_repo(path, names, source=PRISTINE):
    """A repository holding the named files of a source."""
    path.mkdir(parents=True, exist_ok=True)
    git(path, "init", "-q", "-b", "base")
    for name in names:
        if (data := contents(source / name)) is not None:
            put(path / name, data)
    git(path, "add", "-A", "-f")
    git(path, "commit", "-q", "--allow-empty", "-m", "base")
    git(path, "tag", "base")
    return path


def scratch_repo(names, source=PRISTINE):
    """Context manager: new_repo() in a temporary folder."""
    class Scratch(tempfile.TemporaryDirectory):
        def __enter__(self):
            return new_repo(Path(super().__enter__()), names, source)
    (OUT / "src").mkdir(parents=True, exist_ok=True)
    return Scratch(prefix="repo.", dir=OUT / "src")


def kernel_part(repo, patch):
    """A patch without the hunks of files of ours, in a file in the repository."""
    head, parts = sections(read_patch(patch))
    path = repo / ".git" / patch.name
    path.write_text(head + "".join(part for name, part in parts
                                   if not is_ours(name)),
                    errors="surrogateescape")
    return path


def am(repo, patches, *options, check=True):
    if not patches:
        return None
    return git(repo, "am", "-q", "--keep-non-patch", "--whitespace=nowarn",
               "--empty=keep", "--committer-date-is-author-date", *options,
               *[kernel_part(repo, patch) for patch in patches], check=check)


def grade(repo, patch):
    """Apply one patch to the repository; how well did it fit?"""
    if not files_of(patch):
        am(repo, [patch])
        return EXACT, []
    p = git(repo, "apply", "--check", "--verbose", "--whitespace=nowarn",
            kernel_part(repo, patch), check=False)
    if not p.returncode and not am(repo, [patch], "--no-3way",
                                   check=False).returncode:
        offsets = re.findall(r"^Hunk .*\(offset.*$", p.stderr, re.M)
        return (OFFSET, offsets) if offsets else (EXACT, [])
    git(repo, "am", "--abort", check=False)
    details = re.findall(r"^error: (.*)$", p.stderr, re.M)
    if not am(repo, [patch], "--3way", check=False).returncode:
        return THREE_WAY, details
    git(repo, "am", "--abort", check=False)
    return CONFLICT, details


def is_locked_base(tree):
    """Are these the files that the patches were made against?"""
    blobs = read_lock()["blobs"]
    return bool(blobs) and all(
        (data := contents(tree / name)) is not None and blob_hash(data) == blob
        for name, blob in blobs.items())


def keep_old_base():
    """Before a new source replaces it, keep what three-way merges need."""
    if not is_locked_base(PRISTINE):
        return
    shutil.rmtree(OLD, ignore_errors=True)
    for name in read_lock()["blobs"]:
        put(OLD / name, contents(PRISTINE / name))


def add_old_objects(repo):
    """Give three-way merges the versions the patches were made against, if
    there are such: of an older source, or of the package if KSRC is used."""
    lock = read_lock()
    if not is_locked_base(OLD) and source_tree() and TARBALL.exists() and \
            package_version() == lock["package"]:
        OLD.mkdir(exist_ok=True)
        run("tar", "-xf", TARBALL, "-C", OLD, "--strip-components=1",
            *[f"{PACKAGE}/{name}" for name in lock["blobs"]])
    if not is_locked_base(OLD):
        return
    with scratch_repo(lock["blobs"], OLD) as old:
        am(old, series(), "--no-3way", check=False)
        git(repo, "fetch", "-q", old, "HEAD")


def grades(repo):
    """Grade the whole series; a patch in conflict is left out of the rest."""
    add_old_objects(repo)
    return [(patch, *grade(repo, patch)) for patch in series()]


def commits(repo):
    return git(repo, "rev-list", "--reverse", "base..HEAD").stdout.split()


# --- base.lock ------------------------------------------------------------------

def read_lock():
    """{"package": version, "tarball": sha256, "blobs": {path: hash}}"""
    lock = {"package": None, "tarball": None, "blobs": {}}
    for line in (contents(LOCK) or b"").decode().splitlines():
        words = line.split()
        if not words or words[0] == "#":
            continue
        if words[0] == "blob":
            lock["blobs"][words[2]] = words[1]
        else:
            lock[words[0]] = words[1]
    return lock


def write_lock():
    if source_tree():
        package = tarball = "none"
    else:
        package, tarball = package_version(), sha256(TARBALL.read_bytes())
    lines = ["# SPDX-License-Identifier: GPL-2.0",
             "# What the patches were made against; written by tree.py.",
             f"package {package}", f"tarball {tarball}"]
    for name in patched_files():
        if (data := contents(PRISTINE / name)) is not None:
            lines.append(f"blob {blob_hash(data)} {name}")
    put(LOCK, ("\n".join(lines) + "\n").encode())


def changed_blobs():
    """Patched files whose pristine version is not that of base.lock."""
    blobs = read_lock()["blobs"]
    wrong = []
    for name in patched_files():
        data = contents(PRISTINE / name)
        if blobs.pop(name, None) != (None if data is None else blob_hash(data)):
            wrong.append(name)
    return wrong + sorted(blobs)


def base_name():
    """One phrase: which source is used, which one the patches are for."""
    locked = read_lock()["package"]
    if source_tree():
        return f"KSRC={source_tree()} ({kernel_release(PRISTINE)})"
    if is_same_release(package_version(), locked):
        return f"{PACKAGE} {package_version()}"
    if locked in (None, "none"):
        return (f"{PACKAGE} is {package_version()}, base.lock is for "
                "no package")
    newer = not run("dpkg", "--compare-versions", package_version(), "gt",
                    locked, check=False).returncode
    return (f"{PACKAGE} is {package_version()}, "
            f"{'newer' if newer else 'older'} than {locked} of base.lock")


def misfit(graded):
    """The one message for a source that the patches do not match."""
    bad = [f"{patch.name} ({g})" for patch, g, _ in graded if g != EXACT]
    return (f"{base_name()}; patches that do not match: {', '.join(bad)}; "
            "see: make drift; to move them: make rebase")


# --- src/exp ------------------------------------------------------------------

def read_manifest():
    text = (contents(MANIFEST) or b"").decode()
    return dict(reversed(line.split(" ", 1)) for line in text.splitlines())


def edits():
    """Files of src/exp that are not as we put them there."""
    if not EXP.exists():
        return []
    manifest = read_manifest()
    p = run("rsync", "-rlni", "--delete", "--out-format=%i %n",
            "--exclude=/.checkpatch-*", f"{PRISTINE}/", f"{EXP}/")
    found = {name for name in manifest if not (EXP / name).exists()}
    for line in p.stdout.splitlines():
        what, name = line.split(maxsplit=1)
        if name.endswith("/"):
            continue
        if what == "*deleting" and name not in manifest and not (
                name.startswith(OVERLAY) and SOURCE_NAME.search(name)):
            continue                    # a build product
        data = contents(EXP / name)
        if name in manifest:
            if data is None or sha256(data) != manifest[name]:
                found.add(name)
        elif data != contents(PRISTINE / name):
            found.add(name)
    return sorted(found)


def wanted_files():
    """{path: contents} of all that src/exp has beyond pristine."""
    wanted = {}
    for name in overlay_files():
        if (PRISTINE / name).exists():
            raise Error(f"{name} is a file of the kernel; change it by a "
                        "patch, not by a file of ours")
        wanted[name] = (TOP / name).read_bytes()
    names = patched_files()
    with scratch_repo(names) as repo:
        try:
            am(repo, series(), "--no-3way")
        except Error:
            git(repo, "am", "--abort", check=False)
            git(repo, "reset", "-q", "--hard", "base")
            graded = grades(repo)
            if any(g == CONFLICT for _, g, _ in graded):
                raise Error(misfit(graded)) from None
        for name in names:
            wanted[name] = contents(repo / name)
    return wanted


def check_base():
    """A source other than the locked one will do if there is no conflict: lines
    may have moved, or a merge gets along with what has changed around them."""
    lock = read_lock()
    if not series() or not source_tree() and not changed_blobs() and \
            is_same_release(package_version(), lock["package"]):
        return
    with scratch_repo(patched_files()) as repo:
        graded = grades(repo)
    if any(g == CONFLICT for _, g, _ in graded):
        raise Error(misfit(graded))
    what = [f"{text}: {', '.join(names)}" for text, names in (
        (text, [patch.name for patch, g, _ in graded if g == wanted])
        for text, wanted in (("lines moved", OFFSET), ("merged", THREE_WAY)))
            if names]
    say(f"tree: warning: {base_name()}; " +
        ("; ".join(what) if what else "all patches match it exactly"))


def sync_exp(wanted):
    """Bring src/exp to pristine + wanted; edits made there survive."""
    manifest = read_manifest()
    edited = set(edits())
    result, changed, clash = {}, [], []

    for name in sorted(set(wanted) | set(manifest)):
        target = wanted.get(name, contents(PRISTINE / name))
        digest = "none" if target is None else sha256(target)
        was = contents(EXP / name)
        if name in wanted:
            result[name] = digest
        if was == target:
            edited.discard(name)
        elif name not in edited or was == contents(PRISTINE / name):
            edited.discard(name)
            changed.append((name, target))
        elif manifest.get(name) != digest:
            clash.append(name)

    if clash and not os.environ.get("FORCE"):
        raise Error("edited both here and in src/exp: " + ", ".join(clash) +
                    "; keep those of src/exp: make refresh; drop them: "
                    "make tree FORCE=1")
    if os.environ.get("FORCE"):
        changed += [(n, wanted.get(n, contents(PRISTINE / n)))
                    for n in sorted(edited)]
        edited = set()
    for name, target in changed:
        put(EXP / name, target)
    put(MANIFEST, "".join(f"{digest} {name}\n"
                          for name, digest in result.items()).encode())
    return len(changed), sorted(edited)


def command_tree():
    start = time.monotonic()
    make_pristine()
    check_base()
    wanted = wanted_files()
    if not EXP.exists():
        say("tree: copying src/pristine to src/exp")
        require_space(2000)
        temp = EXP.with_name("exp.tmp")
        shutil.rmtree(temp, ignore_errors=True)
        MANIFEST.unlink(missing_ok=True)
        run("cp", "-a", "--reflink=auto", PRISTINE, temp)
        temp.rename(EXP)
    changed, edited = sync_exp(wanted)
    if edited:
        note("tree: src/exp has edits, write them back with make refresh: " +
             ", ".join(edited))
    say(f"tree: {len(series())} patches, {len(overlay_files())} files of ours, "
        f"{changed} files changed; {time.monotonic() - start:.0f} s; "
        "again: make tree")


def print_list(names):
    for name in names:
        print(name)


COMMANDS = {"pristine": make_pristine, "tree": command_tree,
            "list-patches": lambda: print_list(p.name for p in series()),
            "list-patched": lambda: print_list(patched_files()),
            "list-ours": lambda: print_list(overlay_files())}


def main(commands, usage):
    """Run the command of the command line; one of them at a time."""
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(usage)
    try:
        (OUT / "log").mkdir(parents=True, exist_ok=True)
        with open(OUT / "log/tree.lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            commands[sys.argv[1]]()
    except (Error, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("error: interrupted")


if __name__ == "__main__":
    main(COMMANDS, __doc__)
