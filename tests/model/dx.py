#!/usr/bin/env python3
"""DxHash, written from the paper and not from the C code: a key's own sequence of slots, and the
first of them in use has it.

Prints tests/golden/dx.txt in the form that anchor.py describes; with --check compares it and
exits 1 on a difference. The last resort, a key whose first 64 draws all miss, is not modelled
here: the vectors keep enough slots in use."""
import pathlib
import random
import sys

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden" / "dx.txt"
M = 2**64 - 1
DRAW = 0x636920D871574E69


def mix(x):
    x &= M
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & M
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & M
    return x ^ (x >> 31)


def owners(h, k, capacity, live):
    found = []
    for i in range(64):
        slot = mix(h + i * DRAW) * capacity >> 64
        if slot in live and slot not in found:
            found.append(slot)
        if len(found) == k:
            return found
    raise AssertionError("this needs the last resort, which is not modelled here")


def words(name, before, after):
    return " ".join([name, *map(str, before), "=", *map(str, after)])


def case(r, capacity, count, steps):
    live = set(r.sample(range(capacity), count))
    yield " ".join(map(str, ["new", capacity, *sorted(live)]))
    for _ in range(steps):
        if len(live) > (capacity + 2) // 3 and (len(live) == capacity or r.random() < .55):
            slot = r.choice(sorted(live))
            live.remove(slot)
            yield f"- {slot}"
        else:
            slot = min(set(range(capacity)) - live)
            live.add(slot)
            yield f"+ {slot}"
        yield words("keys", [24],
                    [owners(mix(i + 1), 1, capacity, live)[0] for i in range(24)])
    masked = set(r.sample(sorted(live), len(live) // 3))
    yield words("mask", masked,
                [owners(mix(i + 1), 1, capacity, live - masked)[0] for i in range(32)])
    k = min(4, len(live))
    yield words("owners", [k], [s for i in range(8) for s in owners(mix(i + 1), k, capacity, live)])


def text():
    r = random.Random(2021)
    lines = ["# provenance: tests/model/dx.py"]
    for capacity, count, steps in [(1, 1, 0), (2, 1, 1), (2, 2, 1), (8, 8, 20), (16, 7, 40),
                                   (31, 17, 40), (64, 33, 60), (128, 127, 60), (1000, 400, 40),
                                   (4096, 1500, 20)]:
        lines += case(r, capacity, count, steps)
    return "\n".join(lines) + "\n"


def main():
    if "--check" in sys.argv:
        sys.exit(GOLDEN.read_text() != text())
    sys.stdout.write(text())


if __name__ == "__main__":
    main()
