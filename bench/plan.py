#!/usr/bin/python3
"""What does planning from a large access log cost? `fairlead plan` over a made-up log of combined
lines: MB a second of processor time (one core; reading, parsing, hashing, two lookups and all the
counting), and its memory at the most.

  plan [--quick] [--megabytes N] [--clients N] [--memory SIZE]"""
import argparse
import itertools
import multiprocessing
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FAIRLEAD = ROOT / "build/release/fairlead"
AGENT = ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/120.0.0.0 Safari/537.36")
POOLS = ["--algorithm", "table", *[x for i in range(20) for x in ("--node", f"cache-{i}")]]


def write_log(path, megabytes, clients):
    """Popular clients come more often, as 1 / rank. Gives the number of lines."""
    r = random.Random(1)
    weights = list(itertools.accumulate(1 / (i + 1) for i in range(clients)))
    paths = [f"/{a}/{b}?page={c}" for a in ("articles", "images", "api/v1/items", "users")
             for b in range(50) for c in range(5)]
    lines = size = 0
    with open(path, "w") as out:
        while size < megabytes * 1000000:
            chosen = r.choices(range(clients), cum_weights=weights, k=50000)
            text = "".join(
                f'{10 + (i >> 24)}.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255} - - '
                f'[25/Nov/2026:10:00:00 +0000] "GET {paths[(i * 7 + n) % 1000]} HTTP/1.1" 200 '
                f'{512 + n % 9000} "https://www.example.com/" "{AGENT}"\n'
                for n, i in enumerate(chosen))
            out.write(text)
            size += len(text)
            lines += len(chosen)
    return lines, size


def run(log, memory):
    """(seconds of processor time, of the clock, KiB at the most)"""
    began = time.monotonic()
    child = subprocess.Popen([FAIRLEAD, "plan", *POOLS, "--remove", "cache-7", "--log", log,
                              "--memory", memory, "--json"], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = status
    assert status == 0, "plan failed"
    return used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--quick", action="store_true", help="100 MB instead of 1 GB")
    p.add_argument("--megabytes", type=int)
    p.add_argument("--clients", type=int, default=1000000)
    p.add_argument("--memory", default="256MiB", help="as plan's --memory")
    a = p.parse_args()
    megabytes = a.megabytes or (100 if a.quick else 1000)
    free = os.statvfs(tempfile.gettempdir())
    if free.f_bavail * free.f_frsize < 2 * megabytes * 1000000:
        sys.exit(f"plan: {tempfile.gettempdir()} has no room for {megabytes} MB")
    with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
        # Apart, because what this process holds would count as the memory of what it starts.
        with multiprocessing.Pool(1) as writer:
            lines, size = writer.apply(write_log, (log.name, megabytes, a.clients))
        print(f"{size / 1e6:.0f} MB, {lines} lines, up to {a.clients} clients, "
              f"--memory {a.memory}, key client_ip, 20 nodes, one goes")
        rounds = [run(log.name, a.memory) for _ in range(3)]
    cpu = sorted(r[0] for r in rounds)[1]
    wall = sorted(r[1] for r in rounds)[1]
    most = max(r[2] for r in rounds)
    print(f"median of 3: {size / cpu / 1e6:.0f} MB/s of processor time "
          f"({cpu / lines * 1e9:.0f} ns a line), {size / wall / 1e6:.0f} MB/s by the clock, "
          f"at most {most / 1024:.0f} MiB")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
