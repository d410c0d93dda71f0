#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# cached.sh COMPILER ARGUMENT...: compile with ccache, in depend mode, which spares it
# the preprocessor on a miss.  In that mode it does not see what .incbin takes in, as
# the kernel that bzImage is made of, and would give back an old one: where the kernel
# has .incbin there is no ccache.
case "$* " in
*.S\ * | */configs.c\ * | */kheaders.c\ *) exec "$@" ;;
esac
CCACHE_DEPEND=1 exec ccache "$@"
