/* SPDX-License-Identifier: GPL-2.0 */
/*
 * System calls by their functions, on architectures where these take their
 * arguments from registers. There is no common way to put them there.
 */
#ifndef _ANON_SPACE_SYSCALL_H
#define _ANON_SPACE_SYSCALL_H

#include <linux/linkage.h>
#include <linux/ptrace.h>
#include <linux/syscalls.h>

#ifdef CONFIG_ARCH_HAS_SYSCALL_WRAPPER

#if defined(CONFIG_X86_64)
#define SYSCALL_FN(name)		__x64_sys_##name
#define SYSCALL_REGS(a, b, c, d, e) \
	{ .di = a, .si = b, .dx = c, .r10 = d, .r8 = e }
#elif defined(CONFIG_X86_32)
#define SYSCALL_FN(name)		__ia32_sys_##name
#define SYSCALL_REGS(a, b, c, d, e) \
	{ .bx = a, .cx = b, .dx = c, .si = d, .di = e }
#elif defined(CONFIG_ARM64)
#define SYSCALL_FN(name)		__arm64_sys_##name
#define SYSCALL_REGS(a, b, c, d, e)	{ .regs = { a, b, c, d, e } }
#elif defined(CONFIG_RISCV)
#define SYSCALL_FN(name)		__riscv_sys_##name
#define SYSCALL_REGS(a, b, c, d, e) \
	{ .orig_a0 = a, .a1 = b, .a2 = c, .a3 = d, .a4 = e }
#elif defined(CONFIG_S390)
#define SYSCALL_FN(name)		__s390x_sys_##name
#define SYSCALL_REGS(a, b, c, d, e) \
	{ .orig_gpr2 = a, .gprs = { [3] = b, [4] = c, [5] = d, [6] = e } }
#elif defined(CONFIG_PPC)
#define SYSCALL_FN(name)		sys_##name
#define SYSCALL_REGS(a, b, c, d, e) \
	{ .gpr = { [3] = a, [4] = b, [5] = c, [6] = d, [7] = e } }
#endif

#ifdef CONFIG_S390
#define SYSCALL_CONST
#else
#define SYSCALL_CONST			const
#endif

long SYSCALL_FN(mprotect)(SYSCALL_CONST struct pt_regs *regs);
long SYSCALL_FN(mremap)(SYSCALL_CONST struct pt_regs *regs);
long SYSCALL_FN(swapon)(SYSCALL_CONST struct pt_regs *regs);

/* Arguments as sys_NAME() takes them, in brackets, and five as numbers. */
#define SYSCALL(name, args, ...)				\
({								\
	struct pt_regs regs = SYSCALL_REGS(__VA_ARGS__);	\
								\
	SYSCALL_FN(name)(&regs);				\
})
#else
#define SYSCALL(name, args, ...)	sys_##name args
#endif /* CONFIG_ARCH_HAS_SYSCALL_WRAPPER */

#endif /* _ANON_SPACE_SYSCALL_H */
