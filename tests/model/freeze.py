#!/usr/bin/env python3
"""Vectors of native mappings from the model: prints tests/golden/native_model_1.csv; with --check
compares it and exits 1 on a difference."""
import pathlib
import sys

import fairlead_model as model

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
GREEK = "alpha beta gamma delta epsilon zeta eta"
EQUAL = " ".join(f"10.0.0.{i}:80" for i in range(33))
WEIGHTED = "a=3 b=1 c=4 d=1 e=5 f=9 g=2 h=6 i=5 j=0 k=3 l=5 m=8"
SOME = " ".join(f"shard{i}=0" if i in (3, 7, 16) else f"shard{i}" for i in range(17))
SECTIONS = [
    ("maglev", GREEK), ("maglev,rows=1021,seed=7", WEIGHTED), ("maglev,rows=251", EQUAL),
    ("multiprobe", GREEK), ("multiprobe,probes=5,seed=7", WEIGHTED),
    *((f"{name}{seed}", nodes) for name in ("jump", "jumpback")
      for seed, nodes in (("", GREEK), (",seed=7", EQUAL), ("", SOME),
                          *(("", " ".join(EQUAL.split()[:n])) for n in (1, 8, 9, 16, 31, 32))))]


def section(spec, text, keys):
    nodes = [(name.encode(), int(weight or 1), slot) for slot, (name, _, weight)
             in enumerate(word.partition("=") for word in text.split())]
    placed, hashed = model.place(spec, nodes)
    row = "".join(DIGITS[placed.order(hashed(k))[0]] for k in keys)
    return [f"# spec: {spec}", f"# nodes: {text}", f"# keys: {len(keys)}",
            *(row[i:i + 90] for i in range(0, len(row), 90))]


def main():
    keys = (GOLDEN / "keys.txt").read_bytes().split(b"\n")[:500]
    lines = ["# Native mappings, mapping: 1 (unstable until the library's interface is frozen)",
             "# provenance: tests/model/fairlead_model.py"]
    lines += [line for spec, nodes in SECTIONS for line in section(spec, nodes, keys)]
    text = "\n".join(lines) + "\n"
    if "--check" in sys.argv:
        sys.exit((GOLDEN / "native_model_1.csv").read_text() != text)
    sys.stdout.write(text)


main()
