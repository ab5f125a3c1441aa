#!/usr/bin/env python3
"""Made-up keys and traffic, written from what src/plan/keys.c says and not from its code.

Prints tests/golden/made_keys.txt; with --check compares it and exits 1 on a difference. Lines:
  key SHAPE SEED I HEX       key I in hexadecimal
  zipf N S_MILLI TOTAL       all weights together
  weight N S_MILLI R W       one of them
  rank N S_MILLI SEED J R    the rank of request J"""
import math
import pathlib
import sys

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden" / "made_keys.txt"
M = 2**64 - 1
M32 = 2**32 - 1
G = 0x9E3779B97F4A7C15
WORDS = "articles catalog events images media search users videos".split()


def mix(x):
    x &= M
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & M
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & M
    return x ^ (x >> 31)


def draw(seed, i, k):
    return mix(mix(seed) + (4 * i + k + 1) * G)


def uuid(seed, i):
    digits = list(f"{draw(seed, i, 0):016x}{draw(seed, i, 1):016x}")
    digits[12] = "4"
    digits[16] = f"{8 + (int(digits[16], 16) & 3):x}"
    text = "".join(digits)
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


def ipv4(seed, i):
    x = i & M32
    for multiplier in (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D):
        x = (x + draw(seed, 0, 0)) & M32
        x = x * multiplier & M32
        x ^= x >> 15
    return ".".join(str(b) for b in x.to_bytes(4, "big"))


def key(shape, seed, i):
    if shape == "sequential":
        return f"user:{i + 1}".encode()
    if shape == "uuid":
        return uuid(seed, i).encode()
    if shape == "ipv4":
        return ipv4(seed, i).encode()
    if shape == "url":
        word = WORDS[draw(seed, i, 0) % 8]
        return f"/{word}/item-{i}?page={draw(seed, i, 1) % 10}".encode()
    return draw(seed, i, 0).to_bytes(8, "little") + draw(seed, i, 1).to_bytes(8, "little")


def log2(n):
    e = n.bit_length() - 1
    m = n << (63 - e)
    log = e
    for _ in range(32):
        m = m * m >> 64
        bit = m >> 63
        if not bit:
            m *= 2
        log = log << 1 | bit
    return log


def roots():
    c = [None, math.isqrt(2**127)]
    while len(c) <= 32:
        c.append(math.isqrt(c[-1] << 64))
    return c


C = roots()


def weight(r, s_milli):
    e = s_milli * log2(r + 1) // 1000
    w = 2**63
    for k in range(1, 33):
        if e >> (32 - k) & 1:
            w = w * C[k] >> 64
    return max(1, w >> (24 + (e >> 32)))


def golden():
    lines = ["# Made by tests/model/made_keys.py, which says what the lines are."]
    for shape in ("sequential", "uuid", "ipv4", "url", "random"):
        for seed in (0, 1, M):
            for i in (0, 1, 2, 255, 99999, 2**32 - 1, 2**60):
                lines.append(f"key {shape} {seed} {i} {key(shape, seed, i).hex()}")
    for n, s in ((1, 1000), (10, 0), (1000, 1000), (20000, 1250), (3000, 500), (100, 4000)):
        weights = [weight(r, s) for r in range(n)]
        exact = [2**39 / (r + 1) ** (s / 1000) for r in range(n)]
        # The fixed point is what it claims to be.
        assert all(abs(w - x) <= max(1, x * 1e-6) for w, x in zip(weights, exact))
        total = sum(weights)
        lines.append(f"zipf {n} {s} {total}")
        for r in sorted({0, 1, n // 3, n // 2, n - 1} & set(range(n))):
            lines.append(f"weight {n} {s} {r} {weights[r]}")
        sums = [0]
        for w in weights:
            sums.append(sums[-1] + w)
        for seed in (0, 7):
            for j in (0, 1, 2, 3, 10**6):
                x = mix(mix(~seed & M) + (j + 1) * G) * total >> 64
                r = next(r for r in range(n) if sums[r + 1] > x)
                lines.append(f"rank {n} {s} {seed} {j} {r}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(GOLDEN.read_text() != golden())
    print(golden(), end="")
