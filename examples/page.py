#!/usr/bin/python3
"""Makes C programs of a page's blocks of C: page.py PAGE PROGRAM BLOCKS

The block with a main becomes PROGRAM as it stands. In BLOCKS, blocks that define a function stand
as they are, and each other block becomes a function; they find `p`, `next`, `err`, `key` and `len`
as the page's text has them. All are run in order, and one that returns 1 fails."""
import re
import sys

HEAD = '''#include <fairlead/fairlead.h>
#include <stdio.h>
#include <stdlib.h>

static fl_placement *p, *next;
static struct fl_error err;
static const char *key = "user:42";
static size_t len = 7;
'''

MAIN = '''
int main(void)
{
	struct fl_node nodes[] = {
		{"cache-a", 1, FL_NONE, NULL},
		{"cache-b", 1, FL_NONE, NULL},
		{"cache-c", 2, FL_NONE, NULL},
	};
	struct fl_change change = {FL_ADD, {"cache-d", 1, FL_NONE, NULL}};
	int failed = 0;
	if (fl_placement_new(&p, "table", nodes, 3, &err) != FL_OK ||
		fl_placement_derive(&next, p, &change, 1, &err) != FL_OK)
		return 1;
%s	(void)key;
	(void)len;
	fl_placement_unref(next);
	fl_placement_unref(p);
	return failed;
}
'''


def main():
    page, program, rest = sys.argv[1:4]
    with open(page) as f:
        text = f.read()
    programs, parts, calls = [], [HEAD], []
    for found in re.finditer(r"^```c\n(.*?)^```$", text, re.S | re.M):
        block = found.group(1)
        # Compilers then name the page's own lines.
        line = "#line %d \"%s\"\n" % (text[:found.start(1)].count("\n") + 1, page)
        if "int main(" in block:
            programs.append(line + block)
        elif re.search(r"^\{", block, re.M):
            parts.append(line + "static " + block)
        else:
            name = "block_%d" % len(calls)
            parts.append("static int %s(void)\n{\n%s%s\treturn 0;\n}\n" % (name, line, block))
            calls.append("\tfailed |= %s();\n" % name)
    if len(programs) != 1 or len(calls) < 4:
        sys.exit("page.py: %s has %d programs and %d blocks" % (page, len(programs), len(calls)))
    with open(program, "w") as f:
        f.write(programs[0])
    with open(rest, "w") as f:
        f.write("\n".join(parts) + MAIN % "".join(calls))


main()
