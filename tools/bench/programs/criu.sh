# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# kernel: criu
# what: criu: dump and restore of a process that grew, and of one with 8 children
# table: yes
# Both are looked at before and after.
maps()
{
	local pids

	pids=$(pgrep -x bench-grower)
	# shellcheck disable=SC2086
	"$O/bin/vmafrag" -t $pids |
		awk -v name="$1" -v results="$RESULTS" 'NR > 1 { vmas += $3; missed += $5 }
		END { printf "vmas_%s\t%d\tVMAs\n", name, vmas >>results
		      printf "missed_%s\t%d\tVMAs\n", name, missed >>results }'
}

save()
{
	local leader images=$RUN/images-$1

	mkdir "$images"
	setsid "$O/bin/bench-grower" "$1" </dev/null >"$RUN/grower-$1" 2>&1 &
	leader=$!
	sleep 0.5
	maps "before_$1"
	criu dump -t $leader -D "$images" -o log ||
		{ tail -n 5 "$images/log"; return 1; }
	wait $leader || true
	criu restore -d -D "$images" -o log2 || { tail -n 5 "$images/log2"; return 1; }
	maps "after_$1"
	pkill -x bench-grower
	while pgrep -x bench-grower >/dev/null; do
		sleep 0.1
	done
}

save 0
save 8
