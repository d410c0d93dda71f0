# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced before each program, in the guest, in an empty $RUN that is its current
# directory.  Everything runs in RAM: the host's files take a guest's time.

# result METRIC VALUE UNIT: a figure of the program's own.
result() { printf '%s\t%s\t%s\n' "$@" >>"$RESULTS"; }

# until_works COMMAND...: tries again until it does.
until_works()
{
	until "$@" >/dev/null 2>&1; do
		sleep 0.1
	done
}

# as_user USER COMMAND...: no login, no session.
as_user() { setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"; }

# from_here: what was done so far is preparation, and is not measured.
from_here() { sed -n 's/^usage_usec //p' "$CGROUP/cpu.stat" >"$BEGIN"; }
