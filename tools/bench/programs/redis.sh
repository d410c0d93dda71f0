# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: redis with background saves
# runs: 1
# trace: yes
# table: yes
# The server forks to save while it is written to.
redis() { redis-cli -s "$RUN/socket" "$@" >/dev/null; }
load() { redis-benchmark -q -s "$RUN/socket" -c 8 -r 5000 "$@" >/dev/null; }

redis-server --port 0 --unixsocket "$RUN/socket" --dir "$RUN" --save '' \
	--logfile "$RUN/log" &
until_works redis ping
load -n 6000 -d 512 -t set,lpush,hset
redis bgsave
load -n 4000 -d 2000 -t set
redis bgsave
redis flushall
load -n 4000 -d 100 -t set,sadd
redis shutdown nosave
wait
