# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: Java, ZGC that gives memory back
# runs: 1
java -cp "$O/bench/java" -XX:+UnlockExperimentalVMOptions -XX:+UseZGC -XX:-UsePerfData -Xms8m -Xmx96m \
	-XX:TieredStopAtLevel=1 -XX:ZUncommitDelay=1 -XX:ZCollectionInterval=1 Waves 2
