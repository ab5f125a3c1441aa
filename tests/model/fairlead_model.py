"""The native mappings, written a second time from their definitions alone: plain integers, no
vectors, no tables, nothing shared with the library but XXH3 (Debian's python3-xxhash).

`place(spec, nodes)` gives a model whose `order(hash, masked)` is the complete list of owners
(slots) of a hashed key, the pick first. tests/e2e/test_model.py holds the library against it.

Weighted rendezvous is defined by the order of E / weight, where E is -log2((score + 1) / 2^64)
in units of 2^-58, never below the exact value and above it by less than two units. The model
knows the exact value only, so two nodes that are closer than that have no defined order, and
`Undefined` is raised (about one key in 10^15)."""
import math
from decimal import Decimal, getcontext

import xxhash

getcontext().prec = 60
ALL = (1 << 64) - 1
LOW = (1 << 32) - 1
WEYL = 0x9E3779B97F4A7C15

# Digits of pi, one salt a purpose.
NODE = 0x243F6A8885A308D3
ROW = 0x13198A2E03707344
POINT = 0xA4093822299F31D0
SCORE_LOW = 0x082EFA98EC4E6C89
ATTEMPT = 0x452821E638D01377


class Undefined(Exception):
    pass


def mix(x):
    """SplitMix64's finaliser."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & ALL
    x = (x ^ x >> 27) * 0x94D049BB133111EB & ALL
    return x ^ x >> 31


def salted(seed, salt):
    return mix(mix((seed + salt) & ALL) ^ salt)


def hash_key(data, seed):
    return xxhash.xxh3_64_intdigest(data, seed)


def score(node, key):
    h = ((node ^ key) & LOW) * 0x9E3779B1 & LOW
    h ^= h >> 15
    h = h + (node >> 32 ^ key >> 32) & LOW
    h = h * 0x85EBCA6B & LOW
    h ^= h >> 15
    h = h * 0xC2B2AE35 & LOW
    high = h ^ h >> 16
    turned = (node >> 32 | node << 32) & ALL
    return high << 32 | mix((turned * SCORE_LOW + key) & ALL) >> 32


# ---- the rendezvous order ----

def value(s):
    """-log2((s + 1) / 2^64), within 1e-15 of itself."""
    if s >> 63:
        return -math.log1p(-((ALL - s) / 2.0**64)) / math.log(2)
    return 64 - math.log2(s + 1)


def exact(s):
    return (Decimal(2**64).ln() - Decimal(s + 1).ln()) / Decimal(2).ln()


def check_apart(a, b):
    """Raises Undefined unless a's exact value / weight is clearly below b's. (weight, score)"""
    slack = Decimal(2) ** -57
    if a[1] == b[1] and a[0] == b[0]:
        return
    if not exact(a[1]) / a[0] + slack / a[0] <= exact(b[1]) / b[0]:
        raise Undefined


class Rendezvous:
    def __init__(self, options, nodes, weighted=True):
        seed = salted(options["seed"], NODE)
        live = sorted((name, weight, slot) for name, weight, slot in nodes if weight > 0)
        self.nodes = [(hash_key(name, seed), weight, slot) for name, weight, slot in live]
        self.weighted = weighted and len({weight for _, weight, _ in live}) > 1

    def order(self, key, masked=()):
        # The nodes stand in the order of their names, and sorting is stable.
        scored = [(score(h, key), weight, slot) for h, weight, slot in self.nodes
                  if slot not in masked]
        if not self.weighted:
            return [slot for _, _, slot in sorted(scored, key=lambda n: -n[0])]
        scored = sorted(((value(s) / w, -s, w, slot) for s, w, slot in scored),
                        key=lambda n: n[:2])
        for a, b in zip(scored, scored[1:]):
            if b[0] - a[0] <= 1e-9 * b[0] or b[0] < 1e-12:
                check_apart((a[2], -a[1]), (b[2], -b[1]))
        return [n[3] for n in scored]


class Table:
    def __init__(self, options, nodes):
        self.rendezvous = Rendezvous(options, nodes)
        self.rows = options["rows"]
        self.start = salted(options["seed"], ROW)

    def order(self, key, masked=()):
        row = key * self.rows >> 64
        return self.rendezvous.order(mix((self.start + row * WEYL) & ALL), masked)


class Ring:
    def __init__(self, options, nodes):
        seed = salted(options["seed"], NODE)
        self.points = []
        for name, weight, slot in nodes:
            base = mix(hash_key(name, seed) ^ POINT)
            self.points += [(mix((base + i * WEYL) & ALL), name, slot)
                            for i in range(weight * options["points"])]
        self.points.sort()

    def order(self, key, masked=()):
        behind = [p[2] for p in self.points if p[0] < key]
        ahead = [p[2] for p in self.points[len(behind):]]
        found = {}
        for slot in ahead + behind:
            if slot not in masked:
                found.setdefault(slot)
        return list(found)


class Modulo:
    def __init__(self, options, nodes):
        live = sorted((name, slot) for name, weight, slot in nodes if weight > 0)
        self.slots = [slot for _, slot in live]
        self.rest = Rendezvous(options, nodes, weighted=False)

    def order(self, key, masked=()):
        found = {}
        if not self.slots:
            return []
        for i in range(65):
            draw = mix((key + i * ATTEMPT) & ALL) if i else key
            found.setdefault(self.slots[draw % len(self.slots)])
        for slot in self.rest.order(key):
            found.setdefault(slot)
        return [slot for slot in found if slot not in masked]


MODELS = {
    "ring": (Ring, {"points": 160, "seed": 0}),
    "rendezvous": (Rendezvous, {"seed": 0}),
    "table": (Table, {"rows": 65536, "seed": 0}),
    "modulo": (Modulo, {"seed": 0}),
}


def place(spec, nodes):
    """The model of `spec` over (name in bytes, weight, slot); also its seed, for hash_key."""
    name, *given = spec.split(",")
    model, options = MODELS[name]
    options = dict(options, **{k: int(v, 0) for k, v in (g.split("=") for g in given)})
    return model(options, nodes), options["seed"]
