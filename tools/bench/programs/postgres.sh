# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: postgresql, 200 backends under pgbench
# runs: 1
# table: yes
# lib/prepare.sh has made the database on the host.
BACKENDS=200
BIN=$(echo /usr/lib/postgresql/*/bin)

cp -r "$O/bench/postgres" "$RUN/data"
chown -R postgres:postgres "$RUN"
chmod 700 "$RUN/data"
from_here
as_user postgres "$BIN/postgres" -D "$RUN/data" -k "$RUN" -c listen_addresses= \
	-c max_connections=$((BACKENDS + 10)) -c shared_buffers=16MB -c fsync=off \
	-c autovacuum=off -c huge_pages=off -c dynamic_shared_memory_type=mmap >"$RUN/log" 2>&1 &
until_works "$BIN/pg_isready" -h "$RUN"
# What pgbench -S does, with pauses in which all backends are there to be looked at.
cat >"$RUN/script" <<'EOF'
\set aid random(1, 100000)
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
\sleep 2 s
EOF
as_user postgres "$BIN/pgbench" -h "$RUN" -n -f "$RUN/script" -c $BACKENDS -j 1 -t 4 \
	postgres >"$RUN/pgbench" 2>&1
kill -INT "$(head -n 1 "$RUN/data/postmaster.pid")"
wait
