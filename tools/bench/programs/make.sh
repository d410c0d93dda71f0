# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: make -j4 of a project of 8 files
# runs: 1
# table: yes
for i in 1 2 3 4 5 6 7 8; do
	printf '#include <stdio.h>\n#include <stdlib.h>\nint f%s(int n)\n{\n\tprintf("%%d\\n", n);\n\treturn n ? f%s(n - 1) : 0;\n}\n' \
		$i $i >file$i.c
done
printf 'int main(void) { return 0; }\n' >main.c
cat >Makefile <<'EOF'
objects := main.o $(patsubst %.c,%.o,$(wildcard file*.c))
all: program
program: $(objects)
	gcc -o $@ $^ && ./$@
%.o: %.c
	gcc -O1 -c -o $@ $<
EOF
from_here
make -s -j4
