"""tools/check-recordings finds every key of recordings where it was, and a wrong line if there is
one. The recordings are made anew from the compact ones of tests/golden."""
import os
import re
import subprocess
import sys

import pytest

from harness import FAIRLEAD, ROOT

sys.path.insert(0, str(ROOT / "tests/model"))
from fairlead_model import jump

GOLDEN = ROOT / "tests/golden"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def check(folder, *pattern):
    """(status, lines, the last line)"""
    r = subprocess.run([ROOT / "tools/check-recordings", folder, *pattern], capture_output=True,
                       text=True, check=False, env={**os.environ, "FAIRLEAD": FAIRLEAD})
    assert "Traceback" not in r.stderr, r.stderr
    *lines, last = r.stdout.splitlines() or [""]
    return r.returncode, lines, last


def write(folder, name, comment, pairs):
    rows = "".join(f"{key},{node}\n" for key, node in pairs)
    (folder / f"{name}.csv").write_text(f"# {comment}\nkey,node\n{rows}")


def section(file, index):
    """(provenance, [(key, number of its node)], nodes' names) of a compact recording"""
    text = (GOLDEN / file).read_text().split("# provenance: ")[index + 1]
    fields = dict(re.findall(r"^# (\w+): (.*)", text, re.M))
    count, *keys = fields["keys"].split()
    keys = (GOLDEN / (keys or ["keys.txt"])[0]).read_text().split("\n")[:int(count)]
    owners = "".join(line for line in text.split("\n")[1:] if not line.startswith("#"))
    return (text.split("\n")[0], list(zip(keys, map(DIGITS.index, owners), strict=True)),
            [re.split("[=,]", node)[0] for node in fields["nodes"].split()])


def from_compact(folder, name, file, index, answer=lambda number, names: names[number]):
    provenance, pairs, names = section(file, index)
    write(folder, name, provenance, [(key, answer(number, names)) for key, number in pairs])


def from_pools(folder, name, suffix, cut):
    """One recording, and its configuration, for each pool that `cut` finds in a configuration."""
    config = (GOLDEN / "import" / (name + suffix)).read_text()
    text = (GOLDEN / "import" / f"{name}.csv").read_text()
    for part in text.split("# provenance: ")[1:]:
        comment, line, *rows = part.splitlines()
        pool = line.removeprefix("# pool: ")
        write(folder, pool, comment, [row.rsplit(",", 1) for row in rows])
        (folder / (pool + suffix)).write_text(re.search(cut.format(pool), config, re.M | re.S)[0])


@pytest.fixture
def folder(tmp_path):
    from_compact(tmp_path, "nginx_consistent_connrefused", "nginx.csv", 0)
    from_compact(tmp_path, "caddy262_header", "caddy.csv", 0)
    from_compact(tmp_path, "traefik_hrw_weighted", "traefik.csv", 1)
    from_compact(tmp_path, "mcrouter_wch3", "mcrouter.csv", 6, lambda number, _: number)
    # The compact one has runs of buckets; the published function gives the buckets again.
    keys = [key for key, _ in section("jump.csv", 4)[1]]
    write(tmp_path, "jump_n1000000", "", [(key, jump(int(key), 1000000)) for key in keys])
    for csv in sorted((GOLDEN / "import").glob("nutcracker_*.csv")):
        for path in (csv, csv.with_suffix(".yml")):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    from_pools(tmp_path, "nginx", ".conf", r"^    upstream {} .*?^     server [^\n]*")
    for version in ["2.6.12", "3.2.0", "3.4.0"]:
        from_pools(tmp_path, f"haproxy-{version}", ".cfg", r"^listen {}\n.*?(?=^listen |\Z)")
    return tmp_path


def test_every_key_is_where_it_was(folder):
    status, lines, last = check(folder)
    assert status == 0, "\n".join(lines)
    assert all(line.startswith("ok ") for line in lines)
    files = sorted(folder.glob("*.csv"))
    keys = {path: len(path.read_text().split("key,node\n")[1].splitlines()) for path in files}
    through = sum(keys[path] for path in files
                  if any(path.with_suffix(s).exists() for s in (".conf", ".cfg", ".yml")))
    assert through > 1000
    assert last == (f"{len(files)} files, {sum(keys.values())} keys ({through} of them through "
                    "import, too), 0 wrong, 0 not checked")


def test_a_wrong_line_is_found(folder):
    path = folder / "nginx_hash_two_down.csv"
    rows = path.read_text().splitlines()
    key, node = rows[-1].rsplit(",", 1)
    other = next(row.rsplit(",", 1)[1] for row in rows[2:] if not row.endswith("," + node))
    path.write_text("\n".join([*rows[:-1], f"{key},{other}"]) + "\n")
    status, lines, last = check(folder, "nginx_hash_*")
    assert status == 1
    told = [line for line in lines if not line.startswith("ok ")]
    count = len(rows) - 2
    example = f"      {key!r}: recorded {other}, here {node}"
    assert [told[1], told[3]] == [example, example]
    for line, way in ((told[0], "nginx-hash --down"), (told[2], "import of")):
        assert re.fullmatch(rf"WRONG +{count - 1} of +{count}  nginx_hash_two_down.csv  {way} .*",
                            line)
    assert ", 2 wrong," in last


def test_a_configuration_of_something_else_is_found(folder):
    path = folder / "haproxy_mapbased_bigweights.cfg"
    path.write_text(path.read_text().replace("weight 256", "weight 1"))
    status, lines, _ = check(folder, "haproxy_mapbased_bigweights")
    assert status == 1
    assert [line.split()[0] for line in lines[:2]] == ["ok", "WRONG"]
    path.write_text("listen x\n  bind 127.0.0.1:1\n  balance leastconn\n")
    status, lines, _ = check(folder, "haproxy_mapbased_bigweights")
    assert status == 1 and re.match("WRONG +0 of", lines[1])


def test_a_cut_key(folder):
    # What "balance uri" hashes of these is what precedes the question mark.
    _, pairs, names = section("haproxy.csv", 12)
    write(folder, "haproxy_uri_consistent", "", [(key + "?x", names[n]) for key, n in pairs])
    assert check(folder, "haproxy_uri_consistent")[0] == 0


def test_what_cannot_be_checked_is_told(tmp_path):
    from_compact(tmp_path, "caddy262_header", "caddy.csv", 0)
    write(tmp_path, "glb_director_equal", "", [("0", "3:1")])
    write(tmp_path, "of_nobody", "", [("a", "b")])
    write(tmp_path, "traefik_hrw_equal", "", [])
    status, _, last = check(tmp_path)
    assert status == 0
    assert last == ("1 files, 300 keys (0 of them through import, too), 0 wrong, 3 not checked: "
                    "glb_director_equal.csv (its seed and its backends' addresses were not "
                    "recorded), of_nobody.csv (not in recordings.txt), "
                    "traefik_hrw_equal.csv (it has no keys)")


def test_nothing_to_check_is_no_success(tmp_path):
    assert check(tmp_path)[0] == 2
    assert check(tmp_path / "nowhere")[0] == 2
