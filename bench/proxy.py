#!/usr/bin/python3
"""What a request costs: Fairlead, nginx and HAProxy side by side, above bare relays.

  proxy.py [--quick] [--row NAME...] [--rounds N] [--seconds S] [--json FILE]
           [--markdown FILE] [--fairlead PATH] [--tools FOLDER]

All run at once, each on a port of its own, and are loaded in turn, round by round (A B C D,
A B C D ...), so that a machine that becomes slower is slower for all; a ratio is the median of
the ratios within a round. Each gets one worker and kept connections to the nodes (conf/ says why
each setting is as it is). Balancers run on one CPU; the load generator and the nodes on another.
CPU microseconds a request are utime + stime of the balancer's whole process tree over a round,
divided by the requests answered in it: the number to compare. Requests a second are what this
machine gives when the other CPU may be the one that is full; the column "CPU" says how busy the
balancer's was kept.

The relays do not look into what they copy, cannot choose a node by key, and are the floor."""
import argparse
import json
import os
import signal
import sys
import time

from proxy import machine, measure, report, rows, targets

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def parse():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--quick", action="store_true", help="few rows (within 50 s)")
    p.add_argument("--row", metavar="NAME", nargs="+", action="extend", default=[],
                   help="only these files of rows/")
    p.add_argument("--rounds", type=int)
    p.add_argument("--seconds", type=float, default=0.2, help="of each round")
    p.add_argument("--json", metavar="FILE", help="write every round's figures there, too")
    p.add_argument("--markdown", metavar="FILE", help="write the tables there, too")
    p.add_argument("--fairlead", default=ROOT + "/build/release/fairlead")
    p.add_argument("--tools", default=ROOT + "/build/release/bench",
                   help="where load, answer and the relays are")
    options = p.parse_args()
    options.rounds = options.rounds or (8 if options.quick else 19)
    return options


def header(options):
    return ("%s; balancers on CPU %d, load and nodes on CPU %d; medians of %d rounds of %g s" % (
        machine.describe(), machine.BALANCER_CPU, machine.LOAD_CPU, options.rounds,
        options.seconds))


def write(options, results, lines):
    if options.json:
        with open(options.json, "w") as f:
            json.dump({"machine": machine.describe(), "seconds": options.seconds,
                       "results": results, "targets": lines}, f, indent=1)
    if options.markdown:
        with open(options.markdown, "w") as f:
            f.write(report.markdown(header(options), results, lines))


def main():
    options = parse()
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options.files = machine.raise_files()
    print(header(options))
    if machine.BALANCER_CPU == machine.LOAD_CPU:
        print("note: only one CPU is allowed here, so load and balancers disturb each other")
    results = []
    for row in rows.read_rows(options.row, options.quick):
        results.append(measure.run_row(row, options))
        print(report.text(results[-1]), flush=True)
    lines = targets.targets(results)
    if lines:
        print("\ntargets:")
        print("\n".join(report.aligned([["", "at most", "measured", ""], *lines])))
    print("\n%.0f s" % (time.monotonic() - began))
    write(options, results, lines)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
