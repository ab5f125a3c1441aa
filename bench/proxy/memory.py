"""What a connection costs in memory of the balancer's own: PSS of its process tree with many
connections, less PSS before, divided by their number. What the kernel holds is no process's own."""
import dataclasses
import time

from .bench import Bench, progress
from .machine import memory_bytes

SPARE_FILES = 512      # that a process needs beside its connections
WARM_SECONDS = 0.3
SETTLE_SECONDS = 0.5   # in which buffers that are no longer needed are given back
FIELDS = ("idle", "active")


def files_needed(row, field):
    return row.memory + SPARE_FILES if field == "idle" else 2 * row.active + SPARE_FILES


def wait_for_requests(bench, wanted):
    for _ in range(1000):
        if bench.nodes.counts()["requests"] >= wanted:
            return
        time.sleep(0.01)
    raise SystemExit("row %s: the nodes have not got %d requests" % (bench.row.name, wanted))


def connections_cost(bench, balancer, field, count):
    """(bytes a connection, bytes before)"""
    # Once as busy as it will be while connections are made: this is not theirs.
    load = bench.connect(balancer, "--seconds", WARM_SECONDS)
    errors = bench.measure(balancer, load)["errors"]
    load.end()
    if errors:
        raise SystemExit("%s, row %s: %r" % (balancer.label, bench.row.name, errors))
    if field == "active":
        wanted = bench.nodes.order("hold")["requests"] + count
    before = memory_bytes(balancer.process.pid)
    load = bench.connect(balancer, "--" + {"idle": "idle", "active": "held"}[field],
                         connections=count)
    if field == "active":
        wait_for_requests(bench, wanted)
    time.sleep(SETTLE_SECONDS)
    after = memory_bytes(balancer.process.pid)
    open_now = load.go()["open"]
    load.end()
    bench.alive(balancer)
    if open_now != count:
        raise SystemExit("%s, row %s: only %d of %d connections were open" % (
            balancer.label, bench.row.name, open_now, count))
    return (after - before) / count, before


def run_memory(row, options):
    """Each balancer and each kind of connection in a process of its own, that has had no other."""
    result = {"row": dataclasses.asdict(row), "notes": [], "labels": {}, "memory": {}}
    for field, count in zip(FIELDS, (row.memory, row.active)):
        if files_needed(row, field) > options.files:
            result["notes"].append(
                "%d %s connections are left out: they need %d open files, and %d are allowed" % (
                    count, field, files_needed(row, field), options.files))
            continue
        for kind in row.balancers:
            with Bench(dataclasses.replace(row, balancers=(kind,)), options) as bench:
                for balancer in bench.balancers:
                    progress("%s: %s, %s" % (row.name, field, balancer.label))
                    cost, before = connections_cost(bench, balancer, field, count)
                    result["labels"][kind] = balancer.label
                    figures = result["memory"].setdefault(kind, {})
                    figures[field], figures["before"] = cost, before
                result["notes"] += [n for n in bench.notes if n not in result["notes"]]
    progress("")
    return result
