#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# prepare.sh: what programs need and the host makes faster than a guest, once.
set -euo pipefail
cd "$(dirname "$0")"

dir=$O/bench
mkdir -p "$dir"

# postgres_database: in a directory of its own, as neither initdb nor postgres run as
# root, with a socket path that is short.
postgres_database()
{
	local bin tmp user=()

	bin=$(echo /usr/lib/postgresql/*/bin)
	tmp=$(mktemp -d /tmp/bench-postgres.XXXXXX)
	if [ "$(id -u)" -eq 0 ]; then
		chown postgres:postgres "$tmp"
		user=(setpriv --reuid=postgres --regid=postgres --clear-groups)
	fi
	cd "$tmp"
	"${user[@]}" "$bin/initdb" -D "$tmp/data" -A trust -U postgres --no-sync \
		--wal-segsize=1 >/dev/null
	"${user[@]}" "$bin/pg_ctl" -D "$tmp/data" -w -l "$tmp/log" \
		-o "-k $tmp -c listen_addresses=" start >/dev/null
	"${user[@]}" "$bin/pgbench" -h "$tmp" -U postgres -i -q postgres 2>/dev/null
	"${user[@]}" "$bin/pg_ctl" -D "$tmp/data" -w stop >/dev/null
	cp -r "$tmp/data" "$dir/postgres.new"
	cd "$dir"
	rm -r "$tmp"
	mv postgres.new postgres
}

javac -d "$dir/java" Waves.java
[ -e "$dir/postgres" ] || postgres_database
