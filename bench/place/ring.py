#!/usr/bin/python3
"""The ring of the Python tutorials: ring.py NODES POINTS MS prints ns a lookup and ms to build."""
import bisect
import hashlib
import statistics
import sys
import time


class Ring:
    def __init__(self, nodes, points):
        self.owner = {}
        self.sorted = []
        for node in nodes:
            for i in range(points):
                h = self.hash("%s-%d" % (node, i))
                self.owner[h] = node
                self.sorted.append(h)
        self.sorted.sort()

    @staticmethod
    def hash(text):
        return int(hashlib.md5(text.encode()).hexdigest(), 16)

    def lookup(self, key):
        i = bisect.bisect(self.sorted, self.hash(key))
        return self.owner[self.sorted[i % len(self.sorted)]]


def main():
    nodes, points, milliseconds = (int(a) for a in sys.argv[1:4])
    began = time.perf_counter()
    ring = Ring(["10.0.%d.%d:11211" % (i // 250, i % 250) for i in range(nodes)], points)
    build = time.perf_counter() - began
    keys = ["user:%011d" % (i * 7919) for i in range(2000)]
    rounds = []
    until = time.perf_counter() + milliseconds / 1000
    while time.perf_counter() < until or len(rounds) < 3:
        began = time.perf_counter()
        for key in keys:
            ring.lookup(key)
        rounds.append((time.perf_counter() - began) / len(keys))
    print("%.1f %.3f" % (statistics.median(rounds) * 1e9, build * 1e3))


main()
