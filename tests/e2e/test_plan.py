"""`fairlead plan`: beside `lookup` on small logs, beside its own bounds on large ones, and beside what
the running balancer then does."""
import collections
import gzip
import json
import random
import resource
import subprocess

import pytest

import harness
from harness import FAIRLEAD, Backend, ask

NODES = ["--node", "a", "--node", "b=2", "--node", "c", "--node", "d"]


def run(*args, check=True, **kwargs):
    out = subprocess.run([FAIRLEAD, "plan", *map(str, args)], capture_output=True, **kwargs)
    assert not check or out.returncode in (0, 1), out.stderr.decode()
    return out


def plan(*args, **kwargs):
    return json.loads(run(*args, "--json", **kwargs).stdout)


def rows(report, section, table):
    return report["sections"].get(section, {"tables": {table: {"rows": []}}})["tables"][table]["rows"]


def owners(keys, *args):
    """As `lookup` says; "-" for nobody."""
    out = subprocess.run([FAIRLEAD, "lookup", *args, "--keys-file", "-"], capture_output=True,
                         input="".join(f"{k}\n" for k in keys).encode())
    assert out.returncode in (0, 3), out.stderr
    return dict(line.split("\t") for line in out.stdout.decode().splitlines())


def combined(address, path="/", agent="x"):
    return (f'{address} - - [25/Nov/2026:10:00:00 +0000] "GET {path} HTTP/1.1" 200 512 "-" '
            f'"{agent}"\n')


def make_log(path, requests=5000, clients=700, seed=1):
    """Addresses by popularity; how often each one came."""
    r = random.Random(seed)
    weights = [1 / (i + 1) for i in range(clients)]
    chosen = r.choices(range(clients), weights, k=requests)
    keys = [f"10.{i // 256}.{i % 256}.9" for i in chosen]
    path.write_text("".join(combined(k) for k in keys))
    return collections.Counter(keys)


def check_against_lookup(report, counts, before, after):
    """Every figure of a report, from two dictionaries of owners."""
    total = sum(counts.values())
    moved = {k for k in counts if before[k] != after[k]}
    weight = sum(counts[k] for k in moved)
    flows = collections.Counter()
    load = {"before": collections.Counter(), "after": collections.Counter()}
    for k, n in counts.items():
        load["before"][before[k]] += n
        load["after"][after[k]] += n
        if k in moved:
            flows[before[k], after[k]] += n
    name = {"(nobody)": "-"}
    got = {(name.get(f["from"], f["from"]), name.get(f["to"], f["to"])): f["weight"]
           for f in rows(report, "moves", "flows")} if weight else {}
    assert got == dict(flows)
    for row in rows(report, "nodes", "loads"):
        assert abs(row["traffic_before"] - load["before"][row["node"]] / total) < 1e-12
        assert abs(row["traffic_after"] - load["after"][row["node"]] / total) < 1e-12
    least = sum(abs(load["after"][n] - load["before"][n])
                for n in {*load["before"], *load["after"]}) / 2
    text = " ".join(s["text"] for s in report["summary"])
    assert f"{100 * weight / total:.3f} % of the traffic moves ({weight} of {total})" in text
    assert f"less than {100 * least / total:.3f} %" in text
    assert f"{100 * len(moved) / len(counts):.3f} % of the {len(counts)} different keys move" in text
    hot = [(row["key"], row["weight"], row["from"], row["to"]) for row in rows(report, "hot", "keys")]
    truth = sorted(((counts[k], k) for k in moved), reverse=True)
    assert [w for _, w, _, _ in hot] == [w for w, _ in truth[:20]]
    for key, w, source, target in hot:
        assert counts[key] == w
        assert (source, target) == (before[key], after[key].replace("-", "(nobody)"))


@pytest.mark.parametrize("change, after_nodes", [
    (["--remove", "c"], ["--node", "a", "--node", "b=2", "--node", "d"]),
    (["--add", "e=2"], [*NODES, "--node", "e=2"]),
    (["--weight", "a=5"], ["--node", "a=5", *NODES[2:]]),
    (["--drain", "b"], ["--node", "a", "--node", "b=2,state=drain", *NODES[4:]]),
    (["--remove", "a", "--remove", "d", "--add", "f"],
     ["--node", "b=2", "--node", "c", "--node", "f"]),
    (["--remove", "a", "--remove", "b", "--remove", "c", "--drain", "d"],
     ["--node", "d,state=drain"]),
])
@pytest.mark.parametrize("algorithm", ["table", "ring", "maglev"])
def test_exact_on_a_small_log(tmp_path, change, after_nodes, algorithm):
    log = tmp_path / "access.log"
    counts = make_log(log)
    args = ["--algorithm", algorithm]
    report = plan(*args, *NODES, *change, "--log", log)
    before, after = owners(counts, *args, *NODES), owners(counts, *args, *after_nodes)
    check_against_lookup(report, counts, before, after)


def test_a_new_algorithm(tmp_path):
    log = tmp_path / "access.log"
    counts = make_log(log)
    report = plan(*NODES, "--new-algorithm", "ring,points=50", "--log", log)
    check_against_lookup(report, counts, owners(counts, *NODES),
                         owners(counts, "--algorithm", "ring,points=50", *NODES))
    assert report["facts"]["algorithm_after"] == "ring,points=50"


def test_packed_and_cut_into_several(tmp_path):
    log = tmp_path / "access.log"
    make_log(log)
    lines = log.read_text().splitlines(keepends=True)
    (tmp_path / "1.gz").write_bytes(gzip.compress("".join(lines[:2000]).encode()))
    (tmp_path / "2").write_text("".join(lines[2000:]))
    whole = plan(*NODES, "--remove", "c", "--log", log)
    parts = plan(*NODES, "--remove", "c", "--log", tmp_path / "1.gz", "--log", tmp_path / "2")
    piped = json.loads(run(*NODES, "--remove", "c", "--log", "-", "--json",
                           input=log.read_bytes()).stdout)
    assert whole["summary"] == parts["summary"] == piped["summary"]
    assert whole["sections"] == parts["sections"] == piped["sections"]


def test_lines_of_no_format_are_told(tmp_path):
    log = tmp_path / "access.log"
    make_log(log, requests=200)
    text = log.read_text().splitlines(keepends=True)
    log.write_text("".join([*text[:100], "what is this\n", *text[100:]]))
    out = run(*NODES, "--remove", "c", "--log", log, "--json")
    assert "1 of 201 lines are not of the format" in out.stderr.decode()
    assert f"{log}:101:" in out.stderr.decode()
    assert json.loads(out.stdout)["facts"]["bad_lines"] == 1


@pytest.mark.parametrize("bounds, status", [
    (["--max-moved", "100%"], 0), (["--max-moved", "0.1%"], 1),
    (["--max-load", "a=99%"], 0), (["--max-load", "a=1%"], 1),
    (["--max-load", "a=9x"], 0), (["--max-load", "*=0.5x"], 1),
    (["--max-load", "a=9x", "--max-moved", "0.1%"], 1),
])
def test_bounds_set_the_exit_status(bounds, status):
    out = run(*NODES, "--remove", "c", "--keys", "20000", *bounds, check=False)
    assert out.returncode == status, out.stdout.decode()
    assert ("✗" in out.stdout.decode() or "bad" in out.stdout.decode()) == (status == 1)


def test_estimates_on_many_keys_are_within_their_bounds(tmp_path):
    log = tmp_path / "keys.log"
    n = 400000
    log.write_text("".join(f"k{i * 7919}\n" for i in range(n)) + "k0\n" * 5000)
    args = [*NODES, "--remove", "c", "--log", log, "--log-format", "keys"]
    exact, rough = plan(*args), plan(*args, "--memory", "1MiB")
    # Traffic is exact in both.
    for section, table in (("moves", "flows"),):
        assert rows(exact, section, table) == rows(rough, section, table)
    text = " ".join(s["text"] for s in rough["summary"])
    numbers = harness.re.search(
        r"About ([\d.]+) % of the different keys move \(([\d.]+) to ([\d.]+), .* of about (\d+) "
        r"\((\d+) to (\d+)\)", text)
    _, low, high, about, fewest, most = map(float, numbers.groups())
    truth = next(s["text"] for s in exact["summary"] if "different keys move" in s["text"])
    share = float(truth.split()[0])
    assert low <= share <= high and fewest <= n <= most and abs(about - n) < 0.02 * n
    # The hottest key is k0, and known with its error.
    hot = {row["key"]: row for row in rows(rough, "hot", "keys")}
    before, after = owners(["k0"], *NODES), owners(["k0"], *NODES[:4], "--node", "d")
    if before != after:
        assert hot["k0"]["weight"] - hot["k0"]["error"] <= 5001 <= hot["k0"]["weight"]


def test_memory_stays_within_its_bound(tmp_path):
    """64 MB of log with 600,000 clients, in the memory of the table and little else."""
    log = tmp_path / "access.log"
    with log.open("w") as out:
        for i in range(600000):
            out.write(combined(f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}", f"/item/{i}"))

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))

    sanitized = b"__asan_init" in open(FAIRLEAD, "rb").read()
    report = plan(*NODES, "--remove", "c", "--log", log, "--memory", "16MiB",
                  preexec_fn=None if sanitized else limit)
    assert report["facts"]["requests"] == 600000


# ---- a file, and the balancer ----

def config(directory, ports, key='["header:x-user"]', **kwargs):
    return harness.config(directory, harness.free_port(), ports, key=key, **kwargs)


def test_two_files(tmp_path):
    ports = {n: i + 1 for i, n in enumerate("abcd")}
    now, then = tmp_path / "now.yaml", tmp_path / "then.yaml"
    now.write_text(config(tmp_path, ports, key="[client_ip]"))
    then.write_text(config(tmp_path, {n: ports[n] for n in "abd"}, key="[client_ip]"))
    log = tmp_path / "access.log"
    counts = make_log(log)
    by_file = plan("-c", now, "--to", then, "--log", log)
    by_change = plan("-c", now, "--remove", "c", "--log", log)
    assert by_file == by_change
    check_against_lookup(by_file, counts, owners(counts, "-c", now), owners(counts, "-c", then))
    both = plan("-c", now, "--to", then, "--algorithm", "ring", "--log", log)
    assert both["facts"]["algorithm_after"] == "ring"


def test_the_pools_own_key_sources_read_the_log(tmp_path):
    now = tmp_path / "now.yaml"
    now.write_text(config(tmp_path, {"a": 1, "b": 2, "c": 3}, key="[{query: id}, path]"))
    log = tmp_path / "access.log"
    keys = [f"u{i}" for i in range(300)]
    log.write_text("".join(combined("10.0.0.1", f"/x?id={k}&z=1") for k in keys)
                   + combined("10.0.0.1", "/only/a/path"))
    report = plan("-c", now, "--remove", "b", "--log", log)
    counts = collections.Counter([*keys, "/only/a/path"])
    then = tmp_path / "then.yaml"
    then.write_text(config(tmp_path, {"a": 1, "c": 3}, key="[{query: id}, path]"))
    check_against_lookup(report, counts, owners(counts, "-c", now), owners(counts, "-c", then))
    # A request without any of the keys goes by its address, as the proxy does it.
    now.write_text(config(tmp_path, {"a": 1, "b": 2, "c": 3}, key="[{query: id}]"))
    then.write_text(config(tmp_path, {"a": 1, "c": 3}, key="[{query: id}]"))
    report = plan("-c", now, "--remove", "b", "--log", log)
    counts = collections.Counter([*keys, "10.0.0.1"])
    check_against_lookup(report, counts, owners(counts, "-c", now), owners(counts, "-c", then))
    now.write_text(config(tmp_path, {"a": 1, "b": 2}))  # a header, which combined does not have
    out = run("-c", now, "--remove", "b", "--log", log, check=False)
    assert out.returncode == 2 and "header" in out.stderr.decode()


@pytest.mark.parametrize("algorithm", ["table", "ring", "rendezvous", "maglev"])
def test_the_balancer_then_does_what_was_planned(started, serve, directory, tmp_path, algorithm):
    backend = started(Backend, ["a", "b", "c", "d"])
    first = {n: backend.ports[n] for n in "abc"}
    fairlead, port = serve(first, algorithm=algorithm)
    keys = [f"user-{i}" for i in range(150)]
    listed = tmp_path / "keys"
    listed.write_text("".join(f"{k}\n" for k in keys))
    then = {n: backend.ports[n] for n in "abd"}
    next_file = tmp_path / "next.yaml"
    next_file.write_text(harness.config(directory, port, then, algorithm=algorithm))
    before = owners(keys, "-c", fairlead.path)
    report = plan("-c", fairlead.path, "--to", next_file, "--keys-file", listed)
    fairlead.reload(next_file.read_text())
    change = fairlead.get("/movement?pool=app")["pools"][0]["change"]
    assert report["facts"]["digest_before"] == change["digest_before"]
    assert report["facts"]["digest_after"] == change["digest_after"]
    assert abs(float(report["facts"]["keyspace_moved"]) - change["moved"]) < 1e-9
    assert abs(float(report["facts"]["keyspace_least"]) - change["least"]) < 1e-9
    moved, after = collections.Counter(), {}
    for key in keys:
        why = json.loads(subprocess.run(
            [FAIRLEAD, "why", "-c", fairlead.path, "--live", "--json", key], check=True,
            capture_output=True).stdout)
        after[key] = next(r["node"] for r in why["sections"]["owners"]["tables"]["nodes"]["rows"]
                          if r["verdict"]["words"] == "has the key")
        assert ask(port, headers=[("X-User", key)])[1]["x-node"] == after[key]
        if before[key] != after[key]:
            moved[before[key], after[key]] += 1
    assert {(f["from"], f["to"]): f["weight"] for f in rows(report, "moves", "flows")} == moved
    fairlead.finish()


@pytest.mark.parametrize("args, says", [
    ([*NODES], "there is no change"),
    ([*NODES, "--remove", "x"], 'no node called "x"'),
    (["--node", "alpha", "--remove", "alhpa"], 'did you mean "alpha"'),
    ([*NODES, "--add", "a"], 'called "a" already'),
    ([*NODES, "--weight", "a"], "NAME=W"),
    ([*NODES, "--weight", "a=70000"], "0 to 65535"),
    ([*NODES, "--remove", "a", "--max-moved", "5x"], "--max-moved wants a share"),
    ([*NODES, "--remove", "a", "--max-load", "b"], "--max-load wants"),
    ([*NODES, "--remove", "a", "--max-load", "b=1.3"], "--max-load wants"),
    ([*NODES, "--remove", "a", "--memory", "5"], "at least 1MiB"),
    ([*NODES, "--remove", "a", "--hot", "x"], "--hot wants"),
    ([*NODES, "--remove", "a", "--log", "/nonexistent"], "cannot read"),
    (["--remove", "a"], "there are no nodes"),
    (["-c", "/nonexistent", "--remove", "a"], "nonexistent"),
    ([*NODES, "--new-algorithm", "tabel"], 'did you mean "table"'),
    ([*NODES, "--new-algorithm", "anchor,capacity=2"], "after the change"),
])
def test_usage_errors(args, says):
    out = run(*args, check=False)
    assert out.returncode == 2 and says in out.stderr.decode(), out.stderr.decode()
