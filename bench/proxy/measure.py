"""Measures a row: all its balancers at once, loaded in turn, round by round."""
import collections
import dataclasses

from . import balancers
from .bench import Bench, progress
from .check import check_logs
from .memory import run_memory

SATURATION_ROUNDS = 5


def measure_rounds(bench, which, count, *more):
    """{name: figures of each round}. One round goes before, to warm up; only its errors count."""
    loads = {balancer: bench.connect(balancer, *more) for balancer in which}
    rounds = {balancer.name: [] for balancer in which}
    early = {}
    for number in range(-1, count):
        for balancer, load in loads.items():
            progress("%s: round %d of %d, %s" % (bench.row.name, number + 1, count,
                                                 balancer.label))
            got = bench.measure(balancer, load)
            if number < 0:
                early[balancer.name] = got["errors"]
            else:
                rounds[balancer.name].append(got)
    for load in loads.values():
        load.end()
    for name, errors in early.items():
        first = rounds[name][0]
        first["errors"] = dict(collections.Counter(first["errors"]) + collections.Counter(errors))
    return rounds


def saturation(bench, *more):
    """What the slowest of the balancers that think can answer in a second."""
    which = [b for b in bench.balancers if b.kind not in balancers.RELAYS]
    found = measure_rounds(bench, which, SATURATION_ROUNDS, *more)
    return min(sorted(r["rps"] for r in rounds)[len(rounds) // 2] for rounds in found.values())


def run_speed(row, options):
    count = max(1, options.rounds * row.weight // row.slow)
    more = ["--seconds", options.seconds * row.slow]
    with Bench(row, options) as bench:
        rate = None
        if row.rate:
            rate = saturation(bench, "--seconds", options.seconds) / 2 \
                if row.rate == "half" else float(row.rate)
            more += ["--rate", rate]
            bench.notes.append("%.0f requests a second are due" % rate)
        rounds = measure_rounds(bench, bench.balancers, count, *more)
        progress("")
        if row.log:
            check_logs(bench.balancers, row)
        return {"row": dataclasses.asdict(row), "rate": rate, "notes": bench.notes,
                "labels": {b.name: b.label for b in bench.balancers}, "rounds": rounds}


def run_row(row, options):
    return run_memory(row, options) if row.memory else run_speed(row, options)
