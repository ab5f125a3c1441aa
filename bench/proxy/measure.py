"""Measures a row: all its balancers at once, loaded in turn, round by round."""
import dataclasses
import os
import shutil
import sys
import tempfile

from . import balancers, machine
from .check import check_answers
from .processes import Load, Nodes, Processes, said

SPARE_FILES = 512  # that a balancer needs beside its connections
WARM_SECONDS = 0.3
SATURATION_ROUNDS = 3


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


class Bench:
    """A row under way: its nodes and its balancers. To be used as a context."""

    def __init__(self, row, options):
        self.row, self.options = row, options
        self.processes, self.notes = Processes(), []

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="fairlead-bench-")
        os.chmod(self.folder, 0o755)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.processes.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        wanted = balancers.of_row(self.row)
        ports = machine.free_ports(self.row.nodes + len(wanted))
        nodes = ports[len(wanted):]
        self.nodes = Nodes(self.processes, self.options.tools, self.row, nodes)
        self.balancers = []
        for number, balancer in enumerate(wanted):
            balancer.port = ports[number]
            command = balancers.command(
                self.row, balancer, os.path.join(self.folder, str(number)), nodes,
                self.options.files, self.options)
            if command:
                balancer.start(self.processes, command)
                check_answers(balancer, self.row, self.nodes)
                self.balancers.append(balancer)
            else:
                self.notes.append("%s is left out: it is not installed" % balancer.label)

    def alive(self, balancer):
        if balancer.process.poll() is not None:
            raise SystemExit("%s has ended: %s" % (balancer.name, said(balancer.process)))

    def load(self, balancer, seconds, *more):
        """One round; figures of all that was answered in it."""
        before = self.nodes.counts()
        load = Load(self.processes, self.options.tools, self.row, balancer.port, "--seconds",
                    seconds, *more)
        cpu = machine.cpu_seconds(balancer.process.pid)
        result = load.go()
        cpu = machine.cpu_seconds(balancer.process.pid) - cpu
        load.end()
        self.alive(balancer)
        served = self.nodes.counts()["requests"] - before["requests"]
        return figures(result, cpu, served)


def figures(result, cpu, served):
    answered = result["requests"] + result["late"]
    errors = {kind: n for kind, n in result["errors"].items() if n}
    if served < answered + result["warmup"]:
        errors["not from a node"] = answered + result["warmup"] - served
    if answered == 0:
        raise SystemExit("no request was answered: %r" % errors)
    return {"rps": result["requests"] / result["seconds"], "cpu_us": cpu * 1e6 / answered,
            "busy": cpu / result["seconds"], "p50_us": result["us"]["p50"],
            "p99_us": result["us"]["p99"], "p999_us": result["us"]["p999"],
            "answered": answered, "reconnects": result["reconnects"], "errors": errors}


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
        for number in range(options.rounds):
            for balancer in bench.balancers:
                progress("%s: round %d of %d, %s" % (row.name, number + 1, options.rounds,
                                                     balancer.label))
                rounds[balancer.name].append(bench.load(balancer, options.seconds, *more))
        progress("")
        return {"row": dataclasses.asdict(row), "rate": rate, "notes": bench.notes,
                "labels": {b.name: b.label for b in bench.balancers}, "rounds": rounds}


def run_row(row, options):
    return run_speed(row, options)
