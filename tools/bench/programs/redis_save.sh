# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: redis: a child saves while the parent writes to all, and both are reclaimed
# runs: 4
# table: yes
redis() { redis-cli -s "$RUN/socket" "$@" >"$RUN/reply"; }

redis-server --port 0 --unixsocket "$RUN/socket" --dir "$RUN" --save '' \
	--logfile "$RUN/log" --rdbcompression no --rdb-key-save-delay 20 &
until_works redis ping
redis eval 'for i = 1, 15000 do redis.call("set", i, string.rep("x", 1500)) end' 0
from_here
redis bgsave
redis eval 'for i = 1, 15000 do redis.call("setrange", i, 100, "y") end' 0
echo 16M >"$CGROUP/memory.reclaim" || true
until redis info persistence && grep -q rdb_bgsave_in_progress:0 "$RUN/reply"; do
	sleep 0.1
done
result memory_end "$(cat "$CGROUP/memory.current")" bytes
redis shutdown nosave
wait
