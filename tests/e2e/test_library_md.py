"""Every C example of docs/library.md compiles without a warning and runs. Where one is not a whole
program, it gets what the ones before it have made: `p`, `next`, `err`, a key and the functions."""
import re
import subprocess

from harness import ROOT

TEXT = (ROOT / "docs/library.md").read_text()
BLOCKS = re.findall(r"^```c\n(.*?)^```", TEXT, re.S | re.M)
RELEASE = ROOT / "build/release"

HEAD = """#include <fairlead/fairlead.h>
#include <stdio.h>
#include <stdlib.h>
"""
START = """
int main(void)
{
	struct fl_node nodes[] = {{"cache-a", 1, FL_NONE, NULL}, {"cache-b", 1, FL_NONE, NULL},
		{"cache-c", 2, FL_NONE, NULL}};
	struct fl_change change = {FL_REMOVE, {"cache-b", 0, FL_NONE, NULL}};
	const char *key = "user:42";
	size_t len = 7;
	struct fl_error err;
	fl_placement *p, *next;
	if (fl_placement_new(&p, "table", nodes, 3, &err) != FL_OK ||
		fl_placement_derive(&next, p, &change, 1, &err) != FL_OK)
		return 1;
	(void)key, (void)len;
	{
"""
END = """
	}
	fl_placement_unref(p);
	fl_placement_unref(next);
	return 0;
}
"""


def programs():
    functions = ""
    for block in BLOCKS:
        if "int main" in block:
            yield block
        elif re.match(r"(void|int) \w+\(", block):
            functions += block
        else:
            yield HEAD + functions + START + block + END


def run(source, path):
    path.with_suffix(".c").write_text(source)
    subprocess.run(["cc", "-Wall", "-Werror", "-Wno-unused-variable",
                    "-Wno-unused-but-set-variable", f"-I{ROOT}/include", path.with_suffix(".c"),
                    "-o", path, f"-L{RELEASE}", "-lfairlead", f"-Wl,-rpath,{RELEASE}"],
                   check=True)
    return subprocess.run([path], check=True, capture_output=True, text=True,
                          timeout=60).stdout


def test_examples_run_and_say_what_the_guide_says(tmp_path):
    said = "".join(run(source, tmp_path / str(i)) for i, source in enumerate(programs()))
    assert re.search(r"^cache-[abc]$", said, re.M)
    assert re.search(r"^loaded$", said, re.M)
    assert re.search(r"copy in (east\ncopy in west|west\ncopy in east)\n"
                     r"ask east\nask east\nask west\nask west$", said, re.M)
    # Two of four weights, or one: never all eight at one node.
    held = re.search(r"^8 in flight, (\d) of them at the key's owner$", said, re.M)
    assert held and 1 <= int(held[1]) <= 5
    assert re.search(r"^2 nodes, \d+\.\d % moved$", said, re.M)
