#!/usr/bin/env python3
"""AnchorHash, written from the paper and not from the C code, with nothing but lists: a removed
slot keeps a copy of the working set that was left, and adding goes back to the copy before.

Prints tests/golden/anchor.txt; with --check compares it and exits 1 on a difference.
A line is one of (keys are hashes: key i is mix(i + 1)):
    new CAPACITY SLOT...        a placement with a node in each of these slots
    - SLOT                      its node is removed
    + SLOT                      a node is added, and gets this slot
    keys N = SLOT...            owners of keys 0..N-1
    mask SLOT... = SLOT...      picks of keys 0..31 with these slots masked
    owners K = SLOT...          the first K owners of keys 0..7, key after key"""
import pathlib
import random
import sys

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden" / "anchor.txt"
M = 2**64 - 1
REHASH, ATTEMPT = 0x7B54A41DC25A59B5, 0x452821E638D01377


def mix(x):
    x &= M
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & M
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & M
    return x ^ (x >> 31)


class Anchor:
    def __init__(self, capacity, slots):
        self.capacity = capacity
        self.working = list(range(capacity))
        self.history = []    # (slot, the working set before it went)
        self.left = {}       # slot -> the working set when it had gone
        for slot in reversed(range(capacity)):
            if slot not in slots:
                self.remove(slot)

    def remove(self, slot):
        self.history.append((slot, list(self.working)))
        self.working[self.working.index(slot)] = self.working[-1]
        self.working.pop()
        self.left[slot] = list(self.working)

    def add(self):
        slot, self.working = self.history.pop()
        del self.left[slot]
        return slot

    def owner(self, h):
        slot = h * self.capacity >> 64
        while slot in self.left:
            left = self.left[slot]
            slot = left[mix(h + (slot + 1) * REHASH) * len(left) >> 64]
        return slot

    def owners(self, h, k, masked=()):
        """By further attempts only; the vectors stay where these suffice."""
        found = []
        for i in range(65):
            slot = self.owner(mix(h + i * ATTEMPT) if i else h)
            if slot not in masked and slot not in found:
                found.append(slot)
            if len(found) == k:
                return found
        raise AssertionError("this needs the last resort, which is not modelled here")


def words(name, before, after):
    return " ".join([name, *map(str, before), "=", *map(str, after)])


def case(r, capacity, count, steps):
    slots = r.sample(range(capacity), count) if r.random() < .5 else list(range(count))
    a = Anchor(capacity, set(slots))
    yield " ".join(map(str, ["new", capacity, *slots]))
    for _ in range(steps):
        if len(a.working) > 1 and (len(a.working) == capacity or r.random() < .55):
            slot = r.choice(sorted(a.working))
            a.remove(slot)
            yield f"- {slot}"
        else:
            yield f"+ {a.add()}"
        yield words("keys", [24], [a.owner(mix(i + 1)) for i in range(24)])
    masked = r.sample(sorted(a.working), len(a.working) // 2)
    yield words("mask", masked, [a.owners(mix(i + 1), 1, masked)[0] for i in range(32)])
    k = min(4, len(a.working))
    yield words("owners", [k], [s for i in range(8) for s in a.owners(mix(i + 1), k)])


def text():
    r = random.Random(2020)
    lines = ["# provenance: tests/model/anchor.py"]
    for capacity, count, steps in [(1, 1, 0), (2, 1, 1), (2, 2, 1), (8, 8, 20), (16, 3, 40),
                                   (31, 17, 40), (64, 33, 60), (128, 127, 60), (1000, 300, 40)]:
        lines += case(r, capacity, count, steps)
    return "\n".join(lines) + "\n"


def main():
    if "--check" in sys.argv:
        sys.exit(GOLDEN.read_text() != text())
    sys.stdout.write(text())


if __name__ == "__main__":
    main()
