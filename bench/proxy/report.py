"""Medians, ratios, and tables of them: as text for a terminal, as Markdown for a document."""
import statistics

FULL = 0.85          # of its CPU: a balancer that is kept busy
FEW_CONNECTIONS = 8  # that cannot do so
REFERENCES = (("relay", "relay"), ("nginx", "nginx"), ("haproxy", "HAProxy"))


def spread(rounds, field):
    values = [r[field] for r in rounds]
    return statistics.median(values), min(values), max(values)


def ratio(result, name, reference, field="cpu_us"):
    """The median of the ratios within a round: a machine that changes its speed between rounds
    changes it for both. None if there is no such balancer."""
    rounds = result.get("rounds", {})
    if name not in rounds or reference not in rounds:
        return None
    return statistics.median(a[field] / b[field]
                             for a, b in zip(rounds[name], rounds[reference]))


def compared(result):
    """What ratios are of, in this row: the field, and (name, label) of each reference there is."""
    field = "p99_us" if result["row"]["rate"] else "cpu_us"
    return field, [(name, label) for name, label in REFERENCES if name in result["rounds"]]


def errors_of(rounds):
    total = {}
    for r in rounds:
        for kind, n in r["errors"].items():
            total[kind] = total.get(kind, 0) + n
    return ", ".join("%d %s" % (n, kind) for kind, n in sorted(total.items()))


def digits(value):
    return "%.2f" % value if value < 100 else "%.0f" % value


def speed_table(result):
    """Rows of cells, the first of them the heads."""
    field, others = compared(result)
    what = "p99" if field == "p99_us" else "CPU"
    yield (["", "requests/s", "[min..max]", "CPU us", "[min..max]"] +
           ["%s of %s" % (what, label) for _, label in others] +
           ["p50 ms", "p99 ms", "p99.9 ms", "busy"])
    for name, rounds in result["rounds"].items():
        rps, us = spread(rounds, "rps"), spread(rounds, "cpu_us")
        yield ([result["labels"][name], "%.0f" % rps[0], "[%.0f..%.0f]" % rps[1:], digits(us[0]),
                "[%s..%s]" % (digits(us[1]), digits(us[2]))] +
               ["%.2f" % ratio(result, name, other, field) for other, _ in others] +
               ["%.2f" % (spread(rounds, f)[0] / 1000) for f in ("p50_us", "p99_us", "p999_us")] +
               ["%.0f%%" % (100 * spread(rounds, "busy")[0])])


def memory_table(result):
    yield ["", "idle, bytes", "active, bytes", "process before, MiB"]
    for name, figures in result["memory"].items():
        yield [result["labels"][name]] + [
            "%.0f" % figures[field] if field in figures else "-" for field in ("idle", "active")
        ] + ["%.1f" % (figures["before"] / (1 << 20))]


def table(result):
    return list(memory_table(result) if "memory" in result else speed_table(result))


def warnings(result):
    for name, rounds in result.get("rounds", {}).items():
        errors = errors_of(rounds)
        if errors:
            yield "ERRORS: %s: %s; its figures mean nothing" % (result["labels"][name], errors)
        reconnects = sum(r["reconnects"] for r in rounds)
        if reconnects:
            yield "%s closed %d kept connections" % (result["labels"][name], reconnects)


def remarks(result):
    """A balancer that waits for the other CPU pays for being woken, which one that is full does
    not: its requests look dearer than they are."""
    row = result["row"]
    if row["rate"] or row["connections"] < FEW_CONNECTIONS:
        return
    for name, rounds in result.get("rounds", {}).items():
        busy = spread(rounds, "busy")[0]
        if busy < FULL:
            yield ("%s kept only %.0f%% of its CPU busy: the other CPU was full, and what it "
                   "costs to be woken is in its CPU time" % (result["labels"][name], 100 * busy))


def aligned(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return ["  " + "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                             for i, (cell, width) in enumerate(zip(line, widths)))
            for line in lines]


def text(result):
    out = ["", "%s: %s" % (result["row"]["name"], result["row"]["title"])]
    out += aligned(table(result))
    out += ["  note: " + note for note in [*result["notes"], *remarks(result)]]
    out += ["  !! " + warning for warning in warnings(result)]
    return "\n".join(out)


def markdown_table(lines):
    return ["| %s |" % " | ".join(line) for line in
            [lines[0], ["---"] * len(lines[0]), *lines[1:]]]


def markdown(header, results, targets):
    """The whole run, each row a table under its title."""
    out = [header]
    for result in results:
        row = result["row"]
        out += ["", "`%s`: %s. %s" % (row["name"], row["title"], row["about"]), ""]
        out += markdown_table(table(result))
        for note in [*result["notes"], *remarks(result)]:
            out += ["", note]
        for warning in warnings(result):
            out += ["", "**%s**" % warning]
    if targets:
        out += ["", "Targets:", "", *markdown_table([["", "at most", "measured", ""], *targets])]
    return "\n".join(out) + "\n"
