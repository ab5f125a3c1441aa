"""`fairlead why`: offline beside `lookup`, live beside the running balancer and its traffic."""
import json
import subprocess

import pytest

import harness
from harness import FAIRLEAD, Backend, ask

NODES = ["--node", "a", "--node", "b=3", "--node", "c", "--node", "d=0", "--node",
         "e,state=drain", "--node", "f,state=disabled"]
KEYS = [f"key-{i}" for i in range(60)]


def run(*args, check=True, **kwargs):
    out = subprocess.run([FAIRLEAD, *map(str, args)], capture_output=True, **kwargs)
    assert not check or out.returncode == 0, out.stderr.decode()
    return out


def why(*args, **kwargs):
    """The report as JSON: facts, and the nodes by name in their order."""
    report = json.loads(run("why", "--json", *args, **kwargs).stdout)
    rows = report["sections"]["owners"]["tables"]["nodes"]["rows"]
    return report["facts"], {row["node"]: row for row in rows}


def taken(nodes):
    return [name for name, row in nodes.items() if row["verdict"]["words"] == "has the key"]


def looked_up(*args):
    out = run("lookup", *args).stdout.decode()
    return {line.split("\t")[0]: line.split("\t")[1:] for line in out.splitlines()}


@pytest.mark.parametrize("algorithm", ["table", "ring", "rendezvous", "maglev", "modulo"])
def test_the_owner_and_the_order_are_lookups(algorithm):
    args = ["--algorithm", algorithm, *NODES]
    owners = looked_up(*args, "--owners", "6", *KEYS)
    for key in KEYS:
        _, nodes = why(*args, key)
        assert taken(nodes) == owners[key][:1]
        ranked = [n for n, row in nodes.items() if row["rank"] and n not in ("e",)]
        assert ranked == owners[key]
        assert "weight 0" in nodes["d"]["verdict"]["words"] and nodes["d"]["rank"] is None
        assert "drains" in nodes["e"]["verdict"]["words"]
        assert "disabled" in nodes["f"]["verdict"]["words"]


def test_a_node_that_is_down_is_passed():
    args = ["--node", "a", "--node", "b", "--node", "c"]
    for key in KEYS[:10]:
        first = taken(why(*args, key)[1])[0]
        _, nodes = why(*args, "--down", first, key)
        assert list(nodes)[0] == first and "is down" in nodes[first]["verdict"]["words"]
        assert taken(nodes) == [list(nodes)[1]]


def test_the_position_is_the_row_of_the_hash():
    facts, _ = why("--algorithm", "table,rows=1024", "--node", "a", "--node", "b", "alice")
    row = int(facts["hash"], 16) >> 54
    assert facts["position"].startswith(f"row {row} of 1024, hashes {row << 54:016x} ")
    facts, _ = why("--algorithm", "ring,points=7", "--node", "a", "--node", "b", "alice")
    assert facts["position"].startswith("point ") and " of 14, " in facts["position"]


def test_only_so_many_owners_are_listed():
    nodes = [x for i in range(30) for x in ("--node", f"n{i}")]
    assert len(why(*nodes, "k")[1]) == 10
    assert len(why(*nodes, "--owners", "30", "k")[1]) == 30
    text = run("why", *nodes, "k").stdout.decode()
    assert "20 nodes further behind" in text


def test_nobody_can_have_it():
    out = run("why", "--node", "a", "--down", "a", "k", check=False)
    assert out.returncode == 3 and b"Nobody can have the key" in out.stdout


def test_a_name_cannot_play_with_the_terminal():
    out = run("why", "--node", "\x1b[31mred\x07", "k")
    assert b"\x1b" not in out.stdout and b"\x07" not in out.stdout


CONFIG = """version: 1
listeners:
  - {name: web, bind: "127.0.0.1:1", protocol: http}
  - {name: inner, bind: "127.0.0.1:2", protocol: http}
routes:
  - {path: /api, pool: api}
  - {listener: inner, pool: inner}
  - {pool: rest}
pools:
  api:
    key: [{cookie: sid}, "header:x-user", client_ip]
    nodes: [{name: a, address: "127.0.0.1:3"}, {name: b, address: "127.0.0.1:4"}]
  rest:
    key: [{query: id}]
    no_key: reject
    nodes: [{name: c, address: "127.0.0.1:5"}]
  inner:
    key: [path]
    no_key: random
    nodes: [{name: d, address: "127.0.0.1:6"}]
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "fairlead.yaml"
    path.write_text(CONFIG)
    return path


def test_a_requests_route_and_key(file):
    facts, _ = why("-c", file, "-t", "/api/x", "-H", "Cookie: a=1; sid=seven", "-H", "X-User: u")
    assert (facts["pool"], facts["key"], facts["source"]) == ("api", "seven", "cookie:sid")
    facts, _ = why("-c", file, "-t", "/api", "-H", "X-User: u")
    assert (facts["key"], facts["source"]) == ("u", "header:x-user")
    facts, _ = why("-c", file, "-t", "/api", "--client", "192.0.2.77")
    assert facts["key"] == "192.0.2.77"
    facts, _ = why("-c", file, "-t", "/api", "--client", "2001:db8::1")
    assert facts["key"] == "2001:db8::"
    facts, _ = why("-c", file, "-t", "/?id=9")
    assert (facts["pool"], facts["key"]) == ("rest", "9")
    facts, _ = why("-c", file, "-t", "/y?id=9", "--listener", "inner")
    assert (facts["pool"], facts["key"], facts["source"]) == ("inner", "/y", "path")
    facts, _ = why("-c", file, "--pool", "inner", "-t", "/api/z")
    assert (facts["pool"], facts["key"]) == ("inner", "/api/z")


@pytest.mark.parametrize("args, status, says", [
    (["-t", "/"], 3, "the balancer would answer 400"),
    (["-t", "/api"], 3, "any node may get"),
    (["-t", "no slash"], 2, "the balancer would refuse this request"),
    (["-t", "/", "-H", "bad header"], 2, "the balancer would refuse this request"),
    (["-t", "/api", "--client", "nonsense"], 2, 'not "nonsense"'),
    (["-t", "/", "--listener", "wbe"], 2, 'no listener called "wbe"'),
    (["-t", "/", "k"], 2, "either a key, or a request"),
    ([], 2, "there is no key"),
    (["k"], 2, "say which one with --pool"),
    (["k", "l"], 2, 'not "l" too'),
    (["--pool", "api", "--live", "k"], 2, "has no admin socket"),
    (["--pool", "api", "--owners", "0", "k"], 2, "a whole number from 1"),
    (["--pool", "api", "--json", "--csv", "all", "k"], 2, "not both"),
])
def test_what_cannot_be_asked(file, args, status, says):
    out = run("why", "-c", file, *args, check=False)
    # The second case: a unix client has no address, so client_ip gives nothing.
    if args == ["-t", "/api"]:
        status, says = 3, "any node may get the request"
    assert out.returncode == status and says in out.stderr.decode(), out


def test_a_request_needs_a_file():
    out = run("why", "--node", "a", "-t", "/", check=False)
    assert out.returncode == 2 and b"--config" in out.stderr


# ---- live ----

def test_live_is_what_the_balancer_does(started, serve):
    backend = started(Backend, ["a", "b", "c"])
    fairlead, port = serve(backend.ports, key='["header:x-user", client_ip]')
    for key in KEYS[:20]:
        _, headers, _ = ask(port, headers=[("X-User", key)])
        facts, nodes = why("-c", fairlead.path, "--live", key)
        assert taken(nodes) == [headers["x-node"]]
        assert facts["told_by"] == "the running balancer"
        offline, there = why("-c", fairlead.path, key)
        assert list(there) == list(nodes) and taken(there) == taken(nodes)
        for same in ("digest", "mask_digest", "hash", "position", "algorithm", "pool"):
            assert offline[same] == facts[same], same
        facts, nodes = why("-c", fairlead.path, "--live", "-t", "/", "-H", f"X-User: {key}")
        assert taken(nodes) == [headers["x-node"]] and facts["source"] == "header:x-user"
    by_address = why("--admin", f"unix:{fairlead.admin}", "k")
    assert by_address[1] == why("-c", fairlead.path, "--live", "k")[1]
    fairlead.finish()


def test_live_sees_what_the_file_cannot_know(started, serve):
    backend = started(Backend, ["a", "b"])
    single = started(Backend, ["c"])
    fairlead, port = serve({**backend.ports, **single.ports})
    key = next(k for k in KEYS if ask(port, headers=[("X-User", k)])[1]["x-node"] == "c")
    single.kill()
    ask(port, headers=[("X-User", key)])
    _, nodes = why("-c", fairlead.path, "--live", key)
    assert list(nodes)[0] == "c" and "ejected" in nodes["c"]["verdict"]["words"]
    assert taken(nodes) == [list(nodes)[1]]
    assert taken(why("-c", fairlead.path, key)[1]) == ["c"]
    fairlead.finish()


def test_a_token_is_needed_where_one_is_set(started, directory, tmp_path):
    backend = started(Backend, ["a"])
    port, admin = harness.free_port(), harness.free_port()
    text = harness.config(directory, port, backend.ports).replace(
        f'{{listen: "unix:{directory}/admin.sock"}}',
        f'{{listen: "127.0.0.1:{admin}", token: "open sesame 123"}}')
    fairlead = started(harness.Fairlead, text, directory)
    assert taken(why("-c", fairlead.path, "--live", "k")[1]) == ["a"]
    address = ["--admin", f"127.0.0.1:{admin}"]
    out = run("why", *address, "k", check=False)
    assert out.returncode == 2 and b"cannot ask the balancer" in out.stderr
    env = {**harness.os.environ, "FAIRLEAD_TOKEN": "open sesame 123"}
    assert taken(why(*address, "k", env=env)[1]) == ["a"]
    bad = run("why", *address, "k", check=False, env={**env, "FAIRLEAD_TOKEN": "wrong"})
    assert bad.returncode == 2 and b"wrong" not in bad.stderr + bad.stdout
    fairlead.finish()


def test_no_balancer_there(tmp_path):
    out = run("why", "--admin", f"unix:{tmp_path}/none.sock", "k", check=False)
    assert out.returncode == 2 and b"No such file" in out.stderr
    out = run("why", "--admin", "nonsense", "k", check=False)
    assert out.returncode == 2
