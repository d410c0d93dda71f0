# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Common shell functions; sourced by the other scripts, never run.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
O=$(realpath -m "${O:-$TOP/build}")
JOBS=${JOBS:-$(nproc)}
V=${V:-0}
ARCH=${ARCH:-x86_64}
CC=${CC:-gcc}

# Of each architecture of ours: its cross compiler, and the image of its kernel.
case $ARCH in
arm64)	CROSS=aarch64-linux-gnu- IMAGE=arch/arm64/boot/Image ;;
i386)	CROSS=i686-linux-gnu- IMAGE=arch/x86/boot/bzImage ;;
*)	CROSS='' IMAGE=arch/x86/boot/bzImage ;;
esac
[[ $CC == "$CROSS"* ]] || CC=$CROSS$CC
# Other architectures than the host's have a folder of their own.
[ "$ARCH" = x86_64 ] || [[ $O == */"$ARCH" ]] || O+=/$ARCH
# shellcheck disable=SC2034 # what programs for a guest are compiled with
GUEST_CFLAGS=(${CROSS:+"--sysroot=$O/root"})
export TOP O JOBS V ARCH CC CROSS IMAGE LC_ALL=C

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
	[[ $ARCH =~ ^(x86_64|i386|arm64)$ ]] ||
		die "ARCH=$ARCH is not one of: x86_64 i386 arm64"
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
# The fixed time stamp keeps the ccache hits and makes builds reproducible.
kmake()
{
	local src=$1 dir=$2 cc=$CC
	shift 2

	! command -v ccache >/dev/null || cc="$TOP/harness/kernel/cached.sh $CC"
	make --no-print-directory -C "$src" O="$dir" ARCH="$ARCH" CROSS_COMPILE="$CROSS" \
		CC="$cc" V="$V" \
		KBUILD_BUILD_TIMESTAMP='2025-01-01' KBUILD_BUILD_VERSION=1 \
		KBUILD_BUILD_USER=anon KBUILD_BUILD_HOST=space "$@"
}
