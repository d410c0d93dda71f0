/* SPDX-License-Identifier: GPL-2.0 */
/* UFFDIO_MOVE is newer than the headers of Debian 12. */
#ifndef TOOLS_UFFDIO_MOVE_H
#define TOOLS_UFFDIO_MOVE_H

#include <linux/userfaultfd.h>

#ifndef UFFDIO_MOVE
#define UFFD_FEATURE_MOVE		(1 << 16)
#define UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES	(1UL << 1)
#define UFFDIO_MOVE	_IOWR(UFFDIO, 0x05, struct uffdio_move)

struct uffdio_move {
	__u64 dst;
	__u64 src;
	__u64 len;
	__u64 mode;
	__s64 move;
};
#endif

#endif /* TOOLS_UFFDIO_MOVE_H */
