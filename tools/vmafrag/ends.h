/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ENDS_H
#define ENDS_H

#include <stdbool.h>

/*
 * Runs a command, and calls look(pid, true) for each process that it makes,
 * and for itself, when that is about to end and still has its memory. One
 * that is killed by SIGKILL, or executes another program, is not seen.
 *
 * Waits for all of them. Returns false if look() did once, or if the command
 * could not be traced; *status is that of the command as a shell has it.
 */
bool watch_ends(char **command, bool (*look)(int pid, bool quiet),
		int *status);

#endif
