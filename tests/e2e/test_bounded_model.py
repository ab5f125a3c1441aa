"""table,epsilon=... against the greedy model (tests/model/bounded_table.py): every row's owner, and
owners and picks under masks, over random memberships, weights, seeds and epsilons."""
import random

import pytest
import test_model as t  # sets the path to the models

import bounded_table as bounded
import fairlead_model as model

EPSILONS = ["0", "0.0001%", "1%", "0.05", "5%", "12.5%", "0.333333", "100%"]


def random_case(number):
    """A list of questions, and of the answers that are expected."""
    r = random.Random(f"bounded {number}")
    kind, most = r.choice(["one", "same", "small", "edge"]), r.choice([1, 2, 3, 8, 17, 40])
    nodes = t.random_nodes(r, kind, most)
    rows, seed, eps = r.choice([256, 256, 512]), r.choice(t.SEEDS), r.choice(EPSILONS)
    name = r.choice(["table", "bounded-table"])
    secret = r.choice([None, r.randbytes(16)])
    ask = [f"place {name},epsilon={eps},seed={seed},rows={rows}"
           + (f",secret={secret.hex().upper()}" if secret else "")]
    ask += [f"node {n.hex()} {w} {s}" for n, w, s in nodes] + ["build"]
    expect = ["ok"]
    placed = bounded.BoundedTable(rows, seed, bounded.epsilon(eps), nodes)
    for i in range(500):
        masked = {s for _, _, s in nodes if r.random() < 0.3} if i % 4 == 0 else set()
        key = r.randbytes(8)
        k = r.choice([0, 1, 3, len(nodes)])
        order = placed.order(model.hash_key(key, seed, secret), masked)
        ask.append(" ".join(["mask", *map(str, sorted(masked))]))
        ask.append(f"key {key.hex()} {k}")
        expect.append(" ".join(map(str, [*(order[:1] or ["none"]), *order[:k]])))
    return ask, expect


@pytest.mark.parametrize("part", range(4))
def test_bounded_tables_are_greedy(part):
    for number in range(part, 1200 if t.FULL else 120, 4):
        ask, expect = random_case(number)
        got = t.answers(ask)
        wrong = [(a, e, g) for a, e, g in zip(ask[-1000:], expect, got) if e != g]
        assert got == expect, f"case {number}: {ask[0]}: {wrong[:1]}"


def test_caps_by_hand():
    assert bounded.caps(256, bounded.epsilon("5%"), [1, 1]) == [134, 134]
    assert bounded.caps(256, bounded.epsilon("0"), [1, 1, 1]) == [86, 86, 86]
    assert bounded.caps(256, bounded.epsilon("1.0"), [1, 65535]) == [0, 256]
