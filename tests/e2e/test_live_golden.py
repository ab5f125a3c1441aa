"""What nginx and HAProxy choose today, on this machine, is what `fairlead lookup` says.

The recordings in tests/golden/ cannot tell when a new version of a balancer maps keys in another
way; this asks the programs that are installed.
"""
import subprocess

import pytest

from balancers import Case, Haproxy, Nginx, Node
from harness import FAIRLEAD

KEYS = [f"user:{i * 7919 % 100003}".encode() for i in range(300)]
URLS = [f"/catalog/item-{i}?page={i % 7}&q=%20{i}".encode() for i in range(100)]
BYTES = [f"ключ-{i}-é".encode() for i in range(100)]
CLIENTS = [f"{1 + i * 37 % 223}.{i * 91 % 256}.{i * 13 % 256}.{i % 256}".encode()
           for i in range(300)]
CLIENTS6 = [f"2001:db8:{i * 7919 % 65536:x}::{i:x}".encode() for i in range(1, 100)]

ADDRESSES = [f"127.0.0.{i}:18080" for i in range(11, 17)]
WEIGHTS = [1, 2, 3, 5, 10, 4]


def equal(names):
    return [Node(n) for n in names]


def weighted(names):
    return [Node(n, w) for n, w in zip(names, WEIGHTS)]


SERVERS = [f"s{i}" for i in range(1, 7)]
TEXT = KEYS + URLS + BYTES

NGINX = [
    (Case("nginx-consistent", equal(ADDRESSES)), TEXT),
    (Case("nginx-consistent", weighted(ADDRESSES)), TEXT),
    (Case("nginx-consistent", weighted(ADDRESSES), (ADDRESSES[2],)), TEXT),
    (Case("nginx-consistent", equal(["127.0.0.11", "127.0.0.12:80", "127.0.0.13"])), KEYS),
    (Case("nginx-consistent", equal([f"[::1]:{p}" for p in range(18101, 18105)])), KEYS),
    (Case("nginx-hash", weighted(ADDRESSES)), TEXT),
    (Case("nginx-hash", equal(ADDRESSES), (ADDRESSES[0], ADDRESSES[3])), KEYS),
    (Case("nginx-ip-hash", equal(ADDRESSES)), CLIENTS + CLIENTS6),
    (Case("nginx-ip-hash", weighted(ADDRESSES), (ADDRESSES[1],)), CLIENTS),
]

HAPROXY = [
    (Case("haproxy-consistent", equal(SERVERS)), TEXT),
    (Case("haproxy-consistent", weighted(SERVERS)), TEXT),
    (Case("haproxy-consistent", weighted(SERVERS), ("s3",)), KEYS),
    (Case("haproxy-consistent", [Node("a", 2, 70), Node("b", 1), Node("c", 3, 1), Node("d", 1)]),
     KEYS),
    *[(Case(f"haproxy-consistent,hash={h}{a}", weighted(SERVERS)), TEXT)
      for h in ("sdbm", "djb2", "crc32", "wt6") for a in ("", ",avalanche=1")],
    (Case("haproxy-map", equal(SERVERS)), TEXT),
    (Case("haproxy-map", weighted(SERVERS), ("s5",)), KEYS),
    *[(Case(f"haproxy-map,hash={h}{a}", weighted(SERVERS)), TEXT)
      for h in ("sdbm", "djb2", "crc32", "wt6") for a in ("", ",avalanche=1")],
    (Case("haproxy-consistent,key=source", weighted(SERVERS)), CLIENTS + CLIENTS6),
    (Case("haproxy-map,key=source", weighted(SERVERS)), CLIENTS),
    (Case("haproxy-map,hash=sdbm,avalanche=1,key=source", equal(SERVERS)), CLIENTS),
]


def expected(case, keys):
    done = subprocess.run([FAIRLEAD, "lookup", *case.arguments(), "--keys-file", "-"],
                          input=b"\n".join(keys) + b"\n", stdout=subprocess.PIPE, check=True)
    return [line.rpartition(b"\t")[2].decode() for line in done.stdout.splitlines()]


@pytest.mark.parametrize("program, samples", [(Nginx, NGINX), (Haproxy, HAPROXY)],
                         ids=["nginx", "haproxy"])
def test_a_live_balancer_chooses_as_lookup_says(program, samples):
    with program([case for case, _ in samples]) as running:
        for index, (case, keys) in enumerate(samples):
            got, wanted = running.nodes(index, keys), expected(case, keys)
            wrong = [(k, w, g) for k, w, g in zip(keys, wanted, got, strict=True) if w != g]
            assert not wrong, f"{case}: {len(wrong)} of {len(keys)}, such as {wrong[:5]}"
            # Each node that can have keys has some, or the sample shows little.
            assert set(got) == {n.name for n in case.nodes} - set(case.down), case
