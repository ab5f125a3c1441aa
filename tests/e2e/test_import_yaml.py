"""import of twemproxy's and Envoy's files: every key of a recording, looked up in what was imported
from the configuration that it was recorded with, is where the peer had it."""
import bisect
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAIRLEAD = os.path.abspath(os.environ.get("FAIRLEAD", ROOT / "build/dev/fairlead"))
GOLDEN = ROOT / "tests/golden/import"


def run(*args, stdin=b""):
    r = subprocess.run([FAIRLEAD, *map(str, args)], input=stdin, capture_output=True, timeout=120)
    assert b"Sanitizer" not in r.stderr and b"runtime error:" not in r.stderr, r.stderr
    return r.returncode, r.stdout, r.stderr.decode()


def recorded(path):
    """[(key, node)]"""
    lines = [line for line in path.read_bytes().splitlines() if not line.startswith(b"# ")]
    assert lines[0] == b"key,node"
    return [tuple(line.rsplit(b",", 1)) for line in lines[1:]]


def addresses(config):
    """name -> address of the nodes, as written, of a file with one pool"""
    return dict(re.findall(r'\{name: "([^"]*)", address: "([^"]*)"', config.read_text()))


def lookup(config, keys, *options):
    status, out, err = run("lookup", "-c", config, *options, "--keys-file", "-",
                           stdin=b"".join(k + b"\n" for k in keys))
    assert status == 0, err
    pairs = [line.rsplit(b"\t", 1) for line in out.splitlines()]
    assert [p[0] for p in pairs] == list(keys)
    return [p[1].decode() for p in pairs]


# ---- twemproxy ----

@pytest.mark.parametrize("path", sorted(GOLDEN.glob("nutcracker_*.yml")), ids=lambda p: p.stem)
def test_every_recorded_key_of_twemproxy(path, tmp_path):
    config = tmp_path / "fairlead.yaml"
    status, out, err = run("import", path, "-o", config)
    assert (status, out) == (0, b""), err
    rows = recorded(path.with_suffix(".csv"))
    assert len(rows) >= 150
    address = addresses(config)
    got = [address[name].encode() for name in lookup(config, [k for k, _ in rows])]
    assert got == [node for _, node in rows]


def test_the_order_of_servers_decides_for_modula(tmp_path):
    path = GOLDEN / "nutcracker_modula_one_at_a_time.yml"
    lines = path.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("   - "))
    config = tmp_path / "fairlead.yaml"
    swapped = "\n".join(lines[:first] + lines[first:][::-1]) + "\n"
    status, out, err = run("import", "--as", "twemproxy", "-", "-o", config,
                           stdin=swapped.encode())
    assert status == 0, err
    rows = recorded(path.with_suffix(".csv"))
    address = addresses(config)
    got = [address[name].encode() for name in lookup(config, [k for k, _ in rows])]
    assert got != [node for _, node in rows]


# ---- Envoy ----

M = (1 << 64) - 1
P1, P2, P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P4, P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def rotl(x, n):
    return (x << n | x >> (64 - n)) & M


def xxh64_short(data):
    """XXH64, seed 0, of fewer than 32 bytes"""
    assert len(data) < 32
    h = (P5 + len(data)) & M
    while len(data) >= 8:
        lane = int.from_bytes(data[:8], "little") * P2 & M
        h = (rotl(h ^ rotl(lane, 31) * P1 & M, 27) * P1 + P4) & M
        data = data[8:]
    if len(data) >= 4:
        h = (rotl(h ^ int.from_bytes(data[:4], "little") * P1 & M, 23) * P2 + P3) & M
        data = data[4:]
    for byte in data:
        h = rotl(h ^ byte * P5 & M, 11) * P1 & M
    h = (h ^ h >> 33) * P2 & M
    h = (h ^ h >> 29) * P3 & M
    return h ^ h >> 32


def test_the_hash_of_this_test():
    assert xxh64_short(b"") == 0xEF46DB3751D8E999
    assert xxh64_short(b"123456789") == 0x8CB841DB40E6AE83


def envoy_file(balancing, hostnames, header="x-user"):
    hosts = []
    for port in range(90, 96):
        address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
        hosts.append({"endpoint": {"address": address}})
        if hostnames:
            hosts[-1]["endpoint"]["hostname"] = str(port)
    cluster = {"name": "app", "type": "STATIC", "load_assignment":
               {"cluster_name": "app", "endpoints": [{"lb_endpoints": hosts}]}, **balancing}
    if hostnames:
        cluster["common_lb_config"] = {
            "consistent_hashing_lb_config": {"use_hostname_for_hashing": True}}
    route = {"match": {"prefix": "/"}, "route": {
        "cluster": "app", "hash_policy": [{"header": {"header_name": header}}]}}
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network."
                 "http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {"virtual_hosts": [
            {"name": "all", "domains": ["*"], "routes": [route]}]}}
    listener = {
        "name": "web",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 8080}},
        "filter_chains": [{"filters": [{"name": "hcm", "typed_config": manager}]}]}
    return json.dumps({"static_resources": {"listeners": [listener], "clusters": [cluster]}})


RING = {"lb_policy": "RING_HASH", "ring_hash_lb_config": {"minimum_ring_size": 12}}
MAGLEV = {"lb_policy": "MAGLEV", "maglev_lb_config": {"table_size": 7}}
KEYS = [b"user-%d" % i for i in range(1000)]


def ring_owner(rows, key):
    at = [int(position) for position, _ in rows]
    assert at == sorted(at)
    return rows[bisect.bisect_left(at, xxh64_short(key)) % len(rows)][1]


def table_owner(rows, key):
    return rows[xxh64_short(key) % len(rows)][1]


@pytest.mark.parametrize("name, balancing, owner", [
    ("ring_xxhash_12", RING, ring_owner),
    ("ring_hostname_12", RING, ring_owner),
    ("maglev_7", MAGLEV, table_owner),
    ("maglev_hostname_7", MAGLEV, table_owner),
])
def test_keys_follow_the_rings_and_tables_that_envoy_prints(name, balancing, owner, tmp_path):
    source, config = tmp_path / "envoy.json", tmp_path / "fairlead.yaml"
    source.write_text(envoy_file(balancing, "hostname" in name))
    status, out, err = run("import", source, "-o", config)
    assert (status, out) == (0, b""), err
    rows = recorded(GOLDEN / f"envoy_test_{name}.csv")
    got = lookup(config, KEYS)
    assert got == [owner(rows, key).decode() for key in KEYS]
    assert len(set(got)) == 6


def test_what_is_imported_from_envoy_can_be_served(tmp_path):
    source, config = tmp_path / "envoy.json", tmp_path / "fairlead.yaml"
    source.write_text(envoy_file(RING, False))
    assert run("import", source, "-o", config)[0] == 0
    assert run("check", "-c", config)[0] == 0
    assert '    key: [{header: "x-user"}]\n    no_key: random\n' in config.read_text()


def test_the_report_has_lines_and_the_status_tells(tmp_path):
    source = tmp_path / "envoy.yaml"
    source.write_text(
        "static_resources:\n"
        "  clusters:\n"
        "  - name: app\n"
        "    lb_policy: RING_HASH\n"
        "    common_lb_config:\n"
        "      consistent_hashing_lb_config:\n"
        "        hash_balance_factor: 125\n"
        "    load_assignment:\n"
        "      endpoints:\n"
        "      - lb_endpoints:\n"
        "        - endpoint: {address: {pipe: {path: /run/app}}}\n")
    status, out, err = run("import", source)
    assert status == 1
    assert f"{source}:7: ! not carried: `hash_balance_factor: 125`: " in err
    assert f"{source}:3: only for lookup: `name: app`: " in err
    assert b'compat: "envoy-ring"' in out


@pytest.mark.parametrize("system, text, error", [
    ("twemproxy", "a:\n  servers:\n   - h:1\n", ":3:6: a server is written"),
    ("twemproxy", "a:\n  hash: md6\n  servers: [\"h:1:1\"]\n", ":2:9: \"md6\" is no hash"),
    ("envoy", "static_resources:\n  clusters: x\n", ":2:13: clusters wants a list"),
    ("envoy", "static_resources: [\n", "not valid YAML"),
])
def test_a_broken_file_is_refused_by_place(system, text, error, tmp_path):
    source = tmp_path / "broken.yaml"
    source.write_text(text)
    status, out, err = run("import", "--as", system, source)
    assert (status, out) == (2, b"")
    assert f"{source}" in err and error in err
