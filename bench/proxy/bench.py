"""A row under way: its nodes and its balancers, and one round of load."""
import dataclasses
import os
import shutil
import sys
import tempfile

from . import balancers, machine
from .check import check_answers
from .processes import Load, Nodes, Processes, said


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


class Bench:
    """To be used as a context, at whose end nothing of it is left."""

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
            balancer.folder = os.path.join(self.folder, str(number))
            try:
                balancer.start(self.processes, balancers.command(self.row, balancer, nodes,
                                                                 self.options))
            except balancers.Missing as why:
                self.notes.append("%s is left out: %s" % (balancer.label, why))
                continue
            check_answers(balancer, self.row, self.nodes)
            self.balancers.append(balancer)

    def alive(self, balancer):
        if balancer.process.poll() is not None:
            raise SystemExit("%s has ended: %s" % (balancer.name, said(balancer.process)))

    def connect(self, balancer, *more, **changes):
        """A load generator for it, of the row with these changes."""
        before = self.nodes.counts()["requests"]
        load = Load(self.processes, self.options.tools, dataclasses.replace(self.row, **changes),
                    balancer.port, *more)
        balancer.asked += self.nodes.counts()["requests"] - before
        return load

    def measure(self, balancer, load):
        """One round of load; figures of all that was answered in it."""
        before = self.nodes.counts()["requests"]
        cpu = machine.cpu_seconds(balancer.process.pid)
        result = load.go()
        cpu = machine.cpu_seconds(balancer.process.pid) - cpu
        self.alive(balancer)
        served = self.nodes.counts()["requests"] - before
        balancer.asked += served
        return figures(result, cpu, served)


def figures(result, cpu, served):
    answered = result["requests"] + result["late"]
    errors = {kind: n for kind, n in result["errors"].items() if n}
    if served < answered:
        errors["not from a node"] = answered - served
    if answered == 0:
        raise SystemExit("no request was answered: %r" % errors)
    return {"rps": result["requests"] / result["seconds"], "cpu_us": cpu * 1e6 / answered,
            "busy": cpu / result["took"], "p50_us": result["us"]["p50"],
            "p99_us": result["us"]["p99"], "p999_us": result["us"]["p999"],
            "answered": answered, "reconnects": result["reconnects"], "errors": errors}
