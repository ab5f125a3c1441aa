"""`fairlead compare` beside an independent computation, and its other forms."""
import csv
import io
import json
import re
import subprocess
import sys

import pytest

from harness import FAIRLEAD, ROOT

sys.path.insert(0, str(ROOT / "tests/model"))
import compare_model  # noqa: E402


def run(*args, check=True):
    out = subprocess.run([FAIRLEAD, "compare", *map(str, args)], capture_output=True)
    assert not check or out.returncode == 0, out.stderr.decode()
    return out


def tables(report):
    """Rows by "section.table"."""
    return {f"{section}.{table}": t["rows"] for section, s in report["sections"].items()
            for table, t in s["tables"].items()}


def near(a, b):
    return abs(a - b) <= 1e-9 * max(1, abs(a), abs(b))


@pytest.fixture(scope="module")
def readme():
    return json.loads(run("--scenario", "readme", "--no-time", "--json").stdout)


def test_the_readme_scenario_is_what_the_model_says(readme):
    found, dead = compare_model.scenario()
    rows = tables(readme)
    assert readme["facts"]["gone_5"] == f"node-{dead[0]}, and with it node-{dead[1]}"
    by = {name: {row["algorithm"]: row for row in list_} for name, list_ in rows.items()
          if name != "balance.distribution"}
    assert list(by["balance.keys"]) == compare_model.SPECS
    for spec, truth in found.items():
        for figure, value in truth["balance"].items():
            assert near(by["balance.keys"][spec][figure], value), (spec, figure)
        counts = {row["node"]: row["keys"] for row in rows["balance.distribution"]
                  if row["algorithm"] == spec}
        assert counts == {f"node-{n}": truth["counts"].get(n, 0) for n in range(1, 6)}
        for change in ("add", "remove", "remove-two", "reweight"):
            row = by[f"disruption.{change}"][spec]
            if change not in truth:
                assert row["moved"] is None and row["verdict"]["words"] == "not supported"
                continue
            assert near(row["moved"], truth[change]["moved"]), (spec, change)
            assert near(row["necessary"], truth[change]["necessary"]), (spec, change)
            assert near(row["excess"], row["moved"] - row["necessary"])
            assert near(row["peak_after"], truth[change]["peak"])
        for who in ("one", "two"):
            for figure, value in truth[who].items():
                assert near(by[f"failover.{who}"][spec][figure], value), (spec, who, figure)


def test_the_scenario_shows_what_it_is_for(readme):
    two = {row["algorithm"]: row for row in tables(readme)["failover.two"]}
    assert two["ring,points=1"]["heirs"] == 1 and two["ring,points=1"]["largest"] == 1
    for spec in ("ring,points=200", "rendezvous", "table", "maglev"):
        assert two[spec]["heirs"] == 3 and two[spec]["largest"] < 0.45
    goes = {row["algorithm"]: row for row in tables(readme)["disruption.remove"]}
    for spec in ("ring,points=1", "ring,points=200", "rendezvous", "table"):
        assert goes[spec]["excess"] == 0 and goes[spec]["verdict"]["verdict"] == "ok"
    assert goes["modulo"]["excess"] > 0.5


def test_the_documents_quote_it(readme):
    two = {row["algorithm"]: row for row in tables(readme)["failover.two"]}
    goes = {row["algorithm"]: row for row in tables(readme)["disruption.remove-two"]}
    quoted = re.findall(r"^\| `(\S+)` \| (\d) of 3 \| (\d+) % \| ([\d.]+)[^|]* \| ([\d.]+) % \| ([\d.]+) % \|$",
                        (ROOT / "docs/planning.md").read_text(), re.M)
    assert [q[0] for q in quoted] == compare_model.SPECS
    for spec, heirs, largest, peak, moved, least in quoted:
        assert int(heirs) == two[spec]["heirs"] and largest == f"{100 * two[spec]['largest']:.0f}"
        assert peak == f"{goes[spec]['peak_after']:.2f}"
        assert moved == f"{100 * goes[spec]['moved']:.1f}"
        assert least == f"{100 * goes[spec]['necessary']:.1f}"


def test_it_is_the_same_every_time(readme):
    again = json.loads(run("--scenario", "readme", "--no-time", "--json").stdout)
    assert again == readme
    other = json.loads(run("--scenario", "readme", "--no-time", "--json", "--shape", "uuid",
                           "--seed", "1").stdout)
    assert tables(other)["balance.keys"] != tables(readme)["balance.keys"]


def test_every_algorithm_by_default():
    report = json.loads(run("--nodes", "3,20", "--keys", "20000", "--json").stdout)
    rows = tables(report)
    names = {"table", "bounded-table", "ring", "rendezvous", "maglev", "multiprobe", "jumpback",
             "jump", "anchor", "dx", "modulo"}
    assert {r["algorithm"] for r in rows["balance.keys"]} == names
    assert {r["nodes"] for r in rows["balance.keys"]} == {3, 20}
    for row in rows["cost.cost"]:
        assert row["memory"] > 0 and row["lookup_ns"] > 0 and row["build_ns"] > 0
    for row in rows["disruption.remove"]:
        if row["algorithm"] in ("table", "ring", "rendezvous", "multiprobe", "dx", "anchor"):
            assert row["excess"] == 0, row
        if row["algorithm"] in ("jump", "jumpback"):
            assert row["verdict"]["words"] == "only the last can go" and row["excess"] == 0
    total = {}
    for row in rows["balance.distribution"]:
        key = row["algorithm"], row["nodes"]
        total[key] = total.get(key, 0) + row["keys"]
    assert set(total.values()) == {20000}


def test_weights_and_popularity():
    report = json.loads(run("-a", "table", "-a", "ring", "-n", "6", "-w", "1,2,3", "--keys", "50000",
                            "--zipf", "1", "--no-time", "--json").stdout)
    rows = tables(report)
    for row in rows["balance.keys"]:
        assert 1 <= row["peak"] < 1.4
    traffic = {row["algorithm"]: row for row in rows["balance.traffic"]}
    assert traffic["table"]["peak"] > 1.1
    nodes = [row for row in rows["balance.distribution"] if row["algorithm"] == "table"]
    assert [row["weight"] for row in nodes] == [1, 2, 3, 1, 2, 3]
    assert nodes[2]["keys"] > 2 * nodes[0]["keys"]


def test_keys_from_a_file_and_a_log(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("".join(f"10.0.{i // 256}.{i % 256}\n" for i in range(2000)))
    log = tmp_path / "access.log"
    log.write_text("".join(
        f'10.0.{i // 256}.{i % 256} - - [25/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5\n'
        for i in range(2000)))
    args = ["-a", "table", "-n", "7", "--no-time", "--json"]
    a = tables(json.loads(run(*args, "--keys-file", keys).stdout))
    b = tables(json.loads(run(*args, "--log", log, "--key", "client_ip").stdout))
    assert a["balance.keys"] == b["balance.keys"]


def test_csv_is_the_same_rows(readme):
    out = run("--scenario", "readme", "--no-time", "--csv", "balance.keys").stdout.decode()
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [r["algorithm"] for r in rows] == compare_model.SPECS
    for row, truth in zip(rows, tables(readme)["balance.keys"]):
        assert float(row["peak"]) == truth["peak"]


def test_no_line_is_wider_than_the_terminal():
    env = {"COLUMNS": "100", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin"}
    out = subprocess.run([FAIRLEAD, "compare", "--scenario", "readme", "--no-time"],
                         capture_output=True, check=True, env=env).stdout.decode()
    assert max(len(line) for line in out.splitlines()) <= 100
    assert "█" in out and "\x1b" not in out
    plain = subprocess.run([FAIRLEAD, "compare", "--scenario", "readme", "--no-time"],
                           capture_output=True, check=True, env={**env, "LC_ALL": "C"}).stdout
    assert plain.isascii()


@pytest.mark.parametrize("args, says", [
    (["-a", "tabel"], 'did you mean "table"'),
    (["-a", "ring,points=0"], "points=0: expected"),
    (["-n", "0"], "whole numbers from 1"),
    (["-n", "3,,4"], "whole numbers from 1"),
    (["-w", "x"], "whole numbers from 1"),
    (["--scenario", "other"], 'there is "readme"'),
    (["--scenario", "readme", "-n", "3"], "its own algorithms"),
    (["--shape", "uid"], 'did you mean "uuid"'),
    (["--zipf", "5"], "from 0 to 4"),
    (["--seed", "-1"], "up to 64 bits"),
    (["--keys", "0"], "whole number from 1"),
    (["--keys", "5", "--keys-file", "x"], "only one of them"),
    (["--field", "x"], "about a --log"),
    (["--keys-file", "/nonexistent"], "cannot read"),
    (["--log", "/nonexistent"], "cannot read"),
    (["word"], "is not expected"),
    (["--csv", "no.such", "-n", "3", "--keys", "10", "--no-time"], "balance.keys"),
    (["--html", "/nonexistent/x.html", "-n", "3", "--keys", "10", "--no-time"], "cannot write"),
])
def test_usage_errors(args, says):
    out = run(*args, check=False)
    assert out.returncode == 2 and says in out.stderr.decode(), out.stderr.decode()
    assert "\n" not in out.stderr.decode().rstrip("\n") or "\n  " in out.stderr.decode()
