"""The classic comparison, computed a second time: five nodes, two of which die, 10,000 keys. Shares
nothing with the program but the definitions of the mappings (fairlead_model.py) and of the keys
("user:1", "user:2", ...)."""
import bisect
import math

import fairlead_model as model

SPECS = ["ring,points=1", "ring,points=200", "rendezvous", "table", "maglev", "modulo"]
KEYS = [b"user:%d" % (i + 1) for i in range(10000)]
NODES = 5
NOBODY = None


def members(weights):
    """(name, weight, slot) of node-1, node-2, ... by a dictionary of weights by number."""
    return [(b"node-%d" % number, weight, number - 1) for number, weight in weights.items()]


def picker(spec, nodes):
    """The owner's slot of a hashed key, and how a key is hashed."""
    placed, hashed = model.place(spec, nodes)
    if isinstance(placed, model.Ring):
        at = [p[0] for p in placed.points]
        return lambda h: placed.points[bisect.bisect_left(at, h) % len(at)][2], hashed
    if isinstance(placed, model.Maglev):
        return lambda h: placed.rows[h * placed.size >> 64], hashed
    return lambda h: placed.order(h)[0], hashed


def owners(spec, weights):
    """The number of the node of each key."""
    pick, hashed = picker(spec, members(weights))
    return [pick(hashed(key)) + 1 for key in KEYS]


def count(owner):
    counts = {}
    for number in owner:
        counts[number] = counts.get(number, 0) + 1
    return counts


def evenness(owner, weights):
    counts, total = count(owner), sum(weights.values())
    fair = {n: len(KEYS) * w / total for n, w in weights.items()}
    ratios = [counts.get(n, 0) / fair[n] for n in weights]
    off = [counts.get(n, 0) - fair[n] for n in weights]
    return {"peak": max(ratios), "lowest": min(ratios),
            "deviation": math.sqrt(sum(x * x for x in off) / len(off)),
            "variation": math.sqrt(sum((x - 1) ** 2 for x in ratios) / len(ratios))}


def moved(before, after):
    a, b = count(before), count(after)
    least = sum(abs(a.get(n, 0) - b.get(n, 0)) for n in {*a, *b}) / 2
    return {"moved": sum(x != y for x, y in zip(before, after)) / len(KEYS),
            "necessary": least / len(KEYS)}


def heirs(before, after, gone):
    got = count(y for x, y in zip(before, after) if x in gone)
    keys = sum(got.values())
    return {"lost_keys": keys, "heirs": len(got), "largest": max(got.values()) / keys}


def the_dead():
    """Neighbours on the circle with one point a node: of all such pairs, in the order of the circle
    from its beginning, the first with the most of the key space."""
    points = sorted((p[0], p[2] + 1) for p in model.place(
        "ring,points=1", members({n: 1 for n in range(1, NODES + 1)}))[0].points)
    share = {}
    for i, (at, number) in enumerate(points):
        share[number] = (at - points[i - 1][0]) % 2**64
    pairs = [(points[i][1], points[(i + 1) % NODES][1]) for i in range(NODES)]
    return max(pairs, key=lambda pair: share[pair[0]] + share[pair[1]])


def scenario():
    """For each spec: balance, and by change what moves; who inherits."""
    weights = {n: 1 for n in range(1, NODES + 1)}
    first, second = the_dead()
    changes = {"add": {**weights, NODES + 1: 1},
               "remove": {n: 1 for n in weights if n != first},
               "remove-two": {n: 1 for n in weights if n not in (first, second)},
               "reweight": {**weights, first: 2}}
    found = {}
    for spec in SPECS:
        before = owners(spec, weights)
        found[spec] = {"balance": evenness(before, weights), "counts": count(before)}
        for name, then in changes.items():
            if spec == "modulo" and name == "reweight":
                continue
            after = owners(spec, then)
            found[spec][name] = {**moved(before, after), **evenness(after, then)}
            if name == "remove":
                found[spec]["one"] = heirs(before, after, {first})
            if name == "remove-two":
                found[spec]["two"] = heirs(before, after, {first, second})
    return found, (first, second)
