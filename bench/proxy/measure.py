"""Measures a row: all its balancers at once, loaded in turn, round by round."""
import dataclasses

from . import balancers
from .bench import WARM_SECONDS, Bench, progress
from .check import check_logs
from .memory import run_memory

SATURATION_ROUNDS = 3


def saturation(bench):
    """What the slowest of the balancers that think can answer in a second."""
    most = {}
    for number in range(SATURATION_ROUNDS):
        for balancer in bench.balancers:
            if balancer.kind not in balancers.RELAYS:
                progress("%s: saturation of %s" % (bench.row.name, balancer.label))
                rps = bench.load(balancer, bench.options.seconds)["rps"]
                most.setdefault(balancer.name, []).append(rps)
    return min(sorted(r)[len(r) // 2] for r in most.values())


def run_speed(row, options):
    with Bench(row, options) as bench:
        for balancer in bench.balancers:
            bench.load(balancer, WARM_SECONDS)
        more, rate = [], None
        if row.rate:
            rate = saturation(bench) / 2 if row.rate == "half" else float(row.rate)
            more = ["--rate", rate]
            bench.notes.append("%.0f requests a second are due" % rate)
        rounds = {balancer.name: [] for balancer in bench.balancers}
        count = options.rounds * row.weight
        for number in range(count):
            for balancer in bench.balancers:
                progress("%s: round %d of %d, %s" % (row.name, number + 1, count, balancer.label))
                rounds[balancer.name].append(bench.load(balancer, options.seconds, *more))
        progress("")
        if row.log:
            check_logs(bench.balancers, row)
        return {"row": dataclasses.asdict(row), "rate": rate, "notes": bench.notes,
                "labels": {b.name: b.label for b in bench.balancers}, "rounds": rounds}


def run_row(row, options):
    return run_memory(row, options) if row.memory else run_speed(row, options)
