# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: Java, Shenandoah that gives memory back
# runs: 1
# table: yes
java -cp "$O/bench/java" -XX:+UnlockExperimentalVMOptions -XX:+UseShenandoahGC -XX:-UsePerfData -Xms8m \
	-Xmx96m -XX:TieredStopAtLevel=1 -XX:ShenandoahUncommitDelay=100 \
	-XX:ShenandoahGuaranteedGCInterval=200 Waves 2
