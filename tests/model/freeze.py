#!/usr/bin/env python3
"""What mapping version 1 is, in vectors from the models alone: writes tests/golden/native_1.csv
(who has which key) and tests/golden/mapping_1.txt (all owners in order, under masks as well, and
digests); with --check compares them and exits 1 on a difference.

They are frozen: a line may be added, none may change. What is to differ gets version 2."""
import pathlib
import sys

import bounded_table
import fairlead_model as model

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"
KEYS = (GOLDEN / "keys.txt").read_bytes().split(b"\n")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
GREEK = "alpha beta gamma delta epsilon zeta eta"
EQUAL = " ".join(f"10.0.0.{i}:80" for i in range(33))
WEIGHTED = "a=3 b=1 c=4 d=1 e=5 f=9 g=2 h=6 i=5 j=0 k=3 l=5 m=8"
SOME = " ".join(f"shard{i}=0" if i in (3, 7, 16) else f"shard{i}" for i in range(17))
DIGITS_OF_PI = ("n00=3 n01=1 n02=4 n03=1 n04=5 n05=9 n06=2 n07=6 n08=5 n09=3 n10=5 n11=8 n12=9 "
                "n13=7 n14=9 n15=3 n16=2 n17=3 n18=8 n19=4 n20=0 n21=6 n22=2 n23=6 n24=4 n25=3 "
                "n26=3 n27=8 n28=3 n29=2 n30=7 n31=9 n32=5 n33=100")
TWELVE = " ".join(DIGITS_OF_PI.split()[:12])
SECRET = "secret=0f1e2d3c4b5a69788796a5b4c3d2e1f0"
OTHER = "secret=000102030405060708090A0B0C0D0E0F"

# (spec, nodes, keys); the slots are those of the order given.
LOOKUPS = [
    ("table", GREEK, 2050),
    ("table,rows=4096,seed=7", "a=1 b=2 c=3 d=4 e=5 f=0 g=65535", 2050),
    ("table,rows=256", TWELVE, 2050),
    ("ring", GREEK, 2050),
    ("ring,points=40,seed=0xfedcba9876543210", TWELVE, 2050),
    ("rendezvous", GREEK, 2050),
    ("rendezvous,seed=7", " ".join(f"{n}=9" for n in GREEK.split()), 2050),
    ("rendezvous", DIGITS_OF_PI, 2050),
    ("modulo", GREEK, 2050),
    ("modulo,seed=1", "zz=5 y=0 x w=2", 2050),
    *((spec, nodes, 500) for spec, nodes in [
        ("maglev", GREEK), ("maglev,rows=1021,seed=7", WEIGHTED), ("maglev,rows=251", EQUAL),
        ("multiprobe", GREEK), ("multiprobe,probes=5,seed=7", WEIGHTED),
        *((f"{name}{seed}", nodes) for name in ("jump", "jumpback")
          for seed, nodes in (("", GREEK), (",seed=7", EQUAL), ("", SOME),
                              *(("", " ".join(EQUAL.split()[:n])) for n in (1, 8, 9, 16, 31, 32)))),
        ("table,rows=4096,epsilon=5%", GREEK), ("table,rows=1024,seed=7,epsilon=0", WEIGHTED),
        ("bounded-table,rows=256,epsilon=0.125", EQUAL), ("table,rows=1048576", WEIGHTED),
        ("ring,points=1", EQUAL), ("ring,points=3,seed=18446744073709551615", WEIGHTED),
        ("dx", GREEK), ("dx,capacity=33,seed=7", EQUAL), ("dx,capacity=65536", SOME),
        ("anchor", GREEK), ("anchor,capacity=33,seed=7", EQUAL), ("anchor,capacity=40", SOME),
        *((f"{spec},{SECRET}", GREEK) for spec in
          ("table", "table,rows=1024,epsilon=5%", "ring", "rendezvous", "maglev,rows=1021",
           "multiprobe", "jump", "jumpback", "anchor", "dx", "modulo")),
        *((f"{spec},{OTHER},seed=0x7", GREEK) for spec in
          ("table", "ring", "rendezvous", "jumpback", "modulo"))])]

# What stands here is NAME=WEIGHT@SLOT/ZONE; (spec, nodes).
PLACED = "a=3@4/east b=1@0/west c=4@9 d=1@2/east e=5@1 f=9@12/west g=0@3 h=6@7/east i=5@5 j=2@8"
EVEN = "n0@4/east n1@0/west n2@9 n3=0@2/east n4@1 n5@12/west n6@3 n7@7/east n8@5 n9@8"
STACK = "s0@2/east s1@0/west s2@5 s3=0@1/east s4@4 s5@3/west"
ORDERS = [(f"{spec}{more}", nodes) for specs, nodes in [
    (("table", "table,rows=256,seed=3", "table,rows=1024,epsilon=1%", "table,rows=256,epsilon=0",
      "ring", "ring,points=2,seed=3", "rendezvous", "rendezvous,seed=3", "maglev,rows=251",
      "maglev,rows=1021,seed=3", "multiprobe", "multiprobe,probes=2,seed=3", "modulo",
      "modulo,seed=3"), PLACED),
    (("table", "ring,points=3", "rendezvous", "anchor,capacity=13", "anchor,capacity=200,seed=3",
      "dx,capacity=13", "dx,capacity=200,seed=3", "modulo"), EVEN),
    (("jump", "jump,seed=3", "jumpback", "jumpback,seed=3"), STACK),
] for spec in specs for more in ("", f",{SECRET}")]
MASKS = [(), (0, 4, 5), (1, 2, 3, 7, 8, 9)]
FEW = 40  # keys


def place(spec, nodes):
    """The model, and what hashes its keys."""
    name, options, secret = model.parsed(spec)
    if name != "bounded-table":
        return model.place(spec, nodes)
    epsilon = bounded_table.epsilon("0.%06d" % options["epsilon"])
    return (bounded_table.BoundedTable(options["rows"], options["seed"], epsilon, nodes),
            lambda key: model.hash_key(key, options["seed"], secret))


def wrapped(row):
    return [row[i:i + 90] for i in range(0, len(row), 90)]


def lookups(spec, text, count):
    nodes = [(name.encode(), int(weight or 1), slot) for slot, (name, _, weight)
             in enumerate(word.partition("=") for word in text.split())]
    placed, hashed = place(spec, nodes)
    row = "".join(DIGITS[placed.order(hashed(k))[0]] for k in KEYS[:count])
    return [f"# spec: {spec}", f"# nodes: {text}", f"# keys: {count}", *wrapped(row)]


def node(word):
    """(name, weight, slot, zone)"""
    rest, _, zone = word.partition("/")
    rest, _, slot = rest.partition("@")
    name, _, weight = rest.partition("=")
    return name.encode(), int(weight or 1), int(slot), zone.encode()


def orders(spec, text):
    nodes = [node(word) for word in text.split()]
    placed, hashed = place(spec, [n[:3] for n in nodes])
    yield f"place {spec}"
    yield f"nodes {text}"
    yield f"digest {model.digest(spec, nodes):016x}"
    for masked in MASKS:
        k = len(placed.order(hashed(b""), masked))
        yield " ".join(["owners", str(k), *map(str, masked)])
        yield from wrapped("".join(DIGITS[s] for key in KEYS[:FEW]
                                   for s in placed.order(hashed(key), masked)))


def main():
    head = ["# Native mappings, version 1: frozen.", "# provenance: tests/model/freeze.py"]
    files = {"native_1.csv": [line for section in LOOKUPS for line in lookups(*section)],
             "mapping_1.txt": [line for section in ORDERS for line in orders(*section)]}
    for name, lines in files.items():
        text = "\n".join(head + lines) + "\n"
        if "--check" not in sys.argv:
            (GOLDEN / name).write_text(text)
        elif (GOLDEN / name).read_text() != text:
            sys.exit(f"{name} differs")


main()
