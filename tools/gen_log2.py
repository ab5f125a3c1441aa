#!/usr/bin/env python3
"""Writes src/place/log2_table.h and tests/golden/log2_vectors.csv, exactly and repeatably.

gen_log2.py           print the table
gen_log2.py --vectors print the vectors
gen_log2.py --check   compare both with what is checked in; exit 1 on a difference

Everything is decimal arithmetic with 80 digits; no floating point is involved."""
import decimal
import pathlib
import random
import sys

decimal.getcontext().prec = 80
D = decimal.Decimal
LN2 = D(2).ln()
ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "src/place/log2_table.h"
VECTORS = ROOT / "tests/golden/log2_vectors.csv"
STEPS, TERMS = 256, 7


def nearest(x):
    return int((x + D("0.5")).to_integral_value(rounding=decimal.ROUND_FLOOR))


def log2(x):
    return D(x).ln() / LN2


def table():
    rows = []
    for i in range(STEPS):
        value = nearest(log2(D(STEPS + i) / STEPS) * 2**64)
        inverse = (2**63 * STEPS) // (STEPS + i)
        rows.append(f"\t{{0x{value:016x}u, 0x{inverse:016x}u}},")
    coefficients = [nearest(D(2**62) / (k * LN2)) for k in range(1, TERMS + 1)]
    return "\n".join(
        ["/* Written by tools/gen_log2.py; do not edit. */",
         "",
         "/* Step i: log2(1 + i/256) in units of 2^-64, and 1 / (1 + i/256) in units of 2^-63. */",
         "static const struct {",
         "\tuint64_t value, inverse;",
         f"}} steps[{STEPS}] = {{"] + rows +
        ["};", "", "/* 1 / (k ln 2), k = 1.., in units of 2^-62. */",
         f"static const uint64_t terms[{TERMS}] = {{"] +
        [f"\t0x{c:016x}u," for c in coefficients] + ["};", ""])


def inputs():
    rng = random.Random(20)
    picks = {1, 2, 3, 4, 5, 6, 7, 8, 2**64 - 1, 2**64 - 2, 2**64 - 3, 2**64 - 17}
    for step in range(STEPS):
        edge = (STEPS + step) << 55
        for off in (-17, -16, -2, -1, 0, 1, 15, 16):
            if 0 < edge + off < 2**64:
                picks.add(edge + off)
    for e in range(1, 64):
        for off in (-2, -1, 0, 1):
            picks.add(max(1, (1 << e) + off))
    for _ in range(2000):
        picks.add(rng.getrandbits(64) >> rng.randrange(0, 60) or 1)
    return sorted(picks)


def vectors():
    lines = ["# -log2((h + 1) / 2^64) in units of 2^-62, rounded to nearest (66 bits);"
             " exact decimal arithmetic, tools/gen_log2.py", "h,high,low"]
    for h in inputs():
        e = nearest((64 - log2(h + 1)) * 2**62) if h < 2**64 - 1 else 0
        lines.append(f"{h:x},{e >> 32:x},{e & 0xffffffff:x}")
    return "\n".join(lines) + "\n"


def main():
    if "--vectors" in sys.argv:
        sys.stdout.write(vectors())
    elif "--check" in sys.argv:
        bad = [str(p) for p, f in ((TABLE, table), (VECTORS, vectors)) if p.read_text() != f()]
        if bad:
            sys.exit("differs from what tools/gen_log2.py writes: " + ", ".join(bad))
    else:
        sys.stdout.write(table())


main()
