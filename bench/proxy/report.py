"""Medians, ratios, tables."""
import statistics

REFERENCES = (("relay", "relay"), ("nginx", "nginx"), ("haproxy", "HAProxy"))


def spread(rounds, field):
    values = [r[field] for r in rounds]
    return statistics.median(values), min(values), max(values)


def ratio(result, name, reference, field="cpu_us"):
    """The median of the ratios within a round: a machine that changes its speed between rounds
    changes it for both. None if there is no such balancer."""
    if name not in result["rounds"] or reference not in result["rounds"]:
        return None
    pairs = zip(result["rounds"][name], result["rounds"][reference])
    return statistics.median(a[field] / b[field] for a, b in pairs)


def references(result):
    return [(name, label) for name, label in REFERENCES if name in result["rounds"]]


def errors_of(rounds):
    total = {}
    for r in rounds:
        for kind, n in r["errors"].items():
            total[kind] = total.get(kind, 0) + n
    return ", ".join("%d %s" % (n, kind) for kind, n in sorted(total.items()))


def table(result):
    """Rows of cells, the first of them the heads."""
    yield (["", "requests/s", "[min..max]", "CPU us/request", "[min..max]"] +
           ["of " + label for _, label in references(result)] +
           ["p50 ms", "p99 ms", "p99.9 ms", "CPU"])
    for name, rounds in result["rounds"].items():
        rps, us = spread(rounds, "rps"), spread(rounds, "cpu_us")
        yield ([result["labels"][name], "%.0f" % rps[0], "[%.0f..%.0f]" % rps[1:],
                "%.2f" % us[0], "[%.2f..%.2f]" % us[1:]] +
               ["%.2f" % ratio(result, name, other) for other, _ in references(result)] +
               ["%.2f" % (spread(rounds, f)[0] / 1000) for f in ("p50_us", "p99_us", "p999_us")] +
               ["%.0f%%" % (100 * spread(rounds, "busy")[0])])


def warnings(result):
    for name, rounds in result["rounds"].items():
        errors = errors_of(rounds)
        if errors:
            yield "ERRORS: %s: %s; its figures mean nothing" % (result["labels"][name], errors)
        reconnects = sum(r["reconnects"] for r in rounds)
        if reconnects:
            yield "%s closed %d kept connections" % (result["labels"][name], reconnects)


def text(result):
    lines = list(table(result))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    out = ["", "%s: %s" % (result["row"]["name"], result["row"]["title"])]
    for line in lines:
        out.append("  " + "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths))))
    out += ["  note: " + note for note in result["notes"]]
    out += ["  !! " + warning for warning in warnings(result)]
    return "\n".join(out)
