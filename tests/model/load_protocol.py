#!/usr/bin/env python3
"""Every interleaving of a few threads that take and give back places under bounded loads, step by
step as src/lib/load.c does it: each step is one atomic operation. Checked in every state:
  - a cell counts those who sit there and nobody else;
  - cells and those who look never exceed the total;
  - nobody finds every node full in a look that nobody disturbed (so a look is repeated only when
    some other thread has done something);
  - a cell is entered only below its cap at a total that was true during the look;
  - all counts are zero at the end, and some end is reached.
Exit 1 on a breach. With `--fault add-undo|total-first|no-total` the protocol is a wrong one, and a
breach must be found."""
import sys
from fractions import Fraction
from math import ceil

OUT, READ_CELL, READ_TOTAL, SWAP, UNDO, HOLDS, LEAVES, GONE = range(8)


class Breach(Exception):
    pass


class Protocol:
    def __init__(self, weights, orders, epsilon, fault=None):
        self.weights, self.orders, self.epsilon, self.fault = weights, orders, epsilon, fault

    def cap(self, total, node):
        return ceil((1 + self.epsilon) * total * Fraction(self.weights[node], sum(self.weights)))

    def start(self):
        # A thread: where it is, owner in its order, cell as read, total as read, disturbed, node
        return 0, (0,) * len(self.weights), ((OUT, 0, 0, 0, False, None),) * len(self.orders)

    def check(self, state):
        total, cells, threads = state
        looking = sum(t[0] in (READ_CELL, READ_TOTAL, SWAP) for t in threads)
        sitting = (HOLDS, LEAVES) if self.fault == "total-first" else (HOLDS,)
        for node, count in enumerate(cells):
            if count != sum(t[0] in sitting and t[5] == node for t in threads):
                raise Breach("a ghost: a cell counts somebody who does not sit there")
        if sum(cells) + looking > total:
            raise Breach(f"{sum(cells)} held and {looking} looking, of {total}")

    def next_owner(self, thread, t):
        _, at, _, _, disturbed, _ = t
        if at + 1 < len(self.orders[thread]):
            return (READ_CELL, at + 1, 0, 0, disturbed, None)
        if not disturbed:
            raise Breach("every node is full, and nobody was in the way")
        return (READ_CELL, 0, 0, 0, False, None)

    def step(self, state, i):
        """What thread i's next atomic operation makes of the state, and whether others notice."""
        total, cells, threads = state
        cells = list(cells)
        where, at, seen, believed, disturbed, node = threads[i]
        here = self.orders[i][at]
        noticed = False
        if where == OUT:
            total, noticed = total + (self.fault != "no-total"), True
            t = (READ_CELL, 0, 0, 0, False, None)
        elif where == READ_CELL and self.fault == "add-undo":
            seen, noticed = cells[here], cells[here] < self.cap(total, here)
            cells[here] += 1
            t = ((HOLDS, at, 0, 0, False, here) if noticed
                 else (UNDO, at, 0, 0, disturbed, None))
        elif where == UNDO:
            cells[here] -= 1
            t = self.next_owner(i, (where, at, 0, 0, disturbed, None))
        elif where == READ_CELL:
            t = (READ_TOTAL, at, cells[here], 0, disturbed, None)
        elif where == READ_TOTAL:
            t = ((SWAP, at, seen, total, disturbed, None) if seen < self.cap(total, here)
                 else self.next_owner(i, threads[i]))
        elif where == SWAP and cells[here] == seen:
            if seen + 1 > self.cap(believed, here):
                raise Breach("over the cap")
            cells[here], noticed = seen + 1, True
            t = (HOLDS, at, 0, 0, False, here)
        elif where == SWAP:
            t = (READ_TOTAL, at, cells[here], 0, disturbed, None)
        else:
            first = self.fault == "total-first"
            if (where == HOLDS) == first:
                total -= self.fault != "no-total"
            else:
                cells[node] -= 1
            noticed = True
            t = (LEAVES, at, 0, 0, False, node) if where == HOLDS else (GONE, 0, 0, 0, False, None)
        rest = [(a[:4] + (True,) + a[5:]) if noticed and j != i and a[0] in
                (READ_CELL, READ_TOTAL, SWAP, UNDO) else a
                for j, a in enumerate(threads)]
        rest[i] = t
        return total, tuple(cells), tuple(rest)


def explore(protocol):
    """Number of states; raises Breach."""
    todo, known, ends = [protocol.start()], {protocol.start()}, 0
    while todo:
        state = todo.pop()
        protocol.check(state)
        going = [i for i, t in enumerate(state[2]) if t[0] != GONE]
        if not going:
            ends += 1
            if state[0] != 0 or any(state[1]):
                raise Breach(f"left over: {state[:2]}")
        for i in going:
            after = protocol.step(state, i)
            if after not in known:
                known.add(after)
                todo.append(after)
    if not ends:
        raise Breach("no end is ever reached")
    return len(known)


# Weights of the nodes, the owners' order of each thread, epsilon.
CASES = [((1, 1), [(0, 1)] * 2, 0),
         ((1, 1), [(0, 1)] * 3, 0),
         ((1, 1), [(0, 1), (1, 0), (0, 1)], 0),
         ((1, 3), [(0, 1)] * 3, Fraction(1, 20)),
         ((1, 1, 1), [(0, 1, 2), (1, 2, 0), (0, 2, 1)], 0),
         ((1, 1), [(0, 1), (1, 0), (0, 1), (1, 0)], 0)]


def main():
    fault = sys.argv[2] if len(sys.argv) > 2 and sys.argv[1] == "--fault" else None
    try:
        states = sum(explore(Protocol(w, o, e, fault)) for w, o, e in CASES)
    except Breach as breach:
        print(f"breach: {breach}")
        return 1
    print(f"{states} states, no breach")
    return 0


if __name__ == "__main__":
    sys.exit(main())
