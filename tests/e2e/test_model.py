"""The library against the independent model (tests/model/fairlead_model.py), over random
memberships, weights, seeds, slots and masks. FAIRLEAD_TOOLS names the folder of the test tools;
FAIRLEAD_FULL=1 tries many more. Every case is repeatable from its number."""
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/model"))
import fairlead_model as model  # noqa: E402

TOOLS = Path(os.environ.get("FAIRLEAD_TOOLS", ROOT / "build/dev/tests/tools"))
FULL = os.environ.get("FAIRLEAD_FULL") == "1"
SEEDS = [0, 1, 7, 2**32, 2**63, 2**64 - 1]
BATCH = 50


def answers(lines):
    text = "\n".join(lines) + "\n"
    r = subprocess.run([TOOLS / "answers"], input=text.encode(), capture_output=True, timeout=300)
    assert r.returncode == 0, r.stderr.decode(errors="replace")
    return r.stdout.decode().splitlines()


def random_name(r):
    kind = r.randrange(4)
    if kind == 0:
        return b"node%d" % r.randrange(1000)
    if kind == 1:
        return b"10.%d.%d.%d:80" % (r.randrange(256), r.randrange(256), r.randrange(256))
    # Bytes of all values but 0; lengths on both sides of where XXH3 changes its ways.
    size = r.choice([1, 3, 4, 8, 9, 16, 17, 31, 128, 129, 240, 241, 255])
    return bytes(r.randrange(1, 256) for _ in range(size))


def random_weight(r, kind):
    if kind == "one":
        return 1
    if kind in ("shard", "spread"):
        return r.choice([0, 1, 1, 1])
    if kind == "same":
        return 37
    if kind == "edge":
        return r.choice([0, 1, 2, 65534, 65535])
    return r.choice([0, 1, 1, 2, 3, r.randrange(50)])


def random_nodes(r, kind, most):
    names = sorted({random_name(r) for _ in range(r.randrange(most + 1))})
    r.shuffle(names)
    gaps = 0 if kind == "shard" else r.choice([0, 3, 200])
    slots = r.sample(range(len(names) + gaps), len(names))
    return [(name, random_weight(r, kind), slot) for name, slot in zip(names, slots)]


def around_a_power_of_two(r):
    """Shards: as many as that, all or nearly all of weight 1."""
    n = (1 << r.randrange(1, 8)) + r.randrange(-1, 2)
    slots = r.sample(range(n), n)
    zeros = r.choice([0, 0, 0.1, 0.9])
    return [(b"shard-%d" % i, int(r.random() >= zeros), s) for i, s in enumerate(slots)]


def random_spec(r, name):
    kind = r.choice(["one", "same", "small", "edge"])
    seed = r.choice(SEEDS + [r.getrandbits(64)])
    options = [r.choice([f"seed={seed}", f"seed={seed:#x}"])]
    if r.random() < 0.25:
        options.append(f"secret={r.randbytes(16).hex()}")
    if name == "ring":
        kind = "small" if kind == "edge" else kind
        options.append(f"points={r.choice([1, 2, 5, 40] if kind == 'small' else [1, 3, 12])}")
    if name == "table":
        rows = r.choice([256, 256, 1024, 4096, 1 << r.randrange(8, 21)])
        options.append(f"rows={rows}")
    if name == "maglev":
        options.append(f"rows={r.choice([251, 251, 257, 1021, 4093, 65537])}")
    if name == "multiprobe":
        kind = "small" if kind == "edge" else kind
        options.append(f"probes={r.choice([1, 2, 21, 21, 64])}")
    if name in ("jump", "jumpback"):
        kind = "shard"
    if name == "anchor":
        kind = "spread"
        options.append(f"capacity={r.choice([500, 512, 700])}")
    if name == "dx":
        # At most 500 slots are in use, and mostly few: the 64 draws often do not suffice.
        kind = "spread"
        options.append(f"capacity={r.choice([500, 512, 1024, 20000, 65536])}")
    r.shuffle(options)
    return kind, ",".join([name, *options])


def random_key(r):
    size = r.choice([0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 32, 100, 128, 129, 200, 240, 241, 1000])
    return r.choice([r.randbytes(size), b"key-%d" % r.randrange(10**6)])


def case(name, number):
    """Lines to ask, and the lines that are expected."""
    r = random.Random(f"{name} {number}")
    most = r.choice([0, 1, 2, 3, 8, 8, 17, 17, 70 if number % 8 else 300])
    kind, spec = random_spec(r, name)
    nodes = random_nodes(r, kind, most)
    if kind == "shard" and number % 2:
        nodes = around_a_power_of_two(r)
    ask = [f"place {spec}"]
    ask += [f"node {n.hex()} {w} {s}" for n, w, s in nodes] + ["build"]
    expect = ["ok"]
    placed, hashed = model.place(spec, nodes)
    for _ in range(3):
        masked = {s for _, _, s in nodes if r.random() < 0.3} if r.random() < 0.7 else set()
        masked |= {r.randrange(400)} if r.random() < 0.2 else set()
        if r.random() < 0.05:
            masked = {s for _, _, s in nodes}
        ask.append(" ".join(["mask", *map(str, sorted(masked))]))
        for _ in range(4):
            key, k = random_key(r), r.choice([0, 1, 2, 3, len(nodes), len(nodes) + 1])
            order = list(placed.order(hashed(key), masked))
            ask.append(f"key {key.hex() or '-'} {k}")
            expect.append(" ".join(map(str, [*(order[:1] or ["none"]), *order[:k]])))
    return ask, expect


# Memberships; what a table costs is the building of its rows.
COUNTS = {"anchor": 150, "table": 500, "maglev": 300, "multiprobe": 150, "jump": 600, "jumpback": 600,
          "ring": 2000, "modulo": 3000, "rendezvous": 3000}


def check(name, numbers):
    ask, expect, where = [], [], []
    for number in numbers:
        a, e = case(name, number)
        ask += a
        expect += e
        where += [number] * len(e)
    got = answers(ask)
    wrong = [(n, e, g) for n, e, g in zip(where, expect, got) if e != g]
    assert not wrong and len(got) == len(expect), \
        f"{name}: case {wrong[0][0]}: model {wrong[0][1]}, library {wrong[0][2]}" \
        if wrong else f"{len(got)} answers to {len(expect)} questions"


@pytest.mark.parametrize("name", sorted(model.MODELS))
def test_the_library_agrees_with_the_model(name):
    count = COUNTS.get(name, 500) * (20 if FULL else 1)
    for start in range(0, count, BATCH):
        check(name, range(start, start + BATCH))


def test_siphash_is_the_papers():
    assert model.siphash(bytes(range(15)), bytes(range(16))) == 0xA129CA6149BE45E5


def test_the_frozen_vectors_are_the_models():
    subprocess.run([sys.executable, ROOT / "tests/model/freeze.py", "--check"], check=True,
                   timeout=300)
