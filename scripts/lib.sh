# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Common shell functions; sourced by the other scripts, never run.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
O=$(realpath -m "${O:-$TOP/build}")
JOBS=${JOBS:-$(nproc)}
V=${V:-0}
ARCH=${ARCH:-x86_64}
CC=${CC:-gcc}
export TOP O JOBS V ARCH CC LC_ALL=C

# The kernel's own make must see neither our O= nor our jobserver.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

say() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }

die()
{
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# Path as the user would type it: relative to the current directory.
show_path() { realpath -m --relative-base="$PWD" "$1"; }

# phase NAME COMMAND...: run one step with its output in log/NAME.log (on the
# terminal too with V=1); say what runs, how long it took, where its log is and
# how to run it again ($RERUN, by default "make NAME").  Returns the exit status
# of COMMAND.  Call it plainly, not under "if" or "||": these would switch off
# "set -e" inside COMMAND.
phase()
{
	local name=$1 log=$O/log/$1.log again=${RERUN:-make $1} rc=0
	local start=$SECONDS
	shift

	mkdir -p "$O/log"
	say "$name: $again"
	set +e
	if [ "$V" = 1 ]; then
		( set -e; "$@" ) 2>&1 | tee "$log"
		rc=${PIPESTATUS[0]}
	else
		( set -e; "$@" ) >"$log" 2>&1
		rc=$?
	fi
	set -e
	if [ "$rc" -eq 0 ]; then
		note "$name: done in $((SECONDS - start)) s, log $(show_path "$log")"
		return 0
	fi
	[ "$V" = 1 ] || tail -n 20 "$log" | sed 's/^/    | /' >&2
	printf 'error: %s failed after %d s (exit %d), log %s; again: %s\n' \
		"$name" $((SECONDS - start)) "$rc" "$(show_path "$log")" \
		"$again" >&2
	return "$rc"
}

require_arch()
{
	[ "$ARCH" = x86_64 ] ||
		die "ARCH=$ARCH is not supported, only ARCH=x86_64 is"
	[ "$(uname -m)" = x86_64 ] ||
		die "this machine is $(uname -m); only x86_64 hosts are supported"
}

# require_space DIR MEGABYTES
require_space()
{
	local free

	mkdir -p "$1" || die "cannot create $1"
	free=$(df --output=avail -BM "$1" | tail -n 1 | tr -dc 0-9)
	[ "$free" -ge "$2" ] ||
		die "no disk space: $1 has $free MB free, $2 MB are needed"
}

# lock NAME: wait until no other run works on the same thing.
lock()
{
	mkdir -p "$O/log"
	exec 9>"$O/log/$1.lock"
	flock -n 9 || { say "waiting for another run: $1"; flock 9; }
}

# kmake SOURCE BUILD ARGUMENT...: the kernel's make, with ccache if installed.
# The fixed time stamp keeps the ccache hits and makes builds reproducible.  No depend
# mode: with it ccache does not see what .incbin takes in, as the kernel that bzImage
# is made of, and gives back an old one.
kmake()
{
	local src=$1 dir=$2 cc=$CC
	shift 2

	if command -v ccache >/dev/null; then
		cc="ccache $CC"
		unset CCACHE_DEPEND
	fi
	make --no-print-directory -C "$src" O="$dir" ARCH="$ARCH" CC="$cc" V="$V" \
		KBUILD_BUILD_TIMESTAMP='2025-01-01' KBUILD_BUILD_VERSION=1 \
		KBUILD_BUILD_USER=anon KBUILD_BUILD_HOST=space "$@"
}
