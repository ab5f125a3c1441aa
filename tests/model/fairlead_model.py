"""The native mappings, written a second time from their definitions alone: plain integers, no
vectors, no tables, nothing shared with the library but XXH3 (Debian's python3-xxhash).
SipHash is written from its paper.

`place(spec, nodes)` gives a model whose `order(hash, masked)` is the complete list of owners
(slots) of a hashed key, the pick first. tests/e2e/test_model.py holds the library against it.

Weighted rendezvous is defined by the order of E / weight, where E is -log2((score + 1) / 2^64)
in units of 2^-58, never below the exact value and above it by less than two units. The model
knows the exact value only, so two nodes that are closer than that have no defined order, and
`Undefined` is raised (about one key in 10^15)."""
import hashlib
import heapq
import itertools
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
DRAW = 0x636920D871574E69
OFFSET = 0x24A19947B3916CF7
SKIP = 0x0801F2E2858EFC16
PROBE = 0xBA7C9045F12C7F99
STEP = 0x9C30D5392AF26013
ANCHOR = 0x7B54A41DC25A59B5
DIGEST = 0xC0AC29B7C97C50DD


class Undefined(Exception):
    pass


def mix(x):
    """SplitMix64's finaliser."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & ALL
    x = (x ^ x >> 27) * 0x94D049BB133111EB & ALL
    return x ^ x >> 31


def salted(seed, salt):
    return mix(mix((seed + salt) & ALL) ^ salt)


def rotated(x, by):
    return (x << by | x >> 64 - by) & ALL


def siphash(data, key):
    """SipHash-2-4 (Aumasson & Bernstein 2012)."""
    k0, k1 = (int.from_bytes(half, "little") for half in (key[:8], key[8:]))
    a, b, c, d = (k ^ int.from_bytes(word, "big") for k, word in zip(
        (k0, k1, k0, k1), (b"somepseu", b"dorandom", b"lygenera", b"tedbytes")))

    def rounds(a, b, c, d, count):
        for _ in range(count):
            a, c = a + b & ALL, c + d & ALL
            b, d = rotated(b, 13) ^ a, rotated(d, 16) ^ c
            a = rotated(a, 32)
            c, a = c + b & ALL, a + d & ALL
            b, d = rotated(b, 17) ^ c, rotated(d, 21) ^ a
            c = rotated(c, 32)
        return a, b, c, d

    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) % 256])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at:at + 8], "little")
        a, b, c, d = rounds(a, b, c, d ^ word, 2)
        a ^= word
    a, b, c, d = rounds(a, b, c ^ 255, d, 4)
    return a ^ b ^ c ^ d


def hash_key(data, seed, secret=None):
    if secret is None:
        return xxhash.xxh3_64_intdigest(data, seed)
    low = int.from_bytes(secret[:8], "little") ^ seed
    return siphash(data, low.to_bytes(8, "little") + secret[8:])


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


class Maglev:
    """Eisenbud et al. 2016: every node has a permutation of the rows and takes, when it is its
    turn, the first row of it that is free. Turn k of a node is due at (2k + 1) / (2 weight)."""

    def __init__(self, options, nodes):
        seed = salted(options["seed"], NODE)
        live = sorted((name, weight, slot) for name, weight, slot in nodes if weight > 0)
        self.rest = Rendezvous(options, nodes)
        self.size = size = options["rows"]
        self.rows = rows = [None] * size
        scale = math.lcm(*(weight for _, weight, _ in live))
        due, permutation = [], []
        for i, (name, weight, _) in enumerate(live):
            h = hash_key(name, seed)
            offset = mix(h ^ OFFSET) * size >> 64
            skip = (mix(h ^ SKIP) * (size - 1) >> 64) + 1
            permutation.append(self.permuted(offset, skip))
            due.append((scale // weight, i))
        heapq.heapify(due)
        for _ in range(size if live else 0):
            when, i = due[0]
            row = next(r for r in permutation[i] if rows[r] is None)
            rows[row] = live[i][2]
            heapq.heapreplace(due, (when + 2 * scale // live[i][1], i))

    def permuted(self, offset, skip):
        for j in range(self.size):
            yield (offset + j * skip) % self.size

    def order(self, key, masked=()):
        start = mix((key + ATTEMPT) & ALL) * self.size >> 64
        walk = [self.rows[key * self.size >> 64]]
        walk += [self.rows[(start + i) % self.size] for i in range(64)]
        found = dict.fromkeys(slot for slot in walk if slot is not None)
        for slot in self.rest.order(key):
            found.setdefault(slot)
        return [slot for slot in found if slot not in masked]


class Multiprobe:
    """Appleton & O'Reilly 2015: of all probes of the key, the one with the nearest point ahead."""

    def __init__(self, options, nodes):
        self.probes = options["probes"]
        self.points = Ring(dict(options, points=1), nodes).points

    def order(self, key, masked=()):
        probes = [mix((key + i * PROBE) & ALL) for i in range(self.probes)]
        ways = sorted((at - p & ALL, name, slot) for p in probes for at, name, slot in self.points)
        found = dict.fromkeys(slot for _, _, slot in ways)
        return [slot for slot in found if slot not in masked]


def jump(key, n):
    """Lamping & Veach 2014: Python's floats are IEEE doubles, as the paper's are."""
    at, ahead = -1, 0
    while ahead < n:
        at = ahead
        key = (key * 2862933555777941757 + 1) & ALL
        ahead = int((at + 1) * (float(1 << 31) / float((key >> 33) + 1)))
    return at


def active(key, n):
    """Ertl 2024: the key's active buckets below n and some above, from above. In the interval
    [q, 2q) there are any if a bit says so; the last is uniform, and each draw from [0, 2q) that
    is lower than all before is one more, until one is below q."""
    halves = key & LOW, key >> 32
    u = halves[0] ^ halves[1]
    for r in range(max(n - 1, 0).bit_length(), -1, -1):
        q = 1 << r
        if not u & q:
            continue
        least = q + (halves[bin(u & 2 * q - 1).count("1") % 2] & q - 1)
        yield least
        for i in itertools.count(2):
            word = mix((key + (i >> 1) * STEP) & ALL)
            draw = (word >> 32 * (i & 1)) & 2 * q - 1
            if draw < q:
                break
            if draw < least:
                least = draw
                yield least
    yield 0


def jumpback(key, n):
    return next(b for b in active(key, n) if b < n)


class Shards:
    def __init__(self, bucket, options, nodes):
        self.bucket, self.count = bucket, len(nodes)
        self.live = {slot for _, weight, slot in nodes if weight > 0}
        self.rest = Rendezvous(options, nodes)

    def owner(self, key):
        for i in range(65):
            slot = self.bucket(mix((key + i * ATTEMPT) & ALL) if i else key, self.count)
            if slot in self.live:
                return slot
        return self.rest.order(key)[0]

    def order(self, key, masked=()):
        if not self.live:
            return []
        tries = [mix((key + i * ATTEMPT) & ALL) if i else key for i in range(65)]
        found = dict.fromkeys(self.owner(t) for t in tries)
        for slot in self.rest.order(key):
            found.setdefault(slot)
        return [slot for slot in found if slot not in masked]


def shards(bucket):
    return lambda options, nodes: Shards(bucket, options, nodes)


class Dx:
    """Dong & Wang 2021: 64 draws from all slots; those in use own the key in that order."""

    def __init__(self, options, nodes):
        self.capacity = options["capacity"]
        self.live = {slot for _, weight, slot in nodes if weight > 0}
        self.rest = Rendezvous(options, nodes)

    def order(self, key, masked=()):
        draws = (mix((key + i * DRAW) & ALL) * self.capacity >> 64 for i in range(64))
        found = dict.fromkeys(slot for slot in draws if slot in self.live)
        for slot in self.rest.order(key):
            found.setdefault(slot)
        return [slot for slot in found if slot not in masked]


class Anchor:
    """Mendelson et al. 2020, with the sets written out: a slot that is gone remembers who was
    left. Built afresh, the slots that own nothing went from the highest down."""

    def __init__(self, options, nodes):
        self.capacity = options["capacity"]
        self.live = {slot for _, weight, slot in nodes if weight > 0}
        self.rest = Rendezvous(options, nodes)
        self.removed = [s for s in reversed(range(self.capacity)) if s not in self.live]
        self.left, working = {}, list(range(self.capacity))
        for slot in self.removed:
            working[working.index(slot)] = working[-1]
            working.pop()
            self.left[slot] = list(working)

    def owner(self, key):
        slot = key * self.capacity >> 64
        while slot in self.left:
            left = self.left[slot]
            slot = left[mix(key + (slot + 1) * ANCHOR & ALL) * len(left) >> 64]
        return slot

    def order(self, key, masked=()):
        if not self.live:
            return []
        tries = [mix((key + i * ATTEMPT) & ALL) if i else key for i in range(65)]
        found = dict.fromkeys(self.owner(t) for t in tries)
        for slot in self.rest.order(key):
            found.setdefault(slot)
        return [slot for slot in found if slot not in masked]


MODELS = {
    "anchor": (Anchor, {"capacity": 1024, "seed": 0}),
    "dx": (Dx, {"capacity": 1024, "seed": 0}),
    "maglev": (Maglev, {"rows": 65537, "seed": 0}),
    "multiprobe": (Multiprobe, {"probes": 21, "seed": 0}),
    "jump": (shards(jump), {"seed": 0}),
    "jumpback": (shards(jumpback), {"seed": 0}),
    "ring": (Ring, {"points": 160, "seed": 0}),
    "rendezvous": (Rendezvous, {"seed": 0}),
    "table": (Table, {"rows": 65536, "seed": 0}),
    "modulo": (Modulo, {"seed": 0}),
}


# bounded-table has its model in a file of its own.
BOUNDED = {"rows": 65536, "seed": 0, "epsilon": 50000}


def number(text):
    """A share counts in millionths."""
    if text.endswith("%"):
        return int(Decimal(text[:-1]) * 10**4)
    return int(Decimal(text) * 10**6) if "." in text else int(text, 0)


def parsed(spec):
    """The algorithm, its options with their values, in their order, and the secret or None."""
    name, *given = spec.split(",")
    given = dict(g.split("=") for g in given)
    secret = bytes.fromhex(given.pop("secret")) if "secret" in given else None
    if name == "table" and "epsilon" in given:
        name = "bounded-table"
    options = BOUNDED if name == "bounded-table" else MODELS[name][1]
    return name, dict(options, **{k: number(v) for k, v in given.items()}), secret


def place(spec, nodes):
    """The model of `spec` over (name in bytes, weight, slot); also what hashes its keys."""
    name, options, secret = parsed(spec)
    return MODELS[name][0](options, nodes), lambda key: hash_key(key, options["seed"], secret)


# ---- digests ----

def digested(d, *fields):
    """Each field, bytes or a 64-bit number, goes in with its length."""
    for field in fields:
        data = field if isinstance(field, bytes) else field.to_bytes(8, "little")
        d = mix(xxhash.xxh3_64_intdigest(data, d) + len(data) * WEYL & ALL)
    return d


def digest(spec, nodes):
    """Of a placement that was built afresh from (name, weight, slot, zone), names and zones in
    bytes; b"" is no zone."""
    name, options, secret = parsed(spec)
    by_slot = name in ("jump", "jumpback", "anchor", "dx")
    d = digested(DIGEST, 1, name.encode())
    for option, value in options.items():
        d = digested(d, option.encode(), value)
    if secret:
        check = hashlib.sha256(b"fairlead secret" + secret).digest()[:8]
        d = digested(d, b"secret", check)
    d = digested(d, len(nodes))
    for node, weight, slot, zone in sorted(nodes):
        d = digested(d, node, weight, zone, *([slot] if by_slot else []))
    if name == "anchor":
        removed = Anchor(options, [n[:3] for n in nodes]).removed
        d = digested(d, len(removed))
        for i in range(0, len(removed), 64):
            d = digested(d, b"".join(s.to_bytes(8, "little") for s in removed[i:i + 64]))
    return d
