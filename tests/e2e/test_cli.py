"""lookup and check on the command line: recorded mappings, independence of order, masks, bytes,
errors and exit statuses. FAIRLEAD names the program."""
import json
import os
import random
import re
import string
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAIRLEAD = os.path.abspath(os.environ.get("FAIRLEAD", ROOT / "build/dev/fairlead"))
GOLDEN = ROOT / "tests/golden"
SANITIZER = re.compile(rb"(Sanitizer|runtime error:|fairlead: bug:)")


def run(*args, stdin=b"", cwd=None):
    """(status, standard output, standard error as text)"""
    args = [a if isinstance(a, bytes) else str(a) for a in args]
    r = subprocess.run([FAIRLEAD, *args], input=stdin, capture_output=True, timeout=120, cwd=cwd)
    assert not SANITIZER.search(r.stderr), r.stderr.decode(errors="replace")
    return r.returncode, r.stdout, r.stderr.decode(errors="replace")


def node_args(nodes):
    return [a for n in nodes for a in ("--node", n)]


def lookup(nodes, keys, *options):
    """{key: owner} of keys that have no line breaks in them."""
    status, out, err = run("lookup", *options, *node_args(nodes), "--keys-file", "-",
                           stdin=b"".join(k + b"\n" for k in keys))
    assert status in (0, 3), err
    lines = out.split(b"\n")
    assert lines.pop() == b""
    pairs = [line.rsplit(b"\t", 1) for line in lines]
    assert [p[0] for p in pairs] == list(keys)
    return {k: o.decode() for k, o in pairs}


KEYS = [b"key-%d" % i for i in range(1500)]


# ---- recorded mappings ----

def sections():
    found = []
    for path in sorted(GOLDEN.glob("*.csv")):
        spec = nodes = keys = None
        owners, down = "", []
        for line in path.read_text().splitlines() + ["# end"]:
            if line.startswith("#") and spec and owners:
                found.append(pytest.param(spec, nodes, down, keys, owners,
                                          id=f"{path.stem}-{len(found)}"))
                spec, owners, down = None, "", []
            if line.startswith("# spec: "):
                spec = line[8:]
            elif line.startswith("# nodes: "):
                nodes = line[9:].split()
            elif line.startswith("# down: "):
                down = line[8:].split()
            elif line.startswith("# keys: "):
                count, file = (line[8:].split() + ["keys.txt"])[:2]
                keys = int(count), file
            elif spec and not line.startswith("#"):
                owners += line
    return found


@pytest.mark.parametrize("spec,nodes,down,keys,owners", sections())
def test_recorded_mapping(spec, nodes, down, keys, owners):
    lines = (GOLDEN / keys[1]).read_bytes().split(b"\n")[:keys[0]]
    names = [re.split(r"=|(?<!\\),", n)[0].replace(r"\,", ",") for n in nodes]
    digits = string.digits + string.ascii_letters
    options = [a for name in down for a in ("--down", name)]
    got = lookup(nodes, lines, "--algorithm", spec, *options)
    assert len(owners) == keys[0]
    assert [got[k] for k in lines] == [names[digits.index(o)] for o in owners]


def test_all_systems_are_recorded():
    specs = {p.values[0].split(",")[0] for p in sections()}
    assert {"compat:" + name for name in (
        "python-ring", "circle-360", "java-rendezvous", "ketama", "libmemcached-modula",
        "libmemcached-consistent", "libmemcached-ketama-weighted", "libmemcached-ketama-spy",
        "spymemcached", "nginx-consistent", "nginx-hash",
        "nginx-ip-hash", "pingora", "haproxy-consistent", "haproxy-map", "twemproxy-ketama",
        "twemproxy-modula", "mcrouter-ch3", "mcrouter-crc32", "mcrouter-weighted-ch3",
        "mcrouter-weighted-ch4", "mcrouter-rendezvous", "katran-maglev", "cilium-maglev",
        "envoy-ring", "envoy-maglev", "grpc-ring", "guava", "jump", "caddy", "traefik",
        "varnish-shard", "redis-cluster")} <= specs


def test_a_harmful_mapping_warns():
    nodes = ["a", "b:1", "c:2=3"]
    for spec, warns in (("libmemcached-ketama-weighted,hash=crc", True),
                        ("libmemcached-ketama-weighted", False),
                        ("libmemcached-consistent,hash=crc", True),      # for the weight of 3
                        ("libmemcached-ketama-spy,hash=crc,points=md5", True)):
        status, out, err = run("lookup", *node_args(nodes), "--compat", spec, *KEYS[:200])
        assert status == 0
        assert err.startswith("fairlead lookup: warning: hash=crc gives keys 15 bits") == warns
        assert bool(err) == warns
        assert (len({line.split(b"\t")[1] for line in out.splitlines()}) == 1) == warns
    _, _, err = run("lookup", "-n", "a", "-n", "b", "--compat", "libmemcached-consistent,hash=crc", "k")
    assert err == ""


def test_a_harmful_mapping_warns():
    nodes = ["a", "b:1", "c:2=3"]
    for spec, warns in (("libmemcached-ketama-weighted,hash=crc", True),
                        ("libmemcached-ketama-weighted", False),
                        ("libmemcached-consistent,hash=crc", True),      # for the weight of 3
                        ("libmemcached-ketama-spy,hash=crc,points=md5", True)):
        status, out, err = run("lookup", *node_args(nodes), "--compat", spec, *KEYS[:200])
        assert status == 0
        assert err.startswith("fairlead lookup: warning: hash=crc gives keys 15 bits") == warns
        assert bool(err) == warns
        assert (len({line.split(b"\t")[1] for line in out.splitlines()}) == 1) == warns
    _, _, err = run("lookup", "-n", "a", "-n", "b", "--compat", "libmemcached-consistent,hash=crc", "k")
    assert err == ""


def test_compat_is_short_for_a_prefix():
    nodes = ["server1", "server2", "server3"]
    assert lookup(nodes, KEYS, "--compat", "python-ring,replicas=3") == \
        lookup(nodes, KEYS, "-acompat:python-ring")


# ---- order, masks, owners ----

NATIVE = ["table", "ring", "ring,points=20,seed=9", "rendezvous", "table,rows=4096,seed=0xff"]


@pytest.mark.parametrize("spec", NATIVE + ["modulo"])
def test_order_does_not_count(spec):
    nodes = ["a", "b=3", "c", "d=2", "e"]
    expected = lookup(nodes, KEYS, "--algorithm", spec)
    shuffled = nodes[:]
    for seed in range(3):
        random.Random(seed).shuffle(shuffled)
        assert lookup(shuffled, KEYS, "--algorithm", spec) == expected
    assert set(expected.values()) == {"a", "b", "c", "d", "e"}


@pytest.mark.parametrize("spec", NATIVE)
def test_down_is_built_without(spec):
    nodes = ["a", "b=3", "c", "d=2", "e"]
    assert lookup(nodes, KEYS, "--algorithm", spec, "--down", "b", "--down", "e") == \
        lookup(["a", "c", "d=2"], KEYS, "--algorithm", spec)


@pytest.mark.parametrize("spec", NATIVE + ["modulo", "compat:java-rendezvous"])
def test_down_moves_only_its_keys(spec):
    nodes = ["a", "b", "c", "d"]
    before = lookup(nodes, KEYS, "--algorithm", spec)
    after = lookup(nodes, KEYS, "--algorithm", spec, "-d", "c")
    for key in KEYS:
        assert after[key] != "c"
        if before[key] != "c":
            assert after[key] == before[key]


def test_states():
    nodes = ["a", "b", "c"]
    down = lookup(nodes, KEYS, "--down", "b")
    assert lookup(["a", "b,state=drain", "c"], KEYS) == down
    assert lookup(["a", "b,state=disabled", "c"], KEYS) == down
    assert "b" not in lookup(["a", "b=0", "c"], KEYS).values()


def test_owners():
    status, out, _ = run("lookup", *node_args("abcd"), "--owners", 3, "k1", "k2")
    assert status == 0
    for line in out.decode().splitlines():
        key, *owners = line.split("\t")
        assert len(owners) == 3 and len(set(owners)) == 3
        # The second owner is who has the key when the first is down.
        assert lookup("abcd", [key.encode()], "--down", owners[0])[key.encode()] == owners[1]
        assert lookup("abcd", [key.encode()])[key.encode()] == owners[0]
    status, out, _ = run("lookup", *node_args("ab"), "-o", 64, "k1")
    assert status == 0 and len(out.split(b"\t")) == 3


def test_names_may_hold_anything():
    nodes = [r"a\,b=2", r"c\=d", r"e\\f", "g h"]
    owners = set(lookup(nodes, KEYS).values())
    assert owners == {"a,b", "c=d", "e\\f", "g h"}
    # An escaped sign is part of the name, so the weight is 1.
    assert lookup([r"a\=2", "b"], KEYS) == \
        {k: o.replace("x", "a=2") for k, o in lookup([r"a\=2=1", "b"], KEYS).items()}


def test_slots():
    for nodes, why in ((["a,slot=1", "b,slot=1"], "slot 1 is taken"),
                       (["a,slot=1048576"], "the slot is a whole number from 0 to 1048575"),
                       (["a,id=0"], "the id is a whole number from 1 to 1048576"),
                       (["a,id=2", "b,slot=1"], "slot 1 is taken"),
                       (["a,id=2,slot=2"], "id=N is slot=N-1")):
        status, _, err = run("lookup", *node_args(nodes), "k")
        assert status == 2 and why in err
    assert lookup(["a,slot=7,zone=z,addr=10.0.0.1:80", "b"], KEYS) == lookup("ab", KEYS)


def test_ids_are_slots_from_one():
    def at(*nodes):
        return lookup(nodes, KEYS, "--compat", "haproxy-consistent")
    assert at("a,id=7", "b,id=2,slot=1") == at("a,slot=6", "b,slot=1") != at("a", "b")
    assert at("a,state=disabled", "b", "c") == at("b,id=2", "c,id=3") != at("b", "c")


def test_ids_in_a_file(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("version: 1\nlisteners: [{name: w, bind: ':0'}]\npools:\n  app:\n"
                    "    algorithm: {compat: haproxy-consistent, hash: crc32, hash-key: id}\n"
                    "    nodes: [{name: a, address: 'h:1', id: 70}, "
                    "{name: b, address: 'h:2', slot: 4}, "
                    "{name: c, address: 'h:3', state: disabled}, {name: d, address: 'h:4'}]\n")
    status, out, err = run("lookup", "-c", path, *KEYS)
    assert status == 0, err
    # The counter passes one number for each server: c is 3, d is 4.
    assert dict(line.split("\t") for line in out.decode().splitlines()) == {
        k.decode(): o for k, o in lookup(["a,id=70", "b,id=5", "d,id=4"], KEYS, "--compat",
                                         "haproxy-consistent,hash=crc32").items()}


# ---- keys are bytes ----

def test_keys_are_bytes(tmp_path):
    keys = [b"", b"\xff\xfe", b"a\tb", b"c\r", b"caf\xc3\xa9", b"-dash", b"x" * 300000, b"\r"]
    path = tmp_path / "keys"
    path.write_bytes(b"\n".join(keys))
    status, out, _ = run("lookup", *node_args("abc"), "--keys-file", path)
    assert status == 0
    got = [line.rsplit(b"\t", 1)[0] for line in out.split(b"\n")[:-1]]
    assert got == keys
    # Between NULs, a line break is a byte like any other; a NUL at the end ends the last key.
    path.write_bytes(b"a\nb\0c\0\0")
    status, out, _ = run("lookup", *node_args("abc"), "-k", path, "-0", "--json")
    assert [json.loads(line)["key"] for line in out.splitlines()] == ["a\nb", "c", ""]
    status, out, _ = run("lookup", *node_args("abc"), "-k", os.devnull)
    assert (status, out) == (0, b"")


def test_words_files_and_blobs_agree(tmp_path):
    words = [b"one", b"two", "drei\u00e9".encode()]
    status, by_word, _ = run("lookup", *node_args("abcdefg"), *words)
    assert status == 0
    expected = {line.split(b"\t")[0]: line.split(b"\t")[1] for line in by_word.splitlines()}
    assert lookup("abcdefg", words) == {k: v.decode() for k, v in expected.items()}
    for i, word in enumerate(words):
        (tmp_path / f"blob{i}").write_bytes(word)
        status, out, _ = run("lookup", *node_args("abcdefg"), "--blob", f"blob{i}", cwd=tmp_path)
        assert out == b"blob%d\t%s\n" % (i, expected[word])
    (tmp_path / "big").write_bytes(os.urandom(3 << 20))
    (tmp_path / "empty").write_bytes(b"")
    status, out, _ = run("lookup", *node_args("abc"), "-b", "big", "empty", cwd=tmp_path)
    assert status == 0 and [l.split(b"\t")[0] for l in out.splitlines()] == [b"big", b"empty"]


def test_dashes():
    status, out, _ = run("lookup", *node_args("a"), "--", "--node", "-x")
    assert (status, out) == (0, b"--node\ta\n-x\ta\n")
    status, _, err = run("lookup", *node_args("a"), "-x")
    assert status == 2 and 'goes behind "--"' in err


def test_json():
    status, out, _ = run("lookup", "-n", 'n"1', "-n", "n2", "--json", "-o", 2, b"k\xff", "k\u20ac")
    first, second = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert first["key_hex"] == "6bff" and sorted(first["owners"]) == ['n"1', "n2"]
    assert second["key"] == "k\u20ac"
    status, out, _ = run("lookup", "-n", "a=0", "--json", "k")
    assert status == 3 and json.loads(out) == {"key": "k", "owners": []}


def test_no_owner():
    assert run("lookup", "-n", "a", "-d", "a", "k")[:2] == (3, b"k\t-\n")
    assert run("lookup", "-n", "a=0", "-o", 5, "k")[:2] == (3, b"k\t-\n")


# ---- configuration ----

CONFIG = """\
version: 1
listeners: [{name: web, bind: ":8080"}]
routes: [{pool: app}, {host: b.example, pool: back}]
pools:
  app:
    algorithm: {name: ring, points: 40}
    nodes: [{name: a, address: "h:1", weight: 2}, "b=h:2", {name: c, address: "h:3", backup: true}]
  back:
    nodes: ["x=h:1", {name: y, address: "h:2", state: drain}]
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "fairlead.yaml"
    path.write_text(CONFIG)
    return path


def test_lookup_in_a_configuration(config):
    by_flags = lookup(["a=2", "b"], KEYS, "-a", "ring,points=40")
    assert lookup([], KEYS, "-c", config, "--pool", "app") == by_flags
    assert set(lookup([], KEYS, "-c", config, "--pool", "back").values()) == {"x"}
    assert set(lookup([], KEYS, "-c", config, "--pool", "app", "-d", "a", "-d",
                      "b").values()) == {"c"}
    status, out, err = run("lookup", "-c", config, "k")
    assert status == 2 and "2 pools" in err and out == b""
    status, _, err = run("lookup", "-c", config, "--pool", "bakc", "k")
    assert status == 2 and 'did you mean "back"?' in err


def test_lookup_needs_neither_listeners_nor_addresses(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_text("version: 1\npools: {p: {nodes: [a, b, c]}}\n")
    assert lookup([], KEYS, "-c", path) == lookup("abc", KEYS)
    status, _, err = run("lookup", "-c", "-", "k", stdin=path.read_bytes())
    assert (status, err) == (0, "")


def test_check(config):
    status, out, err = run("check", "-c", config)
    text = out.decode()
    assert (status, err) == (0, "")
    assert text.startswith(f"{config}: OK\n") and text.count("\n") < 25
    assert re.search(r"pool app: ring,points=40, 3 nodes, .*digest [0-9a-f]{16}", text)
    shares = [float(s) for s in re.findall(r"([0-9.]+) %", text)]
    assert abs(sum(shares[:2]) - 100) < 0.02 and "backup" in text and "drain" in text
    assert run("check", config)[0] == 0


def test_check_json(config):
    status, out, _ = run("check", "--json", config)
    result = json.loads(out)
    assert status == 0 and result["ok"] and result["errors"] == []
    app = result["pools"][0]
    assert abs(sum(n["share"] for n in app["nodes"] if not n["backup"]) - 1) < 1e-6
    assert app["nodes"][2]["backup"] and result["pools"][1]["nodes"][1]["state"] == "drain"


def broken_cases():
    text = (ROOT / "tests/data/config-errors.txt").read_text()
    cases = []
    for part in text.split("\n=== ")[1:]:
        title, rest = part.split("\n", 1)
        at = rest.rindex("--> ")
        cases.append((title, rest[:at], rest[at + 4:].rstrip("\n")))
    return cases


def test_check_says_what_is_wrong(tmp_path):
    path = tmp_path / "f"
    cases = broken_cases()
    assert len(cases) >= 50
    for title, text, message in cases[::6]:
        path.write_text(text)
        status, out, err = run("check", "-c", "f", cwd=tmp_path)
        assert err.splitlines()[0] == "f:" + message, title
        assert status == (0 if title.startswith("warn") else 1), title
        assert bool(out) == title.startswith("warn"), title


def test_check_collects_all_errors(tmp_path):
    path = tmp_path / "f"
    path.write_text(CONFIG.replace("version: 1", "version: 3").replace("points", "pints")
                    .replace("state: drain", "state: darin").replace("pool: back", "pool: bakc"))
    status, out, err = run("check", "-c", "f", cwd=tmp_path)
    assert (status, out, err.count("\n")) == (1, b"", 4)
    status, out, _ = run("check", "-c", "f", "--json", cwd=tmp_path)
    assert status == 1 and len(json.loads(out)["errors"]) == 4


def test_unreadable(tmp_path):
    for args in (["check", "-c", "nowhere"], ["check", "-c", tmp_path],
                 ["lookup", "-c", "nowhere", "k"], ["lookup", "-n", "a", "-k", "nowhere"],
                 ["lookup", "-n", "a", "-k", tmp_path], ["lookup", "-n", "a", "-b", "nowhere"]):
        status, out, err = run(*args, cwd=tmp_path)
        assert (status, out) == (2, b"") and err.count("\n") == 1, args


# ---- usage ----

@pytest.mark.parametrize("args,why", [
    ([], "usage: fairlead VERB"),
    (["lokup"], 'did you mean "lookup"?'),
    (["help", "chekc"], 'did you mean "check"?'),
    (["lookup"], "there are no nodes"),
    (["lookup", "k"], "there are no nodes"),
    (["lookup", "-n", "a"], "there are no keys"),
    (["lookup", "-n"], "-n wants a value: NODE"),
    (["lookup", "--node"], "--node wants a value: NODE"),
    (["lookup", "--json=1"], "--json=1 takes no value"),
    (["lookup", "--onwers", "2"], "did you mean --owners?"),
    (["lookup", "-n", "a", "--owners", "0", "k"], "from 1 to 64"),
    (["lookup", "-n", "a", "--owners", "65", "k"], "from 1 to 64"),
    (["lookup", "-n", "a", "-n", "a", "k"], 'two nodes called "a"'),
    (["lookup", "-n", "", "k"], "wants a name"),
    (["lookup", "-n", "=3", "k"], "wants a name"),
    (["lookup", "-n", "a=x", "k"], 'not "x"'),
    (["lookup", "-n", "a=65536", "k"], "from 0 to 65535"),
    (["lookup", "-n", "a,zne=1", "k"], 'did you mean "zone=..."?'),
    (["lookup", "-n", "a,b,c", "k"], "a comma in a name"),
    (["lookup", "-n", "a,state=dran", "k"], "enabled, drain or disabled"),
    (["lookup", "-n", "alpha", "-d", "alpah", "k"], 'did you mean "alpha"?'),
    (["lookup", "-n", "a", "-a", "tabel", "k"], 'did you mean "table"?'),
    (["lookup", "-n", "a", "-a", "ring,points=0", "k"], "expected a number"),
    (["lookup", "-n", "a", "-a", "ring", "--compat", "python-ring", "k"], "given twice"),
    (["lookup", "-n", "a=2", "--compat", "python-ring", "k"], "knows no weights"),
    (["lookup", "-n", "a", "-c", "f", "k"], "either from --config or"),
    (["lookup", "-n", "a", "--pool", "p", "k"], "--pool wants --config"),
    (["lookup", "-n", "a", "-k", "-", "k"], "not from both"),
    (["lookup", "-n", "a", "-0", "k"], "--null wants --keys-file"),
    (["check"], "which file?"),
    (["check", "a", "b"], "one file at a time"),
])
def test_usage_errors(args, why):
    status, out, err = run(*args)
    assert status == 2 and why in err and out == b"", err


def test_help():
    assert run("--version")[0] == 0 and re.match(rb"fairlead \d+\.\d+\.\d+\n$", run("--version")[1])
    status, out, err = run("help")
    assert (status, err) == (0, "") and b"lookup" in out and b"check" in out
    for args in (["help", "lookup"], ["lookup", "--help"], ["lookup", "-n", "a", "-h"]):
        status, out, err = run(*args)
        assert (status, err) == (0, "")
        for option in (b"--keys-file FILE", b"--owners K", b"--null", b"--compat SPEC", b"--help"):
            assert option in out


def test_full_disk_is_no_success():
    with open("/dev/full", "wb") as full:
        r = subprocess.run([FAIRLEAD, "lookup", "-n", "a", "k"], stdout=full,
                           stderr=subprocess.PIPE, timeout=60)
    assert r.returncode == 2 and b"cannot write" in r.stderr
