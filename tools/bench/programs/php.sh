# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: PHP: strings and arrays that grow (mremap)
# runs: 4
# table: yes
# trace: yes
# shellcheck disable=SC2016
php -n -d memory_limit=-1 -r '
$texts = array_fill(0, 8, ""); $numbers = [];
for ($i = 0; $i < 200; $i++) {
	foreach ($texts as &$text)
		$text .= str_repeat("x", 50000);
	unset($text);
	for ($k = 0; $k < 2000; $k++)
		$numbers[] = $i * $k;
}
'
