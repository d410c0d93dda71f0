# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: LuaJIT: strings and tables that grow (mremap)
# table: yes
# trace: yes
luajit - <<'EOF'
local keep = {}
for round = 1, 60 do
	local s = string.rep("x", 100000)
	local t = {}
	for i = 1, 60000 do t[i] = i end
	for i = 1, 5 do s = s .. s end
	keep[round % 8] = { #s, t }
end
EOF
