# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: LuaJIT: strings and tables that grow (mremap)
# trace: yes
luajit - <<'EOF'
local ffi = require("ffi")
local keep = {}
for round = 1, 6 do
	local s = string.rep("x", 100000)
	local t = {}
	for i = 1, 60000 do t[i] = i end
	for i = 1, 5 do s = s .. s end
	local b = require("string.buffer") and nil
	keep[round] = { #s, t }
end
EOF
