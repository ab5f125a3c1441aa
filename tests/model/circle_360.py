#!/usr/bin/env python3
"""The textbook circle of 360 degrees, written from its description and not from the C code.

Prints tests/golden/circle_360.csv; with --check compares it and exits 1 on a difference."""
import hashlib
import pathlib
import sys

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def degree(text):
    return int(hashlib.sha1(text).hexdigest(), 16) % 360


def owner(key, servers):
    """The server with the least clockwise distance, which is 1 to 360; then by name."""
    here = degree(key)

    def order(server):
        ahead = (degree(server.encode()) - here) % 360
        return (ahead or 360, server)
    return min(servers, key=order)


def section(servers, keys):
    lines = ["# provenance: tests/model/circle_360.py, Python hashlib",
             "# spec: compat:circle-360", "# nodes: " + " ".join(servers),
             f"# keys: {len(keys)}"]
    row = "".join(DIGITS[servers.index(owner(k, servers))] for k in keys)
    return lines + [row[i:i + 90] for i in range(0, len(row), 90)]


def main():
    keys = (GOLDEN / "keys.txt").read_bytes().split(b"\n")[:-1]
    # With 30 servers some share a degree, which puts ties to the test.
    sets = [["a"], ["server1", "server2", "server3"], [f"10.0.0.{i}:80" for i in range(30)]]
    degrees = [degree(s.encode()) for s in sets[2]]
    assert len(set(degrees)) < len(degrees)
    text = "\n".join(line for s in sets for line in section(s, keys)) + "\n"
    if "--check" in sys.argv:
        sys.exit((GOLDEN / "circle_360.csv").read_text() != text)
    sys.stdout.write(text)


main()
