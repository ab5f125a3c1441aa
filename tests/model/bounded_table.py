"""bounded-table a second time, from its definition as the greedy outcome: all pairs of row and node
in the order of the one score, joined unless the row is taken or the node is full. No rounds of
asking, no heaps, no bounds: every pair is scored and sorted. Shares the rendezvous score with the
model of the plain table."""
from fractions import Fraction
from math import ceil, floor

import fairlead_model as m


def epsilon(text):
    return Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)


def caps(rows, eps, weights):
    """floor((1 + eps) rows w / W) for all if that is room enough, else ceil for all."""
    exact = [(1 + eps) * rows * Fraction(w, sum(weights)) for w in weights]
    down = [min(rows, floor(x)) for x in exact]
    return down if sum(down) >= rows else [min(rows, ceil(x)) for x in exact]


class BoundedTable:
    def __init__(self, rows, seed, eps, nodes):
        self.plain = m.Rendezvous({"seed": seed}, nodes)
        self.rows = rows
        start = m.salted(seed, m.ROW)
        self.keys = [m.mix((start + row * m.WEYL) & m.ALL) for row in range(rows)]
        self.owners = self.greedy(eps) if self.plain.nodes else []

    def pairs(self):
        """(value / weight, -score, node by name, row), best first."""
        found = []
        for i, (h, weight, _) in enumerate(self.plain.nodes):
            for row, key in enumerate(self.keys):
                s = m.score(h, key)
                found.append((m.value(s) / weight if self.plain.weighted else 0, -s, i, row))
        found.sort()
        if self.plain.weighted:
            for a, b in zip(found, found[1:]):
                if b[0] - a[0] <= 1e-12 * b[0] or b[0] < 1e-12:
                    m.check_apart((self.plain.nodes[a[2]][1], -a[1]),
                                  (self.plain.nodes[b[2]][1], -b[1]))
        return found

    def greedy(self, eps):
        room = caps(self.rows, eps, [weight for _, weight, _ in self.plain.nodes])
        owners = [None] * self.rows
        for _, _, i, row in self.pairs():
            if owners[row] is None and room[i] > 0:
                owners[row] = self.plain.nodes[i][2]
                room[i] -= 1
        assert None not in owners
        return owners

    def order(self, hashed, masked=()):
        if not self.owners:
            return []
        row = hashed * self.rows >> 64
        rest = self.plain.order(self.keys[row])
        first = self.owners[row]
        return [s for s in [first] + [s for s in rest if s != first] if s not in masked]
